package dpop_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// world is an authorization server and a resource server on one origin, which check every proof.
type world struct {
	*httptest.Server
	as, rs *party

	tokenType string // of token answers; empty: DPoP
	public    bool   // refresh tokens are bound to the key too

	mu    sync.Mutex
	seen  map[string]bool   // every jti
	bound map[string]string // code, request_uri and tokens, each with the thumbprint of its key
	state string            // of the last pushed request
	count int
}

// party is one of the two roles, with its rules about nonces.
type party struct {
	demand string // the nonce that a proof has to have; empty: none
	rotate bool   // every answer brings the nonce that the next proof has to have
	never  bool   // refuses every nonce, and brings another
	hide   bool   // demands a nonce that it does not name
	extra  func(http.Header)

	proofs []*proof
	bodies []string
	faults []string
}

func newWorld(t testing.TB) *world {
	w := &world{as: new(party), rs: new(party), seen: make(map[string]bool), bound: make(map[string]string)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /par", w.serveAS)
	mux.HandleFunc("POST /token", w.serveAS)
	mux.HandleFunc("/api/", w.serveRS)
	w.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		w.Close()
		for _, fault := range append(w.as.faults, w.rs.faults...) {
			t.Error(fault)
		}
	})
	return w
}

// nonceFor decides about a proof's nonce, and returns the one to name, if any. The caller holds w.mu.
func (w *world) nonceFor(p *party, got string) (name string, ok bool) {
	ok = got == p.demand && !p.never
	if p.rotate || p.never {
		w.count++
		p.demand = fmt.Sprintf("nonce-%d", w.count)
		return p.demand, ok
	}
	if p.hide {
		return "", ok
	}
	return p.demand, ok
}

// check verifies the request's proof as party p has to. The caller holds w.mu.
func (w *world) check(p *party, rw http.ResponseWriter, r *http.Request, token string) (jkt, refused string) {
	proof, fault := verifyProof(r, token)
	if fault == "" && w.seen[proof.ID] {
		fault = "the jti was seen before"
	}
	if fault != "" {
		p.faults = append(p.faults, r.Method+" "+r.URL.Path+": "+fault)
		return "", "invalid_dpop_proof"
	}
	w.seen[proof.ID] = true
	p.proofs = append(p.proofs, proof)
	name, ok := w.nonceFor(p, proof.Nonce)
	if name != "" {
		rw.Header().Set("DPoP-Nonce", name)
	}
	if p.extra != nil {
		p.extra(rw.Header())
	}
	if !ok {
		return "", "use_dpop_nonce"
	}
	return proof.thumbprint, ""
}

func (w *world) serveAS(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.ParseForm()
	jkt, refused := w.check(w.as, rw, r, "")
	rw.Header().Set("Content-Type", "application/json")
	grant := r.PostForm.Get("code") + r.PostForm.Get("refresh_token")
	switch want, issued := w.bound[grant]; {
	case refused != "":
	case r.URL.Path == "/par":
		if refused = "invalid_dpop_proof"; r.PostForm.Get("dpop_jkt") == jkt {
			w.bound["c0de"], w.state = jkt, r.PostForm.Get("state")
			rw.WriteHeader(201)
			io.WriteString(rw, `{"request_uri":"urn:x","expires_in":60}`)
			return
		}
	case !issued, want != "" && want != jkt && (w.public || grant == "c0de"): // RFC 9449 section 10: "" is bound to no key
		refused = "invalid_grant"
	}
	if refused != "" {
		rw.WriteHeader(400)
		fmt.Fprintf(rw, `{"error":%q}`, refused)
		return
	}
	w.count++
	at, rt := fmt.Sprintf("at-%d", w.count), fmt.Sprintf("rt-%d", w.count)
	w.bound[at], w.bound[rt] = jkt, jkt
	kind := "DPoP"
	if w.tokenType != "" {
		kind = w.tokenType
	}
	fmt.Fprintf(rw, `{"access_token":%q,"refresh_token":%q,"token_type":%q,"expires_in":3600}`, at, rt, kind)
}

