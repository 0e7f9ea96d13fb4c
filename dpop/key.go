package dpop

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"example.com/authcode/internal/jws"
)

// key is a key that is ready to sign proofs.
type key struct {
	name       string // kept with the tokens that are bound to it
	thumbprint string
	algorithm  string
	signer     *jws.Signer
}

// newKey prepares signer. If name is empty, the key is named by its thumbprint
// (RFC 7638), which says nothing about the private half.
func newKey(name string, signer crypto.Signer) (*key, error) {
	algorithm, err := jws.Check(signer, "")
	if err != nil {
		return nil, err
	}
	jwk, err := publicJWK(signer.Public())
	if err != nil {
		return nil, err
	}
	// RFC 9449 section 4.2. The type keeps the proof from passing for another
	// kind of JWT, and the public key lets the server check the signature.
	header := map[string]any{"typ": "dpop+jwt", "jwk": json.RawMessage(jwk)}
	s, err := jws.New(signer, algorithm, header)
	thumbprint := hash64(jwk)
	return &key{cmp.Or(name, thumbprint), thumbprint, algorithm, s}, err
}

// publicJWK returns a public key as a JWK with the required members only, in
// alphabetical order and without spaces. The thumbprint is the hash of exactly
// this text (RFC 7638 section 3).
func publicJWK(public crypto.PublicKey) (string, error) {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		// The point is 4, x and y, where x and y have a fixed length, as RFC
		// 7518 section 6.2.1.2 demands.
		point, err := p.Bytes()
		if err != nil {
			return "", errors.New("its public key is not a point on the curve: make a new key")
		}
		x, y := encode64(point[1:33]), encode64(point[33:])
		return fmt.Sprintf(`{"crv":"P-256","kty":"EC","x":"%s","y":"%s"}`, x, y), nil
	case *rsa.PublicKey:
		// RFC 7518 section 6.3.1: both numbers without leading zeros.
		e := big.NewInt(int64(p.E)).Bytes()
		return fmt.Sprintf(`{"e":"%s","kty":"RSA","n":"%s"}`, encode64(e), encode64(p.N.Bytes())), nil
	case ed25519.PublicKey: // RFC 8037 section 2
		if len(p) != ed25519.PublicKeySize {
			return "", errors.New("its public key does not have 32 bytes: make a new key")
		}
		return fmt.Sprintf(`{"crv":"Ed25519","kty":"OKP","x":"%s"}`, encode64(p)), nil
	}
	return "", errors.New("its public key is not RSA, P-256 or Ed25519: use one of these")
}

func encode64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func hash64(s string) string {
	sum := sha256.Sum256([]byte(s))
	return encode64(sum[:])
}
