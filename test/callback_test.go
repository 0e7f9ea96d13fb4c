package test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

const formType = "application/x-www-form-urlencoded"

// callbackRequests are callbacks that are refused before anything else is
// looked at. In target and body CALLBACK is the callback of a pending login,
// BARE its URL without a query, and QUERY the query alone.
var callbackRequests = []struct {
	name, method, target, body, check string
	reason                            authcode.Reason
}{
	{"HEAD", "HEAD", "CALLBACK", "", "callback.method", authcode.WrongMethod},
	{"POST with a query", "POST", "CALLBACK", "", "callback.method", authcode.WrongMethod},
	{"POST with a form", "POST", "BARE", "QUERY", "callback.method", authcode.WrongMethod},
	{"OPTIONS", "OPTIONS", "CALLBACK", "", "callback.method", authcode.WrongMethod},
	{"no parameters", "GET", "BARE", "", "callback.empty", authcode.Malformed},
	{"neither code nor error", "GET", "CODELESS", "", "callback.code", authcode.Malformed},
	{"a semicolon between parameters", "GET", "CALLBACK;a=b", "", "callback.encoding",
		authcode.Malformed},
	{"a bad percent sign", "GET", "CALLBACK&a=%zz", "", "callback.encoding", authcode.Malformed},
	{"17 KiB of parameters", "GET", "CALLBACK&a=" + strings.Repeat("a", 17<<10), "",
		"callback.size", authcode.Malformed},
}

func TestCallbackRequestIsChecked(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	bare, query, _ := strings.Cut(callback, "?")
	fill := strings.NewReplacer("CALLBACK", callback, "BARE", bare, "QUERY", query,
		"CODELESS", world.With(callback, "code", ""))
	for _, c := range callbackRequests {
		t.Run(c.name+" is refused", func(t *testing.T) {
			w.In(t)
			resp := b.Do(b.Request(c.method, fill.Replace(c.target), fill.Replace(c.body),
				"Content-Type", formType))
			w.WantRefusal(resp, c.reason, c.check)
			if c.reason == authcode.WrongMethod && resp.Header.Get("Allow") != "GET" {
				t.Errorf("Allow: %q, want GET", resp.Header.Get("Allow"))
			}
			w.WantTokenRequests(0)
		})
	}
	for _, header := range [][]string{
		{"Sec-Purpose", "prefetch"}, {"Sec-Purpose", "prefetch;prerender"}, {"Purpose", "prefetch"},
	} {
		t.Run("a prefetch touches nothing: "+strings.Join(header, " "), func(t *testing.T) {
			w.In(t)
			resp := b.Get(callback, header...)
			w.WantStatus(resp, http.StatusNoContent)
			if resp.Text != "" || len(resp.Cookies()) != 0 {
				t.Errorf("it got cookies %v and the body %q", resp.Cookies(), resp.Text)
			}
			w.WantTokenRequests(0)
		})
	}
	w.WantStatus(b.Get(callback), http.StatusSeeOther)
}

func TestAFetchedCallbackRedeemsNothing(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	for _, header := range [][]string{
		{"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Mode", "no-cors"},
		{"HX-Request", "true"}, {"X-Requested-With", "XMLHttpRequest"},
	} {
		w.WantFailure(b.Get(callback, header...), authcode.NotNavigation, "callback.navigation")
	}
	w.WantTokenRequests(0)
	// Android's WebView adds X-Requested-With to navigations.
	w.WantStatus(b.Get(callback, "Sec-Fetch-Mode", "navigate",
		"X-Requested-With", "com.android.browser"), http.StatusSeeOther)
}

// TestPrefetchedCallback: it is answered with 204 and touches nothing; the
// login still finishes.
func TestPrefetchedCallback(t *testing.T) {
	p := &world.Provider{}
	c := world.Client(t, p)
	l := world.Begin(t, c, nil)
	r := l.Callback()
	r.Header.Set("Sec-Purpose", "prefetch")
	rec := httptest.NewRecorder()
	login, err := c.Exchange(rec, r)
	world.WantError(t, err, authcode.Prefetch, "callback.prefetch")
	if login != nil || rec.Code != 204 || len(rec.Result().Cookies()) > 0 {
		t.Errorf("got %v, status %d, cookies %v", login, rec.Code, rec.Result().Cookies())
	}
	world.WantHeaders(t, rec.Header(), "no-referrer")
	p.WantRequests(t, 0)
	l.Finish(t, c)
}

