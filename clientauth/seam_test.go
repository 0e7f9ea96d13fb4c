package clientauth_test

import (
	"context"
	"crypto/tls"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
)

// around is a way to put something around each of a Config's parts from this package: it changes the Config.
type around struct {
	claim string
	wrap  func(*authcode.Config)
}

// wrappings are all of them. What has a function around it counts its calls.
func wrappings(calls *atomic.Int32) []around {
	return []around{
		{"as they are", func(*authcode.Config) { calls.Add(1) }},
		{"copied field by field", func(cfg *authcode.Config) {
			calls.Add(1)
			a, b, m := cfg.ClientAuth, cfg.Binding, cfg.MessageSigning
			cfg.ClientAuth = authcode.ClientAuth{Method: a.Method, Audience: a.Audience, Algorithms: a.Algorithms, Authenticate: a.Authenticate, Err: a.Err}
			cfg.Binding = authcode.Binding{TokenType: b.TokenType, Certificate: b.Certificate, Algorithms: b.Algorithms, Begin: b.Begin, Transport: b.Transport, Err: b.Err}
			cfg.MessageSigning = authcode.MessageSigning{SignRequest: m.SignRequest, SignedResponses: m.SignedResponses, Algorithms: m.Algorithms, Err: m.Err}
		}},
		{"embedded in structs", func(cfg *authcode.Config) {
			calls.Add(1)
			all := struct {
				authcode.ClientAuth
				authcode.Binding
				authcode.MessageSigning
			}{cfg.ClientAuth, cfg.Binding, cfg.MessageSigning}
			cfg.ClientAuth, cfg.Binding, cfg.MessageSigning = all.ClientAuth, all.Binding, all.MessageSigning
		}},
		{"with a function around each of their functions", func(cfg *authcode.Config) {
			authenticate, sign, certificate := cfg.ClientAuth.Authenticate, cfg.MessageSigning.SignRequest, cfg.Certificate
			cfg.ClientAuth.Authenticate = func(ctx context.Context, req *authcode.TokenRequest) error {
				calls.Add(1)
				return authenticate(ctx, req)
			}
			if sign != nil {
				cfg.MessageSigning.SignRequest = func(ctx context.Context, conn *authcode.Connection, params url.Values) (string, error) {
					calls.Add(1)
					return sign(ctx, conn, params)
				}
			}
			if certificate != nil {
				cfg.Certificate = func(ctx context.Context) (*tls.Certificate, error) {
					calls.Add(1)
					return certificate(ctx)
				}
			}
		}},
	}
}

// TestWrapped: whatever is around the parts, whole logins are the same.
func TestWrapped(t *testing.T) {
	cert := clientCert("tls")
	var calls atomic.Int32
	for _, a := range wrappings(&calls) {
		for _, row := range combinations() {
			t.Run(a.claim+"/"+row.claim, func(t *testing.T) {
				cfg := authcode.Config{ClientAuth: row.auth, Binding: row.binding, Certificate: clientauth.Certificate(cert)}
				calls.Store(0)
				a.wrap(&cfg)
				row.auth, row.binding = cfg.ClientAuth, cfg.Binding
				row.live(t, cert.Certificate[0], cfg.Certificate)
				if calls.Load() == 0 {
					t.Error("the wrapping was not used")
				}
			})
		}
	}
}

// TestWrappedSigning: the same for signed requests.
func TestWrappedSigning(t *testing.T) {
	var calls atomic.Int32
	for _, a := range wrappings(&calls) {
		t.Run(a.claim, func(t *testing.T) {
			p := newOP(t)
			c := p.client(t, clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey}), func(cfg *authcode.Config) {
				cfg.MessageSigning, cfg.Algorithms = clientauth.SignRequests(clientauth.Key{Signer: edKey}), []string{"ES256", "EdDSA"}
				a.wrap(cfg)
			})
			p.login(t, c)
			for _, s := range p.requests() {
				if s.path == "/par" {
					j := verify(t, s.form.Get("request"), "EdDSA", edKey.Public())
					if j.text("aud") != p.main.URL || j.text("client_id") != clientID {
						t.Errorf("claims %s", j.raw)
					}
				}
			}
		})
	}
}

