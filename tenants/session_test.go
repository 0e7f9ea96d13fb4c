package tenants_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// signedIn is an app with sessions, whose pages are below /t/TENANT.
type signedIn struct {
	*app
	sessions *session.Sessions
	store    grant.Store
}

func newSignedIn(t *testing.T) *signedIn {
	t.Helper()
	return newSignedInAt(t, grant.NewMemory(0))
}

func newSignedInAt(t *testing.T, store grant.Store, changes ...func(*session.Config)) *signedIn {
	t.Helper()
	return newApp(t, 1).withSessions(store, changes...)
}

func (a *app) withSessions(store grant.Store, changes ...func(*session.Config)) *signedIn {
	s := &signedIn{app: a, store: store}
	cfg := session.Config{
		Keys: [][]byte{world.Key('s')}, LoginURL: "/login", Store: s.store,
		Tenant: func(r *http.Request) (string, error) {
			if r.PathValue("tenant") == "broken" {
				return "", errors.New("broken")
			}
			return r.PathValue("tenant"), nil
		},
	}
	for _, change := range changes {
		change(&cfg)
	}
	var err error
	if s.sessions, err = session.New(cfg); err != nil {
		a.t.Fatal(err)
	}
	s.muxes[0] = s.pages(s.muxes[0])
	return s
}

// pages adds the pages of people who are signed in.
func (s *signedIn) pages(others http.Handler) *http.ServeMux {
	mux, registry := http.NewServeMux(), s.instances[0]
	mux.Handle("/", others)
	callback := registry.CallbackHandler(s.sessions.SignIn(registry))
	mux.Handle("/callback", callback)
	mux.Handle("/callback/{tenant}", callback)
	page := func(answer func(*http.Request, *session.Session) string) http.Handler {
		return s.sessions.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, answer(r, session.FromContext(r.Context())))
		}))
	}
	mux.Handle("/t/{tenant}/account", page(func(_ *http.Request, in *session.Session) string {
		return in.Identity().Subject + " of " + in.Tenant()
	}))
	mux.Handle("/t/{tenant}/renew", page(func(r *http.Request, in *session.Session) string {
		_, err := in.Grant().Renew(r.Context(), nil)
		if _, tokenErr := in.Token(r.Context()); err == nil {
			err = tokenErr
		}
		return checkOf(err)
	}))
	mux.Handle("/t/{tenant}/devices", page(func(r *http.Request, in *session.Session) string {
		list, err := s.sessions.Sessions(r.Context(), in.Identity().Issuer, in.Identity().Subject)
		return fmt.Sprint(len(list), checkOf(err))
	}))
	mux.Handle("/t/{tenant}/grant", page(func(r *http.Request, in *session.Session) string {
		id, _ := in.Keep(r.Context())
		return id
	}))
	return mux
}

// checkOf is the Check of an error, or "ok".
func checkOf(err error) string {
	var e *authcode.Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e):
		return e.Check
	}
	return err.Error()
}

func (b *browser) signIn(key string, srv *authserver.Server) {
	b.app.t.Helper()
	if status, text := b.deliver(srv, b.callback(key, srv)); status != http.StatusSeeOther {
		b.app.t.Fatalf("%d %s, %v", status, text, b.app.lastError())
	}
}

func (b *browser) want(path string, status int, text string) {
	b.app.t.Helper()
	gotStatus, got := b.get(b.app.URL + path)
	if gotStatus != status || text != "" && got != text {
		b.app.t.Errorf("%s: %d %.200q, want %d %q", path, gotStatus, got, status, text)
	}
}

// TestASessionBelongsToItsTenant: another tenant's pages do not know it.
func TestASessionBelongsToItsTenant(t *testing.T) {
	a := newSignedIn(t)
	srv, other := a.provider(), a.provider()
	a.tenant("one", srv)
	a.tenant("two", other)
	a.tenant("ONE", srv)
	b := a.browser()
	b.signIn("one", srv)
	b.want("/t/one/account", http.StatusOK, "alice of one")
	status, page := b.get(a.URL + "/t/two/account") // just signed in: no circle
	if status != http.StatusUnauthorized || !strings.Contains(page, "You are not signed in here") {
		t.Errorf("another tenant's page: %d %s", status, page)
	}
	b.want("/t/ONE/account", http.StatusSeeOther, "")
	b.want("/t/broken/account", http.StatusInternalServerError, "")
	c := a.browser()
	c.signIn("two", other)
	c.want("/t/two/account", http.StatusOK, "alice of two")
	// Only those of one tenant end.
	d := a.browser()
	d.signIn("ONE", srv)
	if err := a.sessions.EndTenant(t.Context(), srv.URL, "one"); err != nil {
		t.Fatal(err)
	}
	b.want("/t/one/account", http.StatusSeeOther, "")
	d.want("/t/ONE/account", http.StatusOK, "alice of ONE")
	// A login that had begun before is refused, one of another tenant is not.
	status, _ = b.deliver(srv, b.callback("one", srv))
	if status == http.StatusSeeOther {
		t.Error("a session of a removed tenant began")
	}
	d.signIn("ONE", srv)
	if err := a.sessions.EndTenant(t.Context(), srv.URL, ""); err == nil {
		t.Error("EndTenant without a key did something")
	}
}

