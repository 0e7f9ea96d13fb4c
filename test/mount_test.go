package test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// loops are a LoginURL and a RedirectURL, and whether New must refuse them.
var loops = []struct {
	claim, login, redirect string
	refused                bool
}{
	{"the same path", "/cb", "https://app.example/cb", true},
	{"the same path with a query", "/cb?start=1", "https://app.example/cb", true},
	{"the same path with a fragment", "/cb#in", "https://app.example/cb", true},
	{"the same absolute URL", "https://app.example/cb", "https://app.example/cb", true},
	{"the same absolute URL in capitals", "https://APP.example:443/cb", "https://app.example/cb",
		true},
	{"the same path with an escape", "/c%62", "https://app.example/cb", true},
	{"the same path with dots", "/x/../cb", "https://app.example/cb", true},
	{"the same path with dots in RedirectURL", "/cb", "https://app.example/x/../cb", true},
	{"the same root", "/", "https://app.example", true},
	{"the same path and query", "/?p=cb", "https://app.example/?p=cb", true},
	{"on loopback", "/cb", "http://localhost:8080/cb", true},

	{"a path above", "/auth", "https://app.example/auth/cb", false},
	{"a slash more", "/cb/", "https://app.example/cb", false},
	{"another host", "https://www.example/cb", "https://app.example/cb", false},
	{"another port", "https://app.example:8443/cb", "https://app.example/cb", false},
	{"one path, told apart by the query", "/?p=in", "https://app.example/?p=cb", false},
	{"no LoginURL beside a callback at the root", "", "https://app.example/", false},
}

func TestNewRefusesWhatCanOnlyLoop(t *testing.T) {
	for _, row := range loops {
		t.Run(row.claim, func(t *testing.T) {
			_, err := authcode.New(world.Config(&world.Provider{}, func(c *config) {
				c.LoginURL, c.RedirectURL = row.login, row.redirect
			}))
			if (err != nil) != row.refused {
				t.Fatalf("got %v, want refused: %v", err, row.refused)
			}
			if err != nil && (!strings.Contains(err.Error(), "Config.LoginURL") ||
				!strings.Contains(err.Error(), "Config.RedirectURL")) {
				t.Errorf("the text does not name both fields: %v", err)
			}
		})
	}
}

// misroute serves the app with handlers at the wrong places.
func misroute(w *world.World, serve func(*authcode.Client, http.ResponseWriter, *http.Request) bool) {
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if !serve(w.Client, rw, r) {
			next.ServeHTTP(rw, r)
		}
	})
}

// circle follows redirects as a browser does, until there is none.
func circle(t *testing.T, b *world.Browser, target string) *world.Response {
	t.Helper()
	for i := range 20 {
		var header []string
		if i > 0 { // as browsers do after a redirect of another site
			header = []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate",
				"Sec-Fetch-Dest", "document"}
		}
		resp := b.Get(target, header...)
		if resp.StatusCode/100 != 3 {
			return resp
		}
		to, err := resp.Location()
		if err != nil {
			t.Fatal(err)
		}
		target = to.String()
	}
	t.Fatal("the browser goes in circles")
	return nil
}

// misrouted are handlers at wrong places, which serve what they report true
// for, and the refusal that ends the circle.
var misrouted = []struct {
	claim  string
	serve  func(*authcode.Client, http.ResponseWriter, *http.Request) bool
	reason authcode.Reason
	check  string
}{
	{"LoginHandler at the callback", at("/callback", (*authcode.Client).LoginHandler),
		authcode.Configuration, "login.at_callback"},
	{"CallbackHandler at the login", at("/login",
		func(c *authcode.Client, _ ...authcode.AuthOption) http.Handler {
			return c.CallbackHandler(http.NotFoundHandler())
		}), authcode.Malformed, "callback.empty"},
	{"a guard that keeps the callback's URL", func(_ *authcode.Client, rw http.ResponseWriter,
		r *http.Request) bool {
		return sends(rw, r, "/login?next="+url.QueryEscape(r.RequestURI))
	}, authcode.Configuration, "login.guarded"},
	{"a guard that keeps nothing", func(_ *authcode.Client, rw http.ResponseWriter,
		r *http.Request) bool {
		return sends(rw, r, "/login")
	}, authcode.Configuration, "login.guarded"},
	{"a guard that keeps the path", func(_ *authcode.Client, rw http.ResponseWriter,
		r *http.Request) bool {
		return sends(rw, r, "/login?next="+url.QueryEscape(r.URL.Path))
	}, authcode.Configuration, "login.guarded"},
	{"a guard that loses the query", func(_ *authcode.Client, rw http.ResponseWriter,
		r *http.Request) bool {
		return r.URL.RawQuery != "" && sends(rw, r, "/callback")
	}, authcode.Malformed, "callback.empty"},
}

