package session

import (
	"context"
	"time"

	"example.com/authcode/grant"
)

// opTime bounds an operation of the store. The context of a request ends only
// when the person goes away.
const opTime = 5 * time.Second

// bounded is a Store whose operations end in time. One that hangs, because of a
// lock in the database or a lost packet, is answered like one that is down.
// Otherwise the requests of everybody would pile up behind it.
type bounded struct{ grant.Store }

func (b bounded) Create(ctx context.Context, r grant.Record) error {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	return b.Store.Create(ctx, r)
}

func (b bounded) Load(
	ctx context.Context, key grant.Key, touch time.Duration,
) (grant.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	return b.Store.Load(ctx, key, touch)
}

func (b bounded) Swap(ctx context.Context, key grant.Key, s grant.Swap) (grant.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	return b.Store.Swap(ctx, key, s)
}

func (b bounded) Delete(ctx context.Context, key grant.Key, version int64) error {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	return b.Store.Delete(ctx, key, version)
}

func (b bounded) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, opTime)
	defer cancel()
	return b.Store.Find(ctx, kind, index, d, after, limit)
}
