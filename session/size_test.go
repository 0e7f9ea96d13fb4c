package session_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// counting counts the records that are found.
type counting struct {
	grant.Store
	found int
}

func (c *counting) Find(
	ctx context.Context, kind string, index grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	found, err := c.Store.Find(ctx, kind, index, d, after, limit)
	c.found += len(found)
	return found, err
}

// TestEndOfManyThatShare: the end of many sessions with one grant reads a few
// records for each of them, and not all the others.
func TestEndOfManyThatShare(t *testing.T) {
	store := &counting{Store: grant.NewMemory(0)}
	s, err := session.New(session.Config{
		Store: store, Keys: [][]byte{world.Key('s')}, LoginURL: "/login",
	})
	if err != nil {
		t.Fatal(err)
	}
	client := world.Client(t, &world.Provider{})
	const sessions = 60
	for range sessions {
		login := &authcode.Login{
			Token: world.Expired(), Started: time.Now(),
			Identity: &authcode.Identity{Issuer: world.Issuer, Subject: "alice"},
		}
		r := httptest.NewRequest("GET", world.RedirectURL, nil)
		if err := s.Start(httptest.NewRecorder(), r, client, login); err != nil {
			t.Fatal(err)
		}
	}
	store.found = 0
	if err := s.End(t.Context(), world.Issuer, "alice", ""); err != nil {
		t.Fatal(err)
	}
	if store.found > 6*sessions {
		t.Errorf("the end of %d sessions has read %d records", sessions, store.found)
	}
	left, err := s.Sessions(t.Context(), world.Issuer, "alice")
	if err != nil || len(left) > 0 {
		t.Errorf("%d sessions are left, %v", len(left), err)
	}
}

// largeLogin is a login of alice with so many bytes of claims and so many scopes.
func largeLogin(claims, scopes int) *authcode.Login {
	return &authcode.Login{
		Token: world.Expired(), Started: time.Now(), Scopes: strings.Fields(strings.Repeat("a ", scopes)),
		Identity: &authcode.Identity{Issuer: world.Issuer, Subject: "alice",
			Claims: map[string]any{"x": strings.Repeat("<", claims)}},
	}
}

// TestLargeLogin: a login that a Store does not take is refused, and nothing is
// kept of it. Of one that is taken, a request reads no more than it needs.
func TestLargeLogin(t *testing.T) {
	store := grant.NewMemory(0)
	s, err := session.New(session.Config{
		Store: store, Keys: [][]byte{world.Key('s')}, LoginURL: "/login",
	})
	if err != nil {
		t.Fatal(err)
	}
	client, r := world.Client(t, &world.Provider{}), httptest.NewRequest("GET", world.RedirectURL, nil)
	w := httptest.NewRecorder()
	err = s.Start(w, r, client, largeLogin(1<<20, 1))
	world.WantError(t, err, authcode.BadAnswer, "session.size")
	if err := s.Start(w, r, client, largeLogin(300<<10, 128<<10)); err != nil {
		t.Fatal(err)
	}
	found, err := s.Sessions(t.Context(), world.Issuer, "alice")
	if err != nil || len(found) != 1 {
		t.Errorf("%d sessions are there, %v", len(found), err)
	}
	r = httptest.NewRequest("GET", world.AppURL+"/account", nil)
	r.AddCookie(w.Result().Cookies()[0])
	if n := testing.AllocsPerRun(10, func() { s.Load(r) }); n > 25 {
		t.Errorf("a request takes %v allocations, want 25 or fewer", n)
	}
}
