package session_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// TestSignedOutID: the id of a person who signed out signs nobody in and gives no
// token, at no instance (D28).
func TestSignedOutID(t *testing.T) {
	a := newApp(t, setup{instances: 2})
	b, thief := a.browser(t), a.browser(t)
	b.signIn("alice", "/account")
	thief.setCookie(cookieOf(b.cookie(cookieName)))
	thief.wantSeen("alice") // until then it is hers
	b.do(http.MethodPost, "/logout").wantStatus(t, 303)
	for i := range a.instances {
		a.at.Store(int32(i))
		for _, path := range []string{"/account", "/token", "/set?v=1", "/poll", "/devices"} {
			thief.get(path).wantStatus(t, 303)
		}
		thief.get("/maybe").wantStatus(t, 200, "nobody")
	}
	a.wantNothing(t)
}

// TestWhatAThiefOfTheStorePresents: what the store has, and an id of an app with
// another key, is no session (D28).
func TestWhatAThiefOfTheStorePresents(t *testing.T) {
	a := newApp(t, setup{instances: 2, session: func(i int, c *session.Config) {
		if i == 1 {
			c.Keys = [][]byte{world.Key('x')}
		}
	}})
	b, thief := a.browser(t), a.browser(t)
	b.signIn("alice", "/account")
	values := []string{}
	for _, key := range a.store.keys() {
		values = append(values, base64.RawURLEncoding.EncodeToString(key.ID[:]))
	}
	for _, value := range values {
		thief.setCookie(cookieOf(value))
		thief.get("/maybe").wantStatus(t, 200, "nobody")
	}
	a.at.Store(1) // this one has the store and another key
	b.get("/maybe").wantStatus(t, 200, "nobody")
	b.get("/status").wantStatus(t, 200, `"signed_in":false`)
}

// TestNextIsLocal: whatever a request looks like, what comes after the sign-in is
// a path of this app.
func TestNextIsLocal(t *testing.T) {
	a := newApp(t, setup{})
	in := a.instances[0]
	in.mux.Handle("/", in.Require(http.NotFoundHandler()))
	b := a.browser(t)
	for _, path := range []string{
		"//evil.example/x", "/%5Cevil.example", "/\\evil.example", "/%2F/evil.example", "/..//evil.example", "/a?next=//evil.example",
		"/%09/evil.example", "/@evil.example",
	} {
		r, _ := http.NewRequest("GET", a.URL, nil)
		r.URL.Opaque = "//" + r.URL.Host + path
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		resp := b.read(b.Do(r))
		if to, err := resp.Location(); err == nil { // the mux cleans some paths first
			wantLocal(t, path, to.Query().Get("next"))
		}
	}
	for _, referer := range []string{"https://evil.example/x", a.URL + "//evil.example", a.URL + `/\evil.example`,
		"https://" + strings.TrimPrefix(a.URL, "https://") + "@evil.example/"} {
		var answer struct {
			URL string `json:"login_url"`
		}
		resp := b.get("/account", "Sec-Fetch-Mode", "cors", "Referer", referer)
		if err := json.Unmarshal([]byte(resp.text), &answer); err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(answer.URL)
		if err != nil || u.Host != "" {
			t.Fatalf("%s: the script gets %s", referer, answer.URL)
		}
		wantLocal(t, referer, u.Query().Get("next"))
	}
}

// wantLocal checks that a browser takes next for a path of the app.
func wantLocal(t *testing.T, name, next string) {
	t.Helper()
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || len(next) > 1 && strings.Contains(`/\`, next[1:2]) {
		t.Errorf("%s: next is %q", name, next)
	}
}

// TestSignOutFromElsewhere: which requests of another site, or of a sibling
// subdomain, sign nobody out.
func TestSignOutFromElsewhere(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	for _, headers := range [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"},
		{"Sec-Fetch-Site", "cross-site", "X-Requested-With", "XMLHttpRequest"},
		{"Sec-Fetch-Site", "cross-site", "X-HTTP-Method-Override", "GET"},
		{"Sec-Fetch-Site", "", "Origin", "null"}, {"Sec-Fetch-Site", "", "Origin", "https://a.evil.example"},
		{"Sec-Fetch-Site", "cross-site", "Origin", a.URL},
	} {
		b.do(http.MethodPost, "/logout", headers...).wantStatus(t, 403, "session.origin")
	}
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		b.do(method, "/logout").wantStatus(t, 405)
	}
	b.do("GET", "/logout", "X-HTTP-Method-Override", "POST").wantStatus(t, 405)
	b.wantSeen("alice")
}

// TestWhatCachesSee: no answer about a session may be kept, whatever a middleware
// has set.
func TestWhatCachesSee(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	nobody := a.browser(t)
	for _, path := range []string{"/account", "/poll", "/status", "/devices", "/maybe"} {
		if got := b.get(path).Header.Values("Cache-Control"); len(got) != 1 || got[0] != "no-store" {
			t.Errorf("%s: Cache-Control is %q", path, got)
		}
		resp := nobody.get(path)
		if got := resp.Header.Get("Cache-Control"); got != "no-store" && resp.Header.Get("Vary") != "Cookie" {
			t.Errorf("%s for nobody: %v", path, resp.Header)
		}
	}
}
