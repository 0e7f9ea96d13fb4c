package fapi_test

import (
	"slices"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/fapi"
	"example.com/authcode/internal/authserver"
)

var (
	withUserInfo      = setup{userInfo: true}
	byCertificate     = setup{certificate: true, method: authserver.TLSClientAuth, userInfo: true}
	byCertificateOnly = setup{certificate: true, userInfo: true} // the app authenticates by private_key_jwt
)

// TestHostileUserInfo: the userinfo answer, for tokens bound by DPoP and by a certificate.
func TestHostileUserInfo(t *testing.T) {
	run(t, slices.Concat(userInfoRows(withUserInfo), signedUserInfoRows(withUserInfo)))
	run(t, under(userInfoRows(byCertificate), "certificate", func(*setup) {}))
}

func userInfoRows(in setup) []row {
	const refusal = authcode.IdentityRefused
	set, drop := authserver.Set, authserver.Drop
	refused, accepted := rowsAt(authserver.UserInfo, in)
	return []row{
		refused("another person", refusal, "userinfo.sub", set("sub", `"bob"`)),
		refused("nobody", refusal, "userinfo.sub", drop("sub")),
		refused("a subject that is a list", refusal, "userinfo.sub", set("sub", `["alice"]`)),
		refused("two subjects", authcode.BadAnswer, "userinfo.form", authserver.Repeat("sub", "")),
		refused("called a JWT", refusal, "userinfo.form", authserver.ContentType("application/jwt")),
		refused("a form", authcode.BadAnswer, "userinfo.form", authserver.FormEncoded()),
		refused("401", authcode.BadAnswer, "userinfo.status", authserver.Challenge(`DPoP error="invalid_token", error_description="`+word+`"`)),
		refused("403", authcode.BadAnswer, "userinfo.status", authserver.Error(403, "insufficient_scope", word)),
		accepted("called text/plain", authserver.ContentType("text/plain")),
		accepted("signed", authserver.SignedUserInfo()),
	}
}

func signedUserInfoRows(in setup) (rows []row) {
	const refusal = authcode.IdentityRefused
	signed := slices.Concat(signatureRows(authserver.UserInfo, in, refusal, "userinfo"), claimRows(authserver.UserInfo, in, refusal, "userinfo"))
	for _, r := range under(signed, "signed", func(*setup) {}) {
		// It came over TLS, to the login's own token: see oidc.UserInfo.
		missing := []string{"signed: no issuer", "signed: no audience", "signed: no exp"}
		unread := []string{".typ", ".iat", ".nbf"}
		if slices.Contains(missing, r.name) || slices.ContainsFunc(unread, func(rule string) bool { return r.check == "userinfo"+rule }) {
			r.check = ""
		}
		r.faults = append([]authserver.Fault{authserver.SignedUserInfo()}, r.faults...)
		rows = append(rows, r)
	}
	return rows
}

// TestHostileIntrospection: plain (RFC 7662) and signed answers (RFC 9701).
func TestHostileIntrospection(t *testing.T) {
	run(t, introspectionRows(setup{}))
	run(t, under(introspectionRows(setup{method: authserver.SelfSignedTLS}), "certificate", func(*setup) {}))
	run(t, signedIntrospectionRows())
}

func introspectionRows(in setup) []row {
	set, drop := authserver.Set, authserver.Drop
	refused, accepted := rowsAt(authserver.Introspection, in)
	bad := func(name, check string, faults ...authserver.Fault) row {
		return refused(name, authcode.BadAnswer, "introspection."+check, faults...)
	}
	return []row{
		bad("active missing", "active", drop("active")),
		bad("active a text", "active", set("active", `"true"`)),
		bad("active a number", "active", set("active", "1")),
		bad("active null", "active", set("active", "null")),
		bad("active under another name", "active", authserver.Rename("active", "Active")),
		bad("active twice", "form", authserver.Repeat("active", "")),
		bad("active twice but for case", "form", set("ACTIVE", "true")),
		bad("a form", "form", authserver.FormEncoded()),
		bad("signed, and nobody asked", "form", authserver.Signed()),
		refused("invalid_client", authcode.Configuration, "introspection.unauthorized", authserver.Error(401, "invalid_client", word)),
		bad("invalid_request", "status", authserver.Error(400, "invalid_request", word)),
		bad("201", "status", authserver.Answer(201, "application/json", `{"active":true}`)),
		refused("no endpoint", authcode.Configuration, "introspection.endpoint").times(-1).
			and(authserver.Discovery, drop("introspection_endpoint"), drop("mtls_endpoint_aliases")),
		refused("an endpoint on the app's own host", authcode.Configuration, "introspection.endpoint").times(-1).
			and(authserver.Discovery, set("introspection_endpoint", `"http://localhost/`+word+`"`), drop("mtls_endpoint_aliases")),
		accepted("an inactive token", set("active", "false")),
		accepted("an error beside it", set("error", `"`+word+`"`)),
	}
}

