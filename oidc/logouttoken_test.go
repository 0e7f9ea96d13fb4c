package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/oidc"
)

var logoutEvents = members{"http://schemas.openid.net/event/backchannel-logout": members{}}

// logoutToken is a good logout token, changed.
func (p *memOP) logoutToken(changes members) string {
	return p.key.sign(payload(p.logoutClaims(), changes), members{"typ": "logout+jwt"})
}

func (p *memOP) logoutClaims() members {
	return members{
		"iss": memIssuer, "aud": memClient, "iat": in(0), "exp": in(120), "jti": "j1",
		"sub": "alice", "sid": "s1", "events": logoutEvents,
	}
}

// TestLogoutTokenIsNoIDToken: the other way round.
func TestLogoutTokenIsNoIDToken(t *testing.T) {
	p := newMemOP("RS256")
	_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(p.logoutToken(nil)))
	wantError(t, err, authcode.IdentityRefused, "id_token.typ")
	_, err = identify(t.Context(), oidc.Provider(memIssuer), p.login(p.key.sign(payload(p.logoutClaims(), nil), nil)))
	wantError(t, err, authcode.IdentityRefused, "id_token.nonce")
}

// otherRequests are requests that are no form with a logout token.
func otherRequests(p *memOP) []*http.Request {
	text := form("logout_token=" + p.logoutToken(members{"jti": "j3"}))
	text.Header.Set("Content-Type", "text/plain")
	return []*http.Request{
		text,
		httptest.NewRequest("GET", "https://app.example/logout?logout_token="+p.logoutToken(members{"jti": "j3"}), nil),
		httptest.NewRequest("POST", "https://app.example/logout?logout_token="+p.logoutToken(members{"jti": "j3"}), nil),
		httptest.NewRequest("POST", "https://app.example/logout", strings.NewReader("logout_token="+p.logoutToken(members{"jti": "j3"}))),
		form("logout_token=" + strings.Repeat("x", 70_000)),
		form("logout_token=" + p.logoutToken(members{"jti": "j3"}) + "&x=" + strings.Repeat("x", 70_000)),
		form("logout_token=%zz"),
	}
}

func TestBackChannelLogout(t *testing.T) {
	p := newMemOP("RS256")
	var got []oidc.LogoutToken
	var fail error
	h := oidc.BackChannelLogoutHandler(newMemLogin(t, p, oidc.Provider(memIssuer)),
		func(_ context.Context, l oidc.LogoutToken) error {
			got = append(got, l)
			return fail
		})
	send := func(claim string, status, calls int, form url.Values) {
		t.Helper()
		rec := post(h, form)
		if rec.Code != status || rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: status %d, header %v", claim, rec.Code, rec.Header())
		}
		if len(got) != calls {
			t.Errorf("%s: the app was told %d times, want %d", claim, len(got), calls)
		}
	}
	token := url.Values{"logout_token": {p.logoutToken(nil)}}
	send("no token", 400, 0, nil)
	send("two tokens", 400, 0, url.Values{"logout_token": {token.Get("logout_token"), token.Get("logout_token")}})
	send("a bad token", 400, 0, url.Values{"logout_token": {"x"}})
	fail = errors.New("the database is down")
	send("the app cannot", 400, 1, token)
	fail = nil
	send("the provider tries again", 200, 2, token)
	send("a token twice", 400, 2, token)
	send("the next token", 200, 3, url.Values{"logout_token": {p.logoutToken(members{"jti": "j2"})}, "extra": {"ignored"}})
	if want := (oidc.LogoutToken{Issuer: memIssuer, Subject: "alice", SessionID: "s1", ID: "j1"}); got[1] != want {
		t.Errorf("the app was told %+v, want %+v", got[1], want)
	}
	for _, r := range otherRequests(p) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != 400 || rec.Header().Get("Cache-Control") != "no-store" || len(got) != 3 {
			t.Errorf("%s %s: status %d, the app was told %d times", r.Method, r.URL.Path, rec.Code, len(got))
		}
	}
}

