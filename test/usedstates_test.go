package test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// usedStates is a store that instances share.
type usedStates struct {
	mu   sync.Mutex
	seen map[string]time.Time
	err  error

	elsewhere bool // another instance was there first, whatever the id
}

func (u *usedStates) Use(_ context.Context, id string, until time.Time) (bool, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		return false, u.err
	}
	_, used := u.seen[id]
	used = used || u.elsewhere
	u.seen[id] = until
	return !used, nil
}

func TestUsedStates(t *testing.T) {
	store := &usedStates{seen: make(map[string]time.Time)}
	w := world.New(t, func(c *config) { c.UsedStates = store })
	b := w.Browser()
	callback := b.Callback("")
	w.WantStatus(b.Get(callback), http.StatusSeeOther)
	if len(store.seen) != 1 {
		t.Fatalf("the store holds %d ids, want 1", len(store.seen))
	}
	for id, until := range store.seen {
		left := time.Until(until)
		if len(id) != 43 || left < 9*time.Minute || left > 12*time.Minute {
			t.Errorf("id %q until %v", id, until)
		}
		if id == world.Param(callback, "state") {
			t.Error("the store was told the state itself")
		}
	}
	store.elsewhere = true
	w.WantFailure(b.Get(b.Callback("")), authcode.AlreadyUsed, "used_states.used")
	w.WantTokenRequests(1)
	store.elsewhere = false

	t.Run("a store that fails refuses", func(t *testing.T) {
		w.In(t)
		store.err = errors.New("store: password " + world.CanarySecret)
		resp := w.Browser().SignIn("")
		w.WantFailure(resp, authcode.Overloaded, "used_states")
		if resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		w.WantTokenRequests(1)
	})
}
