package try

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"strings"

	"example.com/authcode/clientauth"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// addDemo starts the embedded provider and adds it. People see its page and
// decide there. If there is no other provider, the security flags apply to this
// one, with keys that are made for this run.
func (o *options) addDemo(app *app, keys [][]byte) (*authserver.Server, error) {
	if o.configured() { // the security flags are about the other provider
		o = &options{security: security{clientAuth: bySecret, bind: bindNothing, par: "auto"}}
	}
	server := o.demoServer(app)
	server.SetConsent(authserver.Ask)
	own, err := o.demoKeys()
	if err == nil {
		err = o.addDemoServer(app, server, own, keys)
	}
	if err != nil {
		server.Close()
		return nil, err
	}
	return server, nil
}

func (o *options) addDemoServer(
	app *app, server *authserver.Server, own keyring, keys [][]byte,
) error {
	// A copy: the issuer and the secret of this provider must not end up in the
	// options of another one.
	made := *o
	reg := made.demoClient(app, own)
	config := server.Register(reg)
	config.Provider = oidc.Provider(server.URL)
	config.Provider.Name = demoName
	config.Provider.Algorithms = []string{"ES256"} // what the embedded server signs with
	config.CookieKeys = keys
	o.addSignInDemands(&config.Provider)
	made.issuer, made.clientSecret = server.URL, reg.Secret
	s := signIn{title: "at the test server", place: "at the test server",
		hint: "it is part of this program", byFlags: true}
	made.protect(&config, &s, own)
	return byFlag(app.add(config, s))
}

// demoServer starts the embedded provider. It uses https for FAPI 2.0, for
// certificates, and for an app on https, which need it. Otherwise it uses http,
// so that no browser warns of its certificate.
func (o *options) demoServer(app *app) *authserver.Server {
	var opts []authserver.Option
	if o.showsCertificate() {
		opts = append(opts, authserver.MutualTLS())
	}
	switch {
	case o.fapi != "":
		opts = append(opts, authserver.RequirePAR())
	case o.par == "always":
		opts = append(opts, authserver.OfferPAR())
	}
	if o.fapi != "" || o.showsCertificate() || strings.HasPrefix(app.base, "https:") {
		return authserver.NewTLSServer(opts...)
	}
	return authserver.NewServer(opts...)
}

// demoClient returns the registration of the app at the embedded provider.
func (o *options) demoClient(app *app, own keyring) authserver.ClientRegistration {
	reg := authserver.ClientRegistration{
		ID:                     "authcode-try",
		AuthMethod:             authserver.Basic,
		RedirectURIs:           []string{redirectURL(app.base, demoName)},
		PostLogoutRedirectURIs: []string{signedOutURL(app.base, demoName)},
		Name:                   "authcode try",
		RequireDPoP:            o.bind == bindDPoP,
		CertificateBound:       o.bind == bindTLS,
		RequirePAR:             o.fapi != "",
		RequireSignedRequest:   o.signRequests,
	}
	if o.signsWithKey() {
		reg.Keys = []authserver.Key{{Public: own.client.Signer.Public(), ID: own.client.ID}}
	}
	switch o.clientAuth {
	case bySecret:
		reg.Secret = rand.Text()
	case bySecretJWT:
		reg.AuthMethod, reg.Secret = authserver.SecretJWT, rand.Text()+rand.Text()
	case byNothing:
		reg.AuthMethod = authserver.None
	case byKey:
		reg.AuthMethod = authserver.PrivateKeyJWT
	case byTLS:
		reg.AuthMethod = authserver.SelfSignedTLS
		reg.Certificates = []*x509.Certificate{own.certificate.Leaf}
	}
	return reg
}

// demoKeys makes the keys and the certificate that the flags ask for. The flags
// that name files are for a real provider, except -dpop-key.
func (o *options) demoKeys() (k keyring, err error) {
	if o.dpopKey != "" {
		if k.proofs, err = readKey("dpop-key", o.dpopKey); err != nil {
			return k, err
		}
	}
	if o.signsWithKey() {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return k, err
		}
		k.client = clientauth.Key{Signer: key, ID: "demo"}
	}
	if o.showsCertificate() {
		k.certificate = authserver.SelfSigned("authcode try")
	}
	return k, nil
}

// demoNotes tells the operator about the embedded provider.
func (o *options) demoNotes(server *authserver.Server) {
	o.note("provider %s is part of this program, at %s", demoName, server.URL)
	if server.Certificate() != nil {
		o.note("the browser will warn of the certificate of provider %s, which was made for this "+
			"run: continue anyway", demoName)
	}
}
