package realm

import (
	"context"
	"errors"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
)

// filled is a tenant with as many requests under way as it may have.
func filled(t *testing.T) *Member {
	m := &Member{Realm: new(Realm), Login: Login{Tenant: "a"}}
	for range maxPlaces {
		if err := m.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// TestPlaces: a request beyond the bound waits, for others of the same tenant
// alone, and at the end nothing is kept.
func TestPlaces(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := filled(t)
		began := time.Now()
		if err := m.Enter(t.Context()); !errors.Is(err, ErrBusy) || time.Since(began) != patience {
			t.Errorf("got %v after %v, want ErrBusy after %v", err, time.Since(began), patience)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that of the context", err)
		}
		other := &Member{Realm: m.Realm, Login: Login{Tenant: "b"}}
		if err := other.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		other.Leave()
		time.AfterFunc(time.Second, m.Leave)
		began = time.Now()
		if err := m.Enter(t.Context()); err != nil || time.Since(began) != time.Second {
			t.Errorf("got %v after %v, want a place after a second", err, time.Since(began))
		}
		for range maxPlaces {
			m.Leave()
		}
		if n := len(m.Realm.places.shares); n != 0 {
			t.Errorf("%d tenants are kept", n)
		}
	})
}

// TestPlacesInTurn: who waits longest is next, whether or not others have given
// up, and a place that comes just then is not lost.
func TestPlacesInTurn(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		m := filled(t)
		p := &m.Realm.places
		first, second, third := p.take("a"), p.take("a"), p.take("a")
		p.giveUp("a", second)
		m.Leave()
		<-first
		m.Leave()
		<-third
		late := p.take("a")
		m.Leave() // late's, who gives up without having seen it
		p.giveUp("a", late)
		if s := p.shares["a"]; s.taken != maxPlaces-1 || len(s.waiting) != 0 {
			t.Errorf("%d places are taken and %d wait, want %d and none",
				s.taken, len(s.waiting), maxPlaces-1)
		}
	})
}
