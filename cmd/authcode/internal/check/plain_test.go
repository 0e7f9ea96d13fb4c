package check

import (
	"crypto/ed25519"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// TestPlainLogin: without keys to verify ID tokens, the program gets a token
// alone, and so does authcode try.
func TestPlainLogin(t *testing.T) {
	for _, test := range []struct {
		change func(*site)
		plain  bool
	}{
		{nothing, false}, {without("jwks_uri"), true},
		{with("jwks_uri", "http://op.example/keys"), true}, {with("jwks_uri", "keys"), true},
		{without("id_token_signing_alg_values_supported", "subject_types_supported"), true},
		// The keys may come back.
		{answering("/keys", 503), false},
	} {
		got := newSite(t, test.change).check(t)
		for _, sign := range []bool{
			strings.Contains(got.report.Program, "authcode.Endpoints{"),
			!strings.Contains(got.report.Program, "oidc."),
			!strings.Contains(got.report.Program, "login.Identity"),
			strings.Contains(got.text, "-client-id ID -scopes SCOPES\n"),
		} {
			if sign != test.plain {
				t.Errorf("plain %t, want %t: %s", sign, test.plain, got.text)
			}
		}
	}
}

// TestEd25519: a server may know an Ed25519 key's algorithm by its new name
// only (RFC 9864). Nothing is wrong with that, for FAPI 2.0 as well.
func TestEd25519(t *testing.T) {
	public := ed25519.NewKeyFromSeed(make([]byte, 32)).Public()
	for _, name := range []string{"EdDSA", "Ed25519"} {
		for _, keyAlgorithm := range []string{"", "EdDSA", "Ed25519"} {
			everywhere := func(s *site) {
				s.keys = []any{jose.JSONWebKey{Key: public, KeyID: "k1", Algorithm: keyAlgorithm, Use: "sig"}}
				for member := range s.doc {
					if strings.HasSuffix(member, "_alg_values_supported") {
						s.doc[member] = []string{name}
					}
				}
			}
			got := newSite(t, everywhere).check(t, "SITE", "-fapi", "message-signing")
			if len(got.report.Problems) > 0 || got.report.Program == "" {
				t.Errorf("%s, key %q: %s", name, keyAlgorithm, got.text)
			}
			plain := newSite(t, everywhere, without("jwks_uri")).check(t)
			if strings.Contains(plain.report.Program, "Ed25519:") != (name == "Ed25519") ||
				!slices.Contains(ids(plain.report.Problems), "keys.missing") {
				t.Errorf("%s: %s", name, plain.text)
			}
		}
	}
}