// at serves path with a handler of the Client.
func at(path string, handler func(*authcode.Client, ...authcode.AuthOption) http.Handler) func(
	*authcode.Client, http.ResponseWriter, *http.Request) bool {
	return func(c *authcode.Client, rw http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != path {
			return false
		}
		handler(c).ServeHTTP(rw, r)
		return true
	}
}

// sends is a guard of the callback that sends people to target.
func sends(rw http.ResponseWriter, r *http.Request, target string) bool {
	if r.URL.Path != "/callback" {
		return false
	}
	http.Redirect(rw, r, target, http.StatusSeeOther)
	return true
}

func TestWrongMountingEndsTheCircle(t *testing.T) {
	denied := authserver.Error(0, "access_denied", "")
	for _, row := range misrouted {
		t.Run(row.claim, func(t *testing.T) {
			for _, faults := range [][]authserver.Fault{nil, {denied}} {
				w := world.New(t)
				w.Quiet() // the wrong guard itself repeats code and state
				misroute(w, row.serve)
				w.Server.SetFaults(authserver.Authorization, faults...)
				resp := circle(t, w.Browser(), w.App.URL+"/login")
				w.WantRefusal(resp, row.reason, row.check)
				if !strings.Contains(w.LastError().Error(), "CallbackHandler") {
					t.Errorf("the text does not say what to mount: %v", w.LastError())
				}
				w.WantTokenRequests(0)
				if strings.Contains(resp.Text, "state") {
					t.Errorf("the page repeats the answer: %s", resp.Text)
				}
			}
		})
	}
}

// TestStartingAnewOnPurpose: an app may answer a failed callback with a new
// login, which prompt=none needs.
func TestStartingAnewOnPurpose(t *testing.T) {
	w := world.New(t)
	w.Server.SetFaults(authserver.Authorization, authserver.Error(0, "access_denied", ""))
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != "/callback" {
			next.ServeHTTP(rw, r)
			return
		}
		if _, err := w.Client.Exchange(rw, r); err != nil {
			w.Client.LoginHandler().ServeHTTP(rw, r)
			return
		}
		t.Error("a refused login was finished")
	})
	b := w.Browser()
	w.WantStatus(b.Get(b.Callback("")), http.StatusSeeOther)
	// The login of another browser, of an old link, or of nobody.
	for _, query := range []string{"?code=a&state=b", "?next=/callback?code=a%26state=b",
		"?next=/callback"} {
		w.WantStatus(w.Browser().Get(w.App.URL+"/login"+query), http.StatusSeeOther)
	}
	w.Server.ClearFaults()
	if u, err := url.Parse(b.Callback("")); err != nil {
		t.Fatal(err)
	} else {
		w.WantStatus(w.Browser().Get(w.App.URL+"/login?"+u.RawQuery), http.StatusSeeOther)
	}
}

// TestStartingAnewAfterExpiry: the cookie of the expired login may still come.
func TestStartingAnewAfterExpiry(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := world.Client(t, &world.Provider{})
		callback := world.Begin(t, c, nil).Callback()
		if _, err := c.AuthCodeURL(httptest.NewRecorder(), callback); err == nil {
			t.Error("a pending login's answer started another login")
		}
		time.Sleep(11 * time.Minute)
		if _, err := c.AuthCodeURL(httptest.NewRecorder(), callback); err != nil {
			t.Error(err)
		}
	})
}

