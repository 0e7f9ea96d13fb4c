package authcode_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// TestLoginHandlerNavigation: only a person's navigation starts a login, and only proof of
// something else refuses one.
func TestLoginHandlerNavigation(t *testing.T) {
	rows := []struct {
		claim, method string
		header        []string
		status        int
	}{
		{"a click starts one", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Sec-Fetch-User", "?1"}, 303},
		{"a form starts one", "POST", []string{"Sec-Fetch-Mode", "navigate"}, 303},
		{"a link of another site starts one", "GET", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site"}, 303},
		{"a browser without fetch metadata starts one", "GET", nil, 303},
		{"a navigation starts one, whatever else is said", "GET", []string{"Sec-Fetch-Mode", "navigate", "X-Requested-With", "com.example.app"}, 303},
		{"fetch starts none", "GET", []string{"Sec-Fetch-Mode", "cors"}, 403},
		{"fetch on the same origin starts none", "GET", []string{"Sec-Fetch-Mode", "same-origin"}, 403},
		{"an image starts none", "GET", []string{"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		{"a web socket starts none", "GET", []string{"Sec-Fetch-Mode", "websocket"}, 403},
		{"a posting script starts none", "POST", []string{"Sec-Fetch-Mode", "cors"}, 403},
		{"a form of another site starts none", "POST", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "cross-site"}, 403},
		{"a form of a sister site starts none", "POST", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "same-site"}, 403},
		{"a form of the same origin starts one", "POST", []string{"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Site", "same-origin"}, 303},
		{"a form of another origin in an older browser starts none", "POST", []string{"Origin", "https://evil.example"}, 403},
		{"a form of the same origin in an older browser starts one", "POST", []string{"Origin", "https://app.example"}, 303},
		{"jQuery without fetch metadata starts none", "GET", []string{"X-Requested-With", "XMLHttpRequest"}, 403},
		{"htmx without fetch metadata starts none", "GET", []string{"HX-Request", "true"}, 403},
		{"htmx with fetch metadata starts none", "GET", []string{"HX-Request", "true", "Sec-Fetch-Mode", "cors"}, 403},
		{"a prefetch starts none", "GET", []string{"Sec-Purpose", "prefetch", "Sec-Fetch-Mode", "navigate"}, 204},
		{"a prerendering starts none", "GET", []string{"Sec-Purpose", "prefetch;prerender", "Sec-Fetch-Mode", "navigate"}, 204},
		{"a prefetch in upper case starts none", "GET", []string{"Sec-Purpose", "Prefetch"}, 204},
		{"Chromium's older prefetch starts none", "GET", []string{"Purpose", "prefetch"}, 204},
		{"Firefox's older prefetch starts none", "GET", []string{"X-Moz", "prefetch"}, 204},
		{"another purpose starts one", "GET", []string{"Sec-Purpose", "x-prefetch"}, 303},
		{"HEAD starts none", "HEAD", nil, 405},
		{"PUT starts none", "PUT", nil, 405},
		{"OPTIONS starts none", "OPTIONS", []string{"Sec-Fetch-Mode", "cors"}, 405},
	}
	handler := hNew(t, &hProvider{}).LoginHandler()
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			r := httptest.NewRequest(row.method, "https://app.example/auth/x", nil)
			for i := 0; i < len(row.header); i += 2 {
				r.Header.Set(row.header[i], row.header[i+1])
			}
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, r)
			resp := rec.Result()
			if resp.StatusCode != row.status {
				t.Errorf("status %d, want %d", resp.StatusCode, row.status)
			}
			hWantHeaders(t, resp.Header, "no-referrer")
			started := row.status == 303
			if (len(resp.Cookies()) == 1) != started || strings.HasPrefix(resp.Header.Get("Location"), hAuthURL+"?") != started {
				t.Errorf("cookies %v, Location %q", resp.Cookies(), resp.Header.Get("Location"))
			}
			if allow := resp.Header.Get("Allow"); (allow == "GET, POST") != (row.status == 405) {
				t.Errorf("Allow is %q", allow)
			}
			body := rec.Body.String()
			if row.status == 403 && (!strings.Contains(body, `href="/auth/x"`) || !strings.Contains(body, "not_navigation")) {
				t.Errorf("the page does not link the login: %s", body)
			}
			if (started || row.status == 204) && body != "" {
				t.Errorf("a body was written: %q", body)
			}
		})
	}
}

// TestLoginHandlerOptions: the handler passes its options on, for every login anew.
func TestLoginHandlerOptions(t *testing.T) {
	c := hNew(t, &hProvider{})
	handler := c.LoginHandler(authcode.Param("prompt", "login"), authcode.ReturnToParam("next"), authcode.Value("k", "v"))
	for _, next := range []string{"/a", "/b"} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, hGet("https://app.example/auth/x?next="+next))
		u, err := url.Parse(rec.Header().Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		l := &hLogin{query: u.Query(), cookies: rec.Result().Cookies()}
		if login := l.finish(t, c); login.ReturnTo != next || login.Values["k"] != "v" || len(l.query["prompt"]) != 1 {
			t.Errorf("got %q, %q, prompt %q", login.ReturnTo, login.Values, l.query["prompt"])
		}
	}
}

