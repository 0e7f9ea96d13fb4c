package try

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// addProvider adds the provider that the options describe.
func (o *options) addProvider(app *app, keys [][]byte, base *http.Transport) error {
	p, err := o.provider()
	if err != nil {
		return err
	}
	k, err := o.load()
	if err != nil {
		return err
	}
	config := authcode.Config{Provider: p, ClientID: o.clientID, CookieKeys: keys, Transport: base,
		Wrap: withUserAgent}
	s := signIn{
		title: "at " + host(p), place: "at " + host(p), hint: o.issuer, userinfoURL: o.userinfoURL,
		checked: o.issuer, byFlags: true,
	}
	if o.given["name"] {
		s.title, s.hint = "at "+o.name, host(p)
	}
	o.protect(&config, &s, k)
	return byFlag(app.add(config, s))
}

// provider returns the provider that the flags describe. It makes no request:
// the metadata is looked up at the first login.
func (o *options) provider() (authcode.Provider, error) {
	p := authcode.Provider{Issuer: o.issuer}
	if o.issuer != "" {
		var opts []oidc.Option
		if o.userinfo {
			opts = append(opts, oidc.UserInfo())
		}
		p = oidc.Provider(o.issuer, opts...)
	}
	// Endpoints that are given one by one take the place of the metadata. The
	// issuer is still compared with iss and with the ID token.
	if o.authURL != "" {
		p.Metadata = nil
		p.AuthURL, p.TokenURL, p.RevocationURL, p.PARURL = o.authURL, o.tokenURL, o.revocationURL,
			o.parURL
	} else if o.revocationURL != "" {
		p.Metadata = withRevocationURL(o.revocationURL, p.Metadata)
	}
	if o.algorithms != "" {
		p.Algorithms = strings.FieldsFunc(o.algorithms, func(r rune) bool { return r == ',' || r == ' ' })
	}
	p.Name, p.RawBasic, p.RequireIss, p.FormPost = o.name, o.rawBasic, o.requireIss, o.formPost
	if o.issuer == "" || o.given["scopes"] {
		p.Scopes = strings.Fields(o.scopes)
	}
	if !slices.Contains(p.Scopes, "openid") {
		// OpenID Connect Core section 3.1.2.1: without the scope there is no ID
		// token.
		p.Identity = nil
	}
	var err error
	if p.AuthStyle, err = o.style(); err != nil {
		return p, err
	}
	p.AuthParams, err = o.params()
	o.addSignInDemands(&p)
	return p, err
}

// withRevocationURL replaces the revocation endpoint in the provider's
// metadata.
func withRevocationURL(address string, load metadata) metadata {
	return func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
		found, err := load(ctx, conn)
		found.RevocationURL = address
		return found, err
	}
}

// metadata is the type of Provider.Metadata.
type metadata = func(context.Context, *authcode.Connection) (authcode.Endpoints, error)

// host returns the host at which the provider shows its sign-in page.
func host(p authcode.Provider) string {
	for _, address := range []string{p.AuthURL, p.Issuer} {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			return u.Host
		}
	}
	return "" // authcode.New will report the address
}

// style returns where the secret is sent, according to -auth-style. Zero leaves
// that to the provider's metadata.
func (o *options) style() (oauth2.AuthStyle, error) {
	secret := o.clientSecret != ""
	switch o.authStyle {
	case "":
		return 0, nil
	case "none":
		if secret {
			return 0, errors.New("-auth-style none contradicts -client-secret: drop one of them")
		}
		return 0, nil
	case "basic", "body":
		if !secret {
			return 0, fmt.Errorf("-auth-style %s needs a secret: set %s", o.authStyle,
				envName("client-secret"))
		}
		if o.authStyle == "body" {
			return oauth2.AuthStyleInParams, nil
		}
		return oauth2.AuthStyleInHeader, nil
	}
	return 0, fmt.Errorf("-auth-style is %q: want basic, body or none", o.authStyle)
}

// params returns the further parameters of every login.
func (o *options) params() (map[string]string, error) {
	query, err := url.ParseQuery(o.loginParams)
	if err != nil {
		return nil, errors.New("-login-params must be a query such as prompt=consent&audience=api")
	}
	params := make(map[string]string, len(query))
	for name, values := range query {
		if len(values) > 1 {
			// RFC 6749 section 3.1: parameters must not be repeated.
			return nil, fmt.Errorf("-login-params has %q more than once: drop one", name)
		}
		params[name] = values[0]
	}
	return params, nil
}

// providerTransport returns the transport for all providers. Headers and
// waiting times are bounded. It trusts the system's authorities and those in
// caFile.
func providerTransport(caFile string) (*http.Transport, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.ResponseHeaderTimeout = 10 * time.Second
	if caFile == "" {
		return transport, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("-ca-file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // this machine has no authorities of its own
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("-ca-file: there is no certificate in %s: name a PEM file", caFile)
	}
	transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	return transport, nil
}

// withUserAgent names this program in every request. Reddit and GitHub refuse
// or slow down programs that do not do so.
func withUserAgent(next http.RoundTripper) http.RoundTripper { return userAgent{next} }

type userAgent struct{ http.RoundTripper }

func (u userAgent) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "authcode-try")
	return u.RoundTripper.RoundTrip(r)
}
