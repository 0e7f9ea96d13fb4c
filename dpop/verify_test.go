package dpop_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"github.com/go-jose/go-jose/v4"
)

// proof is what a DPoP proof says, once go-jose has verified it.
type proof struct {
	ID        string  `json:"jti"`
	Method    string  `json:"htm"`
	URL       string  `json:"htu"`
	IssuedAt  float64 `json:"iat"`
	TokenHash string  `json:"ath"`
	Nonce     string  `json:"nonce"`

	algorithm, thumbprint string
	jwk                   string
}

// parseProof verifies signature and header by the rules of RFC 9449 section 4.3, items 2 to 7.
func parseProof(text string) (*proof, error) {
	jws, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.ES256, jose.PS256, jose.EdDSA})
	if err != nil {
		return nil, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[0])
	if err != nil {
		return nil, err
	}
	var header struct {
		Type      string          `json:"typ"`
		Algorithm string          `json:"alg"`
		JWK       json.RawMessage `json:"jwk"`
	}
	if err := strictJSON(raw, &header); err != nil || header.Type != "dpop+jwt" {
		return nil, fmt.Errorf("the header is %s, %v", raw, err)
	}
	var key jose.JSONWebKey
	if err := key.UnmarshalJSON(header.JWK); err != nil || !key.IsPublic() || !key.Valid() {
		return nil, fmt.Errorf("the key is %s, %v", header.JWK, err)
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return nil, err
	}
	p := &proof{algorithm: header.Algorithm, jwk: string(header.JWK)}
	if err := strictJSON(payload, p); err != nil {
		return nil, err
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	p.thumbprint = base64.RawURLEncoding.EncodeToString(sum)
	return p, nil
}

func strictJSON(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more than one value")
	}
	return nil
}

// verifyProof looks at a request as a server has to that compares byte for byte and keeps every jti. At a resource
// there is a token.
func verifyProof(r *http.Request, token string) (p *proof, fault string) {
	list := r.Header.Values("DPoP")
	if len(list) != 1 {
		return nil, fmt.Sprintf("%d DPoP headers", len(list))
	}
	p, err := parseProof(list[0])
	if err != nil {
		return nil, err.Error()
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	age := time.Since(time.Unix(int64(p.IssuedAt), 0))
	switch {
	case p.Method != r.Method:
		return nil, "htm is " + p.Method
	case p.URL != scheme+r.Host+path:
		return nil, "htu is " + p.URL + ", the request's URL " + scheme + r.Host + path
	case age < -time.Second || age > 20*time.Second || p.IssuedAt != float64(int64(p.IssuedAt)):
		return nil, fmt.Sprintf("iat is %v", p.IssuedAt)
	case len(p.ID) < 22: // 128 bits in base64url
		return nil, "jti is " + p.ID
	case hash(p.jwk) != p.thumbprint:
		return nil, "the key has more than the required members, or in another order: " + p.jwk
	case token == "" && p.TokenHash != "":
		return nil, "ath at the authorization server"
	case token != "" && p.TokenHash != hash(token):
		return nil, "ath is " + p.TokenHash
	}
	return p, ""
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// wantError checks that err is an *authcode.Error with this reason and check.
func wantError(t testing.TB, err error, reason authcode.Reason, check string) {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) || e.Reason != reason || e.Check != check {
		t.Errorf("got %v, want %s (%s)", err, string(reason), check)
	}
}

// The examples of RFC 9449, figures 2 and 13, with the key's thumbprint in figure 9 and the token of figure 13.
const (
	rfcTokenProof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXp" +
		"Da0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU" +
		"2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIi" +
		"wiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	rfcResourceProof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZ" +
		"OXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAt" +
		"MjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm" +
		"90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFby" +
		"J9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
	rfcToken      = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
	rfcTokenHash  = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
	rfcThumbprint = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
)

// TestVerifier: the tests' own judge accepts the proofs that the RFC shows, and no changed ones.
func TestVerifier(t *testing.T) {
	for _, text := range []string{rfcTokenProof, rfcResourceProof} {
		p, err := parseProof(text)
		if err != nil || p.thumbprint != rfcThumbprint || p.algorithm != "ES256" {
			t.Errorf("got %+v, %v", p, err)
		}
		parts := strings.Split(text, ".")
		for i, part := range parts {
			changed := slices.Clone(parts)
			changed[i] = part[:20] + string(part[20]^1) + part[21:]
			if _, err := parseProof(strings.Join(changed, ".")); err == nil {
				t.Errorf("a proof with part %d changed is accepted", i)
			}
		}
	}
}
