package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"strings"
	"sync"

	"example.com/authcode/internal/testkey"
	"github.com/go-jose/go-jose/v4"
)

// members are those of a JSON object.
type members = map[string]any

// changed returns m with changes; a nil value drops a member.
func changed(m, changes members) members {
	m = maps.Clone(m)
	for name, value := range changes {
		if value == nil {
			delete(m, name)
			continue
		}
		m[name] = value
	}
	return m
}

// memKey is a key pair of a provider's.
type memKey struct {
	id, alg string
	signer  crypto.Signer
}

// memSigners are made once for each kind and id, since RSA keys take long.
var memSigners sync.Map // functions that return a crypto.Signer

// newKey returns the key of this name, the same one at every call. There are
// three RSA keys: the provider's k1 and k2, and one for all other names.
func newKey(alg, id string) *memKey {
	kind, name := alg, id
	if strings.HasPrefix(alg, "PS") || strings.HasPrefix(alg, "RS") {
		kind = "RSA"
		if id != "k1" && id != "k2" {
			name = "stranger"
		}
	}
	signer, _ := memSigners.LoadOrStore(kind+" "+name, sync.OnceValue(func() crypto.Signer { return generate(kind) }))
	return &memKey{id, alg, signer.(func() crypto.Signer)()}
}

// namesake is a key with the name of the provider's, which is k1.
func namesake(alg string) *memKey { return &memKey{"k1", alg, newKey(alg, "namesake").signer} }

func generate(kind string) (signer crypto.Signer) {
	var err error
	switch kind {
	case "ES256":
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ES512":
		signer, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "EdDSA":
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	default:
		signer = testkey.RSA()
	}
	if err != nil {
		panic(err)
	}
	return signer
}

// jwk is the public half as a JSON object.
func (k *memKey) jwk(changes members) members {
	text, err := json.Marshal(jose.JSONWebKey{
		Key: k.signer.Public(), KeyID: k.id, Algorithm: k.alg, Use: "sig",
	})
	if err != nil {
		panic(err)
	}
	var m members
	if err := json.Unmarshal(text, &m); err != nil {
		panic(err)
	}
	return changed(m, changes)
}

// sign makes a JWT without go-jose, so that its header can say anything.
func (k *memKey) sign(payload []byte, headers members) string {
	header, err := json.Marshal(changed(members{"alg": k.alg, "kid": k.id, "typ": "JWT"}, headers))
	if err != nil {
		panic(err)
	}
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(k.signature(input))
}

func (k *memKey) signature(input string) []byte {
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[k.alg[2:]]
	sum := []byte(input)
	if hash != 0 {
		h := hash.New()
		h.Write(sum)
		sum = h.Sum(nil)
	}
	switch key := k.signer.(type) {
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, key, sum)
		if err != nil {
			panic(err)
		}
		size := (key.Params().BitSize + 7) / 8
		return append(padded(r, size), padded(s, size)...)
	case *rsa.PrivateKey:
		var opts crypto.SignerOpts = hash
		if k.alg[0] == 'P' {
			opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
		}
		return must(key.Sign(rand.Reader, sum, opts))
	}
	return must(k.signer.Sign(rand.Reader, sum, crypto.Hash(0)))
}

func padded(n *big.Int, size int) []byte { return n.FillBytes(make([]byte, size)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// leftHash is at_hash.
func leftHash(hash crypto.Hash, token string) string {
	h := hash.New()
	h.Write([]byte(token))
	sum := h.Sum(nil)
	return b64(sum[:len(sum)/2])
}
