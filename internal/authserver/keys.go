package authserver

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// signer signs tokens with one key.
type signer struct {
	alg    string
	key    crypto.Signer
	public jose.JSONWebKey
}

// serverAlgorithms are the values of [Algorithm].
var serverAlgorithms = []string{"ES256", "RS256", "PS256", "EdDSA"}

// newSigner returns a key for alg that nobody else has until it is released. It
// returns nil if alg is not among serverAlgorithms.
func newSigner(alg string) *signer {
	var key crypto.Signer
	var err error
	switch alg {
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256", "PS256":
		key, err = rsaKeys.take()
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		return nil
	}
	if err != nil {
		panic("authserver: " + err.Error())
	}
	return &signer{alg, key, jose.JSONWebKey{
		Key: key.Public(), KeyID: randomText()[:16], Algorithm: alg, Use: "sig",
	}}
}

// release gives up the key, so that another server may have it.
func (k *signer) release() {
	if key, ok := k.key.(*rsa.PrivateKey); ok {
		rsaKeys.put(key)
	}
}

// sign returns the signature of input (RFC 7518 section 3, RFC 8037 section
// 3.1).
func (k *signer) sign(input []byte) []byte {
	sum := sha256.Sum256(input)
	var signature []byte
	var err error
	switch key := k.key.(type) {
	case *ecdsa.PrivateKey:
		// RFC 7518 section 3.4: R and S with 32 bytes each, and no ASN.1.
		r, s, failed := ecdsa.Sign(rand.Reader, key, sum[:])
		if err = failed; err == nil {
			signature = slices.Concat(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32)))
		}
	case *rsa.PrivateKey:
		if k.alg == "RS256" {
			signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
			break
		}
		signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:],
			&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	case ed25519.PrivateKey:
		signature = ed25519.Sign(key, input)
	}
	if err != nil {
		panic("authserver: " + err.Error())
	}
	return signature
}

