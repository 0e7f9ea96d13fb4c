package authserver_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
	"github.com/go-jose/go-jose/v4"
)

// register adds a client with the usual redirect URI.
func (t *tester) register(reg authserver.ClientRegistration) {
	t.Helper()
	reg.RedirectURIs = []string{redirectURI}
	t.srv.Register(reg)
}

func TestAssertionsOfEachAlgorithm(t *testing.T) {
	x := newTester(t)
	for _, alg := range []string{"ES256", "PS256", "RS256", "EdDSA"} {
		pair := newPair(t, alg)
		x.register(authserver.ClientRegistration{
			ID: "jwt", AuthMethod: authserver.PrivateKeyJWT, Keys: []authserver.Key{pair.public()},
		})
		form := x.withAssertion(redemption(x.code("client_id=jwt")), pair, "jwt")
		if a := x.send("/token", form); a.status != 200 {
			t.Errorf("%s is refused: %s", alg, a.raw)
		}
		got := x.srv.TokenRequests()
		last := got[len(got)-1]
		if last.ClientAuth != authserver.PrivateKeyJWT || last.ClientID != "jwt" ||
			last.Assertion().Claims["iss"] != "jwt" || last.Assertion().Header["alg"] != alg {
			t.Errorf("%s: recorded %+v", alg, last)
		}
		x.wantError(x.send("/token", form), 401, "invalid_client") // the jti is used up
	}
}

// A badAssertion says how to spoil a good assertion or the form that has it.
type badAssertion struct {
	pair           keyPair
	header, claims object
	edit           string
}

// badAssertions are assertions for /revoke that a client jwt with this key may
// not use.
func badAssertions(t *testing.T, x *tester, pair keyPair) map[string]badAssertion {
	later := int(seconds(time.Minute))
	return map[string]badAssertion{
		"another key":              {newPair(t, "ES256"), nil, nil, ""},
		"another kid":              {pair, object{"kid": "x"}, nil, ""},
		"a type of another token":  {pair, object{"typ": "dpop+jwt"}, nil, ""},
		"a type that is a number":  {pair, object{"typ": 1}, nil, ""},
		"no iss":                   {pair, nil, object{"iss": nil}, ""},
		"another iss":              {pair, nil, object{"iss": "jwt2"}, ""},
		"no sub":                   {pair, nil, object{"sub": nil}, ""},
		"another sub":              {pair, nil, object{"sub": "jwt2"}, ""},
		"no aud":                   {pair, nil, object{"aud": nil}, ""},
		"the token endpoint":       {pair, nil, object{"aud": x.srv.URL + "/token"}, ""},
		"the endpoint called":      {pair, nil, object{"aud": x.srv.URL + "/revoke"}, ""},
		"the issuer with a slash":  {pair, nil, object{"aud": x.srv.URL + "/"}, ""},
		"the issuer in an array":   {pair, nil, object{"aud": []string{x.srv.URL}}, ""},
		"no exp":                   {pair, nil, object{"exp": nil}, ""},
		"a past exp":               {pair, nil, object{"exp": seconds(-time.Second)}, ""},
		"an exp far ahead":         {pair, nil, object{"exp": seconds(6 * time.Minute)}, ""},
		"an exp that is a string":  {pair, nil, object{"exp": strconv.Itoa(later)}, ""},
		"an iat in the future":     {pair, nil, object{"iat": seconds(time.Minute)}, ""},
		"an nbf in the future":     {pair, nil, object{"nbf": seconds(time.Minute)}, ""},
		"no jti":                   {pair, nil, object{"jti": nil}, ""},
		"a jti that is a number":   {pair, nil, object{"jti": 1}, ""},
		"no client_assertion_type": {pair, nil, nil, "-client_assertion_type"},
		"another assertion type":   {pair, nil, nil, "client_assertion_type=jwt"},
		"another client_id":        {pair, nil, nil, "client_id=jwt2"},
		"a client of another kind": {pair, nil, object{"iss": "keyed", "sub": "keyed"},
			"client_id=keyed"},
		"no assertion but its type": {pair, nil, nil, "-client_assertion"},
		"no JWT":                    {pair, nil, nil, "client_assertion=x.y.z"},
	}
}

