package storetest

import (
	"slices"
	"testing"

	"example.com/authcode/grant"
	"example.com/authcode/internal/bubble"
)

// TestMemory: a memory store passes each check. No real time passes meanwhile.
func TestMemory(t *testing.T) {
	for _, c := range slices.Concat(waiting(), busy()) {
		t.Run(c.name, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				m := grant.NewMemory(0)
				c.run(newTrial(t, []grant.Store{m, m, m}))
			})
		})
	}
}
