package urls_test

import (
	"testing"

	"example.com/authcode/internal/urls"
)

func TestOfTenant(t *testing.T) {
	for _, row := range []struct{ link, key, want string }{
		{"/login", "", "/login"},
		{"/login", "acme", "/login"},
		{"/t/{tenant}/login", "acme", "/t/acme/login"},
		{"/t/{tenant}/login", "a/b?c#d", "/t/a%2Fb%3Fc%23d/login"},
		{"/{tenant}", `/\evil.example`, "/%2F%5Cevil.example"},
		{"/t/{tenant}/login", "", ""},
		{"/t/{tenant}/login", ".", ""},
		{"/t/{tenant}/login", "..", ""},
		{"/t/{tenant}/login", "...", "/t/.../login"},
	} {
		if got := urls.OfTenant(row.link, row.key); got != row.want {
			t.Errorf("%s for %q is %q, want %q", row.link, row.key, got, row.want)
		}
	}
}
