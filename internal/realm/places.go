package realm

import (
	"context"
	"errors"
	"slices"
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
	shares map[string]share
}

// share belongs to one tenant.
type share struct {
	taken   int             // requests that are under way
	waiting []chan struct{} // for a place, the longest first; closed when it is theirs
}

// Enter waits until the tenant of m may send one more request. Unless it returns
// an error, the caller calls Leave, once, when it has the whole answer. The error
// is ctx.Err() or [ErrBusy].
func (m *Member) Enter(ctx context.Context) error {
	p := &m.Realm.places
	turn := p.take(m.Tenant)
	if turn == nil {
		return nil
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	var err error
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-late.C:
		err = ErrBusy
	}
	p.giveUp(m.Tenant, turn)
	return err
}

// Leave ends what Enter began.
func (m *Member) Leave() { m.Realm.places.free(m.Tenant) }

// take takes a place, or returns what is closed when the caller has one.
func (p *places) take(tenant string) (turn chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shares[tenant]
	if s.taken < maxPlaces {
		s.taken++
	} else {
		turn = make(chan struct{})
		s.waiting = append(s.waiting, turn)
	}
	if p.shares == nil {
		p.shares = make(map[string]share)
	}
	p.shares[tenant] = s
	return turn
}

// free hands a place on to the request that has waited longest.
func (p *places) free(tenant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.freeLocked(tenant)
}

// freeLocked is free for a caller that holds p.mu.
func (p *places) freeLocked(tenant string) {
	s := p.shares[tenant]
	if len(s.waiting) > 0 {
		close(s.waiting[0])
		s.waiting = s.waiting[1:]
	} else {
		s.taken--
	}
	if s.taken == 0 {
		delete(p.shares, tenant)
		return
	}
	p.shares[tenant] = s
}

// giveUp ends the wait for turn.
func (p *places) giveUp(tenant string, turn chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.shares[tenant]
	i := slices.Index(s.waiting, turn)
	if i < 0 { // it has become this request's in the meantime
		p.freeLocked(tenant)
		return
	}
	s.waiting = slices.Delete(s.waiting, i, i+1)
	p.shares[tenant] = s
}
