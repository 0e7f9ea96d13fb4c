package fapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

const clientID = "fapi-client"

var (
	proofKey  = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	authority = authserver.NewAuthority()
	ownCert   = authority.Issue(clientID)
)

// setup is an app, as far as it is not the usual one: the Security Profile, private_key_jwt and DPoP.
type setup struct {
	profile     fapi.Profile
	make        func(authcode.Config) (*authcode.Client, error) // if nil, fapi.New with profile
	method      authserver.AuthMethod                           // if empty, PrivateKeyJWT
	certificate bool                                            // tokens are bound to the certificate
	wrapped     bool                                            // every seam is wrapped in every way
	formPost    bool
	userInfo    bool
	noPAR       bool
	impatient   bool // requests to path take no longer than patience
	path        string
	listeners   listeners
	options     []authserver.Option
	login       []authcode.AuthOption
	reg         func(*authserver.ClientRegistration)
	cfg         func(*authcode.Config)
}

// listeners says which of a provider's listeners ask for certificates.
type listeners int

const (
	both        listeners = iota // aliases, and a trap: a certificate that is shown at the main one is seen
	aliasesOnly                  // the main one takes none
	mainOnly                     // there are no aliases
)

// showsCertificate reports whether the app has one.
func (s setup) showsCertificate() bool {
	return s.certificate || s.method == authserver.TLSClientAuth || s.method == authserver.SelfSignedTLS
}

// world is an app, its provider, a browser, and what they saw.
type world struct {
	t       *testing.T
	in      setup
	srv     *authserver.Server
	app     string // its URL
	cfg     authcode.Config
	client  *authcode.Client
	patient atomic.Bool
	browser *http.Client
	login   *authcode.Login // of prepare

	mu      sync.Mutex
	logins  []*authcode.Login
	errors  []*authcode.Error
	answers []answer
	shown   string // all that the app shows of errors
}

// outcome is what came of a step.
type outcome struct {
	err    *authcode.Error
	login  *authcode.Login
	info   *oidc.TokenInfo
	status int // of the API
}

func newWorld(t *testing.T, in setup) *world {
	t.Helper()
	x := openWorld(in)
	t.Cleanup(x.close)
	x.begin(t, in)
	return x
}

// openWorld starts a provider, for begin.
func openWorld(in setup) *world {
	options := in.options
	if in.showsCertificate() {
		if in.listeners != mainOnly {
			options = append(options, authserver.MutualTLS())
		}
		if in.listeners != aliasesOnly {
			options = append(options, authserver.AskCertificates())
		}
	}
	x := &world{srv: authserver.NewTLSServer(options...)}
	x.app = site().add(x)
	return x
}

func (x *world) close() {
	site().remove(x)
	x.srv.Close()
}

// begin registers a new app, which has loaded and seen nothing.
func (x *world) begin(t *testing.T, in setup) {
	t.Helper()
	x.t, x.in, x.login = t, in, nil
	x.patient.Store(false)
	x.srv.Forget()
	x.mu.Lock()
	x.logins, x.errors, x.answers, x.shown = nil, nil, nil, ""
	x.mu.Unlock()
	x.browser = x.newBrowser()
	x.cfg = x.srv.Register(x.registration())
	x.configure()
	x.newClient()
}

func (x *world) registration() authserver.ClientRegistration {
	reg := authserver.FAPIClient(clientID, x.app+"/callback", authserver.Key{Public: ecKey.Public(), ID: "k1"})
	switch x.in.method {
	case "":
	case authserver.SelfSignedTLS:
		reg.AuthMethod, reg.Certificates = x.in.method, []*x509.Certificate{ownCert.Leaf}
	case authserver.TLSClientAuth:
		reg.AuthMethod, reg.CertificateAuthority = x.in.method, authority.Certificate()
		reg.CertificateSubject = "CN=" + clientID
	default:
		reg.AuthMethod = x.in.method
	}
	reg.RequireDPoP, reg.CertificateBound = !x.in.certificate, x.in.certificate
	reg.RequireSignedRequest = x.in.profile == fapi.MessageSigning
	if x.in.reg != nil {
		x.in.reg(&reg)
	}
	return reg
}

