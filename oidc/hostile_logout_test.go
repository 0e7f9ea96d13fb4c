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

// TestHostileKidsAreFetchedSparingly: a provider, or a stranger who posts logout tokens, cannot make the app
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
		x.wantRefusal(row, err)
	}
	x.wantNoSecrets(row)
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
