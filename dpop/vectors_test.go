package dpop_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"net/http"
	"testing"

	"example.com/authcode/dpop"
)

// half is a key of which only the public half is known.
type half struct{ public crypto.PublicKey }

func (h half) Public() crypto.PublicKey { return h.public }

func (h half) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("the device says s3cret words")
}

func decode64(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPublishedThumbprints compares dpop_jkt with what the RFCs show.
func TestPublishedThumbprints(t *testing.T) {
	const modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCi" +
		"FV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgd" +
		"AZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEg" +
		"U8awapJzKnqDKgw"
	point := append([]byte{4}, decode64(t, "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs")...)
	point = append(point, decode64(t, "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA")...)
	ec, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		t.Fatal(err)
	}
	rows := []struct {
		claim           string
		public          crypto.PublicKey
		algorithm, want string
	}{
		{"RFC 7638 section 3.1", &rsa.PublicKey{N: new(big.Int).SetBytes(decode64(t, modulus)), E: 65537},
			"PS256", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"},
		{"RFC 8037 appendix A.3", ed25519.PublicKey(decode64(t, "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")),
			"EdDSA", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
		{"RFC 9449 figure 9", ec, "ES256", rfcThumbprint},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			b := dpop.New(half{row.public})
			key, params, err := b.Begin(t.Context())
			if err != nil || key != row.want || len(params) != 1 || params.Get("dpop_jkt") != row.want {
				t.Errorf("got %q, %v, %v, want %s", key, params, err, row.want)
			}
			if len(b.Algorithms) != 1 || b.Algorithms[0] != row.algorithm {
				t.Errorf("Algorithms is %q", b.Algorithms)
			}
		})
	}
}

// TestPublishedTokenHash: RFC 9449 figure 13.
func TestPublishedTokenHash(t *testing.T) {
	b := dpop.New(newKey(t))
	var got *proof
	base := transport(func(r *http.Request) *http.Response {
		var err error
		if got, err = parseProof(r.Header.Get("DPoP")); err != nil {
			t.Fatal(err)
		}
		return answer(200, nil)
	})
	r, _ := http.NewRequest("GET", "https://resource.example.org/protectedresource", nil)
	if _, err := send(b, base, "", withToken(r, rfcToken)); err != nil {
		t.Fatal(err)
	}
	if got.TokenHash != rfcTokenHash || got.URL != "https://resource.example.org/protectedresource" || got.Method != "GET" {
		t.Errorf("got %+v", got)
	}
}
