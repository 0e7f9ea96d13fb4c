package try

import (
	"cmp"
	"flag"
	"strings"
)

// The values of -client-auth: secret, none and tls, and two names of OpenID Connect Core
// section 9.
const (
	bySecret    = "secret"
	byNothing   = "none"
	byKey       = "private_key_jwt"
	bySecretJWT = "client_secret_jwt"
	byTLS       = "tls"
)

// The values of -bind besides tls.
const (
	bindNothing = "none"
	bindDPoP    = "dpop"
	bindTLS     = "tls"
)

const (
	fapiSecurity = "security"
	fapiSigning  = "message-signing"
)

// security is what the flags say of keys, certificates and signatures.
type security struct {
	clientAuth, audience           string
	clientKey, clientKeyID, keyAlg string
	clientCert, clientCertKey      string
	bind, dpopKey                  string
	par, parURL                    string
	signRequests, signedResponses  bool
	fapi                           string
	acrValues, maxAge, details     string
	resources                      words
	introspect                     bool
}

// words collects what a flag that may be repeated, or its one environment variable, lists.
type words []string

func (w *words) String() string { return "" }

func (w *words) Set(value string) error {
	*w = append(*w, strings.Fields(value)...)
	return nil
}

func (s *security) register(f *flag.FlagSet) {
	f.StringVar(&s.clientAuth, "client-auth", "", "how this app proves who it is: secret, none, "+
		"private_key_jwt, client_secret_jwt or tls; default what is given: -client-secret, "+
		"-client-key or -client-cert")
	f.StringVar(&s.clientKey, "client-key", "", "private key `file` (PEM: PKCS#8, SEC 1 or "+
		"PKCS#1) for private_key_jwt and -sign-requests: RSA, P-256 or Ed25519")
	f.StringVar(&s.clientKeyID, "client-key-id", "", "`kid` of that key in the JWKS that the "+
		"provider has of this app")
	f.StringVar(&s.keyAlg, "client-key-alg", "", "RS256, PS256, ES256 or EdDSA; default what the "+
		"key is for, PS256 for RSA")
	f.StringVar(&s.audience, "client-audience", "issuer",
		"whom an assertion is for: issuer, token-url or endpoint; token-url lets a malicious "+
			"provider misuse it")
	f.StringVar(&s.clientCert, "client-cert", "", "certificate `file` (PEM, the whole chain) for "+
		"mutual TLS")
	f.StringVar(&s.clientCertKey, "client-cert-key", "", "that certificate's private key `file` (PEM)")
	s.registerLogin(f)
}

// registerLogin registers what is about the login and its tokens.
func (s *security) registerLogin(f *flag.FlagSet) {
	f.StringVar(&s.bind, "bind", "", "what tokens are bound to: none, dpop (a key) or tls (the "+
		"certificate); default none, and with -fapi the certificate if there is one, else dpop")
	f.StringVar(&s.dpopKey, "dpop-key", "", "private key `file` (PEM) of all proofs; default a "+
		"key for each session, derived from the cookie key")
	f.StringVar(&s.par, "par", "", "push authorization requests: auto (where the provider can "+
		"take them), always or required (where it takes nothing else); default auto, with -fapi always")
	f.StringVar(&s.parURL, "par-url", "", "pushed authorization request endpoint `URL`; with "+
		"-issuer it is looked up")
	f.BoolVar(&s.signRequests, "sign-requests", false,
		"sign authorization requests with -client-key (JAR)")
	f.BoolVar(&s.signedResponses, "signed-responses", false,
		"demand signed authorization responses (JARM)")
	f.StringVar(&s.fapi, "fapi", "", "FAPI 2.0: `profile` security or message-signing; it turns "+
		"on what the profile asks for and refuses what it forbids; without a provider, the "+
		"embedded server plays along")
	f.StringVar(&s.acrValues, "acr-values", "", "how well people have to sign in, best first: "+
		"`values` of acr, separated by spaces")
	f.StringVar(&s.maxAge, "max-age", "", "`seconds` since a person last signed in at the "+
		"provider, at most")
	f.Var(&s.resources, "resource", "`URI` of a service that tokens are for (RFC 8707); repeat "+
		"it, or separate by spaces; many providers then want -userinfo=false")
	f.StringVar(&s.details, "authorization-details", "",
		"rights to ask for: a `JSON` array of objects with a type (RFC 9396)")
	f.BoolVar(&s.introspect, "introspect", false, "show what the provider says of the token (RFC "+
		"7662), signed with -fapi message-signing")
}

// settle fills in what is left to this app.
func (o *options) settle() {
	if o.fapi == fapiSigning {
		o.signRequests = o.signRequests || !o.given["sign-requests"]
		o.signedResponses = o.signedResponses || !o.given["signed-responses"]
	}
	o.clientAuth = cmp.Or(o.clientAuth, o.usualAuth())
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

// usualAuth is the client authentication that the given credentials are for.
func (o *options) usualAuth() string {
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

// ownHTTPS reports that this app serves https with a certificate that it makes itself.
func (o *options) ownHTTPS() bool { return o.fapi != "" && o.tlsCert == "" && o.baseURL == "" }

// shows reports that the app shows a certificate to the provider.
func (o *options) shows() bool { return o.clientAuth == byTLS || o.bind == bindTLS }

// signs reports that the app signs something with -client-key.
func (o *options) signs() bool { return o.clientAuth == byKey || o.signRequests }
