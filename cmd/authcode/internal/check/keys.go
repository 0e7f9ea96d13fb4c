package check

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

// key is one element of the key set (RFC 7517).
type key struct {
	ID        string `json:"kid,omitempty"`
	Kind      string `json:"kind"` // "RSA 2048", "EC P-256", "OKP Ed25519"
	Algorithm string `json:"alg,omitempty"`
	Use       string `json:"use,omitempty"`
	Unusable  string `json:"unusable,omitempty"` // why no signature is checked with it

	public  any
	private bool // it has the private half
	weak    bool // it is too short
}

// readKeys reads the key set and says what is wrong with it.
func (c *checker) readKeys(ctx context.Context) {
	address := c.meta.texts["jwks_uri"]
	if address == "" || !c.mayCall(address) {
		return
	}
	r := c.client.get(ctx, address, maxKeySet)
	at := show(address)
	switch {
	case r.err != nil:
		c.wrong("keys.unreachable", "the key set was not read from %s: %s. Nobody can sign in "+
			"until it is there.", at, r.says())
	case r.redirects():
		c.wrong("keys.redirect", "the key set at %s answers %s and leads to %s. Package oidc "+
			"follows no redirect: jwks_uri must name the place itself.", at, r.says(),
			showLocation(r.location))
	case r.status != http.StatusOK:
		c.wrong("keys.status", "the key set at %s answers %s, not 200. Nobody can sign in until "+
			"it is there.", at, r.says())
	case r.tooLong:
		c.wrong("keys.size", "the key set at %s has more than %d KiB, which is more than package "+
			"oidc reads.", at, maxKeySet>>10)
	default:
		var ok bool
		if c.keys, ok = parseKeys(r.body); !ok {
			c.wrong("keys.form", "the answer from %s is not a key set: it must be a JSON object "+
				"with an array named keys (RFC 7517 section 5).", at)
			return
		}
		c.keysRead = true
		c.checkKeys()
	}
}

// parseKeys reads a key set key by key, so that a key of an unknown kind does not take the
// others away.
func parseKeys(body []byte) ([]key, bool) {
	obj, err := wire.ParseObject(body)
	if err != nil {
		return nil, false
	}
	var elements []json.RawMessage
	if raw := obj["keys"]; !strings.HasPrefix(string(raw), "[") ||
		json.Unmarshal([]byte(raw), &elements) != nil {
		return nil, false
	}
	keys := make([]key, 0, len(elements))
	for _, element := range elements {
		keys = append(keys, parseKey(element))
	}
	return keys, true
}

func parseKey(text []byte) key {
	obj, err := wire.ParseObject(text)
	if err != nil {
		return key{Kind: "unknown", Unusable: "it is not a JSON object with distinct member names"}
	}
	var k key
	k.ID, _ = obj.Text("kid")
	k.Algorithm, _ = obj.Text("alg")
	k.Use, _ = obj.Text("use")
	kty, _ := obj.Text("kty")
	curve, _ := obj.Text("crv")
	k.Kind = strings.TrimSpace(kty + " " + curve)
	for _, name := range []string{"d", "p", "q", "k"} { // RFC 7518 section 6: what must stay secret
		_, present := obj[name]
		k.private = k.private || present
	}
	// Only what the public key consists of, as package oidc reads it.
	parts := wire.Object{}
	for _, name := range []string{"kty", "crv", "n", "e", "x", "y"} {
		if raw, present := obj[name]; present {
			parts[name] = raw
		}
	}
	encoded, err := json.Marshal(parts)
	var read jose.JSONWebKey
	if err != nil || read.UnmarshalJSON(encoded) != nil || !read.Valid() {
		k.Unusable = "its kind or its curve is unknown, or its parameters are malformed"
		return k
	}
	k.public = read.Key
	k.judge(obj)
	return k
}

// judge says why no signature is checked with the key.
func (k *key) judge(obj wire.Object) {
	operations, _ := wire.Strings(obj["key_ops"])
	if rsaKey, ok := k.public.(*rsa.PublicKey); ok {
		k.Kind = fmt.Sprintf("RSA %d", rsaKey.N.BitLen())
		if k.weak = rsaKey.N.BitLen() < 2048; k.weak {
			k.Unusable = "it has fewer than 2048 bits (RFC 7518 section 3.3)"
		}
	}
	switch {
	case k.Use != "" && k.Use != "sig":
		k.Unusable = "it is not for signatures"
	case len(operations) > 0 && !slices.Contains(operations, "verify"):
		k.Unusable = "its key_ops do not include verify"
	}
}

// fits reports that a signature by algorithm may be checked with the key.
func (k *key) fits(algorithm string) bool {
	if k.Unusable != "" || k.Algorithm != "" && k.Algorithm != algorithm {
		return false
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return algorithm == map[int]string{256: "ES256", 384: "ES384",
			521: "ES512"}[public.Params().BitSize]
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	}
	return false
}

// checkKeys says what is wrong with the set itself.
func (c *checker) checkKeys() {
	unnamed, named := 0, map[string]int{}
	for _, k := range c.keys {
		name := "a key without kid"
		if k.ID == "" {
			unnamed++
		} else {
			name = "the key " + quote(k.ID)
			named[k.ID+" "+strings.Fields(k.Kind +
				" ?")[0]]++ // RFC 7517 section 4.5: kinds may share one
		}
		if k.private {
			c.wrong("keys.private", "%s in the key set has its private half. Everybody can sign "+
				"as this server: the provider has to replace the key at once.", name)
		}
		if k.weak {
			c.wrong("keys.weak", "%s has fewer than 2048 bits, so package oidc refuses what it "+
				"signs (RFC 7518 section 3.3).", name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(named)) {
		if n := named[id]; n > 1 {
			id, _, _ = strings.Cut(id, " ")
			c.wrong("keys.repeated", "%d keys of one kind have the kid %s. Each needs its own "+
				"(RFC 7517 section 4.5).", n, quote(id))
		}
	}
	if unnamed > 0 && len(c.keys) > 1 {
		c.note("keys.unnamed", "%d of %d keys have no kid, so a signature may have to be tried "+
			"with all of them.", unnamed, len(c.keys))
	}
}
