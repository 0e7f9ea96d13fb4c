package try

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/fips140"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testkey"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// pemFile writes blocks, one after the other, and returns the file's name.
func pemFile(t *testing.T, blocks ...*pem.Block) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "canary.pem")
	var text []byte
	for _, b := range blocks {
		text = append(text, pem.EncodeToMemory(b)...)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func certificateFile(t *testing.T, cert tls.Certificate) string {
	t.Helper()
	return pemFile(t, &pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})
}

func pkcs8(key any) *pem.Block {
	return &pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))}
}

func TestKeysInEveryForm(t *testing.T) {
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	rsaKey := testkey.RSA()
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	sec1 := &pem.Block{Type: "EC PRIVATE KEY", Bytes: must(x509.MarshalECPrivateKey(ec))}
	parameters := &pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}}
	for name, test := range map[string]struct {
		file string
		want crypto.Signer
	}{
		"PKCS#8, P-256":           {pemFile(t, pkcs8(ec)), ec},
		"PKCS#8, RSA":             {pemFile(t, pkcs8(rsaKey)), rsaKey},
		"PKCS#8, Ed25519":         {pemFile(t, pkcs8(ed)), ed},
		"SEC 1":                   {pemFile(t, sec1), ec},
		"SEC 1, after parameters": {pemFile(t, parameters, sec1), ec},
		"PKCS#1": {pemFile(t, &pem.Block{Type: "RSA PRIVATE KEY",
			Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}), rsaKey},
	} {
		got, err := readKey("client-key", test.file)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if public, ok := got.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok ||
			!public.Equal(test.want.Public()) {
			t.Errorf("%s: another key", name)
		}
	}
}

// useless are flags with a file that is of no use, and what is said of it.
type useless struct {
	args []string
	want string
}

func uselessFiles(t *testing.T) map[string]useless {
	ec := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	cert := authserver.SelfSigned("canary")
	good := pemFile(t, pkcs8(ec))
	certFile := certificateFile(t, cert)
	old := &pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"DEK-Info": "canary"}}
	text := filepath.Join(t.TempDir(), "canary.txt")
	if err := os.WriteFile(text, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]useless{
		"no file": {[]string{"-client-key", "canary/" + text},
			"-client-key: the file cannot be read"},
		"a key itself": {[]string{"-client-key",
			string(pem.EncodeToMemory(&pem.Block{Type: "canary"}))},
			"-client-key: the file cannot be read"},
		"no PEM":        {[]string{"-client-key", text}, "there is no private key in the file"},
		"a certificate": {[]string{"-client-key", certFile}, "there is no private key in the file"},
		"encrypted": {[]string{"-client-key", pemFile(t,
			&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("canary")})}, "is encrypted"},
		"encrypted, old": {[]string{"-client-key", pemFile(t, old)}, "is encrypted"},
		"rubbish": {[]string{"-client-key", pemFile(t,
			&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("canary")})}, "cannot be used"},
		"a weak key": {[]string{"-client-key", pemFile(t,
			pkcs8(shortRSA()))}, "fewer than 2048 bits"},
		"an unused curve": {[]string{"-client-key", pemFile(t,
			pkcs8(must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))))}, "P-256"},
		"another kind": {[]string{"-client-key", good, "-client-key-alg", "PS256"}, "RSA key for"},
		"no proof key": {[]string{"-bind", "dpop", "-dpop-key", text},
			"-dpop-key: there is no private key"},
		"no certificate": {[]string{"-client-cert", text, "-client-cert-key", good},
			"-client-cert and -client-cert-key cannot be used: name a certificate"},
		"another's key": {[]string{"-client-cert", certFile, "-client-cert-key", good},
			"-client-cert and -client-cert-key cannot be used: name a certificate and its own"},
		"no key of it": {[]string{"-client-cert", certFile, "-client-cert-key", "canary"},
			"-client-cert-key: the file cannot be read"},
	}
}

// TestFilesThatAreOfNoUse: the error names the flag, and neither the file nor what is in it.
func TestFilesThatAreOfNoUse(t *testing.T) {
	for name, test := range uselessFiles(t) {
		var stderr strings.Builder
		args := append(issuerArgs("-addr", "127.0.0.1:0"), test.args...)
		ended, stop := context.WithCancel(t.Context())
		stop() // options that pass end at once
		status := Run(ended, args, environment(nil), io.Discard, &stderr)
		if status != 1 || !strings.Contains(stderr.String(), test.want) ||
			strings.Contains(stderr.String(), "canary") {
			t.Errorf("%s: status %d, %s", name, status, &stderr)
		}
	}
}

// TestProgramWithKeys signs in under FAPI 2.0 at a server that is looked up, with keys
// from files.
func TestProgramWithKeys(t *testing.T) {
	key, cert := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), authserver.SelfSigned("me")
	proofs := testkey.RSA()
	byKeys := []string{"-client-key", pemFile(t, pkcs8(key)), "-client-key-id", "k1"}
	byCert := []string{"-client-cert", certificateFile(t, cert), "-client-cert-key",
		pemFile(t, pkcs8(cert.PrivateKey))}
	for _, test := range []struct {
		name    string
		args    []string
		binding string
		change  func(*authserver.ClientRegistration)
	}{
		{"private_key_jwt and DPoP", append(byKeys, "-dpop-key", pemFile(t, pkcs8(proofs))), "DPoP",
			func(*authserver.ClientRegistration) {}},
		{"mutual TLS", byCert, "a certificate", func(r *authserver.ClientRegistration) {
			r.AuthMethod, r.Certificates = authserver.SelfSignedTLS, []*x509.Certificate{cert.Leaf}
			r.RequireDPoP, r.CertificateBound = false, true
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := authserver.NewTLSServer(authserver.MutualTLS(), authserver.RequirePAR())
			defer server.Close()
			s := bank(t, server, test.args...)
			reg := authserver.FAPIClient("me", s.base+"/auth/bank/callback",
				authserver.Key{Public: key.Public(), ID: "k1"})
			test.change(&reg)
			server.Register(reg)
			if got := s.signIn("/auth/bank"); got.StatusCode != http.StatusSeeOther {
				t.Fatalf("callback: %s: %s", got.Status, s.log)
			}
			if st := s.state(); st.API != "200 OK" || st.Identity.Subject != "alice" {
				t.Errorf("state: %+v", st)
			}
			s.says("binding", test.binding, "profile", "FAPI 2.0")
			if asked := server.Requests(authserver.Token)[0]; test.binding == "DPoP" &&
				(asked.Proof().Header["alg"] != "PS256" || asked.Assertion().Header["kid"] != "k1") {
				t.Errorf("proof %v, assertion %v", asked.Proof().Header, asked.Assertion().Header)
			}
		})
	}
}

// bank runs the program under FAPI 2.0 against server, as the client "me".
func bank(t *testing.T, server *authserver.Server, args ...string) *site {
	t.Helper()
	ca := pemFile(t, &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	s := program(t, nil, append([]string{"-fapi", "security", "-name", "bank", "-issuer",
		server.URL, "-client-id", "me", "-ca-file", ca}, args...)...)
	s.demo = server
	s.browser.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	t.Cleanup(s.browser.CloseIdleConnections)
	return s
}

// shortRSA makes a key that FIPS 140-only mode forbids.
func shortRSA() (key *rsa.PrivateKey) {
	fips140.WithoutEnforcement(func() { key = must(rsa.GenerateKey(rand.Reader, 1024)) })
	return key
}
