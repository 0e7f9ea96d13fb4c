package grant_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// oldestFirst is a Store that lists abandoned renewals in one order, as a
// database lists the oldest first, and one of them at the end.
type oldestFirst struct {
	grant.Store
	last grant.Key
}

func (s *oldestFirst) Sweep(ctx context.Context, limit int) ([]grant.Key, bool, error) {
	keys, more, err := s.Store.Sweep(ctx, 10_000)
	slices.SortFunc(keys, func(a, b grant.Key) int {
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	if i := slices.Index(keys, s.last); i >= 0 {
		keys = append(slices.Delete(keys, i, i+1), s.last)
	}
	return keys[:min(len(keys), limit)], more, err
}

// TestRunDoesNotWait: abandoned renewals at a provider that hangs do not keep
// those at another one waiting, not even if they fill the list of the store.
func TestRunDoesNotWait(t *testing.T) {
	for _, hangs := range []int{40, 1000} {
		t.Run(fmt.Sprint(hangs), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) { runBesideHanging(t, hangs) })
		})
	}
}

func runBesideHanging(t *testing.T, hangs int) {
	a, _ := newWorld(t, 10*time.Second)
	down := &world.Provider{Answer: hanging}
	other := world.Client(t, down, func(c *authcode.Config) { c.ClientID = "other" })
	ordered := &oldestFirst{Store: a.store}
	both := func(c *grant.Config) {
		c.Clients, c.Store = grant.Clients(a.client, other), ordered
	}
	n, keeps := a.node(t), a.instance(t, both)
	for i := range hangs {
		l := login()
		l.Token.RefreshToken = fmt.Sprint("rt-down-", i)
		if _, err := n.Save(t.Context(), other, l); err != nil {
			t.Fatal(err)
		}
	}
	id := a.save(t, n.Grants, login())
	ordered.last = n.created[len(n.created)-1]
	time.Sleep(2 * time.Minute)
	// The process dies with all of them under way.
	for _, key := range n.created {
		if _, err := a.store.Swap(t.Context(), key, grant.Swap{Owner: "dead", Lease: time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	go keeps.Run(t.Context())
	defer keeps.Close(t.Context())
	time.Sleep(8 * time.Second)
	if a.asked() != 1 {
		t.Errorf("%d requests at the good provider, want 1", a.asked())
	}
	token(t, keeps, id, "at-1")
	if n := len(down.Requests()); n != 16 {
		t.Errorf("%d requests at the provider that hangs, want 16", n)
	}
}

// slowStore cannot list many abandoned renewals in the time that it has.
type slowStore struct {
	grant.Store
	most   int
	limits []int
}

func (s *slowStore) Sweep(ctx context.Context, limit int) ([]grant.Key, bool, error) {
	s.limits = append(s.limits, limit)
	if limit > s.most {
		<-ctx.Done()
		return nil, false, ctx.Err()
	}
	return s.Store.Sweep(ctx, limit)
}

// abandon saves n grants, whose renewals then stop half way.
func (a *app) abandon(t *testing.T, n int) {
	t.Helper()
	node := a.node(t)
	for i := range n {
		l := login()
		l.Token.RefreshToken = fmt.Sprint("rt-", i)
		a.save(t, node.Grants, l)
	}
	time.Sleep(2 * time.Minute)
	for _, key := range node.created {
		if _, err := a.store.Swap(t.Context(), key, grant.Swap{Owner: "dead", Lease: time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(2 * time.Second)
}

// runFor runs an instance with the store.
func (a *app) runFor(t *testing.T, s grant.Store, d time.Duration) {
	t.Helper()
	g := a.instance(t, func(c *grant.Config) { c.Store = s })
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	g.Run(ctx)
	g.Close(t.Context())
}

// TestRunAsksForLess: Run asks for fewer abandoned renewals if the store cannot
// list so many, and when others have taken them up.
func TestRunAsksForLess(t *testing.T) {
	for most, d := range map[int]time.Duration{250: 15 * time.Second, 10_000: 3 * time.Minute} {
		t.Run(fmt.Sprint(most), func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				a := newApp(t)
				a.provider.Answer = hanging
				a.abandon(t, 120)
				s := &slowStore{Store: a.store, most: most}
				a.runFor(t, s, d)
				longest := slices.Max(s.limits)
				after := s.limits[slices.Index(s.limits, longest)+1:]
				if longest <= 250 || !slices.Contains(after, 200) {
					t.Errorf("Run asked for %d abandoned renewals", s.limits)
				}
			})
		})
	}
}

// TestRunTakesUpAll: of one provider, too, there may be more than Run takes up at
// a time.
func TestRunTakesUpAll(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		a.provider.Answer = world.Always(200, world.TokenJSON)
		a.abandon(t, 40)
		a.runFor(t, a.store, 30*time.Second)
		a.provider.WantRequests(t, 40)
	})
}

// TestRunSweeps: what nobody uses any more ends, and Run deletes it. A store
// that hangs is asked again.
func TestRunSweeps(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a := newApp(t)
		n := a.node(t, func(c *grant.Config) { c.KeepFor = time.Hour })
		id := a.save(t, n.Grants, login())
		running(t, n)
		n.stop("sweep", 30*time.Second, nil)
		for range 3 {
			time.Sleep(50 * time.Minute)
			if _, err := n.Handle(id).Info(t.Context()); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(61 * time.Minute)
		_, err := n.Handle(id).Info(t.Context())
		wantError(t, err, authcode.GrantRejected, true)
		r := grant.Record{Key: n.created[0], Version: 1, Content: grant.Content{Expires: time.Hour}}
		if err := a.store.Create(t.Context(), r); err != nil {
			t.Errorf("the record is still there: %v", err)
		}
	})
}

