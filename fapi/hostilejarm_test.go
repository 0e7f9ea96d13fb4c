package fapi_test

import (
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
)

var signing = setup{profile: fapi.MessageSigning}

// TestHostileJARM: signed authorization responses, in the query.
func TestHostileJARM(t *testing.T) { run(t, jarmRows()) }

// TestHostileJARMFormPost: the same by form_post.jwt.
func TestHostileJARMFormPost(t *testing.T) { run(t, byFormPost(jarmRows())) }

// TestHostileJARMAlone: signed responses without the rest of a profile, as package authcode has them: plain
// requests that are not pushed, bearer tokens, a client secret.
func TestHostileJARMAlone(t *testing.T) {
	rows := slices.DeleteFunc(shapeRows(), func(r row) bool { return r.name == ownRequest })
	run(t, under(rows, "alone", func(s *setup) {
		*s = setup{
			noPAR: true, method: authserver.Basic, make: authcode.New,
			reg: func(reg *authserver.ClientRegistration) {
				reg.Secret, reg.Keys, reg.RequireDPoP, reg.RequirePAR = word+"-secret", nil, false, false
			},
			cfg: func(cfg *authcode.Config) {
				cfg.ClientAuth, cfg.Binding = authcode.Secret(word+"-secret"), authcode.Binding{}
				cfg.MessageSigning, cfg.Algorithms = authcode.MessageSigning{SignedResponses: true}, []string{"PS256", "ES256", "EdDSA"}
			},
		}
	}))
}

const ownRequest = "the app's own request" // which is signed only under the profile

func jarmRows() []row {
	own := slices.Concat(shapeRows(), parameterRows(), errorRows(authserver.Authorization, signing))
	return slices.Concat(own, signatureRows(authserver.JARM, signing, authcode.Forged, "response"),
		claimRows(authserver.JARM, signing, authcode.Forged, "response"))
}

// shapeRows: what stands in the place of the signed response, or beside it.
func shapeRows() []row {
	set, drop, repeat := authserver.Set, authserver.Drop, authserver.Repeat
	refused, accepted := rowsAt(authserver.Authorization, signing)
	return []row{
		refused("plain", authcode.Malformed, "response", authserver.Plain()),
		refused("nothing", authcode.Malformed, "callback.empty", drop("response")),
		refused("under another name", authcode.Malformed, "response", authserver.Rename("response", "Response")),
		refused("two responses", authcode.Malformed, "callback.repeated", repeat("response", "")),
		refused("a second one that is none", authcode.Malformed, "callback.repeated", repeat("response", word)),
		refused("empty", authcode.Forged, "response.form", set("response", "")),
		refused("no JWT", authcode.Forged, "response.form", set("response", word)),
		refused("a JWT with nothing in it", authcode.Forged, "response.alg", set("response", "e30.e30.AAAA")),
		refused("an ID token", authcode.Malformed, "callback.state").planting(func(x *world) []authserver.Fault {
			return []authserver.Fault{set("response", idTokenFrom(x))}
		}),
		refused("a logout token", authcode.Forged, "response.typ").planting(func(x *world) []authserver.Fault {
			return []authserver.Fault{set("response", x.srv.LogoutToken(clientID, "alice"))}
		}),
		refused(ownRequest, authcode.Forged, "jwks.key").planting(func(x *world) []authserver.Fault {
			x.startElsewhere()
			sent := x.srv.Requests()
			return []authserver.Fault{set("response", sent[len(sent)-1].Form.Get("request"))}
		}),
		accepted("plain parameters beside it", authserver.PlainBeside()),
		accepted("other plain parameters beside it", authserver.PlainBeside(), set("state", word), set("iss", word), set("code", word)),
		accepted("an error beside it", set("error", "access_denied")),
		refused("state beside it alone", authcode.Malformed, "callback.state", authserver.PlainBeside()).and(authserver.JARM, drop("state")),
		refused("code beside it alone", authcode.Malformed, "callback.code", authserver.PlainBeside()).and(authserver.JARM, drop("code")),
		refused("iss beside it alone", authcode.Forged, "response.iss", authserver.PlainBeside()).and(authserver.JARM, drop("iss")),
		refused("plain parameters twice beside it", authcode.Malformed, "callback.repeated", authserver.PlainBeside(), repeat("state", "")),
	}
}

// parameterRows: the parameters in the response.
func parameterRows() []row {
	set, drop := authserver.Set, authserver.Drop
	refused, accepted := rowsAt(authserver.JARM, signing)
	return []row{
		refused("no state", authcode.Malformed, "callback.state", drop("state")),
		refused("a state that is a number", authcode.Malformed, "response.claim", set("state", "1")),
		refused("a state that is a list", authcode.Malformed, "response.claim", set("state", `["`+word+`"]`)),
		refused("a state of no app", authcode.Forged, "state.form", set("state", `"`+word+`"`)),
		refused("a state of another browser", authcode.NoLogin, "cookie.missing").planting(func(x *world) []authserver.Fault {
			return []authserver.Fault{set("state", `"`+x.startElsewhere()+`"`)}
		}),
		refused("no code", authcode.Malformed, "callback.code", drop("code")),
		refused("a code that is a number", authcode.Malformed, "response.claim", set("code", "1")),
		refused("two codes", authcode.Forged, "response.form", authserver.Repeat("code", `"`+word+`"`)),
		refused("an error that is an object", authcode.Malformed, "response.claim", set("error", "{}")),
		refused("a code of nobody's", authcode.GrantRejected, "answer.error", set("code", `"`+word+`"`)).reaching(authserver.Token),
		accepted("no iat", drop("iat")),
		accepted("with its own type", authserver.Header(set("typ", `"oauth-authz-resp+jwt"`))),
		accepted("without type", authserver.Header(drop("typ"))),
		accepted("with a claim of no meaning", set("foo", "{}")),
	}
}

// idTokenFrom is an ID token of the same provider for the same app.
func idTokenFrom(x *world) string {
	got := x.do(authserver.Token)
	if got.err != nil {
		x.t.Fatal(got.err)
	}
	token, _ := got.login.Token.Extra("id_token").(string)
	x.browser = x.newBrowser()
	return token
}
