package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// loginHandlerNavigation are requests for the sign-in link.
var loginHandlerNavigation = []struct {
	claim, method string
	header        []string
	status        int
}{
	{"a click starts one", "GET",
		[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-User",
			"?1"}, 303},
	{"a form starts one", "POST", []string{"Sec-Fetch-Mode", "navigate"}, 303},
	{"a link of another site starts one", "GET",
		[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site"}, 303},
	{"a browser without fetch metadata starts one", "GET", nil, 303},
	{"a navigation starts one, whatever else is said", "GET",
		[]string{"Sec-Fetch-Mode", "navigate", "X-Requested-With", "XMLHttpRequest"}, 303},
	{"fetch starts none", "GET", []string{"Sec-Fetch-Mode", "cors"}, 403},
	{"fetch on the same origin starts none", "GET", []string{"Sec-Fetch-Mode", "same-origin"},
		403},
	{"an image starts none", "GET",
		[]string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
	{"a web socket starts none", "GET", []string{"Sec-Fetch-Mode", "websocket"}, 403},
	{"a posting script starts none", "POST", []string{"Sec-Fetch-Mode", "cors"}, 403},
	{"a form of another site starts none", "POST",
		[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site"}, 403},
	{"a form of a sister site starts none", "POST",
		[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "same-site"}, 403},
	{"a form of the same origin starts one", "POST",
		[]string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "same-origin"}, 303},
	{"a form of another origin in an older browser starts none", "POST",
		[]string{"Origin", "https://evil.example"}, 403},
	{"a form of the same origin in an older browser starts one", "POST",
		[]string{"Origin", "https://app.example"}, 303},
	{"jQuery without fetch metadata starts none", "GET",
		[]string{"X-Requested-With", "XMLHttpRequest"}, 403},
	{"a script in lower case starts none", "GET",
		[]string{"X-Requested-With", " xmlhttprequest "}, 403},
	{"Android's WebView starts one, and names its app", "GET",
		[]string{"X-Requested-With", "com.example.app"}, 303},
	{"an Android app of that name starts one", "GET",
		[]string{"X-Requested-With", "org.xmlhttprequest.browser"}, 303},
	{"an empty X-Requested-With starts one", "GET", []string{"X-Requested-With", ""}, 303},
	{"htmx without fetch metadata starts none", "GET", []string{"HX-Request", "true"}, 403},
	{"htmx with fetch metadata starts none", "GET",
		[]string{"HX-Request", "true", "Sec-Fetch-Mode", "cors"}, 403},
	{"a prefetch starts none", "GET",
		[]string{"Sec-Purpose", "prefetch", "Sec-Fetch-Mode", "navigate"}, 204},
	{"a prerendering starts none", "GET",
		[]string{"Sec-Purpose", "prefetch;prerender", "Sec-Fetch-Mode", "navigate"}, 204},
	{"a prefetch in upper case starts none", "GET", []string{"Sec-Purpose", "Prefetch"}, 204},
	{"Chromium's older prefetch starts none", "GET", []string{"Purpose", "prefetch"}, 204},
	{"Firefox's older prefetch starts none", "GET", []string{"X-Moz", "prefetch"}, 204},
	{"another purpose starts one", "GET", []string{"Sec-Purpose", "x-prefetch"}, 303},
	{"a frame of another site starts none", "GET", []string{"Sec-Fetch-Mode", "navigate",
		"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "iframe"}, 403},
	{"a link of another site in a new tab starts one", "GET", []string{"Sec-Fetch-Mode",
		"navigate", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "document"}, 303},
	{"HEAD starts none", "HEAD", nil, 405},
	{"PUT starts none", "PUT", nil, 405},
	{"OPTIONS starts none", "OPTIONS", []string{"Sec-Fetch-Mode", "cors"}, 405},
}

// TestLoginHandlerNavigation: only a person's navigation starts a login, and
// only proof of something else refuses one.
func TestLoginHandlerNavigation(t *testing.T) {
	handler := world.Client(t, &world.Provider{}).LoginHandler()
	for _, row := range loginHandlerNavigation {
		t.Run(row.claim, func(t *testing.T) {
			r := httptest.NewRequest(row.method, world.LoginURL, nil)
			for i := 0; i < len(row.header); i += 2 {
				r.Header.Set(row.header[i], row.header[i+1])
			}
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, r)
			resp := rec.Result()
			if resp.StatusCode != row.status {
				t.Errorf("status %d, want %d", resp.StatusCode, row.status)
			}
			world.WantHeaders(t, resp.Header, "no-referrer")
			started := row.status == 303
			if (len(resp.Cookies()) == 1) != started ||
				strings.HasPrefix(resp.Header.Get("Location"), world.AuthURL+"?") != started {
				t.Errorf("cookies %v, Location %q", resp.Cookies(), resp.Header.Get("Location"))
			}
			if allow := resp.Header.Get("Allow"); (allow == "GET, POST") != (row.status == 405) {
				t.Errorf("Allow is %q", allow)
			}
			body := rec.Body.String()
			linked := strings.Contains(body, `href="/auth/x"`) &&
				strings.Contains(body, "not_navigation")
			if row.status == 403 && !linked {
				t.Errorf("the page does not link the login: %s", body)
			}
			if (started || row.status == 204) && body != "" {
				t.Errorf("a body was written: %q", body)
			}
		})
	}
}

func TestAnotherSitesFormStartsNothing(t *testing.T) {
	w := world.New(t)
	for _, c := range []struct {
		name, header, value string
		status              int
	}{
		{"a cross-site POST", "Sec-Fetch-Site", "cross-site", 403},
		{"a same-site POST", "Sec-Fetch-Site", "same-site", 403},
		{"a POST of another origin", "Origin", "https://evil.example", 403},
		{"the app's own POST", "Sec-Fetch-Site", "same-origin", 303},
		{"a POST of an older browser", "X-Nothing", "", 303},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.In(t)
			b := w.Browser()
			resp := b.Do(b.Request("POST", w.App.URL+"/login", "", c.header, c.value))
			w.WantStatus(resp, c.status)
			if c.status == 403 && len(resp.Cookies()) != 0 {
				t.Error("a login was started")
			}
		})
	}
}

// TestWebViewSignsIn: an app on Android shows the login in a WebView, which
// adds X-Requested-With to every navigation. The callback is one of them.
func TestWebViewSignsIn(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Set("X-Requested-With", "com.example.app")
		next.ServeHTTP(rw, r)
	})
	w.WantStatus(b.SignIn("?next=/cart"), http.StatusSeeOther)
	w.WantTokenRequests(1)

	callback := b.Callback("")
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		r.Header.Add("X-Requested-With", "com.example.app")
		r.Header.Add("X-Requested-With", "XMLHttpRequest")
		next.ServeHTTP(rw, r)
	})
	w.WantFailure(b.Get(callback), authcode.NotNavigation, "callback.navigation")
	w.WantTokenRequests(1)
}

// TestManyLinksOfAMail: a person opens eight links of a mail in tabs, and the
// app's guard sends each to sign in. That is no circle.
func TestManyLinksOfAMail(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	for n := range 8 {
		resp := b.Get(fmt.Sprintf("%s/login?next=/item/%d", w.App.URL, n),
			"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document")
		w.WantStatus(resp, http.StatusSeeOther)
	}
}
