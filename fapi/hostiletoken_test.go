package fapi_test

import (
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
)

// TestHostileTokenAnswer: answers of the token endpoint, to a code and to a refresh token.
func TestHostileTokenAnswer(t *testing.T) { run(t, tokenRows()) }

func tokenRows() (rows []row) {
	for _, at := range []authserver.Place{authserver.Token, authserver.Refresh} {
		rows = append(rows, under(slices.Concat(typeRows(at), memberRows(at), grantRows(at)), string(at), func(*setup) {})...)
	}
	return rows
}

// typeRows: token_type is demanded back (RFC 9449 section 5; for certificates RFC 8705 section 3).
func typeRows(at authserver.Place) []row {
	const check = "token.token_type"
	set, drop := authserver.Set, authserver.Drop
	refused, accepted := rowsAt(at, setup{})
	rows := []row{
		refused("swapped for Bearer", authcode.BadAnswer, check, set("token_type", `"Bearer"`)),
		refused("no token_type", authcode.BadAnswer, check, drop("token_type")),
		refused("token_type null", authcode.BadAnswer, check, set("token_type", "null")),
		refused("token_type empty", authcode.BadAnswer, check, set("token_type", `""`)),
		refused("token_type mac", authcode.BadAnswer, check, set("token_type", `"mac"`)),
		refused("token_type N_A", authcode.BadAnswer, check, set("token_type", `"N_A"`)),
		refused("token_type a number", authcode.BadAnswer, check, set("token_type", "1")),
		refused("token_type with a space", authcode.BadAnswer, check, set("token_type", `"DPoP "`)),
		refused("two token types", authcode.BadAnswer, check, set("token_type", `["DPoP","Bearer"]`)),
		accepted("token_type in capitals", set("token_type", `"DPOP"`)),
		accepted("token_type in other case", set("token_type", `"dpOp"`)),
	}
	refused, accepted = rowsAt(at, setup{certificate: true})
	return append(rows,
		refused("certificate, swapped for DPoP", authcode.BadAnswer, check, set("token_type", `"DPoP"`)),
		refused("certificate, token_type mac", authcode.BadAnswer, check, set("token_type", `"mac"`)),
		accepted("certificate, token_type in other case", set("token_type", `"bEARER"`)),
		accepted("certificate, no token_type", drop("token_type")),
	)
}

// memberRows: the other members of the answer (RFC 6749 section 5.1).
func memberRows(at authserver.Place) []row {
	set, drop := authserver.Set, authserver.Drop
	refused, accepted := rowsAt(at, setup{})
	bad := func(name, check string, faults ...authserver.Fault) row {
		return refused(name, authcode.BadAnswer, check, faults...)
	}
	return []row{
		bad("no access_token", "token.access_token", drop("access_token")),
		bad("access_token empty", "token.access_token", set("access_token", `""`)),
		bad("access_token a number", "token.access_token", set("access_token", "1")),
		bad("access_token with a newline", "token.access_token", set("access_token", `"a\nb"`)),
		bad("access_token in capitals", "token.access_token", authserver.Rename("access_token", "Access_Token")),
		bad("two access tokens", "answer.form", authserver.Repeat("access_token", `"`+word+`"`)),
		bad("two token types in one answer", "answer.form", authserver.Repeat("token_type", `"Bearer"`)),
		bad("refresh_token a number", "token.refresh_token", set("refresh_token", "1")),
		bad("refresh_token with a newline", "token.refresh_token", set("refresh_token", `"a\n`+word+`"`)),
		bad("expires_in a word", "token.expires_in", set("expires_in", `"`+word+`"`)),
		bad("expires_in negative", "token.expires_in", set("expires_in", "-1")),
		bad("scope a number", "token.scope", set("scope", "1")),
		bad("a JWT", "answer.form", authserver.Answer(200, "application/jwt", "e30.e30."+word)),
		accepted("no expires_in", drop("expires_in")),
		accepted("no scope", drop("scope")),
		accepted("more scopes", set("scope", `"openid profile email payments"`)),
		accepted("fewer scopes", set("scope", `"openid"`)),
		accepted("as a form", authserver.FormEncoded()),
		accepted("no refresh token", drop("refresh_token")),
		accepted("the same refresh token", authserver.NoRotation()),
		accepted("the name of another key", set("authcode.key", `"`+word+`"`)),
		accepted("a moment later", authserver.Delay(patience/4)),
	}
}

