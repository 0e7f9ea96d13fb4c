package test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// certified is an app with a certificate. The two ways to its provider end at
// two providers in memory: the plain one, and the one that shows the
// certificate.
func certified(plain, certified *world.Provider) func(*config) {
	cert := authserver.SelfSigned("client")
	return func(c *config) {
		c.Certificate = func(context.Context) (*tls.Certificate, error) { return &cert, nil }
		c.ClientAuth = authcode.Public()
		c.ClientAuth.Method = "tls_client_auth"
		ways := []*world.Provider{plain, certified}
		c.Wrap = func(http.RoundTripper) http.RoundTripper {
			next := ways[0]
			ways = ways[1:]
			return world.RoundTrip(next.RoundTrip)
		}
	}
}

const mtls = "https://mtls.provider.example/"

// allAliases are a provider's endpoints for clients with a certificate.
var allAliases = authcode.Endpoints{
	TokenURL: mtls + "token", PARURL: mtls + "par", RevocationURL: mtls + "revoke",
	UserInfoURL: mtls + "me", IntrospectionURL: mtls + "introspect",
}

// aliases are those that a provider has, and where an app with a certificate
// sends its five requests: push, code, revocation, introspection and userinfo.
var aliases = []struct {
	claim   string
	aliases *authcode.Endpoints
	bound   bool // tokens to the certificate
	want    []string
}{
	{"all", &allAliases, false, []string{mtls + "par", mtls + "token", mtls + "revoke",
		mtls + "introspect", world.Issuer + "/me"}},
	{"all, and bound", &allAliases, true, []string{mtls + "par", mtls + "token", mtls + "revoke",
		mtls + "introspect", mtls + "me"}},
	{"some", &authcode.Endpoints{TokenURL: mtls + "token"}, false, []string{world.PARURL,
		mtls + "token", world.RevocationURL, world.Issuer + "/introspect", world.Issuer + "/me"}},
	{"none", &authcode.Endpoints{}, false, plainURLs},
	{"no list of them", nil, true, plainURLs},
}

var plainURLs = []string{
	world.PARURL, world.TokenURL, world.RevocationURL, world.Issuer + "/introspect",
	world.Issuer + "/me",
}

// TestAliases: an app with a certificate shows it with all requests with client
// authentication, at the aliases where there are any (RFC 8705 section 5), and
// with nothing else.
func TestAliases(t *testing.T) {
	for _, row := range aliases {
		t.Run(row.claim, func(t *testing.T) {
			found := world.Endpoints()
			found.PARURL, found.UserInfoURL = world.PARURL, world.Issuer+"/me"
			found.IntrospectionURL, found.MTLS = world.Issuer+"/introspect", row.aliases
			own, common := &world.Provider{}, &world.Provider{}
			own.On("/par", world.Always(201, world.Pushed))
			c := world.Client(t, common, certified(common, own), func(c *config) {
				c.Provider.Metadata, c.Binding.Certificate = world.Finds(found), row.bound
			})
			l := world.Begin(t, c, nil)
			l.Query = url.Values{"state": own.Requests()[0].Form["state"]}
			token := l.Finish(t, c).Token
			got := append(called(t, c, own, token), userInfoURL(t, c))
			if !slices.Equal(got, row.want) || !strings.HasPrefix(l.URL, world.AuthURL) {
				t.Errorf("called %q, sent the browser to %s", got, l.URL)
			}
			common.WantRequests(t, 0)
			if _, err := apiClient(t, c, token, apiURL).Get(apiURL + "/x"); err != nil {
				t.Fatal(err)
			}
			if shown := len(own.Requests()) == 5; shown != row.bound {
				t.Errorf("the API was shown the certificate: %v", shown)
			}
		})
	}
}

