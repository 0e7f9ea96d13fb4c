package redisstore

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"example.com/authcode"
	"example.com/authcode/grant"
)

// Options are the options of [New]. The zero value is good for most apps.
type Options struct {
	// Prefix begins the name of every key. Apps that share a server have
	// different ones. If empty, it is "authcode:".
	Prefix string

	// WaitReplicas is how many replicas must confirm a record's creation or new
	// content before that counts as saved: the Redis command WAIT. Otherwise the
	// operation fails, although it was executed; package grant then saves again.
	// Without it, a failover right after a renewal can lose the new refresh
	// token, and a provider that rotates them signs the person out. It costs
	// three more round trips, and no renewal can be saved while fewer replicas
	// are there. WAIT makes a loss unlikely and not impossible: a replica that
	// did not confirm may be the one that takes over. Set it to the number of
	// all replicas to rule that out. If zero, the store does not wait.
	WaitReplicas int

	// WaitTimeout is how long to wait for the replicas. If zero, it is a second.
	WaitTimeout time.Duration
}

// Store is a [grant.Store], and an [authcode.UsedStates], in Redis. It is safe for
// concurrent use.
type Store struct {
	client  redis.UniversalClient
	options Options
	checked atomic.Bool
}

var (
	_ grant.Store         = (*Store)(nil)
	_ authcode.UsedStates = (*Store)(nil)
)

// New returns a Store that uses client, which stays the caller's to close. It
// does not connect.
//
// The client must not read from replicas and must have a ReadTimeout, which
// New checks where it can. An operation returns when its context ends,
// whatever the client's ContextTimeoutEnabled says; what it has sent may be
// executed afterwards.
func New(client redis.UniversalClient, o Options) (*Store, error) {
	var faults []error
	fault := func(isFault bool, text string) {
		if isFault {
			faults = append(faults, errors.New("redisstore: "+text))
		}
	}
	switch c := client.(type) {
	case nil:
		fault(true, "client is nil: pass the result of redis.NewClient")
	case *redis.Ring:
		fault(true, "client is a Ring, which loses records when a server is away:"+
			" use a Cluster or Sentinel")
	case *redis.Client:
		fault(c.Options().ReadTimeout <= 0, noTimeout)
	case *redis.ClusterClient:
		fault(c.Options().ReadTimeout <= 0, noTimeout)
		fault(c.Options().ReadOnly, "client reads from replicas, which may have a token that has been"+
			" replaced: clear ReadOnly, RouteByLatency and RouteRandomly of its ClusterOptions")
	}
	fault(strings.ContainsAny(o.Prefix, "{}"),
		"Options.Prefix contains a brace, which would decide the Cluster's slot: leave it out")
	fault(o.WaitReplicas < 0, "Options.WaitReplicas is negative: use zero to not wait")
	fault(o.WaitTimeout < 0, "Options.WaitTimeout is negative: use zero for a second")
	fault(o.WaitTimeout > 0 && o.WaitReplicas == 0,
		"Options.WaitTimeout is set without Options.WaitReplicas: set both or neither")
	if o.Prefix == "" {
		o.Prefix = "authcode:"
	}
	if o.WaitTimeout == 0 {
		o.WaitTimeout = time.Second
	}
	if faults != nil {
		return nil, errors.Join(faults...)
	}
	return &Store{client: client, options: o}, nil
}

const noTimeout = "client has no ReadTimeout, so that an operation on a frozen server would never" +
	" end: set one in its options"

// Use implements [authcode.UsedStates].
func (s *Store) Use(ctx context.Context, id string, until time.Time) (fresh bool, err error) {
	return grant.UseState(ctx, s, id, until)
}

// recordKey is the name of a record.
func (s *Store) recordKey(k grant.Key) string {
	return s.bucket(k.ID[0]) + k.Kind + ":" + base64.RawURLEncoding.EncodeToString(k.ID[:])
}

// leasesKey is the name of the set of those records beside this one that have a
// lease.
func (s *Store) leasesKey(k grant.Key) string { return s.bucket(k.ID[0]) + "leases" }

// bucket is how the names of records begin whose id has this first byte. In a
// Cluster, the part in braces decides which server has the key.
func (s *Store) bucket(first byte) string {
	return fmt.Sprintf("%s{%02x}:", s.options.Prefix, first%buckets)
}

const buckets = 64

// indexKey is the name of the index of the records with this digest.
func (s *Store) indexKey(kind string, i grant.Index, d grant.Digest) string {
	return fmt.Sprintf("%s{%s:%d:%s}", s.options.Prefix, kind, i, hex.EncodeToString(d[:]))
}

// member is what a record is called among the leases.
func member(k grant.Key) string { return k.Kind + ":" + string(k.ID[:]) }

// parseMember is the opposite of member.
func parseMember(m string) (grant.Key, bool) {
	kind, id, ok := strings.Cut(m, ":")
	if !ok || len(id) != len(grant.ID{}) {
		return grant.Key{}, false
	}
	return grant.Key{Kind: kind, ID: grant.ID([]byte(id))}, true
}
