package fapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	"example.com/authcode/oidc"
)

var (
	ecKey  = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	rsaKey = must(rsa.GenerateKey(rand.Reader, 2048))
	weak   = must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func certificate() tls.Certificate {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, ecKey.Public(), ecKey))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: ecKey}
}

// good is a Config that both profiles accept, changed.
func good(changes ...func(*authcode.Config)) authcode.Config {
	cfg := authcode.Config{
		Provider:    oidc.Provider("https://op.example"),
		ClientID:    "client",
		ClientAuth:  clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}),
		Binding:     dpop.New(ecKey),
		RedirectURL: "https://app.example/callback",
		CookieKeys:  [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
	}
	cfg.MessageSigning = signs(clientauth.Key{Signer: rsaKey})
	for _, change := range changes {
		change(&cfg)
	}
	return cfg
}

// signs signs requests with key and demands signed responses.
func signs(key clientauth.Key) authcode.MessageSigning {
	m := clientauth.SignRequests(key)
	m.SignedResponses = true
	return m
}

// shows has a certificate, and what it is used for.
func shows(cert tls.Certificate, auth, bound bool) func(*authcode.Config) {
	return func(c *authcode.Config) {
		c.Certificate = clientauth.Certificate(cert)
		if auth {
			c.ClientAuth = clientauth.MutualTLS()
		}
		if bound {
			c.Binding = clientauth.CertificateBound()
		}
	}
}

func endpoints(c *authcode.Config) {
	c.Provider.Metadata = nil
	c.Provider.AuthURL, c.Provider.TokenURL = "https://op.example/auth", "https://op.example/token"
	c.Provider.PARURL, c.Provider.RevocationURL = "https://op.example/par", "https://op.example/revoke"
}

func TestAccepted(t *testing.T) {
	for claim, change := range map[string]func(*authcode.Config){
		"private_key_jwt and DPoP":     func(c *authcode.Config) {},
		"RSA":                          func(c *authcode.Config) { c.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: rsaKey}) },
		"a key of each session":        func(c *authcode.Config) { c.Binding = dpop.PerSession(c.CookieKeys[0]) },
		"private_key_jwt, certificate": shows(certificate(), false, true),
		"mutual TLS and DPoP":          shows(certificate(), true, false),
		"mutual TLS for both":          shows(certificate(), true, true),
		"endpoints in the Config":      endpoints,
		"a token only":                 func(c *authcode.Config) { c.Provider.Identity = nil },
		"pinned algorithms":            func(c *authcode.Config) { c.Provider.Algorithms = []string{"PS256"} },
		"fewer algorithms":             func(c *authcode.Config) { c.Algorithms = []string{"PS256", "ES256"} },
		"TLS 1.3": func(c *authcode.Config) {
			c.Transport = &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13}}
		},
	} {
		for _, profile := range []fapi.Profile{fapi.Security, fapi.MessageSigning} {
			if _, err := fapi.New(profile, good(change)); err != nil {
				t.Errorf("%s, profile %d: %v", claim, profile, err)
			}
		}
	}
	if _, err := fapi.New(fapi.Security, good(func(c *authcode.Config) { c.MessageSigning = authcode.MessageSigning{} })); err != nil {
		t.Errorf("without signed messages: %v", err)
	}
}