// called revokes and introspects, and returns where all requests went that
// showed the certificate.
func called(t *testing.T, c *authcode.Client, own *world.Provider, token *oauth2.Token) (
	urls []string) {
	t.Helper()
	if err := c.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	conn, err := c.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.PostForm(t.Context(), conn.Endpoints.IntrospectionURL, "application/json",
		url.Values{"token": {"t"}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for _, r := range own.Requests() {
		urls = append(urls, r.URL.String())
	}
	return urls
}

func userInfoURL(t *testing.T, c *authcode.Client) string {
	t.Helper()
	conn, err := c.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return conn.Endpoints.UserInfoURL
}

// overHTTP gives each endpoint a URL without TLS.
var overHTTP = map[string]func(*authcode.Provider){
	"PARURL": func(p *authcode.Provider) { p.PARURL = "http://provider.example/par" },
	"MTLS.PARURL": func(p *authcode.Provider) {
		p.MTLS = &authcode.Endpoints{PARURL: "http://mtls.example/par"}
	},
	"MTLS.UserInfoURL": func(p *authcode.Provider) {
		p.MTLS = &authcode.Endpoints{UserInfoURL: "http://mtls.example/me"}
	},
	"UserInfoURL": func(p *authcode.Provider) { p.UserInfoURL = "http://provider.example/me" },
	"IntrospectionURL": func(p *authcode.Provider) {
		p.IntrospectionURL = "http://provider.example/i"
	},
	"EndSessionURL": func(p *authcode.Provider) { p.EndSessionURL = "http://provider.example/o" },
	"JWKSURL":       func(p *authcode.Provider) { p.JWKSURL = "http://provider.example/k" },
}

func TestEndpointsNeedTLS(t *testing.T) {
	for field, change := range overHTTP {
		_, err := authcode.New(world.Config(&world.Provider{}, func(c *config) {
			change(&c.Provider)
		}))
		if err == nil || !strings.Contains(err.Error(), "Provider."+field+" must be https") {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// TestPostForm: credentials go to the provider's own endpoints alone.
func TestPostForm(t *testing.T) {
	p := &world.Provider{}
	c := world.Client(t, p)
	for _, endpoint := range []string{"", world.AuthURL, world.Issuer + "/me", world.TokenURL + "/",
		"https://evil.example/token"} {
		_, err := c.PostForm(t.Context(), endpoint, "application/json", url.Values{})
		world.WantError(t, err, authcode.Configuration, "endpoint")
	}
	p.WantRequests(t, 0)
	form := url.Values{"token": {"t"}}
	resp, err := c.PostForm(t.Context(), world.RevocationURL, "application/x", form)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	r := p.Requests()[0]
	_, secret, _ := r.BasicAuth()
	if secret != world.ClientSecret || r.Form.Get("token") != "t" ||
		r.Header.Get("Accept") != "application/x" || len(form) != 1 {
		t.Errorf("sent %v and %v", r.Header, r.Form)
	}
}

// certificateFaults are configurations with a certificate, and what New says.
var certificateFaults = []struct {
	claim  string
	change func(*config)
	says   string // empty: New accepts it
}{
	{"a credential that is not there", func(c *config) { c.Certificate = nil },
		"Config.Certificate is nil, but it is the credential"},
	{"a binding to nothing", func(c *config) {
		c.Certificate, c.ClientAuth, c.Binding.Certificate = nil, authcode.Public(), true
	}, "Config.Certificate is nil, but Config.Binding"},
	{"a certificate for nobody", func(c *config) { c.ClientAuth = authcode.Public() },
		"Config.Certificate is used for nothing"},
	{"no certificate", func(c *config) {
		c.Certificate = func(context.Context) (*tls.Certificate, error) { return nil, nil }
	}, "Config.Certificate: there is no certificate"},
	{"a transport that verifies nothing", func(c *config) {
		c.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	}, "Config.Transport has InsecureSkipVerify"},
	{"a certificate to wait for", func(c *config) { c.Certificate = slowCertificate }, ""},
}

// slowCertificate is one that New must not wait for: the context is over.
func slowCertificate(ctx context.Context) (*tls.Certificate, error) {
	if ctx.Err() == nil {
		panic("New waits for the certificate")
	}
	return nil, ctx.Err()
}

// TestCertificateFaults: New checks a certificate that it need not wait for,
// the transport that is to show it, and who wants it.
func TestCertificateFaults(t *testing.T) {
	for _, row := range certificateFaults {
		t.Run(row.claim, func(t *testing.T) {
			_, err := authcode.New(world.Config(&world.Provider{},
				certified(&world.Provider{}, &world.Provider{}), row.change))
			if row.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := world.WantError(t, err, authcode.Configuration, "config")
			if !strings.Contains(e.Error(), row.says) {
				t.Errorf("%q does not say %q", e, row.says)
			}
		})
	}
}

// TestEndpointsThatMove: each request goes to where the metadata says now,
// whichever endpoint has moved.
func TestEndpointsThatMove(t *testing.T) {
	where := world.Endpoints()
	p := &world.Provider{}
	c := world.Client(t, p, world.LookedUp(
		func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
			return where, nil
		}))
	world.Begin(t, c, nil).Finish(t, c)
	where.TokenURL += "/2"
	token := world.Begin(t, c, nil).Finish(t, c).Token
	where.RevocationURL += "/3"
	if err := c.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.Requests() {
		got = append(got, r.URL.String())
	}
	want := []string{world.TokenURL, world.TokenURL + "/2", world.RevocationURL + "/3"}
	if !slices.Equal(got, want) {
		t.Errorf("called %q, want %q", got, want)
	}
}
