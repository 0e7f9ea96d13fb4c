package oidc_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// signOut mounts the app's logout addresses and returns what they were told.
func (x *hostileApp) signOut(login *authcode.Login) (ended *[]oidc.LogoutToken) {
	ended = new([]oidc.LogoutToken)
	hook := func(_ context.Context, token oidc.LogoutToken) error {
		*ended = append(*ended, token)
		return nil
	}
	x.mux.Handle("/backchannel", oidc.BackChannelLogoutHandler(x.client, hook, oidc.Notify(x.notify)))
	x.mux.Handle("/frontchannel", oidc.FrontChannelLogoutHandler(x.client, hook, oidc.Notify(x.notify)))
	x.mux.Handle("/goodbye", oidc.LogoutReturnHandler())
	x.mux.Handle("/logout", oidc.LogoutHandler(x.client, func(http.ResponseWriter, *http.Request) (oidc.Logout, error) {
		raw, _ := login.Token.Extra("id_token").(string)
		return oidc.Logout{IDToken: raw, ReturnURL: x.url + "/goodbye", ReturnTo: "/bye?x=1"}, nil
	}, oidc.Notify(x.notify)))
	return ended
}

// notify keeps what the app is told of logouts that were refused.
func (x *hostileApp) notify(_ *http.Request, err error) {
	var refusal *authcode.Error
	if !errors.As(err, &refusal) {
		x.t.Errorf("told of %v", err)
		return
	}
	x.show(refusal)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.told = append(x.told, refusal)
}

// lastTold is the last refusal that the app was told of, nil if there was none.
func (x *hostileApp) lastTold() *authcode.Error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.told) == 0 {
		return nil
	}
	return x.told[len(x.told)-1]
}

// TestHostileLogoutTokens: OpenID Connect Back-Channel Logout section 2.6.
func TestHostileLogoutTokens(t *testing.T) {
	logout := hostileRows("", authcode.IdentityRefused)
	set, drop, header := authserver.Set, authserver.Drop, authserver.Header
	other := `"` + hostileWord + `"`
	for _, row := range []hostileRow{
		logout("another iss", "logout_token.iss", set("iss", other)),
		logout("no iss", "logout_token.iss", drop("iss")),
		logout("another aud", "logout_token.aud", set("aud", other)),
		logout("no aud", "logout_token.aud", drop("aud")),
		logout("more audiences", "logout_token.aud", set("aud", `["`+hostileClient+`",`+other+`]`)),
		logout("another azp", "logout_token.azp", set("azp", other)),
		logout("no iat", "logout_token.iat", drop("iat")),
		logout("iat in the future", "logout_token.iat", set("iat", hostileTime(90*time.Second))),
		logout("iat of long ago", "logout_token.iat", set("iat", hostileTime(-662*time.Second))),
		logout("no exp", "logout_token.exp", drop("exp")),
		logout("expired", "logout_token.exp", set("exp", hostileTime(-62*time.Second))),
		logout("not valid yet", "logout_token.nbf", set("nbf", hostileTime(90*time.Second))),
		logout("no jti", "logout_token.jti", drop("jti")),
		logout("an empty jti", "logout_token.jti", set("jti", `""`)),
		logout("no events", "logout_token.events", drop("events")),
		logout("another event", "logout_token.events", set("events", `{`+other+`:{}}`)),
		logout("events is a list", "logout_token.events", set("events", `["http://schemas.openid.net/event/backchannel-logout"]`)),
		logout("an event that is true", "logout_token.events", set("events", `{"http://schemas.openid.net/event/backchannel-logout":true}`)),
		logout("a nonce", "logout_token.nonce", set("nonce", other)),
		logout("a nonce that is null", "logout_token.nonce", set("nonce", "null")),
		logout("neither sub nor sid", "logout_token.sub", drop("sub")),
		logout("sub is a number", "logout_token.sub", set("sub", "1"), set("sid", `"s1"`)),
		logout("sid is a number", "logout_token.sub", set("sid", "1")),
		logout("a claim with two values", "logout_token.repeated", authserver.Repeat("sub", other)),
		logout("an access token", "logout_token.typ", header(set("typ", `"at+jwt"`))),
		logout("another key", "logout_token.signature", authserver.OtherKey()),
		logout("a key in the header", "logout_token.signature", authserver.EmbeddedKey()),
		logout("changed after signing", "logout_token.signature", authserver.Tampered(set("sub", `"bob"`))),
		logout("unsigned", "logout_token.alg", authserver.SignAs("none")),
		logout("HMAC with the public key", "logout_token.alg", authserver.SignAs("HS256")),
		logout("a published RSA key", "logout_token.alg", authserver.SignAs("RS256")),
		logout("an unknown kid", "jwks.key", header(set("kid", other))),
		logout("encrypted", "logout_token.form", authserver.Encrypted()),
		logout("a critical header", "logout_token.form", header(set("crit", `["x"]`)), header(set("x", "1"))),
		logout("for a person", ""),
		logout("for a session", "", drop("sub"), set("sid", `"s1"`)),
		logout("without typ", "", header(drop("typ"))),
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newHostileApp(t, row)
			ended := x.signOut(nil)
			token := x.srv.LogoutToken(hostileClient, "alice", row.faults[""]...)
			if row.check == "" {
				// The second time it is refused: a token counts once.
				if first, again := x.post(token), x.post(token); first != 200 || again != 400 || len(*ended) != 1 {
					t.Errorf("answered %d and %d, and %d sessions ended", first, again, len(*ended))
				}
				row.check = "logout_token.jti"
			}
			told := len(*ended)
			if status := x.post(token); status != 400 || len(*ended) != told {
				t.Errorf("answered %d, %d sessions ended", status, len(*ended)-told)
			}
			x.want(row, x.lastTold())
		})
	}
}

