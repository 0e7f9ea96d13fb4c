package check

import (
	"fmt"
	"slices"
	"strings"
)

// method is a way for an app to prove who it is.
type method struct {
	flag       string   // the value of -client-auth, as in authcode try
	names      []string // what servers call it
	expression string   // of Go
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

// ways are in the order in which they are chosen where a server takes several: the
// simplest first.
var ways = []method{
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
	for _, w := range ways {
		flags = append(flags, w.flag)
	}
	return flags
}

// chooseAuth chooses how the program proves who it is.
func (c *checker) chooseAuth(p *program) error {
	offered := c.meta.authMethods()
	for _, w := range ways {
		switch {
		case c.options.clientAuth != "" && c.options.clientAuth != w.flag,
			c.options.fapi != "" && w.flag != "private_key_jwt" && w.flag != "tls",
			!slices.ContainsFunc(w.names, func(s string) bool { return slices.Contains(offered, s) }):
			continue
		}
		p.ClientAuth, p.Variables = w.expression, slices.Clone(w.variables)
		p.Key, p.Certificate = w.flag == "private_key_jwt", w.flag == "tls"
		return nil
	}
	if c.options.clientAuth != "" {
		return fmt.Errorf("the server does not list a method for -client-auth %s, but %s",
			c.options.clientAuth, list(offered))
	}
	return fmt.Errorf("the server lists %s, and package clientauth has nothing for that", list(offered))
}

// chooseProtection binds tokens and signs messages where the server demands it, where
// -fapi asks for it, and binds them where the app has a key or a certificate anyway.
func (c *checker) chooseProtection(p *program) {
	holdsKey := p.Key || p.Certificate
	switch {
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
	if p.Signs && !p.Key {
		p.Key = true
		p.Variables = append(p.Variables, keyVariables...)
	}
	if p.Key {
		p.KeyAlgorithm = c.keyAlgorithm()
	}
	if p.CA {
		p.Variables = append(p.Variables, variable{"CA_FILE",
			"the authority that the server's certificate comes from (PEM)"})
	}
	switch c.options.fapi {
	case fapiSecurity:
		p.New = "fapi.New(fapi.Security, config)"
	case fapiSigning:
		p.New = "fapi.New(fapi.MessageSigning, config)"
	}
}

// keyAlgorithm is RS256 where the server takes nothing else that package clientauth signs
// by: it must be asked for. Otherwise the algorithm follows from the key.
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
