package try

import (
	"cmp"
	"flag"
	"strings"
)

// The values of -client-auth: secret, none and tls, and two names of OpenID
// Connect Core section 9.
const (
	bySecret    = "secret"
	byNothing   = "none"
	byKey       = "private_key_jwt"
	bySecretJWT = "client_secret_jwt"
	byTLS       = "tls"
)

// The values of -bind.
const (
	bindNothing = "none"
	bindDPoP    = "dpop"
	bindTLS     = "tls"
)

const (
	fapiSecurity = "security"
	fapiSigning  = "message-signing"
)

// security holds the flags about keys, certificates and signatures.
type security struct {
	clientAuth, audience           string
	clientKey, clientKeyID, keyAlg string
	clientCert, clientCertKey      string
	bind, dpopKey                  string
	par, parURL                    string
	signRequests, signedResponses  bool
	fapi, algorithms               string
	acrValues, maxAge, details     string
	resources                      wordList
	introspect                     bool
}

// wordList collects the values of a flag that may be repeated, or the words in
// its environment variable.
type wordList []string

func (w *wordList) String() string { return "" }

func (w *wordList) Set(value string) error {
	*w = append(*w, strings.Fields(value)...)
	return nil
}

func (s *security) register(f *flag.FlagSet) {
	f.StringVar(&s.clientAuth, "client-auth", "", "how this app authenticates: secret, none, "+
		"private_key_jwt, client_secret_jwt or tls; default: according to -client-secret, "+
		"-client-key or -client-cert, whichever is given")
	f.StringVar(&s.clientKey, "client-key", "", "private key `file` (PEM: PKCS#8, SEC 1 or "+
		"PKCS#1) for private_key_jwt and -sign-requests: RSA, P-256 or Ed25519")
	f.StringVar(&s.clientKeyID, "client-key-id", "", "`kid` of -client-key in this app's JWKS at "+
		"the provider")
	f.StringVar(&s.keyAlg, "client-key-alg", "", "`algorithm` of -client-key: RS256, PS256, ES256, "+
		"EdDSA or Ed25519; default: the one that fits the key, PS256 for RSA")
	f.StringVar(&s.audience, "client-audience", "issuer",
		"audience of an assertion: issuer, token-url or endpoint; with token-url a malicious "+
			"provider can misuse the assertion")
	f.StringVar(&s.clientCert, "client-cert", "", "certificate `file` (PEM, the whole chain) for "+
		"mutual TLS")
	f.StringVar(&s.clientCertKey, "client-cert-key", "", "private key `file` of -client-cert (PEM)")
	f.StringVar(&s.algorithms, "algorithms", "", "`algorithms` that the provider may sign ID tokens "+
		"and all else with, separated by commas; default: RS256, or those of -fapi")
	s.registerLogin(f)
}

// registerLogin defines the flags about the login and its tokens.
func (s *security) registerLogin(f *flag.FlagSet) {
	f.StringVar(&s.bind, "bind", "", "what tokens are bound to: none, dpop (a key) or tls (the "+
		"certificate); default: none; with -fapi: the certificate if there is one, else dpop")
	f.StringVar(&s.dpopKey, "dpop-key", "", "private key `file` (PEM) for all DPoP proofs; "+
		"default: a key for each session, derived from the cookie key")
	f.StringVar(&s.par, "par", "", "push authorization requests: auto (if the provider supports "+
		"it), always, or required (only if the provider demands it); default: auto; with -fapi: "+
		"always")
	f.StringVar(&s.parURL, "par-url", "", "pushed authorization request endpoint `URL`; with "+
		"-issuer it is looked up")
	f.BoolVar(&s.signRequests, "sign-requests", false,
		"sign authorization requests with -client-key (JAR)")
	f.BoolVar(&s.signedResponses, "signed-responses", false,
		"demand signed authorization responses (JARM)")
	f.StringVar(&s.fapi, "fapi", "", "`profile` of FAPI 2.0: security or message-signing; turns "+
		"on what the profile demands and refuses what it forbids; works with the embedded "+
		"server, too")
	f.StringVar(&s.acrValues, "acr-values", "", "authentication levels (acr `values`) to ask for, "+
		"best first, separated by spaces")
	f.StringVar(&s.maxAge, "max-age", "", "the most `seconds` that may have passed since the "+
		"person signed in at the provider")
	f.Var(&s.resources, "resource", "`URI` of a service that tokens are for (RFC 8707); repeat "+
		"the flag, or separate by spaces; many providers then need -userinfo=false")
	f.StringVar(&s.details, "authorization-details", "",
		"authorization details to ask for: a `JSON` array of objects with a type (RFC 9396)")
	f.BoolVar(&s.introspect, "introspect", false, "show what the provider says about the token "+
		"(RFC 7662); with -fapi message-signing, the answer is signed")
}

// fillDefaults fills in the flags whose default depends on other flags.
func (o *options) fillDefaults() {
	// A given flag stays as it is, so that checkFAPI can report it.
	if o.fapi == fapiSigning {
		o.signRequests = o.signRequests || !o.given["sign-requests"]
		o.signedResponses = o.signedResponses || !o.given["signed-responses"]
	}
	o.clientAuth = cmp.Or(o.clientAuth, o.defaultAuth())
	if o.bind == "" {
		switch {
		case o.fapi == "":
			o.bind = bindNothing
		case o.clientCert != "" || o.clientAuth == byTLS:
			o.bind = bindTLS
		default:
			o.bind = bindDPoP
		}
	}
	if o.par == "" {
		o.par = "auto"
		if o.fapi != "" {
			o.par = "always"
		}
	}
}

// defaultAuth returns the client authentication that fits the given
// credentials.
func (o *options) defaultAuth() string {
	switch {
	case !o.configured() && o.fapi != "":
		return byKey // the embedded server's
	case !o.configured(), o.clientSecret != "":
		return bySecret
	case o.clientKey != "":
		return byKey
	case o.clientCert != "":
		return byTLS
	}
	return byNothing
}

// ownHTTPS reports whether this app serves https with a certificate made for
// this run. FAPI 2.0 demands https, also on localhost.
func (o *options) ownHTTPS() bool { return o.fapi != "" && o.tlsCert == "" && o.baseURL == "" }

// showsCertificate reports whether the app shows a certificate to the provider.
func (o *options) showsCertificate() bool { return o.clientAuth == byTLS || o.bind == bindTLS }

// signsWithKey reports whether the app signs anything with -client-key.
func (o *options) signsWithKey() bool { return o.clientAuth == byKey || o.signRequests }