func TestAssertionsThatAreRefused(t *testing.T) {
	x := newTester(t)
	pair := newPair(t, "ES256")
	x.register(authserver.ClientRegistration{
		ID: "jwt", AuthMethod: authserver.PrivateKeyJWT, Keys: []authserver.Key{pair.public()},
	})
	x.register(authserver.ClientRegistration{
		ID: "jwt2", AuthMethod: authserver.PrivateKeyJWT, Keys: []authserver.Key{pair.public()},
	})
	x.register(authserver.ClientRegistration{
		ID: "keyed", Secret: "s3cret", Keys: []authserver.Key{pair.public()},
	})
	good := x.send("/revoke", x.withAssertion(change(url.Values{}, "token=x"), pair, "jwt"))
	if good.status != 200 {
		t.Fatalf("the good one is refused: %s", good.raw)
	}
	for name, row := range badAssertions(t, x, pair) {
		t.Run(name, func(t *testing.T) {
			form := x.withAssertion(change(url.Values{}, "token=x"), pair, "jwt")
			claims := x.assertion("jwt").with(row.claims)
			form.Set("client_assertion", row.pair.sign(t, row.header, claims))
			if row.edit != "" {
				change(form, row.edit)
			}
			x.wantError(x.send("/revoke", form), http.StatusUnauthorized, "invalid_client")
		})
	}
	refuseBadForms(t, x, pair)
}

// refuseBadForms sends forms that spoil a good assertion of client jwt.
func refuseBadForms(t *testing.T, x *tester, pair keyPair) {
	t.Helper()
	t.Run("a line break in the signature", func(t *testing.T) {
		form := x.withAssertion(change(url.Values{}, "token=x"), pair, "jwt")
		text := form.Get("client_assertion")
		form.Set("client_assertion", text[:len(text)-4]+"\n"+text[len(text)-4:])
		x.wantError(x.send("/revoke", form), 401, "invalid_client")
	})
	t.Run("a second method", func(t *testing.T) {
		form := x.withAssertion(change(url.Values{}, "token=x"), pair, "jwt")
		x.wantError(x.post("/revoke", "jwt:x", form), 400, "invalid_request")
		form = x.withAssertion(change(url.Values{}, "token=x", "client_secret=s"), pair, "jwt")
		x.wantError(x.send("/revoke", form), 400, "invalid_request")
		form = x.withAssertion(change(url.Values{}, "token=x"), pair, "jwt")
		form.Add("client_assertion", form.Get("client_assertion"))
		x.wantError(x.send("/revoke", form), 400, "invalid_request")
	})
	t.Run("no method", func(t *testing.T) {
		form := change(url.Values{}, "token=x", "client_id=jwt")
		x.wantError(x.send("/revoke", form), 401, "invalid_client")
	})
}