// grantRows: refusals (RFC 6749 section 5.2, RFC 9449 section 5).
func grantRows(at authserver.Place) []row {
	rejected := authcode.GrantRejected
	if at == authserver.Refresh {
		rejected = authcode.GrantRejected
	}
	refused, _ := rowsAt(at, setup{})
	fail := func(name string, reason authcode.Reason, check string, status int, code string) row {
		return refused(name, reason, check, authserver.Error(status, code, word))
	}
	rows := []row{
		fail("invalid_grant", rejected, "answer.error", 400, "invalid_grant"),
		fail("invalid_grant with success", rejected, "answer.error", 200, "invalid_grant"),
		fail("a code of nobody's", rejected, "answer.error", 400, word),
		fail("invalid_target", rejected, "answer.error", 400, "invalid_target"),
		fail("invalid_client", authcode.Configuration, "answer.configuration", 401, "invalid_client"),
		fail("invalid_client by 400", authcode.Configuration, "answer.configuration", 400, "invalid_client"),
		fail("invalid_scope", authcode.Configuration, "answer.configuration", 400, "invalid_scope"),
		fail("unsupported_grant_type", authcode.Configuration, "answer.configuration", 400, "unsupported_grant_type"),
		fail("invalid_dpop_proof by 401", authcode.Configuration, "answer.configuration", 401, "invalid_dpop_proof"),
		fail("500 with a code", authcode.BadAnswer, "answer.error", 500, "server_error"),
		fail("503", authcode.Overloaded, "answer.error", 503, "temporarily_unavailable"),
	}
	other := []authserver.Fault{authserver.First(1, authserver.Error(401, "invalid_client", word))}
	return append(rows, refused("invalid_client once", authcode.Configuration, "answer.configuration", other...))
}

// TestScopesReported: what was granted is told to the app, more or less than what it asked for.
func TestScopesReported(t *testing.T) {
	for granted, want := range map[string][]string{
		`"openid payments"`: {"openid", "payments"},
		`"openid"`:          {"openid"},
		`""`:                {},
		`["openid","a"]`:    {"openid", "a"},
	} {
		for _, profile := range []fapi.Profile{fapi.Security, fapi.MessageSigning} {
			x := newWorld(t, setup{profile: profile})
			x.srv.SetFaults(authserver.Token, authserver.Set("scope", granted))
			got := x.do(authserver.Token)
			if got.err != nil || !slices.Equal(got.login.Scopes, want) {
				t.Errorf("%s: %v, %v", granted, got.login.Scopes, got.err)
			}
		}
	}
}

// TestKeyIsOurs: a member of the answer does not choose the key that the app proves: the API, which knows the
// right one, takes the token after a login and after a refresh. Where keys have no names, there is none.
func TestKeyIsOurs(t *testing.T) {
	for _, certificate := range []bool{false, true} {
		x := newWorld(t, setup{certificate: certificate})
		for _, at := range []authserver.Place{authserver.Token, authserver.Refresh} {
			x.srv.SetFaults(at, authserver.Set("authcode.key", `"`+word+`"`))
		}
		x.prepare(authserver.Refresh)
		renewed := x.do(authserver.Refresh)
		if renewed.err != nil {
			t.Fatal(renewed.err)
		}
		for _, login := range []*authcode.Login{x.login, renewed.login} {
			if status, err := x.callAPI(login); status != 200 || err != nil {
				t.Errorf("the API answered %d, %v", status, err)
			}
			if key, named := login.Token.Extra("authcode.key").(string); key == word || named == certificate {
				t.Errorf("certificate %t: the key is %q", certificate, key)
			}
		}
	}
}
