package authserver_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testkey"
	"github.com/go-jose/go-jose/v4"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// keyPair signs as a client does.
type keyPair struct {
	alg, id string
	key     crypto.Signer
}

func newPair(t *testing.T, alg string) keyPair {
	t.Helper()
	var key crypto.Signer
	var err error
	switch alg {
	case "ES256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "RS256", "PS256":
		key = testkey.RSA()
	case "EdDSA":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{alg, "key-" + alg, key}
}

func (k keyPair) public() authserver.Key {
	return authserver.Key{Public: k.key.Public(), Algorithm: k.alg, ID: k.id}
}

func (k keyPair) thumbprint(t *testing.T) string {
	t.Helper()
	jwk := jose.JSONWebKey{Key: k.key.Public()}
	sum, err := jwk.Thumbprint(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// object is a JSON object; a nil value in changes removes a member.
type object map[string]any

func (o object) with(changes object) object {
	o = maps.Clone(o)
	for name, value := range changes {
		if o[name] = value; value == nil {
			delete(o, name)
		}
	}
	return o
}

// sign makes a JWT with go-jose; header adds to kid.
func (k keyPair) sign(t *testing.T, header, claims object) string {
	t.Helper()
	return signWith(t, k.alg, k.key, object{"kid": k.id}.with(header), claims)
}

func signWith(t *testing.T, alg string, key any, header, claims object) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.SignatureAlgorithm(alg), Key: key,
	}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return signBytes(t, signer, payload)
}

func signBytes(t *testing.T, signer jose.Signer, payload []byte) string {
	t.Helper()
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func seconds(d time.Duration) int64 { return time.Now().Add(d).Unix() }

// unique is a fresh jti.
func unique() string {
	b := make([]byte, 16)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// assertion is the claims of a good client assertion.
func (t *tester) assertion(id string) object {
	return object{
		"iss": id, "sub": id, "aud": t.srv.URL, "jti": unique(),
		"iat": seconds(0), "exp": seconds(time.Minute),
	}
}

// proven is the claims of a good proof for a POST to path.
func (t *tester) proven(path string) object {
	return object{
		"jti": unique(), "htm": "POST", "htu": t.base + path, "iat": seconds(0),
	}
}

// proof makes a DPoP proof.
func (k keyPair) proof(t *testing.T, claims object) string {
	t.Helper()
	return signWith(t, k.alg, k.key, k.proofHeader(), claims)
}

func (k keyPair) proofHeader() object {
	return object{"typ": "dpop+jwt", "jwk": jose.JSONWebKey{Key: k.key.Public()}}
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// send posts a form with headers, "Name: value" each.
func (t *tester) send(path string, form url.Values, headers ...string) answer {
	t.Helper()
	req := t.request(path, form.Encode())
	addHeaders(req, headers)
	return t.do(req)
}

// fetch gets a resource with headers.
func (t *tester) fetch(path string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, t.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	addHeaders(req, headers)
	return t.do(req)
}

func addHeaders(req *http.Request, headers []string) {
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Add(name, value)
	}
}

// withAssertion adds client authentication by k to a form.
func (t *tester) withAssertion(form url.Values, k keyPair, id string, changes ...object) url.Values {
	t.Helper()
	claims := t.assertion(id)
	for _, c := range changes {
		claims = claims.with(c)
	}
	return change(form, "client_id="+id, "client_assertion_type="+assertionType,
		"client_assertion="+k.sign(t.T, nil, claims))
}
