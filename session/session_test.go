package session_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

const cookieName = "__Host-Http-session"

// TestSignedIn: a person is sent to sign in, comes back to the same page, is
// known at every instance, and signs out at all of them.
func TestSignedIn(t *testing.T) {
	a := newApp(t, setup{instances: 3})
	b := a.browser(t)
	resp := b.get("/account?tab=2&x=%20")
	resp.wantStatus(t, 303)
	if got := resp.Header.Get("Location"); got != "/login?next=%2Faccount%3Ftab%3D2%26x%3D%2520" {
		t.Errorf("the person is sent to %s", got)
	}
	b.signIn("alice", "/account?tab=2&x=%20")
	a.wantEvents(t, "signed_in")
	if len(b.cookie(cookieName)) != 43 {
		t.Errorf("the cookie is %q", b.cookie(cookieName))
	}
	for i := range a.instances {
		a.at.Store(int32(i))
		b.wantSeen("alice")
		if b.get("/maybe").text != "alice" {
			t.Error("Optional does not see the person")
		}
	}
	if token := b.get("/token"); token.StatusCode != 200 || token.text == "" {
		t.Errorf("no token: %d %s", token.StatusCode, token.text)
	}
	stolen := b.cookie(cookieName)
	b.do(http.MethodPost, "/logout").wantStatus(t, 303)
	a.wantEvents(t, "ended sign_out")
	if b.cookie(cookieName) != "" {
		t.Error("the cookie is still there")
	}
	thief := a.browser(t)
	thief.setCookie(&http.Cookie{Name: cookieName, Value: stolen, Path: "/", Secure: true})
	for i := range a.instances {
		a.at.Store(int32(i))
		b.wantSeen("")
		thief.wantSeen("")
	}
	if b.get("/maybe").text != "nobody" {
		t.Error("Optional sees somebody who has signed out")
	}
}

// TestOneOperation: a request costs one operation of the store, a token one
// more, and with CacheFor none.
func TestOneOperation(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	for path, want := range map[string][]string{
		"/account": {"Load session"}, "/maybe": {"Load session"}, "/status": {"Load session"},
		"/token": {"Load session", "Load grant"},
	} {
		a.store.took()
		b.get(path).wantStatus(t, 200)
		if got := a.store.took(); !slices.Equal(got, want) {
			t.Errorf("%s took %q, want %q", path, got, want)
		}
	}
}

// TestGuards: guards inside each other look once, those of other Sessions look
// for themselves, and a browser without a cookie costs nothing.
func TestGuards(t *testing.T) {
	a, other := newApp(t, setup{}), newApp(t, setup{})
	ok := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {})
	in := other.instances[0]
	in.mux.Handle("/twice", in.Optional(in.Require(ok)))
	in.mux.Handle("/both", in.Require(a.instances[0].Require(ok)))
	public := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "private")
	})
	in.mux.Handle("/outer", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		public(w, r)
		in.Require(ok).ServeHTTP(w, r)
	}))
	in.mux.Handle("/inner", in.Require(public))
	b := other.browser(t)
	b.get("/account").wantStatus(t, 303)
	if calls := other.store.took(); len(calls) > 0 {
		t.Errorf("without a cookie the store was asked: %q", calls)
	}
	b.signIn("alice", "/account")
	other.store.took()
	b.get("/twice").wantStatus(t, 200)
	if calls := other.store.took(); len(calls) != 1 {
		t.Errorf("two guards took %q", calls)
	}
	if resp := b.get("/both"); resp.StatusCode == 200 {
		t.Error("a session of other Sessions counts")
	}
	for path, want := range map[string]string{"/account": "no-store", "/outer": "no-store", "/inner": "private"} {
		if got := b.get(path).Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control is %q, want %q", path, got, want)
		}
	}
	for _, b := range []*browser{b, other.browser(t)} {
		if got := b.get("/maybe").Header.Get("Vary"); got != "Cookie" {
			t.Errorf("Vary is %q", got)
		}
	}
}

// TestCookie: the attributes of the cookies.
func TestCookie(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	resp := b.read(a.provider.SignIn(b.Client, a.URL+"/login"))
	found := 0
	for _, line := range resp.Header["Set-Cookie"] {
		if !strings.HasPrefix(line, cookieName) {
			continue
		}
		found++
		want := "; Path=/; HttpOnly; Secure; SameSite=Lax"
		if strings.HasPrefix(line, cookieName+"-new=") {
			want = "; Path=/; Max-Age=30; HttpOnly; Secure; SameSite=Lax"
		}
		if _, rest, _ := strings.Cut(line, ";"); ";"+rest != want {
			t.Errorf("the cookie is %s, want %s", line, want)
		}
	}
	if found != 2 {
		t.Errorf("%d cookies are set", found)
	}
}

