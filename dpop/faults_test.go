package dpop_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
)

// faultRow is a Binding with what is wrong with it.
type faultRow struct {
	claim string
	b     authcode.Binding
	want  []string // of each fault in turn; none: valid
}

// modulus is as large as it says, which is all that is asked.
func modulus(bits uint) crypto.Signer {
	return half{&rsa.PublicKey{N: new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1), E: 65537}}
}

//lint:ignore SA1019 the functions that replace these fields refuse this key
var besideCurve = &ecdsa.PublicKey{Curve: elliptic.P256(), X: big.NewInt(1), Y: big.NewInt(1)}

func faultRows(t *testing.T) []faultRow {
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, good := newKey(t), randomBytes(32)
	return []faultRow{
		{"a key", dpop.New(key), nil},
		{"RSA of 2048 bits", dpop.New(modulus(2048)), nil},
		{"two keys", dpop.New(key, newKey(t)), nil},
		{"RSA of 2047 bits", dpop.New(modulus(2047)), []string{"key 0|2048"}},
		{"another curve", dpop.New(p384), []string{"key 0|P-256"}},
		{"another curve later", dpop.New(key, p384), []string{"key 1|P-256"}},
		{"an unknown kind", dpop.New(half{"x"}), []string{"key 0"}},
		{"nil", dpop.New(nil), []string{"key 0: the private key is nil"}},
		{"a nil pointer", dpop.New((*ecdsa.PrivateKey)(nil)), []string{"key 0: the private key is nil"}},
		{"nil in a struct", dpop.New(struct{ crypto.Signer }{}), []string{"key 0: the private key is nil"}},
		{"a nil slice", dpop.New(ed25519.PrivateKey(nil)), []string{"key 0: the private key is nil"}},
		{"nil later", dpop.New(key, nil), []string{"key 1: the private key is nil"}},
		{"a key again", dpop.New(key, key), []string{"key 1: it repeats"}},
		{"a point beside the curve", dpop.New(half{besideCurve}),
			[]string{"key 0: its public key is not a point"}},
		{"an Ed25519 key of another length", dpop.New(half{ed25519.PublicKey("short")}), []string{"key 0: its public key does not have 32 bytes"}},
		{"all at once", dpop.New(nil, modulus(1024), key, key), []string{"key 0", "key 1", "key 3"}},
		{"a secret", dpop.PerSession(good), nil},
		{"two secrets", dpop.PerSession(good, randomBytes(64)), nil},
		{"a short secret", dpop.PerSession(good[:31]), []string{"secret 0|31 bytes|32"}},
		{"no secret", dpop.PerSession(nil), []string{"secret 0|0 bytes"}},
		{"one byte over and over", dpop.PerSession(bytes.Repeat([]byte{'a'}, 32)), []string{"secret 0|repeats a single byte"}},
		{"a secret again", dpop.PerSession(good, bytes.Clone(good)), []string{"secret 1|repeats"}},
		{"all secrets at once", dpop.PerSession(nil, good, nil), []string{"secret 0", "secret 2"}},
	}
}

// TestFaults: keys and secrets that cannot be used, each told apart, one to a line of New's error; and nothing works
// with one.
func TestFaults(t *testing.T) {
	for _, row := range faultRows(t) {
		t.Run(row.claim, func(t *testing.T) {
			_, err := authcode.New(configFor(row.b))
			if len(row.want) == 0 {
				if err != nil || row.b.Err != nil {
					t.Error(err, row.b.Err)
				}
				return
			}
			wantFaults(t, err, row.want)
			wantFaults(t, row.b.Err, row.want)
			_, _, err = row.b.Begin(t.Context())
			wantError(t, err, authcode.Configuration, "dpop.config")
			for _, name := range []string{"", "x"} {
				_, err = row.b.Transport(new(authcode.Connection), http.DefaultTransport, name)
				wantError(t, err, authcode.Configuration, "dpop.config")
			}
		})
	}
}

// configFor is a Config that has no other fault.
func configFor(b authcode.Binding) authcode.Config {
	return authcode.Config{
		Provider: authcode.Provider{Name: "x", Endpoints: authcode.Endpoints{AuthURL: "https://as.example/authorize", TokenURL: tokenURL}},
		ClientID: "client", ClientAuth: authcode.Secret("s3cret"), RedirectURL: "https://app.example/callback",
		CookieKeys: [][]byte{randomBytes(32)}, Binding: b,
	}
}