// TestCallbackHandler: the app's handler has the login and the headers, and
// answers itself.
func TestCallbackHandler(t *testing.T) {
	type key struct{}
	c := world.Client(t, &world.Provider{})
	handler := c.CallbackHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login, ok := authcode.FromContext(r.Context())
		if !ok || login.Token.AccessToken != "at-1" || login.Provider != "x" ||
			login.ReturnTo != "/cart" {
			t.Errorf("got %v, %v", login, ok)
		}
		if r.Context().Value(key{}) != "v" || r.URL.Query().Get("code") != "c0de" {
			t.Error("the request is another one")
		}
		world.WantHeaders(t, w.Header(), "same-origin")
		w.WriteHeader(http.StatusTeapot)
	}))
	r := world.Begin(t, c, nil, authcode.ReturnTo("/cart")).Callback()
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), key{}, "v")))
	if rec.Code != http.StatusTeapot {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
}

// posted is a callback by form_post.
func posted(kind, body string) *http.Request {
	r := httptest.NewRequest("POST", world.RedirectURL, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return r
}

// TestCallbackFormType: a body is read only as the form that it says it is.
func TestCallbackFormType(t *testing.T) {
	c := world.Client(t, &world.Provider{}, formPost)
	for kind, check := range map[string]string{
		"": "callback.content_type", "text/plain": "callback.content_type",
		"application/json":                                 "callback.content_type",
		"multipart/form-data; boundary=x":                  "callback.content_type",
		"application/x-www-form-urlencoded":                "state.form",
		"Application/X-WWW-Form-URLencoded; charset=utf-8": "state.form",
	} {
		t.Run(kind, func(t *testing.T) {
			_, err := c.Exchange(httptest.NewRecorder(),
				posted(kind, "error=access_denied&state=x"))
			var e *authcode.Error
			if !errors.As(err, &e) || e.Check != check {
				t.Errorf("got %v, want %s", err, check)
			}
		})
	}
}

// TestExchangeFailureHeaders: without OnError a failed callback has the page
// and its headers.
func TestExchangeFailureHeaders(t *testing.T) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a failed login reached the app")
	})
	rows := []struct {
		claim    string
		formPost bool
		request  *http.Request
		status   int
		allow    string
	}{
		{"HEAD is refused", false, httptest.NewRequest("HEAD", "/", nil), 405, "GET"},
		{"POST is refused", false, httptest.NewRequest("POST", "/", nil), 405, "GET"},
		{"GET is refused with form_post", true, world.Get("/?state=a&code=b"), 405, "POST"},
		{"a body without a type is refused", true, posted("", "error=access_denied&state=x"), 400,
			""},
		{"a body of another type is refused", true,
			posted("text/plain", "error=access_denied&state=x"), 400, ""},
		{"an empty callback is refused", false, world.Get("/"), 400, ""},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			c := world.Client(t, &world.Provider{}, func(c *config) {
				c.Provider.FormPost = row.formPost
			})
			rec := httptest.NewRecorder()
			c.CallbackHandler(next).ServeHTTP(rec, row.request)
			if rec.Code != row.status || rec.Header().Get("Allow") != row.allow {
				t.Errorf("status %d, Allow %q", rec.Code, rec.Header().Get("Allow"))
			}
			world.WantHeaders(t, rec.Header(), "no-referrer")
		})
	}
}

func TestCallbackHandlerPanicsWithoutAHandler(t *testing.T) {
	defer func() {
		if v := recover(); v == nil {
			t.Error("no panic")
		}
	}()
	world.Client(t, &world.Provider{}).CallbackHandler(nil)
}

func TestFromContextWithoutALogin(t *testing.T) {
	if login, ok := authcode.FromContext(context.Background()); ok || login != nil {
		t.Errorf("got %v, %v", login, ok)
	}
}
