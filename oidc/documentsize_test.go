package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"example.com/authcode/internal/wire"
	"example.com/authcode/test/measure"
)

// TestDocumentsAreNotKept: what was read from a document of 250 KiB keeps no more
// than it is itself. Each tenant of an app may have a provider that serves some.
func TestDocumentsAreNotKept(t *testing.T) {
	i := &issuer{}
	i.identifier = "https://op.example"
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, _ := private.PublicKey.Bytes() // 4, x, y
	b64 := base64.RawURLEncoding.EncodeToString
	filler := strings.Repeat("x", 250<<10)
	jwks := fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","kid":"k","alg":"ES256","issuer":"https://op.example","x":%q,"y":%q,"z":%q}]}`,
		b64(point[1:33]), b64(point[33:]), filler)
	for name, member := range map[string]string{
		"endpoint":  `"jwks_uri":"https://op.example/j"`,
		"alias":     `"mtls_endpoint_aliases":{"token_endpoint":"https://op.example/m"}`,
		"algorithm": `"dpop_signing_alg_values_supported":["ES256"]`,
	} {
		doc := fmt.Sprintf(`{"issuer":"https://op.example","authorization_endpoint":"https://op.example/a",`+
			`"token_endpoint":"https://op.example/t",%s,"z":%q}`, member, filler)
		wantSmall(t, name, func() (any, error) { return i.parseMetadata([]byte(doc), nil) })
	}
	wantSmall(t, "userinfo", func() (any, error) {
		// The ID token has most of it already.
		info, _, err := wire.ParseClaims([]byte(`{"name":"Alice","z":"`+filler+`"}`), false)
		return merge(wire.Object{"z": `"1"`}, info), err
	})
	wantSmall(t, "JWKS", func() (any, error) { return parseKeySet([]byte(jwks)) })
}

// wantSmall checks that 20 values which read returns take less than a megabyte.
func wantSmall(t *testing.T, name string, read func() (any, error)) {
	t.Helper()
	before := measure.Heap()
	var all []any
	for range 20 {
		v, err := read()
		if err != nil {
			t.Fatal(name, err)
		}
		all = append(all, v)
	}
	if kept := measure.Heap() - before; kept > 1<<20 {
		t.Errorf("%s: 20 documents keep %d bytes", name, kept)
	}
	runtime.KeepAlive(all)
}
