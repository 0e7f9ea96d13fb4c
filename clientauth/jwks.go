package clientauth

import (
	"encoding/json"
	"fmt"

	"example.com/authcode/internal/jws"
	"github.com/go-jose/go-jose/v4"
)

// PublicJWKS returns the public halves of keys as a JWKS (RFC 7517 section 5)
// with kid, alg and use, to be registered with the provider or served at the
// app's jwks_uri. It refuses the keys that [PrivateKeyJWT] refuses, with an
// [*authcode.Error] whose Check is client_auth.key.
//
// The alg of an Ed25519 key is EdDSA, unless its Algorithm is Ed25519. A
// provider that expects Ed25519 (RFC 9864) may compare it with the alg of what
// the key signs: then set that Algorithm.
func PublicJWKS(keys ...Key) ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for i, key := range keys {
		alg, err := jws.Check(key.Signer, key.Algorithm)
		if err != nil {
			return nil, misused("client_auth.key", fmt.Sprintf("PublicJWKS: key %d: %v", i, err))
		}
		set.Keys = append(set.Keys, jose.JSONWebKey{
			Key: key.Signer.Public(), KeyID: key.ID, Algorithm: alg, Use: "sig",
		})
	}
	return json.Marshal(set)
}
