package check

import (
	"fmt"
	"slices"
	"strings"
)

// method is a client authentication method.
type method struct {
	flag       string   // the value of -client-auth, as in authcode try
	names      []string // the names in the metadata
	expression string   // in Go
	variables  []variable
}

var (
	secretVariable = variable{"CLIENT_SECRET", "the secret that the provider gave this app"}
	keyVariables   = []variable{
		{"CLIENT_KEY_FILE", "a private key (PEM), whose public half the provider has"},
		{"CLIENT_KEY_ID", "the kid of that key at the provider, if it has one"},
	}
	certificateVariables = []variable{
		{"CLIENT_CERT_FILE", "a client certificate (PEM, the whole chain)"},
		{"CLIENT_CERT_KEY_FILE", "its private key (PEM)"},
	}
)

// authMethods are the methods that a program can use, the simplest first. If a
// server accepts several, the first one is chosen.
var authMethods = []method{
	{"secret", []string{"client_secret_basic", "client_secret_post"},
		`authcode.Secret(os.Getenv("CLIENT_SECRET"))`, []variable{secretVariable}},
	{"private_key_jwt", []string{"private_key_jwt"}, "clientauth.PrivateKeyJWT(clientKey)",
		keyVariables},
	{"tls", []string{"tls_client_auth", "self_signed_tls_client_auth"}, "clientauth.MutualTLS()",
		certificateVariables},
	{"client_secret_jwt", []string{"client_secret_jwt"},
		`clientauth.SecretJWT(os.Getenv("CLIENT_SECRET"))`, []variable{secretVariable}},
	{"none", []string{"none"}, "authcode.Public()", nil},
}

func methodFlags() (flags []string) {
	for _, m := range authMethods {
		flags = append(flags, m.flag)
	}
	return flags
}

// chooseAuth chooses the client authentication of the program.
func (c *checker) chooseAuth(p *program) error {
	offered := c.meta.authMethods()
	isOffered := func(name string) bool { return slices.Contains(offered, name) }
	for _, m := range authMethods {
		switch {
		case c.options.clientAuth != "" && c.options.clientAuth != m.flag,
			c.options.fapi != "" && m.flag != "private_key_jwt" && m.flag != "tls",
			!slices.ContainsFunc(m.names, isOffered):
			continue
		}
		p.ClientAuth, p.Variables = m.expression, slices.Clone(m.variables)
		p.Key, p.Certificate = m.flag == "private_key_jwt", m.flag == "tls"
		return nil
	}
	if c.options.clientAuth != "" {
		return fmt.Errorf("the server does not list a method for -client-auth %s, but %s",
			c.options.clientAuth, list(offered))
	}
	return fmt.Errorf("the server lists only %s for client authentication, which package "+
		"clientauth does not support", list(offered))
}

// chooseProtection makes the program bind tokens and sign messages where the
// server or -fapi demands it. It also binds tokens if the app has a key or a
// certificate anyway: a stolen token is then of no use.
func (c *checker) chooseProtection(p *program) {
	holdsKey := p.Key || p.Certificate
	switch {
	// Use a certificate if the app has one, or if the server lacks DPoP.
	// Otherwise use DPoP, which needs no certificate.
	case holdsKey && c.bindsToCertificates() && (p.Certificate || !c.bindsToKeys()):
		p.Binding = "clientauth.CertificateBound()"
		if !p.Certificate {
			p.Certificate = true
			p.Variables = append(p.Variables, certificateVariables...)
		}
	case holdsKey && c.bindsToKeys():
		p.Binding = "dpop.PerSession(key)"
	}
	p.SignedResponses = c.options.fapi == fapiSigning
	p.Signs = p.SignedResponses || c.meta.flags["require_signed_request_object"]
	// Signing needs a key, also for an app that authenticates in another way.
	if p.Signs && !p.Key {
		p.Key = true
		p.Variables = append(p.Variables, keyVariables...)
	}
	if p.Key {
		p.KeyAlgorithm = c.keyAlgorithm()
	}
	if p.CA {
		p.Variables = append(p.Variables, variable{"CA_FILE",
			"the authority that issued the server's certificate (PEM)"})
	}
	switch c.options.fapi {
	case fapiSecurity:
		p.New = "fapi.New(fapi.Security, config)"
	case fapiSigning:
		p.New = "fapi.New(fapi.MessageSigning, config)"
	}
}

// keyAlgorithm returns RS256 if the server accepts no other algorithm with
// which package clientauth can sign. RS256 must be asked for. Otherwise the
// algorithm follows from the key.
func (c *checker) keyAlgorithm() string {
	algorithms := c.meta.lists["token_endpoint_auth_signing_alg_values_supported"]
	if slices.Contains(algorithms, "RS256") && !slices.ContainsFunc(algorithms, isFAPI) {
		return "RS256"
	}
	return ""
}

// addImports lists the packages that the program uses.
func (p *program) addImports() {
	p.Standard = []string{"cmp", "encoding/hex", "fmt", "log", "net/http", "os"}
	if p.Key {
		p.Standard = append(p.Standard, "crypto", "crypto/x509", "encoding/pem", "errors")
	}
	if p.Certificate {
		p.Standard = append(p.Standard, "crypto/tls")
	}
	if p.CA {
		p.Standard = append(p.Standard, "crypto/tls", "crypto/x509", "errors")
	}
	slices.Sort(p.Standard)
	p.Standard = slices.Compact(p.Standard)

	const module = "example.com/authcode"
	p.Modules = []string{module}
	expressions := strings.Join([]string{p.Provider, p.ClientAuth, p.Binding, p.New}, " ")
	for _, name := range []string{"clientauth", "dpop", "fapi", "oidc", "provider"} {
		if strings.Contains(expressions, name+".") || name == "clientauth" && (p.Key || p.Certificate) {
			p.Modules = append(p.Modules, module+"/"+name)
		}
	}
	if strings.Contains(expressions, "oauth2.") {
		p.Modules = append(p.Modules, "golang.org/x/oauth2")
	}
}