// TestTwoCallersLeave: a renewal goes on when its caller leaves, and the caller
// hears why.
func TestTwoCallersLeave(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		g := a.instance(t)
		id := a.save(t, g, login())
		time.Sleep(2 * time.Minute)
		canceled, cancel := context.WithCancel(t.Context())
		short, end := context.WithTimeout(t.Context(), 600*time.Millisecond)
		defer end()
		time.AfterFunc(300*time.Millisecond, cancel)
		_, err := g.Handle(id).Token(canceled)
		world.WantError(t, err, authcode.Canceled, "grant.wait")
		_, err = g.Handle(id).Token(short)
		world.WantError(t, err, authcode.Timeout, "grant.wait")
		_, err = g.Handle(id).Token(canceled)
		world.WantError(t, err, authcode.Canceled, "grant.store")
		token(t, g, id, "at-1")
		if a.asked() != 1 {
			t.Errorf("%d requests, want 1", a.asked())
		}
	})
}

// TestClosed: after Close nothing is renewed, and a valid token is still there.
func TestClosed(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		a, _ := newWorld(t, 0)
		g := a.instance(t)
		id, l := a.save(t, g, login()), login()
		l.Token.RefreshToken = ""
		alone := a.save(t, g, l)
		if err := g.Close(t.Context()); err != nil {
			t.Error(err)
		}
		token(t, g, id, "at-0")
		time.Sleep(2 * time.Minute)
		wantToken(t, g, id, "grant.closed")
		wantToken(t, g, alone, "grant.no_refresh_token") // it says what to do
		go g.Run(t.Context())
		time.Sleep(time.Minute)
		if a.asked() != 0 {
			t.Errorf("%d requests, want none", a.asked())
		}
	})
}

// TestSlowMetadata: a provider that takes long to be found is not asked twice.
func TestSlowMetadata(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := &idp{spent: make(map[string]time.Time)}
		a := newApp(t)
		a.provider.Answer = p.answer
		slow := world.Client(t, a.provider, world.LookedUp(
			func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
				time.Sleep(4 * time.Second)
				return world.Endpoints(), nil
			}))
		var instances []*grant.Grants
		for range 2 {
			instances = append(instances, a.instance(t, func(c *grant.Config) { c.Clients = grant.Clients(slow) }))
		}
		id := a.save(t, a.instance(t), login())
		time.Sleep(2 * time.Minute)
		done := make(chan bool)
		for _, g := range instances {
			go func() {
				token(t, g, id, "at-1")
				done <- true
			}()
		}
		for range instances {
			<-done
		}
		if a.asked() != 1 || p.overlapped() {
			t.Errorf("%d requests, want 1", a.asked())
		}
		a.wantOutcomes(t, grant.Renewed)
	})
}
