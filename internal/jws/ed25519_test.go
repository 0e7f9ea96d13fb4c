package jws_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"example.com/authcode/internal/jws"
)

// TestNamesOfEd25519: RFC 9864 gives EdDSA with Ed25519 a name of its own, and changes nothing else.
func TestNamesOfEd25519(t *testing.T) {
	for _, row := range []struct {
		names []string
		alg   string
		want  bool
	}{
		{[]string{"EdDSA"}, "EdDSA", true}, {[]string{"Ed25519"}, "Ed25519", true},
		{[]string{"ES256", "EdDSA"}, "Ed25519", true}, {[]string{"Ed25519", "ES256"}, "EdDSA", true},
		{[]string{"ES256", "EdDSA"}, "ES256", true}, {[]string{"EdDSA"}, "Ed448", false}, {[]string{"Ed25519"}, "Ed448", false},
		{[]string{"ES256"}, "EdDSA", false}, {[]string{"ES256"}, "Ed25519", false}, {[]string{"EdDSA", "Ed25519"}, "ES256", false},
		{[]string{"EdDSA", "Ed25519"}, "", false}, {nil, "EdDSA", false},
	} {
		if got := jws.Allows(row.names, row.alg); got != row.want {
			t.Errorf("%v allow %s: %t", row.names, row.alg, got)
		}
	}
}

// TestPrefersEd25519: the old name stays where any list has it alone.
func TestPrefersEd25519(t *testing.T) {
	for _, row := range []struct {
		lists [][]string
		want  bool
	}{
		{nil, false}, {[][]string{{"ES256"}, nil}, false}, {[][]string{{"EdDSA"}}, false},
		{[][]string{{"Ed25519"}}, true}, {[][]string{{"ES256"}, {"ES256", "Ed25519"}}, true},
		{[][]string{{"EdDSA", "Ed25519"}}, false}, {[][]string{{"Ed25519"}, {"EdDSA", "Ed25519"}}, true},
		{[][]string{{"Ed25519"}, {"EdDSA"}}, false}, {[][]string{{"EdDSA"}, {"Ed25519"}}, false},
	} {
		if got := jws.PrefersEd25519(row.lists...); got != row.want {
			t.Errorf("%v prefer Ed25519: %t", row.lists, got)
		}
	}
}

// TestRenamed: a signer for each name, with the same key and the same header.
func TestRenamed(t *testing.T) {
	signer := must(jws.New(edKey, jws.EdDSA, map[string]any{"kid": "k"}))
	for name, s := range map[string]*jws.Signer{"EdDSA": signer, "Ed25519": signer.Renamed()} {
		input, _ := split(t, must(s.Sign([]byte(`{}`))))
		want := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"` + name + `","kid":"k"}`))
		if header, _, _ := strings.Cut(input, "."); header != want {
			t.Errorf("%s: header %s", name, header)
		}
	}
	if other := must(jws.New(ecKey, jws.ES256, nil)); other.Renamed() != other {
		t.Error("ES256 has another name")
	}
	input, signature := split(t, must(signer.Renamed().Sign([]byte(`{}`))))
	if !ed25519.Verify(edKey.Public().(ed25519.PublicKey), []byte(input), signature) {
		t.Error("the signature is wrong")
	}
}
