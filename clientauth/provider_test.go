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
		n := len(p.list)
		p.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/token":
			fmt.Fprintf(w, `{"access_token":"at-%d","token_type":%q,"expires_in":3600,"refresh_token":"rt-%d"}`, n, p.tokenType, n)
		case "/par":
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

// Load implements authcode.Metadata: it fetches something, by the client that it is given.
func (p *op) Load(ctx context.Context, client *http.Client) (authcode.Endpoints, error) {
	resp, err := client.Get(p.main.URL + "/.well-known/openid-configuration")
	if err != nil {
		return authcode.Endpoints{}, err
	}
	resp.Body.Close()
	return authcode.Endpoints{
		AuthURL: p.main.URL + "/authorize", TokenURL: p.main.URL + "/token", RevocationURL: p.main.URL + "/revoke", PARURL: p.main.URL + "/par",
		MTLS: authcode.Aliases{TokenURL: p.mtls.URL + "/token", RevocationURL: p.mtls.URL + "/revoke", PARURL: p.mtls.URL + "/par"},
	}, nil
}

// Identify implements authcode.Identifier: it fetches keys, and asks userinfo with the token.
func (p *op) Identify(ctx context.Context, a *authcode.Answer) (*authcode.Identity, error) {
	resp, err := a.HTTP.Get(p.main.URL + "/jwks")
	if err != nil {
		return nil, err
	}
	resp.Body.Close()
	r, err := http.NewRequestWithContext(ctx, "GET", p.main.URL+"/userinfo", nil)
	if err != nil {
		return nil, err
	}
	if resp, err = a.Do(r); err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var info struct{ Sub string }
	if err := json.NewDecoder(resp.Body).Decode(&info); err != nil {
		return nil, err
	}
	return &authcode.Identity{Issuer: p.main.URL, Subject: info.Sub}, nil
}

// client is a real Client of this provider.
func (p *op) client(t *testing.T, auth authcode.ClientAuth, binding authcode.Binding, messages authcode.Messages) *authcode.Client {
	t.Helper()
	c, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{Name: "op", Issuer: p.main.URL, Metadata: p, Identity: p, Scopes: []string{"a"}},
		ClientID: clientID, ClientAuth: auth, Binding: binding, Messages: messages, RedirectURL: "https://app.example/callback",
		CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}, HTTPClient: &http.Client{Transport: trusting()},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// login signs somebody in, and returns the URL that the browser was sent to.
func (p *op) login(t *testing.T, c *authcode.Client, opts ...authcode.AuthOption) (*authcode.Login, *url.URL) {
	t.Helper()
	w := httptest.NewRecorder()
	target, err := c.AuthCodeURL(w, httptest.NewRequest("GET", "https://app.example/login", nil), opts...)
	if err != nil {
		t.Fatal(err)
	}
	u := must(url.Parse(target))
	// The state is in the cookie's name and in the request, wherever that is.
	state := u.Query().Get("state")
	if state == "" {
		state = p.pushedState(t, u)
	}
	r := httptest.NewRequest("GET", "https://app.example/callback?"+url.Values{"code": {"c"}, "state": {state}, "iss": {p.main.URL}}.Encode(), nil)
	for _, cookie := range w.Result().Cookies() {
		r.AddCookie(cookie)
	}
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

// tagged is a Binding like package dpop's: it marks what it sees, and sends API requests by base.
type tagged struct{}

func (tagged) Begin(context.Context) (string, url.Values, error) { return "k", nil, nil }

func (tagged) Prove(_ context.Context, req *authcode.BackChannelRequest) error {
	req.Header.Set("DPoP", "proof")
	return nil
}

func (tagged) Answered(*authcode.BackChannelRequest, *http.Response) bool { return false }

func (tagged) TokenType() string { return "DPoP" }

func (tagged) RoundTrip(base http.RoundTripper, r *http.Request, token *oauth2.Token, _ string) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "DPoP "+token.AccessToken)
	return base.RoundTrip(r)
}