// TestForbidden: what a profile forbids, each with the words that name it.
func TestForbidden(t *testing.T) {
	transport := func(c *tls.Config) func(*authcode.Config) {
		return func(cfg *authcode.Config) {
			cfg.Transport = &http.Transport{TLSClientConfig: c}
		}
	}
	for claim, row := range map[string]struct {
		change func(*authcode.Config)
		want   string
	}{
		"a secret":        {func(c *authcode.Config) { c.ClientAuth = authcode.Secret("s3cret-s3cret") }, "Config.ClientAuth must be"},
		"a public client": {func(c *authcode.Config) { c.ClientAuth = authcode.Public() }, "Config.ClientAuth must be"},
		"no client auth":  {func(c *authcode.Config) { c.ClientAuth = authcode.ClientAuth{} }, "Config.ClientAuth must be"},
		"a method of the app's own": {func(c *authcode.Config) {
			c.ClientAuth = authcode.ClientAuth{Authenticate: c.ClientAuth.Authenticate}
		}, "Config.ClientAuth must be"},
		"no certificate to authenticate": {func(c *authcode.Config) { c.ClientAuth = clientauth.MutualTLS() }, "Config.Certificate is nil"},
		"client_secret_jwt":              {func(c *authcode.Config) { c.ClientAuth = clientauth.SecretJWT(strings.Repeat("s3cret", 6)) }, "Config.ClientAuth must be"},
		"RS256": {func(c *authcode.Config) {
			c.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: rsaKey, Algorithm: "RS256"})
		}, "RS256"},
		"a weak key": {func(c *authcode.Config) { c.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: weak}) }, "P-256"},
		"another audience": {func(c *authcode.Config) {
			c.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}, clientauth.TokenURLAudience())
		}, "another audience than the issuer"},
		"bearer tokens":          {func(c *authcode.Config) { c.Binding = authcode.Binding{} }, "bearer tokens are forbidden"},
		"a binding in name only": {func(c *authcode.Config) { c.Binding = authcode.Binding{TokenType: "DPoP"} }, "Config.Binding.Transport is nil"},
		"proofs of another kind": {func(c *authcode.Config) { c.Binding.TokenType = "Bearer" }, "bearer tokens are forbidden"},
		"no certificate to bind": {func(c *authcode.Config) { c.Binding = clientauth.CertificateBound() }, "Config.Certificate is nil"},
		"a weak proof key":       {func(c *authcode.Config) { c.Binding = dpop.New(weak) }, "dpop"},
		"no issuer": {func(c *authcode.Config) {
			endpoints(c)
			c.Provider.Issuer, c.Provider.Identity, c.MessageSigning = "", nil, authcode.MessageSigning{}
		}, "Provider.Issuer is empty"},
		"no PAR":              {func(c *authcode.Config) { endpoints(c); c.Provider.PARURL = "" }, "Provider.PARURL is empty"},
		"http at the browser": {func(c *authcode.Config) { endpoints(c); c.Provider.AuthURL = "http://localhost/auth" }, "Provider has an endpoint that is not https"},
		"http at the token":   {func(c *authcode.Config) { endpoints(c); c.Provider.TokenURL = "http://127.0.0.1/token" }, "Provider has an endpoint that is not https"},
		"http at PAR":         {func(c *authcode.Config) { endpoints(c); c.Provider.PARURL = "http://localhost/par" }, "Provider has an endpoint that is not https"},
		"http at revocation":  {func(c *authcode.Config) { endpoints(c); c.Provider.RevocationURL = "http://[::1]/revoke" }, "Provider has an endpoint that is not https"},
		"http at an alias": {func(c *authcode.Config) {
			endpoints(c)
			c.Provider.MTLS = &authcode.Endpoints{TokenURL: "http://localhost/t"}
		}, "Provider has an endpoint that is not https"},
		"an http issuer":        {func(c *authcode.Config) { c.Provider = oidc.Provider("http://localhost:1") }, "Provider.Issuer must be https"},
		"http at the app":       {func(c *authcode.Config) { c.RedirectURL = "http://localhost/callback" }, "Config.RedirectURL must be https, on loopback too"},
		"http at userinfo":      {func(c *authcode.Config) { endpoints(c); c.Provider.UserInfoURL = "http://localhost/me" }, "Provider has an endpoint that is not https"},
		"http at introspection": {func(c *authcode.Config) { endpoints(c); c.Provider.IntrospectionURL = "http://localhost/i" }, "Provider has an endpoint that is not https"},
		"http at the keys":      {func(c *authcode.Config) { endpoints(c); c.Provider.JWKSURL = "http://localhost/k" }, "Provider has an endpoint that is not https"},
		"http at the logout":    {func(c *authcode.Config) { endpoints(c); c.Provider.EndSessionURL = "http://localhost/o" }, "Provider has an endpoint that is not https"},
		"RS256 of ID tokens":    {func(c *authcode.Config) { c.Provider.Algorithms = []string{"RS256", "ES256"} }, `Provider.Algorithms has "RS256"`},
		"RS256 of everything":   {func(c *authcode.Config) { c.Algorithms = []string{"RS256", "ES256"} }, `Config.Algorithms has "RS256"`},
		"no algorithm":          {func(c *authcode.Config) { c.Algorithms = []string{} }, "Config.Algorithms is empty"},
		"an algorithm too few":  {func(c *authcode.Config) { c.Algorithms = []string{"PS256"} }, "Config.ClientAuth uses the algorithm ES256"},
		"unverified TLS":        {transport(&tls.Config{InsecureSkipVerify: true}), "InsecureSkipVerify"},
		"TLS 1.1":               {transport(&tls.Config{MinVersion: tls.VersionTLS11}), "allows TLS before 1.2"},
		"an old cipher":         {transport(&tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}}), "cipher suites that BCP 195"},
		"RS256 of requests": {func(c *authcode.Config) {
			c.MessageSigning = signs(clientauth.Key{Signer: rsaKey, Algorithm: "RS256"})
		}, "RS256"},
		"and of authcode itself": {func(c *authcode.Config) { c.CookieKeys = nil }, "Config.CookieKeys is empty"},
	} {
		t.Run(claim, func(t *testing.T) {
			c, err := fapi.New(fapi.Security, good(row.change))
			if c != nil || err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want one with %q", err, row.want)
			}
		})
	}
	for claim, row := range map[string]struct {
		change func(*authcode.Config)
		want   []string
	}{
		"plain requests and responses": {func(c *authcode.Config) { c.MessageSigning = authcode.MessageSigning{} },
			[]string{"clientauth.SignRequests(key)", "takes plain responses"}},
		"plain requests": {func(c *authcode.Config) { c.MessageSigning = authcode.MessageSigning{SignedResponses: true} },
			[]string{"clientauth.SignRequests(key)"}},
		"plain responses":                {func(c *authcode.Config) { c.MessageSigning.SignedResponses = false }, []string{"takes plain responses"}},
		"responses that nobody can open": {func(c *authcode.Config) { c.Provider.Verify = nil }, []string{"needs Provider.Verify"}},
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := fapi.New(fapi.MessageSigning, good(row.change))
			for _, want := range row.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v, want one with %q", err, want)
				}
			}
		})
	}
}

