package test

import (
	"context"
	unescape "html"
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

// wanted is a path that a person wants to return to.
const wanted = "/orders?page=2&q=a+b#open"

// startsAgain checks that the page's first link starts a login that returns to
// wanted.
func startsAgain(t *testing.T, w *world.World, b *world.Browser, resp *world.Response) {
	t.Helper()
	_, link, _ := strings.Cut(resp.Text, `id="login" href="`)
	link, _, _ = strings.Cut(link, `"`)
	link = unescape.UnescapeString(link)
	if got := world.Param(link, "next"); got != wanted {
		t.Fatalf("the page links %q, which leads back to %q", link, got)
	}
	w.Server.ClearFaults()
	again := b.Get(b.Approve(b.Get(w.App.URL + link).Header.Get("Location")))
	if got := again.Header.Get("Location"); got != wanted {
		t.Errorf("the second login ended at %q", got)
	}
}

// TestStartAgainLeadsBack: after a failure "Start again" leads to where the
// person wanted to go.
func TestStartAgainLeadsBack(t *testing.T) {
	for claim, fail := range map[string]func(*world.World, *world.Browser, string) *world.Response{
		"after a refusal": func(w *world.World, b *world.Browser, login string) *world.Response {
			w.Server.SetFaults(authserver.Authorization, authserver.Error(0, "access_denied", ""))
			return b.Get(b.Approve(b.Get(login).Header.Get("Location")))
		},
		"after an error of the token endpoint": func(w *world.World, b *world.Browser,
			login string) *world.Response {
			w.Server.SetFaults(authserver.Token, authserver.HTMLError())
			return b.Get(b.Approve(b.Get(login).Header.Get("Location")))
		},
		"after an answer of another server": func(w *world.World, b *world.Browser,
			login string) *world.Response {
			callback := b.Approve(b.Get(login).Header.Get("Location"))
			return b.Get(world.With(callback, "iss", "https://evil.example"))
		},
		"after a script asked": func(_ *world.World, b *world.Browser, login string) *world.Response {
			return b.Get(login, "Sec-Fetch-Mode", "cors", "Sec-Fetch-Site", "same-origin")
		},
		"after a form of another site": func(_ *world.World, b *world.Browser,
			login string) *world.Response {
			return b.Do(b.Request("POST", login, "", "Sec-Fetch-Site", "cross-site"))
		},
	} {
		t.Run(claim, func(t *testing.T) {
			w := world.New(t)
			b := w.Browser()
			login := w.App.URL + "/login?next=" + url.QueryEscape(wanted)
			startsAgain(t, w, b, fail(w, b, login))
		})
	}
}

// TestStartAgainAfterTheAppRefused: the app's own handler refuses an account.
func TestStartAgainAfterTheAppRefused(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	refuse := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.Client.Refuse(rw, r, authcode.NewError(authcode.NotAdmitted, "app.account", "no", nil))
	})
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path == "/callback" {
			next = w.Client.CallbackHandler(refuse)
		}
		next.ServeHTTP(rw, r)
	})
	resp := b.SignIn("?next=" + url.QueryEscape(wanted))
	w.WantRefusal(resp, authcode.NotAdmitted, "app.account")
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		next.ServeHTTP(rw, r)
	})
	startsAgain(t, w, b, resp)
}

// TestStartAgainAfterExpiry: the opened cookie has the path, so it is not lost.
func TestStartAgainAfterExpiry(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := world.Client(t, &world.Provider{})
		l := world.Begin(t, c, world.Get(next(wanted)))
		time.Sleep(10*time.Minute + time.Second)
		_, err := l.Exchange(c)
		e := world.WantError(t, err, authcode.Expired, "login.age")
		if got := world.Param(e.LoginURL, "next"); got != wanted {
			t.Errorf("LoginURL is %q", e.LoginURL)
		}
	})
}

// loginLinks are where people start again after a failed start or callback with
// the return path /a?b.
var loginLinks = []struct{ claim, login, param, want string }{
	{"a path", "/in", "", "/in?next=%2Fa%3Fb"},
	{"a path with a query", "/in?p=x", "", "/in?next=%2Fa%3Fb&p=x"},
	{"a path with another return path", "/in?next=/c", "", "/in?next=%2Fa%3Fb"},
	{"a path with a fragment", "/in#top", "", "/in?next=%2Fa%3Fb#top"},
	{"another parameter", "/in", "return_to", "/in?return_to=%2Fa%3Fb"},
	{"an absolute URL of this host", world.AppURL + "/in", "",
		world.AppURL + "/in?next=%2Fa%3Fb"},
	{"another host has other paths", "https://www.example/in", "", "https://www.example/in"},
	{"no LoginURL", "", "", "/home"},
}

