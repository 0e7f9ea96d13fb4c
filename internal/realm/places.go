package realm

import (
	"context"
	"errors"
	"sync"
	"time"
)

const (
	// maxPlaces is how many requests of one tenant run at a time. A provider that
	// answers in a fifth of a second can sign 80 people in each second.
	maxPlaces = 16

	// patience is how long a request waits for a place. A person waits for it.
	patience = 5 * time.Second
)

// ErrBusy is the error of a request that got no place in time.
var ErrBusy = errors.New("the tenant has too many requests under way")

// places bounds the requests that each tenant has under way. Tenants may share a
// host and its connections. One that keeps its requests waiting there must not
// hold all of them. A share is dropped when no request uses it.
type places struct {
	mu     sync.Mutex
	shares map[string]*share
}

// share belongs to one tenant.
type share struct {
	taken chan struct{} // one element for each request under way
	users int           // requests that are under way or wait; places.mu guards it
}

// Enter waits until the tenant of m may send one more request. The caller calls
// leave, once, when it has the whole answer. The error is ctx.Err() or
// [ErrBusy].
func (m *Member) Enter(ctx context.Context) (leave func(), err error) {
	p := &m.Realm.places
	s := p.use(m.Tenant)
	leave = func() {
		<-s.taken
		p.drop(m.Tenant, s)
	}
	select {
	case s.taken <- struct{}{}:
		return leave, nil
	default:
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case s.taken <- struct{}{}:
		return leave, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-late.C:
		err = ErrBusy
	}
	p.drop(m.Tenant, s)
	return nil, err
}

func (p *places) use(tenant string) *share {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shares[tenant]
	if s == nil {
		if p.shares == nil {
			p.shares = make(map[string]*share)
		}
		s = &share{taken: make(chan struct{}, maxPlaces)}
		p.shares[tenant] = s
	}
	s.users++
	return s
}

func (p *places) drop(tenant string, s *share) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(p.shares, tenant)
	}
}
