package grant_test

import (
	"crypto/rand"
	"testing"
	"time"

	"example.com/authcode/grant"
)

// TestFindIsShort: what Find does under its lock depends on what it returns, and
// not on how many people the provider has.
func TestFindIsShort(t *testing.T) {
	m, digest := grant.NewMemory(0), grant.Digest{1}
	for range 2000 {
		r := grant.Record{
			Key: grant.Key{Kind: "session"}, Version: 1,
			Content: grant.Content{Data: []byte("x"), Expires: time.Hour},
		}
		rand.Read(r.ID[:])
		r.Digests[grant.ByIssuer] = digest
		if err := m.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	find := func() {
		found, err := m.Find(t.Context(), "session", grant.ByIssuer, digest, grant.ID{}, 2)
		if err != nil || len(found) != 2 {
			t.Errorf("%d are found, %v", len(found), err)
		}
	}
	if n := testing.AllocsPerRun(10, find); n > 6 {
		t.Errorf("to find two of them takes %v allocations, want 6 or fewer", n)
	}
}
