package clientauth_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// signingKeys are keys with the algorithm that each signs with.
var signingKeys = []struct {
	claim string
	key   clientauth.Key
	alg   string
}{
	{"RSA by itself", clientauth.Key{Signer: rsaKey}, "PS256"},
	{"RS256 by name", clientauth.Key{Signer: rsaKey, Algorithm: "RS256"}, "RS256"},
	{"PS256 by name", clientauth.Key{Signer: rsaKey, Algorithm: "PS256", ID: "k1"}, "PS256"},
	{"P-256", clientauth.Key{Signer: ecKey, ID: "k2"}, "ES256"},
	{"Ed25519", clientauth.Key{Signer: edKey, ID: `k"3<`}, "EdDSA"},
	{"RSA in a KMS", clientauth.Key{Signer: &opaque{signer: rsaKey}}, "PS256"},
	{"RSA in a KMS, RS256", clientauth.Key{Signer: &opaque{signer: rsaKey}, Algorithm: "RS256"}, "RS256"},
	{"P-256 in a KMS", clientauth.Key{Signer: &opaque{signer: ecKey}}, "ES256"},
	{"Ed25519 in a KMS", clientauth.Key{Signer: &opaque{signer: edKey}}, "EdDSA"},
}

// TestPrivateKeyJWT has go-jose verify an assertion of every algorithm, by keys in memory and keys that
// are only a crypto.Signer, and looks at each claim of RFC 7523 section 3.
func TestPrivateKeyJWT(t *testing.T) {
	for _, row := range signingKeys {
		t.Run(row.claim, func(t *testing.T) {
			a := clientauth.PrivateKeyJWT(row.key)
			if a.Err != nil || a.Method != "private_key_jwt" || a.Audience != "issuer" || !slices.Equal(a.Algorithms, []string{row.alg}) {
				t.Fatalf("Err %v, Method %q, Audience %q, Algorithms %q", a.Err, a.Method, a.Audience, a.Algorithms)
			}
			before := time.Now().Unix()
			form := authenticate(t, a)
			j := verify(t, form.Get("client_assertion"), row.alg, row.key.Signer.Public())
			if j.header.KeyID != row.key.ID || j.typ != "client-authentication+jwt" {
				t.Errorf("header: kid %q, typ %v", j.header.KeyID, j.typ)
			}
			wantAssertion(t, j, issuer, before)
			want := map[string]string{
				"grant_type": "authorization_code", "client_id": clientID, "client_assertion": form.Get("client_assertion"),
				"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
			}
			for name, value := range want {
				if len(form[name]) != 1 || form.Get(name) != value {
					t.Errorf("%s is %q, want %q", name, form[name], value)
				}
			}
			if len(form) != len(want) {
				t.Errorf("the form has more than it should: %v", form)
			}
		})
	}
}

// wantAssertion holds an assertion to exactly its six claims.
func wantAssertion(t *testing.T, j *jwt, aud string, before int64) {
	t.Helper()
	if j.text("iss") != clientID || j.text("sub") != clientID || j.text("aud") != aud {
		t.Errorf("claims %s: want iss and sub %s, aud the string %s", j.raw, clientID, aud)
	}
	iat, exp := j.seconds("iat"), j.seconds("exp")
	if iat < before || iat > time.Now().Unix() || exp != iat+60 {
		t.Errorf("iat %d, exp %d: want now and a minute later", iat, exp)
	}
	if len(j.text("jti")) < 22 { // 128 bits as base64
		t.Errorf("jti is %q", j.text("jti"))
	}
	if len(j.claims) != 6 {
		t.Errorf("claims %s: want iss, sub, aud, jti, iat, exp and no others", j.raw)
	}
}

// TestPS256Salt: RFC 7518 section 3.5, which strict servers hold clients to: as long as the hash.
func TestPS256Salt(t *testing.T) {
	for _, key := range []crypto.Signer{rsaKey, &opaque{signer: rsaKey}} {
		text := authenticate(t, clientauth.PrivateKeyJWT(clientauth.Key{Signer: key})).Get("client_assertion")
		dot := strings.LastIndexByte(text, '.')
		digest := sha256.Sum256([]byte(text[:dot]))
		signature := must(base64.RawURLEncoding.DecodeString(text[dot+1:]))
		if err := rsa.VerifyPSS(&rsaKey.PublicKey, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: 32}); err != nil {
			t.Error(err)
		}
	}
}