// mounted are where Mount puts the two handlers.
var mounted = []struct {
	claim, login, redirect string
	formPost               bool
	method, path           string
	status                 int
}{
	{"the login by GET", "/in", "https://app.example/cb", false, "GET", "/in", 303},
	{"the login by POST", "/in", "https://app.example/cb", false, "POST", "/in", 303},
	{"no login by HEAD", "/in", "https://app.example/cb", false, "HEAD", "/in", 405},
	{"no login by PUT", "/in", "https://app.example/cb", false, "PUT", "/in", 405},
	{"the callback by GET", "/in", "https://app.example/cb", false, "GET", "/cb?state=x", 400},
	{"no callback by POST", "/in", "https://app.example/cb", false, "POST", "/cb", 405},
	{"the callback by POST", "/in", "https://app.example/cb", true, "POST", "/cb", 400},
	{"the login of an absolute URL", "https://app.example/in", "https://app.example/cb", false,
		"GET", "/in", 303},
	{"the login of a URL with a query", "/in?a=b", "https://app.example/cb", false, "GET",
		"/in", 303},
	{"a slash is no subtree", "/in/", "https://app.example/cb/", false, "GET", "/in/x", 404},
	{"a slash is kept", "/in/", "https://app.example/cb/", false, "GET", "/in/", 303},
	{"the callback at the root", "/in", "https://app.example", false, "GET", "/", 400},
	{"the root is no subtree", "/in", "https://app.example", false, "GET", "/x", 404},
	{"braces are no wildcard", "/%7Bin%7D", "https://app.example/cb", false, "GET", "/x", 404},
	{"braces are a path", "/%7Bin%7D", "https://app.example/cb", false, "GET", "/%7Bin%7D", 303},
}

func TestMount(t *testing.T) {
	for _, row := range mounted {
		t.Run(row.claim, func(t *testing.T) {
			c := world.Client(t, &world.Provider{}, func(c *config) {
				c.LoginURL, c.RedirectURL, c.Provider.FormPost = row.login, row.redirect, row.formPost
			})
			mux := http.NewServeMux()
			c.Mount(mux, http.NotFoundHandler())
			rec := httptest.NewRecorder()
			mux.ServeHTTP(rec, httptest.NewRequest(row.method, "https://app.example"+row.path, nil))
			if rec.Code != row.status {
				t.Errorf("status %d, want %d: %s", rec.Code, row.status, rec.Body)
			}
		})
	}
}

func TestMountPanics(t *testing.T) {
	next := http.NotFoundHandler()
	for _, row := range []struct {
		claim, login string
		next         http.Handler
	}{
		{"without LoginURL", "", next},
		{"with a LoginURL elsewhere", "https://www.example/in", next},
		{"without a handler", "/in", nil},
	} {
		t.Run(row.claim, func(t *testing.T) {
			c := world.Client(t, &world.Provider{}, func(c *config) { c.LoginURL = row.login })
			defer func() {
				text, _ := recover().(string)
				if !strings.HasPrefix(text, "authcode: ") {
					t.Errorf("it panicked with %q", text)
				}
			}()
			c.Mount(http.NewServeMux(), row.next)
		})
	}
}

// TestAnAnswerToAnotherApp: only the answer to a login of this app is out of
// place where logins start. With the state of other keys a login begins.
func TestAnAnswerToAnotherApp(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	other := world.Client(t, &world.Provider{}, func(c *config) {
		c.CookieKeys = [][]byte{world.Key('o')}
	})
	for app, check := range map[*authcode.Client]string{c: "login.at_callback", other: ""} {
		l := world.Begin(t, app, nil)
		// What c would look for if a state that it did not make had the id 0.
		zero := *l.Cookies[0]
		zero.Name = zero.Name[:len(zero.Name)-26] + strings.Repeat("0", 26)
		l.Cookies = append(l.Cookies, &zero)
		r := l.Callback()
		r.URL.Path = "/auth/x"
		_, err := c.AuthCodeURL(httptest.NewRecorder(), r)
		world.WantOutcome(t, err, authcode.Configuration, check)
	}
}
