package main

import (
	"net/http"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	"example.com/authcode/oidc"
)

// setup is what was configured about a provider's logins, for the page where nothing that travels
// tells.
type setup struct {
	profile      string // of FAPI 2.0; empty: none
	method       string // of client authentication
	thumbprint   string // of the certificate that tokens are bound to; empty: they are not
	signs        bool   // requests
	introspects  bool
	signedAnswer bool // to introspection
}

var profiles = map[string]struct {
	fapi.Profile
	name string
}{
	fapiSecurity: {fapi.Security, "FAPI 2.0 Security Profile"},
	fapiSigning:  {fapi.MessageSigning, "FAPI 2.0 Message Signing"},
}

// provider describes an OpenID provider. Package fapi restricts logins by itself; what is restricted here
// are its logout tokens and introspection as well (FAPI 2.0 Security Profile section 5.4.1).
func (s *security) provider(issuer string, opts ...oidc.Option) authcode.Provider {
	i := oidc.New(issuer, opts...)
	if s.fapi != "" {
		i = i.Restrict("PS256", "ES256", "EdDSA")
	}
	return i.Provider()
}

// protect adds to config and s what the flags ask for. base says how to connect under a certificate.
func (o *options) protect(config *authcode.Config, s *signIn, k keyring, base *http.Transport) {
	var shown *clientauth.MTLS
	if o.shows() {
		shown = clientauth.MutualTLS(k.certificate, base)
	}
	switch o.clientAuth {
	case bySecret:
		config.ClientAuth = authcode.Secret(o.clientSecret)
	case byKey:
		config.ClientAuth = clientauth.PrivateKeyJWT(k.client, o.audienceOptions()...)
	case bySecretJWT:
		config.ClientAuth = clientauth.SecretJWT(o.clientSecret, o.audienceOptions()...)
	case byTLS:
		config.ClientAuth = shown
	default:
		config.ClientAuth = authcode.Public()
	}
	switch {
	case o.bind == bindTLS:
		config.Binding, s.thumbprint = shown, clientauth.Thumbprint(k.certificate)
	case o.bind == bindDPoP && k.proofs != nil:
		config.Binding = dpop.New(k.proofs)
	case o.bind == bindDPoP:
		config.Binding = dpop.PerSession(config.CookieKeys[0], config.CookieKeys[1:]...)
	}
	config.PAR = map[string]authcode.PAR{
		"auto": authcode.UseIfAvailable, "always": authcode.Always, "required": authcode.OnlyIfRequired,
	}[o.par]
	config.Messages = o.messages(config.Provider, k.client)
	s.method, s.signs = o.clientAuth, o.signRequests
	s.introspects, s.signedAnswer = o.introspect, o.fapi == fapiSigning
	if p, ok := profiles[o.fapi]; ok {
		s.profile = p.name
		s.construct = func(c authcode.Config) (*authcode.Client, error) { return fapi.New(p.Profile, c) }
	}
	s.options = o.loginOptions()
}

func (o *options) audienceOptions() []clientauth.Option {
	switch o.audience {
	case "token-url":
		return []clientauth.Option{clientauth.TokenURLAudience()}
	case "endpoint":
		return []clientauth.Option{clientauth.EndpointAudience()}
	}
	return nil
}

func (o *options) messages(p authcode.Provider, key clientauth.Key) authcode.Messages {
	issuer, ok := oidc.IssuerOf(p)
	if !ok { // the endpoints are given, and no identity is asked for
		issuer = oidc.New(o.issuer)
	}
	switch {
	case o.signRequests && o.signedResponses:
		return clientauth.SignRequests(key).WithResponses(issuer)
	case o.signRequests:
		return clientauth.SignRequests(key)
	case o.signedResponses:
		return issuer.SignedResponses()
	}
	return nil
}

// loginOptions are those of every login, besides Provider.AuthParams.
func (o *options) loginOptions() (opts []authcode.AuthOption) {
	if len(o.resources) > 0 {
		opts = append(opts, authcode.Resource(o.resources...))
	}
	if details, err := o.authorizationDetails(); err == nil && len(details) > 0 { // check has looked at it
		opts = append(opts, authcode.AuthorizationDetails(details...))
	}
	return opts
}

// stronger adds what every login asks of the sign-in. They are parameters of the provider, which the
// options of one login replace: see stepUp.
func (o *options) stronger(p *authcode.Provider) {
	for name, value := range map[string]string{"acr_values": o.acrValues, "max_age": o.maxAge} {
		if value == "" {
			continue
		}
		if p.AuthParams == nil {
			p.AuthParams = map[string]string{}
		}
		p.AuthParams[name] = value
	}
}
