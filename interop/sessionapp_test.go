package interop

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/grant"
	"example.com/authcode/interop/sessiontest"
	"example.com/authcode/session"
)

// sessionApp is an app with three instances behind one address. A request says
// by X-Instance which one it reaches.
type sessionApp struct {
	url       string
	provider  *authtest.Server
	config    authcode.Config
	created   sessiontest.CreatedKeys
	instances [3]*sessiontest.Instance
	handlers  [3]http.Handler // the instances, or the ways to their processes

	mu     sync.Mutex
	events []session.Kind
}

// newSessionApp starts an app whose instances have a handle each.
func newSessionApp(t testing.TB, server *sessionServer, change func(*session.Config)) *sessionApp {
	t.Helper()
	a, key := newSessionFront(t), newKey()
	for i := range a.instances {
		a.deploy(t, i, server.open(t), func(c *session.Config) {
			c.Keys = [][]byte{key}
			if change != nil {
				change(c)
			}
		})
	}
	return a
}

// newSessionFront starts an app's address and its provider. The instances are to
// come.
func newSessionFront(t testing.TB) *sessionApp {
	t.Helper()
	a := new(sessionApp)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, _ := strconv.Atoi(r.Header.Get("X-Instance"))
		a.handlers[i].ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	a.url = front.URL
	var users []authtest.User
	for i := range 20 {
		name := fmt.Sprint("user", i)
		users = append(users, authtest.User{Subject: name, Claims: map[string]any{"sid": name + "-1"}})
	}
	a.provider = authtest.NewServer(a.url+"/callback", users...)
	t.Cleanup(a.provider.Close)
	a.config = a.provider.Config()
	a.config.LoginURL = "/login"
	return a
}

// deploy starts an instance in the place of another one.
func (a *sessionApp) deploy(t testing.TB, i int, store grant.Store, change func(*session.Config)) {
	t.Helper()
	cfg := session.Config{IdleTimeout: time.Minute, Observe: a.observe}
	change(&cfg)
	in, err := sessiontest.New(a.config, cfg, &sessiontest.Gate{Store: store, Created: &a.created})
	if err != nil {
		t.Fatal(err)
	}
	a.instances[i], a.handlers[i] = in, in
}

func (a *sessionApp) observe(_ context.Context, e session.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.events = append(a.events, e.Kind)
}

// saw reports whether there was an event of this kind, and forgets all.
func (a *sessionApp) saw(kind session.Kind) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	events := a.events
	a.events = nil
	return slices.Contains(events, kind)
}

// visitor is a browser of the app's, which follows nothing by itself.
type visitor struct {
	*http.Client
	t   testing.TB
	app *sessionApp
	at  int // the instance that its requests reach
}

func (a *sessionApp) visitor(t testing.TB) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, app: a}
	v.Client = &http.Client{
		Jar: jar, Transport: v,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return v
}

// RoundTrip sends r to the visitor's instance.
func (v *visitor) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Instance", strconv.Itoa(v.at))
	return http.DefaultTransport.RoundTrip(r)
}

// reply is a response that was read.
type reply struct {
	status int
	text   string
}

func (v *visitor) read(resp *http.Response, err error) reply {
	v.t.Helper()
	if err != nil {
		v.t.Error(err) // not Fatal: others wait for this goroutine
		return reply{}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Error(err)
	}
	return reply{resp.StatusCode, string(text)}
}

// do sends a request as a page of the app's does.
func (v *visitor) do(method, path string) reply {
	v.t.Helper()
	r, err := http.NewRequest(method, v.app.url+path, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	return v.read(v.Do(r))
}

// login is a whole login of a user at an instance, however it ends.
func (v *visitor) login(at int, user string) reply {
	v.t.Helper()
	v.at = at
	v.app.provider.SetUser(user)
	return v.read(v.app.provider.SignIn(v.Client, v.app.url+"/login"))
}

// signIn is a login that succeeds.
func (v *visitor) signIn(at int, user string) {
	v.t.Helper()
	if got := v.login(at, user); got.status != http.StatusSeeOther {
		v.t.Fatalf("the login of %s ended with %d: %s", user, got.status, got.text)
	}
}

// cookie is the one of the session, or nil.
func (v *visitor) cookie() *http.Cookie {
	u, _ := url.Parse(v.app.url)
	for _, c := range v.Jar.Cookies(u) {
		if c.Name == "session" {
			return c
		}
	}
	return nil
}

// keep gives the visitor a cookie of the app's.
func (v *visitor) keep(c *http.Cookie) {
	u, _ := url.Parse(v.app.url)
	v.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: c.Value, Path: "/"}})
}

// wantSeen checks at each instance who is signed in; "" is nobody.
func (v *visitor) wantSeen(want string) {
	v.t.Helper()
	for v.at = range v.app.instances {
		got := v.do(http.MethodGet, "/account")
		isOut := got.status == http.StatusSeeOther || got.status == http.StatusUnauthorized
		isIn := got.status == http.StatusOK && want != "" && strings.HasPrefix(got.text, want+" ")
		if want == "" && !isOut || want != "" && !isIn {
			v.t.Errorf("instance %d answers %d %.200s, want it to see %q", v.at, got.status, got.text, want)
		}
	}
	v.at = 0
}

// backChannel posts a logout token to an instance, as the provider does.
func (a *sessionApp) backChannel(t testing.TB, at int, token string) reply {
	t.Helper()
	v := a.visitor(t)
	v.at = at
	return v.read(v.PostForm(a.url+"/backchannel", url.Values{"logout_token": {token}}))
}

func (a *sessionApp) logoutToken(t testing.TB, subject, sid string) string {
	t.Helper()
	conn, err := a.instances[0].Client.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a.provider.LogoutToken(conn.Config.ClientID, subject, sid)
}
