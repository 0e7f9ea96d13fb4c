package check

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

// written is a program that a check has written, and how to run it.
type written struct {
	name   string
	args   []string // of the check, besides the issuer and -ca-file
	change func(*authserver.ClientRegistration)
	faults []authserver.Fault // of the document
	want   []string           // texts in the program
}

var secret = strings.Repeat("s3cret", 8)

var programs = []written{
	{"secret", nil, nil, nil, []string{"authcode.Secret(", "oidc.Provider(", `Algorithms = []string{"ES256"}`}},
	{"rs256", nil, func(r *authserver.ClientRegistration) { r.Algorithm = "RS256" },
		[]authserver.Fault{
			authserver.Set("id_token_signing_alg_values_supported", `["ES256","RS256"]`),
		}, []string{"authcode.Secret(", "oidc.Provider("}},
	{"hmac", nil, nil, []authserver.Fault{
		authserver.Set("id_token_signing_alg_values_supported", `["HS256","ES256"]`),
	}, []string{`Algorithms = []string{"ES256"}`}},
	{"none", []string{"-client-auth", "none"}, func(r *authserver.ClientRegistration) {
		r.AuthMethod, r.Secret = authserver.None, ""
	}, nil, []string{"authcode.Public()"}},
	{"secretjwt", []string{"-client-auth", "client_secret_jwt"},
		func(r *authserver.ClientRegistration) {
			r.AuthMethod = authserver.SecretJWT
		}, nil, []string{"clientauth.SecretJWT("}},
	{"keyjwt", []string{"-client-auth", "private_key_jwt"}, byKey, nil,
		[]string{"clientauth.PrivateKeyJWT(", "dpop.PerSession(key)"}},
	{"tls", []string{"-client-auth", "tls"}, byCertificate, nil,
		[]string{"clientauth.MutualTLS()", "clientauth.CertificateBound()"}},
	{"fapi", []string{"-fapi", "security"}, byKey, nil, []string{"fapi.New(fapi.Security, config)"}},
	{"fapitls", []string{"-fapi", "security", "-client-auth", "tls"}, byCertificate, nil,
		[]string{"fapi.New(", "clientauth.MutualTLS()"}},
	{"signed", []string{"-fapi", "message-signing"}, byKey, nil,
		[]string{"fapi.MessageSigning", "signing.SignedResponses = true"}},
	{"endpoints", nil, func(r *authserver.ClientRegistration) { r.AuthMethod = authserver.Post },
		[]authserver.Fault{
			authserver.Drop("id_token_signing_alg_values_supported"),
			authserver.Drop("subject_types_supported"),
			authserver.Set("token_endpoint_auth_methods_supported", `["client_secret_post"]`),
		}, []string{"authcode.Endpoints{", "oauth2.AuthStyleInParams", "MTLS: &authcode.Endpoints{"}},
	{"nokeys", nil, func(r *authserver.ClientRegistration) { r.AuthMethod = authserver.Post },
		[]authserver.Fault{
			authserver.Drop("jwks_uri"),
			authserver.Set("token_endpoint_auth_methods_supported", `["client_secret_post"]`),
		}, []string{"authcode.Endpoints{", "oauth2.AuthStyleInParams"}},
	{"signedonly", []string{"-client-auth", "secret"}, func(r *authserver.ClientRegistration) {
		r.RequireSignedRequest, r.Keys = true, []authserver.Key{{Public: clientKey.Public(), ID: "c1"}}
	}, []authserver.Fault{authserver.Set("require_signed_request_object", "true")},
		[]string{"MessageSigning: signing", "authcode.Secret("}},
	{"nopar", nil, nil, []authserver.Fault{
		authserver.Set("pushed_authorization_request_endpoint", `"https://127.0.0.1:1/par"`),
	}, []string{"DisablePAR:  true"}},
}

var (
	clientKey, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	certificate  = authserver.SelfSigned("app")
)

func byKey(r *authserver.ClientRegistration) {
	r.AuthMethod, r.Secret, r.RequireDPoP = authserver.PrivateKeyJWT, "", true
	r.Keys = []authserver.Key{{Public: clientKey.Public(), ID: "c1"}}
}

func byCertificate(r *authserver.ClientRegistration) {
	r.AuthMethod, r.Secret, r.CertificateBound = authserver.SelfSignedTLS, "", true
	r.Certificates = []*x509.Certificate{certificate.Leaf}
}