// TestES256Length: always 64 bytes, also in the one of 128 where R or S begins with a zero byte.
func TestES256Length(t *testing.T) {
	a := clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey})
	for short := 0; short < 3; {
		text := authenticate(t, a).Get("client_assertion")
		signature := must(base64.RawURLEncoding.DecodeString(text[strings.LastIndexByte(text, '.')+1:]))
		if len(signature) != 64 {
			t.Fatalf("a signature of %d bytes", len(signature))
		}
		if signature[0] == 0 || signature[32] == 0 {
			short++
			verify(t, text, "ES256", ecKey.Public())
		}
	}
}

// audiences are options with the audience and the type that follow.
var audiences = []struct {
	claim    string
	opts     []clientauth.Option
	aud, typ string
	fact     string
}{
	{"the issuer, unless told otherwise", nil, issuer, "client-authentication+jwt", "issuer"},
	{"the token endpoint", []clientauth.Option{clientauth.TokenURLAudience()}, tokenURL, "JWT", "token_endpoint"},
	{"the endpoint called", []clientauth.Option{clientauth.EndpointAudience()}, "https://op.example/par", "JWT", "endpoint"},
	{"the issuer with an older type", []clientauth.Option{clientauth.Type("JWT")}, issuer, "JWT", "issuer"},
	{"a type of a profile's own", []clientauth.Option{clientauth.EndpointAudience(), clientauth.Type("x+jwt")},
		"https://op.example/par", "x+jwt", "endpoint"},
	{"a nil option changes nothing", []clientauth.Option{nil, clientauth.TokenURLAudience(), nil}, tokenURL, "JWT", "token_endpoint"},
}

// TestAudience: who an assertion is for, and with which type.
func TestAudience(t *testing.T) {
	key := clientauth.Key{Signer: edKey}
	for _, row := range audiences {
		t.Run(row.claim, func(t *testing.T) {
			a := clientauth.PrivateKeyJWT(key, row.opts...)
			j := verify(t, authenticate(t, a).Get("client_assertion"), "EdDSA", edKey.Public())
			if j.claims["aud"] != row.aud || j.typ != row.typ || a.Audience != row.fact {
				t.Errorf("aud %v, typ %v, Audience %q", j.claims["aud"], j.typ, a.Audience)
			}
			s := clientauth.SecretJWT(secret32, row.opts...)
			j = verify(t, authenticate(t, s).Get("client_assertion"), "HS256", []byte(secret32))
			if j.claims["aud"] != row.aud || j.typ != row.typ || s.Audience != row.fact {
				t.Errorf("SecretJWT: aud %v, typ %v, Audience %q", j.claims["aud"], j.typ, s.Audience)
			}
			admitted := func(r *authcode.TokenRequest) { r.Config.Algorithms = []string{"EdDSA"} }
			j = verify(t, authenticate(t, a, admitted).Get("client_assertion"), "EdDSA", edKey.Public())
			if j.claims["aud"] != row.aud || j.typ != row.typ {
				t.Errorf("Config.Algorithms changes the audience to %v", j.claims["aud"])
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		req := newRequest()
		req.Config.Provider.Issuer = ""
		wantCheck(t, clientauth.PrivateKeyJWT(key).Authenticate(context.Background(), req), "client_auth.audience")
		if req.Form.Has("client_assertion") || req.Form.Has("client_id") {
			t.Errorf("the form was changed: %v", req.Form)
		}
		authenticate(t, clientauth.PrivateKeyJWT(key, clientauth.TokenURLAudience()), func(r *authcode.TokenRequest) { r.Config.Provider.Issuer = "" })
	})
}

// TestSecretJWT: client_secret_jwt, by go-jose and by hand.
func TestSecretJWT(t *testing.T) {
	a := clientauth.SecretJWT(secret32)
	if a.Err != nil || a.Method != "client_secret_jwt" || a.Audience != "issuer" || !slices.Equal(a.Algorithms, []string{"HS256"}) {
		t.Fatalf("Err %v, Method %q, Audience %q, Algorithms %q", a.Err, a.Method, a.Audience, a.Algorithms)
	}
	before := time.Now().Unix()
	form := authenticate(t, a)
	text := form.Get("client_assertion")
	j := verify(t, text, "HS256", []byte(secret32))
	wantAssertion(t, j, issuer, before)
	if j.header.KeyID != "" || form.Get("client_id") != clientID || form.Has("client_secret") {
		t.Errorf("kid %q, form %v", j.header.KeyID, form)
	}
	dot := strings.LastIndexByte(text, '.')
	mac := hmac.New(sha256.New, []byte(secret32))
	mac.Write([]byte(text[:dot]))
	if want := base64.RawURLEncoding.EncodeToString(mac.Sum(nil)); text[dot+1:] != want {
		t.Errorf("signature %s, want %s", text[dot+1:], want)
	}
}

// TestRFC7523 is the client assertion that RFC 10070 adds to RFC 7523 as section 4.1: our header and claims are
// its, but for what must be fresh, and the jti.
func TestRFC7523(t *testing.T) {
	const published = "eyJ0eXAiOiJjbGllbnQtYXV0aGVudGljYXRpb24rand0IiwiYWxnIjoiRVMyNTYiLCJraWQiOiIxNiJ9." +
		"eyJhdWQiOiJodHRwczovL2F1dGh6LmV4YW1wbGUubmV0IiwiaXNzIjoiaHR0cHM6Ly9jbGllbnQuZXhhbXBsZSIsInN1YiI6Imh0dHBz" +
		"Oi8vY2xpZW50LmV4YW1wbGUiLCJpYXQiOjE3NTI3MDIyMDYsImV4cCI6MTc1MjcwNTgwNn0"
	a := clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey, ID: "16"})
	text := authenticate(t, a, func(r *authcode.TokenRequest) {
		r.Config.Provider.Issuer, r.Config.ClientID = "https://authz.example.net", "https://client.example"
	}).Get("client_assertion")
	for part := range 2 {
		got, want := members(t, text, part), members(t, published, part)
		for _, name := range []string{"iat", "exp", "jti"} {
			delete(got, name)
			delete(want, name)
		}
		if g, w := must(json.Marshal(got)), must(json.Marshal(want)); string(g) != string(w) {
			t.Errorf("part %d is %s, want %s", part, g, w)
		}
	}
}

