package authcode_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// world is an app over TLS, an authorization server that can misbehave, and a record of
// everything that the app lets out, which is searched for secrets when the test ends.
type world struct {
	t      *testing.T
	srv    *authserver.Server
	app    *httptest.Server
	cfg    authcode.Config
	client *authcode.Client

	quiet bool // keep no transcript: for thousands of logins, whose secrets take minutes to search for

	mu         sync.Mutex
	handler    http.Handler
	logins     []*authcode.Login
	errors     []*authcode.Error
	transcript bytes.Buffer
	secrets    []string // beyond those that the server gave out
}

const canarySecret = "canary-client-secret-7f3a"

// newWorld starts an app with one provider. change may alter the configuration.
func newWorld(t *testing.T, change ...func(*authcode.Config)) *world {
	t.Helper()
	w := &world{t: t, srv: authserver.NewServer()}
	t.Cleanup(w.srv.Close)
	w.app = httptest.NewTLSServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.app.Close)
	w.cfg = w.srv.Register(authserver.ClientRegistration{
		ID: "canary-client", Secret: canarySecret, RedirectURIs: []string{w.app.URL + "/callback"},
	})
	w.configure(change...)
	t.Cleanup(w.assertNoSecret)
	return w
}

// configure puts the app behind a new Client: a restart.
func (w *world) configure(change ...func(*authcode.Config)) {
	w.t.Helper()
	w.cfg.LoginURL, w.cfg.HomeURL, w.cfg.OnError = "/login", "/home", w.onError
	for _, f := range change {
		f(&w.cfg)
	}
	client, err := authcode.New(w.cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.client = client
	w.use(w.handlerFor(client))
	w.dump(w.cfg, &w.cfg, client, *client)
}

// handlerFor is the app: sign in, come back, and a page that says who is signed in.
func (w *world) handlerFor(client *authcode.Client) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/login", client.LoginHandler(authcode.ReturnToParam("next"), authcode.Value("cart", "42")))
	mux.Handle("/callback", client.CallbackHandler(http.HandlerFunc(w.welcome)))
	mux.HandleFunc("/home", func(rw http.ResponseWriter, r *http.Request) {
		if _, err := r.Cookie("session"); err != nil {
			http.Error(rw, "nobody", http.StatusUnauthorized)
			return
		}
		io.WriteString(rw, "signed in")
	})
	return mux
}

func (w *world) use(h http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = h
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	h := w.handler
	w.mu.Unlock()
	h.ServeHTTP(rw, r)
}

func (w *world) welcome(rw http.ResponseWriter, r *http.Request) {
	login, ok := authcode.FromContext(r.Context())
	if !ok {
		w.t.Error("CallbackHandler called the app without a login")
		return
	}
	w.mu.Lock()
	w.logins = append(w.logins, login)
	w.mu.Unlock()
	w.dump(login, *login)
	http.SetCookie(rw, &http.Cookie{Name: "session", Value: "1", Path: "/", Secure: true, HttpOnly: true})
	login.Redirect(rw, r)
}

func (w *world) onError(rw http.ResponseWriter, r *http.Request, err *authcode.Error) {
	w.mu.Lock()
	w.errors = append(w.errors, err)
	w.mu.Unlock()
	w.dump(err, *err, fmt.Errorf("app: %w", err))
	authcode.ErrorPage(rw, r, err)
}

// dump prints values in every way that apps print them.
func (w *world) dump(values ...any) {
	if w.quiet {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	text := slog.New(slog.NewTextHandler(&w.transcript, nil))
	js := slog.New(slog.NewJSONHandler(&w.transcript, nil))
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x"} {
			fmt.Fprintf(&w.transcript, verb+"\n"+verb+"\n"+verb+"\n", v, []any{v}, map[string]any{"v": v})
		}
		json.NewEncoder(&w.transcript).Encode(v)
		text.Info("dump", "v", v)
		js.Info("dump", "v", v)
	}
}

func (w *world) loginCount() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.logins)
}

func (w *world) lastLogin() *authcode.Login {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.logins) == 0 {
		w.t.Fatal("nobody signed in")
	}
	return w.logins[len(w.logins)-1]
}

func (w *world) lastError() *authcode.Error {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.errors) == 0 {
		w.t.Fatal("no error reached OnError")
	}
	return w.errors[len(w.errors)-1]
}

// assertNoSecret searches all that the app let out for every secret of the test.
func (w *world) assertNoSecret() {
	secrets := append([]string{canarySecret}, w.secrets...)
	for _, key := range w.cfg.CookieKeys {
		secrets = append(secrets, string(key))
	}
	secrets = append(secrets, w.srv.Issued()...)
	for _, r := range w.srv.Requests() {
		for _, name := range []string{"code_verifier", "state", "code", "client_secret"} {
			secrets = append(secrets, r.Form.Get(name))
		}
		secrets = append(secrets, strings.TrimPrefix(r.Header.Get("Authorization"), "Basic "))
	}
	slices.Sort(secrets)
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.transcript.String()
	for _, s := range slices.Compact(secrets) {
		for _, form := range encodings(s) {
			if len(s) >= 8 && strings.Contains(out, form) {
				at := strings.Index(out, form)
				w.t.Errorf("a secret got out: …%s…", out[max(0, at-120):min(len(out), at+len(form)+20)])
			}
		}
	}
}

