package fapi_test

import (
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
)

// audiences are what a server may demand of an assertion, with the option that gives it.
var audiences = []struct {
	name   string
	want   authserver.Audience
	option []clientauth.Option
}{
	{"issuer", authserver.AudienceIssuer, nil},
	{"token endpoint", authserver.AudienceTokenEndpoint, []clientauth.Option{clientauth.TokenURLAudience()}},
	{"endpoint", authserver.AudienceEndpoint, []clientauth.Option{clientauth.EndpointAudience()}},
}

// TestAudiences: a server that demands one audience of assertions takes the client with the option for it
// alone. The profiles allow the issuer only, so package authcode makes these clients.
func TestAudiences(t *testing.T) { run(t, audienceRows()) }

func audienceRows() (rows []row) {
	for _, server := range audiences {
		for _, client := range audiences {
			key := clientauth.Key{Signer: ecKey, ID: "k1"}
			for _, in := range []setup{{}, {noPAR: true}, {certificate: true}} {
				in.make = authcode.New
				noPAR := in.noPAR
				in.reg = func(reg *authserver.ClientRegistration) {
					reg.AssertionAudience = server.want
					reg.RequirePAR = !noPAR
				}
				in.cfg = func(cfg *authcode.Config) { cfg.ClientAuth = clientauth.PrivateKeyJWT(key, client.option...) }
				rows = append(rows, audienceRow(server.name, client.name, in))
			}
		}
	}
	return rows
}

func audienceRow(server, client string, in setup) row {
	at, check := authserver.PAR, "par.configuration"
	name := server + " demanded, " + client + " sent"
	if in.noPAR {
		at, check, name = authserver.Token, "answer.configuration", name+", no PAR"
	}
	if in.certificate {
		name += ", aliases"
	}
	refused, accepted := rowsAt(at, in)
	// At the token endpoint, this is the endpoint.
	same := in.noPAR && server != "issuer" && client != "issuer"
	if server == client || same {
		return accepted(name)
	}
	r := refused(name, authcode.Configuration, check)
	r.hopeless = true
	return r
}

// TestAudienceEverywhere: the same holds for whatever else is asked with an assertion.
func TestAudienceEverywhere(t *testing.T) {
	for _, a := range audiences {
		x := newWorld(t, setup{
			make: authcode.New,
			reg:  func(reg *authserver.ClientRegistration) { reg.AssertionAudience = a.want },
			cfg: func(cfg *authcode.Config) {
				cfg.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: ecKey, ID: "k1"}, a.option...)
			},
		})
		x.prepare(authserver.Refresh)
		for _, step := range []authserver.Place{authserver.Introspection, authserver.Refresh, authserver.Revocation} {
			if got := x.do(step); got.err != nil {
				t.Errorf("%s at %s: %v", a.name, step, got.err)
			}
		}
	}
}

// TestAudienceOfProfile: the profiles' assertion has the issuer, as one text, wherever it goes.
func TestAudienceOfProfile(t *testing.T) {
	for _, certificate := range []bool{false, true} {
		x := newWorld(t, setup{profile: fapi.MessageSigning, certificate: certificate})
		x.prepare(authserver.Refresh)
		for _, step := range []authserver.Place{authserver.Introspection, authserver.Refresh, authserver.Revocation} {
			x.do(step)
		}
		seen := x.srv.Requests(authserver.PAR, authserver.Token, authserver.Refresh, authserver.Revocation, authserver.Introspection)
		if len(seen) != 5 {
			t.Errorf("%d requests, want 5", len(seen))
		}
		for _, r := range seen {
			if r.ClientAuth != authserver.PrivateKeyJWT {
				t.Errorf("at %s the app authenticates by %q", r.Place, r.ClientAuth)
			}
			claims := r.Assertion().Claims
			if claims["aud"] != x.srv.URL || claims["iss"] != clientID || claims["sub"] != clientID {
				t.Errorf("at %s the assertion says %v", r.Place, claims)
			}
		}
	}
}
