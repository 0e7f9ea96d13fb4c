package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// logoutApp is an app with two instances, of which the second takes the logouts
// of the provider: backChannel posts a logout token there.
func logoutApp(t *testing.T) (a *app, backChannel func(subject, sid string) *answer) {
	a = newApp(t, setup{instances: 2})
	in := a.instances[1]
	end := func(ctx context.Context, l oidc.LogoutToken) error {
		return in.End(ctx, l.Issuer, l.Subject, l.SessionID)
	}
	in.mux.Handle("/backchannel", oidc.BackChannelLogoutHandler(in.client, end))
	in.mux.Handle("/frontchannel", oidc.FrontChannelLogoutHandler(in.client, end))
	conn, err := in.client.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a, func(subject, sid string) *answer {
		token := a.provider.LogoutToken(conn.Config.ClientID, subject, sid)
		a.at.Store(1)
		defer a.at.Store(0)
		resp, err := a.server.Client().PostForm(a.URL+"/backchannel", url.Values{"logout_token": {token}})
		return a.browser(t).read(resp, err)
	}
}

// TestBackChannelLogout: what the provider sends ends the session at every
// instance, in one line with package oidc.
func TestBackChannelLogout(t *testing.T) {
	a, backChannel := logoutApp(t)
	b := a.browser(t)
	for name, logout := range map[string]func() *answer{
		"sub": func() *answer { return backChannel("alice", "") },
		"sid": func() *answer { return backChannel("", "alice-1") },
		"front": func() *answer {
			a.at.Store(1)
			defer a.at.Store(0)
			return a.browser(t).get(a.provider.FrontChannelLogoutURL("/frontchannel", "alice-1"))
		},
	} {
		b.signInLater("alice")
		b.wantSeen("alice")
		logout().wantStatus(t, 200)
		b.wantSeen("")
		if b.get("/maybe").text != "nobody" {
			t.Errorf("%s: the session is still there", name)
		}
	}
}

// TestBackChannelLogoutDuringAnOutage: the provider learns that it has to try
// again.
func TestBackChannelLogoutDuringAnOutage(t *testing.T) {
	a, backChannel := logoutApp(t)
	b := a.browser(t)
	b.signInLater("alice")
	a.store.setDown(true)
	backChannel("alice", "").wantStatus(t, 503)
	a.store.setDown(false)
	backChannel("alice", "").wantStatus(t, 200)
	b.wantSeen("")
}

// TestFormPost: a provider that answers with a form.
func TestFormPost(t *testing.T) {
	a := newApp(t, setup{client: func(c *authcode.Config) { c.Provider.FormPost = true }})
	b := a.browser(t)
	b.signIn("bob", "/account?a=1")
	b.wantSeen("bob")
	// The browser's former session is seen at the callback, and ends.
	b.signIn("alice", "/account")
	a.wantEvents(t, "signed_in", "ended sign_in", "signed_in")
}

// TestSignOutHome: without a logout at the provider, or without knowing which
// one, a person goes to HomeURL.
func TestSignOutHome(t *testing.T) {
	plain := world.Client(t, &world.Provider{})
	ending := world.Client(t, &world.Provider{}, func(c *authcode.Config) {
		c.Provider.EndSessionURL = world.Issuer + "/end?x=1"
	})
	down := world.Client(t, &world.Provider{}, func(c *authcode.Config) {
		c.Provider.Metadata = func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
			return authcode.Endpoints{}, authcode.NewError(authcode.Unreachable, "metadata.down", "", nil)
		}
	})
	for name, row := range map[string]struct {
		clients []*authcode.Client
		want    string
	}{
		"no Client": {nil, "/bye"}, "no logout": {[]*authcode.Client{plain}, "/bye"},
		"a logout": {[]*authcode.Client{ending}, world.Issuer + "/end?x=1&client_id=client"},
		"down":     {[]*authcode.Client{down}, "/bye"},
		"several":  {[]*authcode.Client{plain, ending}, "/bye"},
		"the same": {[]*authcode.Client{ending, ending}, world.Issuer + "/end?x=1&client_id=client"},
	} {
		s, err := session.New(session.Config{Keys: [][]byte{world.Key('s')}, LoginURL: "/login", HomeURL: "/bye"})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range row.clients {
			s.SignIn(c)
		}
		w := httptest.NewRecorder()
		s.SignOut().ServeHTTP(w, httptest.NewRequest("POST", "/logout", nil))
		if got := w.Header().Get("Location"); w.Code != 303 || got != row.want {
			t.Errorf("%s: the person goes to %d %s, want %s", name, w.Code, got, row.want)
		}
	}
}

