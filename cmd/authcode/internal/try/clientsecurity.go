package try

import (
	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
)

// setup is how the logins at a provider are configured. The page shows it where
// the messages of a login do not tell.
type setup struct {
	profile      string // of FAPI 2.0; empty: none
	method       string // of client authentication
	thumbprint   string // of the certificate to which tokens are bound; empty if they are not
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

// protect adds to config and s what the security flags ask for.
func (o *options) protect(config *authcode.Config, s *signIn, k keyring) {
	if o.showsCertificate() {
		config.Certificate = clientauth.Certificate(k.certificate)
	}
	config.ClientAuth = o.clientAuthentication(k)
	switch {
	case o.bind == bindTLS:
		config.Binding = clientauth.CertificateBound()
		s.thumbprint = clientauth.Thumbprint(k.certificate)
	case o.bind == bindDPoP && k.proofs != nil:
		config.Binding = dpop.New(k.proofs)
	// A key for each session: a thief who learns one has the tokens of one
	// person. The cookie keys are random and kept, as PerSession demands.
	case o.bind == bindDPoP:
		config.Binding = dpop.PerSession(config.CookieKeys[0], config.CookieKeys[1:]...)
	}
	switch o.par {
	case "always":
		config.Provider.RequirePAR = true
	case "required":
		config.DisablePAR = true
	}
	if o.signRequests {
		config.MessageSigning = clientauth.SignRequests(k.client)
	}
	config.MessageSigning.SignedResponses = o.signedResponses
	s.method, s.signs = o.clientAuth, o.signRequests
	s.introspects, s.signedAnswer = o.introspect, o.fapi == fapiSigning
	if p, ok := profiles[o.fapi]; ok {
		s.profile = p.name
		s.construct = func(c authcode.Config) (*authcode.Client, error) {
			return fapi.New(p.Profile, c)
		}
	}
	s.options = o.loginOptions()
}

// clientAuthentication returns the client authentication of -client-auth.
func (o *options) clientAuthentication(k keyring) authcode.ClientAuth {
	switch o.clientAuth {
	case bySecret:
		return authcode.Secret(o.clientSecret)
	case byKey:
		return clientauth.PrivateKeyJWT(k.client, o.audienceOptions()...)
	case bySecretJWT:
		return clientauth.SecretJWT(o.clientSecret, o.audienceOptions()...)
	case byTLS:
		return clientauth.MutualTLS()
	}
	return authcode.Public()
}

// audienceOptions returns the option for -client-audience. The issuer, the
// default, needs none.
func (o *options) audienceOptions() []clientauth.Option {
	switch o.audience {
	case "token-url":
		return []clientauth.Option{clientauth.TokenURLAudience()}
	case "endpoint":
		return []clientauth.Option{clientauth.EndpointAudience()}
	}
	return nil
}

// loginOptions returns the options of every login. resource may be repeated,
// which Provider.AuthParams cannot express.
func (o *options) loginOptions() (opts []authcode.AuthOption) {
	if len(o.resources) > 0 {
		opts = append(opts, authcode.Param("resource", o.resources...))
	}
	if o.details != "" {
		opts = append(opts, authcode.Param("authorization_details", o.details))
	}
	return opts
}

// addSignInDemands adds -acr-values and -max-age to every login. They are in
// Provider.AuthParams, so that the options of a single login can replace them:
// see stepUp.
func (o *options) addSignInDemands(p *authcode.Provider) {
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
