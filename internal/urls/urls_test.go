package urls_test

import (
	"testing"

	"example.com/authcode/internal/urls"
)

// TestOriginOf: the text of a URL without host has no origin.
func TestOriginOf(t *testing.T) {
	for raw, want := range map[string]string{
		"https://a.example/x": "https://a.example:443", "http://A.example:80": "http://a.example:80",
		"https://[::1]:8443": "https://::1:8443", "https://\u0130.example": "",
		"": "", "/x": "", "mailto:a@b.example": "", "https:///x": "", "https://a.example:x": "", "%zz": "",
	} {
		if got := urls.OriginOf(raw); got != want {
			t.Errorf("%q: got %q, want %q", raw, got, want)
		}
	}
}

// TestOuter: only a URL at an inner origin changes.
func TestOuter(t *testing.T) {
	inner := map[string]string{"http://keycloak:8080": "https://id.example", "http://odd.internal": "%zz"}
	for raw, want := range map[string]string{
		"http://keycloak:8080/a?b#c":  "https://id.example/a?b#c",
		"https://keycloak:8080/a":     "https://keycloak:8080/a",
		"http://keycloak/a":           "http://keycloak/a",
		"http://odd.internal/a":       "http://odd.internal/a",
		"http://keycloak:8080/%zz":    "http://keycloak:8080/%zz",
		"/a":                          "/a",
		"https://id.example/callback": "https://id.example/callback",
	} {
		if got := urls.Outer(inner, raw); got != want {
			t.Errorf("%s: got %s, want %s", raw, got, want)
		}
	}
}

// TestLocalPathEncoded: dot segments are found in every spelling, and a long
// segment is not one.
func TestLocalPathEncoded(t *testing.T) {
	for path, isLocal := range map[string]bool{
		"/.//a": false, "/%2e//a": false, "/%2E%2e//a": false, "/.%2E//a": false, `/a/..\\b`: false,
		"/%2e%2e%2e//a": true, "/a.b//c": true, "/%2e%2e/a": true,
	} {
		if got := urls.LocalPath(path); (got == path) != isLocal {
			t.Errorf("%s: got %s, want it to be local: %t", path, got, isLocal)
		}
	}
}

// TestCheckTenantLink: a key of a tenant never chooses the host.
func TestCheckTenantLink(t *testing.T) {
	for link, isFine := range map[string]bool{
		"/t/{tenant}/login": true, "/login": true, "https://app.example/login": true, "": true,
		"https://{tenant}.example/login": false, "//{tenant}/login": false, "{tenant}": false,
		"javascript:{tenant}": false, "https://a@app.example": false, "https://app.example:x/": false,
	} {
		if got := urls.CheckTenantLink("Config.LoginURL", link); (got == nil) != isFine {
			t.Errorf("%s: got %q, want it to be fine: %t", link, got, isFine)
		}
	}
}
