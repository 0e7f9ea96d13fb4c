package clientauth_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"github.com/go-jose/go-jose/v4"
)

// TestPublicJWKS: what is published verifies what is signed, and holds no private member.
func TestPublicJWKS(t *testing.T) {
	keys := []clientauth.Key{{Signer: ecKey, ID: "ec"}, {Signer: rsaKey, ID: "rsa"}, {Signer: edKey, ID: "ed"}, {Signer: rsaKey, Algorithm: "RS256"}}
	text, err := clientauth.PublicJWKS(keys...)
	if err != nil {
		t.Fatal(err)
	}
	var set jose.JSONWebKeySet
	var members struct{ Keys []map[string]any }
	if err := errors.Join(json.Unmarshal(text, &set), json.Unmarshal(text, &members)); err != nil || len(set.Keys) != 4 {
		t.Fatalf("%v: %s", err, text)
	}
	for i, want := range []string{"ES256", "PS256", "EdDSA", "RS256"} {
		key := set.Keys[i]
		if key.Algorithm != want || key.KeyID != keys[i].ID || key.Use != "sig" || !key.IsPublic() || !key.Valid() {
			t.Errorf("key %d is %+v", i, members.Keys[i])
		}
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k"} {
			if _, there := members.Keys[i][private]; there {
				t.Errorf("key %d has %s", i, private)
			}
		}
		assertion := authenticate(t, clientauth.PrivateKeyJWT(keys[i])).Get("client_assertion")
		signed, err := jose.ParseSignedCompact(assertion, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(want)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signed.Verify(key); err != nil {
			t.Errorf("key %d does not verify: %v", i, err)
		}
	}
	if none, err := clientauth.PublicJWKS(); err != nil || string(none) != `{"keys":[]}` {
		t.Errorf("no keys: %s, %v", none, err)
	}
	_, err = clientauth.PublicJWKS(clientauth.Key{Signer: ecKey}, clientauth.Key{})
	if !errors.Is(err, authcode.Configuration) || !strings.Contains(err.Error(), "key 1: the private key is nil") {
		t.Errorf("got %v", err)
	}
}
