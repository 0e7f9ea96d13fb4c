package interop

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

// written is a program that authcode check writes for a server and for flags.
type written struct {
	name   string
	args   []string // of the check, besides the issuer and -ca-file
	change func(*authserver.ClientRegistration)
	faults []authserver.Fault // of the document
}

// programs has a row for each row of the table of that name in package
// cmd/authcode/internal/check, which looks at the text.
var programs = []written{
	{"secret", nil, nil, nil},
	{"rs256", nil, func(r *authserver.ClientRegistration) { r.Algorithm = "RS256" },
		[]authserver.Fault{
			authserver.Set("id_token_signing_alg_values_supported", `["ES256","RS256"]`),
		}},
	{"hmac", nil, nil, []authserver.Fault{
		authserver.Set("id_token_signing_alg_values_supported", `["HS256","ES256"]`),
	}},
	{"none", []string{"-client-auth", "none"}, func(r *authserver.ClientRegistration) {
		r.AuthMethod, r.Secret = authserver.None, ""
	}, nil},
	{"secretjwt", []string{"-client-auth", "client_secret_jwt"},
		func(r *authserver.ClientRegistration) { r.AuthMethod = authserver.SecretJWT }, nil},
	{"keyjwt", []string{"-client-auth", "private_key_jwt"}, programKey, nil},
	{"tls", []string{"-client-auth", "tls"}, programCertificate, nil},
	{"fapi", []string{"-fapi", "security"}, programKey, nil},
	{"fapitls", []string{"-fapi", "security", "-client-auth", "tls"}, programCertificate, nil},
	{"signed", []string{"-fapi", "message-signing"}, programKey, nil},
	{"endpoints", nil, func(r *authserver.ClientRegistration) { r.AuthMethod = authserver.Post },
		[]authserver.Fault{
			authserver.Drop("id_token_signing_alg_values_supported"),
			authserver.Drop("subject_types_supported"),
			authserver.Set("token_endpoint_auth_methods_supported", `["client_secret_post"]`),
		}},
	{"nokeys", nil, func(r *authserver.ClientRegistration) { r.AuthMethod = authserver.Post },
		[]authserver.Fault{
			authserver.Drop("jwks_uri"),
			authserver.Set("token_endpoint_auth_methods_supported", `["client_secret_post"]`),
		}},
	{"signedonly", []string{"-client-auth", "secret"}, func(r *authserver.ClientRegistration) {
		r.RequireSignedRequest = true
		r.Keys = []authserver.Key{{Public: appKey.Public(), ID: "signs"}}
	}, []authserver.Fault{authserver.Set("require_signed_request_object", "true")}},
	{"nopar", nil, nil, []authserver.Fault{
		authserver.Set("pushed_authorization_request_endpoint", `"https://127.0.0.1:1/par"`),
	}},
}

var (
	appKey, _      = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	appCertificate = authserver.SelfSigned("app")
)

func programKey(r *authserver.ClientRegistration) {
	r.AuthMethod, r.Secret, r.RequireDPoP = authserver.PrivateKeyJWT, "", true
	r.Keys = []authserver.Key{{Public: appKey.Public(), ID: "signs"}}
}

func programCertificate(r *authserver.ClientRegistration) {
	r.AuthMethod, r.Secret, r.CertificateBound = authserver.SelfSignedTLS, "", true
	r.Certificates = []*x509.Certificate{appCertificate.Leaf}
}

// Each program that authcode check writes compiles, and signs in at the server that was checked.
func TestCheckPrograms(t *testing.T) {
	srv := authserver.NewTLSServer(authserver.MutualTLS(), authserver.OfferPAR())
	t.Cleanup(srv.Close)
	authority := pemFile(t, "CERTIFICATE", srv.Certificate().Raw)
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			srv.SetFaults(authserver.Discovery, p.faults...)
			args := append([]string{"-json", srv.URL, "-ca-file", authority}, p.args...)
			// Its status is 1 if something looks wrong, which is not the matter here.
			out, _ := tool(t, "check", args...).Output()
			got := new(report)
			if err := json.Unmarshal(out, got); err != nil || got.Program == "" {
				t.Fatalf("%v, no program: %s\n%s", err, got.NoProgram, out)
			}
			p.signsIn(t, srv, got.Program, authority)
		})
	}
}

// signsIn runs the program behind a proxy that speaks https, and goes through a login.
func (p *written) signsIn(t *testing.T, srv *authserver.Server, program, authority string) {
	t.Helper()
	address, secret := freeAddress(t), strings.Repeat("s3cret", 8)
	front := httptest.NewTLSServer(httputil.NewSingleHostReverseProxy(
		&url.URL{Scheme: "http", Host: address}))
	t.Cleanup(front.Close)
	reg := authserver.ClientRegistration{
		ID: p.name, Secret: secret, RedirectURIs: []string{front.URL + "/callback"},
	}
	if p.change != nil {
		p.change(&reg)
	}
	srv.Register(reg)
	own := &fapiClient{key: appKey, certificate: appCertificate}
	runProgram(t, program, address, append(own.files(t), "BASE_URL="+front.URL,
		"CLIENT_ID="+p.name, "CLIENT_SECRET="+secret, "CA_FILE="+authority)...)
	client := front.Client()
	client.Jar, _ = cookiejar.New(nil)
	res, err := srv.SignIn(client, front.URL+"/login")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	want := fmt.Sprintf("signed in: %q at %q", "alice", srv.URL)
	if res.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), want) &&
		!strings.HasPrefix(string(body), "signed in, with a token") {
		t.Errorf("the program answers %s: %s", res.Status, body)
	}
}
