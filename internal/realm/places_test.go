package realm

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
)

// filled is a tenant with as many requests under way as it may have.
func filled(t *testing.T) (m *Member, leaves []func()) {
	m = &Member{Realm: new(Realm), Login: Login{Tenant: "a"}}
	for range maxPlaces {
		leave, err := m.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leave)
	}
	return m, leaves
}

// TestPlaces: a request beyond the bound waits, for others of the same tenant
// alone, and at the end nothing is kept.
func TestPlaces(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m, leaves := filled(t)
		began := time.Now()
		if _, err := m.Enter(t.Context()); !errors.Is(err, ErrBusy) || time.Since(began) != patience {
			t.Errorf("got %v after %v, want ErrBusy after %v", err, time.Since(began), patience)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := m.Enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that of the context", err)
		}
		other := &Member{Realm: m.Realm, Login: Login{Tenant: "b"}}
		leave, err := other.Enter(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		leave()
		time.AfterFunc(time.Second, leaves[0])
		began = time.Now()
		leave, err = m.Enter(t.Context())
		if err != nil || time.Since(began) != time.Second {
			t.Errorf("got %v after %v, want a place after a second", err, time.Since(began))
		}
		leave()
		for _, leave := range leaves[1:] {
			leave()
		}
		if n := len(m.Realm.places.shares); n != 0 {
			t.Errorf("%d tenants are kept", n)
		}
	})
}