// members decodes a part of a JWT.
func members(t *testing.T, text string, part int) (m map[string]any) {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(text, ".")[part])
	if err != nil || json.Unmarshal(b, &m) != nil {
		t.Fatalf("part %d of %s is not a JSON object", part, text)
	}
	return m
}

// TestClientIDParam: a provider's own name for client_id.
func TestClientIDParam(t *testing.T) {
	for _, a := range []authcode.ClientAuth{clientauth.SecretJWT(secret32), clientauth.MutualTLS()} {
		form := authenticate(t, a, func(r *authcode.TokenRequest) { r.Config.Provider.ClientIDParam = "client_key" })
		if form.Get("client_key") != clientID || form.Has("client_id") {
			t.Errorf("form %v", form)
		}
	}
}

// TestFreshJTI: no two requests share a jti, on many goroutines and with rotating keys.
func TestFreshJTI(t *testing.T) {
	keys := []clientauth.Key{{Signer: edKey, ID: "0"}, {Signer: ecKey, ID: "1"}}
	var n int
	var mu sync.Mutex
	a := clientauth.PrivateKeyJWT(clientauth.RotatingKeys(func(context.Context) (clientauth.Key, error) {
		mu.Lock()
		defer mu.Unlock()
		n++
		return keys[n/3%2], nil
	}))
	texts := make(chan string)
	for range 8 {
		go func() {
			for range 50 {
				req := newRequest()
				if err := a.Authenticate(context.Background(), req); err != nil {
					t.Error(err)
				}
				texts <- req.Form.Get("client_assertion")
			}
		}()
	}
	seen := make(map[string]bool)
	for range 8 * 50 {
		text := <-texts
		alg, key := "EdDSA", crypto.Signer(edKey)
		if members(t, text, 0)["kid"] == "1" {
			alg, key = "ES256", ecKey
		}
		seen[verify(t, text, alg, key.Public()).text("jti")] = true
	}
	if len(seen) != 8*50 {
		t.Errorf("%d different jti in %d assertions", len(seen), 8*50)
	}
}

// FuzzClientID: whatever stands in the client id and the issuer, the claims are JSON that says exactly that.
func FuzzClientID(f *testing.F) {
	for _, s := range []string{"client-1", `a"b\c`, "a\nb\x00\x1f\x7f", "ä€😀\u2028", "<script>&", "\xff", ""} {
		f.Add(s, s+"x")
	}
	a := clientauth.SecretJWT(secret32)
	f.Fuzz(func(t *testing.T, id, iss string) {
		if !utf8.ValidString(id) || !utf8.ValidString(iss) || iss == "" {
			return // no JSON string can hold it
		}
		form := authenticate(t, a, func(r *authcode.TokenRequest) { r.Config.ClientID, r.Config.Provider.Issuer = id, iss })
		j := verify(t, form.Get("client_assertion"), "HS256", []byte(secret32))
		if j.text("iss") != id || j.text("sub") != id || j.text("aud") != iss || len(j.claims) != 6 {
			t.Errorf("claims %s of %q at %q", j.raw, id, iss)
		}
	})
}
