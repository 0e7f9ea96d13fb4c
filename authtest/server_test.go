package authtest_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
)

// keys belong to one app.
var (
	p256, _      = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edward, _ = ed25519.GenerateKey(rand.Reader)
)

func signedBy(key crypto.Signer) func(*authcode.Config) {
	return func(cfg *authcode.Config) {
		cfg.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: key, ID: "1"})
	}
}

func TestRegister(t *testing.T) {
	one := []crypto.PublicKey{p256.Public()}
	for claim, row := range map[string]struct {
		reg    authtest.Registration
		change func(*authcode.Config)
		form   string // what the token request has
	}{
		"a secret":          {authtest.Registration{ClientID: "a:b", ClientSecret: "s+c ret"}, nil, "code"},
		"public":            {authtest.Registration{ClientID: "app"}, nil, "client_id"},
		"without an id":     {authtest.Registration{}, nil, "client_id"},
		"a key on P-256":    {authtest.Registration{Keys: one}, signedBy(p256), "client_assertion"},
		"the second of two": {authtest.Registration{Keys: append(one, edward.Public())}, signedBy(edward), "client_assertion"},
	} {
		t.Run(claim, func(t *testing.T) {
			a := newApp(t, "https", func(a *app) { a.register(row.reg, row.change) })
			login := a.signIn()
			if login == nil {
				t.Fatalf("failed: %v", a.errs)
			}
			seen := a.srv.Requests("/token")
			if len(seen) != 1 || !seen[0].Form.Has(row.form) {
				t.Errorf("token requests %v", seen)
			}
		})
	}
}

// TestFAPI: an app that calls fapi.New signs people in.
func TestFAPI(t *testing.T) {
	a := newApp(t, "https", func(a *app) {
		a.register(authtest.Registration{Keys: []crypto.PublicKey{p256.Public()}, FAPI: true}, signedBy(p256))
		a.cfg.Binding = dpop.New(edward)
		a.build = func(cfg authcode.Config) (*authcode.Client, error) { return fapi.New(fapi.Security, cfg) }
	})
	login := a.signIn()
	if login == nil {
		t.Fatalf("failed: %v", a.errs)
	}
	pushed := len(a.srv.Requests("/par"))
	if pushed != 1 || login.Token.TokenType != "DPoP" {
		t.Errorf("%d pushed requests, a token of type %q", pushed, login.Token.TokenType)
	}
}

// TestFAPIRefuses: a client that is registered for FAPI and does less gets no
// token.
func TestFAPIRefuses(t *testing.T) {
	a := newApp(t, "https", func(a *app) {
		a.register(authtest.Registration{Keys: []crypto.PublicKey{p256.Public()}, FAPI: true}, signedBy(p256))
	})
	if a.signIn() != nil {
		t.Error("signed in without DPoP")
	}
}

func TestPanics(t *testing.T) {
	srv := authtest.NewServer("https://app.example/callback")
	defer srv.Close()
	here := []string{"https://app.example/callback"}
	key := []crypto.PublicKey{ed25519.PublicKey(make([]byte, 32))}
	user := func(u authtest.User) func() {
		return func() { authtest.NewServer("https://app.example/callback", u) }
	}
	for want, do := range map[string]func(){
		`NewServer: "/callback" is not`:               func() { authtest.NewServer("/callback") },
		`NewServer: "ftp://app.example/" is not`:      func() { authtest.NewServer("ftp://app.example/") },
		`NewServer: "https://app.example/#a" is not`:  func() { authtest.NewServer("https://app.example/#a") },
		"NewServer: user 0 has no Subject":            user(authtest.User{}),
		`the server sets nonce itself`:                user(authtest.User{Subject: "a", Claims: map[string]any{"nonce": "x"}}),
		`NewServer: Claims of "a": json: unsupported`: user(authtest.User{Subject: "a", Claims: map[string]any{"x": make(chan int)}}),
		`NewServer: two users have the Subject "a"`: func() {
			authtest.NewServer("https://a.example", authtest.User{Subject: "a"}, authtest.User{Subject: "a"})
		},
		`SetUser: no user has the subject "mallory"`:  func() { srv.SetUser("mallory") },
		"Registration.RedirectURLs is empty":          func() { srv.Register(authtest.Registration{}) },
		"Registration has both ClientSecret and Keys": func() { srv.Register(authtest.Registration{ClientSecret: "s", Keys: key, RedirectURLs: here}) },
		"Registration.FAPI needs Keys":                func() { srv.Register(authtest.Registration{FAPI: true, RedirectURLs: here}) },
		"LogoutToken needs a subject or a sid":        func() { srv.LogoutToken("app", "", "") },
		`Registration.RedirectURLs: "/callback" is`:   func() { srv.Register(authtest.Registration{RedirectURLs: []string{"/callback"}}) },
		"Registration.Keys[0] is a string, not":       func() { srv.Register(authtest.Registration{Keys: []crypto.PublicKey{"key"}, RedirectURLs: here}) },
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "authtest: ") || !strings.Contains(text, want) {
					t.Errorf("got %q", text)
				}
			}()
			do()
		})
	}
}

func TestClose(t *testing.T) {
	srv := authtest.NewServer("https://app.example/callback")
	srv.Close()
	srv.Close()
	if _, err := (&http.Client{Transport: srv.Transport()}).Get(srv.URL + "/jwks"); err == nil {
		t.Error("the server answers after Close")
	}
}
