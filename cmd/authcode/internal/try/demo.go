package try

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"

	"example.com/authcode/clientauth"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// addDemo starts the embedded provider and adds it. People see its page and decide there.
// If there is no other provider, what the flags ask for is asked of it, with keys that are
// made on the spot.
func (o *options) addDemo(app *app, keys [][]byte) (*authserver.Server, error) {
	if o.configured() { // then they are about the other one
		o = &options{security: security{clientAuth: bySecret, bind: bindNothing, par: "auto"}}
	}
	server := o.demoServer()
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

func (o *options) addDemoServer(app *app, server *authserver.Server, own keyring, keys [][]byte) error {
	made := *o
	reg := made.demoClient(app, own)
	config := server.Register(reg)
	config.Provider = oidc.Provider(server.URL)
	config.Provider.Name = demoName
	config.CookieKeys = keys
	o.stronger(&config.Provider)
	made.issuer, made.clientSecret = server.URL, reg.Secret
	s := signIn{title: "at the test server", place: "at the test server",
		hint: "it is part of this program", byFlags: true}
	made.protect(&config, &s, own)
	return byFlag(app.add(config, s))
}

// demoServer speaks https where that is the point, and asks for certificates where one is
// shown.
func (o *options) demoServer() *authserver.Server {
	var opts []authserver.Option
	if o.shows() {
		opts = append(opts, authserver.MutualTLS())
	}
	switch {
	case o.fapi != "":
		opts = append(opts, authserver.RequirePAR())
	case o.par == "always":
		opts = append(opts, authserver.OfferPAR())
	}
	if o.fapi != "" || o.shows() {
		return authserver.NewTLSServer(opts...)
	}
	return authserver.NewServer(opts...)
}

// demoClient is the app's registration at the embedded provider.
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
	if o.signs() {
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
		reg.AuthMethod, reg.Certificates = authserver.SelfSignedTLS,
			[]*x509.Certificate{own.certificate.Leaf}
	}
	return reg
}

// demoKeys makes what the flags ask for: the files that they can name are for a real provider.
func (o *options) demoKeys() (k keyring, err error) {
	if o.dpopKey != "" {
		if k.proofs, err = readKey("dpop-key", o.dpopKey); err != nil {
			return k, err
		}
	}
	if o.signs() {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return k, err
		}
		k.client = clientauth.Key{Signer: key, ID: "demo"}
	}
	if o.shows() {
		k.certificate = authserver.SelfSigned("authcode try")
	}
	return k, nil
}

// demoNotes tell the operator what the browser will say.
func (o *options) demoNotes(server *authserver.Server) {
	o.note("provider %s is part of this program, at %s", demoName, server.URL)
	if server.Certificate() != nil {
		o.note("the browser will warn of its certificate, which was made for this run")
	}
}
