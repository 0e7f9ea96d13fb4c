package test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// changes are what a thief makes of a record, who has its former version and
// somebody else's.
var changes = map[string]func(mine, old, others grant.Record) func(*grant.Record){
	"somebody else's data": func(_, _, others grant.Record) func(*grant.Record) {
		return func(r *grant.Record) { r.Data = others.Data }
	},
	"somebody else's data and version": func(_, _, others grant.Record) func(*grant.Record) {
		return func(r *grant.Record) { r.Data, r.Version = others.Data, others.Version }
	},
	"somebody else's row": func(_, _, others grant.Record) func(*grant.Record) {
		return func(r *grant.Record) { key := r.Key; *r = others; r.Key = key }
	},
	"somebody else's row and key": func(_, _, others grant.Record) func(*grant.Record) {
		return func(r *grant.Record) { *r = others }
	},
	"the first half of another's": func(mine, _, others grant.Record) func(*grant.Record) {
		half := len(mine.Data) / 2
		return func(r *grant.Record) {
			r.Data = append(bytes.Clone(others.Data[:half]), mine.Data[half:]...)
		}
	},
	"old data under the new version": func(_, old, _ grant.Record) func(*grant.Record) {
		return func(r *grant.Record) { r.Data = old.Data }
	},
	"another kind": func(grant.Record, grant.Record, grant.Record) func(*grant.Record) {
		return func(r *grant.Record) { r.Kind = "session" }
	},
	"the next version":   version(1),
	"a former version":   version(-1),
	"no data":            data(func([]byte) []byte { return nil }),
	"the head alone":     data(func(b []byte) []byte { return b[:5] }),
	"a byte less":        data(func(b []byte) []byte { return b[:len(b)-1] }),
	"a byte more":        data(func(b []byte) []byte { return append(bytes.Clone(b), 0) }),
	"its text":           data(func([]byte) []byte { return []byte(`{"id":"x","refresh":"y"}`) }),
	"another key's name": data(func(b []byte) []byte { return append([]byte{1, 0, 0, 0, 0}, b[5:]...) }),
	"another format":     data(func(b []byte) []byte { return append([]byte{2}, b[1:]...) }),
}

