package grant_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// TestARenewalTakesFiveOperations counts what a renewal asks of the store, the
// check of the new identity included, at providers of different speed. The
// lease is extended every second.
func TestARenewalTakesFiveOperations(t *testing.T) {
	for _, row := range []struct {
		claim string
		slow  time.Duration
		want  string
	}{
		{"a provider that takes half a second", time.Second / 2, "load take unchecked save"},
		{"a provider that takes a second and a half", 3 * time.Second / 2,
			"load take take unchecked save"},
		{"a provider that takes two seconds and a half", 5 * time.Second / 2,
			"load take take take unchecked save"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) { renewalTakes(t, row.slow, row.want) })
		})
	}
}

func renewalTakes(t *testing.T, slow time.Duration, want string) {
	a, p := newWorld(t, 0)
	a.provider.Answer = func(r *world.Request) (*http.Response, error) {
		time.Sleep(slow)
		return p.redeem(r.Form.Get("refresh_token")), nil
	}
	n := a.node(t)
	id := a.save(t, n.Grants, login())
	time.Sleep(2 * time.Minute)
	if _, err := n.Handle(id).Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var operations []string
	for _, step := range n.passed {
		op, ok := strings.CutPrefix(step, "before ")
		if ok && op != "send" && op != "check" && op != "create" {
			operations = append(operations, op)
		}
	}
	if got := strings.Join(operations, " "); got != want {
		t.Errorf("the store was asked for %s, want %s", got, want)
	}
}
