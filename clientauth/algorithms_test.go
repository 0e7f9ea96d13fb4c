package clientauth_test

import (
	"context"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// algorithmRows are methods under some admitted algorithms, with what works.
var algorithmRows = []struct {
	claim    string
	a        authcode.ClientAuth
	admitted []string
	ok       bool
	atNew    bool // New refuses it
}{
	{"PS256 where it is admitted", clientauth.PrivateKeyJWT(clientauth.Key{Signer: rsaKey}),
		fapiAlgorithms, true, false},
	{"EdDSA where it is admitted", clientauth.PrivateKeyJWT(clientauth.Key{Signer: edKey}),
		fapiAlgorithms, true, false},
	{"RS256 where all are", clientauth.PrivateKeyJWT(clientauth.Key{Signer: rsaKey, Algorithm: "RS256"}), nil, true, false},
	{"RS256 where it is not", clientauth.PrivateKeyJWT(clientauth.Key{Signer: rsaKey, Algorithm: "RS256"}), fapiAlgorithms, false, true},
	{"EdDSA where it is not", clientauth.PrivateKeyJWT(clientauth.Key{Signer: edKey}), []string{"ES256"}, false, true},
	{"nothing is admitted", clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}), []string{}, false, true},
	{"HS256 where it is not", clientauth.SecretJWT(secret32), fapiAlgorithms, false, true},
	{"HS256 where all are", clientauth.SecretJWT(secret32), nil, true, false},
	{"HS256 by name, which New never admits", clientauth.SecretJWT(secret32), []string{"HS256"}, true, true},
	{"the fact is lost, and the rule holds", withoutAlgorithms(clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey})), []string{"PS256"}, false, false},
	{"so for a secret", withoutAlgorithms(clientauth.SecretJWT(secret32)), []string{"PS256"}, false,
		false},
	{"a rotating key where it is not", clientauth.PrivateKeyJWT(rotate(clientauth.Key{Signer: ecKey})), []string{"PS256"}, false, false},
	{"a rotating key where it is", clientauth.PrivateKeyJWT(rotate(clientauth.Key{Signer: ecKey})),
		fapiAlgorithms, true, false},
}

// TestNameOfEd25519: one key signs for each provider under the name that it expects, unless the app names it.
func TestNameOfEd25519(t *testing.T) {
	for _, row := range []struct {
		named   string // by the app
		renamed bool   // by the provider
		want    string
	}{{"", false, "EdDSA"}, {"", true, "Ed25519"}, {"EdDSA", true, "EdDSA"}, {"Ed25519", false, "Ed25519"}} {
		key := clientauth.Key{Signer: edKey, Algorithm: row.named, ID: "k"}
		for _, keys := range []clientauth.Keys{key, rotate(key)} {
			a, m := clientauth.PrivateKeyJWT(keys), clientauth.SignRequests(keys)
			for _, admitted := range [][]string{nil, {"EdDSA"}, {"Ed25519", "ES256"}} {
				req := newRequest()
				req.Config.Algorithms, req.Endpoints.Ed25519 = admitted, row.renamed
				if err := a.Authenticate(t.Context(), req); err != nil {
					t.Fatal(err)
				}
				object := must(m.SignRequest(t.Context(), req.Connection, url.Values{"client_id": {clientID}}))
				for _, jwt := range []string{req.Form.Get("client_assertion"), object} {
					header := string(must(base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[0])))
					if !strings.Contains(header, `"alg":"`+row.want+`"`) || !strings.Contains(header, `"kid":"k"`) {
						t.Errorf("%+v: header %s", row, header)
					}
				}
			}
		}
	}
}

var fapiAlgorithms = []string{"PS256", "ES256", "EdDSA"}

func withoutAlgorithms(a authcode.ClientAuth) authcode.ClientAuth {
	a.Algorithms = nil
	return a
}

