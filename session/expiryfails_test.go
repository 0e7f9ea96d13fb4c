package session_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// afterRenewal calls do when a renewal has stored its token. It takes the lease,
// stores the answer and stores it checked.
func (a *app) afterRenewal(do func()) {
	const saved = "after Swap grant"
	a.store.at(saved, func() { a.store.at(saved, func() { a.store.at(saved, do) }) })
}

// TestRenewedExpiryFails: if the store fails while a renewal moves the end of the
// session, the token is there and the next renewal moves it.
func TestRenewedExpiryFails(t *testing.T) {
	for _, step := range []string{"Find session", "Load session", "Load grant", "Swap session"} {
		t.Run(step, func(t *testing.T) {
			a, e := newExpiring(t, false)
			e.say(map[string]any{"session_expiry": in(5 * time.Hour)})
			b := a.browser(t)
			b.signIn("alice", "/account")
			e.say(map[string]any{"session_expiry": in(time.Hour)})
			a.afterRenewal(func() { a.store.fail(step) })
			b.get("/renew").wantStatus(t, 200)
			a.advance(2 * time.Hour)
			b.wantSeen("alice")
			b.get("/renew").wantStatus(t, 200)
			b.wantSeen("")
		})
	}
}

// TestRenewedExpiryOfOneFails: a session that cannot be moved does not keep the
// others of its grant from ending earlier.
func TestRenewedExpiryOfOneFails(t *testing.T) {
	for _, step := range []string{"Load session", "Swap session"} {
		t.Run(step, func(t *testing.T) {
			a, e := newExpiring(t, true)
			e.say(map[string]any{"session_expiry": in(5 * time.Hour), "sid": ""})
			var browsers [2]*browser
			for i := range browsers {
				browsers[i] = a.browser(t)
				browsers[i].signIn("alice", "/account")
			}
			e.say(map[string]any{"session_expiry": in(time.Hour), "sid": ""})
			a.afterRenewal(func() { a.store.fail(step) })
			browsers[0].get("/renew").wantStatus(t, 200)
			a.advance(2 * time.Hour)
			ended := 0
			for _, b := range browsers {
				if b.get("/account").StatusCode != http.StatusOK {
					ended++
				}
			}
			if ended != 1 {
				t.Errorf("%d sessions have ended, want 1", ended)
			}
		})
	}
}

// TestRenewedExpiryHalfFound: if the store fails before all sessions of the grant
// are found, none is lengthened: the later end may be another one's.
func TestRenewedExpiryHalfFound(t *testing.T) {
	older, newer := world.Key('o'), world.Key('n')
	rings := [][][]byte{{older, newer}, {newer, older}}
	a, e := newExpiring(t, true, func(i int, c *session.Config) { c.Keys = rings[i] })
	e.say(map[string]any{"session_expiry": in(2 * time.Hour), "sid": ""})
	var browsers [2]*browser
	for i := range browsers {
		a.at.Store(int32(i))
		browsers[i] = a.browser(t)
		browsers[i].signIn("alice", "/account")
	}
	e.say(map[string]any{"session_expiry": in(5 * time.Hour), "sid": ""})
	a.afterRenewal(func() { a.store.at("after Find session", func() { a.store.fail("Find session") }) })
	browsers[1].get("/renew").wantStatus(t, 200)
	a.advance(3 * time.Hour)
	for _, b := range browsers {
		b.wantSeen("")
	}
}

// losing is a Client of an app's provider, whose renewed ID tokens say that the
// session ends in an hour. After the renewal, a part of it is out of reach.
type losing struct {
	*authcode.Client
	lost    string // "client" or "metadata"
	renewed bool
}

func (l *losing) check(part string) error {
	if l.renewed && l.lost == part {
		return errors.New("out of reach")
	}
	return nil
}

func newLosing(t *testing.T, a *app) *losing {
	t.Helper()
	l := &losing{}
	cfg := a.provider.Config()
	look, who := cfg.Provider.Metadata, cfg.Provider.Identity
	cfg.Provider.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
		if err := l.check("metadata"); err != nil {
			return authcode.Endpoints{}, err
		}
		return look(ctx, conn)
	}
	cfg.Provider.Identity = func(ctx context.Context, r *authcode.TokenResponse) (*authcode.Identity, error) {
		id, err := who(ctx, r)
		if err == nil {
			l.renewed, id.Claims["session_expiry"] = true, in(time.Hour)
		}
		return id, err
	}
	var err error
	if l.Client, err = authcode.New(cfg); err != nil {
		t.Fatal(err)
	}
	return l
}

// TestRenewedExpiryWithoutAClient: if the Client of a session, or its provider's
// metadata, is out of reach after a renewal, the token is there and the session
// stays as it was.
func TestRenewedExpiryWithoutAClient(t *testing.T) {
	a := newApp(t, setup{})
	l := newLosing(t, a)
	s, err := session.New(session.Config{
		Store: a.store, Keys: [][]byte{world.Key('s')}, LoginURL: "/login",
		Clients: func(context.Context, grant.Origin) (*authcode.Client, error) {
			return l.Client, l.check("client")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a.instances[0].mux.Handle("/renew", s.Require(renew()))
	for lost, want := range map[string]string{"client": "alice", "metadata": "alice", "": ""} {
		b := a.browser(t)
		b.signIn("alice", "/account")
		l.renewed, l.lost = false, lost
		b.get("/renew").wantStatus(t, 200)
		a.advance(2 * time.Hour)
		b.wantSeen(want)
		a.advance(-2 * time.Hour)
	}
}
