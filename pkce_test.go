package authcode

import "testing"

// TestVerifier: the vector of RFC 7636 appendix B, and what else is made of a
// verifier.
func TestVerifier(t *testing.T) {
	v := verifier{116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173,
		187, 186, 22, 212, 37, 77, 105, 214, 191, 240, 91, 88, 5, 88, 83,
		132, 141, 121}
	if got := v.encode().String(); got != "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" {
		t.Errorf("verifier %s", got)
	}
	if got := v.challenge().String(); got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" {
		t.Errorf("challenge %s", got)
	}
	other := v
	other[31]++
	if n := v.nonce().String(); n == other.nonce().String() || n == v.challenge().String() || n == v.encode().String() || len(n) != 43 {
		t.Errorf("nonce %s", n)
	}
}
