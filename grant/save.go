package grant

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

const kind = "grant"

// lifetime is the hard end of a grant, which Idle ends earlier if nobody uses it.
// A grant that is used when half of it is over is written anew. A longer one would
// leave what a store keeps beside a record, such as an entry of an index, for as
// long after the grant has ended.
func (g *Grants) lifetime() time.Duration { return 4 * g.cfg.KeepFor }

// Save keeps the grant of a login and returns its ID, a secret handle of 43
// URL-safe characters: store it with the app's session or account, and never
// send it to a browser. Save it before the app answers the person.
//
// Each login has a grant of its own, unless the provider counts or replaces
// grants ([authcode.Provider].OneGrant) or issues the same refresh token again.
// Then the grant of the earlier login gets the new token, and keeps its ID. A
// login without a new refresh token keeps the former one. A login whose tokens and
// claims have more than 1 MiB is refused with [authcode.BadAnswer].
func (g *Grants) Save(
	ctx context.Context, client *authcode.Client, login *authcode.Login,
) (id string, err error) {
	conn, err := client.Connection(ctx)
	if err != nil {
		return "", err
	}
	c, err := newContent(conn, login)
	if err != nil {
		return "", err
	}
	ids, shared := g.idsFor(c, conn.Config.Provider.OneGrant)
	c.Shared = shared
	// A former key may have named the grant of an earlier login.
	for _, former := range ids[1:] {
		if _, err := g.cfg.Store.Load(ctx, keyOf(former), 0); err == nil {
			return former, g.merge(ctx, former, c)
		} else if !errors.Is(err, ErrNotFound) {
			return "", storeError(ctx, err)
		}
	}
	c.ID = ids[0]
	return ids[0], g.create(ctx, c)
}

// newContent reads what a grant keeps of a login.
func newContent(conn *authcode.Connection, login *authcode.Login) (*content, error) {
	c := &content{
		Origin: conn.Origin(), Provider: login.Provider, Identity: login.Identity,
		Scopes: slices.Clone(login.Scopes),
	}
	if login.Token.AccessToken == "" {
		c.IDToken, _ = login.Token.Extra("id_token").(string)
		if login.Token.RefreshToken == "" {
			return c, nil
		}
	}
	left := leftOf(conn, login.Token)
	return c, c.put(want{}, login.Token, left, left)
}

// leftOf returns how long a new token is valid, zero if that is not known.
func leftOf(conn *authcode.Connection, t *oauth2.Token) time.Duration {
	if t.Expiry.IsZero() {
		return 0
	}
	return max(t.Expiry.Sub(conn.Config.Clock.Now()), time.Millisecond)
}

// idsFor returns the ID of a new grant, and those that an earlier login may have
// under a former key. It reports whether logins share the grant.
func (g *Grants) idsFor(c *content, one bool) (ids []string, shared bool) {
	o, refresh := c.Origin, c.Refresh
	parts := []string{o.Issuer, o.ClientID, o.TokenURL, "token", refresh}
	shared = one && c.Identity != nil
	switch {
	case shared:
		parts = []string{
			o.Issuer, o.ClientID, o.TokenURL, "person", c.Identity.Issuer, c.Identity.Subject,
		}
		// Two tenants may have the same provider. One must not get what the person
		// allowed to the other.
		if o.Tenant != "" {
			parts = append(parts, o.Tenant)
		}
	case refresh == "":
		var b [32]byte
		rand.Read(b[:]) // never fails
		return []string{base64.RawURLEncoding.EncodeToString(b[:])}, false
	}
	// The same refresh token must never be in two records: one of them would
	// use it when the other has replaced it. So it decides the ID.
	for _, sum := range g.ring.Reveal().Digests("id", parts...) {
		ids = append(ids, base64.RawURLEncoding.EncodeToString(sum))
	}
	return ids, shared
}

// keyOf returns the key of a grant's record. The ID is a secret, so the store
// has its hash.
func keyOf(id string) Key { return Key{kind, sha256.Sum256([]byte("authcode grant " + id))} }

// create stores a new grant, or adds to the one that is there.
func (g *Grants) create(ctx context.Context, c *content) error {
	r := Record{Key: keyOf(c.ID), Version: newVersion()}
	var err error
	if r.Content, err = g.sealed(r.Key, r.Version, c); err != nil {
		return err
	}
	err = g.cfg.Store.Create(ctx, r)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrExists):
		return g.merge(ctx, c.ID, c)
	}
	return storeError(ctx, err)
}

// merge puts a login into the grant of an earlier one.
func (g *Grants) merge(ctx context.Context, id string, c *content) error {
	key := keyOf(id)
	r, err := g.cfg.Store.Load(ctx, key, 0)
	for tries := 0; err == nil; tries++ {
		next := c.clone()
		next.ID, next.Shared = id, true
		// What no key opens any more is replaced.
		if old, openErr := g.open(key, r, time.Now()); openErr == nil {
			next.keepFrom(old)
		}
		var data Content
		if data, err = g.sealed(key, r.Version+1, next); err != nil {
			return err
		}
		r, err = g.cfg.Store.Swap(ctx, key, Swap{Version: r.Version, Content: &data})
		switch {
		case err == nil:
			g.cache.Drop(key)
			return nil
		case errors.Is(err, ErrConflict) && tries < 10:
			err = nil
		}
	}
	if errors.Is(err, ErrNotFound) {
		return g.create(ctx, c) // it was deleted in the meantime
	}
	return storeError(ctx, err)
}

// keepFrom takes over from an earlier login what the new one lacks. Google
// issues a refresh token at the first consent only.
func (c *content) keepFrom(old *opened) {
	if c.Refresh != "" || old.Refresh == "" {
		return
	}
	former := old.clone()
	former.passed(old.age())
	c.Refresh, c.Pending = former.Refresh, former.Pending
	if len(c.Login.Token) == 0 {
		c.Login = former.Login
	}
}

// sealed returns the content of a record.
func (g *Grants) sealed(key Key, version int64, c *content) (Content, error) {
	plain, err := c.encode()
	if err != nil {
		return Content{}, err
	}
	ring := g.ring.Reveal()
	out := Content{
		Data:    ring.Seal(sealedAs(key, version), plain),
		Expires: g.lifetime(), Idle: g.cfg.KeepFor,
	}
	out.Digests[ByIssuer] = digestOf(ring, "issuer", c.Origin.Issuer, c.Origin.TokenURL)
	if id := c.Identity; id != nil {
		out.Digests[ByIssuer] = digestOf(ring, "issuer", id.Issuer)
		out.Digests[ByPerson] = digestOf(ring, "person", id.Issuer, id.Subject)
		if sid, _ := id.Claims["sid"].(string); sid != "" {
			out.Digests[BySession] = digestOf(ring, "sid", id.Issuer, sid)
		}
	}
	return out, nil
}
