package authcode

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"
)

// Revocation describes the request with which a provider revokes tokens that
// does not know RFC 7009. It goes to RevocationURL, for the access token alone.
// In the path of that URL, "{client_id}" stands for [Config.ClientID].
type Revocation struct {
	Method string // if empty, POST

	// Bearer sends the access token like a request to an API. If false, the
	// request has client authentication by HTTP Basic.
	Bearer bool

	Member string // has the access token, in an object in JSON; if empty, there is no body

	// Read says what an answer means, on many goroutines: that the token is
	// revoked, which needs a status of success, or that the provider does not
	// know it, which needs one below 500 and no redirect. If neither, Revoke
	// reports a refusal. If nil, the provider knows RFC 7009.
	Read func(status int, body []byte) (revoked, unknown bool) `json:"-"`
}

// faults lists what is wrong with r.
func (r *Revocation) faults() []string {
	switch {
	case r.Read == nil && (r.Method != "" || r.Bearer || r.Member != ""):
		return []string{"Provider.Revocation.Read is nil, so its other fields are not used: set it"}
	case strings.Trim(r.Method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "":
		return []string{"Provider.Revocation.Method is not an HTTP method: use one like DELETE"}
	}
	return nil
}

// Revoke revokes t's refresh token or, without one, its access token (RFC
// 7009), or by [Provider.Revocation] the access token. It takes ten seconds at
// most. Its error is an [*Error], with [Unsupported] if RevocationURL is empty:
// then nothing was revoked, and no later try will succeed.
func (c *Client) Revoke(ctx context.Context, t *oauth2.Token) error {
	if err := c.revoke(ctx, t); err != nil {
		return c.completeError(err)
	}
	return nil
}

// revoke is Revoke without completing the error.
func (c *Client) revoke(ctx context.Context, t *oauth2.Token) error {
	if t == nil || isBlank(t.RefreshToken) && isBlank(t.AccessToken) {
		return errorf(Malformed, "token.none", "there is no token to revoke: pass one that has an "+
			"access token or a refresh token")
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	ep, err := c.resolveFor(ctx, t)
	if err != nil {
		return err
	}
	// An app that signs a person out must learn that the token still works.
	if ep.RevocationURL == "" {
		return errorf(Unsupported, "revoke.endpoint", "there is no revocation endpoint: if the "+
			"provider has one, set RevocationURL in %s", c.cfg.Provider.endpointsPlace())
	}
	if c.cfg.Provider.Revocation.Read != nil {
		return c.revokeByOwn(ctx, ep, t)
	}
	// RFC 7009 section 2.1: revoking a refresh token also revokes the access
	// tokens of the same grant, if the server supports that. The reverse is not
	// certain.
	form := url.Values{"token": {t.AccessToken}, "token_type_hint": {"access_token"}}
	if !isBlank(t.RefreshToken) {
		form = url.Values{"token": {t.RefreshToken}, "token_type_hint": {"refresh_token"}}
	}
	req := c.newTokenRequest(ep, ep.RevocationURL, form)
	resp, sent, err := c.send(ctx, c.authTransport(), revocationRequest, req, "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return revocationError(ctx, resp, sent)
}

// revocationError returns nil if the provider accepted a revocation.
func revocationError(ctx context.Context, resp *http.Response, sent *TokenRequest) error {
	// RFC 7009 section 2.2: the status says everything, and the client ignores
	// the body. An unknown token is treated as revoked.
	if resp.StatusCode < 300 {
		return nil
	}
	// RFC 7009 section 2.2.1: a refusal has the form of RFC 6749 section 5.2.
	rep, err := readReply(ctx, revocationRequest, resp, sent)
	if err != nil {
		return err
	}
	obj, _ := rep.parse() // without an object, refusal goes by the status alone
	return rep.refusal(obj)
}

// revokeByOwn revokes t's access token by Provider.Revocation.
func (c *Client) revokeByOwn(
	ctx context.Context, ep *resolvedEndpoints, t *oauth2.Token,
) error {
	if isBlank(t.AccessToken) {
		return errorf(Malformed, "token.none", "this provider revokes access tokens only: "+
			"pass a token that has one")
	}
	own := &c.cfg.Provider.Revocation
	target := strings.ReplaceAll(ep.RevocationURL, "{client_id}", url.PathEscape(c.cfg.ClientID))
	// The form is not sent. It keeps the token out of what an error repeats.
	req := c.newTokenRequest(ep, target, url.Values{"token": {t.AccessToken}})
	resp, err := c.sendOwn(ctx, own, req, t)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	rep, err := readReply(ctx, revocationRequest, resp, req)
	if err != nil {
		return err
	}
	revoked, unknown := own.Read(rep.status, rep.body)
	isRedirect := rep.status >= 300 && rep.status < 400
	switch {
	case revoked && rep.isSuccess():
		return nil
	// RFC 7009 section 2.2: an unknown token is treated as revoked. But the
	// access token expires long before the refresh token, and only revoking an
	// access token that works ends the grant.
	case unknown && rep.status < 500 && !isRedirect && isBlank(t.RefreshToken):
		return nil
	case unknown && rep.status < 500 && !isRedirect:
		return errorf(GrantRejected, "revoke.unknown", "the provider does not know the access "+
			"token, but the refresh token may still work: refresh it, and revoke the new token")
	}
	obj, _ := rep.parse() // without an object, refusal goes by the status alone
	return rep.refusal(obj)
}

// sendOwn sends a provider's own request for revocation. The caller closes the
// body of the response.
func (c *Client) sendOwn(
	ctx context.Context, own *Revocation, req *TokenRequest, t *oauth2.Token,
) (*http.Response, error) {
	r, err := c.ownRevocation(ctx, own, req, t)
	if err != nil {
		return nil, err
	}
	// Neither follows a redirect, which would take token and secret elsewhere.
	var resp *http.Response
	if own.Bearer {
		resp, err = c.sendWithToken(r, t)
	} else {
		resp, err = roundTrip(c.authTransport(), r)
	}
	if err != nil || resp.StatusCode < 200 {
		return nil, unusableResponse(ctx, revocationRequest, resp, err)
	}
	return resp, nil
}

// ownRevocation makes a provider's own request for revocation.
func (c *Client) ownRevocation(
	ctx context.Context, own *Revocation, req *TokenRequest, t *oauth2.Token,
) (*http.Request, error) {
	var body string
	if own.Member != "" {
		b, _ := json.Marshal(map[string]string{own.Member: t.AccessToken}) // cannot fail
		body = string(b)
	}
	// New has checked the method, and resolve the URL.
	r, _ := http.NewRequestWithContext(ctx, cmp.Or(own.Method, http.MethodPost), req.URL,
		strings.NewReader(body))
	if !own.Bearer {
		req.Endpoints.AuthStyle = oauth2.AuthStyleInHeader
		if err := c.authenticate(ctx, req); err != nil {
			return nil, err
		}
		// Without credentials, GitHub answers as if the token were unknown.
		if req.Header.Get("Authorization") == "" {
			return nil, errorf(Configuration, "revoke.client_auth", "the provider revokes tokens "+
				"only for an app that authenticates by HTTP Basic, which Config.ClientAuth does not: "+
				"use authcode.Secret, or let the person revoke the access at the provider")
		}
		r.Header = req.Header
	}
	if r.Header.Set("Accept", "application/json"); body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}