// TestPrograms compiles what checks of authtest write, and signs in with each program.
func TestPrograms(t *testing.T) {
	srv := authserver.NewTLSServer(authserver.MutualTLS(), authserver.OfferPAR())
	defer srv.Close()
	folder := newModule(t)
	caFile := writePEM(t, "CERTIFICATE", srv.Certificate().Raw)
	for _, p := range programs {
		srv.SetFaults(authserver.Discovery, p.faults...)
		got := run(t, append([]string{srv.URL, "-ca-file", caFile}, p.args...)...)
		for _, want := range p.want {
			if !strings.Contains(got.report.Program, want) {
				t.Errorf("%s: %q is not in the program (%s) %s", p.name, want, got.report.NoProgram,
					got.report.Program)
			}
		}
		// RS256 needs no pin, and package fapi has algorithms of its own.
		if (p.name == "rs256" || slices.Contains(p.args, "-fapi")) &&
			strings.Contains(got.report.Program, "Algorithms") {
			t.Errorf("%s: the program pins an algorithm %s", p.name, got.report.Program)
		}
		writeFile(t, filepath.Join(folder, p.name, "main.go"), got.report.Program)
	}
	build(t, folder)
	environment := append(clientFiles(t), "CA_FILE="+caFile)
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			srv.SetFaults(authserver.Discovery, p.faults...)
			p.signsIn(t, srv, filepath.Join(folder, "bin", p.name), environment)
		})
	}
}

// newModule makes a module that uses this one.
func newModule(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "go.mod" {
			_, rest, _ := strings.Cut(string(text), "\ngo ")
			text = fmt.Appendf(nil, "module pasted\n\ngo %s\nrequire example.com/authcode "+
				"v0.0.0\nreplace example.com/authcode => %s\n", rest, root)
		}
		writeFile(t, filepath.Join(folder, name), string(text))
	}
	return folder
}

// build compiles every program of the module into its folder bin.
func build(t *testing.T, folder string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "build", "-mod=mod", "-ldflags=-s -w", "-o",
		"bin/", "./...")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
}

// clientFiles are the variables for what an app holds.
func clientFiles(t *testing.T) []string {
	return []string{
		"CLIENT_KEY_ID=c1", "CLIENT_KEY_FILE=" + writeKey(t, clientKey),
		"CLIENT_CERT_FILE=" + writePEM(t, "CERTIFICATE", certificate.Certificate[0]),
		"CLIENT_CERT_KEY_FILE=" + writeKey(t, certificate.PrivateKey),
	}
}

func writeKey(t *testing.T, key crypto.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "PRIVATE KEY", der)
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	writeFile(t, path, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	return path
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// signsIn runs the program behind a proxy that speaks https, and goes through a login.
func (p *written) signsIn(t *testing.T, srv *authserver.Server, binary string, environment []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close() // the program listens there
	front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http",
		Host: address}))
	defer front.Close()
	reg := authserver.ClientRegistration{ID: p.name, Secret: secret,
		RedirectURIs: []string{front.URL + "/callback"}}
	if p.change != nil {
		p.change(&reg)
	}
	srv.Register(reg)

	stderr := start(t, binary, append(environment, "ADDR="+address, "BASE_URL="+front.URL,
		"CLIENT_ID="+p.name, "CLIENT_SECRET="+secret))
	waitFor(address)
	client := front.Client()
	client.Jar, _ = cookiejar.New(nil)
	res, err := srv.SignIn(client, front.URL+"/login")
	if err != nil {
		t.Fatalf("%v: %s", err, stderr())
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	if want := fmt.Sprintf("signed in: %q at %q", "alice", srv.URL); res.StatusCode != http.StatusOK ||
		!strings.HasPrefix(string(body), want) && !strings.HasPrefix(string(body),
			"signed in, with a token") {
		t.Errorf("the program answers %s: %s", res.Status, body)
	}
}

// start runs a program until the test ends. It returns a function that ends it, and returns what it has logged.
func start(t *testing.T, binary string, environment []string) (log func() string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary)
	cmd.Env = slices.Concat(os.Environ(), environment,
		[]string{"COOKIE_KEY=" + strings.Repeat("0123456789abcdef", 4)})
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() { cmd.Process.Kill(); cmd.Wait() })
	t.Cleanup(end)
	return func() string { end(); return stderr.String() }
}

// waitFor returns when something listens at address, or gives up.
func waitFor(address string) {
	for range 100 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}
