package session_test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

func cookieOf(id string) *http.Cookie {
	return &http.Cookie{Name: cookieName, Value: id, Path: "/", Secure: true}
}

// TestKeyRotation: while {old, new} and {new, old} are deployed, sessions work
// and end everywhere. Without the old key the person signs in again.
func TestKeyRotation(t *testing.T) {
	older, newer := world.Key('o'), world.Key('n')
	rings := [][][]byte{{older, newer}, {newer, older}, {newer}}
	a := newApp(t, setup{instances: 3, session: func(i int, c *session.Config) { c.Keys = rings[i] }})
	b, c := a.browser(t), a.browser(t)
	b.signIn("alice", "/account")
	a.at.Store(1)
	b.wantSeen("alice")
	c.signIn("alice", "/account")
	a.at.Store(0)
	c.wantSeen("alice")
	a.at.Store(2)
	a.wantEvents(t, "signed_in", "signed_in")
	b.get("/maybe").wantStatus(t, 200, "nobody")
	a.wantEvents(t, "undecryptable")
	c.wantSeen("alice")
	for i := range 2 {
		if err := a.instances[i].End(t.Context(), a.provider.URL, "alice", ""); err != nil {
			t.Fatal(err)
		}
		a.at.Store(1)
		b.wantSeen("")
		c.wantSeen("")
		a.advance(2 * 60e9)
		a.at.Store(int32(1 - i))
		b.signIn("alice", "/account")
		c.signIn("alice", "/account")
	}
}

// TestEndWhileKeyChanges: a session moves to the newest key while End looks for
// it.
func TestEndWhileKeyChanges(t *testing.T) {
	older, newer := world.Key('o'), world.Key('n')
	for _, rings := range [][][][]byte{
		{{older, newer}, {newer, older}, {older, newer}}, // End looks for the newer one first
		{{older, newer}, {newer, older}, {newer, older}},
	} {
		for _, step := range []string{"Create mark", "after Create mark", "Find session", "after Find session"} {
			a := newApp(t, setup{instances: 3, session: func(i int, c *session.Config) { c.Keys = rings[i] }})
			b := a.browser(t)
			b.signIn("alice", "/account")
			a.at.Store(1)
			a.store.at(step, func() { b.get("/set?v=1") })
			if err := a.instances[2].End(t.Context(), a.provider.URL, "alice", ""); err != nil {
				t.Fatal(err)
			}
			b.wantSeen("")
			a.wantNothing(t)
		}
	}
}

// TestStolenStore: what the store has signs nobody in and names nobody, and
// records that are swapped do not open.
func TestStolenStore(t *testing.T) {
	a := newApp(t, setup{})
	alice, bob := a.browser(t), a.browser(t)
	alice.signIn("alice", "/account")
	bob.signIn("bob", "/account")
	ids := []string{alice.cookie(cookieName), bob.cookie(cookieName)}
	dump := a.store.dump(t)
	world.WantNoSecret(t, "the store", dump, append(a.secrets(), ids[0], ids[1], "alice", "bob", a.provider.URL)...)
	a.store.swapRecords(t)
	alice.get("/maybe").wantStatus(t, 200, "nobody")
	bob.get("/maybe").wantStatus(t, 200, "nobody")
	if err := a.instances[0].EndAll(t.Context(), a.provider.URL); err != nil {
		t.Error(err) // what does not open cannot be used either
	}
}

// TestNothingPrints: no value of the package prints a secret.
func TestNothingPrints(t *testing.T) {
	var found *session.Session
	a := newApp(t, setup{})
	in := a.instances[0]
	in.mux.Handle("/keep", in.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found = session.FromContext(r.Context())
	})))
	b := a.browser(t)
	b.signIn("carol", "/account")
	b.get("/keep")
	if found == nil {
		t.Fatal("there is no session")
	}
	secrets := append(a.secrets(), b.cookie(cookieName), string(world.Key('s')), "carol", found.Grant().ID())
	for how, v := range map[string]any{
		"Session": found, "Sessions": in.Sessions, "Config": session.Config{Keys: [][]byte{world.Key('s')}},
		"structs": struct {
			A session.Config
			B *session.Session
		}{session.Config{Keys: [][]byte{world.Key('s')}}, found},
	} {
		for verb, text := range world.Outputs(v) {
			world.WantNoSecret(t, how+" by "+verb, text, secrets...)
			if !strings.Contains(text, "REDACTED") {
				t.Errorf("%s by %s prints %s", how, verb, text)
			}
		}
	}
}

// TestKeyRollback: {new, old} was deployed at once, or was rolled back. What an
// instance with the old key cannot open is fine again when it has both.
func TestKeyRollback(t *testing.T) {
	for _, revalidate := range []bool{false, true} {
		a := newApp(t, setup{instances: 2, session: func(i int, c *session.Config) {
			c.Keys = [][]byte{world.Key('s')}
			if i == 1 {
				c.Keys = [][]byte{world.Key('n'), world.Key('s')}
			}
		}})
		b := a.browser(t)
		b.signIn("alice", "/account")
		a.at.Store(1)
		b.get("/token").wantStatus(t, 200) // seals the grant with the new key
		a.at.Store(0)
		if revalidate {
			if err := a.instances[0].Revalidate(t.Context(), a.provider.URL, "alice"); err != nil {
				t.Fatal(err)
			}
			b.wantSeen("")
		} else {
			b.get("/token").wantStatus(t, 502)
		}
		a.at.Store(1)
		b.wantSeen("alice")
		a.wantLeft(t, "rollback", 1)
	}
}
