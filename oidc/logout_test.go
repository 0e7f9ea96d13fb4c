package oidc_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

const returnURL = "https://app.example/bye"

func TestLogoutURL(t *testing.T) {
	rows := []struct {
		claim    string
		endpoint any
		logout   oidc.Logout
		want     string
		check    string
	}{
		{claim: "nothing is needed", endpoint: "https://op.example/logout", want: "https://op.example/logout?client_id=id+1"},
		{claim: "all parameters are sent", endpoint: "https://op.example/logout",
			logout: oidc.Logout{IDToken: "a.b.c", ReturnURL: returnURL, Hint: "alice&x=1", ReturnTo: "/x"},
			want: "https://op.example/logout?client_id=id+1&id_token_hint=a.b.c&logout_hint=alice%26x%3D1" +
				"&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye"},
		{claim: "the endpoint's own query is kept", endpoint: "https://op.example/logout?policy=a%20b",
			want: "https://op.example/logout?policy=a%20b&client_id=id+1"},
		{claim: "a hint that makes the URL too long is left out", endpoint: "https://op.example/logout",
			logout: oidc.Logout{IDToken: strings.Repeat("x", 6001)}, want: "https://op.example/logout?client_id=id+1"},
		{claim: "a hint of the longest length is sent", endpoint: "https://op.example/logout",
			logout: oidc.Logout{IDToken: strings.Repeat("x", 6000)}, want: "https://op.example/logout?client_id=id+1&id_token_hint=" + strings.Repeat("x", 6000)},
		{claim: "no endpoint is reported", check: "logout.endpoint"},
		{claim: "an endpoint over http is not used", endpoint: "http://op.example/logout", check: "logout.endpoint"},
		{claim: "a script is not used", endpoint: "javascript:alert(1)", check: "logout.endpoint"},
		{claim: "a return URL must be absolute", endpoint: "https://op.example/logout", logout: oidc.Logout{ReturnURL: "/bye"}, check: "logout.return_url"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			p.metadata = changed(p.metadata, members{"end_session_endpoint": row.endpoint})
			c := newMemLogin(t, p, oidc.Provider(memIssuer), func(c *authcode.Config) { c.ClientID = "id 1" })
			got, err := oidc.LogoutURL(t.Context(), c, row.logout)
			if row.check != "" {
				wantError(t, err, authcode.Configuration, row.check)
			} else if err != nil || got != row.want {
				t.Errorf("got %s, %v\nwant %s", got, err, row.want)
			}
		})
	}
}

// leave makes a browser leave through the handler and come back with what query makes of the state.
func leave(t *testing.T, l oidc.Logout, query func(state string) string) (there *url.URL, back *http.Response) {
	t.Helper()
	p := newMemOP("RS256")
	h := oidc.LogoutHandler(newMemLogin(t, p, oidc.Provider(memIssuer)),
		func(http.ResponseWriter, *http.Request) (oidc.Logout, error) { return l, nil })
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("POST", "https://app.example/logout", nil))
	if rec.Code != 303 || rec.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("status %d, header %v", rec.Code, rec.Header())
	}
	there = must(url.Parse(rec.Header().Get("Location")))
	r := httptest.NewRequest("GET", "https://app.example/bye"+query(there.Query().Get("state")), nil)
	for _, c := range rec.Result().Cookies() {
		if strings.HasPrefix(l.ReturnURL, "https") && (c.Name != "__Host-logout" || !c.Secure || c.Path != "/" || c.Domain != "") ||
			!c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 600 || len(c.Value) > 800 {
			t.Errorf("the cookie is %v", c)
		}
		r.AddCookie(c)
	}
	rec = httptest.NewRecorder()
	oidc.LogoutReturnHandler().ServeHTTP(rec, r)
	return there, rec.Result()
}

func TestLogoutAndReturn(t *testing.T) {
	good := oidc.Logout{IDToken: "a.b.c", ReturnURL: returnURL, ReturnTo: "/shop?x=1#y"}
	same := func(state string) string { return "?state=" + state }
	rows := []struct {
		claim  string
		logout oidc.Logout
		query  func(string) string
		to     string
	}{
		{"the return path survives", good, same, "/shop?x=1#y"},
		{"http on loopback works", oidc.Logout{ReturnURL: "http://localhost:8080/bye", ReturnTo: "/shop"}, same, "/shop"},
		{"http below localhost works", oidc.Logout{ReturnURL: "http://app.localhost/bye", ReturnTo: "/shop"}, same, "/shop"},
		{"another state goes home", good, func(string) string { return "?state=x" }, "/"},
		{"no state goes home", good, func(string) string { return "" }, "/"},
		{"a path elsewhere becomes home", oidc.Logout{ReturnURL: returnURL, ReturnTo: "//evil.example"}, same, "/"},
		{"a URL becomes home", oidc.Logout{ReturnURL: returnURL, ReturnTo: "https://evil.example/"}, same, "/"},
		{"a long path becomes home", oidc.Logout{ReturnURL: returnURL, ReturnTo: "/" + strings.Repeat("x", 5000)}, same, "/"},
		{"no path is home", oidc.Logout{ReturnURL: returnURL}, same, "/"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			there, back := leave(t, row.logout, row.query)
			if sent := there.Query(); there.Host != "op.example" || len(sent.Get("state")) < 22 ||
				sent.Get("post_logout_redirect_uri") != row.logout.ReturnURL || sent.Get("id_token_hint") != row.logout.IDToken {
				t.Errorf("sent to %s", there)
			}
			if got := back.Header.Get("Location"); back.StatusCode != 303 || got != row.to {
				t.Errorf("status %d, sent on to %q, want %q", back.StatusCode, got, row.to)
			}
			if c := back.Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
				t.Errorf("the cookie is not cleared: %v", c)
			}
		})
	}
}

