package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// hanging is a store whose operations of one name do not end by themselves.
type hanging struct {
	grant.Store
	on *string
}

func (h hanging) wait(ctx context.Context, op string) error {
	if *h.on != op {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func (h hanging) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	if err := h.wait(ctx, "Load"); err != nil {
		return grant.Record{}, err
	}
	return h.Store.Load(ctx, key, touch)
}

func (h hanging) Delete(ctx context.Context, key grant.Key, version int64) error {
	if err := h.wait(ctx, "Delete"); err != nil {
		return err
	}
	return h.Store.Delete(ctx, key, version)
}

func (h hanging) Create(ctx context.Context, r grant.Record) error {
	if err := h.wait(ctx, "Create"); err != nil {
		return err
	}
	return h.Store.Create(ctx, r)
}

func (h hanging) Swap(ctx context.Context, key grant.Key, s grant.Swap) (grant.Record, error) {
	if err := h.wait(ctx, "Swap"); err != nil {
		return grant.Record{}, err
	}
	return h.Store.Swap(ctx, key, s)
}

func (h hanging) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	if err := h.wait(ctx, "Find"); err != nil {
		return nil, err
	}
	return h.Store.Find(ctx, kind, index, d, after, limit)
}

// TestHangingStore: a store that hangs is answered like one that is down, after
// some seconds, and sessions are back afterwards.
func TestHangingStore(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		on := ""
		s, err := session.New(session.Config{
			Store: hanging{grant.NewMemory(0), &on}, Keys: [][]byte{world.Key('s')}, LoginURL: "/login",
		})
		if err != nil {
			t.Fatal(err)
		}
		r := signedIn(t, s)
		end := func() error { return s.End(t.Context(), world.Issuer, "alice", "") }
		mark := func() error { return s.End(t.Context(), world.Issuer, "bob", "") } // tries twice
		set := func() error {                                                       // of a session that was loaded before
			loaded, err := s.Load(r)
			if on = "Swap"; err != nil {
				return err
			}
			return loaded.SetValue(t.Context(), "v", "1")
		}
		load := func() error { _, err := s.Load(r); return err }
		for op, do := range map[string]func() error{
			"Load": load, "": set, "Create": mark, "Find": end, "Delete": end,
		} {
			on = op
			began := time.Now()
			err := do() // End deletes twice: the grant, and in any case the session
			if took := time.Since(began); !errors.Is(err, authcode.Overloaded) || took < 5*time.Second || took > 10*time.Second {
				t.Errorf("%s: ended after %v with %v", on, took, err)
			}
			on = ""
			if found, err := s.Load(r); found == nil || err != nil {
				t.Errorf("the session is not back: %v", err)
			}
		}
		on = "Load"
		w := httptest.NewRecorder()
		if s.Require(http.NotFoundHandler()).ServeHTTP(w, r); w.Code != http.StatusServiceUnavailable {
			t.Errorf("Require answers %d", w.Code)
		}
	})
}
