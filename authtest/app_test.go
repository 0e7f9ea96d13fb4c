package authtest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/internal/testmain"
	"example.com/authcode/oidc"
)

func TestMain(m *testing.M) { testmain.Run(m) }

// app is an app as users write them: it signs people in, says who they are, and
// lets the provider end its sessions.
type app struct {
	*httptest.Server
	t   *testing.T
	srv *authtest.Server
	cfg authcode.Config

	build    func(authcode.Config) (*authcode.Client, error)
	client   *authcode.Client
	patience time.Duration // for each request; 0 is no bound

	mu     sync.Mutex
	logins []*authcode.Login
	errs   []*authcode.Error
	ended  []oidc.LogoutToken
}

// newApp starts a server and an app over http or https. change may alter the
// configuration.
func newApp(t *testing.T, scheme string, change func(*app), users ...authtest.User) *app {
	t.Helper()
	mux := http.NewServeMux()
	a := &app{t: t, Server: httptest.NewUnstartedServer(mux), build: authcode.New}
	if scheme == "https" {
		a.StartTLS()
	} else {
		a.Start()
	}
	t.Cleanup(a.Close)
	a.srv = authtest.NewServer(a.URL+"/callback", users...)
	t.Cleanup(a.srv.Close)
	a.cfg = a.srv.Config()
	a.cfg.OnError = a.onError
	if change != nil {
		change(a)
	}
	client, err := a.build(a.cfg)
	if err != nil {
		t.Fatal(err)
	}
	a.client = client
	mux.Handle("/login", a.hurry(client.LoginHandler()))
	mux.Handle("/callback", a.hurry(client.CallbackHandler(http.HandlerFunc(a.welcome))))
	mux.HandleFunc("/home", func(http.ResponseWriter, *http.Request) {})
	mux.Handle("/back", oidc.BackChannelLogoutHandler(client, a.end))
	mux.Handle("/front", oidc.FrontChannelLogoutHandler(client, a.end))
	return a
}

// register puts a client of the test's in the place of the default one.
func (a *app) register(r authtest.Registration, change func(*authcode.Config)) {
	r.RedirectURLs = []string{a.URL + "/callback", a.URL + "/other"}
	cfg := a.srv.Register(r)
	if change != nil {
		change(&cfg)
	}
	cfg.OnError, a.cfg = a.cfg.OnError, cfg
}

// hurry gives up early, if the app has little patience.
func (a *app) hurry(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.patience > 0 {
			ctx, cancel := context.WithTimeout(r.Context(), a.patience)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

func (a *app) welcome(w http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	a.mu.Lock()
	a.logins = append(a.logins, login)
	a.mu.Unlock()
	if login.ReturnTo != "/" {
		login.Redirect(w, r)
		return
	}
	fmt.Fprint(w, r.Method, " ", login.Identity.Subject)
}

func (a *app) onError(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
	a.mu.Lock()
	a.errs = append(a.errs, err)
	a.mu.Unlock()
	authcode.ErrorPage(w, r, err)
}

func (a *app) end(_ context.Context, l oidc.LogoutToken) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.ended = append(a.ended, l)
	return nil
}

// browser is a new one, without cookies.
func (a *app) browser() *http.Client {
	browser := *a.Client()
	browser.Jar, _ = cookiejar.New(nil)
	return &browser
}

// signIn signs a new browser in and returns the login; nil if there was none.
func (a *app) signIn() *authcode.Login {
	a.t.Helper()
	before := len(a.logins)
	resp, err := a.srv.SignIn(a.browser(), a.URL+"/login")
	if err != nil {
		a.t.Fatal(err)
	}
	resp.Body.Close()
	if len(a.logins) == before {
		return nil
	}
	return a.logins[before]
}

// callback begins a login and returns the request that would end it.
func (a *app) callback(browser *http.Client) *http.Request {
	a.t.Helper()
	callback, err := a.srv.Callback(browser, a.URL+"/login")
	if err != nil {
		a.t.Fatal(err)
	}
	return callback
}

// send sends one copy of a callback and returns the status of the app's answer.
func (a *app) send(browser *http.Client, callback *http.Request) int {
	a.t.Helper()
	req := callback.Clone(a.t.Context())
	if callback.GetBody != nil {
		req.Body, _ = callback.GetBody()
	}
	resp, err := browser.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// wantReason checks why the last login or callback failed.
func (a *app) wantReason(want authcode.Reason) *authcode.Error {
	a.t.Helper()
	if len(a.errs) == 0 {
		a.t.Fatalf("nothing failed, want %s", want)
	}
	err := a.errs[len(a.errs)-1]
	if err.Reason != want {
		a.t.Errorf("got %v, want %s", err, want)
	}
	return err
}
