package fapi_test

import (
	"crypto/tls"
	"fmt"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/internal/authserver"
)

// TestHostileCertificate: certificates that the provider does not know, and aliases that are not what they
// should be.
func TestHostileCertificate(t *testing.T) { run(t, certificateRows()) }

func certificateRows() (rows []row) {
	for _, method := range []authserver.AuthMethod{authserver.SelfSignedTLS, authserver.TLSClientAuth} {
		for name, cert := range map[string]tls.Certificate{
			"self-signed, of the same name": authserver.SelfSigned(clientID),
			"of another authority":          authserver.NewAuthority().Issue(clientID),
			"of the authority, for another": authority.Issue("another"),
			"of an intermediate authority":  authority.Intermediate().Issue(clientID),
		} {
			in := setup{method: method, certificate: true, cfg: showing(cert)}
			refused, accepted := rowsAt(authserver.PAR, in)
			r := refused(fmt.Sprintf("%s: a certificate %s", method, name), authcode.Configuration, "par.configuration")
			if r.hopeless = true; method == authserver.TLSClientAuth && name == "of an intermediate authority" {
				r = accepted(r.name)
			}
			rows = append(rows, r)
		}
	}
	return append(rows, aliasRows()...)
}

// showing makes the app show another certificate.
func showing(cert tls.Certificate) func(*authcode.Config) {
	return func(cfg *authcode.Config) {
		cfg.Certificate = clientauth.Certificate(cert)
		cfg.ClientAuth, cfg.Binding = clientauth.MutualTLS(), clientauth.CertificateBound()
	}
}

// aliasRows: mtls_endpoint_aliases (RFC 8705 section 5). Where there is none, the endpoint itself is asked,
// which here knows nothing of certificates.
func aliasRows() (rows []row) {
	byTLS := setup{method: authserver.TLSClientAuth, certificate: true, listeners: aliasesOnly}
	bound := setup{certificate: true, listeners: aliasesOnly} // private_key_jwt
	for _, in := range []setup{byTLS, bound} {
		refused, _ := rowsAt(authserver.Discovery, in)
		atPAR := func(name, value string) row {
			if in.method == "" { // the certificate counts from the token request on
				return refused(name, authcode.GrantRejected, "answer.error", authserver.Set("mtls_endpoint_aliases", value)).reaching(authserver.Token)
			}
			return refused(name, authcode.Configuration, "par.configuration", authserver.Set("mtls_endpoint_aliases", value)).reaching(authserver.PAR)
		}
		atToken := refused("no alias for tokens", authcode.GrantRejected, "answer.error").reaching(authserver.Token)
		if in.method != "" {
			atToken = refused(atToken.name, authcode.Configuration, "answer.configuration").reaching(authserver.Token)
		}
		const pushed = "pushed_authorization_request_endpoint"
		own := []row{
			atPAR("no aliases", "{}"), atPAR("null for aliases", "null"),
			atPAR("aliases that are empty", `{"token_endpoint":"","`+pushed+`":""}`),
			atPAR("aliases by http", `{"token_endpoint":"http://localhost/token","`+pushed+`":"http://localhost/par"}`),
			atToken.planting(func(x *world) []authserver.Fault { return aliases(pushed, x.srv.MTLSURL+"/par") }),
			refused("an alias that somebody else answers", authcode.Unreachable, "provider.unreachable").reaching(authserver.PAR).
				times(-1).planting(func(*world) []authserver.Fault { return aliases(pushed, site().URL+"/par") }),
		}
		in.listeners = mainOnly
		_, accepted := rowsAt(authserver.Discovery, in)
		own = append(own, accepted("no aliases, where the endpoints ask", authserver.Drop("mtls_endpoint_aliases")))
		rows = append(rows, under(own, fmt.Sprintf("%q", in.method), func(*setup) {})...)
	}
	return rows
}

func aliases(name, value string) []authserver.Fault {
	return []authserver.Fault{authserver.Set("mtls_endpoint_aliases", `{"`+name+`":"`+value+`"}`)}
}