// configure completes the Config that the server has made.
func (x *world) configure() {
	key := clientauth.Key{Signer: ecKey, ID: "k1"}
	base := x.srv.Transport().Clone()
	base.TLSClientConfig.CurvePreferences = []tls.CurveID{tls.CurveP256} // a thousand handshakes take their time
	x.cfg.Transport = base
	x.cfg.ClientAuth, x.cfg.Binding = clientauth.PrivateKeyJWT(key), dpop.New(proofKey)
	if x.in.showsCertificate() {
		x.cfg.Certificate = clientauth.Certificate(ownCert)
		if x.in.method != "" {
			x.cfg.ClientAuth = clientauth.MutualTLS()
		}
		if x.in.certificate {
			x.cfg.Binding = clientauth.CertificateBound()
		}
	}
	if x.in.impatient {
		x.cfg.Wrap = func(base http.RoundTripper) http.RoundTripper { return &hasty{base, x.in.path, &x.patient} }
	}
	var options []oidc.Option
	if x.in.userInfo {
		options = append(options, oidc.UserInfo())
	}
	x.cfg.Provider = oidc.Provider(x.srv.URL, options...)
	x.cfg.Provider.FormPost = x.in.formPost
	if x.in.make != nil { // without the profile, nothing else admits what the server signs with
		x.cfg.Provider.Algorithms = []string{"ES256"}
	}
	if x.in.profile == fapi.MessageSigning {
		x.cfg.MessageSigning = clientauth.SignRequests(key)
		x.cfg.MessageSigning.SignedResponses = true
	}
	x.cfg.OnError = x.refuse
	if x.in.cfg != nil {
		x.in.cfg(&x.cfg)
	}
}

// newClient starts another instance of the app, which has loaded nothing yet.
func (x *world) newClient() {
	x.t.Helper()
	build := x.in.make
	if build == nil {
		build = func(cfg authcode.Config) (*authcode.Client, error) { return fapi.New(x.in.profile, cfg) }
	}
	cfg := x.cfg
	if x.in.wrapped {
		cfg = wrap(cfg)
	}
	client, err := build(cfg)
	if err != nil {
		x.t.Fatal(err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.client = client
}

// prepare signs in, for a step that comes after.
func (x *world) prepare(step authserver.Place) {
	x.t.Helper()
	if step == authserver.Token {
		return
	}
	got := x.do(authserver.Token)
	if got.err != nil {
		x.t.Fatal(got.err)
	}
	x.login = got.login
}

// do is a whole login, or a request after one.
func (x *world) do(step authserver.Place) (got outcome) {
	x.t.Helper()
	var err error
	switch step {
	case authserver.Token:
		return x.signIn()
	case authserver.Refresh:
		token, failed := x.client.Refresh(x.t.Context(), x.login.Token)
		if err = failed; err == nil {
			got.login = &authcode.Login{Token: token}
		}
	case authserver.Revocation:
		err = x.client.Revoke(x.t.Context(), x.login.Token)
	case authserver.Introspection:
		got.info, err = x.introspect(x.login.Token.AccessToken)
	case authserver.Resource:
		got.status, err = x.callAPI(x.login)
	}
	if err != nil && !errors.As(err, &got.err) {
		x.t.Fatalf("an error of another kind: %v", err)
	}
	return got
}

func (x *world) introspect(token string) (*oidc.TokenInfo, error) {
	if x.in.profile == fapi.MessageSigning {
		return oidc.IntrospectSigned(x.t.Context(), x.client, token, "")
	}
	return oidc.Introspect(x.t.Context(), x.client, token, "")
}

// callAPI asks the API that the token is for.
func (x *world) callAPI(login *authcode.Login) (int, error) {
	origin := x.srv.URL
	if x.in.certificate && x.srv.MTLSURL != "" {
		origin = x.srv.MTLSURL
	}
	api, err := x.client.TokenSource(login.Token, nil).APIClient(origin)
	if err != nil {
		return 0, err
	}
	resp, err := api.Get(origin + "/resource/accounts?of=1")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, nil
}
