package clientauth_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// canaries are how the secrets of these tests would show: as text, and as the bytes that verbs and encoders
// make of it.
func canaries() (list []string) {
	d := new(big.Int).SetBytes(must(ecKey.Bytes()))
	for _, secret := range []string{secret32, string(edKey.Seed()), d.String(), d.Text(16), rsaKey.D.String()} {
		b := []byte(secret)
		decimals := strings.Trim(fmt.Sprint(b), "[]")
		list = append(list, secret, fmt.Sprintf("%x", b), fmt.Sprintf("%X", b), fmt.Sprintf("% x", b), decimals,
			strings.ReplaceAll(decimals, " ", ", "), strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}"),
			base64.StdEncoding.EncodeToString(b[:len(b)/3*3]))
	}
	return list
}

// outputs prints v in the ways that apps print.
func outputs(v any) map[string]string {
	out := make(map[string]string)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "% x", "%t", "%c", "%f", "%!"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	js, err := json.Marshal(v)
	out["JSON"] = fmt.Sprint(string(js), err)
	js, err = json.Marshal(map[string]any{"v": []any{v}})
	out["nested JSON"] = fmt.Sprint(string(js), err)
	var buf bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		slog.New(h).With("with", v).Info("msg", "v", v, slog.Group("g", "v", v), "list", []any{v})
	}
	out["slog"] = buf.String()
	return out
}

// These hold what is secret in all ways that fields can.
type (
	exported struct {
		Key    clientauth.Key
		Keys   clientauth.Keys
		A, S   authcode.ClientAuth
		B      authcode.Binding
		R      *authcode.MessageSigning
		Config authcode.Config
	}

	unexportedPointers struct {
		a, s *authcode.ClientAuth
		b    *authcode.Binding
		r    *authcode.MessageSigning
	}

	unexportedValues struct {
		a, s authcode.ClientAuth
		b    authcode.Binding
		r    authcode.MessageSigning
		cfg  authcode.Config
	}
)

// TestNothingSecretPrints dumps every value by itself, by pointer and nested.
func TestNothingSecretPrints(t *testing.T) {
	ed, ec, rs := clientauth.Key{Signer: edKey, ID: "k"}, clientauth.Key{Signer: ecKey}, clientauth.Key{Signer: rsaKey}
	assertion, secret, requests := clientauth.PrivateKeyJWT(ed), clientauth.SecretJWT(secret32), clientauth.SignRequests(ed)
	rotating := clientauth.RotatingKeys(func(context.Context) (clientauth.Key, error) { return ed, nil })
	authenticate(t, assertion) // so that what is cached is there
	m, bound := clientauth.MutualTLS(), clientauth.CertificateBound()
	cert := clientauth.Certificate(authority.issue(template("ed"), edKey))
	cfg := certConfig(cert, nil)
	cfg.MessageSigning = requests
	client := must(authcode.New(cfg))
	req := newRequest()
	req.Config.ClientAuth = secret
	all := exported{ed, ec, assertion, secret, bound, &requests, cfg}
	values := map[string]any{
		"Key": ed, "*Key": &ed, "[]Key": []clientauth.Key{ed, ec, rs}, "[]*Key": []*clientauth.Key{&ed}, "map": map[string]clientauth.Key{"k": rs},
		"Keys": clientauth.Keys(ed), "[]Keys": []clientauth.Keys{ed, rs, rotating}, "RotatingKeys": rotating,
		"PrivateKeyJWT": assertion, "its pointer": &assertion, "SecretJWT": secret, "SecretJWT's pointer": &secret, "[]ClientAuth": []authcode.ClientAuth{assertion, secret, m},
		"unexported pointers":   unexportedPointers{&assertion, &secret, &bound, &requests},
		"unexported values":     unexportedValues{assertion, secret, bound, requests, cfg},
		"unexported interfaces": struct{ a, b any }{&assertion, secret},
		"Certificate":           cert, "MutualTLS": m, "CertificateBound": bound, "SignRequests": requests, "its pointer too": &requests,
		"Config": cfg, "*Config": &cfg, "Client": client, "*TokenRequest": req, "TokenRequest": *req,
		"all": all, "a pointer to all": &all, "a slice of all": []exported{all},
	}
	list := canaries()
	for name, v := range values {
		t.Run(name, func(t *testing.T) {
			for how, text := range outputs(v) {
				for _, canary := range list {
					if strings.Contains(text, canary) {
						t.Errorf("%s shows %q in %s", how, canary, text)
					}
				}
			}
		})
	}
}

// TestCanaries: the search above would find a key that is printed.
func TestCanaries(t *testing.T) {
	list := canaries()
	for name, v := range map[string]any{"Ed25519": edKey, "P-256": ecKey, "RSA": rsaKey, "secret": secret32, "TLS": tls.Certificate{PrivateKey: edKey}} {
		found := false
		for _, text := range outputs(v) {
			for _, canary := range list {
				found = found || strings.Contains(text, canary)
			}
		}
		if !found {
			t.Errorf("%s is not found where it is printed", name)
		}
	}
}

// TestPrintedForms: what stands in the place of secrets.
func TestPrintedForms(t *testing.T) {
	key := clientauth.Key{Signer: edKey, Algorithm: "EdDSA", ID: "k1"}
	for name, v := range map[string]any{
		"Key": key, "*Key": &key, "Keys": clientauth.Keys(key),
		"Config":       authcode.Config{ClientAuth: clientauth.PrivateKeyJWT(key), MessageSigning: clientauth.SignRequests(key)},
		"TokenRequest": newRequest(),
	} {
		const want = "REDACTED"
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
			if got := fmt.Sprintf(verb, v); got != want {
				t.Errorf("%s: %s prints %s, want %s", name, verb, got, want)
			}
		}
		var text string
		if js, err := json.Marshal(v); err != nil || json.Unmarshal(js, &text) != nil || text != want {
			t.Errorf("%s: JSON %s, %v; want %s", name, js, err, want)
		}
	}
}
