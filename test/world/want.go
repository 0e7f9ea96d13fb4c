package world

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"example.com/authcode"
)

// WantError checks that err is an *authcode.Error with this reason and check,
// and returns it.
func WantError(t testing.TB, err error, reason authcode.Reason, check string) *authcode.Error {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v (%T), want an *authcode.Error: %s (%s)", err, err, reason, check)
	}
	if e.Reason != reason || e.Check != check || !errors.Is(err, reason) {
		t.Errorf("got %v, want %s (%s)", err, reason, check)
	}
	return e
}

// WantOutcome checks that err is nil if check is empty. Otherwise it is
// [WantError].
func WantOutcome(t testing.TB, err error, reason authcode.Reason, check string) {
	t.Helper()
	if check != "" {
		WantError(t, err, reason, check)
	} else if err != nil {
		t.Error(err)
	}
}

// WantHeaders checks the headers that every answer of a login has.
func WantHeaders(t testing.TB, h http.Header, referrerPolicy string) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
		"X-Frame-Options": "DENY", "Referrer-Policy": referrerPolicy,
	} {
		if got := h.Values(name); fmt.Sprint(got) != "["+want+"]" {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
