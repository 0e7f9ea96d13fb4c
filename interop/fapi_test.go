package interop

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// fapiProvider is oidc-provider under the FAPI 2.0 Security Profile. It serves https with a
// certificate that the authority of this run has signed.
type fapiProvider struct {
	*oidcProvider
	aliases string // the origin for clients with a certificate (RFC 8705 section 5)
	nonces  bool   // every DPoP proof needs a nonce of the server's; else it knows none
}

var (
	sharedFAPI       = sync.OnceValues(func() (*fapiProvider, error) { return startFAPI(false) })
	sharedFAPINonces = sync.OnceValues(func() (*fapiProvider, error) { return startFAPI(true) })
)

// theFAPIProvider returns the server that tests share, with or without nonces.
func theFAPIProvider(t testing.TB, nonces bool) *fapiProvider {
	t.Helper()
	var p *fapiProvider
	shared(t, func() (o *oidcProvider, err error) {
		if nonces {
			p, err = sharedFAPINonces()
		} else {
			p, err = sharedFAPI()
		}
		return nil, err
	})
	return p
}

func startFAPI(nonces bool) (*fapiProvider, error) {
	authority, err := runCertificate()
	if err != nil {
		return nil, err
	}
	server, err := fapiCertificate()
	if err != nil {
		return nil, err
	}
	child, err := startNode("fapi.mjs", map[string]any{
		"tls": server, "ca": string(authority.certPEM), "nonces": nonces,
	})
	if err != nil {
		return nil, err
	}
	p := &fapiProvider{oidcProvider: &oidcProvider{process: child, transport: authority.transport()}, nonces: nonces}
	origins, err := child.line("READY ")
	p.issuer, p.aliases, _ = strings.Cut(origins, " ")
	return p, err
}

// fapiKind is one way to be a client under FAPI 2.0: how it proves who it is, and what its tokens
// are bound to.
type fapiKind struct {
	method  string // token_endpoint_auth_method
	alg     string // of its assertions, request objects and DPoP proofs
	binding string // the metadata that has its tokens bound
}

const (
	byDPoP        = "dpop_bound_access_tokens"
	byCertificate = "tls_client_certificate_bound_access_tokens"
)

// fapiKinds are the combinations that FAPI 2.0 allows, each of its algorithms among them.
var fapiKinds = []fapiKind{
	{"private_key_jwt", "ES256", byDPoP},
	{"private_key_jwt", "PS256", byDPoP},
	{"private_key_jwt", "EdDSA", byDPoP},
	{"private_key_jwt", "ES256", byCertificate},
	{"tls_client_auth", "EdDSA", byDPoP},
	{"tls_client_auth", "ES256", byCertificate},
	{"self_signed_tls_client_auth", "ES256", byDPoP},
	{"self_signed_tls_client_auth", "ES256", byCertificate},
}

func (k fapiKind) String() string { return k.method + " " + k.alg + " " + k.binding }

// tokenType is how tokens of the client are sent, and their token_type.
func (k fapiKind) tokenType() string {
	if k.binding == byDPoP {
		return "DPoP"
	}
	return "Bearer"
}

// fapiClient is a client of one kind.
type fapiClient struct {
	fapiKind
	key         crypto.Signer   // signs assertions and request objects
	certificate tls.Certificate // empty: none
}

// newClient makes the keys and the certificate of a client.
func (k fapiKind) newClient(t testing.TB) *fapiClient {
	t.Helper()
	c := &fapiClient{fapiKind: k, key: newSigner(t, k.alg)}
	of := template(k.String(), x509.ExtKeyUsageClientAuth)
	switch {
	case k.method == "tls_client_auth":
		c.certificate = issued(t, of)
	case k.method == "self_signed_tls_client_auth", k.binding == byCertificate:
		c.certificate = selfSigned(t, of)
	}
	return c
}

// everyFAPIKind runs a test for each kind of client, with nonces too where there are proofs.
func everyFAPIKind(t *testing.T, test func(*testing.T, *fapiProvider, fapiKind)) {
	for _, kind := range fapiKinds {
		t.Run(kind.String(), func(t *testing.T) { test(t, theFAPIProvider(t, false), kind) })
		if kind.binding == byDPoP {
			t.Run(kind.String()+" with nonces", func(t *testing.T) { test(t, theFAPIProvider(t, true), kind) })
		}
	}
}

// metadata is what the client registers (RFC 7591 section 2, RFC 8705 section 2, RFC 9449
// section 5.2), with changes to it.
func (c *fapiClient) metadata(t testing.TB, redirectURI string, changes map[string]any) map[string]any {
	t.Helper()
	m := map[string]any{
		"client_id":                    t.Name(),
		"token_endpoint_auth_method":   c.method,
		"redirect_uris":                []string{redirectURI},
		"id_token_signed_response_alg": "ES256",
		c.binding:                      true,
	}
	keys := []jose.JSONWebKey{{Key: c.key.Public(), KeyID: "signs", Algorithm: c.alg, Use: "sig"}}
	switch c.method {
	case "private_key_jwt":
		m["token_endpoint_auth_signing_alg"] = c.alg
	case "tls_client_auth":
		m["tls_client_auth_subject_dn"] = c.certificate.Leaf.Subject.String()
	case "self_signed_tls_client_auth":
		keys = append(keys, jose.JSONWebKey{
			Key: c.certificate.Leaf.PublicKey, Certificates: []*x509.Certificate{c.certificate.Leaf},
		})
	}
	m["jwks"] = jose.JSONWebKeySet{Keys: keys}
	maps.Copy(m, changes)
	return m
}

// registerFAPI registers c and returns its client id.
func (o *fapiProvider) registerFAPI(t testing.TB, c *fapiClient, redirectURI string, changes map[string]any) string {
	t.Helper()
	m := c.metadata(t, redirectURI, changes)
	id := m["client_id"].(string)
	o.say(t, m, "CLIENT "+id)
	return id
}

// withCertificates is an HTTP client that trusts the authority of this run and shows a certificate, if
// there is one, to every server that asks.
func withCertificates(t testing.TB, certificates ...tls.Certificate) *http.Client {
	t.Helper()
	transport := theCertificate(t).transport()
	t.Cleanup(transport.CloseIdleConnections)
	for _, c := range certificates {
		if c.Certificate != nil {
			transport.TLSClientConfig.Certificates = append(transport.TLSClientConfig.Certificates, c)
		}
	}
	return &http.Client{Transport: transport}
}