// TestRefusedSessionStartsAgain: the page of a login that has no session leads to
// the sign-in of the same tenant.
func TestRefusedSessionStartsAgain(t *testing.T) {
	a := newSignedInAt(t, grant.NewMemory(0), func(c *session.Config) { c.LoginURL = "/t/{tenant}/login" })
	srv := a.provider()
	a.tenant("one", srv)
	b := a.browser()
	answer := b.callback("one", srv)
	if err := a.sessions.EndTenant(t.Context(), srv.URL, "one"); err != nil {
		t.Fatal(err)
	}
	if status, page := b.deliver(srv, answer); status != http.StatusBadRequest || !strings.Contains(page, `href="/t/one/login"`) {
		t.Errorf("%d %s", status, page)
	}
}

// renewals are changes between a sign-in and a renewal.
var renewals = map[string]struct {
	change func(*signedIn, *authserver.Server)
	check  string // of the renewal
	status int    // of the session afterwards
}{
	"nothing changed": {func(*signedIn, *authserver.Server) {}, "ok", http.StatusOK},
	"the provider is another one": {func(a *signedIn, other *authserver.Server) {
		a.tenant("one", other)
	}, "tenants.changed", http.StatusUnauthorized},
	"the token endpoint is at another origin": {func(a *signedIn, other *authserver.Server) {
		r := a.table["one"]
		r.version, r.cfg.Provider.Metadata = "2", nil
		r.cfg.Provider.Endpoints = authcode.Endpoints{
			RequireIss: true, AuthURL: r.cfg.Provider.Issuer + "/authorize", TokenURL: other.URL + "/token",
		}
		a.set("one", r)
	}, "tenants.changed", http.StatusUnauthorized},
	"the client ID is another one": {func(a *signedIn, _ *authserver.Server) {
		r := a.table["one"]
		r.version, r.cfg.ClientID = "2", "another"
		a.set("one", r)
	}, "tenants.changed", http.StatusUnauthorized},
	"its table is away": {func(a *signedIn, _ *authserver.Server) {
		a.set("one", row{err: errors.New("down")})
	}, "tenants.load", http.StatusOK},
	"only the secret is new": {func(a *signedIn, _ *authserver.Server) {
		r := a.table["one"]
		r.version, r.cfg.Scopes = "2", []string{"openid"}
		a.set("one", r)
	}, "ok", http.StatusOK},
}

// TestRenewalOfATenant: a grant goes to the provider that it came from, or ends.
func TestRenewalOfATenant(t *testing.T) {
	t.Parallel()
	for claim, row := range renewals {
		t.Run(claim, func(t *testing.T) {
			a := newSignedIn(t)
			srv, other := a.provider(), a.provider()
			a.tenant("one", srv)
			b := a.browser()
			b.signIn("one", srv)
			row.change(a, other)
			b.want("/t/one/renew", http.StatusOK, row.check)
			b.want("/t/one/account", row.status, "")
			wantNothingSent(t, other)
			sent := 1
			if row.check == "ok" {
				sent = 2
			}
			wantNothingSentSince(t, srv, sent)
		})
	}
}

// TestTwoRegistries: a grant does not end while the registry that may know its
// tenant is out of reach.
func TestTwoRegistries(t *testing.T) {
	for claim, order := range map[string][]int{"first": {0, 1}, "second": {1, 0}} {
		t.Run(claim, func(t *testing.T) {
			a := newSignedIn(t)
			srv := a.provider()
			gone, away := newApp(t, 1), newApp(t, 1)
			away.set("one", row{err: errors.New("down")})
			for _, i := range order {
				a.sessions.SignIn([]*app{gone, away}[i].instances[0])
			}
			a.tenant("one", srv)
			b := a.browser()
			b.signIn("one", srv)
			b.want("/t/one/renew", http.StatusOK, "ok")
			a.remove("one")
			b.want("/t/one/renew", http.StatusOK, "tenants.load")
			b.want("/t/one/account", http.StatusOK, "alice of one")
		})
	}
}

// TestOneGrantPerTenant: where a person has one grant, it is one for each tenant,
// and a worker renews it.
func TestOneGrantPerTenant(t *testing.T) {
	a := newSignedIn(t)
	srv := a.provider()
	one := func(cfg *authcode.Config) { cfg.Provider.OneGrant = true }
	r := a.tenant("one", srv, one)
	a.set("two", r)
	ids := make(map[string]string)
	for _, key := range []string{"one", "two", "one"} {
		b := a.browser()
		b.signIn(key, srv)
		_, id := b.get(a.URL + "/t/" + key + "/grant")
		if before := ids[key]; before != "" && before != id {
			t.Errorf("%s has the grants %s and %s", key, before, id)
		}
		ids[key] = id
	}
	if ids["one"] == ids["two"] {
		t.Error("two tenants share a grant")
	}
	grants, err := grant.New(grant.Config{
		Store: a.store, Keys: [][]byte{world.Key('s')}, Clients: a.instances[0].ClientFor,
	})
	if err != nil {
		t.Fatal(err)
	}
	g, err := grants.Open(t.Context(), ids["one"])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Renew(t.Context(), nil); err != nil {
		t.Error(err)
	}
	a.remove("one")
	_, err = g.Renew(t.Context(), nil)
	world.WantError(t, err, authcode.GrantRejected, "tenants.removed")
	if _, err = grants.Open(t.Context(), ids["one"]); !errors.Is(err, authcode.GrantRejected) {
		t.Errorf("the grant of a removed tenant: %v", err)
	}
}
