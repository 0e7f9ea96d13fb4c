package authserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

// Key is a public key of a client, for its assertions and request objects.
type Key struct {
	// Public is an *rsa.PublicKey of at least 2048 bits, an *ecdsa.PublicKey on
	// P-256 or an ed25519.PublicKey.
	Public crypto.PublicKey

	// Algorithm is the only one that the server accepts with this key: RS256,
	// PS256, ES256 or EdDSA. If empty, it is PS256 for RSA, ES256 for P-256 and
	// EdDSA for Ed25519. Ed25519 is another name of EdDSA here: [Ed25519Name]
	// decides which of them a JWT must have.
	Algorithm string

	// ID is the kid. If empty, the key is tried for every kid.
	ID string
}

// JWKSKeys reads the signature keys of a client's JWKS (RFC 7517 section 5),
// such as the one that it publishes at its jwks_uri. It panics if a key is not
// public or cannot be used as a [Key].
func JWKSKeys(jwks []byte) []Key {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(jwks, &set); err != nil {
		panic("authserver: JWKSKeys: " + err.Error())
	}
	var keys []Key
	for _, k := range set.Keys {
		if k.Use == "enc" {
			continue
		}
		key := Key{k.Key, k.Algorithm, k.KeyID}
		if fault := key.complete(); fault != "" {
			panic("authserver: JWKSKeys: " + fault)
		}
		keys = append(keys, key)
	}
	return keys
}

// complete fills in the algorithm, and says what is wrong with k. The algorithm
// is fixed at the registration, so that a JWT cannot choose another one (RFC
// 8725 section 3.1).
func (k *Key) complete() (fault string) {
	var fit []string
	switch public := k.Public.(type) {
	case *rsa.PublicKey:
		if public.N.BitLen() < 2048 {
			return "an RSA key has fewer than 2048 bits"
		}
		fit = []string{"PS256", "RS256"}
	case *ecdsa.PublicKey:
		if public.Curve == elliptic.P256() {
			fit = []string{"ES256"}
		}
	case ed25519.PublicKey:
		fit = []string{"EdDSA"}
		if k.Algorithm == ed25519Name {
			k.Algorithm = "EdDSA"
		}
	}
	if len(fit) > 0 && k.Algorithm == "" {
		k.Algorithm = fit[0]
	}
	if !slices.Contains(fit, k.Algorithm) {
		return fmt.Sprintf("a key is a %T, which does not fit the algorithm %q", k.Public, k.Algorithm)
	}
	return ""
}

// clientAlgorithms are the algorithms with which clients may sign.
var clientAlgorithms = []string{"PS256", "ES256", "EdDSA", "RS256"}

// named returns algorithms with the name of EdDSA that the server goes by.
func (s *Server) named(algorithms []string) []string {
	names := slices.Clone(algorithms)
	if i := slices.Index(names, "EdDSA"); i >= 0 && s.renamed {
		names[i] = ed25519Name
	}
	return names
}

// ed25519Name is the new name of EdDSA (RFC 9864 section 2.2).
const ed25519Name = "Ed25519"

// clientJWT is a JWT that a client made, taken apart.
type clientJWT struct {
	header, claims wire.Object
	parsed         *jose.JSONWebSignature
	input          []byte // what is signed
}

// parseJWT takes apart a compact JWS with a JSON object as payload (RFC 7519
// section 7.2). It does not check the signature. It refuses repeated members,
// of which two parsers could take different ones, and algorithms that the
// server does not accept.
func (s *Server) parseJWT(text string) (t clientJWT, ok bool) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 || !onlyURLSafe(text, "-_.") {
		return t, false
	}
	for i, object := range []*wire.Object{&t.header, &t.claims} {
		plain, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return t, false
		}
		if *object, err = wire.ParseObject(plain); err != nil {
			return t, false
		}
	}
	algorithms := []jose.SignatureAlgorithm{jose.HS256}
	for _, alg := range s.named(clientAlgorithms) {
		algorithms = append(algorithms, jose.SignatureAlgorithm(alg))
	}
	parsed, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil {
		return t, false
	}
	t.parsed, t.input = parsed, []byte(parts[0]+"."+parts[1])
	return t, true
}

// textOf returns a member that is a string, or "" if it is missing. For a
// member that is not a string it returns a text that equals no value a check
// compares it with.
func textOf(o wire.Object, name string) string {
	text, ok := o.Text(name)
	if !ok {
		return "\x00"
	}
	return text
}

