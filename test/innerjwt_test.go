package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/test/world"
)

// TestInnerOriginInJWTs: whichever origin the metadata names, an assertion is
// for the outer one, by which the provider is known, and a proof is for the
// inner one, where the request goes.
func TestInnerOriginInJWTs(t *testing.T) {
	const inner = "http://keycloak:8080"
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		opt        clientauth.Option
		named, aud string
	}{
		{nil, inner, world.Issuer},
		{clientauth.TokenURLAudience(), inner, world.TokenURL},
		{clientauth.EndpointAudience(), inner, world.TokenURL},
		{clientauth.EndpointAudience(), world.Issuer, world.TokenURL},
	} {
		found := world.Endpoints()
		found.TokenURL = row.named + "/token"
		p := world.Answering(200, `{"access_token":"a","token_type":"DPoP"}`)
		c := world.Client(t, p, world.LookedUp(world.Finds(found)), func(c *config) {
			c.InsecureInnerOrigins = map[string]string{inner: world.Issuer}
			c.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: key}, row.opt)
			c.Binding = dpop.New(key)
		})
		if _, err := c.Refresh(t.Context(), world.Expired()); err != nil {
			t.Fatal(err)
		}
		sent := p.Requests()[0]
		if got := claimOf(t, sent.Form.Get("client_assertion"), "aud"); got != row.aud {
			t.Errorf("the audience is %v, want %s", got, row.aud)
		}
		if got := claimOf(t, sent.Header.Get("DPoP"), "htu"); got != inner+"/token" {
			t.Errorf("htu is %v, want it at %s", got, inner)
		}
	}
}

// claimOf returns a claim of a JWT.
func claimOf(t *testing.T, jwt, name string) any {
	t.Helper()
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is not a JWT", jwt)
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(data, &claims); err != nil {
		t.Fatal(err)
	}
	return claims[name]
}