// TestStartFails: logins that Start cannot make a session of.
func TestStartFails(t *testing.T) {
	s, err := session.New(session.Config{Keys: [][]byte{world.Key('s')}, LoginURL: "/login"})
	if err != nil {
		t.Fatal(err)
	}
	good := world.Client(t, &world.Provider{})
	down := world.Client(t, &world.Provider{}, func(c *authcode.Config) {
		c.Provider.Metadata = func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
			return authcode.Endpoints{}, authcode.NewError(authcode.Unreachable, "metadata.down", "", nil)
		}
	})
	for _, row := range []struct {
		client *authcode.Client
		claim  string
		value  any
		check  string
	}{
		{down, "x", 1, "metadata.down"},
		{good, "f", func() {}, "session.claims"},
		{good, "session_expiry", json.Number("1e30"), "session.expiry"},
		{good, "session_expiry", json.Number("1e999"), "session.expiry"},
		{good, "session_expiry", json.Number("-5"), "session.expiry"},
		{good, "session_expiry", json.Number("5"), "session.expired"},
		{good, "session_expiry", 5.0, "session.expired"},
		{good, "session_expiry", nil, "session.expiry"},
	} {
		login := &authcode.Login{Token: world.Expired(), Identity: &authcode.Identity{
			Issuer: "i", Subject: "s", Claims: map[string]any{row.claim: row.value},
		}}
		w := httptest.NewRecorder()
		err := s.Start(w, httptest.NewRequest("GET", "/", nil), row.client, login)
		var e *authcode.Error
		if !errors.As(err, &e) || e.Check != row.check || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s %v: got %v, want %s", row.claim, row.value, err, row.check)
		}
	}
}

// TestLongHint: an ID token that makes the URL too long is left out.
func TestLongHint(t *testing.T) {
	client := world.Client(t, &world.Provider{}, func(c *authcode.Config) {
		c.Provider.EndSessionURL = world.Issuer + "/end"
	})
	s, err := session.New(session.Config{Keys: [][]byte{world.Key('s')}, LoginURL: "/login"})
	if err != nil {
		t.Fatal(err)
	}
	for size, want := range map[int]bool{6000: true, 6001: false} {
		token := new(oauth2.Token).WithExtra(map[string]any{"id_token": strings.Repeat("x", size)})
		w := httptest.NewRecorder()
		login := &authcode.Login{Token: token}
		if err := s.Start(w, httptest.NewRequest("GET", "/", nil), client, login); err != nil {
			t.Fatal(err)
		}
		s.SignIn(client)
		r := httptest.NewRequest("POST", "/logout", nil)
		r.AddCookie(w.Result().Cookies()[0])
		w = httptest.NewRecorder()
		s.SignOut().ServeHTTP(w, r)
		if got := strings.Contains(w.Header().Get("Location"), "id_token_hint="); got != want {
			t.Errorf("%d bytes: sent %v, want %v", size, got, want)
		}
		var gone http.Cookie
		for _, c := range w.Result().Cookies() {
			gone = *c
		}
		if gone.Name != cookieName || gone.MaxAge >= 0 {
			t.Errorf("the cookie is %v", gone)
		}
	}
}