// wantFaults demands one fault for each of want, in this order. Each begins with the constructor's name.
func wantFaults(t *testing.T, err error, want []string) {
	t.Helper()
	var e *authcode.Error
	if !errors.As(err, &e) || e.Reason != authcode.Configuration || e.Check != "config" || len(e.Faults) != len(want) {
		t.Errorf("got %v, want %d faults", err, len(want))
		return
	}
	for i, fault := range e.Faults {
		if !strings.HasPrefix(fault, "dpop.") {
			t.Errorf("fault %q does not begin with the name of its constructor", fault)
		}
		for _, words := range strings.Split(want[i], "|") {
			if !strings.Contains(fault, words) {
				t.Errorf("fault %q, want %q", fault, words)
			}
		}
	}
}

// TestAlgorithms: of each key, the current one first, so that New can hold them to Config.Algorithms.
func TestAlgorithms(t *testing.T) {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	b, s := dpop.New(ed, newKey(t)), dpop.PerSession(randomBytes(32))
	if !slices.Equal(b.Algorithms, []string{"EdDSA", "ES256"}) || !slices.Equal(s.Algorithms, []string{"ES256"}) {
		t.Errorf("got %q and %q", b.Algorithms, s.Algorithms)
	}
	if b.TokenType != "DPoP" || s.TokenType != "DPoP" || b.Certificate || s.Certificate {
		t.Errorf("TokenType is %q and %q, Certificate %t and %t", b.TokenType, s.TokenType, b.Certificate, s.Certificate)
	}
	for admitted, ok := range map[string]bool{"ES256": false, "EdDSA": false, "PS256": false, "ES256,EdDSA": true} {
		cfg := configFor(b)
		cfg.Algorithms = strings.Split(admitted, ",")
		if _, err := authcode.New(cfg); (err == nil) != ok {
			t.Errorf("%s: %v", admitted, err)
		}
	}
}

// TestCallersSecret: a secret that the caller wipes later is still in use.
func TestCallersSecret(t *testing.T) {
	secret := count(32)
	b := dpop.PerSession(secret)
	clear(secret)
	got, err := thumbprintOf(t, b, "AAECAwQFBgcICQoLDA0OD7Dx8UpTOChO")
	if got != "p3Iuyr6yyvpRo3EDxVUQyGrb4_xlSwABr-CSY831Ooo" || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

// app holds a Binding in all ways.
type app struct {
	B *authcode.Binding
	V authcode.Binding
	I any
	p *authcode.Binding
	v authcode.Binding
}

// TestNothingSecretPrints dumps Bindings in all the ways that apps print, and searches for their keys.
func TestNothingSecretPrints(t *testing.T) {
	key := newKey(t).(*ecdsa.PrivateKey)
	d, _ := key.Bytes()
	secret := []byte("canary-secret-of-forty-bytes-0123456789.")
	b, s := dpop.New(key), dpop.PerSession(secret)
	name, _, _ := s.Begin(t.Context())
	var forms []string
	for _, raw := range [][]byte{d, secret} {
		decimals := strings.Trim(fmt.Sprint(raw), "[]")
		forms = append(forms, string(raw[:16]), fmt.Sprintf("%x", raw[:16]), fmt.Sprintf("%X", raw[:16]), decimals,
			strings.ReplaceAll(decimals, " ", ", "), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", raw), "[]byte{"), "}"))
	}
	forms = append(forms, new(big.Int).SetBytes(d).String())
	api, err := s.Transport(new(authcode.Connection), http.DefaultTransport, name)
	if err != nil {
		t.Fatal(err)
	}
	cfg := authcode.Config{Binding: s}
	for _, v := range []any{
		b, &b, s, &s, []*authcode.Binding{&b, &s}, []authcode.Binding{b, s}, map[string]authcode.Binding{"k": s}, app{&b, s, s, &s, b}, &app{&s, b, b, &b, s},
		struct{ list []*app }{[]*app{{B: &b, v: s}}}, cfg, &cfg, struct{ cfg authcode.Config }{cfg}, api,
	} {
		var out bytes.Buffer
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x", "%X", "%t", "%c", "%f", "%!"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		js, err := json.Marshal(v)
		fmt.Fprintf(&out, "%s %v\n", js, err)
		for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
			slog.New(h).With("w", v).Info("m", "v", v, slog.Group("g", "v", v))
		}
		for _, form := range forms {
			if strings.Contains(out.String(), form) {
				t.Errorf("%T prints %q in %s", v, form, out.String())
			}
		}
	}
}
