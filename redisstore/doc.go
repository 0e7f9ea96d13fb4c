// Package redisstore keeps grants and sessions in Redis or Valkey: it is a
// [grant.Store] on github.com/redis/go-redis/v9.
//
//	client := redis.NewClient(&redis.Options{Addr: "redis.internal:6379"})
//	store, err := redisstore.New(client, redisstore.Options{})
//
// It needs Redis 7.0, or any Valkey, alone, with replicas and Sentinel, or as a
// Cluster.
//
// # The server
//
// What is in Redis is what keeps people signed in, so this is a database and not
// a cache:
//
//   - maxmemory-policy must be noeviction. Any other policy deletes records of
//     people who are signed in; the store refuses such a server. With noeviction,
//     a server whose memory is used up refuses new sign-ins, and goes on loading
//     and renewing what it has.
//   - appendonly should be yes. Without it a crash forgets everything since the
//     last snapshot and signs those people out. The store says so in slog's
//     default logger.
//   - A replica that takes over lacks the writes that had not reached it. See
//     Options.WaitReplicas for what a renewal can do about that.
//   - The clocks of the servers of a Cluster, and of a server and its replicas,
//     must be synchronized, by NTP for example. Records live by the clock of the
//     server that has them. The clocks of the app's instances do not matter.
//
// The first operation checks the server; [Store.Check] does so earlier. Users of
// an access control list need the keys that begin with Options.Prefix and these
// commands: eval, evalsha and info; what the scripts call, which is hget, hset,
// del, pexpireat, pexpiretime, zadd, zrem, zrandmember, zrangebylex,
// zrangebyscore and time; zremrangebylex for Delete and Swap; and wait, watch and
// unwatch for Options.WaitReplicas.
//
// # Keys
//
// Each record is a hash, authcode:{2f}:grant:ID. Its tag is one of 64, by the
// record's id, so that a Cluster spreads the records and that those with a lease
// can be listed beside them, in authcode:{2f}:leases. The list is right at any
// time, since one script changes both.
//
// What Find looks for is in one sorted set for each digest,
// authcode:{grant:1:DIGEST}, on a server of its own in a Cluster. Its entries are
// written before the record is, and Find loads each record and looks at its
// digests. So a record is never missing from an index, and an entry that a crash
// has left behind is harmless; Find drops it. (In a Cluster without
// Options.WaitReplicas, a failover can lose an entry whose record is on another
// server.) Entries last for a quarter longer than the record, so that renewing it
// with the same digests seldom writes them again.
//
// All keys have a time to live.
//
// # Costs
//
// Load, taking, extending and giving up a lease, and saving new content are
// each one script and one round trip. Creating a record, and saving one with
// other digests or with an end that its index entries do not cover, takes one
// more script for each digest, all in one further round trip (saving tries
// first whether that is needed: one more). Delete, and saving with new entries,
// take one more round trip if there are entries to drop. Find takes two for
// each page, the second with one script for each record. Sweep takes one with
// 64 small scripts; what has expired is deleted by Redis itself.
//
// # Repeated commands
//
// go-redis sends a command again when it got no answer (MaxRetries). That is
// harmless: creating the same record again and taking one's own lease again
// succeed, and saving or giving up again is [grant.ErrConflict], with the record
// as the first attempt has left it.
package redisstore