// TestOnError: a failure of either handler goes to the hook, complete; a prefetch does not.
func TestOnError(t *testing.T) {
	var got []*authcode.Error
	c := hNew(t, &hProvider{}, func(c *authcode.Config) {
		c.OnError = func(w http.ResponseWriter, _ *http.Request, e *authcode.Error) {
			got = append(got, e)
			w.WriteHeader(http.StatusTeapot)
		}
	})
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a failed login reached the app") })
	prefetch := hGet("https://app.example/")
	prefetch.Header.Set("Sec-Purpose", "prefetch")
	rows := []struct {
		claim   string
		handler http.Handler
		request *http.Request
		status  int
		reason  authcode.Reason // "": the hook is not called
		check   string
	}{
		{"a login by HEAD", c.LoginHandler(), httptest.NewRequest("HEAD", "/", nil), 418, authcode.WrongMethod, "login.method"},
		{"a login with a reserved parameter", c.LoginHandler(authcode.Param("state", "x")), hGet("/"), 418, authcode.Configuration, "param.reserved"},
		{"a callback without parameters", c.CallbackHandler(next), hGet("/"), 418, authcode.Malformed, "callback.state"},
		{"a login that is prefetched", c.LoginHandler(), prefetch, 204, "", ""},
		{"a callback that is prefetched", c.CallbackHandler(next), prefetch, 204, "", ""},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			got = nil
			rec := httptest.NewRecorder()
			row.handler.ServeHTTP(rec, row.request)
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
			e := hWantError(t, got[0], row.reason, row.check)
			if e.Provider != "x" || e.LoginURL != "/auth/x" {
				t.Errorf("Provider %q, LoginURL %q", e.Provider, e.LoginURL)
			}
		})
	}
}

// TestLoginRedirect: 303 to a path of this origin, byte for byte.
func TestLoginRedirect(t *testing.T) {
	for _, row := range []struct{ claim, to, want string }{
		{"a path goes out as it is", "/cart", "/cart"},
		{"double slashes, escapes, query and fragment stay", "/a//b%2F..%2f?q=a+b%20c&r=//x#f?g", "/a//b%2F..%2f?q=a+b%20c&r=//x#f?g"},
		{"dots stay", "/a/./b/../c", "/a/./b/../c"},
		{"a trailing slash stays", "/a/", "/a/"},
		{"bytes beyond ASCII stay", "/ä?ö", "/ä?ö"},
		{"nothing becomes the root", "", "/"},
		{"another origin becomes the root", "https://evil.example/", "/"},
		{"a host becomes the root", "//evil.example/", "/"},
		{"a backslash host becomes the root", `/\evil.example/`, "/"},
		{"a header break becomes the root", "/a\r\nSet-Cookie: a=b", "/"},
		{"a script becomes the root", "javascript:alert(1)", "/"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			rec := httptest.NewRecorder()
			r := hGet("https://app.example/deep/in/here?x=1")
			(&authcode.Login{ReturnTo: row.to}).Redirect(rec, r)
			if got := rec.Header()["Location"]; rec.Code != 303 || len(got) != 1 || got[0] != row.want {
				t.Errorf("status %d to %q, want %q", rec.Code, got, row.want)
			}
			hWantHeaders(t, rec.Header(), "no-referrer")
		})
	}
}

// TestWholeLogin runs browser, app and provider over real connections.
func TestWholeLogin(t *testing.T) {
	provider := authserver.NewServer()
	defer provider.Close()
	mux := http.NewServeMux()
	app := httptest.NewTLSServer(mux)
	defer app.Close()
	c, err := authcode.New(provider.Config(app.URL + "/callback"))
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("GET /login", c.LoginHandler(authcode.ReturnToParam("next")))
	mux.Handle("GET /callback", c.CallbackHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login, _ := authcode.FromContext(r.Context())
		login.Redirect(w, r)
	})))
	browser := app.Client()
	if browser.Jar, err = cookiejar.New(nil); err != nil {
		t.Fatal(err)
	}
	resp, err := provider.SignIn(browser, app.URL+"/login?next=/a//b%3Fc%23d")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 303 || resp.Header.Get("Location") != "/a//b?c#d" {
		t.Errorf("status %d to %q: %s, %v", resp.StatusCode, resp.Header.Get("Location"), body, err)
	}
	if u, _ := url.Parse(app.URL); len(browser.Jar.Cookies(u)) > 0 {
		t.Error("the login cookie is still there")
	}
	if n := len(provider.TokenRequests()); n != 1 {
		t.Errorf("the token endpoint saw %d requests", n)
	}
}
