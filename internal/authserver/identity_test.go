package authserver_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
	"github.com/go-jose/go-jose/v4"
)

func (t *tester) get(path string) answer {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, t.base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return t.do(req)
}

// claims verifies an ID token with the published keys.
func (t *tester) claims(idToken string, alg jose.SignatureAlgorithm) map[string]any {
	t.Helper()
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(t.get("/jwks").raw), &keys); err != nil {
		t.Fatal(err)
	}
	signed, err := jose.ParseSignedCompact(idToken, []jose.SignatureAlgorithm{alg})
	if err != nil {
		t.Fatal(err)
	}
	found := keys.Key(signed.Signatures[0].Header.KeyID)
	if len(found) != 1 || found[0].Use != "sig" || found[0].Algorithm != string(alg) {
		t.Fatalf("keys for %q: %v", signed.Signatures[0].Header.KeyID, found)
	}
	payload, err := signed.Verify(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestIDToken(t *testing.T) {
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256} {
		t.Run(string(alg), func(t *testing.T) {
			x := newTester(t, authserver.Algorithm(string(alg)))
			before := float64(time.Now().Unix())
			a := x.redeem("max_age=60")
			got := x.claims(a.text("id_token"), alg)
			hash := sha256.Sum256([]byte(a.text("access_token")))
			for name, want := range map[string]any{
				"iss": x.srv.URL, "aud": "basic", "sub": "alice", "nonce": "n0nce",
				"at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
				"name":    "Alice Example", "picture": "https://example.com/alice.png",
				"email": "alice@example.com", "email_verified": true,
			} {
				if got[name] != want {
					t.Errorf("%s is %v, want %v", name, got[name], want)
				}
			}
			for _, name := range []string{"iat", "auth_time"} {
				if at, _ := got[name].(float64); at < before || at > before+60 {
					t.Errorf("%s is %v, want about %v", name, got[name], before)
				}
			}
			if got["exp"] != got["iat"].(float64)+3600 {
				t.Errorf("exp is %v, iat %v", got["exp"], got["iat"])
			}
			advertised := x.get("/.well-known/openid-configuration").
				body["id_token_signing_alg_values_supported"].([]any)
			if !slices.Equal(advertised, []any{string(alg)}) {
				t.Errorf("advertised %v", advertised)
			}
		})
	}
}

func TestIDTokenLeavesOut(t *testing.T) {
	x := newTester(t)
	a := x.redeem("-nonce", "scope=openid")
	got := slices.Sorted(maps.Keys(x.claims(a.text("id_token"), jose.ES256)))
	if want := []string{"at_hash", "aud", "exp", "iat", "iss", "sub"}; !slices.Equal(got, want) {
		t.Errorf("claims %v, want %v", got, want)
	}
	a = x.post("/token", "basic:s3cret", renewal(x.redeem("max_age=0").text("refresh_token")))
	renewed := x.claims(a.text("id_token"), jose.ES256)
	if renewed["nonce"] != nil || renewed["auth_time"] == nil || renewed["sub"] != "alice" {
		t.Errorf("a refresh's ID token says %v", renewed)
	}
}

type userinfoRefusal struct {
	authorization []string
	status        int
	challenge     string
}

// badUserinfo are requests with a bad token, or none; foreign lacks the scope
// openid.
func badUserinfo(good, refresh, foreign string) map[string]userinfoRefusal {
	return map[string]userinfoRefusal{
		"no token":         {nil, 401, ""},
		"Basic":            {[]string{"Basic eDp5"}, 401, ""},
		"an unknown token": {[]string{"Bearer x"}, 401, `, error="invalid_token"`},
		"a refresh token":  {[]string{refresh}, 401, `, error="invalid_token"`},
		"two headers":      {[]string{good, good}, 401, `, error="invalid_token"`},
		"a token sans scope": {[]string{foreign}, 403,
			`, error="insufficient_scope", scope="openid"`},
	}
}

func TestUserinfo(t *testing.T) {
	x := newTester(t)
	a := x.redeem()
	good := "Bearer " + a.text("access_token")
	if got := x.userinfo(good); got.raw != `{"sub":"alice","name":"Alice Example",`+
		`"picture":"https://example.com/alice.png","email":"alice@example.com",`+
		`"email_verified":true}` {
		t.Errorf("all scopes: %s", got.raw)
	}
	narrow := "Bearer " + x.redeem("scope=openid").text("access_token")
	if got := x.userinfo(narrow); got.raw != `{"sub":"alice"}` {
		t.Errorf("openid alone: %s", got.raw)
	}
	foreign := "Bearer " + x.redeem("scope=email").text("access_token")
	for name, row := range badUserinfo(good, "Bearer "+a.text("refresh_token"), foreign) {
		t.Run(name, func(t *testing.T) {
			got := x.userinfo(row.authorization...)
			challenge := got.header.Get("WWW-Authenticate")
			if got.status != row.status || challenge != `Bearer realm="authtest"`+row.challenge {
				t.Errorf("answered %d, %q", got.status, challenge)
			}
		})
	}
	if got := x.get("/userinfo?access_token=" + a.text("access_token")); got.status != 401 {
		t.Errorf("a token in the query was answered %d", got.status)
	}
	x.srv.Advance(time.Hour + time.Second)
	if x.works(a.text("access_token")) {
		t.Error("the token outlives expires_in")
	}
}

func TestDiscovery(t *testing.T) {
	x := newTester(t)
	got := x.get("/.well-known/openid-configuration")
	if same := x.get("/.well-known/oauth-authorization-server"); same.raw != got.raw {
		t.Error("the two documents differ")
	}
	p := x.srv.Provider()
	for name, want := range map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.AuthURL, "token_endpoint": p.TokenURL,
		"revocation_endpoint":                            p.RevocationURL,
		"authorization_response_iss_parameter_supported": p.RequireIss,
		"userinfo_endpoint":                              x.srv.URL + "/userinfo",
		"jwks_uri":                                       x.srv.URL + "/jwks",
	} {
		if got.body[name] != want {
			t.Errorf("%s is %v, want %v", name, got.body[name], want)
		}
	}
	if keys := x.get("/jwks").raw; strings.Contains(keys, `"d"`) {
		t.Errorf("a private key is published: %s", keys)
	}
}

func TestUsers(t *testing.T) {
	x := newTester(t, authserver.Users(
		authserver.User{Subject: "1", Email: "one@example.com"}, authserver.User{Subject: "2"}))
	who := func(edits ...string) string {
		t.Helper()
		return x.userinfo("Bearer " + x.redeem(edits...).text("access_token")).text("sub")
	}
	if got := who(); got != "1" {
		t.Errorf("%q signed in first", got)
	}
	if got := who("login_hint=2"); got != "2" {
		t.Errorf("%q signed in by a hint", got)
	}
	x.srv.SetUser("2")
	if got := who("login_hint=nobody"); got != "2" {
		t.Errorf("%q signed in after SetUser", got)
	}
	if got := who("login_hint=one@example.com"); got != "1" {
		t.Errorf("%q signed in by an e-mail address", got)
	}
}
