package redisstore

import (
	"context"
	"crypto/fips140"
	_ "embed" // the scripts
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"example.com/authcode/grant"
)

//go:embed lua/common.lua
var common string

// script puts common behind the first line of a script, which begins with #! and
// has flags for Redis. A script without the flag no-writes is refused by a
// replica, so that none reads there.
func script(source string) (s *redis.Script) {
	first, rest, _ := strings.Cut(source, "\n")
	// Redis names scripts by their SHA-1, which FIPS 140-3 does not approve. Here
	// it protects nothing: a server knows only scripts that it was sent.
	fips140.WithoutEnforcement(func() { s = redis.NewScript(first + "\n" + common + rest) })
	return s
}

// call is one run of a script.
type call struct {
	script *redis.Script
	keys   []string
	args   []any
}

// run executes one script: by its digest, and with its text if the server does
// not know that.
func (s *Store) run(ctx context.Context, c call) (answer, error) {
	v, err := c.script.Run(ctx, s.client, c.keys, c.args...).Result()
	return toAnswer(v, err)
}

// runAll executes scripts in one round trip, or one for each server of a
// Cluster, at the same time and in no certain order. If one fails, the others
// may have been executed.
func (s *Store) runAll(ctx context.Context, calls []call) ([]answer, error) {
	answers, unknown := make([]answer, len(calls)), []int(nil)
	commands := make([]*redis.Cmd, len(calls))
	s.client.Pipelined(ctx, func(p redis.Pipeliner) error { // each command has its error
		for i, c := range calls {
			commands[i] = p.EvalSha(ctx, c.script.Hash(), c.keys, c.args...)
		}
		return nil
	})
	for i, c := range commands {
		v, err := c.Result()
		if isUnknown(err) {
			unknown = append(unknown, i)
			continue
		}
		if answers[i], err = toAnswer(v, err); err != nil {
			return nil, err
		}
	}
	// A server forgets scripts when it restarts, and a new one knows none.
	for _, i := range unknown {
		var err error
		if answers[i], err = s.run(ctx, calls[i]); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

func isUnknown(err error) bool {
	return errors.Is(err, redis.ErrNoScript) || redis.HasErrorPrefix(err, "NOSCRIPT")
}

// save executes scripts and makes sure that Options.WaitReplicas replicas have
// what they wrote.
func (s *Store) save(ctx context.Context, calls ...call) ([]answer, error) {
	if s.options.WaitReplicas == 0 && len(calls) > 1 {
		return s.runAll(ctx, calls)
	}
	answers := make([]answer, len(calls))
	for i, c := range calls {
		var err error
		if s.options.WaitReplicas == 0 {
			answers[i], err = s.run(ctx, c)
		} else {
			answers[i], err = s.runAndWait(ctx, c)
		}
		if err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// runAndWait executes one script and waits for the replicas. WAIT is about what
// its own connection has seen, and Watch is how to use one connection twice with
// any kind of client. It waits whatever the script has answered: a command that
// is repeated has changed everything the first time.
func (s *Store) runAndWait(ctx context.Context, c call) (a answer, err error) {
	// Watch must be able to end what it began on a connection that others get
	// afterwards, also when ctx has ended.
	err = s.client.Watch(context.WithoutCancel(ctx), func(tx *redis.Tx) error {
		if a, err = toAnswer(c.script.Run(ctx, tx, c.keys, c.args...).Result()); err != nil {
			return err
		}
		want := s.options.WaitReplicas
		n, err := tx.Wait(ctx, want, s.options.WaitTimeout).Result()
		if err == nil && n < int64(want) {
			return fmt.Errorf("%d of %d replicas have confirmed the write within %v:"+
				" it is lost if the server fails now; see Options.WaitReplicas",
				n, want, s.options.WaitTimeout)
		}
		return err
	}, c.keys[0])
	return a, err
}

// do checks the server, if nobody has, and runs f.
func do[T any](ctx context.Context, s *Store, f func() (T, error)) (T, error) {
	return until(ctx, func() (none T, err error) {
		if err := s.checkOnce(ctx); err != nil {
			return none, err
		}
		return f()
	})
}

// until runs f, and returns when f or ctx has ended, whichever is first: go-redis
// looks at ctx between its attempts, but not while it reads. The client's
// ReadTimeout ends f then.
func until[T any](ctx context.Context, f func() (T, error)) (none T, err error) {
	type result struct {
		v   T
		err error
	}
	if err := ctx.Err(); err != nil {
		return none, named(err)
	}
	done := make(chan result, 1)
	go func() {
		v, err := f()
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, named(r.err)
	case <-ctx.Done():
		return none, named(ctx.Err())
	}
}

// named says where an error comes from.
func named(err error) error {
	if err == nil || errors.Is(err, grant.ErrNotFound) || errors.Is(err, grant.ErrExists) ||
		errors.Is(err, grant.ErrConflict) {
		return err
	}
	return fmt.Errorf("redisstore: %w", err)
}