func encodings(s string) []string {
	b := []byte(s)
	return []string{
		s, url.QueryEscape(s), url.PathEscape(s), fmt.Sprint(b), fmt.Sprintf("%x", b), hex.EncodeToString(b),
		base64.StdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b), strings.Trim(fmt.Sprintf("%q", s), `"`),
	}
}

// browser is a person's browser with its cookie jar. It follows nothing by itself.
type browser struct {
	w    *world
	http *http.Client
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return &browser{w, &http.Client{
		Transport:     w.app.Client().Transport,
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response with its body.
type answer struct {
	*http.Response
	body string
}

// do sends r; what the app answers is kept for the search for secrets, but for the two places where
// the protocol puts some: the login cookie, and the redirect to the provider.
func (b *browser) do(r *http.Request) *answer {
	b.w.t.Helper()
	resp, err := b.http.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	if !b.w.quiet && strings.HasPrefix(b.w.app.URL, "https://"+r.URL.Host) {
		b.w.keep(resp, body)
	}
	return &answer{resp, string(body)}
}

func (w *world) keep(resp *http.Response, body []byte) {
	header := resp.Header.Clone()
	if strings.HasPrefix(header.Get("Location"), w.srv.URL) {
		header.Del("Location")
	}
	header.Del("Set-Cookie")
	for _, c := range resp.Cookies() {
		if !strings.Contains(c.Name, "login-") {
			header.Add("Set-Cookie", c.Raw)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	header.Write(&w.transcript)
	w.transcript.Write(body)
}

func (b *browser) get(target string) *answer {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), "GET", target, nil)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return b.do(r)
}

// start clicks the sign-in link and returns the provider's URL.
func (b *browser) start(query string) string {
	b.w.t.Helper()
	resp := b.get(b.w.app.URL + "/login" + query)
	if resp.StatusCode != http.StatusSeeOther {
		b.w.t.Fatalf("login answered %d: %s", resp.StatusCode, resp.body)
	}
	return resp.Header.Get("Location")
}

// approve visits the provider, which answers at once, and returns the callback's URL.
func (b *browser) approve(providerURL string) string {
	b.w.t.Helper()
	resp := b.get(providerURL)
	if resp.StatusCode/100 != 3 {
		b.w.t.Fatalf("provider answered %d: %s", resp.StatusCode, resp.body)
	}
	return resp.Header.Get("Location")
}

// signIn does a whole login up to the app's answer.
func (b *browser) signIn(query string) *answer {
	b.w.t.Helper()
	return b.get(b.approve(b.start(query)))
}

// with returns callback with parameters replaced; an empty value removes one.
func with(callback string, pairs ...string) string {
	u, err := url.Parse(callback)
	if err != nil {
		panic(err)
	}
	query := u.Query()
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			query.Del(pairs[i])
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}

func param(target, name string) string {
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	return u.Query().Get(name)
}

// loginCookies are the pending logins in the browser's jar.
func (b *browser) loginCookies() (found []*http.Cookie) {
	u, _ := url.Parse(b.w.app.URL)
	for _, c := range b.http.Jar.Cookies(u) {
		if strings.Contains(c.Name, "login-") {
			found = append(found, c)
		}
	}
	return found
}

func (b *browser) setCookie(name, value string) {
	u, _ := url.Parse(b.w.app.URL)
	b.http.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/", Secure: true}})
}

func (w *world) wantTokenRequests(n int) {
	w.t.Helper()
	if got := len(w.srv.TokenRequests()); got != n {
		w.t.Errorf("the token endpoint saw %d requests, want %d", got, n)
	}
}

func (w *world) wantStatus(resp *answer, status int) {
	w.t.Helper()
	if resp.StatusCode != status {
		w.t.Errorf("status %d, want %d: %s", resp.StatusCode, status, resp.body)
	}
}

// wantFailure checks a failed login: status, reason and check, and that nobody is signed in by it.
func (w *world) wantFailure(resp *answer, reason authcode.Reason, check string) {
	w.t.Helper()
	w.wantStatus(resp, reason.Status())
	if err := w.lastError(); err.Reason != reason || err.Check != check {
		w.t.Errorf("failed with %v, want %s (%s)", err, reason, check)
	}
	if !strings.Contains(resp.body, `href="/login"`) {
		w.t.Errorf("the page offers no way to start again: %s", resp.body)
	}
}
