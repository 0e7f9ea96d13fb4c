package interop

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// leaver is an app that can sign out at oidc-provider and is told who signed out there.
type leaver struct {
	*app
	o      *oidcProvider
	ended  chan oidc.LogoutToken
	login  *authcode.Login
	broken error // what the app's own hook comes to
}

// newLeaver serves such an app: /logout, /logged-out, /backchannel.
func newLeaver(t *testing.T, o *oidcProvider, changes ...func(*registration)) *leaver {
	t.Helper()
	l := &leaver{o: o, ended: make(chan oidc.LogoutToken, 8)}
	l.app = serveApp(t, false, func(redirectURL string) authcode.Config {
		origin := strings.TrimSuffix(redirectURL, "/callback")
		id := o.register(t, peers[0], redirectURL, append(changes, func(r *registration) {
			r.LogoutURIs = []string{origin + "/logged-out"}
			r.BackChannel = origin + "/backchannel"
		})...)
		return authcode.Config{
			Provider: admitting(oidc.Provider(o.issuer), changes), ClientID: id,
			ClientAuth: peers[0].auth(), CookieKeys: [][]byte{newKey()}, RedirectURL: redirectURL,
		}
	})
	l.handle("/logout", oidc.LogoutHandler(l.client, func(http.ResponseWriter, *http.Request) (oidc.Logout, error) {
		raw, _ := l.login.Token.Extra("id_token").(string)
		return oidc.Logout{IDToken: raw, ReturnURL: l.url + "/logged-out", ReturnTo: "/bye?x=1"}, nil
	}))
	l.handle("/logged-out", oidc.LogoutReturnHandler())
	ended := func(_ context.Context, who oidc.LogoutToken) error {
		l.ended <- who
		return l.broken
	}
	l.handle("/backchannel", oidc.BackChannelLogoutHandler(l.client, ended))
	return l
}

// signIn signs alice in as me.
func (l *leaver) signIn(t *testing.T, me *person) {
	t.Helper()
	me.press(me.signIn(l.url+"/login"), "approve")
	if l.login = l.outcome().login; l.login == nil {
		t.Fatal("not signed in")
	}
}

// leave posts to /logout, as a button of the app's does, and returns the provider's page.
func (l *leaver) leave(me *person) *page {
	me.t.Helper()
	req, err := http.NewRequest(http.MethodPost, l.url+"/logout", nil)
	if err != nil {
		me.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Origin", l.url)
	return me.do(req)
}

// logoutURL is where an app without LogoutHandler sends people.
func (l *leaver) logoutURL(t *testing.T, logout oidc.Logout) string {
	t.Helper()
	address, err := oidc.LogoutURL(t.Context(), l.client, logout)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// The person ends the session at the provider and comes back to the page that the app named.
func TestLogoutAtTheProvider(t *testing.T) {
	l, me := newLeaver(t, plainProvider(t)), newPerson(t)
	l.signIn(t, me)
	if first := me.visit(l.url + "/login"); !strings.Contains(first.body, `at "/"`) || l.outcome().login == nil {
		t.Fatalf("the provider asks although there is a session:\n%s", first.body)
	}
	asked := l.leave(me)
	sent := asked.url.Query()
	if sent.Get("state") == "" || sent.Get("post_logout_redirect_uri") != l.url+"/logged-out" {
		t.Fatalf("asked to sign out by %s", asked.url)
	}
	end := me.press(asked, "leave")
	if end.status != http.StatusOK || end.url.String() != l.url+"/bye?x=1" {
		t.Errorf("ended at %s with %d, want /bye?x=1: the state did not come back", end.url, end.status)
	}
	if again := me.visit(l.url + "/login"); !strings.Contains(again.body, `id="sign-in"`) {
		t.Errorf("the session at the provider goes on:\n%s", again.body)
	}
	if status := userinfo(t, l.o, l.login.Token.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d after the logout, want 401", status)
	}
}

// An app without LogoutHandler sends people to LogoutURL itself, with a state of its own if it wants
// one. The state comes back as it was sent, and without one nothing comes back.
func TestLogoutURL(t *testing.T) {
	l, me := newLeaver(t, plainProvider(t)), newPerson(t)
	returned := make(chan url.Values, 1)
	l.handle("/logged-out", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		returned <- r.URL.Query()
		fmt.Fprint(w, "bye")
	}))
	for _, sent := range []url.Values{{}, {"state": {"s&t=1 ü"}}} {
		l.signIn(t, me)
		raw, _ := l.login.Token.Extra("id_token").(string)
		address := l.logoutURL(t, oidc.Logout{IDToken: raw, ReturnURL: l.url + "/logged-out"})
		if len(sent) > 0 {
			address += "&" + sent.Encode()
		}
		me.press(me.visit(address), "leave")
		if got := <-returned; !reflect.DeepEqual(got, sent) {
			t.Errorf("came back with %q, want %q and nothing else", got, sent)
		}
	}

	// Without a hint the provider needs the client's id, and refuses a page it does not know.
	for _, row := range []struct {
		name   string
		logout oidc.Logout
		status int
	}{
		{"client id", oidc.Logout{ReturnURL: l.url + "/logged-out"}, http.StatusOK},
		{"unknown return page", oidc.Logout{ReturnURL: l.url + "/elsewhere"}, http.StatusBadRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			l.signIn(t, me)
			if got := me.visit(l.logoutURL(t, row.logout)); got.status != row.status {
				t.Errorf("the provider answers %d, want %d:\n%s", got.status, row.status, got.body)
			}
			me.press(me.visit(l.o.issuer+"/session/end"), "leave")
		})
	}
}

