package tenants_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/session"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// removals are what may have become of a tenant while somebody is signed in.
var removals = map[string]struct {
	change func(*signedIn, *authserver.Server)
	status int // of the next request
}{
	"removed":                 {func(a *signedIn, _ *authserver.Server) { a.remove("one") }, http.StatusUnauthorized},
	"another one was removed": {func(a *signedIn, _ *authserver.Server) { a.remove("two") }, http.StatusOK},
	"its table is away": {func(a *signedIn, _ *authserver.Server) {
		a.set("one", row{err: errors.New("down")})
	}, http.StatusOK},
	"its table is away, and a Client signs people in, too": {
		func(a *signedIn, _ *authserver.Server) {
			cfg := a.table["two"].cfg
			cfg.RedirectURL, cfg.CookieKeys = a.URL+"/callback/own", [][]byte{world.Key('o')}
			cfg.Transport = a.transport
			client, err := authcode.New(cfg)
			if err != nil {
				a.t.Fatal(err)
			}
			a.sessions.SignIn(client)
			a.set("one", row{err: errors.New("down")})
		}, http.StatusOK},
	"its table hangs": {func(a *signedIn, _ *authserver.Server) {
		gate := make(chan struct{})
		a.t.Cleanup(func() { close(gate) })
		a.set("one", row{gate: gate})
	}, http.StatusOK},
	"its Config is wrong": {func(a *signedIn, _ *authserver.Server) { a.set("one", row{}) }, http.StatusOK},
	"its provider is another one": {func(a *signedIn, other *authserver.Server) {
		a.tenant("one", other)
	}, http.StatusOK}, // until the renewal: see renewals
	"another registry does not know it": {func(a *signedIn, _ *authserver.Server) {
		a.sessions.SignIn(newApp(a.t, 1).instances[0])
		a.forget("one")
	}, http.StatusOK},
}

// TestRemovedTenant: the sessions of a removed tenant end with the next request,
// and those of no other. The provider is not asked.
func TestRemovedTenant(t *testing.T) {
	for claim, row := range removals {
		t.Run(claim, func(t *testing.T) {
			t.Parallel()
			var seen events
			store := grant.NewMemory(0)
			a := newSignedInAt(t, store, func(c *session.Config) { c.Observe = seen.add })
			srv, other := a.provider(), a.provider()
			a.tenant("two", other)
			a.tenant("one", srv)
			b, c := a.browser(), a.browser()
			b.signIn("one", srv)
			c.signIn("one", srv)
			asked := len(srv.Requests()) + len(other.Requests())
			row.change(a, other)
			b.want("/t/one/account", row.status, "")
			if n := len(srv.Requests()) + len(other.Requests()); n != asked {
				t.Errorf("%d requests more", n-asked)
			}
			if ended := seen.has(session.ByTenant); ended != (row.status != http.StatusOK) {
				t.Errorf("a session has ended: %t", ended)
			}
			if row.status != http.StatusOK {
				b.want("/t/one/account", http.StatusSeeOther, "")
			}
		})
	}
}

// TestRemovedWithoutForget: where nobody calls Forget, the sessions of a removed
// tenant end when the registry has looked again.
func TestRemovedWithoutForget(t *testing.T) {
	a := newApp(t, 1, func(cfg *tenants.Config) { cfg.RenewAfter = 1 }).withSessions(grant.NewMemory(0))
	srv := a.provider()
	a.tenant("one", srv)
	b := a.browser()
	b.signIn("one", srv)
	b.want("/t/one/account", http.StatusOK, "alice of one")
	a.mu.Lock()
	delete(a.table, "one")
	a.mu.Unlock()
	for tries := 0; ; tries++ {
		status, _ := b.get(a.URL + "/t/one/account")
		switch {
		case status != http.StatusOK:
			return
		case tries == 10_000:
			t.Fatal("the session has not ended")
		}
	}
}

// events keeps why sessions have ended.
type events struct {
	mu   sync.Mutex
	seen []session.Why
}

func (e *events) add(_ context.Context, event session.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, event.Why)
}

func (e *events) has(why session.Why) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.seen, why)
}