func (w *world) serveRS(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	w.rs.bodies = append(w.rs.bodies, string(body))
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "DPoP ")
	if !ok || len(r.Header.Values("Authorization")) != 1 {
		w.rs.faults = append(w.rs.faults, "Authorization is not exactly one of scheme DPoP")
	}
	jkt, refused := w.check(w.rs, rw, r, token)
	if refused == "" && (jkt == "" || w.bound[token] != jkt) {
		refused = "invalid_token"
	}
	if refused != "" {
		rw.Header().Add("WWW-Authenticate", `Bearer realm="DPoP error=\"use_dpop_nonce\""`)
		rw.Header().Add("WWW-Authenticate", `dpop realm="a, b", error="`+refused+`", algs="ES256 PS256"`)
		rw.WriteHeader(401)
		return
	}
	fmt.Fprintf(rw, "hello %s", body)
}

// config is that of a client of w.
func (w *world) config(b authcode.Binding) authcode.Config {
	return authcode.Config{
		Provider: authcode.Provider{Name: "x", Endpoints: authcode.Endpoints{AuthURL: w.URL + "/authorize", TokenURL: w.URL + "/token"}},
		ClientID: "client", ClientAuth: authcode.Secret("s3cret"), RedirectURL: "http://localhost/callback",
		CookieKeys: [][]byte{randomBytes(32)}, Binding: b,
	}
}

func (w *world) client(t testing.TB, b authcode.Binding, changes ...func(*authcode.Config)) *authcode.Client {
	t.Helper()
	cfg := w.config(b)
	for _, change := range changes {
		change(&cfg)
	}
	c, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pushing(cfg *authcode.Config) {
	cfg.Provider.PARURL = strings.Replace(cfg.Provider.TokenURL, "/token", "/par", 1)
}

// begin starts a login, as far as the callback request.
func (w *world) begin(t testing.TB, c *authcode.Client) (*http.Request, error) {
	t.Helper()
	rec := httptest.NewRecorder()
	target, err := c.AuthCodeURL(rec, httptest.NewRequest("GET", "http://localhost/login", nil))
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	w.mu.Lock()
	defer w.mu.Unlock()
	if query.Has("request_uri") {
		query.Set("state", w.state)
	} else {
		w.bound["c0de"] = query.Get("dpop_jkt")
	}
	r := httptest.NewRequest("GET", "http://localhost/callback?code=c0de&state="+query.Get("state"), nil)
	for _, cookie := range rec.Result().Cookies() {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	return r, nil
}

func (w *world) login(t testing.TB, c *authcode.Client) (*oauth2.Token, error) {
	t.Helper()
	r, err := w.begin(t, c)
	if err != nil {
		return nil, err
	}
	login, err := c.Exchange(httptest.NewRecorder(), r)
	if err != nil {
		return nil, err
	}
	return login.Token, nil
}

func (w *world) mustLogin(t testing.TB, c *authcode.Client) *oauth2.Token {
	t.Helper()
	token, err := w.login(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// api is an HTTP client with the token.
func (w *world) api(t testing.TB, c *authcode.Client, token *oauth2.Token) *http.Client {
	t.Helper()
	api, err := c.TokenSource(token, nil).APIClient(w.URL)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// wantAnswer reads resp to its end and compares it.
func wantAnswer(t testing.TB, resp *http.Response, err error, status int, body string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if resp.StatusCode != status || string(got) != body || err != nil {
		t.Errorf("got %d %q, %v, want %d %q", resp.StatusCode, got, err, status, body)
	}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// bearer is a valid token, bound to nothing that this test's server knows.
func bearer(access string) *oauth2.Token {
	return &oauth2.Token{AccessToken: access, TokenType: "DPoP", Expiry: time.Now().Add(time.Hour)}
}
