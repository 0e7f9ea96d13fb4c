package session_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/session"
)

// expiring is what the ID tokens say of an app's people: further claims.
type expiring struct {
	claims atomic.Pointer[map[string]any]
}

func (e *expiring) say(claims map[string]any) { e.claims.Store(&claims) }

// newExpiring returns an app of two instances with a Lifetime of ten hours,
// whose path /renew renews the grant.
func newExpiring(t *testing.T, one bool, changes ...func(int, *session.Config)) (*app, *expiring) {
	e := &expiring{}
	e.say(nil)
	a := newApp(t, setup{instances: 2, client: func(c *authcode.Config) {
		c.Provider.OneGrant = one
		inner := c.Provider.Identity
		c.Provider.Identity = func(ctx context.Context, r *authcode.TokenResponse) (*authcode.Identity, error) {
			id, err := inner(ctx, r)
			if err != nil || id == nil {
				return id, err
			}
			for name, value := range *e.claims.Load() {
				id.Claims[name] = value
			}
			return id, nil
		}
	}, session: func(i int, c *session.Config) {
		c.Lifetime, c.IdleTimeout = 10*time.Hour, 10*time.Hour
		for _, change := range changes {
			change(i, c)
		}
	}})
	for _, in := range a.instances {
		in.mux.Handle("/renew", in.Require(renew()))
	}
	return a, e
}

// renew is a page that renews the grant.
func renew() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := session.FromContext(r.Context()).Grant().Renew(r.Context(), nil); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
}

func in(d time.Duration) json.Number {
	return json.Number(strconv.FormatInt(time.Now().Add(d).Unix(), 10))
}

// TestRenewedExpiry: a renewal that brings a session_expiry moves the end of the
// session, at every instance, and a plain request still takes one operation.
func TestRenewedExpiry(t *testing.T) {
	for _, row := range []struct {
		name          string
		first, second map[string]any
		lasts         time.Duration
		event         bool
	}{
		{"a later one", map[string]any{"session_expiry": in(time.Hour)}, map[string]any{"session_expiry": in(5 * time.Hour)}, 5 * time.Hour, false},
		{"an earlier one", map[string]any{"session_expiry": in(5 * time.Hour)}, map[string]any{"session_expiry": in(2 * time.Hour)}, 2 * time.Hour, false},
		{"the first one", nil, map[string]any{"session_expiry": in(3 * time.Hour)}, 3 * time.Hour, false},
		{"the same one", map[string]any{"session_expiry": in(4 * time.Hour)}, map[string]any{"session_expiry": in(4 * time.Hour)}, 4 * time.Hour, false},
		{"none", map[string]any{"session_expiry": in(4 * time.Hour)}, map[string]any{}, 4 * time.Hour, false},
		{"none at all", nil, nil, 10 * time.Hour, false},
		{"one after Lifetime", nil, map[string]any{"session_expiry": in(20 * time.Hour)}, 10 * time.Hour, false},
		{"one in 4,000 years", map[string]any{"session_expiry": in(time.Hour)}, map[string]any{"session_expiry": json.Number("137438953472")}, 10 * time.Hour, false},
		{"one in the past", nil, map[string]any{"session_expiry": in(-time.Hour)}, 0, false},
		{"a malformed one", map[string]any{"session_expiry": in(3 * time.Hour)}, map[string]any{"session_expiry": "soon"}, 3 * time.Hour, true},
		{"that of another sid", map[string]any{"session_expiry": in(3 * time.Hour)},
			map[string]any{"session_expiry": in(time.Hour), "sid": "alice-2"}, 3 * time.Hour, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			a, e := newExpiring(t, false)
			e.say(row.first)
			b := a.browser(t)
			b.signIn("alice", "/account")
			a.advance(30 * time.Minute)
			e.say(row.second)
			b.get("/renew").wantStatus(t, 200)
			a.at.Store(1)
			a.wantLasts(t, b, row.lasts-30*time.Minute)
			want := []string{"signed_in"}
			if row.event {
				want = append(want, "failed")
			}
			a.wantEvents(t, want...)
		})
	}
}

