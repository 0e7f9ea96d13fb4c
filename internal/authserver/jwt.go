package authserver

import (
	"crypto/fips140"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// jws is a signed token before it is signed, so that faults can change it.
type jws struct {
	header []field
	claims []field // what is signed
	sent   []field // what is sent instead; nil: the same
	sign   func([]byte) []byte
	wrap   func(string) string // nil: sent as it is
}

// signed makes a token of this type for client with claims, which the faults
// have changed already. It applies the faults to the rest of the token. The
// caller holds s.mu.
func (s *Server) signed(client, typ string, claims []field, faults []Fault) string {
	// Faults replace the header, the claims, the key or the signature, each by
	// itself. So the token is put together only at the end.
	key := s.signerFor(client)
	t := &jws{
		header: []field{
			member("alg", key.alg), member("kid", key.public.KeyID), member("typ", typ),
		},
		claims: claims,
		sign:   key.sign,
	}
	for _, f := range faults {
		if f.token != nil {
			f.token(s, t)
		}
	}
	text := t.serialize()
	if t.wrap != nil {
		text = t.wrap(text)
	}
	s.issued = append(s.issued, text)
	return text
}

// serialize returns the compact form (RFC 7515 section 7.1).
func (t *jws) serialize() string {
	encode := base64.RawURLEncoding.EncodeToString
	header := encode(object(t.header)) + "."
	payload := encode(object(t.claims))
	signature := t.sign([]byte(header + payload))
	// Tampered: the signature is over the right claims.
	if t.sent != nil {
		payload = encode(object(t.sent))
	}
	return header + payload + "." + encode(signature)
}

// Header applies edit, which is [Set], [Drop], [Repeat] or [Rename], to the
// protected header of a token before it is signed: Header(Drop("kid")),
// Header(Set("typ", `"at+jwt"`)). The algorithm of the signature stays the
// same: see [SignAs]. Header works at [IDToken], [JARM] and [IntrospectionJWT],
// in [Server.LogoutToken], and at [UserInfo] with [SignedUserInfo].
func Header(edit Fault) Fault {
	return Fault{token: func(_ *Server, t *jws) {
		t.header = applyEdits(t.header, []Fault{edit})
	}}
}

// OtherKey signs a token with a key that is not in the JWKS. The header still
// names the right key. It works where [Header] does.
func OtherKey() Fault {
	return Fault{token: func(s *Server, t *jws) { t.sign = newSigner(s.alg).signOnce }}
}

// EmbeddedKey signs a token with a key that is not in the JWKS, and puts that
// key into the header as jwk (RFC 7515 section 4.1.3). A verifier that trusts
// it accepts a token from anybody. It works where [Header] does.
func EmbeddedKey() Fault {
	return Fault{token: func(s *Server, t *jws) {
		key := newSigner(s.alg)
		t.sign = key.signOnce
		t.header = append(t.header, member("jwk", key.public))
	}}
}

// signOnce is sign, and releases the key.
func (k *signer) signOnce(input []byte) []byte {
	defer k.release()
	return k.sign(input)
}

// SignAs signs a token with an algorithm that is not the server's and says so
// in its header. With "ES256", "RS256", "PS256" and "EdDSA", the key is a good
// one that is in the JWKS from then on. With "none" there is no signature. With
// "HS256" the secret is the PEM text of the right public key, which deceives a
// verifier that lets the header choose the algorithm (RFC 8725 section 2.1).
// SignAs panics for any other algorithm. It works where [Header] does.
func SignAs(alg string) Fault {
	if !slices.Contains([]string{"ES256", "RS256", "PS256", "EdDSA", "HS256", "none"}, alg) {
		panic(fmt.Sprintf("authserver: SignAs(%q): the algorithm is unknown here", alg))
	}
	return Fault{token: func(s *Server, t *jws) {
		rename := Set("alg", member("", alg).value)
		t.header = applyEdits(t.header, []Fault{rename})
		switch alg {
		case "none":
			t.sign = func([]byte) []byte { return nil }
		case "HS256":
			t.sign = s.keys[0].signHMAC
		default:
			key := s.published(alg)
			t.sign = key.sign
			kid := Set("kid", member("", key.public.KeyID).value)
			t.header = applyEdits(t.header, []Fault{kid})
		}
	}}
}

// signHMAC signs with the public key as if it were a secret.
func (k *signer) signHMAC(input []byte) []byte {
	der, err := x509.MarshalPKIXPublicKey(k.key.Public())
	if err != nil {
		panic("authserver: " + err.Error())
	}
	mac := hmac.New(sha256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write(input)
	return mac.Sum(nil)
}

// Tampered applies edit, which is [Set], [Drop], [Repeat] or [Rename], to the
// claims of a token after they have been signed. It works where [Header] does.
func Tampered(edit Fault) Fault {
	return Fault{token: func(_ *Server, t *jws) {
		if t.sent == nil {
			t.sent = slices.Clone(t.claims)
		}
		t.sent = applyEdits(t.sent, []Fault{edit})
	}}
}

// Encrypted sends a token inside a JWE (RFC 7516 section 7.1), encrypted for a
// key that nobody has. It works where [Header] does.
func Encrypted() Fault {
	return Fault{token: func(_ *Server, t *jws) {
		t.wrap = func(text string) (sealed string) {
			// FIPS 140-only mode forbids go-jose to choose the nonce.
			fips140.WithoutEnforcement(func() { sealed = encrypt(text) })
			return sealed
		}
	}}
}

func encrypt(text string) string {
	to := jose.Recipient{Algorithm: jose.DIRECT, Key: randomBytes()}
	options := (&jose.EncrypterOptions{}).WithContentType("JWT")
	encrypter, err := jose.NewEncrypter(jose.A256GCM, to, options)
	if err != nil {
		panic("authserver: " + err.Error())
	}
	sealed, err := encrypter.Encrypt([]byte(text))
	if err != nil {
		panic("authserver: " + err.Error())
	}
	text, err = sealed.CompactSerialize()
	if err != nil {
		panic("authserver: " + err.Error())
	}
	return text
}

// SignedUserInfo answers with a signed JWT, as OpenID Connect Core section
// 5.3.2 allows. The JWT has iss and aud beside the usual members. It is a
// correct answer. The faults of tokens that follow in the list make it a wrong
// one. At [UserInfo].
func SignedUserInfo() Fault { return Fault{asJWT: true} }

func asJWT(f Fault) bool { return f.asJWT }