// accessHash returns at_hash: the left half of the access token's hash, with
// the hash function of the signature (OpenID Connect Core section 3.1.3.6).
func (k *signer) accessHash(access string) string {
	hash := sha256.New()
	if k.alg == "EdDSA" {
		hash = sha512.New() // Ed25519 signs with SHA-512 (RFC 8032 section 5.1)
	}
	hash.Write([]byte(access))
	sum := hash.Sum(nil)
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// RotateKeys makes a new signing key. If keepOld is true, the earlier keys stay
// in the JWKS, so that tokens signed with them are still accepted. Otherwise
// they disappear at once.
func (s *Server) RotateKeys(keepOld bool) {
	fresh := newSigner(s.alg)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !keepOld {
		s.dropped = append(s.dropped, s.keys...)
		s.keys = nil
	}
	s.keys = append([]*signer{fresh}, s.keys...)
}

// published returns a key for alg that is in the JWKS. It adds one if there is
// none. The caller holds s.mu.
func (s *Server) published(alg string) *signer {
	for _, k := range s.keys {
		if k.alg == alg {
			return k
		}
	}
	k := newSigner(alg)
	s.keys = append(s.keys, k)
	return k
}

// signerFor returns the key that signs what client gets. The caller holds s.mu.
func (s *Server) signerFor(client string) *signer {
	if alg := s.state.clients[client].Algorithm; alg != "" && alg != s.alg {
		return s.published(alg)
	}
	return s.keys[0]
}

// jwks serves the public keys (RFC 7517 section 5), the current one first.
func (s *Server) jwks(w http.ResponseWriter, r *http.Request) {
	s.record(requestAt(JWKS, r))
	s.serveReply(w, r, JWKS, nil, func([]Fault) *reply {
		s.mu.Lock()
		defer s.mu.Unlock()
		var keys []jose.JSONWebKey
		for _, k := range s.keys {
			keys = append(keys, k.public)
		}
		return newReply(member("keys", keys))
	})
}

// EachKey applies edit, which is [Set], [Drop], [Repeat] or [Rename], to every
// key of the JWKS: EachKey(Drop("kid")), EachKey(Set("use", `"enc"`)). At
// [JWKS].
func EachKey(edit Fault) Fault {
	return editKeys(func(keys []json.RawMessage) []json.RawMessage {
		for i, key := range keys {
			keys[i] = object(applyEdits(split(key), []Fault{edit}))
		}
		return keys
	})
}

// OddKey puts another key before the right ones. A client must ignore it (RFC
// 7517 section 5), or distinguish it from the right one. At [JWKS]. OddKey
// panics unless kind is one of
//
//	"secp256k1"   a curve that few libraries know, and crypto/ecdsa does not
//	"Ed25519"     an unrelated EdDSA key
//	"X25519"      a key that cannot sign at all
//	"encryption"  an EC key with use "enc"
//	"symmetric"   a shared secret, kty "oct"
//	"unknown"     a kty of the future
//	"broken"      an ES256 key whose point is not on the curve
//	"null"        null in the place of a key
//	"twin"        an unrelated key of the right one's kind, under the same kid
func OddKey(kind string) Fault {
	if kind != "twin" && oddKeys[kind] == "" {
		panic(fmt.Sprintf("authserver: OddKey(%q): the kind is unknown", kind))
	}
	return editKeys(func(keys []json.RawMessage) []json.RawMessage {
		odd := json.RawMessage(oddKeys[kind])
		if kind == "twin" {
			odd = twin(keys)
		}
		return slices.Insert(keys, 0, odd)
	})
}

// oddKeys are public keys. Their points are the generators of the curves, so
// nobody has the private halves.
var oddKeys = map[string]string{
	"secp256k1": `{"kty":"EC","crv":"secp256k1","use":"sig","alg":"ES256K","kid":"odd-k1",` +
		`"x":"eb5mfvncu6xVoGKVzocLBwKb_NstzijZWfKBWxb4F5g",` +
		`"y":"SDradyajxGVdpPv8DhEIqP0XtEimhVQZnEfQj_sQ1Lg"}`,
	"Ed25519": `{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"odd-ed",` +
		`"x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`, // RFC 8037 appendix A.2
	"X25519": `{"kty":"OKP","crv":"X25519","kid":"odd-x",` +
		`"x":"3p7bfXt9wbTTW2HC7OQ1Nz-DQ8hbeGdNrfx-FG-IK08"}`, // RFC 8037 appendix A.6
	"encryption": `{"kty":"EC","crv":"P-256","use":"enc","alg":"ECDH-ES","kid":"odd-enc",` +
		`"x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",` +
		`"y":"T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}`,
	"symmetric": `{"kty":"oct","use":"sig","alg":"HS256","kid":"odd-oct",` +
		`"k":"c2VjcmV0IHNlY3JldCBzZWNyZXQgc2VjcmV0ISE"}`,
	"unknown": `{"kty":"AKP","use":"sig","alg":"ML-DSA-44","kid":"odd-akp","pub":"AAAA"}`,
	"broken": `{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"odd-broken",` +
		`"x":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",` +
		`"y":"axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY"}`,
	"null": `null`,
}

// twin returns an unrelated key with the algorithm and the kid of the first of
// keys.
func twin(keys []json.RawMessage) json.RawMessage {
	var first struct{ Alg, Kid string }
	if len(keys) > 0 {
		json.Unmarshal(keys[0], &first) // a missing member stays empty
	}
	other := newSigner(first.Alg)
	if other == nil {
		other = newSigner("ES256")
	}
	other.release() // nobody signs with it
	other.public.KeyID = first.Kid
	return json.RawMessage(member("", other.public).value)
}

// editKeys applies edit to the keys of a JWKS.
func editKeys(edit func([]json.RawMessage) []json.RawMessage) Fault {
	return Fault{edit: func(fields []field) []field {
		for i, f := range fields {
			var keys []json.RawMessage
			if f.name == "keys" && json.Unmarshal([]byte(f.value), &keys) == nil {
				fields[i] = member("keys", edit(keys))
			}
		}
		return fields
	}}
}

// split takes apart a JSON object that this package has made. The result is in
// the order of the names.
func split(text []byte) (fields []field) {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return nil // another fault has put something else there
	}
	for name, value := range members {
		fields = append(fields, field{name, string(value)})
	}
	slices.SortFunc(fields, func(a, b field) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return fields
}