// TestNewID: each sign-in has a new id and ends the browser's former session,
// and one that was planted is worth nothing.
func TestNewID(t *testing.T) {
	a := newApp(t, setup{})
	b, attacker := a.browser(t), a.browser(t)
	planted := strings.Repeat("A", 43)
	b.setCookie(&http.Cookie{Name: cookieName, Value: planted, Path: "/", Secure: true})
	b.signIn("alice", "/account")
	first := b.cookie(cookieName)
	b.signIn("bob", "/account")
	a.wantEvents(t, "signed_in", "ended sign_in", "signed_in")
	for _, value := range []string{planted, first} {
		attacker.setCookie(&http.Cookie{Name: cookieName, Value: value, Path: "/", Secure: true})
		attacker.wantSeen("")
	}
	b.wantSeen("bob")
}

// TestAnswers: how people and scripts are answered who are not signed in.
func TestAnswers(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	page := "Referer"
	for _, row := range []struct {
		name, method string
		header       []string
		status       int
		texts        []string
	}{
		{"a page", "GET", nil, 303, nil},
		{"HEAD", "HEAD", nil, 303, nil},
		{"a form", "POST", []string{page, a.URL + "/form?id=1"}, 401,
			[]string{"was not saved", `href="/login?next=%2Fform%3Fid%3D1"`}},
		{"a form of a page that is not a URL", "POST", []string{page, "https://[::1/form"}, 401, []string{`href="/login"`}},
		{"a form of another site", "POST", []string{page, "https://evil.example/x"}, 401, []string{`href="/login"`}},
		{"fetch", "GET", []string{"Sec-Fetch-Mode", "cors", page, a.URL + "/form"}, 401,
			[]string{`"error":"login_required"`, `"login_url":"/login?next=%2Fform"`}},
		{"fetch with POST", "POST", []string{"Sec-Fetch-Mode", "cors"}, 401, []string{`"login_required"`}},
		{"a program that wants JSON", "GET", []string{"Sec-Fetch-Mode", "navigate", "Accept", "application/json"},
			401, []string{`"login_required"`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			resp := b.do(row.method, "/account", row.header...)
			resp.wantStatus(t, row.status, row.texts...)
			if resp.Header.Get("Cache-Control") != "no-store" {
				t.Error("the answer may be stored")
			}
		})
	}
}

// TestNoLoop: a browser that has just signed in and has no session gets one
// page, and after its link everything anew.
func TestNoLoop(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	b.setCookie(&http.Cookie{Name: cookieName, Value: "lost", Path: "/", Secure: true})
	b.get("/account").wantStatus(t, 401, "Your sign-in was lost", `href="/login?next=%2Faccount"`)
	b.get("/account").wantStatus(t, 303)
	b.signIn("alice", "/account")
	b.wantSeen("alice")
}

// TestTwoCookies: of two session cookies one was planted, so nobody is signed
// in.
func TestTwoCookies(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	id := b.cookie(cookieName)
	for name, line := range map[string]string{
		"two":             cookieName + "=" + strings.Repeat("A", 43) + "; " + cookieName + "=" + id,
		"twice the same":  cookieName + "=" + id + "; " + cookieName + "=" + id,
		"too long":        cookieName + "=" + id + "A",
		"other alphabet":  cookieName + "=" + id[:42] + "+",
		"another's name":  "session-new=" + id,
		"plain elsewhere": "session=" + id,
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := http.NewRequest("GET", a.URL+"/maybe", nil)
			r.Header.Set("Cookie", line)
			if name == "plain elsewhere" {
				r.Host = "app.example"
			}
			a.store.took()
			resp := b.read((&http.Client{Transport: b.Transport}).Do(r))
			resp.wantStatus(t, 200, "nobody")
			if calls := a.store.took(); len(calls) > 0 {
				t.Errorf("the store was asked: %q", calls)
			}
		})
	}
}

// TestStoreDown: while the store is down, people get a page and keep their
// session.
func TestStoreDown(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	a.store.setDown(true)
	resp := b.get("/account")
	resp.wantStatus(t, 503, "Nothing has changed")
	if resp.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", resp.Header.Get("Retry-After"))
	}
	b.get("/account", "Sec-Fetch-Mode", "cors").wantStatus(t, 503, `"error":"overloaded"`)
	b.get("/maybe").wantStatus(t, 200, "nobody")
	b.do("POST", "/logout").wantStatus(t, 503)
	resp = b.read(a.provider.SignIn(a.browser(t).Client, a.URL+"/login"))
	resp.wantStatus(t, 503)
	a.store.setDown(false)
	b.wantSeen("alice")
}