// The provider tells every app of the session, over a request of its own.
func TestBackChannelLogout(t *testing.T) {
	for _, alg := range []string{"RS256", "ES256", "EdDSA"} {
		for _, withSession := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, sid %t", alg, withSession), func(t *testing.T) {
				l, me := newLeaver(t, plainProvider(t), func(r *registration) {
					r.IDTokenAlg, r.WithSession = alg, withSession
				}), newPerson(t)
				l.signIn(t, me)
				me.press(l.leave(me), "leave")
				told(t, l, withSession)
			})
		}
	}
}

// told expects the app to have been told once of the end of its login. The provider waits for
// the answer before it sends the person back, so it has happened by now.
func told(t *testing.T, l *leaver, withSession bool) {
	t.Helper()
	if len(l.ended) != 1 {
		t.Fatalf("told of %d logouts, want 1; the provider says:\n%s", len(l.ended), l.o.log)
	}
	got := <-l.ended
	sid, _ := l.login.Identity.Claims["sid"].(string)
	if got.Issuer != l.o.issuer || got.Subject != "alice" || got.ID == "" {
		t.Errorf("%+v, want alice of %s", got, l.o.issuer)
	}
	if got.SessionID != sid || (sid != "") != withSession {
		t.Errorf("session %q, that of the ID token is %q", got.SessionID, sid)
	}
}

// A logout at one app reaches the other app of the session, and keys that are new at that time
// are fetched for it.
func TestBackChannelLogoutElsewhere(t *testing.T) {
	o := ownProvider(t)
	one := newLeaver(t, o, func(r *registration) { r.ID, r.WithSession = "one", true })
	two := newLeaver(t, o, func(r *registration) { r.ID, r.WithSession = "two", true })
	me := newPerson(t)
	one.signIn(t, me)
	me.press(me.visit(two.url+"/login"), "approve")
	if two.login = two.outcome().login; two.login == nil {
		t.Fatal("not signed in at the second app")
	}
	o.rotate(t)
	// The hint is signed with a key that the provider has forgotten, so it is left out.
	me.press(me.visit(one.logoutURL(t, oidc.Logout{ReturnURL: one.url + "/logged-out"})), "leave")
	told(t, one, true)
	told(t, two, true)
	if one.login.Identity.Claims["sid"] == two.login.Identity.Claims["sid"] {
		t.Error("both apps have the same session id: the provider gives each its own")
	}
}

// An app that cannot end the session answers so, and the provider takes it for a failure.
func TestBackChannelLogoutFails(t *testing.T) {
	o := ownProvider(t)
	l, me := newLeaver(t, o), newPerson(t)
	l.broken = errors.New("the session store is down")
	l.signIn(t, me)
	me.press(l.leave(me), "leave")
	if len(l.ended) != 1 || !strings.Contains(o.log.String(), "got: 400") {
		t.Errorf("told %d times; the provider says:\n%s", len(l.ended), o.log)
	}
}
