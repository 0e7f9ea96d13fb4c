package storetest_test

import (
	"testing"

	"example.com/authcode/grant"
	"example.com/authcode/grant/storetest"
)

func TestMemory(t *testing.T) {
	t.Parallel()
	m := grant.NewMemory(0)
	storetest.Test(t, func(*testing.T) grant.Store { return m })
}