// TestAlgorithms: an algorithm that Config.Algorithms does not admit is a fault at once, or an error when a rotating key
// turns up.
func TestAlgorithms(t *testing.T) {
	for _, row := range algorithmRows {
		t.Run(row.claim, func(t *testing.T) {
			p := newOP(t)
			cfg := p.config(row.a)
			cfg.Algorithms = row.admitted
			c, err := authcode.New(cfg)
			if (err != nil) != row.atNew {
				t.Errorf("New: %v", err)
			}
			if err == nil {
				_, err = c.Refresh(context.Background(), refreshToken())
				wantAlgorithm(t, err, row.ok)
			}
			req := newRequest()
			req.Config.Algorithms = row.admitted
			wantAlgorithm(t, row.a.Authenticate(context.Background(), req), row.ok)
			if req.Form.Has("client_assertion") != row.ok {
				t.Errorf("form %v", req.Form)
			}
		})
	}
}

func wantAlgorithm(t *testing.T, err error, ok bool) {
	t.Helper()
	if ok && err != nil {
		t.Error(err)
	} else if !ok {
		wantCheck(t, err, "client_auth.key")
	}
}

// TestAlgorithmsOfEach: one ClientAuth in two Clients follows the rules of each, and the app's list can change later.
func TestAlgorithmsOfEach(t *testing.T) {
	a := clientauth.PrivateKeyJWT(rotate(clientauth.Key{Signer: ecKey}))
	p := newOP(t)
	list := []string{"ES256"}
	open, strict := p.config(a), p.config(a)
	open.Algorithms, strict.Algorithms = list, []string{"PS256"}
	admitting, refusing := must(authcode.New(open)), must(authcode.New(strict))
	list[0] = "PS256"
	for range 2 {
		_, err := admitting.Refresh(context.Background(), refreshToken())
		wantAlgorithm(t, err, true)
		_, err = refusing.Refresh(context.Background(), refreshToken())
		wantAlgorithm(t, err, false)
	}
	list = clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}).Algorithms
	list[0] = "none"
	if got := clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}).Algorithms; !slices.Equal(got, []string{"ES256"}) {
		t.Errorf("Algorithms %q", got)
	}
}

// TestAlgorithmsOfRotatingKeys: they are checked each time.
func TestAlgorithmsOfRotatingKeys(t *testing.T) {
	good, bad := clientauth.Key{Signer: rsaKey}, clientauth.Key{Signer: rsaKey, Algorithm: "RS256"}
	a := clientauth.PrivateKeyJWT(rotate(good, good, bad, good))
	for _, ok := range []bool{true, true, false, true} {
		req := newRequest()
		req.Config.Algorithms = []string{"PS256", "ES256", "EdDSA"}
		wantAlgorithm(t, a.Authenticate(context.Background(), req), ok)
	}
}

// TestAlgorithmsOfRequests: the same for signed requests.
func TestAlgorithmsOfRequests(t *testing.T) {
	fapi := []string{"PS256", "ES256", "EdDSA"}
	bad := clientauth.Key{Signer: rsaKey, Algorithm: "RS256"}
	p := newOP(t)
	for _, keys := range []clientauth.Keys{bad, rotate(bad)} {
		s := clientauth.SignRequests(keys)
		cfg := p.config(clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}))
		cfg.MessageSigning, cfg.Algorithms = s, fapi
		_, err := authcode.New(cfg)
		if fixed := s.Algorithms != nil; fixed != (err != nil) {
			t.Errorf("New: %v", err)
		} else if fixed {
			wantFault(t, err, "authcode: Config.MessageSigning", "RS256, which Config.Algorithms does not allow: use one of PS256, ES256, EdDSA")
		}
		conn := newConnection()
		conn.Config.Algorithms = fapi
		_, err = s.SignRequest(context.Background(), conn, url.Values{"client_id": {clientID}})
		e := wantCheck(t, err, "messages.key")
		wantFault(t, e, "", "RS256: want one of PS256, ES256, EdDSA")
	}
}