func TestAlgorithmsArePinned(t *testing.T) {
	x := newTester(t)
	pair := newPair(t, "PS256")
	x.register(authserver.ClientRegistration{
		ID: "jwt", AuthMethod: authserver.PrivateKeyJWT,
		Keys: []authserver.Key{{Public: pair.key.Public()}}, // PS256, by default
	})
	send := func(assertion string) answer {
		return x.send("/revoke", change(url.Values{}, "token=x", "client_id=jwt",
			"client_assertion_type="+assertionType, "client_assertion="+assertion))
	}
	if a := send(pair.sign(t, nil, x.assertion("jwt"))); a.status != 200 {
		t.Errorf("PS256 is refused: %s", a.raw)
	}
	x.wantError(send(signWith(t, "RS256", pair.key, nil, x.assertion("jwt"))), 401, "invalid_client")
	x.wantError(send(signWith(t, "PS384", pair.key, nil, x.assertion("jwt"))), 401, "invalid_client")
	der, err := json.Marshal(jose.JSONWebKey{Key: pair.key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	x.wantError(send(signWith(t, "HS256", der, nil, x.assertion("jwt"))), 401, "invalid_client")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	parts := strings.Split(pair.sign(t, nil, x.assertion("jwt")), ".")
	x.wantError(send(none+"."+parts[1]+"."), 401, "invalid_client")

	// RFC 7518 section 3.5: the salt of PS256 has 32 bytes.
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	var long []byte
	fips140.WithoutEnforcement(func() { // it forbids a salt longer than the hash
		long, err = rsa.SignPSS(rand.Reader, pair.key.(*rsa.PrivateKey), crypto.SHA256, sum[:],
			&rsa.PSSOptions{SaltLength: 64})
	})
	if err != nil {
		t.Fatal(err)
	}
	x.wantError(send(parts[0]+"."+parts[1]+"."+base64.RawURLEncoding.EncodeToString(long)), 401,
		"invalid_client")
	if a := send(strings.Join(parts, ".")); a.status != 200 {
		t.Errorf("the right salt is refused: %s", a.raw)
	}
}

func TestAssertionsWithRepeatedClaims(t *testing.T) {
	x := newTester(t)
	pair := newPair(t, "ES256")
	x.register(authserver.ClientRegistration{
		ID: "jwt", AuthMethod: authserver.PrivateKeyJWT, Keys: []authserver.Key{pair.public()},
	})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: pair.key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(x.assertion("jwt"))
	if err != nil {
		t.Fatal(err)
	}
	text := signBytes(t, signer, append([]byte(`{"aud":"https://other.example",`), payload[1:]...))
	x.wantError(x.send("/revoke", change(url.Values{}, "token=x", "client_id=jwt",
		"client_assertion_type="+assertionType, "client_assertion="+text)), 401, "invalid_client")
}

func TestAssertionAudiences(t *testing.T) {
	x := newTester(t)
	pair := newPair(t, "ES256")
	token, endpoint, issuer := x.srv.URL+"/token", x.srv.URL+"/revoke", x.srv.URL
	for _, row := range []struct {
		audience authserver.Audience
		good     []any
		bad      []any
	}{
		{authserver.AudienceIssuer, []any{issuer}, []any{token, endpoint, []any{issuer}}},
		{authserver.AudienceTokenEndpoint, []any{token}, []any{issuer, endpoint, []any{token}}},
		{authserver.AudienceEndpoint, []any{endpoint}, []any{issuer, token, []any{endpoint}}},
		{authserver.AudienceAny, []any{issuer, token, endpoint, []any{"x", issuer}},
			[]any{"x", []any{"x"}, []any{}}},
	} {
		x.register(authserver.ClientRegistration{
			ID: "jwt", AuthMethod: authserver.PrivateKeyJWT, Keys: []authserver.Key{pair.public()},
			AssertionAudience: row.audience,
		})
		for want, list := range map[int][]any{200: row.good, 401: row.bad} {
			for _, aud := range list {
				form := x.withAssertion(change(url.Values{}, "token=x"), pair, "jwt", object{"aud": aud})
				if a := x.send("/revoke", form); a.status != want {
					t.Errorf("audience %d, aud %v: answered %s", row.audience, aud, a.raw)
				}
			}
		}
	}
}

func TestSecretJWT(t *testing.T) {
	x := newTester(t)
	secret := strings.Repeat("s", 32)
	x.register(authserver.ClientRegistration{
		ID: "hmac", Secret: secret, AuthMethod: authserver.SecretJWT,
	})
	send := func(alg string, key any) answer {
		return x.send("/revoke", change(url.Values{}, "token=x", "client_id=hmac",
			"client_assertion_type="+assertionType,
			"client_assertion="+signWith(t, alg, key, nil, x.assertion("hmac"))))
	}
	if a := send("HS256", []byte(secret)); a.status != 200 {
		t.Errorf("HS256 is refused: %s", a.raw)
	}
	x.wantError(send("HS256", []byte(strings.Repeat("x", 32))), 401, "invalid_client")
	x.wantError(send("ES256", newPair(t, "ES256").key), 401, "invalid_client")
	x.wantError(x.post("/revoke", "hmac:"+secret, change(url.Values{}, "token=x")), 401, "invalid_client")
}

func TestJWKSKeys(t *testing.T) {
	pair := newPair(t, "EdDSA")
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: pair.key.Public(), KeyID: "a"},
		{Key: newPair(t, "ES256").key.Public(), KeyID: "b", Use: "enc"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	keys := authserver.JWKSKeys(text)
	if len(keys) != 1 || keys[0].ID != "a" || keys[0].Algorithm != "EdDSA" {
		t.Errorf("got %+v", keys)
	}
	weak := &rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), 1023, 1), E: 65537}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]any{
		"private": pair.key, "symmetric": []byte("secret"), "weak": weak, "P-384": p384.Public(),
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "authserver: ") {
					t.Errorf("%s: recovered %q", name, text)
				}
			}()
			text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key}}})
			if err != nil {
				t.Error(err)
			}
			authserver.JWKSKeys(text)
			t.Errorf("%s: no panic", name)
		}()
	}
}