// TestLogoutWithoutReturn: no return URL, no state and no cookie.
func TestLogoutWithoutReturn(t *testing.T) {
	there, back := leave(t, oidc.Logout{IDToken: "a.b.c"}, func(string) string { return "" })
	if there.RawQuery != "client_id="+memClient+"&id_token_hint=a.b.c" || len(back.Cookies()) > 0 || back.Header.Get("Location") != "/" {
		t.Errorf("sent to %s, then %v", there, back.Header)
	}
}

// TestLogoutReturnIsTolerant: whatever comes back, the person goes on.
func TestLogoutReturnIsTolerant(t *testing.T) {
	for _, cookie := range []string{"", "x", ".", "x.!!", "x.L2Fi.", "." + b64([]byte("/evil"))} {
		for _, target := range []string{"/bye", "/bye?state=", "/bye?state=x", "/bye?%zz", "/bye?error=x&state=x&state=y"} {
			for _, method := range []string{"GET", "POST"} {
				r := httptest.NewRequest(method, "https://app.example/bye", nil)
				r.URL = must(url.Parse("https://app.example" + target))
				r.Header.Set("Cookie", "__Host-logout="+cookie)
				rec := httptest.NewRecorder()
				oidc.LogoutReturnHandler().ServeHTTP(rec, r)
				if rec.Code != 303 || rec.Header().Get("Location") != "/" {
					t.Errorf("%s %s with %q: %d, %s", method, target, cookie, rec.Code, rec.Header().Get("Location"))
				}
			}
		}
	}
}

// logoutRequests are requests to the address that signs people out.
var logoutRequests = []struct {
	claim, method, site string
	fail                error
	reason              authcode.Reason
	check               string
}{
	{"a link does not", "GET", "same-origin", nil, authcode.WrongMethod, "logout.method"},
	{"another site's form does not", "POST", "cross-site", nil, authcode.NotNavigation, "logout.origin"},
	{"another host's form does not", "POST", "same-site", nil, authcode.NotNavigation, "logout.origin"},
	{"the app's own error is told", "POST", "same-origin", errors.New("mine"), authcode.Configuration, "logout.end"},
	{"a form of ours does", "POST", "same-origin", nil, "", ""},
}

// TestLogoutRefusals: only a form of the app's own pages signs anybody out.
func TestLogoutRefusals(t *testing.T) {
	for _, row := range logoutRequests {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			ended, refused := 0, 0
			c := newMemLogin(t, p, oidc.Provider(memIssuer), func(c *authcode.Config) {
				c.OnError = func(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
					refused++
					wantError(t, err, row.reason, row.check)
					authcode.ErrorPage(w, r, err)
				}
			})
			h := oidc.LogoutHandler(c, func(http.ResponseWriter, *http.Request) (oidc.Logout, error) {
				ended++
				return oidc.Logout{}, row.fail
			})
			r := httptest.NewRequest(row.method, "https://app.example/logout", nil)
			r.Header.Set("Sec-Fetch-Site", row.site)
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, r)
			called := row.reason == "" || row.fail != nil
			if (ended == 1) != called || (refused == 1) != (row.reason != "") {
				t.Errorf("ended %d, refused %d", ended, refused)
			}
			if row.reason != "" && rec.Code != row.reason.Status() || row.reason == "" && rec.Code != 303 {
				t.Errorf("status %d", rec.Code)
			}
		})
	}
}

// TestLogoutWhileDown: the person is signed out of the app all the same.
func TestLogoutWhileDown(t *testing.T) {
	p := newMemOP("RS256")
	p.answer(memMetadata, down)
	h := oidc.LogoutHandler(newMemLogin(t, p, oidc.Provider(memIssuer)), func(http.ResponseWriter, *http.Request) (oidc.Logout, error) {
		return oidc.Logout{ReturnURL: returnURL, ReturnTo: "/shop"}, nil
	})
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest("POST", "https://app.example/logout", nil))
	if rec.Code != 303 || rec.Header().Get("Location") != "/shop" || rec.Header().Get("Set-Cookie") != "" {
		t.Errorf("status %d, %v", rec.Code, rec.Header())
	}
}

// TestLogoutElsewhere: a provider without metadata has the endpoint that the app gave, or none.
func TestLogoutElsewhere(t *testing.T) {
	p := newMemOP("RS256")
	static := authcode.Provider{Name: "x", Endpoints: authcode.Endpoints{AuthURL: "https://op.example/authorize", TokenURL: "https://op.example/token"}}
	_, err := oidc.LogoutURL(t.Context(), newMemLogin(t, p, static), oidc.Logout{})
	wantError(t, err, authcode.Configuration, "logout.endpoint")
	static.EndSessionURL = "https://op.example/bye"
	got, err := oidc.LogoutURL(t.Context(), newMemLogin(t, p, static), oidc.Logout{Hint: "alice"})
	if err != nil || got != "https://op.example/bye?client_id="+memClient+"&logout_hint=alice" || len(p.seen) > 0 {
		t.Errorf("got %s, %v, %d requests", got, err, len(p.seen))
	}
}
