package grant_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/test/world"
)

// keycloakAnswer is like Keycloak's: three JWTs. It comes with the claims of the
// ID token.
func keycloakAnswer(t *testing.T) (answer string, claims map[string]any, asJSON []byte) {
	random := rand.NewChaCha8([32]byte{1})
	text := func(n int) string {
		b := make([]byte, n)
		random.Read(b)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	claims = map[string]any{
		"iss": world.Issuer, "sub": "7f0c2b1e-0d51-4f3c-9a51-0d8c3c1a2f77", "aud": "client",
		"exp": 1900000000, "iat": 1899996400, "auth_time": 1899996399, "sid": text(24), "azp": "client",
		"email": "alice@example.com", "email_verified": true, "name": "Alice Example",
		"preferred_username": "alice", "given_name": "Alice", "family_name": "Example",
	}
	asJSON, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	part := base64.RawURLEncoding.EncodeToString
	jwt := func() string {
		return part([]byte(`{"alg":"RS256","kid":"`+text(24)+`"}`)) + "." + part(asJSON) + "." + text(256)
	}
	answer = fmt.Sprintf(`{"access_token":%q,"expires_in":300,"refresh_expires_in":1800,`+
		`"refresh_token":%q,"token_type":"Bearer","id_token":%q,"not-before-policy":0,`+
		`"session_state":%q,"scope":"openid email profile"}`, jwt(), jwt(), jwt(), text(24))
	return answer, claims, asJSON
}

// TestSize: a record has at most one and a half times the bytes of the
// provider's answer and the claims.
func TestSize(t *testing.T) {
	answer, claims, asJSON := keycloakAnswer(t)
	p := world.Answering(200, answer)
	client := world.Client(t, p)
	l := world.Begin(t, client, nil).Finish(t, client)
	l.Identity = &authcode.Identity{Issuer: world.Issuer, Subject: "7f0c2b1e-0d51-4f3c-9a51-0d8c3c1a2f77",
		Email: "alice@example.com", EmailVerified: true, Name: "Alice Example", Claims: claims}
	a := &app{store: grant.NewMemory(0), provider: p, client: client}
	n := a.node(t)
	id := a.save(t, n.Grants, l)
	check := func(when string) {
		r, err := a.store.Load(t.Context(), n.created[0], 0)
		if err != nil {
			t.Fatal(err)
		}
		if most := (len(answer) + len(asJSON)) * 3 / 2; len(r.Data) > most {
			t.Errorf("%s, the record has %d bytes, want %d at most", when, len(r.Data), most)
		}
		t.Logf("%s: %d bytes of %d", when, len(r.Data), len(answer)+len(asJSON))
	}
	check("after the login")
	if _, err := n.Handle(id).Renew(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	check("after a renewal")
}
