package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"iter"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

const (
	// keysLifetime is how long a withdrawn key, perhaps a stolen one, is still
	// accepted. While the endpoint is down, it is accepted for longer:
	// otherwise an outage of one URL would stop every login.
	keysLifetime = 15 * time.Minute

	// keysPatience is how long a login waits for newer keys. A slower endpoint
	// is treated as down.
	keysPatience = 2 * time.Second

	// maxKeys bounds the work for one JWKS, in which others wait.
	maxKeys = 100

	// maxKeyTries bounds the work for one signature. A JWKS may hold hundreds of
	// keys without a kid, and anybody can post a logout token.
	maxKeyTries = 32
)

// keySet is a provider's JWKS (RFC 7517), without the keys that this package
// cannot use.
type keySet struct{ keys []key }

// key is a public key that verifies signatures.
type key struct {
	id     string // kid; may be empty
	alg    string // the only algorithm to use it with; may be empty
	issuer string // whose tokens it signs, or a template (Microsoft's extension); may be empty
	public any    // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// keysAt returns the key set at url. It is loaded when it is needed.
func (d *documents) keysAt(url string) *document[*keySet] {
	return d.keySets.get(url, func() *document[*keySet] {
		return &document[*keySet]{
			name: "jwks", urls: []string{url}, parse: parseKeySet,
			transport: d.transport, lifetime: keysLifetime, patience: keysPatience,
			owner: d.metadata.owner,
		}
	})
}

func parseKeySet(body []byte) (*keySet, error) {
	obj, _ := wire.ParseObject(body) // without keys if it is not an object
	raw := obj["keys"]
	if len(raw) == 0 || raw[0] != '[' {
		return nil, newError(authcode.BadAnswer, "jwks.form", nil)
	}
	// RFC 7517 section 5: ignore keys of an unknown type. One key that cannot
	// be used, such as a secp256k1 key, must not make the others unusable.
	set := new(keySet)
	for _, element := range wire.Elements(raw, maxKeys) {
		if k, ok := parseKey([]byte(element)); ok {
			set.keys = append(set.keys, k)
		}
	}
	return set, nil
}

func parseKey(b []byte) (k key, ok bool) {
	obj, _ := wire.ParseObject(b) // empty if it is not an object
	if !isForSignatures(obj) {
		return k, false
	}
	// A member of the wrong type makes the key unusable: without its alg, it
	// could be used with an algorithm that it is not meant for.
	id, idOK := obj.Text("kid")
	alg, algOK := obj.Text("alg")
	issuer, _ := obj.Text("issuer") // empty if it is not a text
	// A key for the empty issuer signs for nobody. Otherwise it would pass for a
	// key that names no issuer, and sign for everybody.
	if raw, present := obj["issuer"]; present && raw != "null" && issuer == "" {
		return k, false
	}
	// Give go-jose only the members of the public key itself. It would refuse a
	// good key because of a bad certificate beside it.
	text, separator := make([]byte, 0, 1024), `{"`
	for _, name := range []string{"kty", "crv", "n", "e", "x", "y"} {
		if raw, present := obj[name]; present { // package wire has checked it
			text = append(append(append(text, separator...), name...), `":`...)
			text, separator = append(text, raw...), `,"`
		}
	}
	text = append(text, '}') // without any of them, it is not JSON
	// RFC 7518 section 6 and RFC 8037 section 2 name them. Without d and k,
	// what go-jose makes of it is never a private or a symmetric key.
	var parsed jose.JSONWebKey
	if !idOK || !algOK || parsed.UnmarshalJSON(text) != nil ||
		!parsed.Valid() || !isUsable(parsed.Key) {
		return k, false
	}
	// Clones, since a part of the document would keep the whole in memory.
	return key{
		id: strings.Clone(id), alg: strings.Clone(alg), issuer: strings.Clone(issuer),
		public: parsed.Key,
	}, true
}

// isForSignatures reports whether a key may verify signatures, according to its
// use and key_ops (RFC 7517 sections 4.2 and 4.3).
func isForSignatures(obj wire.Object) bool {
	// A key for encryption must not verify signatures. Its private half may be
	// kept by another part of the provider, with less care.
	use, ok := obj.Text("use")
	if !ok || use != "" && use != "sig" {
		return false
	}
	// Both members are optional, and a key that has neither is for any use.
	raw, present := obj["key_ops"]
	if !present || raw == "null" {
		return true
	}
	// A list that is malformed has no "verify" in it.
	operations, _ := wire.Strings(raw)
	return slices.Contains(operations, "verify")
}

// isUsable reports whether public is a strong key for a supported algorithm.
func isUsable(public any) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		// RFC 7518 section 3.3: an RSA key has at least 2,048 bits. go-jose
		// refuses more than 4,096, which would take long to verify.
		return k.N.BitLen() >= 2048 && k.E >= 3 && k.E&1 == 1
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return true
	}
	// No other type of key verifies a supported algorithm.
	return false
}

