package provider_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/internal/testkey"
	"example.com/authcode/provider"
	"github.com/go-jose/go-jose/v4"
)

// appleKey is the key that Apple gave an app, and Apple's check of what the app makes of it.
type appleKey struct {
	key  *ecdsa.PrivateKey
	file []byte
}

func newAppleKey() *appleKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return &appleKey{key, p8(key)}
}

// p8 is the file of a key.
func p8(key any) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func (k *appleKey) secret() authcode.ClientAuth {
	auth := provider.AppleSecret("TEAM123456", "KEY1234567", k.file)
	if auth.Err != nil {
		panic(auth.Err)
	}
	return auth
}

type appleClaims struct {
	Iss, Sub, Aud string
	Iat, Exp      int64
}

// check reads a client secret as Apple does.
func (k *appleKey) check(t *testing.T, secret string) (claims appleClaims) {
	t.Helper()
	jws, err := jose.ParseSignedCompact(secret, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Errorf("the secret is no ES256 token: %v", err)
		return
	}
	payload, err := jws.Verify(&k.key.PublicKey)
	if err != nil || jws.Signatures[0].Header.KeyID != "KEY1234567" || json.Unmarshal(payload, &claims) != nil {
		t.Errorf("the secret has kid %q: %v", jws.Signatures[0].Header.KeyID, err)
	}
	now := time.Now().Unix()
	if claims.Iss != "TEAM123456" || claims.Sub != clientID || claims.Aud != "https://appleid.apple.com" ||
		claims.Iat > now || claims.Exp <= now || claims.Exp-claims.Iat > 15777000 {
		t.Errorf("the secret says %+v at %d", claims, now)
	}
	return claims
}

// requestOf is a token request of the client with this id.
func requestOf(id string) *authcode.TokenRequest {
	cfg := authcode.Config{ClientID: id, Provider: authcode.Provider{ClientIDParam: "client_id"}}
	return &authcode.TokenRequest{Connection: &authcode.Connection{Config: cfg}, Form: url.Values{}, Header: http.Header{}}
}

// mint asks auth for a client secret.
func mint(t *testing.T, auth authcode.ClientAuth, id string) string {
	t.Helper()
	req := requestOf(id)
	if err := auth.Authenticate(context.Background(), req); err != nil {
		t.Fatal(err)
	}
	if req.Form.Get("client_id") != id || len(req.Header) != 0 {
		t.Errorf("form %v, header %v", req.Form, req.Header)
	}
	return req.Form.Get("client_secret")
}

// TestAppleSecretRenewal: one secret serves until ten minutes before its end, and an outdated one
// is never sent.
func TestAppleSecretRenewal(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		key := newAppleKey()
		auth := key.secret()
		first := mint(t, auth, clientID)
		life := time.Until(time.Unix(key.check(t, first).Exp, 0))
		if life <= 10*time.Minute || life > time.Hour {
			t.Errorf("the secret lives %v", life)
		}
		time.Sleep(life - 10*time.Minute - time.Second)
		if mint(t, auth, clientID) != first {
			t.Error("the secret was renewed early")
		}
		time.Sleep(2 * time.Second)
		second := mint(t, auth, clientID)
		if second == first {
			t.Error("the secret was not renewed in time")
		}
		key.check(t, second)
		time.Sleep(30 * 24 * time.Hour)
		key.check(t, mint(t, auth, clientID))
	})
}

// TestAppleOwnSecret: a secret that the app minted itself goes where Apple wants it, the body.
func TestAppleOwnSecret(t *testing.T) {
	r, s, a := play(t, "Apple")
	own := *r
	own.clientAuth, own.checkSecret = authcode.Secret(clientSecret), nil
	own.clientAuth.SecretKind = "provider.AppleSecret"
	s.row = &own
	a.signIn(t)
	a.wantLogin(t, r.want)
}

// TestAppleSecretConcurrent: many logins at once share one secret, and two Services IDs have two.
func TestAppleSecretConcurrent(t *testing.T) {
	key := newAppleKey()
	auth := key.secret()
	secrets := make([]string, 16)
	var group sync.WaitGroup
	for i := range secrets {
		group.Go(func() { secrets[i] = mint(t, auth, clientID) })
	}
	group.Wait()
	for _, s := range secrets {
		if s != secrets[0] {
			t.Error("two secrets at one time")
		}
	}
	if mint(t, auth, "another") == secrets[0] {
		t.Error("one secret for two client ids")
	}
	key.check(t, secrets[0])
}

func TestAppleSecretFaults(t *testing.T) {
	good := newAppleKey().file
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey := testkey.RSA()
	for _, c := range []struct {
		name, team, key string
		file            []byte
		want            []string
	}{
		{"no team", "", "K", good, []string{"teamID is empty"}},
		{"no key id", "T", "", good, []string{"keyID is empty"}},
		{"no file", "T", "K", nil, []string{"not PEM"}},
		{"a path instead of the file", "T", "K", []byte("/run/secrets/AuthKey.p8"), []string{"not PEM"}},
		{"no key in the file", "T", "K", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}),
			[]string{"not a P-256 key"}},
		{"another curve", "T", "K", p8(p384), []string{"not a P-256 key"}},
		{"an RSA key", "T", "K", p8(rsaKey), []string{"not a P-256 key"}},
		{"nothing at all", "", "", nil, []string{"teamID is empty", "keyID is empty", "not PEM"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			auth := provider.AppleSecret(c.team, c.key, c.file)
			_, err := newClient(provider.Apple(), func(cfg *authcode.Config) { cfg.ClientAuth = auth })
			wantFaults(t, err, "provider.AppleSecret: ", c.want)
			if auth.Err == nil || strings.Contains(auth.Err.Error(), "/run") {
				t.Errorf("Err is %v", auth.Err)
			}
			// An app may drop Err, but gets no secret all the same.
			req := requestOf(clientID)
			if err := auth.Authenticate(t.Context(), req); err == nil || len(req.Form)+len(req.Header) > 0 {
				t.Errorf("authenticated with %v, %v: %v", req.Form, req.Header, err)
			}
		})
	}
}

// TestSecretsPrint: whatever prints or marshals a ClientAuth of this package shows no secret.
func TestSecretsPrint(t *testing.T) {
	key := newAppleKey()
	apple := key.secret()
	minted := mint(t, apple, clientID)
	raw, err := key.key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, auth := range []authcode.ClientAuth{apple, provider.InsecureLinkedInSecret(clientSecret)} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+verb+verb, auth, []any{auth}, struct{ A authcode.ClientAuth }{auth})
		}
		json.NewEncoder(&out).Encode(auth)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "auth", auth)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "auth", auth)
		if !strings.Contains(out.String(), "REDACTED") {
			t.Error("nothing says REDACTED")
		}
		for _, secret := range []string{clientSecret, fmt.Sprintf("%x", clientSecret), minted, "TEAM123456",
			string(raw), fmt.Sprintf("%x", raw), fmt.Sprint(raw), new(big.Int).SetBytes(raw).String()} {
			if strings.Contains(out.String(), secret) {
				t.Errorf("%T shows a secret: %s", auth, out.String())
			}
		}
	}
}
