package oidc_test

// This file compares with coreos/go-oidc. It stands by itself, so that it can move to a module that requires that.

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/oidc"
	goidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	otherIssuer = "https://op.example/realm"
	otherClient = "client-1"
	otherNonce  = "n-0S6_WzA2Mj"
)

// otherOP is a provider of two documents.
type otherOP struct{ key *ecdsa.PrivateKey }

// RoundTrip implements [http.RoundTripper].
func (p *otherOP) RoundTrip(r *http.Request) (*http.Response, error) {
	body := `{"issuer":"` + otherIssuer + `","authorization_endpoint":"https://op.example/authorize","token_endpoint":"https://op.example/token",` +
		`"jwks_uri":"https://op.example/keys","id_token_signing_alg_values_supported":["ES256"]}`
	if r.URL.Path == "/keys" {
		point, err := p.key.PublicKey.Bytes() // uncompressed: 4, X, Y
		if err != nil {
			return nil, err
		}
		enc := base64.RawURLEncoding
		body = fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","x":%q,"y":%q}]}`, enc.EncodeToString(point[1:33]), enc.EncodeToString(point[33:]))
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(body)),
		Body: io.NopCloser(strings.NewReader(body)), Request: r,
	}, nil
}

// token signs header and claims, which may be anything.
func (p *otherOP) token(header, claims string) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		panic(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func newOtherOP(t testing.TB) *otherOP {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &otherOP{key}
}

// FuzzAgainstGoOIDC: an ID token that is accepted passes the checks of coreos/go-oidc too, which reads the
// same bytes with another reader.
func FuzzAgainstGoOIDC(f *testing.F) {
	now := time.Now().Unix()
	good := fmt.Sprintf(`{"iss":%q,"sub":"alice","aud":"client-1","nonce":%q,"iat":%d,"exp":%d,"name":"Alice","email_verified":true}`,
		otherIssuer, otherNonce, now, now+1e6)
	head := `{"alg":"ES256","kid":"k1"}`
	f.Add(head, good)
	f.Add(`{"alg":"HS256","kid":"k1"}`, good)
	f.Add(`{"alg":"ES256","crit":["b64"],"b64":false}`, good)
	f.Add(`{"alg":"ES256","alg":"none"}`, good)
	f.Add(`{"alg":"ES256","kid":"k1","typ":"at+jwt"}`, good)
	f.Add(head, strings.Replace(good, `"alice"`, `"alice","sub":"bob"`, 1))
	f.Add(head, strings.Replace(good, `"client-1"`, `["client-1","x"],"azp":"client-1"`, 1))
	f.Add(head, strings.ReplaceAll(good, `"exp":`, `"exp":1e9,"EXP":`))
	f.Add(head, `{"iss":"https:\/\/op.example\/realm","sub":"a","aud":["client-1"],"exp":99999999999.5,"iat":1,"nonce":"n-0S6_WzA2Mj"}`)
	p := newOtherOP(f)
	i := oidc.Provider(otherIssuer)
	conn := &authcode.Connection{Config: authcode.Config{Provider: i, ClientID: otherClient}, Transport: p}
	read := func(ctx context.Context, token string) (*authcode.Identity, error) {
		return i.Identity(ctx, &authcode.TokenResponse{
			Connection: conn, Nonce: otherNonce, MaxAge: -1,
			Token: (&oauth2.Token{AccessToken: "a"}).WithExtra(map[string]any{"id_token": token}),
		})
	}
	if _, err := read(f.Context(), p.token(head, good)); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header, claims string) {
		token := p.token(header, claims)
		id, err := read(t.Context(), token)
		if err != nil {
			return
		}
		for name := range id.Claims { // encoding/json takes "SUB" for "sub", and we do not
			if name != strings.ToLower(name) || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" || strings.HasPrefix(name, "_claim") {
				return
			}
		}
		oracle := goidc.NewVerifier(otherIssuer, &goidc.StaticKeySet{PublicKeys: []crypto.PublicKey{p.key.Public()}}, &goidc.Config{
			ClientID: otherClient, SupportedSigningAlgs: []string{"ES256"},
			Now: func() time.Time { return time.Now().Add(-time.Minute) },
		})
		other, err := oracle.Verify(context.Background(), token)
		if err != nil {
			t.Fatalf("go-oidc refuses what was accepted: %v", err)
		}
		if other.Subject != id.Subject || other.Issuer != id.Issuer || other.Nonce != otherNonce {
			t.Fatalf("go-oidc reads %+v, we read %+v", other, id)
		}
		var all map[string]any
		if other.Claims(&all) != nil { // a number that is too large for it
			return
		}
		for name, want := range all {
			if text, ok := want.(string); ok && id.Claims[name] != text {
				t.Fatalf("go-oidc reads %s as %q, we read %v", name, text, id.Claims[name])
			}
		}
	})
}
