package check

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

// programs are those that checks of authserver write. Each has a row of the
// same name in interop/checkprograms_test.go, where it is built and signs in.
var programs = []struct {
	name   string
	args   []string           // of the check, besides the issuer and -ca-file
	faults []authserver.Fault // of the document
	want   []string           // texts in the program
}{
	{"secret", nil, nil, []string{"authcode.Secret(", "oidc.Provider(", `Algorithms = []string{"ES256"}`}},
	{"rs256", nil, []authserver.Fault{
		authserver.Set("id_token_signing_alg_values_supported", `["ES256","RS256"]`),
	}, []string{"authcode.Secret(", "oidc.Provider("}},
	{"hmac", nil, []authserver.Fault{
		authserver.Set("id_token_signing_alg_values_supported", `["HS256","ES256"]`),
	}, []string{`Algorithms = []string{"ES256"}`}},
	{"none", []string{"-client-auth", "none"}, nil, []string{"authcode.Public()"}},
	{"secretjwt", []string{"-client-auth", "client_secret_jwt"}, nil,
		[]string{"clientauth.SecretJWT("}},
	{"keyjwt", []string{"-client-auth", "private_key_jwt"}, nil,
		[]string{"clientauth.PrivateKeyJWT(", "dpop.PerSession(key)"}},
	{"tls", []string{"-client-auth", "tls"}, nil,
		[]string{"clientauth.MutualTLS()", "clientauth.CertificateBound()"}},
	{"fapi", []string{"-fapi", "security"}, nil, []string{"fapi.New(fapi.Security, config)"}},
	{"fapitls", []string{"-fapi", "security", "-client-auth", "tls"}, nil,
		[]string{"fapi.New(", "clientauth.MutualTLS()"}},
	{"signed", []string{"-fapi", "message-signing"}, nil,
		[]string{"fapi.MessageSigning", "signing.SignedResponses = true"}},
	{"endpoints", nil, []authserver.Fault{
		authserver.Drop("id_token_signing_alg_values_supported"),
		authserver.Drop("subject_types_supported"),
		authserver.Set("token_endpoint_auth_methods_supported", `["client_secret_post"]`),
	}, []string{"authcode.Endpoints{", "oauth2.AuthStyleInParams", "MTLS: &authcode.Endpoints{"}},
	{"nokeys", nil, []authserver.Fault{
		authserver.Drop("jwks_uri"),
		authserver.Set("token_endpoint_auth_methods_supported", `["client_secret_post"]`),
	}, []string{"authcode.Endpoints{", "oauth2.AuthStyleInParams"}},
	{"signedonly", []string{"-client-auth", "secret"}, []authserver.Fault{
		authserver.Set("require_signed_request_object", "true"),
	}, []string{"MessageSigning: signing", "authcode.Secret("}},
	{"nopar", nil, []authserver.Fault{
		authserver.Set("pushed_authorization_request_endpoint", `"https://127.0.0.1:1/par"`),
	}, []string{"DisablePAR:  true"}},
}

// TestPrograms: the program has what the server and the flags ask for.
func TestPrograms(t *testing.T) {
	t.Parallel()
	srv := authserver.NewTLSServer(authserver.MutualTLS(), authserver.OfferPAR())
	defer srv.Close()
	caFile := writePEM(t, srv.Certificate())
	for _, p := range programs {
		srv.SetFaults(authserver.Discovery, p.faults...)
		got := run(t, append([]string{srv.URL, "-ca-file", caFile}, p.args...)...).report
		for _, want := range p.want {
			if !strings.Contains(got.Program, want) {
				t.Errorf("%s: %q is not in the program (%s) %s", p.name, want, got.NoProgram, got.Program)
			}
		}
		// RS256 needs no pin, and package fapi has algorithms of its own.
		if (p.name == "rs256" || slices.Contains(p.args, "-fapi")) &&
			strings.Contains(got.Program, "Algorithms") {
			t.Errorf("%s: the program pins an algorithm %s", p.name, got.Program)
		}
	}
}

func writePEM(t *testing.T, certificate *x509.Certificate) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
