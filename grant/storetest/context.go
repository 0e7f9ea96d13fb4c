package storetest

import (
	"context"
	"errors"
	"time"

	"example.com/authcode/grant"
)

// endsWithContext: an operation whose context has ended returns an error, which
// is none of the store's answers, and the store works on.
func endsWithContext(c *trial) {
	r := c.record()
	r.Digests[grant.ByPerson] = digest()
	s := c.create(r)
	canceled, cancel := context.WithCancel(c.ctx)
	cancel()
	late, cancel := context.WithDeadline(c.ctx, time.Now().Add(-time.Second))
	defer cancel()
	for _, ctx := range []context.Context{canceled, late} {
		for name, err := range c.operations(ctx, s) {
			if err == nil || errors.Is(err, grant.ErrNotFound) ||
				errors.Is(err, grant.ErrExists) || errors.Is(err, grant.ErrConflict) {
				c.Errorf("%s whose context has ended returned the error %v", name, err)
			}
		}
	}
	s.load()
	c.finds(grant.ByPerson, r.Digests[grant.ByPerson], s)
	for i := range 200 { // These end at any time.
		ctx, cancel := context.WithTimeout(c.ctx, time.Duration(i)*10*time.Microsecond)
		_, _ = c.store().Load(ctx, r.Key, 0)
		_, _ = c.store().Find(ctx, kind, grant.ByPerson, r.Digests[grant.ByPerson], grant.ID{}, 1)
		cancel()
	}
	for range 3 {
		s.load()
		s.swap(s.replace(), nil)
	}
}

// operations runs each operation and returns the errors.
func (c *trial) operations(ctx context.Context, s *subject) map[string]error {
	store, key := c.store(), s.want.Key
	errs := make(map[string]error)
	_, errs["Load"] = store.Load(ctx, key, 0)
	_, errs["Load with touch"] = store.Load(ctx, key, time.Millisecond)
	_, errs["Swap that takes"] = store.Swap(ctx, key, take("a", long))
	_, errs["Swap with Content"] = store.Swap(ctx, key, s.replace())
	_, errs["Find"] = store.Find(ctx, kind, grant.ByPerson, s.want.Digests[grant.ByPerson],
		grant.ID{}, 1)
	_, _, errs["Sweep"] = store.Sweep(ctx, 1)
	errs["Delete"] = store.Delete(ctx, key, 0)
	fresh := c.record()
	errs["Create"] = store.Create(ctx, fresh)
	c.forget(fresh.Key)
	return errs
}
