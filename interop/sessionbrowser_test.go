package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
	"example.com/authcode/session"
)

// hastyStore makes everything idle 20 times as fast, because a minute is the
// shortest that an app can choose.
type hastyStore struct{ grant.Store }

const haste = 20

func (s hastyStore) Create(ctx context.Context, r grant.Record) error {
	r.Idle /= haste
	return s.Store.Create(ctx, r)
}

func (s hastyStore) Load(ctx context.Context, k grant.Key, touch time.Duration) (grant.Record, error) {
	return s.Store.Load(ctx, k, touch/haste)
}

// sessionSite is an app on https://localhost with two instances, which take turns.
// Its provider is on 127.0.0.1, which is another site, and approves at once.
type sessionSite struct {
	url      string
	provider *authserver.Server
	sessions [2]*session.Sessions
	asked    atomic.Int64 // requests for /login
	blocks   atomic.Bool  // the browser gets no session cookie
}

// newSessionSite starts one, for the tabs of one test.
func newSessionSite(t *testing.T, change func(*authcode.Config)) *sessionSite {
	t.Helper()
	haveChromium(t)
	pair := theCertificate(t).pair
	s := &sessionSite{
		provider: authserver.NewTLSServer(authserver.Certificate(pair), authserver.Algorithm("RS256")),
	}
	t.Cleanup(s.provider.Close)
	var instances [2]http.Handler
	var turn atomic.Int64
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			s.asked.Add(1)
		}
		if s.blocks.Load() {
			w = &withoutSession{w}
		}
		instances[turn.Add(1)%2].ServeHTTP(w, r)
	}))
	front.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	_, port, _ := net.SplitHostPort(front.Listener.Addr().String())
	s.url = "https://localhost:" + port
	cfg := s.config(t)
	if change != nil {
		change(&cfg)
	}
	store, key := hastyStore{grant.NewMemory(0)}, newKey()
	for i := range instances {
		instances[i] = s.instance(t, i, cfg, session.Config{
			Store: store, Keys: [][]byte{key}, LoginURL: "/login", IdleTimeout: time.Minute,
			LogoutReturnURL: s.url + "/signed-out",
		})
	}
	front.StartTLS()
	t.Cleanup(front.Close)
	return s
}

func (s *sessionSite) config(t *testing.T) authcode.Config {
	cfg := s.provider.Register(authserver.ClientRegistration{
		ID: "site", Secret: "secret", RedirectURIs: []string{s.url + "/callback"},
		PostLogoutRedirectURIs: []string{s.url + "/signed-out"},
	})
	cfg.Provider = oidc.Provider(s.provider.URL)
	cfg.LoginURL, cfg.Transport = "/login", theCertificate(t).transport()
	return cfg
}

// instance is one instance of the app.
func (s *sessionSite) instance(t *testing.T, i int, cfg authcode.Config, sc session.Config) http.Handler {
	t.Helper()
	client, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	in, err := session.New(sc)
	if err != nil {
		t.Fatal(err)
	}
	s.sessions[i] = in
	mux := http.NewServeMux()
	client.Mount(mux, in.SignIn(client))
	mux.Handle("/logout", in.SignOut())
	mux.Handle("/status", in.StatusHandler())
	mux.HandleFunc("/signed-out", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, `<p id="signed-out">Goodbye</p>`)
	})
	mux.Handle("/", in.Require(http.HandlerFunc(sitePage)))
	return mux
}

// sitePage is a page with a form. Its script asks for the path of the query's
// poll again and again.
func sitePage(w http.ResponseWriter, r *http.Request) {
	who := session.FromContext(r.Context()).Identity().Subject
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.Method == http.MethodPost {
		fmt.Fprintf(w, `<p id="saved">%s</p>`, r.FormValue("note"))
		return
	}
	fmt.Fprintf(w, `<p id="who">%s</p>
<form method="post" action="/notes"><input id="note" name="note"><button id="save">Save</button></form>
<form method="post" action="/logout"><button id="out">Sign out</button></form>
<script>
const poll = new URLSearchParams(location.search).get("poll");
if (poll) setInterval(async () => {
	const answer = await fetch(poll);
	const isStatus = answer.headers.get("Content-Type").includes("json");
	if (!answer.ok || isStatus && !(await answer.json()).signed_in)
		document.body.insertAdjacentHTML("beforeend", "<p id=ended>ended</p>");
}, 200);
</script>`, who)
}

// withoutSession drops the session's cookie from an answer, as a browser does
// that keeps it back.
type withoutSession struct{ http.ResponseWriter }

