package tenants_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// TestWholeLogins: tenants of every kind sign in, beside each other, in one
// browser, at one of two instances that share the keys.
func TestWholeLogins(t *testing.T) {
	a := newApp(t, 2)
	shared, own, posted, mute := a.provider(), a.provider(), a.provider(), silent(a.provider())
	a.tenant("shared", shared)
	a.tenant("own", own, a.ownPath)
	a.tenant("posted", posted, formPost)
	a.tenant("own and posted", mute, a.ownPath, formPost)
	b := a.browser()
	var pending []func()
	for key, srv := range map[string]*authserver.Server{
		"shared": shared, "own": own, "posted": posted, "own and posted": mute,
	} {
		b.wantSignIn(key, srv)
		r := b.callback(key, srv)
		pending = append(pending, func() {
			if status, text := b.deliver(srv, r); status != http.StatusOK || text != "alice of "+key {
				t.Errorf("%s at another instance: %d %s, %v", key, status, text, a.lastError())
			}
			// One-time use holds over all tenants.
			again := r.Clone(t.Context())
			if r.GetBody != nil {
				again.Body, _ = r.GetBody()
			}
			if status, _ := b.deliver(srv, again); status == http.StatusOK {
				t.Errorf("%s: the callback worked twice", key)
			}
		})
	}
	a.at.Store(1)
	for _, finish := range pending {
		finish()
	}
	if len(posted.TokenRequests()) != 2 {
		t.Errorf("the codes were sent %d times, want 2", len(posted.TokenRequests()))
	}
}

// TestKeys: keys are the app's, and any two of them are two tenants.
func TestKeys(t *testing.T) {
	t.Parallel()
	a := newApp(t, 1)
	srv := a.provider()
	keys := []string{
		"acme", "Acme", "acme.", ".acme", "acme ", "a/b", "a%2Fb", "..", "ä", "a\u0308", "ⅷ", "viii",
		"tenant\x00", "shop.example:8443", "7d4a0a0e-5f5b-4b7a-a7f1-2d6f4b1f0c11",
		"{tenant}", "{host}", strings.Repeat("k", 255), strings.Repeat("k", 254) + "l",
	}
	for _, key := range keys {
		a.tenant(key, srv)
		a.browser().wantSignIn(key, srv)
		a.tenant(key, srv, a.ownPath)
		a.browser().wantSignIn(key, srv)
	}
	paths := make(map[string]string)
	for _, key := range keys {
		path := strings.ToLower(a.instances[0].OwnRedirectURL(key))
		if other, ok := paths[path]; ok {
			t.Errorf("%q and %q have the redirect URL %s", key, other, path)
		}
		paths[path] = key
	}
	for key, loads := range map[string]int{"": 0, strings.Repeat("k", 256): 0, "unknown": 1} {
		status, _ := a.browser().get(a.loginURL(key))
		a.wantRefusal(status, authcode.NotFound, "tenants.unknown")
		if n := a.loaded(key); n != loads {
			t.Errorf("a key of %d bytes was loaded %d times", len(key), n)
		}
	}
}

