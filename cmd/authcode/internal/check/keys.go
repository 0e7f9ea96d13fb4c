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

	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

// key is one element of the key set (RFC 7517).
type key struct {
	ID        string `json:"kid,omitempty"`
	Kind      string `json:"kind"` // "RSA 2048", "EC P-256", "OKP Ed25519"
	Algorithm string `json:"alg,omitempty"`
	Use       string `json:"use,omitempty"`
	Unusable  string `json:"unusable,omitempty"` // why package oidc does not use it

	public  any
	private bool // the private half is published
	weak    bool // too short
}

// readKeys reads the key set and says what is wrong with it.
func (c *checker) readKeys(ctx context.Context) {
	address := c.meta.texts["jwks_uri"] // checkAlgorithms reports if it is missing
	if address == "" || !c.mayCall(address) {
		return
	}
	r := c.client.get(ctx, address, maxKeySet)
	at := show(address)
	switch {
	case r.err != nil:
		c.wrong("keys.unreachable", "the key set at %s could not be read: %s. %s", at, r.summary(),
			c.withoutKeys())
	case r.redirects():
		c.wrong("keys.redirect", "the key set at %s answers %s and leads to %s. Package oidc "+
			"follows no redirect: the provider has to name the final address in jwks_uri.", at, r.summary(),
			showLocation(r.location))
	case r.status != http.StatusOK:
		c.wrong("keys.status", "the key set at %s answers %s, not 200. %s", at, r.summary(),
			c.withoutKeys())
	case r.tooLong:
		c.wrong("keys.size", "the key set at %s is larger than %d KiB, which is the limit of "+
			"package oidc. The provider has to publish a smaller one.", at, maxKeySet>>10)
	default:
		var ok bool
		if c.keys, ok = parseKeys(r.body); !ok {
			c.wrong("keys.form", "the answer from %s is not a key set: it must be a JSON object "+
				"with an array named keys (RFC 7517 section 5). The provider has to correct it.", at)
			return
		}
		c.keysRead = true
		c.checkKeys()
	}
}

// parseKeys reads a key set key by key, so that one key of an unknown kind does
// not make the others unreadable (RFC 7517 section 5).
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

// parseKey reads one key. It keeps what it can read of a key that cannot be
// used, so that the report can name it.
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
	// RFC 7518 section 6: these members are secret.
	for _, name := range []string{"d", "p", "q", "k"} {
		_, present := obj[name]
		k.private = k.private || present
	}
	// Read only the members of the public key, as package oidc does. go-jose
	// would take a key with a private half for a private key.
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
	k.findFault(obj)
	return k
}

// findFault says why package oidc does not use the key.
func (k *key) findFault(obj wire.Object) {
	operations, _ := wire.Strings(obj["key_ops"])
	if rsaKey, ok := k.public.(*rsa.PublicKey); ok {
		k.Kind = fmt.Sprintf("RSA %d", rsaKey.N.BitLen())
		if k.weak = rsaKey.N.BitLen() < 2048; k.weak {
			k.Unusable = "it has fewer than 2048 bits (RFC 7518 section 3.3)"
		}
	}
	// RFC 7517 sections 4.2 and 4.3: a key can be for encryption.
	switch {
	case k.Use != "" && k.Use != "sig":
		k.Unusable = "it is not for signatures"
	case len(operations) > 0 && !slices.Contains(operations, "verify"):
		k.Unusable = "its key_ops do not include verify"
	}
}

// fits reports whether a signature with this algorithm can be verified with the
// key.
func (k *key) fits(algorithm string) bool {
	// RFC 7517 section 4.4: alg limits a key to one algorithm.
	if k.Unusable != "" || k.Algorithm != "" && !jws.Allows([]string{k.Algorithm}, algorithm) {
		return false
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		sizes := map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}
		return algorithm == sizes[public.Params().BitSize]
	case ed25519.PublicKey:
		return algorithm == jws.EdDSA || algorithm == jws.Ed25519
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
			// RFC 7517 section 4.5: keys of different kinds may share a kid.
			named[k.ID+" "+strings.Fields(k.Kind + " ?")[0]]++
		}
		if k.private {
			c.wrong("keys.private", "%s in the key set is published with its private half. Anybody "+
				"can sign as this server: the provider has to replace the key at once.", name)
		}
		if k.weak {
			c.wrong("keys.weak", "%s has fewer than 2048 bits, so package oidc does not use it (RFC "+
				"7518 section 3.3). The provider has to replace it.", name)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(named)) {
		if n := named[id]; n > 1 {
			id, _, _ = strings.Cut(id, " ")
			c.wrong("keys.repeated", "%d keys of one kind have the kid %s. The provider has to give "+
				"each its own (RFC 7517 section 4.5).", n, quote(id))
		}
	}
	if unnamed > 0 && len(c.keys) > 1 {
		c.note("keys.unnamed", "%d of %d keys have no kid, so package oidc may have to try all of "+
			"them for one signature.", unnamed, len(c.keys))
	}
}