func (w *withoutSession) WriteHeader(status int) {
	h := w.Header()
	lines := h["Set-Cookie"]
	delete(h, "Set-Cookie")
	for _, line := range lines {
		if !strings.HasPrefix(line, "__Host-Http-session=") {
			h.Add("Set-Cookie", line)
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// at expects the tab to show somebody at this path of the site.
func (s *sessionSite) at(b *tab, path, who string) {
	b.t.Helper()
	b.shows("who")
	if got := b.address(); got != s.url+path {
		b.t.Errorf("the tab is at %s, want %s", got, path)
	}
	if got := b.text("#who"); got != who {
		b.t.Errorf("the page is %s's, want %s's", got, who)
	}
}

// end ends the sessions of alice at one instance.
func (s *sessionSite) end(t *testing.T) {
	t.Helper()
	if err := s.sessions[1].End(t.Context(), s.provider.URL, "alice", ""); err != nil {
		t.Fatal(err)
	}
}

// TestSessionInChromium: who opens a page signs in and comes back to it, with its
// query and fragment. Chromium keeps the session's cookie, and no script sees it.
func TestSessionInChromium(t *testing.T) {
	for name, formPost := range map[string]bool{"query": false, "form_post": true} {
		t.Run(name, func(t *testing.T) {
			s := newSessionSite(t, func(c *authcode.Config) { c.Provider.FormPost = formPost })
			b := openTab(t)
			for _, path := range []string{"/orders?a=1&b=%2F+%C3%BC", "/orders?a=2#line-3", "/"} {
				b.open(s.url + path)
				s.at(b, path, "alice")
			}
			if n := s.asked.Load(); n != 1 {
				t.Errorf("%d logins began, want one", n)
			}
			found := b.jar("__Host-Http-session")
			for _, c := range found {
				if !c.HTTPOnly || !c.Secure || c.Path != "/" || c.SameSite != "Lax" {
					t.Errorf("the cookie is %+v", c)
				}
			}
			if seen := in(b, chromedp.Evaluate[string]("document.cookie")); len(found) != 2 || seen != "" {
				t.Errorf("the jar has %d cookies, and a script sees %q", len(found), seen)
			}
		})
	}
}

// TestSessionInTwoTabs: who signs out in one tab has to sign in in the other.
func TestSessionInTwoTabs(t *testing.T) {
	s := newSessionSite(t, nil)
	one := openTab(t)
	one.open(s.url + "/one")
	s.at(one, "/one", "alice")
	two := one.another()
	two.open(s.url + "/two")
	s.at(two, "/two", "alice")
	two.click("out", "signed-out") // by way of the provider
	if got := two.address(); got != s.url+"/signed-out" {
		t.Errorf("the tab is at %s", got)
	}
	if left := two.jar("__Host-Http-session"); len(left) > 0 {
		t.Errorf("%d cookies are left", len(left))
	}
	s.provider.SetConsent(authserver.Ask)
	one.open(s.url + "/one?again")
	one.shows("approve")
	if n := s.asked.Load(); n != 2 {
		t.Errorf("%d logins began, want two", n)
	}
	one.click("approve", "who")
	s.at(one, "/one?again", "alice")
}

// TestSessionCookieBlocked: a browser that keeps the session's cookie back is
// told so, and is not sent round in circles. Later it works.
func TestSessionCookieBlocked(t *testing.T) {
	s := newSessionSite(t, nil)
	s.blocks.Store(true)
	b := openTab(t)
	b.open(s.url + "/orders?a=1")
	for n := range 2 {
		b.shows("login")
		if got := b.text("body"); !strings.Contains(got, "Your sign-in was lost") {
			t.Errorf("the page is %q", got)
		}
		if got := s.asked.Load(); got != int64(n+1) {
			t.Errorf("%d logins began, want %d", got, n+1)
		}
		s.blocks.Store(n == 0)
		b.run(chromedp.Click(chromedp.ID("login")))
	}
	s.at(b, "/orders?a=1", "alice")
}

// TestSessionEndsBehindAForm: the form that somebody sends whose session has
// ended is not saved, and a page says so. The sign-in leads back to the form.
func TestSessionEndsBehindAForm(t *testing.T) {
	s := newSessionSite(t, nil)
	b := openTab(t)
	b.open(s.url + "/form?a=1")
	s.at(b, "/form?a=1", "alice")
	b.run(chromedp.SendKeys(chromedp.ID("note"), "my words"))
	s.end(t)
	b.click("save", "login")
	if got := b.text("body"); !strings.Contains(got, "What you sent was not saved") {
		t.Errorf("the page is %q", got)
	}
	link := in(b, chromedp.Evaluate[string](`document.getElementById("login").href`))
	if want := s.url + "/login?next=" + url.QueryEscape("/form?a=1"); link != want {
		t.Errorf("the page leads to %s, want %s", link, want)
	}
	s.provider.SetUser("bob") // alice would be refused for a minute
	b.click("login", "who")
	s.at(b, "/form?a=1", "bob")
}

// TestSessionIdles: a session that nobody uses ends although a page asks for the
// status, and one whose page asks for something else does not.
func TestSessionIdles(t *testing.T) {
	s := newSessionSite(t, nil)
	idle, busy := openTab(t), openTab(t)
	idle.open(s.url + "/?poll=/status")
	s.at(idle, "/?poll=/status", "alice")
	busy.open(s.url + "/?poll=/activity")
	s.at(busy, "/?poll=/activity", "alice")
	idle.shows("ended")
	time.Sleep(2 * time.Minute / haste)
	if in(busy, chromedp.Evaluate[bool](`document.getElementById("ended") !== null`)) {
		t.Error("the session that is used has ended")
	}
	s.provider.SetConsent(authserver.Ask)
	idle.open(s.url + "/later")
	idle.shows("login") // it was seconds ago that this browser signed in
	idle.click("login", "approve")
}