// TestAllAtOnce: one error lists everything.
func TestAllAtOnce(t *testing.T) {
	_, err := fapi.New(fapi.MessageSigning, authcode.Config{Provider: authcode.Provider{Name: "Bank", Endpoints: authcode.Endpoints{AuthURL: "http://localhost/auth"}}, RedirectURL: "http://app.example/"})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"Provider.Issuer", "not https", "Config.RedirectURL must be https", "Config.ClientAuth must be", "Config.Binding must be",
		"Config.MessageSigning must be", "Provider.Name", "Provider.TokenURL is empty", "Config.ClientID is empty", "Config.CookieKeys", "PARURL is empty"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not in\n%v", want, err)
		}
	}
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, "authcode: ") || strings.Count(line, "authcode: ") != 1 {
			t.Errorf("a line is %q", line)
		}
	}
}

// found is metadata that says what it is told.
type found authcode.Endpoints

func (f found) load(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
	return authcode.Endpoints(f), nil
}

// TestMetadata: what is found out later is held to the same rules, before a person is sent anywhere.
func TestMetadata(t *testing.T) {
	all := authcode.Endpoints{AuthURL: "https://op.example/auth", TokenURL: "https://op.example/token", PARURL: "https://op.example/par", RevocationURL: "https://op.example/revoke"}
	for claim, row := range map[string]struct {
		change func(*authcode.Endpoints)
		check  string
	}{
		"http for the browser": {func(e *authcode.Endpoints) { e.AuthURL = "http://localhost/auth" }, "fapi.metadata"},
		"http for tokens":      {func(e *authcode.Endpoints) { e.TokenURL = "http://localhost/token" }, "fapi.metadata"},
		"http for PAR":         {func(e *authcode.Endpoints) { e.PARURL = "http://localhost/par" }, "fapi.metadata"},
		"http for revocation":  {func(e *authcode.Endpoints) { e.RevocationURL = "http://localhost/revoke" }, "fapi.metadata"},
		"http for an alias":    {func(e *authcode.Endpoints) { e.MTLS = &authcode.Endpoints{PARURL: "http://localhost/par"} }, "fapi.metadata"},
		"http for userinfo":    {func(e *authcode.Endpoints) { e.UserInfoURL = "http://localhost/me" }, "fapi.metadata"},
		"http for the keys":    {func(e *authcode.Endpoints) { e.JWKSURL = "http://localhost/keys" }, "fapi.metadata"},
		"no PAR":               {func(e *authcode.Endpoints) { e.PARURL = "" }, "metadata.endpoints"},
	} {
		e := all
		row.change(&e)
		c, err := fapi.New(fapi.Security, good(func(c *authcode.Config) { c.Provider.Metadata = found(e).load }))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil))
		if e, ok := err.(*authcode.Error); !ok || e.Check != row.check {
			t.Errorf("%s: got %v, want %s", claim, err, row.check)
		}
	}
}

// TestOriginalsStay: the app's own values are as they were.
func TestOriginalsStay(t *testing.T) {
	transport := &http.Transport{}
	cfg := good(func(c *authcode.Config) { c.Transport, c.Algorithms = transport, []string{"ES256", "PS256"} })
	if _, err := fapi.New(fapi.MessageSigning, cfg); err != nil {
		t.Fatal(err)
	}
	// Cloning a transport prepares it for HTTP/2, which gives it a TLSClientConfig.
	if c := transport.TLSClientConfig; c != nil && (c.CipherSuites != nil || c.MinVersion != 0) || cfg.Transport != transport ||
		len(cfg.Algorithms) != 2 || cfg.Provider.RequirePAR || cfg.Provider.RequireIss {
		t.Error("fapi.New changed what it was given")
	}
}
