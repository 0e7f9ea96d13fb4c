package dpop_test

import (
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
)

// TestEmptyBinding: a Binding that no constructor made is the app's mistake, and New says so.
func TestEmptyBinding(t *testing.T) {
	var none *dpop.Binding
	for _, b := range []*dpop.Binding{none, {}} {
		if _, err := authcode.New(authcode.Config{Binding: b}); err == nil || !strings.Contains(err.Error(), "the Binding is nil or empty") {
			t.Errorf("got %v", err)
		}
	}
}