// TestChangedRecords: a record that somebody has changed opens nothing, and
// never another person's grant.
func TestChangedRecords(t *testing.T) {
	for claim, attack := range changes {
		t.Run(claim, func(t *testing.T) {
			store, c := newTable(), world.Client(t, &world.Provider{})
			g := keeping(t, store, c, 'g')
			id := saved(t, g, c, "-mine")
			saved(t, g, c, "-other")
			old := store.row(t, 0)
			if _, err := g.Handle(id).Renew(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			store.edit(0, attack(store.row(t, 0), old, store.row(t, 1)))
			wantSealed(t, g, id)
			store.edit(0, nil)
			if _, err := g.Open(t.Context(), id); err != nil {
				t.Errorf("the record that was put back does not open: %v", err)
			}
		})
	}
}

func version(by int64) func(_, _, _ grant.Record) func(*grant.Record) {
	return func(_, _, _ grant.Record) func(*grant.Record) {
		return func(r *grant.Record) { r.Version += by }
	}
}

func data(change func([]byte) []byte) func(_, _, _ grant.Record) func(*grant.Record) {
	return func(_, _, _ grant.Record) func(*grant.Record) {
		return func(r *grant.Record) { r.Data = change(r.Data) }
	}
}

// wantSealed checks that no method of a grant shows anything.
func wantSealed(t *testing.T, g *grant.Grants, id string) {
	t.Helper()
	for name, call := range map[string]func() (any, error){
		"Open":  func() (any, error) { return g.Open(t.Context(), id) },
		"Token": func() (any, error) { return g.Handle(id).Token(t.Context()) },
		"Renew": func() (any, error) { return g.Handle(id).Renew(t.Context(), nil) },
		"Info":  func() (any, error) { return g.Handle(id).Info(t.Context()) },
		"APIClient": func() (any, error) {
			return g.Handle(id).APIClient(t.Context(), "https://api.example")
		},
	} {
		_, err := call()
		if e := world.WantError(t, err, authcode.GrantRejected, "grant.sealed"); !e.Final {
			t.Errorf("%s: the error is not final", name)
		}
	}
}

// TestEveryByteCounts: a record of which one bit has changed does not open.
func TestEveryByteCounts(t *testing.T) {
	store, c := newTable(), world.Client(t, &world.Provider{})
	g := keeping(t, store, c, 'g')
	id := saved(t, g, c, "")
	for at := range store.row(t, 0).Data {
		store.edit(0, func(r *grant.Record) { r.Data[at] ^= 1 << (at % 8) })
		if _, err := g.Open(t.Context(), id); !errors.Is(err, authcode.GrantRejected) {
			t.Fatalf("byte %d: %v", at, err)
		}
	}
}

// TestForeignKeys: another app, or another key, opens nothing and finds nobody.
func TestForeignKeys(t *testing.T) {
	store, c := newTable(), world.Client(t, &world.Provider{})
	g := keeping(t, store, c, 'g')
	id := saved(t, g, c, "")
	wantSealed(t, keeping(t, store, c, 'a'), id)
	other := keeping(t, store, c, 'a')
	saved(t, other, c, "")
	mine, theirs := store.row(t, 0), store.row(t, 1)
	for i := range mine.Digests {
		if mine.Digests[i] == theirs.Digests[i] && mine.Digests[i] != (grant.Digest{}) {
			t.Errorf("two keys have the same digest %d", i)
		}
	}
	// The keys of login cookies may be the same secret.
	if strings.Contains(store.dump(t), string(world.Key('g'))) {
		t.Error("the key is in the table")
	}
}

// TestStolenTable: a copy of the table names nobody and opens nothing.
func TestStolenTable(t *testing.T) {
	store, c := newTable(), world.Client(t, &world.Provider{})
	g := keeping(t, store, c, 'g')
	id := saved(t, g, c, "")
	for range 2 {
		world.WantNoSecret(t, "the table", store.dump(t), id, grantAccess, grantRenewal, grantSubject,
			grantEmail, grantSid, grantID, world.Issuer, "provider.example", "client",
			"canary-scope-11235813", "at-1", "rt-1")
		if _, err := g.Handle(id).Renew(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	// The table has only the hash of the ID.
	key := store.keys[0]
	for _, guess := range []string{string(key.ID[:]), ""} {
		if _, err := g.Open(t.Context(), guess); err == nil {
			t.Error("what the table has opens a grant")
		}
	}
}

// TestGuessedIDs: what is not an ID opens nothing.
func TestGuessedIDs(t *testing.T) {
	store, c := newTable(), world.Client(t, &world.Provider{})
	g := keeping(t, store, c, 'g')
	id := saved(t, g, c, "")
	for claim, guess := range map[string]string{
		"empty": "", "short": "x", "cut": id[:42], "longer": id + "A", "with a blank": " " + id,
		"in capitals": strings.ToUpper(id), "padded": id + "=", "NUL": "\x00", "not UTF-8": "\xff\xfe",
		"a megabyte": strings.Repeat("A", 1<<20), "twice": id + id, "SQL": "' OR 1=1 --",
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := g.Open(t.Context(), guess)
			if e := world.WantError(t, err, authcode.GrantRejected, "grant.ended"); !e.Final {
				t.Error("the error is not final")
			}
			if _, err := g.Handle(guess).Token(t.Context()); !errors.Is(err, authcode.GrantRejected) {
				t.Errorf("Token: %v", err)
			}
		})
	}
}

// TestDeletedIDs: the ID of a deleted grant opens nothing, and no later login
// brings it back.
func TestDeletedIDs(t *testing.T) {
	store, c := newTable(), world.Client(t, &world.Provider{})
	g := keeping(t, store, c, 'g')
	id := saved(t, g, c, "")
	open, err := g.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	row := store.row(t, 0)
	if err := g.Handle(id).Revoke(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := g.Handle(id).Delete(t.Context()); err != nil {
		t.Errorf("a second Delete: %v", err)
	}
	saved(t, g, c, "-next")
	open.Token(t.Context()) // what Open has read
	for _, handle := range []*grant.Grant{open, g.Handle(id)} {
		_, err := handle.Token(t.Context())
		world.WantError(t, err, authcode.GrantRejected, "grant.ended")
	}
	// A swap in the name of the former record changes nothing.
	_, err = store.Swap(t.Context(), row.Key, grant.Swap{Version: row.Version, Content: &row.Content})
	if !errors.Is(err, grant.ErrNotFound) {
		t.Errorf("Swap: %v", err)
	}
}

// TestOlderRow: a whole older row cannot be told apart. It costs the token that
// it has, at the next rotation, and never shows another person's.
func TestOlderRow(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		store, p := newTable(), world.Rotating()
		c := world.Client(t, p)
		g := keeping(t, store, c, 'g')
		id := saved(t, g, c, "")
		old := store.row(t, 0)
		if _, err := g.Handle(id).Renew(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if err := store.Delete(t.Context(), old.Key, 0); err != nil {
			t.Fatal(err)
		}
		if err := store.Store.Create(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		got, err := g.Handle(id).Token(t.Context())
		world.WantToken(t, got, err, grantAccess)
		p.On("/token", world.Always(400, `{"error":"invalid_grant"}`))
		time.Sleep(2 * time.Hour)
		_, err = g.Handle(id).Token(t.Context())
		world.WantError(t, err, authcode.GrantRejected, "answer.error")
	})
}

// TestAnotherPersonsToken: a provider that answers a renewal with another
// person's token ends the grant, and nobody gets the token.
func TestAnotherPersonsToken(t *testing.T) {
	store, p := newTable(), &world.Provider{}
	c := world.Client(t, p, func(c *authcode.Config) {
		c.Provider.Identity = func(_ context.Context, r *authcode.TokenResponse) (*authcode.Identity, error) {
			e := authcode.NewError(authcode.IdentityRefused, "app.sub", "another person", nil)
			e.Final = true
			return nil, e
		}
	})
	g := keeping(t, store, c, 'g')
	id := saved(t, g, c, "")
	if got, err := g.Handle(id).Renew(t.Context(), nil); got != nil || !errors.Is(err, authcode.IdentityRefused) {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := g.Handle(id).Token(t.Context())
	world.WantError(t, err, authcode.GrantRejected, "grant.ended")
	if revoked := p.Requests("/revoke"); len(revoked) != 1 || revoked[0].Form.Get("token") != "rt-1" {
		t.Errorf("%d revocations", len(revoked))
	}
}
