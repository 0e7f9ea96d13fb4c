package redisstore

import (
	"context"
	_ "embed" // the scripts
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/authcode/grant"
)

var (
	//go:embed lua/index.lua
	indexSource string
	//go:embed lua/find.lua
	findSource string

	indexScript = script(indexSource)
	findScript  = script(findSource)
)

// An index entry is the record's id, the time when the entry was written, which
// is its stamp, and the time when it ends. Each writing makes an entry of its
// own, so that dropping one cannot harm another.
const (
	idBytes    = len(grant.ID{})
	stampBytes = 16
	entryBytes = idBytes + 2*stampBytes
	noStamp    = "0000000000000000"
)

// grace is the age from which entries without a record are dropped. A younger one
// may have been written a moment ago for a record that comes next. The scripts
// refuse a record whose entries are older than a minute; the other four are for
// clocks that differ.
const grace = 5 * time.Minute

// marks say which index entries have been written for a content.
type marks struct {
	stamps string // one for each digest; empty if none has been written
	first  int64  // the earliest of them
}

// lifetime is how long index entries last: longer than the content, so that a
// record which is renewed all the time seldom needs new ones.
func lifetime(c *grant.Content) time.Duration { return c.Expires + c.Expires/4 }

// index writes the index entries of a record that is about to be written.
func (s *Store) index(ctx context.Context, key grant.Key, c *grant.Content) (marks, error) {
	var calls []call
	for i, d := range c.Digests {
		if d != (grant.Digest{}) {
			calls = append(calls, call{
				indexScript, []string{s.indexKey(key.Kind, grant.Index(i), d)},
				[]any{key.ID[:], microseconds(lifetime(c))},
			})
		}
	}
	if len(calls) == 0 {
		return marks{}, nil
	}
	answers, err := s.save(ctx, calls...)
	if err != nil {
		return marks{}, err
	}
	m := marks{first: answers[0].number(0)}
	for _, d := range c.Digests {
		if d == (grant.Digest{}) {
			m.stamps += noStamp
			continue
		}
		now := answers[0].number(0)
		m.stamps += fmt.Sprintf("%0*d", stampBytes, now)
		m.first, answers = min(m.first, now), answers[1:]
	}
	return m, nil
}

// forget drops the index entries that a record had: former are its digests and
// their stamps. It need not succeed: Find drops them, too, and they end by
// themselves.
func (s *Store) forget(ctx context.Context, key grant.Key, now int64, former string) {
	if len(former) != 2*digestBytes {
		return
	}
	s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, d := range toDigests(former[:digestBytes]) {
			stamp := former[digestBytes+i*stampBytes:][:stampBytes]
			if isOld(stamp, now) && stamp != noStamp {
				entry := string(key.ID[:]) + stamp
				p.ZRemRangeByLex(ctx, s.indexKey(key.Kind, grant.Index(i), d),
					"["+entry, "("+entry+"\xff")
			}
		}
		return nil
	})
}

func isOld(stamp string, now int64) bool {
	written, err := strconv.ParseInt(stamp, 10, 64)
	return err == nil && now-written >= grace.Microseconds()
}

// page bounds how many entries one script of Find returns.
const page = 500

// Find implements [grant.Store].
func (s *Store) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	if d == (grant.Digest{}) {
		return nil, ctx.Err()
	}
	return do(ctx, s, func() (found []grant.Record, err error) {
		key := s.indexKey(kind, index, d)
		for len(found) < limit {
			n := min(limit-len(found), page)
			a, err := s.run(ctx, call{findScript, []string{key}, []any{after[:], n}})
			if err != nil {
				return nil, err
			}
			if len(a) != 2 {
				return nil, errAnswer
			}
			entries, _ := a[1].([]any)
			if len(entries) == 0 {
				break
			}
			c := candidates{store: s, kind: kind, index: index, digest: d, now: a.number(0)}
			records, last, err := c.load(ctx, entries)
			if err != nil {
				return nil, err
			}
			c.drop(ctx, key)
			found, after = append(found, records...), last
			if len(entries) < n {
				break
			}
		}
		return found, nil
	})
}

// candidates are the entries of one page of an index.
type candidates struct {
	store  *Store
	kind   string
	index  grant.Index
	digest grant.Digest
	now    int64 // of the server that has the index
	dead   []any // entries to drop
}

// load returns those records that exist and have the digest, and the last id of
// the entries.
func (c *candidates) load(ctx context.Context, entries []any) (
	records []grant.Record, last grant.ID, err error,
) {
	var keys []grant.Key
	var calls []call
	stamps := make(map[grant.ID][]string)
	for _, e := range entries {
		entry, _ := e.(string)
		if len(entry) != entryBytes {
			return nil, last, errAnswer
		}
		id := grant.ID([]byte(entry[:idBytes]))
		if stamps[id] == nil {
			key := grant.Key{Kind: c.kind, ID: id}
			keys, calls = append(keys, key), append(calls, c.store.load(key, 0))
		}
		stamps[id], last = append(stamps[id], entry), id
	}
	answers, err := c.store.runAll(ctx, calls)
	if err != nil {
		return nil, last, err
	}
	for i, a := range answers {
		r, err := c.verify(keys[i], a, stamps[keys[i].ID])
		if err != nil {
			return nil, last, err
		}
		if r != nil {
			records = append(records, *r)
		}
	}
	return records, last, nil
}

// verify returns the record of some entries, or nil if they are dead.
func (c *candidates) verify(key grant.Key, a answer, entries []string) (*grant.Record, error) {
	err := a.status()
	if err == nil {
		r, err := a.record(key)
		if err != nil {
			return nil, err
		}
		if r.Digests[c.index] == c.digest {
			return &r, nil
		}
	} else if err != grant.ErrNotFound {
		return nil, err
	}
	for _, e := range entries {
		if isOld(e[idBytes:][:stampBytes], c.now) {
			c.dead = append(c.dead, e)
		}
	}
	return nil, nil
}

// drop removes the dead entries from the index. It need not succeed.
func (c *candidates) drop(ctx context.Context, index string) {
	if len(c.dead) > 0 {
		c.store.client.ZRem(ctx, index, c.dead...)
	}
}
