package authserver_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"slices"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
	"github.com/go-jose/go-jose/v4"
)

func (t *tester) keySet() (keys jose.JSONWebKeySet) {
	t.Helper()
	if err := json.Unmarshal([]byte(t.get("/jwks").raw), &keys); err != nil {
		t.Fatal(err)
	}
	return keys
}

// parts decodes header and payload of a compact JWS without verifying anything.
func (t *tester) parts(token string) (header, claims map[string]any, signature string) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts in %q", len(parts), token)
	}
	for i, to := range []*map[string]any{&header, &claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, to); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims, parts[2]
}

// verify returns the token's payload if a key of the JWKS, with the token's kid if it has one, has
// signed it by the algorithm of its header.
func (t *tester) verify(token string) (payload string, ok bool) {
	t.Helper()
	header, _, _ := t.parts(token)
	alg, _ := header["alg"].(string)
	signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{
		jose.ES256, jose.RS256, jose.EdDSA, jose.HS256,
	})
	if err != nil {
		return "", false
	}
	kid, _ := header["kid"].(string)
	for _, key := range t.keySet().Keys {
		if kid != "" && kid != key.KeyID {
			continue
		}
		if text, err := signed.Verify(key); err == nil && key.Algorithm == alg {
			return string(text), true
		}
	}
	return "", false
}

func (t *tester) idToken(faults ...authserver.Fault) string {
	t.Helper()
	t.srv.SetFaults(authserver.IDToken, faults...)
	return t.redeem().text("id_token")
}

func TestEdDSA(t *testing.T) {
	x := newTester(t, authserver.Algorithm("EdDSA"))
	a := x.redeem()
	got := x.claims(a.text("id_token"), jose.EdDSA)
	hash := sha512.Sum512([]byte(a.text("access_token")))
	if want := base64.RawURLEncoding.EncodeToString(hash[:32]); got["at_hash"] != want {
		t.Errorf("at_hash is %v, want %v", got["at_hash"], want)
	}
}

func TestFaultsOfSignatures(t *testing.T) {
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		x := newTester(t, authserver.Algorithm(alg))
		right := x.keySet().Keys[0].KeyID
		for name, row := range map[string]struct {
			fault    authserver.Fault
			verifies bool
			alg, kid string
		}{
			"no fault":     {authserver.Header(authserver.Drop("x")), true, alg, right},
			"another key":  {authserver.OtherKey(), false, alg, right},
			"an own key":   {authserver.EmbeddedKey(), false, alg, right},
			"unsigned":     {authserver.SignAs("none"), false, "none", right},
			"HMAC":         {authserver.SignAs("HS256"), false, "HS256", right},
			"same alg":     {authserver.SignAs(alg), true, alg, right},
			"changed":      {authserver.Tampered(authserver.Set("sub", `"bob"`)), false, alg, right},
			"unknown kid":  {authserver.Header(authserver.Set("kid", `"x"`)), false, alg, "x"},
			"no kid":       {authserver.Header(authserver.Drop("kid")), true, alg, ""},
			"a wrong alg":  {authserver.Header(authserver.Set("alg", `"ES512"`)), false, "ES512", right},
			"another type": {authserver.Header(authserver.Set("typ", `"at+jwt"`)), true, alg, right},
		} {
			t.Run(alg+" "+name, func(t *testing.T) {
				x := &tester{t, x.srv, x.http, x.base}
				token := x.idToken(row.fault)
				header, _, _ := x.parts(token)
				if kid, _ := header["kid"].(string); header["alg"] != row.alg || kid != row.kid {
					t.Errorf("header %v", header)
				}
				if _, ok := x.verify(token); ok != row.verifies {
					t.Errorf("verifies: %v, want %v", ok, row.verifies)
				}
			})
		}
	}
}

func TestSignAsAnotherAlgorithm(t *testing.T) {
	x := newTester(t)
	for _, alg := range []string{"RS256", "EdDSA"} {
		token := x.idToken(authserver.SignAs(alg))
		header, _, _ := x.parts(token)
		if _, ok := x.verify(token); !ok || header["alg"] != alg {
			t.Errorf("%s: header %v, verifies: %v", alg, header, ok)
		}
	}
	if n := len(x.keySet().Keys); n != 3 {
		t.Errorf("%d keys published, want 3", n)
	}
	// The attack that SignAs("HS256") plays only works with the very bytes of the PEM text.
	token := x.idToken(authserver.SignAs("HS256"))
	der, err := x509.MarshalPKIXPublicKey(x.keySet().Keys[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(token[:strings.LastIndexByte(token, '.')]))
	_, _, signature := x.parts(token)
	if want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil)); signature != want {
		t.Errorf("signature %s, want %s", signature, want)
	}
	if _, _, signature := x.parts(x.idToken(authserver.SignAs("none"))); signature != "" {
		t.Errorf("an unsigned token has the signature %q", signature)
	}
}

func TestTokenShapes(t *testing.T) {
	x := newTester(t)
	token := x.idToken(authserver.Encrypted())
	if n := strings.Count(token, "."); n != 4 {
		t.Errorf("an encrypted token has %d dots", n)
	}
	_, claims, _ := x.parts(x.idToken(authserver.Tampered(authserver.Set("sub", `"bob"`)),
		authserver.Tampered(authserver.Drop("email")), authserver.Set("x", "1")))
	if claims["sub"] != "bob" || claims["email"] != nil || claims["x"] != 1.0 {
		t.Errorf("claims %v", claims)
	}
	header, _, _ := x.parts(x.idToken(authserver.EmbeddedKey(), authserver.Header(authserver.Drop("typ"))))
	if jwk, _ := header["jwk"].(map[string]any); jwk["kty"] != "EC" || jwk["d"] != nil || header["typ"] != nil {
		t.Errorf("header %v", header)
	}
	if sealed := x.idToken(authserver.Encrypted()); !slices.Contains(x.srv.Issued(), sealed) {
		t.Error("Issued misses an ID token")
	}
}

func TestSignedUserInfo(t *testing.T) {
	x := newTester(t)
	bearer := "Bearer " + x.redeem().text("access_token")
	x.srv.SetFaults(authserver.UserInfo, authserver.SignedUserInfo())
	a := x.userinfo(bearer)
	if a.header.Get("Content-Type") != "application/jwt" {
		t.Errorf("content type %q", a.header.Get("Content-Type"))
	}
	payload, ok := x.verify(a.raw)
	if !ok || payload != `{"sub":"alice","name":"Alice Example",`+
		`"picture":"https://example.com/alice.png","email":"alice@example.com",`+
		`"email_verified":true,"iss":"`+x.srv.URL+`","aud":"basic"}` {
		t.Errorf("payload %s, verifies: %v", payload, ok)
	}
	x.srv.SetFaults(authserver.UserInfo, authserver.SignedUserInfo(), authserver.Drop("iss"), authserver.OtherKey())
	a = x.userinfo(bearer)
	_, claims, _ := x.parts(a.raw)
	if _, ok := x.verify(a.raw); ok || claims["iss"] != nil || claims["aud"] != "basic" {
		t.Errorf("claims %v, verifies: %v", claims, ok)
	}
	x.wantError(x.userinfo("Bearer x"), 401, "invalid_token")
}
