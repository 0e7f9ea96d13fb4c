package test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// TestLoginHandlerOptions: the handler passes its options on, for every login
// anew.
func TestLoginHandlerOptions(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	handler := c.LoginHandler(authcode.Param("prompt", "login"), authcode.Value("k", "v"))
	for _, next := range []string{"/a", "/b"} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, world.Get(world.LoginURL+"?next="+next))
		u, err := url.Parse(rec.Header().Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		l := &world.Pending{Query: u.Query(), Cookies: rec.Result().Cookies()}
		login := l.Finish(t, c)
		if login.ReturnTo != next || login.Values["k"] != "v" || len(l.Query["prompt"]) != 1 {
			t.Errorf("got %q, %q, prompt %q", login.ReturnTo, login.Values, l.Query["prompt"])
		}
	}
}

// hooked are requests to the two handlers, and what OnError is told.
var hooked = []struct {
	claim   string
	handler func(*authcode.Client) http.Handler
	request *http.Request
	status  int
	reason  authcode.Reason // "": the hook is not called
	check   string
}{
	{"a login by HEAD", loginHandler, httptest.NewRequest("HEAD", "/", nil), 418,
		authcode.WrongMethod, "login.method"},
	{"a login with a reserved parameter", func(c *authcode.Client) http.Handler {
		return c.LoginHandler(authcode.Param("state", "x"))
	}, world.Get("/"), 418, authcode.Configuration, "param.reserved"},
	{"a callback without parameters", callbackHandler, world.Get("/"), 418,
		authcode.Malformed, "callback.empty"},
	{"a login that is prefetched", loginHandler, prefetch(), 204, "", ""},
	{"a callback that is prefetched", callbackHandler, prefetch(), 204, "", ""},
}

func loginHandler(c *authcode.Client) http.Handler { return c.LoginHandler() }

// callbackHandler is the callback of an app that nobody gets into.
func callbackHandler(c *authcode.Client) http.Handler {
	return c.CallbackHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic("a failed login reached the app")
	}))
}

func prefetch() *http.Request {
	r := world.Get(world.AppURL)
	r.Header.Set("Sec-Purpose", "prefetch")
	return r
}

// TestOnError: a failure of either handler goes to the hook, complete; a
// prefetch does not.
func TestOnError(t *testing.T) {
	for _, row := range hooked {
		t.Run(row.claim, func(t *testing.T) {
			var got []*authcode.Error
			c := world.Client(t, &world.Provider{}, func(c *config) {
				c.OnError = func(w http.ResponseWriter, _ *http.Request, e *authcode.Error) {
					got = append(got, e)
					w.WriteHeader(http.StatusTeapot)
				}
			})
			rec := httptest.NewRecorder()
			row.handler(c).ServeHTTP(rec, row.request)
			if rec.Code != row.status {
				t.Errorf("status %d, want %d", rec.Code, row.status)
			}
			if row.reason == "" {
				if len(got) > 0 {
					t.Errorf("the hook got %v", got)
				}
				return
			}
			if len(got) != 1 {
				t.Fatalf("the hook was called %d times", len(got))
			}
			e := world.WantError(t, got[0], row.reason, row.check)
			if e.Provider != "x" || e.LoginURL != "/auth/x" {
				t.Errorf("Provider %q, LoginURL %q", e.Provider, e.LoginURL)
			}
		})
	}
}

// TestWholeLogin signs in over real connections, as browsers do that announce
// their navigations.
func TestWholeLogin(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	resp, err := w.Server.SignIn(b.HTTP, w.App.URL+"/login?next=/a//b%3Fc%23d")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 303 || resp.Header.Get("Location") != "/a//b?c#d" {
		t.Errorf("status %d to %q", resp.StatusCode, resp.Header.Get("Location"))
	}
	if len(b.LoginCookies()) > 0 {
		t.Error("the login cookie is still there")
	}
	w.WantTokenRequests(1)
}

// TestRefuse: a handler of the app's refuses as the Client's own handlers do,
// with the same links.
func TestRefuse(t *testing.T) {
	var seen *authcode.Error
	own := func(c *config) {
		c.OnError = func(w http.ResponseWriter, _ *http.Request, e *authcode.Error) {
			seen = e
			w.WriteHeader(418)
		}
	}
	err := &authcode.Error{Reason: authcode.Forged, Check: "initiate.iss"}
	r := world.Get(world.AppURL + "/start")
	w := httptest.NewRecorder()
	world.Client(t, &world.Provider{}, own).Refuse(w, r, err)
	if w.Code != 418 || seen.Provider != "x" || seen.LoginURL != "/auth/x" || err.Provider != "" {
		t.Errorf("got %d and %+v; the error itself became %+v", w.Code, *seen, err.Provider)
	}
	world.WantHeaders(t, w.Header(), "no-referrer")
	w = httptest.NewRecorder()
	world.Client(t, &world.Provider{}).Refuse(w, r, err)
	if w.Code != 400 || !strings.Contains(w.Body.String(), `href="/auth/x"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	world.Client(t, &world.Provider{}, own).Refuse(w, r,
		&authcode.Error{Reason: authcode.Prefetch})
	if w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("a prefetch was answered with %d", w.Code)
	}
}
