package try

import (
	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
)

// setup is what was configured about a provider's logins, for the page where nothing that
// travels tells.
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

// protect adds to config and s what the flags ask for.
func (o *options) protect(config *authcode.Config, s *signIn, k keyring) {
	if o.shows() {
		config.Certificate = clientauth.Certificate(k.certificate)
	}
	config.ClientAuth = o.clientAuthentication(k)
	switch {
	case o.bind == bindTLS:
		config.Binding, s.thumbprint = clientauth.CertificateBound(),
			clientauth.Thumbprint(k.certificate)
	case o.bind == bindDPoP && k.proofs != nil:
		config.Binding = dpop.New(k.proofs)
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
		s.construct = func(c authcode.Config) (*authcode.Client,
			error) {
			return fapi.New(p.Profile, c)
		}
	}
	s.options = o.loginOptions()
}

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

func (o *options) audienceOptions() []clientauth.Option {
	switch o.audience {
	case "token-url":
		return []clientauth.Option{clientauth.TokenURLAudience()}
	case "endpoint":
		return []clientauth.Option{clientauth.EndpointAudience()}
	}
	return nil
}

// loginOptions are those of every login, besides Provider.AuthParams.
func (o *options) loginOptions() (opts []authcode.AuthOption) {
	if len(o.resources) > 0 {
		opts = append(opts, authcode.Param("resource", o.resources...))
	}
	if o.details != "" {
		opts = append(opts, authcode.Param("authorization_details", o.details))
	}
	return opts
}

// stronger adds what every login asks of the sign-in. They are parameters of the provider,
// which the options of one login replace: see stepUp.
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
