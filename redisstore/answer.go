package redisstore

import (
	"errors"
	"strconv"
	"time"

	"example.com/authcode/grant"
)

// answer is what a script returns: strings and integers, or one integer.
type answer []any

// errAnswer is the error for an answer that the scripts cannot give.
var errAnswer = errors.New("the server's answer is malformed: is there a proxy in front of Redis?")

func toAnswer(v any, err error) (answer, error) {
	if err != nil {
		return nil, err
	}
	if a, ok := v.([]any); ok {
		return a, nil
	}
	return answer{v}, nil
}

// text returns the string at i, or none if it is not one.
func (a answer) text(i int) string {
	if i >= len(a) {
		return ""
	}
	v, _ := a[i].(string)
	return v
}

// number returns the integer at i, or zero if it is not one.
func (a answer) number(i int) int64 {
	if i >= len(a) {
		return 0
	}
	v, _ := a[i].(int64)
	return v
}

// status returns the error that a script's first word stands for.
func (a answer) status() error {
	switch a.text(0) {
	case "ok":
		return nil
	case "none":
		return grant.ErrNotFound
	case "exists":
		return grant.ErrExists
	case "conflict":
		return grant.ErrConflict
	case "index":
		return errIndex
	}
	return errAnswer
}

// record reads the answer of reply in common.lua. Points in time become
// durations by the server's clock.
func (a answer) record(key grant.Key) (grant.Record, error) {
	version, err := strconv.ParseInt(a.text(2), 10, 64)
	digests := a.text(3)
	if err != nil || len(a) != 14 || len(digests) != digestBytes {
		return grant.Record{}, errAnswer
	}
	now, written, seen := a.number(1), a.number(4), a.number(5)
	ends, idle := a.number(6), a.number(7)
	expires := ends
	if idle > 0 {
		expires = min(ends, seen+idle)
	}
	r := grant.Record{
		Key: key, Version: version,
		Content: grant.Content{
			Data: []byte(a.text(13)), Digests: toDigests(digests),
			Expires: duration(ends - now), Idle: duration(idle),
		},
		// A replica that took over may have an earlier clock.
		Age: max(duration(now-written), 0), Seen: max(duration(now-seen), 0),
		Left:  duration(expires - now),
		Lease: grant.Lease{Owner: a.text(8), Tries: int(a.number(10))},
	}
	if r.Lease.Owner != "" {
		r.Lease.Left = duration(a.number(9) - now)
	}
	if since := a.number(11); since != 0 {
		r.Lease.Since = max(duration(now-since), 0)
	}
	if wait := a.number(12); wait != 0 {
		r.Lease.Wait = max(duration(wait-now), 0)
	}
	return r, nil
}

func duration(microseconds int64) time.Duration {
	return time.Duration(microseconds) * time.Microsecond
}

// microseconds rounds up, so that what is positive stays so.
func microseconds(d time.Duration) int64 {
	n := d.Microseconds()
	if d > time.Duration(n)*time.Microsecond {
		n++
	}
	return max(n, 0)
}

const digestBytes = len(grant.Content{}.Digests) * len(grant.Digest{})

func toDigests(s string) (d [len(grant.Content{}.Digests)]grant.Digest) {
	for i := range d {
		d[i] = grant.Digest([]byte(s[i*len(d[i]):][:len(d[i])]))
	}
	return d
}