// TestRenewedExpiryUnchanged: a renewal that says nothing new about the end of the
// session writes nothing into its record.
func TestRenewedExpiryUnchanged(t *testing.T) {
	for _, row := range []struct {
		name          string
		first, second any
		moves         bool
	}{
		{"the same", in(4 * time.Hour), in(4 * time.Hour), false},
		{"after Lifetime", in(20 * time.Hour), in(30 * time.Hour), false},
		{"two seconds earlier", in(4 * time.Hour), in(4*time.Hour - 2*time.Second), true},
	} {
		a, e := newExpiring(t, false)
		e.say(map[string]any{"session_expiry": row.first})
		b := a.browser(t)
		b.signIn("alice", "/account")
		e.say(map[string]any{"session_expiry": row.second})
		a.store.took()
		b.get("/renew").wantStatus(t, 200)
		if moves := slices.Contains(a.store.took(), "Swap session"); moves != row.moves {
			t.Errorf("%s: it was written: %t", row.name, moves)
		}
	}
}

// wantLasts checks that the session of b lasts that long, give or take some
// minutes, and that a request takes one operation.
func (a *app) wantLasts(t *testing.T, b *browser, d time.Duration) {
	t.Helper()
	if d > 0 {
		a.advance(d - 5*time.Minute)
		a.store.took()
		b.wantSeen("alice")
		if calls := a.store.took(); len(calls) != 1 {
			t.Errorf("a request takes %q", calls)
		}
		a.advance(10 * time.Minute)
	}
	b.wantSeen("")
	if d <= 0 {
		a.wantLeft(t, "after the end", 0)
	}
}

// TestRenewedExpiryOfOthers: of several sessions with one grant, a session_expiry
// without a sid shortens all and lengthens none; with one, it is that session's.
func TestRenewedExpiryOfOthers(t *testing.T) {
	for _, row := range []struct {
		name       string
		sids       [2]string
		claims     map[string]any
		one, other time.Duration // how long they last
	}{
		{"later, without a sid", [2]string{}, map[string]any{"session_expiry": in(5 * time.Hour)}, 2 * time.Hour, 2 * time.Hour},
		{"earlier, without a sid", [2]string{}, map[string]any{"session_expiry": in(time.Hour)}, time.Hour, time.Hour},
		{"later, with a sid", [2]string{"s1", "s2"}, map[string]any{"session_expiry": in(5 * time.Hour), "sid": "s2"}, 2 * time.Hour, 5 * time.Hour},
	} {
		a, e := newExpiring(t, true)
		var browsers [2]*browser
		for i, sid := range row.sids {
			e.say(map[string]any{"session_expiry": in(2 * time.Hour), "sid": sid})
			browsers[i] = a.browser(t)
			browsers[i].signIn("alice", "/account")
		}
		e.say(row.claims)
		if row.sids[0] == "" {
			e.say(map[string]any{"session_expiry": row.claims["session_expiry"], "sid": ""})
		}
		browsers[0].get("/renew").wantStatus(t, 200)
		for i, lasts := range []time.Duration{row.one, row.other} {
			a.advance(lasts - 5*time.Minute)
			browsers[i].wantSeen("alice")
			a.advance(10 * time.Minute)
			browsers[i].wantSeen("")
			a.advance(-lasts - 5*time.Minute)
		}
	}
}

// TestRenewedExpiryOvertaken: what a renewal says is not undone by an earlier
// renewal, whose answer is applied later.
func TestRenewedExpiryOvertaken(t *testing.T) {
	for _, step := range []string{"Find session", "Load session", "after Load session", "Load grant", "after Load grant", "Swap session"} {
		t.Run(step, func(t *testing.T) {
			a, e := newExpiring(t, false)
			b := a.browser(t)
			b.signIn("alice", "/account")
			e.say(map[string]any{"session_expiry": in(5 * time.Hour)})
			stopped := false
			later := func() {
				a.store.at(step, func() {
					stopped = true
					e.say(map[string]any{"session_expiry": in(time.Hour)})
					a.at.Store(1)
					b.get("/renew").wantStatus(t, 200)
					a.at.Store(0)
				})
			}
			a.afterRenewal(later)
			b.get("/renew").wantStatus(t, 200)
			if !stopped {
				t.Fatal("the first renewal was not stopped")
			}
			a.wantLasts(t, b, time.Hour)
		})
	}
}