// wrappedFaults are faults of a Config with what New says, whatever wraps them.
var wrappedFaults = []struct {
	claim string
	cfg   func(*authcode.Config)
	want  []string
}{
	{"weak keys", func(cfg *authcode.Config) {
		cfg.ClientAuth = clientauth.PrivateKeyJWT(weakKey)
		cfg.MessageSigning = clientauth.SignRequests(weakKey)
	}, []string{"PrivateKeyJWT: ", "SignRequests: "}},
	{"a weak secret", func(cfg *authcode.Config) { cfg.ClientAuth = clientauth.SecretJWT("short") }, []string{"SecretJWT: "}},
	{"algorithms that are not admitted", func(cfg *authcode.Config) {
		cfg.ClientAuth = clientauth.PrivateKeyJWT(rs256Key)
		cfg.MessageSigning = clientauth.SignRequests(rs256Key)
		cfg.Algorithms = []string{"PS256", "ES256"}
	}, []string{"Config.ClientAuth uses the algorithm RS256", "Config.MessageSigning uses the algorithm RS256"}},
	{"no certificate", func(cfg *authcode.Config) {
		cfg.ClientAuth, cfg.Binding = clientauth.MutualTLS(), clientauth.CertificateBound()
	}, []string{"it is the credential of Config.ClientAuth", "Config.Binding binds tokens to it"}},
	{"an empty certificate", func(cfg *authcode.Config) {
		cfg.ClientAuth, cfg.Certificate = clientauth.MutualTLS(), clientauth.Certificate(tls.Certificate{})
	}, []string{"Config.Certificate: there is no certificate"}},
	{"a certificate that nobody asks for", func(cfg *authcode.Config) {
		cfg.ClientAuth, cfg.Certificate = clientauth.SecretJWT(secret32), clientauth.Certificate(clientCert("tls"))
	}, []string{"Config.Certificate is used for nothing"}},
}

var (
	weakKey  = clientauth.Key{Signer: weakRSA}
	rs256Key = clientauth.Key{Signer: rsaKey, Algorithm: "RS256"}
)

// TestWrappedFaults: nor does anything around them hide what is wrong.
func TestWrappedFaults(t *testing.T) {
	var calls atomic.Int32
	for _, a := range wrappings(&calls) {
		for _, row := range wrappedFaults {
			t.Run(a.claim+"/"+row.claim, func(t *testing.T) {
				cfg := certConfig(nil, nil)
				cfg.Binding = authcode.Binding{}
				row.cfg(&cfg)
				a.wrap(&cfg)
				_, err := authcode.New(cfg)
				if err == nil || strings.Count(err.Error(), "\n") != len(row.want)-1 {
					t.Fatalf("got %v, want %d faults", err, len(row.want))
				}
				for _, want := range row.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("got %v, want %q", err, want)
					}
				}
			})
		}
	}
}

// TestEmptyValues: a value that no constructor made, and nothing in the place of an argument, is the app's mistake, and New
// says which.
func TestEmptyValues(t *testing.T) {
	var none *clientauth.Key
	cfg := certConfig(nil, nil)
	cfg.ClientAuth, cfg.Binding = authcode.ClientAuth{}, authcode.Binding{}
	_, err := authcode.New(cfg)
	wantFault(t, err, "authcode: ", "Config.ClientAuth is empty")
	cfg.ClientAuth, cfg.MessageSigning = clientauth.PrivateKeyJWT(nil), clientauth.SignRequests(nil)
	_, err = authcode.New(cfg)
	if err == nil || strings.Count(err.Error(), "there is no key") != 2 {
		t.Errorf("no keys: %v", err)
	}
	cfg.ClientAuth, cfg.MessageSigning = clientauth.PrivateKeyJWT(clientauth.Key{}), clientauth.SignRequests(clientauth.Key{})
	_, err = authcode.New(cfg)
	if err == nil || strings.Count(err.Error(), "the private key is nil") != 2 {
		t.Errorf("empty keys: %v", err)
	}
	cfg.ClientAuth, cfg.MessageSigning = clientauth.PrivateKeyJWT(none), authcode.MessageSigning{}
	_, err = authcode.New(cfg)
	wantFault(t, err, "authcode: PrivateKeyJWT: ", "there is no key")
}
