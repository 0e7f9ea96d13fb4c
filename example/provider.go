package main

import (
	"context"
	"crypto/rand"
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
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
)

// addProvider adds the provider that the options describe.
func (o *options) addProvider(app *app, keys [][]byte, client *http.Client) error {
	p, err := o.provider()
	if err != nil {
		return err
	}
	return app.add(authcode.Config{
		Provider:   p,
		ClientID:   o.clientID,
		ClientAuth: o.clientAuth(),
		CookieKeys: keys,
		HTTPClient: client,
	}, signIn{title: o.name, hint: host(p), userinfoURL: o.userinfoURL})
}

// provider describes the provider. Nothing is looked up before the first login.
func (o *options) provider() (authcode.Provider, error) {
	p := authcode.Provider{Issuer: o.issuer}
	if o.issuer != "" {
		var opts []oidc.Option
		if o.userinfo {
			opts = append(opts, oidc.UserInfo())
		}
		p = oidc.Provider(o.issuer, opts...)
	}
	if o.authURL != "" {
		p.Metadata = nil
		p.AuthURL, p.TokenURL, p.RevocationURL = o.authURL, o.tokenURL, o.revocationURL
	} else if o.revocationURL != "" {
		p.Metadata = revocation{p.Metadata, o.revocationURL}
	}
	p.Name, p.RawBasic, p.RequireIss, p.FormPost = o.name, o.rawBasic, o.requireIss, o.formPost
	if o.issuer == "" || o.given["scopes"] {
		p.Scopes = strings.Fields(o.scopes)
	}
	if !slices.Contains(p.Scopes, "openid") {
		p.Identity = nil // OpenID Connect Core section 3.1.2.1: without it there is no ID token
	}
	var err error
	if p.AuthStyle, err = o.style(); err != nil {
		return p, err
	}
	p.AuthParams, err = o.params()
	return p, err
}

// revocation replaces the revocation endpoint of the provider's metadata.
type revocation struct {
	authcode.Metadata
	url string
}

func (r revocation) Load(ctx context.Context, client *http.Client) (authcode.Endpoints, error) {
	found, err := r.Metadata.Load(ctx, client)
	found.RevocationURL = r.url
	return found, err
}

// host is where the provider shows its sign-in page.
func host(p authcode.Provider) string {
	for _, address := range []string{p.AuthURL, p.Issuer} {
		if u, err := url.Parse(address); err == nil && u.Host != "" {
			return u.Host
		}
	}
	return "" // package authcode refuses it, or the issuer has a placeholder
}

// addDemo starts the embedded provider and adds it. People see its page and decide there.
func addDemo(app *app, keys [][]byte) (*authtest.Server, error) {
	server := authtest.NewServer()
	server.SetConsent(authtest.Ask)
	config := server.Register(authtest.ClientRegistration{
		ID:                     "example",
		Secret:                 rand.Text(),
		RedirectURIs:           []string{redirectURL(app.base, demoName)},
		PostLogoutRedirectURIs: []string{signedOutURL(app.base, demoName)},
		Name:                   "authcode example",
	})
	config.Provider = oidc.Provider(server.URL)
	config.Provider.Name = demoName
	config.CookieKeys = keys
	err := app.add(config, signIn{title: demoName, hint: "a test server inside this program"})
	if err != nil {
		server.Close()
		return nil, err
	}
	return server, nil
}

// style is the client authentication that -auth-style and -client-secret ask for. Zero leaves
// it to the provider's metadata.
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
	return 0, fmt.Errorf("-auth-style is %q, want basic, body or none", o.authStyle)
}

func (o *options) clientAuth() authcode.ClientAuth {
	if o.clientSecret == "" {
		return authcode.Public()
	}
	return authcode.Secret(o.clientSecret)
}

// params are the further parameters of every login.
func (o *options) params() (map[string]string, error) {
	query, err := url.ParseQuery(o.loginParams)
	if err != nil {
		return nil, errors.New("-login-params is not a query such as prompt=consent&audience=api")
	}
	params := make(map[string]string, len(query))
	for name, values := range query {
		if len(values) > 1 {
			return nil, fmt.Errorf("-login-params has %q more than once", name)
		}
		params[name] = values[0]
	}
	return params, nil
}

// providerClient is the HTTP client for all providers: no redirects, bounded headers and
// waiting times, and the system's CAs plus those of caFile.
func providerClient(caFile string) (*http.Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = 64 << 10
	transport.ResponseHeaderTimeout = 10 * time.Second
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("-ca-file: %w", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a machine without CAs of its own
		}
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("-ca-file: no certificate in %s", caFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return &http.Client{
		Transport: named{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}, nil
}

// named says who asks. Reddit and GitHub refuse or slow down programs that do not.
type named struct{ http.RoundTripper }

func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", "authcode-example")
	return n.RoundTripper.RoundTrip(r)
}