// TestLogoutTokenOnce: also when the same token comes many times at once, and until it has expired.
func TestLogoutTokenOnce(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		var calls atomic.Int64
		refused := make(chan error, 20)
		h := oidc.BackChannelLogoutHandler(newMemLogin(t, p, oidc.Provider(memIssuer)), func(context.Context, oidc.LogoutToken) error {
			calls.Add(1)
			time.Sleep(time.Second)
			return nil
		}, oidc.Notify(func(_ *http.Request, err error) { refused <- err }))
		token := p.logoutToken(nil)
		for range 20 {
			go post(h, url.Values{"logout_token": {token}})
		}
		time.Sleep(2 * time.Second)
		if n := calls.Load(); n != 1 {
			t.Errorf("the app was told %d times", n)
		}
		for range 19 {
			wantError(t, <-refused, authcode.IdentityRefused, "logout_token.jti")
		}
		time.Sleep(170 * time.Second) // 120 until exp, 60 of leeway
		post(h, url.Values{"logout_token": {token}})
		wantError(t, <-refused, authcode.IdentityRefused, "logout_token.jti")
		time.Sleep(10 * time.Second)
		post(h, url.Values{"logout_token": {token}})
		wantError(t, <-refused, authcode.IdentityRefused, "logout_token.exp")
		if n := calls.Load(); n != 1 {
			t.Errorf("the app was told %d times", n)
		}
	})
}

// TestLogoutTokenAge: one whose exp is far away or missing is remembered until its age alone refuses it.
func TestLogoutTokenAge(t *testing.T) {
	for _, exp := range []any{in(1e9), nil} {
		bubble.Test(t, func(t *testing.T) {
			p := newMemOP("RS256")
			app := newLogoutApp(t, p)
			token := p.logoutToken(members{"exp": exp})
			if _, err := app.post(t, token); err != nil {
				t.Fatal(err)
			}
			time.Sleep(660*time.Second - time.Millisecond)
			// The memory drops what has ended when it takes a new one.
			if _, err := app.post(t, p.logoutToken(members{"jti": "another"})); err != nil {
				t.Fatal(err)
			}
			_, err := app.post(t, token)
			wantError(t, err, authcode.IdentityRefused, "logout_token.jti")
			time.Sleep(time.Millisecond)
			_, err = app.post(t, token)
			wantError(t, err, authcode.IdentityRefused, "logout_token.iat")
		})
	}
}

// TestManyLogoutTokens: the memory of tokens is bounded: it forgets those that end first.
func TestManyLogoutTokens(t *testing.T) {
	p := newMemOP("EdDSA")
	app := newLogoutApp(t, p, "EdDSA")
	first, last := "", ""
	for n := range 4100 {
		last = p.logoutToken(members{"jti": fmt.Sprint(n), "exp": in(int64(100 + n/10))})
		if _, err := app.post(t, last); err != nil {
			t.Fatal(n, err)
		}
		if n == 0 {
			first = last
		}
	}
	if _, err := app.post(t, first); err != nil {
		t.Errorf("all are remembered: %v", err)
	}
	_, err := app.post(t, last)
	wantError(t, err, authcode.IdentityRefused, "logout_token.jti")
}

// TestLogoutTokenForEachHandler: what one handler has accepted, another may accept too, and the functions of the
// provider remember nothing.
func TestLogoutTokenForEachHandler(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer)
	token := p.logoutToken(nil)
	for range 2 {
		if _, err := newLogoutApp(t, p).post(t, token); err != nil {
			t.Error(err)
		}
		if _, err := verify(t.Context(), i, p, "logout+jwt", token); err != nil {
			t.Error(err)
		}
	}
}

// TestPanickingLogout: a panic of the app's does not use the token up.
func TestPanickingLogout(t *testing.T) {
	p := newMemOP("RS256")
	calls := 0
	h := oidc.BackChannelLogoutHandler(newMemLogin(t, p, oidc.Provider(memIssuer)),
		func(context.Context, oidc.LogoutToken) error {
			if calls++; calls == 1 {
				panic("mine")
			}
			return nil
		})
	token := url.Values{"logout_token": {p.logoutToken(nil)}}
	func() {
		defer func() { recover() }()
		post(h, token)
		t.Error("the panic was lost")
	}()
	if rec := post(h, token); rec.Code != 200 {
		t.Errorf("status %d", rec.Code)
	}
}

// post sends a logout token to the app as a provider does, and returns the status.
func (x *hostileApp) post(token string) int {
	x.t.Helper()
	resp, err := http.PostForm(x.url+"/backchannel", url.Values{"logout_token": {token}})
	if err != nil {
		x.t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Cache-Control"); got != "no-store" {
		x.t.Errorf("Cache-Control is %q", got)
	}
	return resp.StatusCode
}
