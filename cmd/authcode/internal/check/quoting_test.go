package check

import (
	"encoding/json"
	"strings"
	"testing"
)

// hostile is what a server may try on a terminal: it clears the screen, changes the title,
// turns text around, and ends a line or a Go string.
const hostile = "\x1b[2J\x1b]0;x\a\u202e\u009b31m\r\n\"`*/\x7f\U0001f600"

// TestHostileTexts: whatever a server chooses, only printable ASCII is printed, and the
// program stays whole.
func TestHostileTexts(t *testing.T) {
	everywhere := func(s *site) {
		for name, what := range members {
			switch {
			case name == "issuer" || strings.HasSuffix(name, "_endpoint") || name == "jwks_uri":
			case what.kind == isList:
				s.doc[name] = []string{hostile, "S256", "code", "query", "authorization_code", "ES256", "client_secret_basic", "openid"}
			case what.kind == isText || what.kind == isURL:
				s.doc[name] = hostile
			}
		}
		s.doc[hostile] = hostile
		key := publicKey(hostile)
		s.keys = []any{key, key, map[string]any{"kty": hostile, "crv": hostile, "alg": hostile, "use": hostile}}
	}
	for name, change := range map[string]func(*site){
		"everywhere":         everywhere,
		"the issuer":         with("issuer", "https://op.example/"+hostile),
		"an endpoint":        with("token_endpoint", "SITE/"+hostile),
		"an alias":           with("mtls_endpoint_aliases", map[string]any{"token_endpoint": hostile, hostile: hostile}),
		"a redirect":         answering(openIDPlace, 302, "Location", "/\x1b[2J\u202e"),
		"a media type":       asType("text/\x1b[2J"),
		"a redirect of keys": answering("/keys", 302, "Location", "https://\x1b\u202e"),
		"a long text":        with("scopes_supported", []string{strings.Repeat("x", 10_000)}),
	} {
		got := newSite(t, change).check(t) // run looks at every character
		if len(got.text) > 30_000 {
			t.Errorf("%s: %d bytes are printed", name, len(got.text))
		}
		if name == "everywhere" && got.report.Program == "" {
			t.Errorf("there is no program: %s", got.report.NoProgram)
		}
	}
}

// TestJSONKeepsTexts: what is escaped for a terminal reads the same.
func TestJSONKeepsTexts(t *testing.T) {
	var out strings.Builder
	if err := writeJSON(&out, hostile); err != nil {
		t.Fatal(err)
	}
	var back string
	if err := json.Unmarshal([]byte(out.String()), &back); err != nil || back != hostile {
		t.Errorf("%s reads as %q, error %v", &out, back, err)
	}
}

func TestLongLists(t *testing.T) {
	if got := list(make([]string, 100)); !strings.HasSuffix(got, "and 40 more") {
		t.Errorf("the list is %s", got)
	}
	if got := wrap("aaa bbb ccc", 2, 9); got != "aaa bbb\n  ccc" {
		t.Errorf("wrapped: %q", got)
	}
}

// TestArguments: a server must not put a command into what somebody pastes.
func TestArguments(t *testing.T) {
	for text, want := range map[string]string{
		"https://op.example/a_b~c%20": "https://op.example/a_b~c%20",
		"https://op.example/;id":      "'https://op.example/;id'",
		"https://op.example/$(id)":    "'https://op.example/$(id)'",
		"https://op.example/'x":       `'https://op.example/'\''x'`,
		"https://op.example/ x":       "ISSUER",
		"https://op.example/\x1b[2J":  "ISSUER",
	} {
		if got := argument(text); got != want {
			t.Errorf("%q becomes %s, want %s", text, got, want)
		}
	}
	const evil = "https://127.0.0.1/;id"
	got := newSite(t, with("issuer", evil)).check(t)
	if !strings.Contains(texts(got.report.Problems), "run: authcode check '"+evil+"'") {
		t.Errorf("the text is %s", texts(got.report.Problems))
	}
}
