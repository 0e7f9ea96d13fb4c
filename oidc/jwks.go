package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"iter"
	"net/http"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

const (
	keysLifetime = 15 * time.Minute // how long a withdrawn key still counts, unless the endpoint is down
	keysPatience = 2 * time.Second  // an endpoint that is slower counts as down
	maxTries     = 32               // keys tried for one signature
)

// keySet is a provider's JWKS (RFC 7517), without the keys that we cannot use.
type keySet struct{ keys []key }

type key struct {
	id, alg string
	issuer  string // Microsoft's: whose tokens the key signs, a template or one tenant's
	public  any
}

func newKeys() *cached[*keySet] {
	return &cached[*keySet]{name: "jwks", lifetime: keysLifetime, patience: keysPatience}
}

func loadKeys(ctx context.Context, transport http.RoundTripper, url string) (*keySet, error) {
	doc, err := fetch(ctx, transport.RoundTrip, "jwks", url, maxKeys)
	if err != nil {
		return nil, err
	}
	set, ok := parseKeys(doc.body)
	if !ok {
		return nil, failed(authcode.BadAnswer, "jwks.form", nil)
	}
	return set, nil
}

// parseKeys reads a JWKS key by key: a key of an unknown kind (RFC 7517 section 5), one for encryption
// or a broken one must not make the others unusable.
func parseKeys(body []byte) (*keySet, bool) {
	obj, err := wire.ParseObject(body)
	if err != nil {
		return nil, false
	}
	var elements []json.RawMessage
	if raw := obj["keys"]; len(raw) == 0 || raw[0] != '[' || json.Unmarshal([]byte(raw), &elements) != nil {
		return nil, false
	}
	set := new(keySet)
	for _, element := range elements {
		if k, ok := parseKey(element); ok {
			set.keys = append(set.keys, k)
		}
	}
	return set, true
}

func parseKey(b []byte) (k key, ok bool) {
	obj, err := wire.ParseObject(b)
	if err != nil || !isForSignatures(obj) {
		return k, false
	}
	r := reader{obj: obj}
	k = key{id: r.text("kid"), alg: r.text("alg"), issuer: r.text("issuer")}
	// Only what the public key consists of: go-jose refuses a key because of a bad certificate beside it.
	parts := wire.Object{}
	for _, name := range []string{"kty", "crv", "n", "e", "x", "y"} {
		if raw, present := obj[name]; present {
			parts[name] = raw
		}
	}
	text, err := json.Marshal(parts)
	var web jose.JSONWebKey
	if r.bad || err != nil || web.UnmarshalJSON(text) != nil || !web.Valid() || !isStrong(web.Key) {
		return k, false
	}
	k.public = web.Key
	return k, true
}

// isForSignatures reads use and key_ops (RFC 7517 sections 4.2 and 4.3).
func isForSignatures(obj wire.Object) bool {
	use, ok := obj.Text("use")
	if !ok || use != "" && use != "sig" {
		return false
	}
	raw, present := obj["key_ops"]
	if !present || raw == "null" {
		return true
	}
	operations, _ := wire.Strings(raw)
	for _, op := range operations {
		if op == "verify" {
			return true
		}
	}
	return false
}

// isStrong admits the public keys of the supported algorithms. RFC 7518 section 3.3: an RSA key has
// at least 2,048 bits. go-jose parses none of more than 4,096.
func isStrong(public any) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() >= 2048 && k.E >= 3 && k.E&1 == 1
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	return false
}

// fitting yields the keys that may have signed with alg. With a kid: the keys of that name first,
// then those without any. Without one: all, by their type, algorithm and use.
func (s *keySet) fitting(kid string, alg jose.SignatureAlgorithm) iter.Seq[*key] {
	return func(yield func(*key) bool) {
		tries := 0
		for _, named := range []bool{true, false} {
			for n := range s.keys {
				k := &s.keys[n]
				if (kid == "" || k.id == kid) != named || !named && k.id != "" || !k.fits(alg) {
					continue
				}
				if tries++; tries > maxTries || !yield(k) {
					return
				}
			}
		}
	}
}

func (k *key) fits(alg jose.SignatureAlgorithm) bool {
	if k.alg != "" && k.alg != string(alg) && !(k.alg == "Ed25519" && alg == jose.EdDSA) { // RFC 9864
		return false
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return alg[0] == 'R' || alg[0] == 'P'
	case *ecdsa.PublicKey:
		return curveOf(alg) == public.Curve
	case ed25519.PublicKey:
		return alg == jose.EdDSA
	}
	return false
}

// curveOf: RFC 7518 section 3.4 ties each ES algorithm to one curve.
func curveOf(alg jose.SignatureAlgorithm) elliptic.Curve {
	switch alg {
	case jose.ES256:
		return elliptic.P256()
	case jose.ES384:
		return elliptic.P384()
	case jose.ES512:
		return elliptic.P521()
	}
	return nil
}