// TestHostileLogoutRequests: what is not a logout token at all.
func TestHostileLogoutRequests(t *testing.T) {
	x := newHostileApp(t, hostileRow{alg: "ES256"})
	ended := x.signOut(x.mustLogin())
	login := x.mustLogin()
	idToken, _ := login.Token.Extra("id_token").(string)
	for name, token := range map[string]string{
		"nothing": "", "no JWT": hostileWord, "the person's ID token": idToken,
		"for another client": x.srv.LogoutToken("another", "alice"),
	} {
		if status := x.post(token); status != 400 {
			t.Errorf("%s was answered %d", name, status)
		}
	}
	x.post("")
	if refusal := x.lastTold(); refusal == nil || refusal.Check != "logout_token.missing" {
		t.Errorf("no token: %v", refusal)
	}
	resp, err := http.Get(x.url + "/backchannel?logout_token=" + x.srv.LogoutToken(hostileClient, "alice"))
	if err != nil || resp.StatusCode != 400 {
		t.Errorf("a GET was answered %v, %v", resp, err)
	}
	address := x.url + "/frontchannel"
	set, drop := authserver.Set, authserver.Drop
	for name, uri := range map[string]string{
		"another iss": x.srv.FrontChannelLogout(address, "s1", set("iss", "https://evil.example")),
		"no iss":      x.srv.FrontChannelLogout(address, "s1", drop("iss")),
		"no sid":      x.srv.FrontChannelLogout(address, "s1", drop("sid")),
		"two sids":    x.srv.FrontChannelLogout(address, "s1", authserver.Repeat("sid", "s2")),
		"nothing":     address,
	} {
		if resp, err := http.Get(uri); err != nil || resp.StatusCode != 400 {
			t.Errorf("front channel, %s: answered %v, %v", name, resp, err)
		}
	}
	if len(*ended) != 0 {
		t.Errorf("%d sessions ended", len(*ended))
	}
	resp, err = http.Get(x.srv.FrontChannelLogout(address, "s1"))
	if err != nil || resp.StatusCode != 200 || len(*ended) != 1 || (*ended)[0].SessionID != "s1" {
		t.Errorf("front channel: answered %v, %v, ended %v", resp, err, *ended)
	}
}

