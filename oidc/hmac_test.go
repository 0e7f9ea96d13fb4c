package oidc_test

import (
	"crypto"
	"crypto/fips140"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/fapi"
	"example.com/authcode/oidc"
)

const hmacSecret = "0123456789abcdef0123456789abcdef"

// signedHMAC is a JWT with this secret.
func signedHMAC(secret string, claims []byte, header string) string {
	input := b64([]byte(header)) + "." + b64(claims)
	var sum []byte
	fips140.WithoutEnforcement(func() { // it forbids short secrets
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(input))
		sum = mac.Sum(nil)
	})
	return input + "." + b64(sum)
}

const hmacHeader = `{"alg":"HS256","typ":"JWT"}`

// TestHS256: with the option, the client secret alone verifies ID tokens and logout tokens.
func TestHS256(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer, oidc.HS256(hmacSecret))
	p.metadata = changed(p.metadata, members{"jwks_uri": nil, "id_token_signing_alg_values_supported": []string{"HS256"}})
	good := payload(p.claims(), members{"at_hash": leftHash(crypto.SHA256, memAccess)})
	if id := wantIdentity(t, i, p.login(signedHMAC(hmacSecret, good, hmacHeader))); id.Subject != "alice" {
		t.Errorf("signed in as %+v", id)
	}
	publicKey := p.key.jwk(nil)["n"].(string)
	for claim, row := range map[string]struct{ token, check string }{
		"another secret":             {signedHMAC(hmacSecret+"x", good, hmacHeader), "id_token.secret"},
		"no secret":                  {signedHMAC("", good, hmacHeader), "id_token.secret"},
		"the public key":             {signedHMAC(publicKey, good, hmacHeader), "id_token.secret"},
		"another HMAC":               {signedHMAC(hmacSecret, good, `{"alg":"HS512"}`), "id_token.alg"},
		"a key of the key set":       {p.token(nil), "id_token.alg"},
		"no signature":               {b64([]byte(`{"alg":"none"}`)) + "." + b64(good) + ".", "id_token.alg"},
		"another nonce":              {signedHMAC(hmacSecret, payload(p.claims(), members{"nonce": "x"}), hmacHeader), "id_token.nonce"},
		"another audience":           {signedHMAC(hmacSecret, payload(p.claims(), members{"aud": "x"}), hmacHeader), "id_token.aud"},
		"a critical header":          {signedHMAC(hmacSecret, good, `{"alg":"HS256","crit":["x"],"x":1}`), "id_token.form"},
		"a key of its own in header": {signedHMAC("x", good, `{"alg":"HS256","jwk":{"kty":"oct","k":"eA"}}`), "id_token.form"},
	} {
		_, err := identify(t.Context(), i, p.login(row.token))
		if wantError(t, err, authcode.IdentityRefused, row.check); strings.Contains(fmt.Sprintf("%v %+v", err, i), hmacSecret) {
			t.Errorf("%s: the secret is shown", claim)
		}
	}
	if _, err := verify(t.Context(), i, p, "logout+jwt", signedHMAC(hmacSecret, payload(p.logoutClaims(), nil), `{"alg":"HS256","typ":"logout+jwt"}`)); err != nil {
		t.Error(err)
	}
	_, err := verify(t.Context(), oidc.Provider(memIssuer), newMemOP("RS256"), "logout+jwt", signedHMAC(hmacSecret, payload(p.logoutClaims(), nil), hmacHeader))
	wantError(t, err, authcode.IdentityRefused, "logout_token.alg")
	_, err = verify(t.Context(), i, p, responseType, signedHMAC(hmacSecret, payload(members{"iss": memIssuer, "aud": memClient, "exp": in(60)}, nil), hmacHeader))
	wantError(t, err, authcode.Forged, "response.hmac")
	p.wantRequests(t, memJWKS, 0)
}

// hs256Configs are algorithms that do not go with HS256.
var hs256Configs = []struct {
	change func(*authcode.Config)
	says   string
}{
	{func(c *authcode.Config) { c.Provider.Algorithms = []string{"HS256", "RS256"} }, `Provider.Algorithms has "HS256"`},
	{func(c *authcode.Config) { c.Provider.Algorithms = []string{"HS512"} }, `Provider.Algorithms has "HS512"`},
	{func(c *authcode.Config) { c.Algorithms = []string{"ES256"} }, "Provider.Algorithms uses the algorithm HS256"},
	{func(c *authcode.Config) { c.Algorithms = []string{"HS256"} }, `Config.Algorithms has "HS256"`},
}

// TestHS256Config: HS256 stands alone, needs a good secret, and is not for FAPI.
func TestHS256Config(t *testing.T) {
	for _, bad := range []string{"", hmacSecret[1:], hmacSecret + "\n", " " + hmacSecret, hmacSecret[:16] + "\x00" + hmacSecret[16:]} {
		wantError(t, oidc.Provider(memIssuer, oidc.HS256(bad)).Err, authcode.Configuration, "config.hs256")
	}
	p := newMemOP("RS256")
	token := signedHMAC(hmacSecret, payload(p.claims(), nil), hmacHeader)
	// Without the option there is no secret, and with it there is nothing else.
	_, err := identify(t.Context(), pinned(oidc.Provider(memIssuer), "HS256"), p.login(token))
	wantError(t, err, authcode.IdentityRefused, "id_token.alg")
	for _, algs := range [][]string{nil, {}, {"RS256"}, {"HS256", "RS256"}, {"HS256", "HS256"}} {
		for _, text := range []string{token, p.token(nil)} {
			_, err = identify(t.Context(), pinned(oidc.Provider(memIssuer, oidc.HS256(hmacSecret)), algs...), p.login(text))
			wantError(t, err, authcode.Configuration, "config.algorithms")
		}
	}
	moved := oidc.Provider(memIssuer, oidc.HS256(hmacSecret))
	moved.Issuer = "https://other.example"
	_, err = moved.Identity(t.Context(), withEndpoints(p, moved, authcode.Endpoints{}))
	if err == nil {
		t.Error("a moved issuer is accepted")
	}
	i := oidc.Provider(memIssuer, oidc.HS256(hmacSecret))
	c := newMemLogin(t, p, i)
	if _, err := c.Connection(t.Context()); err != nil {
		t.Error(err)
	}
	for _, row := range hs256Configs {
		cfg := memConfig(p, i)
		row.change(&cfg)
		if _, err := authcode.New(cfg); err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("New says %v, want %s", err, row.says)
		}
	}
	if _, err := fapi.New(fapi.Security, memConfig(p, i)); err == nil || !strings.Contains(err.Error(), `FAPI 2.0: Provider.Algorithms has "HS256"`) {
		t.Errorf("fapi.New says %v", err)
	}
}
