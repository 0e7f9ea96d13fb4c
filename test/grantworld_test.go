package test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// table is a store that somebody else can read and write, as with a stolen
// password of the database.
type table struct {
	grant.Store

	mu      sync.Mutex
	keys    []grant.Key
	changed map[grant.Key]func(*grant.Record) // what a thief has made of a record
}

func newTable() *table {
	return &table{Store: grant.NewMemory(0), changed: make(map[grant.Key]func(*grant.Record))}
}

func (t *table) Create(ctx context.Context, r grant.Record) error {
	t.mu.Lock()
	t.keys = append(t.keys, r.Key)
	t.mu.Unlock()
	return t.Store.Create(ctx, r)
}

func (t *table) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	r, err := t.Store.Load(ctx, key, touch)
	return t.edited(r), err
}

func (t *table) Swap(ctx context.Context, key grant.Key, s grant.Swap) (grant.Record, error) {
	r, err := t.Store.Swap(ctx, key, s)
	return t.edited(r), err
}

func (t *table) edited(r grant.Record) grant.Record {
	t.mu.Lock()
	defer t.mu.Unlock()
	if change := t.changed[r.Key]; change != nil {
		change(&r)
	}
	return r
}

// edit changes what the nth record reads as; nil takes that back.
func (t *table) edit(n int, change func(*grant.Record)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed[t.keys[n]] = change
}

// row is the nth record.
func (t *table) row(tb testing.TB, n int) grant.Record {
	tb.Helper()
	r, err := t.Store.Load(tb.Context(), t.keys[n], 0)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// dump is the whole table, in the way of a backup.
func (t *table) dump(tb testing.TB) string {
	var all bytes.Buffer
	for n := range slices.Clone(t.keys) {
		r := t.row(tb, n)
		fmt.Fprintf(&all, "%s|%s|%s|%d|", r.Kind, r.ID[:], r.Data, r.Version)
		for _, d := range r.Digests {
			fmt.Fprintf(&all, "%s|", d[:])
		}
		fmt.Fprintf(&all, "%+v|%x\n", r, r.Data)
	}
	return all.String()
}

// keeping keeps grants in s with keys.
func keeping(t testing.TB, s grant.Store, c *authcode.Client, keys ...byte) *grant.Grants {
	t.Helper()
	cfg := grant.Config{Store: s, Clients: grant.Clients(c)}
	for _, k := range keys {
		cfg.Keys = append(cfg.Keys, world.Key(k))
	}
	g, err := grant.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The canaries of a grant.
const (
	grantAccess  = "canary.access~token-31415926"
	grantRenewal = "canary.refresh~token-27182818"
	grantSubject = "canary-subject-16180339"
	grantEmail   = "canary-14142135@example.com"
	grantSid     = "canary-sid-17320508"
	grantID      = "e30.Y2FuYXJ5LWlkLXRva2Vu.c2ln"
)

// personsLogin is the login of a person, whose tokens and claims have this
// suffix.
func personsLogin(suffix string) *authcode.Login {
	token := &oauth2.Token{
		AccessToken: grantAccess + suffix, RefreshToken: grantRenewal + suffix, TokenType: "Bearer",
		Expiry: time.Now().Add(time.Hour),
	}
	return &authcode.Login{
		Provider: "x", Scopes: []string{"canary-scope-11235813"},
		Token: token.WithExtra(map[string]any{"id_token": grantID + suffix}),
		Identity: &authcode.Identity{
			Issuer: world.Issuer, Subject: grantSubject + suffix, Email: grantEmail + suffix,
			Claims: map[string]any{"sid": grantSid + suffix},
		},
	}
}

// saved saves the login of a person.
func saved(t testing.TB, g *grant.Grants, c *authcode.Client, suffix string) (id string) {
	t.Helper()
	id, err := g.Save(t.Context(), c, personsLogin(suffix))
	if err != nil {
		t.Fatal(err)
	}
	return id
}
