package differential

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
	issuer   = "https://op.example/realm"
	clientID = "client-1"
	nonce    = "n-0S6_WzA2Mj"
)

// documents is a provider that has metadata and a key set, and nothing else.
type documents struct{ key *ecdsa.PrivateKey }

// RoundTrip implements [http.RoundTripper].
func (p *documents) RoundTrip(r *http.Request) (*http.Response, error) {
	body := `{"issuer":"` + issuer + `","authorization_endpoint":"https://op.example/authorize",` +
		`"token_endpoint":"https://op.example/token","jwks_uri":"https://op.example/keys",` +
		`"id_token_signing_alg_values_supported":["ES256"]}`
	if r.URL.Path == "/keys" {
		point, err := p.key.PublicKey.Bytes() // uncompressed: 4, X, Y
		if err != nil {
			return nil, err
		}
		enc := base64.RawURLEncoding
		body = fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","kid":"k1","x":%q,"y":%q}]}`,
			enc.EncodeToString(point[1:33]), enc.EncodeToString(point[33:]))
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// token signs header and claims, which may be anything.
func (p *documents) token(header, claims string) string {
	enc := base64.RawURLEncoding
	input := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(claims))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		panic(err)
	}
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return input + "." + enc.EncodeToString(signature)
}

func newDocuments(t testing.TB) *documents {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &documents{key}
}

// newReader returns a function that checks an ID token as a login does, with what a Client has loaded
// from p.
func newReader(t testing.TB, p *documents) func(context.Context, string) (*authcode.Identity, error) {
	t.Helper()
	provider := oidc.Provider(issuer)
	provider.Algorithms = []string{"ES256"}
	client, err := authcode.New(authcode.Config{
		Provider: provider, ClientID: clientID, ClientAuth: authcode.Public(),
		RedirectURL: "https://app.example/callback",
		CookieKeys:  [][]byte{[]byte("no login begins here, so this seals nothing")},
		Wrap:        func(http.RoundTripper) http.RoundTripper { return p },
	})
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, token string) (*authcode.Identity, error) {
		return conn.Config.Provider.Identity(ctx, &authcode.TokenResponse{
			Connection: conn, Nonce: nonce, MaxAge: -1,
			Token: (&oauth2.Token{AccessToken: "a"}).WithExtra(map[string]any{"id_token": token}),
		})
	}
}

// FuzzAgainstGoOIDC: an ID token that is accepted passes the checks of coreos/go-oidc too, which reads
// the same bytes with another reader.
func FuzzAgainstGoOIDC(f *testing.F) {
	now := time.Now().Unix()
	good := fmt.Sprintf(`{"iss":%q,"sub":"alice","aud":"client-1","nonce":%q,"iat":%d,"exp":%d,`+
		`"name":"Alice","email_verified":true}`, issuer, nonce, now, now+1e6)
	head := `{"alg":"ES256","kid":"k1"}`
	f.Add(head, good)
	f.Add(`{"alg":"HS256","kid":"k1"}`, good)
	f.Add(`{"alg":"ES256","crit":["b64"],"b64":false}`, good)
	f.Add(`{"alg":"ES256","alg":"none"}`, good)
	f.Add(`{"alg":"ES256","kid":"k1","typ":"at+jwt"}`, good)
	f.Add(head, strings.Replace(good, `"alice"`, `"alice","sub":"bob"`, 1))
	f.Add(head, strings.Replace(good, `"client-1"`, `["client-1","x"],"azp":"client-1"`, 1))
	f.Add(head, strings.ReplaceAll(good, `"exp":`, `"exp":1e9,"EXP":`))
	f.Add(head, `{"iss":"https:\/\/op.example\/realm","sub":"a","aud":["client-1"],"exp":99999999999.5,`+
		`"iat":1,"nonce":"n-0S6_WzA2Mj"}`)
	p := newDocuments(f)
	read := newReader(f, p)
	if _, err := read(f.Context(), p.token(head, good)); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, header, claims string) {
		token := p.token(header, claims)
		if id, err := read(t.Context(), token); err == nil {
			compare(t, p, token, id)
		}
	})
}

// compare has go-oidc read the token that id was read from.
func compare(t *testing.T, p *documents, token string, id *authcode.Identity) {
	t.Helper()
	for name := range id.Claims { // encoding/json takes "SUB" for "sub", and we do not
		if name != strings.ToLower(name) || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" ||
			strings.HasPrefix(name, "_claim") {
			return
		}
	}
	keys := &goidc.StaticKeySet{PublicKeys: []crypto.PublicKey{p.key.Public()}}
	other, err := goidc.NewVerifier(issuer, keys, &goidc.Config{
		ClientID: clientID, SupportedSigningAlgs: []string{"ES256"},
		Now: func() time.Time { return time.Now().Add(-time.Minute) },
	}).Verify(context.Background(), token)
	if err != nil {
		t.Fatalf("go-oidc refuses what was accepted: %v", err)
	}
	if other.Subject != id.Subject || other.Issuer != id.Issuer || other.Nonce != nonce {
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
}