// TestCookieNames: a login cookie has the registry's name and nothing of the key.
func TestCookieNames(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.tenant("customer-of-ours", srv)
	resp, err := a.browser().Get(a.loginURL("customer-of-ours"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	set := strings.Join(resp.Header["Set-Cookie"], "\n")
	if !strings.HasPrefix(set, "__Host-login-tenants-") || strings.Contains(set, "customer") ||
		!strings.Contains(set, "SameSite=Lax") {
		t.Errorf("the login cookie is %s", set)
	}
}

// TestSignedResponses: a tenant with signed responses needs a path of its own,
// and signs in there.
func TestSignedResponses(t *testing.T) {
	for claim, change := range map[string]func(*authcode.Config){
		"by GET": func(*authcode.Config) {}, "by POST": formPost,
	} {
		t.Run(claim, func(t *testing.T) {
			a := newApp(t, 1)
			srv, other := a.provider(), a.provider()
			signed := func(cfg *authcode.Config) {
				cfg.MessageSigning.SignedResponses = true
			}
			a.tenant("other", other, a.ownPath, signed, change)
			a.tenant("signed", srv, a.ownPath, signed, change)
			b := a.browser()
			b.callback("other", other) // is pending beside it
			b.wantSignIn("signed", srv)
			b.wantSignIn("other", other)
			a.tenant("signed", srv, signed)
			status, _ := b.get(a.loginURL("signed"))
			a.wantRefusal(status, authcode.Configuration, "tenants.signed")
			// The answer of one at the path of the other.
			a.tenant("signed", srv, a.ownPath, signed, change)
			r := b.callback("signed", srv)
			r.URL.Path = "/callback/other"
			status, _ = b.deliver(srv, r)
			if e := a.lastError(); status == http.StatusOK || e.Reason != authcode.Forged {
				t.Errorf("at another path: %d, %v", status, e)
			}
			wantNothingSentSince(t, srv, 1)
		})
	}
}

// TestSignedResponseBesideAnother: a login that is under way with a tenant which
// cannot be loaded any more is in nobody's way.
func TestSignedResponseBesideAnother(t *testing.T) {
	a := newApp(t, 1)
	srv, other := a.provider(), a.provider()
	signed := func(cfg *authcode.Config) { cfg.MessageSigning.SignedResponses = true }
	a.tenant("signed", srv, a.ownPath, signed)
	for _, lose := range []func(){
		func() { a.remove("other") }, func() { a.set("other", row{err: errors.New("down")}) },
	} {
		a.tenant("other", other, a.ownPath, signed)
		b := a.browser()
		first := b.callback("signed", srv)
		b.callback("other", other)
		lose()
		if status, text := b.deliver(srv, first); status != http.StatusOK {
			t.Errorf("%d %s, %v", status, text, a.lastError())
		}
	}
}

// TestSignedResponseOfAnotherLogin: the browser must have begun the login that is
// named inside the JWT, and present its cookie once.
func TestSignedResponseOfAnotherLogin(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.tenant("signed", srv, a.ownPath, func(cfg *authcode.Config) { cfg.MessageSigning.SignedResponses = true })
	attacker, victim := a.browser(), a.browser()
	planted := attacker.callback("signed", srv)
	own := victim.callback("signed", srv)
	status, _ := victim.deliver(srv, planted)
	a.wantRefusal(status, authcode.NoLogin, "cookie.missing")
	twice := own.Clone(t.Context())
	for _, c := range victim.Jar.Cookies(own.URL) {
		twice.AddCookie(c)
	}
	status, _ = victim.deliver(srv, twice)
	a.wantRefusal(status, authcode.NoLogin, "cookie.missing")
	wantNothingSent(t, srv)
	if status, text := victim.deliver(srv, own); status != http.StatusOK {
		t.Errorf("the victim's own login: %d %s, %v", status, text, a.lastError())
	}
}

// TestPlantedLogins: of the cookies that a signed response may belong to, at most
// twenty are opened, the newest first.
func TestPlantedLogins(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.tenant("signed", srv, a.ownPath, func(cfg *authcode.Config) { cfg.MessageSigning.SignedResponses = true })
	for planted, check := range map[int]string{19: "", 20: "cookie.missing"} {
		b := a.browser()
		r := b.callback("signed", srv)
		for n := range planted {
			later := strconv.FormatInt(time.Now().Add(time.Second).UnixMilli(), 36)
			r.AddCookie(&http.Cookie{
				Name: fmt.Sprintf("__Host-login-tenants-%s-%022dabcg", later, n), Value: "planted",
			})
		}
		status, text := b.deliver(srv, r)
		if check != "" {
			a.wantRefusal(status, authcode.NoLogin, check)
		} else if status != http.StatusOK {
			t.Errorf("beside %d cookies: %d %s, %v", planted, status, text, a.lastError())
		}
	}
	wantNothingSentSince(t, srv, 1)
}

// TestPostedTwice: after a double click the second POST has no cookie, since that
// of the first is Lax, or the cookie with the answer. Both go on with the GET that
// finishes the login.
func TestPostedTwice(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.tenant("posts", srv, formPost)
	b := a.browser()
	r := b.posted("posts", srv)
	post := func(b *browser) (status int, to string) {
		again := httptest.NewRequest(http.MethodPost, r.URL.String(), strings.NewReader(r.PostForm.Encode()))
		again.RequestURI = ""
		again.Header = r.Header.Clone()
		resp, err := srv.Visit(b.Client, again)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Location")
	}
	first, to := post(b)
	if first != http.StatusSeeOther {
		t.Fatalf("the first POST: %d, %v", first, a.lastError())
	}
	for claim, again := range map[string]*browser{"with the answer": b, "without a cookie": a.browser()} {
		if status, same := post(again); status != http.StatusSeeOther || same != to {
			t.Errorf("%s: %d to %q, want %q: %v", claim, status, same, to, a.lastError())
		}
	}
	if status, text := b.get(a.URL + "/callback" + to); status != http.StatusOK || text != "alice of posts" {
		t.Errorf("the GET: %d %s, %v", status, text, a.lastError())
	}
}

func wantNothingSentSince(t *testing.T, srv *authserver.Server, n int) {
	t.Helper()
	if got := len(srv.TokenRequests()); got != n {
		t.Errorf("%s was sent %d token requests, want %d", srv.URL, got, n)
	}
}
