package clientauth_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"golang.org/x/oauth2"
)

// seen is a request to the test's provider.
type seen struct {
	host   string // main, mtls or api
	path   string
	header http.Header
	form   url.Values
	cert   string // thumbprint; "": none was shown
}

// op is a provider with two hosts, as RFC 8705 section 5 has them, and an API. All of them ask for a client
// certificate, and all but the alias host do without: a certificate that strays is seen.
type op struct {
	main, mtls, api *httptest.Server
	tokenType       string
	demand          bool // refuses the first pushed request for want of a nonce

	mu   sync.Mutex
	list []seen
}

func newOP(t *testing.T) *op {
	p := &op{tokenType: "Bearer"}
	require := func(s *httptest.Server) { s.TLS.ClientAuth = tls.RequireAnyClientCert }
	p.main, p.mtls, p.api = newTLS(t, p.on("main")), newTLS(t, p.on("mtls"), require), newTLS(t, p.on("api"))
	return p
}

func (p *op) on(host string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := seen{host: host, path: r.URL.Path, header: r.Header}
		body, _ := io.ReadAll(r.Body)
		s.form, _ = url.ParseQuery(string(body))
		if len(r.TLS.PeerCertificates) > 0 {
			s.cert = clientauth.Thumbprint(tls.Certificate{Certificate: [][]byte{r.TLS.PeerCertificates[0].Raw}})
		}
		p.mu.Lock()
		p.list = append(p.list, s)
		n, demand := len(p.list), p.demand && r.URL.Path == "/par"
		p.demand = p.demand && !demand
		p.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/token":
			fmt.Fprintf(w, `{"access_token":"at-%d","token_type":%q,"expires_in":3600,"refresh_token":"rt-%d"}`, n, p.tokenType, n)
		case "/par":
			if demand {
				w.Header().Set("DPoP-Nonce", "n")
				w.WriteHeader(http.StatusBadRequest)
				io.WriteString(w, `{"error":"use_dpop_nonce"}`)
				return
			}
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"request_uri":"urn:ietf:params:oauth:request_uri:%d","expires_in":60}`, n)
		case "/userinfo":
			io.WriteString(w, `{"sub":"alice"}`)
		}
	})
}

// requests returns and forgets what was seen.
func (p *op) requests() []seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.list
	p.list = nil
	return list
}

func (p *op) endpoints(host string) authcode.Endpoints {
	return authcode.Endpoints{
		TokenURL: host + "/token", RevocationURL: host + "/revoke", PARURL: host + "/par",
		UserInfoURL: host + "/userinfo", IntrospectionURL: host + "/introspect",
	}
}

// metadata is Provider.Metadata: it fetches something, by the transport that it is given.
func (p *op) metadata(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
	if err := get(ctx, conn.Transport, p.main.URL+"/.well-known/openid-configuration"); err != nil {
		return authcode.Endpoints{}, err
	}
	e, aliases := p.endpoints(p.main.URL), p.endpoints(p.mtls.URL)
	e.AuthURL, e.MTLS = p.main.URL+"/authorize", &aliases
	return e, nil
}

func get(ctx context.Context, rt http.RoundTripper, target string) error {
	r, err := http.NewRequestWithContext(ctx, "GET", target, nil)
	if err != nil {
		return err
	}
	resp, err := rt.RoundTrip(r)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// identity is Provider.Identity: it fetches keys, and asks userinfo with the token.
func (p *op) identity(ctx context.Context, answer *authcode.TokenResponse) (*authcode.Identity, error) {
	if answer.Previous != nil {
		return nil, nil
	}
	if err := get(ctx, answer.Transport, p.main.URL+"/jwks"); err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, "GET", answer.Endpoints.UserInfoURL, nil)
	if err != nil {
		return nil, err
	}
	resp, err := answer.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var info struct{ Sub string }
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil {
		return nil, err
	}
	return &authcode.Identity{Issuer: p.main.URL, Subject: info.Sub}, nil
}

// config is that of a Client of this provider.
func (p *op) config(auth authcode.ClientAuth) authcode.Config {
	return authcode.Config{
		Provider: authcode.Provider{Name: "op", Issuer: p.main.URL, Metadata: p.metadata, Identity: p.identity, Scopes: []string{"a"}},
		ClientID: clientID, ClientAuth: auth, RedirectURL: "https://app.example/callback",
		CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}, Transport: trusting(),
	}
}

// client is a Client of this provider.
func (p *op) client(t *testing.T, auth authcode.ClientAuth, change ...func(*authcode.Config)) *authcode.Client {
	t.Helper()
	cfg := p.config(auth)
	for _, f := range change {
		f(&cfg)
	}
	c, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refreshToken is a token that can be refreshed.
func refreshToken() *oauth2.Token { return &oauth2.Token{RefreshToken: "r"} }

// begin starts a login, and returns the URL that the browser was sent to and the state.
func (p *op) begin(t *testing.T, c *authcode.Client, opts ...authcode.AuthOption) (u *url.URL, state string, cookies []*http.Cookie) {
	t.Helper()
	w := httptest.NewRecorder()
	target, err := c.AuthCodeURL(w, httptest.NewRequest("GET", "https://app.example/login", nil), opts...)
	if err != nil {
		t.Fatal(err)
	}
	u = must(url.Parse(target))
	// The state is in the cookie's name and in the request, wherever that is.
	if state = u.Query().Get("state"); state == "" {
		state = p.pushedState(t, u)
	}
	return u, state, w.Result().Cookies()
}

// callback is the request that finishes a login.
func callback(cookies []*http.Cookie, query url.Values) *http.Request {
	r := httptest.NewRequest("GET", "https://app.example/callback?"+query.Encode(), nil)
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	return r
}

// login signs somebody in, and returns the URL that the browser was sent to.
func (p *op) login(t *testing.T, c *authcode.Client, opts ...authcode.AuthOption) (*authcode.Login, *url.URL) {
	t.Helper()
	u, state, cookies := p.begin(t, c, opts...)
	r := callback(cookies, url.Values{"code": {"c"}, "state": {state}, "iss": {p.main.URL}})
	login, err := c.Exchange(httptest.NewRecorder(), r)
	if err != nil {
		t.Fatal(err)
	}
	return login, u
}

// pushedState is the state in the request that was pushed, or in the request object.
func (p *op) pushedState(t *testing.T, u *url.URL) string {
	t.Helper()
	object := u.Query().Get("request")
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.list {
		if s.path == "/par" && s.form.Has("state") {
			return s.form.Get("state")
		} else if s.path == "/par" {
			object = s.form.Get("request")
		}
	}
	if strings.Count(object, ".") != 2 {
		t.Fatalf("no state in %s", u)
	}
	state, _ := members(t, object, 1)["state"].(string)
	return state
}

// proof is a DPoP proof that no key has signed: the header is
// {"typ":"dpop+jwt","alg":"ES256"}, the claims are {}.
const proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2In0.e30.c2ln"

// tagged is a Binding like package dpop's: it marks what it sees.
func tagged() authcode.Binding {
	return authcode.Binding{
		TokenType: "DPoP",
		Begin:     func(context.Context) (string, url.Values, error) { return "k", nil, nil },
		Transport: func(_ *authcode.Connection, base http.RoundTripper, _ string) (http.RoundTripper, error) {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				r = r.Clone(r.Context())
				r.Header.Set("DPoP", proof)
				return base.RoundTrip(r)
			}), nil
		},
	}
}

// roundTrip is a function as a RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
