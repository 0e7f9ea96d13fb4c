package authcode

import (
	"context"
	"net/url"
	"slices"

	"example.com/authcode/internal/urls"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// serverMember is the member of a token that has the server that issued it, one
// of Provider.Servers.
const serverMember = ownMembers + "server"

// serverFaults checks Servers and ServerParam.
func (p *Provider) serverFaults(secure bool) (f []string) {
	if (p.ServerParam == "") != (len(p.Servers) == 0) {
		f = append(f, "Provider.Servers and Provider.ServerParam need each other: set both, or neither")
	}
	if p.ServerParam != "" && !isFreeParam(p.ServerParam) {
		f = append(f, "Provider.ServerParam is a parameter of the protocol, or not a parameter "+
			"name: use the one that names the server of an account")
	}
	for _, server := range p.Servers {
		f = append(f, serverFaults("Provider.Servers", server, secure)...)
		// The paths are those of the endpoints.
		if u, err := url.Parse(server); err == nil && server != u.Scheme+"://"+u.Host {
			f = append(f, "Provider.Servers has more than an origin: write it like "+
				"https://accounts.example, without a slash at its end")
		}
	}
	return f
}

// homeFaults checks that the server of the endpoints e is one of Servers.
func (p *Provider) homeFaults(prefix string, e *Endpoints) (f []string) {
	if len(p.Servers) == 0 {
		return nil
	}
	isHome := func(server string) bool { return urls.OriginOf(server) == urls.OriginOf(e.TokenURL) }
	// Endpoints that were moved to a test would send its codes to the real servers.
	if !slices.ContainsFunc(p.Servers, isHome) {
		f = append(f, prefix+"TokenURL is at none of Provider.Servers: add its origin, or clear "+
			"Provider.Servers and Provider.ServerParam")
	}
	if e.MTLS != nil {
		f = append(f, prefix+"MTLS has aliases for one server only: clear it, or clear "+
			"Provider.Servers and Provider.ServerParam")
	}
	return f
}

// answeringServer returns ep at the server that a callback names.
func (c *Client) answeringServer(
	params url.Values, ep *resolvedEndpoints,
) (*resolvedEndpoints, error) {
	p := &c.cfg.Provider
	if p.ServerParam == "" || params.Get(p.ServerParam) == "" {
		return ep, nil
	}
	// Anybody can write this parameter. A server of theirs would get the code,
	// the verifier and the secret.
	server := params.Get(p.ServerParam)
	if !slices.Contains(p.Servers, server) {
		return nil, errorf(Forged, "callback.server", "the callback names a server that is not in "+
			"Provider.Servers: it is forged, or the provider has a new data center, to be added there")
	}
	return ep.at(server), nil
}

// resolveFor is resolve for requests that are about the token t: at the server
// that issued it.
func (c *Client) resolveFor(ctx context.Context, t *oauth2.Token) (*resolvedEndpoints, error) {
	server, _ := t.Extra(serverMember).(string)
	// Somebody who can change a stored token must not choose who gets the secret.
	if server != "" && !slices.Contains(c.cfg.Provider.Servers, server) {
		return nil, errorf(Configuration, "token.server", "the token is from a server that is not in "+
			"Provider.Servers: add it there if it is the provider's, or sign in again")
	}
	ep, err := c.resolve(ctx)
	if err != nil || server == "" {
		return ep, err
	}
	return ep.at(server), nil
}

// at returns e with the endpoints of TokenURL's server at another one. A login
// begins at the same place for everybody, so AuthURL and PARURL stay.
func (e *resolvedEndpoints) at(server string) *resolvedEndpoints {
	moved := *e
	to, _ := url.Parse(server) // New has checked it
	home := urls.OriginOf(e.TokenURL)
	for _, field := range []*string{
		&moved.TokenURL, &moved.RevocationURL, &moved.UserInfoURL, &moved.IntrospectionURL,
		&moved.EndSessionURL, &moved.JWKSURL,
	} {
		if u, err := url.Parse(*field); err == nil && urls.OriginOf(*field) == home {
			u.Scheme, u.Host = to.Scheme, to.Host
			*field = u.String()
		}
	}
	moved.token, _ = url.Parse(moved.TokenURL)
	moved.server = server
	return &moved
}

// keepServer makes the server of ep a member of a login's answer.
func keepServer(answer wire.Object, ep *resolvedEndpoints) {
	if ep.server != "" {
		answer[serverMember] = jsonString(ep.server)
	}
}