// alg returns the algorithm: EdDSA also under its name Ed25519.
func (t clientJWT) alg() string {
	name := t.parsed.Signatures[0].Protected.Algorithm
	if name == ed25519Name {
		return "EdDSA"
	}
	return name
}

// signedBy reports whether one of keys has signed t with the algorithm that is
// registered for the key.
func (t clientJWT) signedBy(keys []Key) bool {
	kid := textOf(t.header, "kid")
	return slices.ContainsFunc(keys, func(k Key) bool {
		return (k.ID == "" || kid == "" || k.ID == kid) && k.Algorithm == t.alg() && t.verify(k.Public)
	})
}

// verify reports whether key has signed t. The caller has compared the
// algorithm with the one that is registered for the key.
func (t clientJWT) verify(key any) bool {
	// go-jose does not know the name Ed25519.
	if public, ok := key.(ed25519.PublicKey); ok {
		return t.alg() == "EdDSA" && ed25519.Verify(public, t.input, t.parsed.Signatures[0].Signature)
	}
	if _, err := t.parsed.Verify(key); err != nil {
		return false
	}
	public, ok := key.(*rsa.PublicKey)
	if !ok || t.alg() != "PS256" {
		return true
	}
	// RFC 7518 section 3.5: the salt is as long as the hash. go-jose accepts
	// any length, and strict servers do not.
	sum := sha256.Sum256(t.input)
	return rsa.VerifyPSS(public, crypto.SHA256, sum[:], t.parsed.Signatures[0].Signature,
		&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) == nil
}

// date returns a claim that is a NumericDate (RFC 7519 section 2).
func (t clientJWT) date(name string) (at time.Time, ok bool) {
	// A number in quotes is not a NumericDate, whatever wire.Number makes of
	// it.
	raw := t.claims[name]
	seconds, ok := wire.Number(raw)
	if !ok || raw[0] == '"' || seconds < 0 || seconds > 1<<40 {
		return at, false
	}
	return time.UnixMilli(int64(seconds * 1000)), true
}

// checkDates checks exp, nbf and iat. It goes by the real time, as clients do:
// [Server.Advance] pretends that both clocks have moved. longest is how far
// ahead exp may be.
func (t clientJWT) checkDates(longest time.Duration) (fault string) {
	// Clocks differ a little, also those of honest clients.
	const leeway = 5 * time.Second
	now := time.Now()
	expires, ok := t.date("exp")
	switch {
	case !ok:
		return "exp is missing or not a number"
	case !now.Before(expires):
		return "exp has passed"
	case expires.After(now.Add(longest + leeway)):
		return fmt.Sprintf("exp is more than %v ahead", longest)
	}
	for _, name := range []string{"iat", "nbf"} {
		if _, sent := t.claims[name]; !sent {
			continue
		}
		if at, ok := t.date(name); !ok || at.After(now.Add(leeway)) {
			return name + " is in the future or not a number"
		}
	}
	return ""
}

// useOnce reports whether id is new among the JWTs of one use, and remembers
// it. The caller holds s.mu.
func (s *Server) useOnce(use, id string) bool {
	id = use + " " + id
	fresh := !s.state.used[id]
	s.state.used[id] = true
	return fresh
}

// JWT is a token that a client sent. It is decoded, and not verified. Numbers
// are float64.
type JWT struct{ Header, Claims map[string]any }

// decodeJWT decodes a JWT for a test that looks at it. It verifies nothing: the
// server has done that, or the test is about a request that was refused.
func decodeJWT(text string) (t JWT) {
	if parts := strings.Split(text, "."); len(parts) == 3 {
		for i, to := range []*map[string]any{&t.Header, &t.Claims} {
			plain, _ := base64.RawURLEncoding.DecodeString(parts[i])
			json.Unmarshal(plain, to) // a part that is not valid JSON stays nil
		}
	}
	return t
}

// Assertion returns the client_assertion of a request (RFC 7523 section 2.2).
// It returns the zero JWT if there is none.
func (r Request) Assertion() JWT { return decodeJWT(r.Form.Get("client_assertion")) }

// Proof returns the DPoP proof of a request (RFC 9449 section 4.1). It returns
// the zero JWT if there is none.
func (r Request) Proof() JWT { return decodeJWT(r.Header.Get("DPoP")) }

// RequestObject returns the request object of a request (RFC 9101 section 4).
// It returns the zero JWT if there is none.
func (r Request) RequestObject() JWT { return decodeJWT(r.Form.Get("request")) }