func signedIntrospectionRows() []row {
	const refusal = authcode.IdentityRefused
	set, drop, header := authserver.Set, authserver.Drop, authserver.Header
	rows := signatureRows(authserver.IntrospectionJWT, signing, refusal, "introspection")
	for _, r := range claimRows(authserver.IntrospectionJWT, signing, refusal, "introspection") {
		if r.check != "introspection.exp" && r.check != "introspection.nbf" { // RFC 9701 section 5: it has none
			rows = append(rows, r)
		}
	}
	refused, accepted := rowsAt(authserver.IntrospectionJWT, signing)
	rows = append(rows,
		refused("typ JWT", refusal, "introspection.typ", header(set("typ", `"JWT"`))),
		refused("no typ", refusal, "introspection.typ", header(drop("typ"))),
		refused("no iat", refusal, "introspection.iat", drop("iat")),
		refused("an old one", refusal, "introspection.iat", set("iat", inTime(-5*time.Minute))),
		refused("no answer in it", refusal, "introspection.claim", drop("token_introspection")),
		refused("a text in it", refusal, "introspection.claim", set("token_introspection", `"{\"active\":true}"`)),
		refused("active beside the answer", authcode.BadAnswer, "introspection.active", set("token_introspection", "{}"), set("active", "true")),
		refused("active twice", refusal, "introspection.claim", set("token_introspection", `{"active":false,"active":true}`)),
		accepted("a claim of no meaning", set("foo", "{}")),
	)
	refused, accepted = rowsAt(authserver.Introspection, signing)
	return under(append(rows,
		refused("plain", refusal, "introspection.typ", authserver.Plain()),
		refused("plain, called signed", refusal, "introspection.form", authserver.Plain(), authserver.ContentType("application/token-introspection+jwt")),
		refused("called a JWT", refusal, "introspection.typ", authserver.ContentType("application/jwt")),
		refused("active missing", authcode.BadAnswer, "introspection.active", drop("active")),
		accepted("an inactive token", set("active", "false")),
	), "signed", func(*setup) {})
}

// TestInactive: of a token that is not active, or by its own dates cannot be, nothing is said.
func TestInactive(t *testing.T) {
	for _, profile := range []fapi.Profile{fapi.Security, fapi.MessageSigning} {
		x := newWorld(t, setup{profile: profile})
		x.prepare(authserver.Introspection)
		if got := x.do(authserver.Introspection); got.err != nil || !got.info.Active || got.info.Subject != "alice" || got.info.ClientID != clientID {
			t.Fatalf("profile %d: %+v", profile, got)
		}
		for name, value := range map[string]string{
			"active": "false", "exp": inTime(-5 * time.Minute), "nbf": inTime(5 * time.Minute),
		} {
			x.srv.SetFaults(authserver.Introspection, authserver.Set(name, value))
			got := x.do(authserver.Introspection)
			if got.err != nil || got.info.Active || got.info.Subject != "" || got.info.Claims != nil || got.info.Scopes != nil {
				t.Errorf("profile %d, %s: %+v", profile, name, got)
			}
		}
	}
}

// TestHostileRevocation: any success is one (RFC 7009 section 2.2).
func TestHostileRevocation(t *testing.T) { run(t, revocationRows()) }

func revocationRows() []row {
	refused, accepted := rowsAt(authserver.Revocation, setup{})
	return []row{
		refused("unsupported_token_type", authcode.BadAnswer, "answer.error", authserver.Error(400, "unsupported_token_type", word)),
		refused("invalid_client", authcode.Configuration, "answer.configuration", authserver.Error(401, "invalid_client", word)),
		refused("503", authcode.Overloaded, "answer.error", authserver.Error(503, "temporarily_unavailable", word)),
		refused("a nonce", authcode.BadAnswer, "answer.dpop_nonce", authserver.DemandFreshNonce()), // it takes no proofs
		accepted("an error with success", authserver.Error(200, "invalid_request", word)),
		accepted("nothing", authserver.Answer(204, "", "")),
	}
}

// TestHostileAPI: what an API answers comes back as it is, after one request.
func TestHostileAPI(t *testing.T) { run(t, apiRows()) }

func apiRows() []row {
	_, accepted := rowsAt(authserver.Resource, setup{})
	var rows []row
	for name, challenge := range map[string]string{
		"a token that is over": `DPoP error="invalid_token"`, "a proof that is wrong": `DPoP error="invalid_dpop_proof"`,
		"a better sign-in": `DPoP error="insufficient_user_authentication", max_age="1"`,
	} {
		rows = append(rows, accepted(name, authserver.Challenge(challenge)).answered(401))
	}
	_, bound := rowsAt(authserver.Resource, byCertificate)
	_, boundOnly := rowsAt(authserver.Resource, byCertificateOnly)
	return append(rows,
		accepted("another right", authserver.Error(403, "insufficient_scope", word)).answered(403),
		bound("a token that is over, by certificate", authserver.Challenge(`Bearer error="invalid_token"`)).answered(401),
		bound("a nonce, by certificate", authserver.DemandFreshNonce()).answered(401),
		boundOnly("a good answer, by certificate", authserver.Delay(time.Millisecond)).answered(200),
	)
}
