package session

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestLabel: what a person reads about a browser.
func TestLabel(t *testing.T) {
	const safari = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15"
	for agent, want := range map[string]string{
		safari: "Safari on macOS",
		"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0":                                   "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/142.0 Safari/537.36 Edg/142.0":                    "Edge on Windows",
		"Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile Safari/537.36": "Chrome on Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/142.0 Safari/604.1":     "Chrome on iPhone",
		"curl/8": "Unknown browser", "": "Unknown browser", "Windows": "Windows",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("User-Agent", agent)
		if got := new(Sessions).labelOf(r); got != want {
			t.Errorf("%s is %q, want %q", agent, got, want)
		}
	}
	s := new(Sessions)
	s.cfg.Label = func(*http.Request) string { return "\xff" + strings.Repeat("ä", 100) }
	if got := s.labelOf(httptest.NewRequest("GET", "/", nil)); utf8.RuneCountInString(got) != 80 || !utf8.ValidString(got) {
		t.Errorf("a long label is %q", got)
	}
}