func TestLoginLinkKeepsTheReturnPath(t *testing.T) {
	for _, row := range loginLinks {
		t.Run(row.claim, func(t *testing.T) {
			down := authcode.NewError(authcode.Unreachable, "metadata.down", "down", nil)
			up := true
			c := world.Client(t, &world.Provider{}, world.LookedUp(func(context.Context,
				*authcode.Connection) (authcode.Endpoints, error) {
				if up {
					return world.Endpoints(), nil
				}
				return authcode.Endpoints{}, down
			}), func(c *config) { c.LoginURL, c.ReturnToParam = row.login, row.param })
			param := "next"
			if row.param != "" {
				param = row.param
			}
			start := world.Get(world.AppURL + "/x?" + param + "=%2Fa%3Fb")
			l := world.Begin(t, c, start)
			if got := l.Finish(t, c).ReturnTo; got != "/a?b" {
				t.Errorf("ReturnTo is %q", got)
			}
			l = world.Begin(t, c, start)
			up = false
			_, callbackErr := l.Exchange(c)
			_, startErr := c.AuthCodeURL(httptest.NewRecorder(), start)
			for _, err := range []error{callbackErr, startErr} {
				e := world.WantError(t, err, authcode.Unreachable, "metadata.down")
				if e.LoginURL != row.want {
					t.Errorf("LoginURL is %q, want %q", e.LoginURL, row.want)
				}
			}
		})
	}
}

// TestLoginLinkHasNoAnswer: a return path that is a callback has a code and a
// state, which no page may show.
func TestLoginLinkHasNoAnswer(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := strings.TrimPrefix(b.Callback(""), w.App.URL)
	login := w.App.URL + "/login?next=" + url.QueryEscape(callback)
	w.WantFailure(b.Get(login, "Sec-Fetch-Mode", "cors"), authcode.NotNavigation,
		"login.navigation")
	w.WantFailure(b.Get(login), authcode.Configuration, "login.guarded")
}

// TestLoginLinkWithoutAnOddPath: a return path may be one that is not a URL, and
// cannot be searched for a state. It is not in the link then.
func TestLoginLinkWithoutAnOddPath(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	r := world.Get(world.LoginURL + "?next=%2F%25zz")
	if got := world.Begin(t, c, r).Finish(t, c).ReturnTo; got != "/%zz" {
		t.Errorf("ReturnTo is %q", got)
	}
	r.Header.Set("Sec-Purpose", "prefetch")
	_, err := c.AuthCodeURL(httptest.NewRecorder(), r)
	e := world.WantError(t, err, authcode.Prefetch, "login.prefetch")
	if e.LoginURL != "/auth/x" {
		t.Errorf("LoginURL is %q", e.LoginURL)
	}
}

// TestLoginLinkIsNeverTooLong: a page drops a link of over 4,096 bytes, so a
// long path must not take the link with it.
func TestLoginLinkIsNeverTooLong(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	for _, path := range []string{"/" + strings.Repeat("a", 4090), "/?" + strings.Repeat("=", 2000)} {
		resp := b.Get(w.App.URL+"/login?next="+url.QueryEscape(path), "Sec-Fetch-Mode", "cors")
		w.WantFailure(resp, authcode.NotNavigation, "login.navigation")
	}
}

// droppedPaths are return paths, and whether the app is told that one was lost.
var droppedPaths = []struct {
	claim, query string
	opts         options
	path         string
	dropped      bool
}{
	{"none was given", "", nil, "/", false},
	{"an empty one was given", "?next=", nil, "/", false},
	{"the root was given", "?next=/", nil, "/", false},
	{"1,000 bytes fit", "?next=" + edge, nil, edge, false},
	{"1,000 bytes of an option fit", "", options{authcode.ReturnTo(edge)}, edge, false},
	{"1,500 bytes do not fit", "?next=" + edge + edge[:500], nil, "/", true},
	{"1,500 bytes of an option do not fit", "",
		options{authcode.ReturnTo(edge + edge[:500])}, "/", true},
	{"10,000 bytes do not fit", "?next=" + strings.Repeat(edge, 10), nil, "/", true},
	{"Values need the room", "?next=" + edge,
		options{authcode.Value("k", strings.Repeat("v", 500))}, "/", true},
	{"500 bytes fit beside Values", "?next=" + edge[:500],
		options{authcode.Value("k", strings.Repeat("v", 500))}, edge[:500], false},
	{"another origin", "?next=https://evil.example/", nil, "/", true},
	{"two paths", "?next=/a&next=/b", nil, "/", true},
	{"an option goes first", "?next=//evil.example/", options{authcode.ReturnTo("/b")}, "/b",
		false},
}

func TestADroppedReturnPathIsTold(t *testing.T) {
	w := world.New(t, func(c *config) { c.Provider.Name = strings.Repeat("n", 24) })
	for _, row := range droppedPaths {
		t.Run(row.claim, func(t *testing.T) {
			w.In(t)
			w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
				if r.URL.Path == "/login" {
					next = w.Client.LoginHandler(row.opts...)
				}
				next.ServeHTTP(rw, r)
			})
			resp := w.Browser().SignIn(row.query)
			w.WantStatus(resp, http.StatusSeeOther)
			login := w.LastLogin()
			if login.ReturnTo != row.path || login.ReturnToDropped != row.dropped ||
				resp.Header.Get("Location") != row.path {
				t.Errorf("ReturnTo %q, dropped %v, went to %q", login.ReturnTo,
					login.ReturnToDropped, resp.Header.Get("Location"))
			}
		})
	}
}

func TestReturnToParamIsChecked(t *testing.T) {
	for name, good := range map[string]bool{
		"": true, "next": true, "return_to": true,
		"state": false, "code": false, "error": false, "a b": false, "n\u00e4chste": false,
	} {
		_, err := authcode.New(world.Config(&world.Provider{}, func(c *config) {
			c.ReturnToParam = name
		}))
		if (err == nil) != good || err != nil &&
			!strings.Contains(err.Error(), "Config.ReturnToParam") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