// leave signs out at the app and the provider with one browser; it returns where the browser ends.
func (x *hostileApp) leave() *url.URL {
	x.t.Helper()
	jar, _ := cookiejar.New(nil)
	resp, err := (&http.Client{Jar: jar}).Post(x.url+"/logout", "", nil)
	if err != nil {
		x.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.Request.URL
}

// TestHostileSignOut: OpenID Connect RP-Initiated Logout sections 2 and 3.
func TestHostileSignOut(t *testing.T) {
	plain := authserver.Set("end_session_endpoint", `"http://`+hostileWord+`.example/"`)
	for name, row := range map[string]struct {
		at    authserver.Place
		fault authserver.Fault
		path  string
		asked int // logouts that reach the provider
	}{
		"a good provider":    {authserver.EndSession, authserver.Drop("x"), "/bye?x=1", 1},
		"another state":      {authserver.EndSession, authserver.Set("state", "x"), "/", 1},
		"no state":           {authserver.EndSession, authserver.Drop("state"), "/", 1},
		"no endpoint":        {authserver.Discovery, authserver.Drop("end_session_endpoint"), "/bye?x=1", 0},
		"endpoint over http": {authserver.Discovery, plain, "/bye?x=1", 0},
		"no metadata":        {authserver.Discovery, authserver.HTMLError(), "/bye?x=1", 0},
	} {
		t.Run(name, func(t *testing.T) {
			x := newHostileApp(t, hostileRow{alg: "ES256"})
			login := x.mustLogin()
			x.srv.SetFaults(row.at, row.fault)
			x.cfg.Provider = oidc.Provider(x.srv.URL) // the app has restarted
			x.start()
			x.signOut(login)
			if got := x.leave(); "http://"+got.Host != x.url || got.RequestURI() != row.path {
				t.Errorf("ended at %s", got)
			}
			if n := len(x.srv.Requests(authserver.EndSession)); n != row.asked {
				t.Errorf("the provider was asked %d times", n)
			}
		})
	}
	x := newHostileApp(t, hostileRow{alg: "ES256"})
	x.srv.SetFaults(authserver.Discovery, plain)
	if _, err := oidc.LogoutURL(t.Context(), x.client, oidc.Logout{}); err == nil || !strings.Contains(err.Error(), "logout.endpoint") {
		t.Errorf("LogoutURL: %v", err)
	}
}

// TestHostileRotation: keys change, or cannot be had, between two logins.
func TestHostileRotation(t *testing.T) {
	for _, alg := range []string{"ES256", "EdDSA"} {
		x := newHostileApp(t, hostileRow{alg: alg})
		x.mustLogin()
		x.srv.SetFaults(authserver.JWKS, authserver.HTMLError())
		x.srv.SetFaults(authserver.Discovery, authserver.HTMLError())
		x.mustLogin() // what is cached serves while the provider is down
		x.srv.ClearFaults()
		x.srv.RotateKeys(true)
		x.mustLogin()
		x.srv.RotateKeys(false)
		x.mustLogin()
		x.srv.SetFaults(authserver.IDToken, authserver.Header(authserver.Drop("kid")))
		x.srv.RotateKeys(false)
		x.mustLogin() // without a kid the old key does not verify, so the new ones are fetched
		if n := len(x.srv.Requests(authserver.JWKS)); n != 4 {
			t.Errorf("%s: %d JWKS requests, want 4", alg, n)
		}
	}
}

// TestHostileKidsAreFetchedSparingly: a provider, or whoever posts logout tokens, cannot make the app
// hammer the JWKS; and the fetches of the one do not starve the other.
func TestHostileKidsAreFetchedSparingly(t *testing.T) {
	row := hostileRow{alg: "ES256", check: "jwks.key", reason: authcode.IdentityRefused}
	x := newHostileApp(t, row)
	x.mustLogin()
	ended := x.signOut(nil)
	// Each minute has three fetches for unknown keys, for logins and again for
	// logout tokens. A busy machine takes several.
	began := time.Now()
	more := func() int { return 6 * int(time.Since(began)/time.Minute) }
	kid := func(n int) authserver.Fault { return authserver.Header(authserver.Set("kid", fmt.Sprintf(`"k%d"`, n))) }
	for n := range 200 {
		x.post(x.srv.LogoutToken(hostileClient, "alice", kid(n)))
	}
	if n := len(x.srv.Requests(authserver.JWKS)); n < 2 || n > 5+more() {
		t.Errorf("%d JWKS requests for 200 kids", n)
	}
	x.srv.RotateKeys(false)
	x.mustLogin()
	for n := range 20 {
		x.srv.SetFaults(authserver.IDToken, kid(n))
		_, err := x.login()
		x.want(row, err)
	}
	x.srv.ClearFaults()
	x.mustLogin()
	if n := len(x.srv.Requests(authserver.JWKS)); n > 9+more() || len(*ended) != 0 {
		t.Errorf("%d JWKS requests for 220 kids, %d sessions ended", n, len(*ended))
	}
}

// TestHostileSizes: an answer of 100 MB costs no more memory than the bound on it.
func TestHostileSizes(t *testing.T) {
	for _, place := range []authserver.Place{authserver.Discovery, authserver.JWKS, authserver.UserInfo} {
		x := newHostileApp(t, hostileRow{alg: "ES256", opts: []oidc.Option{oidc.UserInfo()}})
		x.srv.SetFaults(place, authserver.Padded(100_000_000))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := x.login()
		runtime.ReadMemStats(&after)
		if err == nil || err.Check != string(place)+".size" {
			t.Errorf("%s: %v", place, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
			t.Errorf("%s: %d MB allocated", place, used>>20)
		}
	}
}
