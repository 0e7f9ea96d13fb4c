package session_test

import (
	"testing"

	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// TestRevalidateTwice: a signal that comes while the first one is answered has a
// renewal of its own.
func TestRevalidateTwice(t *testing.T) {
	for _, step := range []string{"after Load session", "Load grant", "Swap grant", "after Swap grant", "Load session"} {
		a := newApp(t, setup{})
		b := a.browser(t)
		b.signIn("alice", "/account")
		revalidate := func() {
			if err := a.instances[0].Revalidate(t.Context(), a.provider.URL, "alice"); err != nil {
				t.Error(err)
			}
		}
		revalidate()
		if step == "Load session" { // the second one, at the end
			a.store.at("after Load session", func() { a.store.at(step, revalidate) })
		} else {
			a.store.at(step, revalidate)
		}
		b.wantSeen("alice")
		for i, want := range []int{1, 0} {
			before := len(a.provider.Requests("/token"))
			b.wantSeen("alice")
			if n := len(a.provider.Requests("/token")) - before; n != want {
				t.Errorf("%s: %d renewals at request %d, want %d", step, n, i+2, want)
			}
		}
	}
}

// TestRevalidateUnread: without knowing the ID token before, nothing tells whether
// that of a renewal is new, so the next request renews.
func TestRevalidateUnread(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	if err := a.instances[0].Revalidate(t.Context(), a.provider.URL, "alice"); err != nil {
		t.Fatal(err)
	}
	a.store.fail("Load grant")
	before := len(a.provider.Requests("/token"))
	b.get("/account").wantStatus(t, 503)
	b.wantSeen("alice")
	b.wantSeen("alice")
	if n := len(a.provider.Requests("/token")) - before; n != 1 {
		t.Errorf("%d renewals, want 1", n)
	}
}

// TestRevalidateAndTheStoreFails: a session is not confirmed by a renewal that
// cannot be read, and the next request renews again.
func TestRevalidateAndTheStoreFails(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	if err := a.instances[0].Revalidate(t.Context(), a.provider.URL, "alice"); err != nil {
		t.Fatal(err)
	}
	swaps := 0
	var count func()
	count = func() {
		if swaps++; swaps < 3 { // the third one stores the renewed token
			a.store.at("after Swap grant", count)
			return
		}
		a.store.fail("Load grant")
	}
	a.store.at("after Swap grant", count)
	before := len(a.provider.Requests("/token"))
	b.get("/account").wantStatus(t, 503)
	b.wantSeen("alice")
	b.wantSeen("alice")
	if n := len(a.provider.Requests("/token")) - before; n != 2 || swaps != 3 {
		t.Errorf("%d renewals and %d writes of the first, want 2 and 3", n, swaps)
	}
}

// TestRevalidateAndTheMarksAreAway: a session that moves to a newer key while its
// person may have been signed out is not used until the store says so.
func TestRevalidateAndTheMarksAreAway(t *testing.T) {
	older, newer := world.Key('o'), world.Key('n')
	rings := [][][]byte{{older, newer}, {newer, older}}
	a := newApp(t, setup{instances: 2, session: func(i int, c *session.Config) { c.Keys = rings[i] }})
	b := a.browser(t)
	b.signIn("alice", "/account")
	if err := a.instances[0].Revalidate(t.Context(), a.provider.URL, "alice"); err != nil {
		t.Fatal(err)
	}
	a.at.Store(1)
	a.store.fail("Load mark")
	b.get("/account").wantStatus(t, 503)
	b.wantSeen("alice")
}