// keyResult is the result of trying the keys of a set on a signature.
type keyResult int

const (
	noKeyFits    keyResult = iota // no key has the kid and fits the algorithm
	badSignature                  // keys fit, but none made the signature
	verified
)

// verify returns the payload and the key that signed it.
func (s *keySet) verify(signed *jose.JSONWebSignature) ([]byte, *key, keyResult) {
	// The header is not verified yet. It may only choose among the provider's
	// own keys, and each key decides by itself which algorithm it is for.
	header := &signed.Signatures[0].Protected
	result := noKeyFits
	alg := jose.SignatureAlgorithm(header.Algorithm)
	for k := range s.candidates(header.KeyID, alg) {
		if payload, err := signed.Verify(k.verifier(alg)); err == nil {
			return payload, k, verified
		}
		result = badSignature
	}
	return nil, nil, result
}

// verifyWithNewKeys fetches the keys again and tries them. result is that of
// the known keys.
func verifyWithNewKeys(
	ctx context.Context, keys *document[*keySet], by *allowance,
	signed *jose.JSONWebSignature, result keyResult,
) ([]byte, *key, keyResult, error) {
	// OpenID Connect Core section 10.1.1: a kid that is not known may be that
	// of a new key. A known kid may have a new key as well, because some
	// providers use a name again. Try twice: a load that another caller began
	// may have missed the new key.
	for range 2 {
		joined, ok, err := keys.renew(ctx, by)
		// If known keys fit and did not sign it, the signature is bad, whatever
		// became of the fetch.
		if err != nil && (ctx.Err() != nil || result == noKeyFits) {
			return nil, nil, result, err
		}
		// The allowance is used up, or the provider is down: the known keys
		// decide. A flood of JWTs with an unknown kid must not become a flood
		// of requests to the provider.
		if !ok {
			break
		}
		var payload []byte
		var signer *key
		payload, signer, result = keys.latest().verify(signed)
		if result == verified || !joined {
			return payload, signer, result, nil
		}
	}
	return nil, nil, result, nil
}

// candidates yields the keys that may have signed with alg: those with this kid
// first, then those without a kid. If kid is empty, all.
func (s *keySet) candidates(kid string, alg jose.SignatureAlgorithm) iter.Seq[*key] {
	// RFC 7515 section 4.1.4: kid is a hint, and optional in both places.
	// OpenID Connect Core section 10.1 requires it if there are several keys,
	// but some providers leave it out.
	return func(yield func(*key) bool) {
		tries := 0
		for _, byID := range []bool{true, false} {
			for n := range s.keys {
				k := &s.keys[n]
				candidate := kid == "" || k.id == kid
				if !byID {
					candidate = kid != "" && k.id == ""
				}
				if !candidate || !k.fits(alg) {
					continue
				}
				if tries++; tries > maxKeyTries || !yield(k) {
					return
				}
			}
		}
	}
}

// fits reports whether k may verify signatures by alg.
func (k *key) fits(alg jose.SignatureAlgorithm) bool {
	// A key belongs to one algorithm (RFC 8725 section 3.1), which may have two
	// names.
	if k.alg != "" && !jws.Allows([]string{k.alg}, string(alg)) {
		return false
	}
	// RFC 7518 section 3.1: the algorithms that begin with R or P are those for
	// RSA keys. RFC 8037 section 3.1: EdDSA is for Ed25519 keys here.
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return alg[0] == 'R' || alg[0] == 'P'
	case *ecdsa.PublicKey:
		return public.Curve == curveOf(alg)
	case ed25519.PublicKey:
		return alg == jose.EdDSA || alg == ed25519Name
	}
	return false
}

// verifier returns what go-jose verifies signatures by alg with.
func (k *key) verifier(alg jose.SignatureAlgorithm) any {
	if public, ok := k.public.(ed25519.PublicKey); ok && alg == ed25519Name {
		return ed25519Verifier{public}
	}
	return k.public
}

// ed25519Verifier verifies what is signed under the name Ed25519.
type ed25519Verifier struct{ public ed25519.PublicKey }

// VerifyPayload implements [jose.OpaqueVerifier].
func (v ed25519Verifier) VerifyPayload(
	payload, signature []byte, _ jose.SignatureAlgorithm,
) error {
	if !ed25519.Verify(v.public, payload, signature) {
		return jose.ErrCryptoFailure
	}
	return nil
}

// signsFor reports whether k may sign a JWT with this iss.
func (k *key) signsFor(iss string) bool {
	if k.issuer == "" || k.issuer == iss {
		return true
	}
	// A template stands for the issuers of all tenants. Whether this tenant is
	// admitted is checked elsewhere.
	_, ok := tenantIn(k.issuer, iss)
	return ok
}

// curveOf returns the curve of an ECDSA algorithm, nil for another algorithm.
func curveOf(alg jose.SignatureAlgorithm) elliptic.Curve {
	// RFC 7518 section 3.4 ties each algorithm to one curve.
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
