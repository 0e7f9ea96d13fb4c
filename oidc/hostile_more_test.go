package oidc_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// hostileParties are ID tokens by others and for others.
func hostileParties() []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	id := hostileRows(authserver.IDToken, authcode.IdentityRefused)
	both := set("aud", `["`+hostileClient+`","`+hostileWord+`"]`)
	trust := oidc.TrustAudiences(hostileWord)
	return []hostileRow{
		id("no iss", "id_token.iss", drop("iss")),
		id("another iss", "id_token.iss", set("iss", `"https://`+hostileWord+`.example"`)),
		id("iss is a list", "id_token.iss", set("iss", `["x"]`)),
		id("no aud", "id_token.aud", drop("aud")),
		id("another aud", "id_token.aud", set("aud", `"`+hostileWord+`"`)),
		id("aud begins like the client", "id_token.aud", set("aud", `"`+hostileClient+` x"`)),
		id("aud is an empty list", "id_token.aud", set("aud", "[]")),
		id("aud is a number", "id_token.aud", set("aud", "1")),
		id("an audience that is not trusted", "id_token.aud", both, set("azp", `"`+hostileClient+`"`)),
		id("only the trusted audience", "id_token.aud", set("aud", `"`+hostileWord+`"`)).with(trust),
		id("two audiences, no azp", "id_token.azp", both).with(trust),
		id("two audiences, another azp", "id_token.azp", both, set("azp", `"`+hostileWord+`"`)).with(trust),
		id("one audience, another azp", "id_token.azp", set("azp", `"`+hostileWord+`"`)),
		id("azp is a list", "id_token.azp", set("azp", `["`+hostileClient+`"]`)),
	}
}

// hostileTimes are ID tokens out of time.
func hostileTimes() []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	id := hostileRows(authserver.IDToken, authcode.IdentityRefused)
	return []hostileRow{
		id("no exp", "id_token.exp", drop("exp")),
		id("expired", "id_token.exp", set("exp", hostileTime(-62*time.Second))),
		id("exp is a text", "id_token.exp", set("exp", `"`+hostileTime(time.Hour)+`"`)),
		id("exp beyond all time", "id_token.exp", set("exp", "1e400")),
		id("no iat", "id_token.iat", drop("iat")),
		id("iat in the future", "id_token.iat", set("iat", hostileTime(90*time.Second))),
		id("iat is null", "id_token.iat", set("iat", "null")),
		id("not valid yet", "id_token.nbf", set("nbf", hostileTime(90*time.Second))),
	}
}

// hostileSubjects are ID tokens about nobody.
func hostileSubjects() []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	id := hostileRows(authserver.IDToken, authcode.IdentityRefused)
	return []hostileRow{
		id("no sub", "id_token.sub", drop("sub")),
		id("an empty sub", "id_token.sub", set("sub", `""`)),
		id("sub is a number", "id_token.sub", set("sub", "12")),
		id("sub of 256 bytes", "id_token.sub", set("sub", `"`+strings.Repeat("x", 256)+`"`)),
		id("sub with a control character", "id_token.sub", set("sub", `"alice\u0000"`)),
		id("sub with a later one", "id_token.sub", set("sub", `"alice\u0085x"`)),
		id("sub with half a character", "id_token.sub", set("sub", `"alice\ud800"`)),
		id("sub beyond ASCII", "id_token.sub", set("sub", `"alicé"`)),
		id("sub with a full-width letter", "id_token.sub", set("sub", `"ａlice"`)),
		id("sub with a space at its end", "id_token.sub", set("sub", `"alice "`)),
		id("sub in another case", "id_token.sub", authserver.Rename("sub", "Sub")),
	}
}

// hostileLogins are ID tokens of other logins.
func hostileLogins() []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	id := hostileRows(authserver.IDToken, authcode.IdentityRefused)
	recent := authcode.Param("max_age", "60")
	return []hostileRow{
		id("no nonce", "id_token.nonce", drop("nonce")),
		id("another nonce", "id_token.nonce", set("nonce", `"`+hostileWord+`"`)),
		id("nonce is a list", "id_token.nonce", set("nonce", "[]")),
		id("no auth_time", "id_token.auth_time", drop("auth_time")).login(recent),
		id("an old auth_time", "id_token.auth_time", set("auth_time", hostileTime(-122*time.Second))).login(recent),
		id("auth_time in the future", "id_token.auth_time", set("auth_time", hostileTime(90*time.Second))).login(recent),
		id("at_hash of another token", "id_token.at_hash", set("at_hash", `"77QmUPtjPfzWtF2AnpK9RQ"`)),
		id("an empty at_hash", "id_token.at_hash", set("at_hash", `""`)),
		id("at_hash of another token, EdDSA", "id_token.at_hash", set("at_hash", `"77QmUPtjPfzWtF2AnpK9RQ"`)).signed("EdDSA"),
		id("no hosted domain", "id_token.hd").with(oidc.HostedDomain("corp.example")).because(authcode.NotAdmitted),
		id("another hosted domain", "id_token.hd", set("hd", `"`+hostileWord+`"`)).with(oidc.HostedDomain("corp.example")).because(authcode.NotAdmitted),
	}
}

// tolerableClaims are ID tokens that must be accepted.
func tolerableClaims() []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	id := hostileRows(authserver.IDToken, authcode.IdentityRefused)
	both := set("aud", `["`+hostileClient+`","`+hostileWord+`"]`)
	trust := oidc.TrustAudiences(hostileWord)
	recent := authcode.Param("max_age", "60")
	return []hostileRow{
		id("two audiences, both fine", "", both, set("azp", `"`+hostileClient+`"`)).with(trust),
		id("aud is a list of one", "", set("aud", `["`+hostileClient+`"]`)),
		id("no at_hash", "", drop("at_hash")),
		id("a clock a minute behind", "", set("exp", hostileTime(-50*time.Second)), set("iat", hostileTime(-time.Hour))),
		id("a clock a minute ahead", "", set("iat", hostileTime(50*time.Second)), set("nbf", hostileTime(50*time.Second))),
		id("a recent sign-in", "", set("auth_time", hostileTime(-110*time.Second))).login(recent),
		id("no typ", "", authserver.Header(drop("typ"))),
		id("RS256", "").signed("RS256"),
		id("EdDSA", "").signed("EdDSA"),
	}
}

// TestHostileClaims: OpenID Connect Core section 3.1.3.7.
func TestHostileClaims(t *testing.T) {
	runHostile(t, slices.Concat(hostileParties(), hostileTimes(), hostileSubjects(),
		hostileLogins(), tolerableClaims()))
}

// hostileAnswers are answers of the userinfo endpoint that are not signed.
func hostileAnswers(t *testing.T) []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	info := hostileRows(authserver.UserInfo, authcode.IdentityRefused)
	bad := hostileRows(authserver.UserInfo, authcode.BadAnswer)
	return []hostileRow{
		info("another sub", "userinfo.sub", set("sub", `"bob"`)),
		info("no sub", "userinfo.sub", drop("sub")),
		info("sub is a list", "userinfo.sub", set("sub", `["alice"]`)),
		bad("sub twice", "userinfo.form", authserver.Repeat("sub", "")),
		bad("no JSON", "userinfo.form", authserver.Answer(200, "application/json", hostileWord)),
		bad("100 MB", "userinfo.size", authserver.Padded(100_000_000)),
		bad("endless", "userinfo.size", authserver.Endless()),
		bad("a redirect", "userinfo.redirect", authserver.Redirect(307, hostileTrap(t))).as(authcode.BadAnswer),
		bad("status 401", "userinfo.status", authserver.Error(401, "invalid_token", hostileWord)),
		bad("status 400 with the request in it", "userinfo.status", authserver.EchoText()),
		bad("status 404", "userinfo.missing", authserver.Answer(404, "", "")),
		bad("status 503", "userinfo.status", authserver.Busy(503, "1")).as(authcode.Overloaded),
		bad("a reset", "userinfo.unreachable", authserver.Reset()).as(authcode.Unreachable),
	}
}

// signedAnswers are answers of the userinfo endpoint, most of them signed.
func signedAnswers() []hostileRow {
	set, drop := authserver.Set, authserver.Drop
	info := hostileRows(authserver.UserInfo, authcode.IdentityRefused)
	jwt := authserver.SignedUserInfo()
	other := `"` + hostileWord + `"`
	return []hostileRow{
		info("a JWT that is none", "userinfo.form", authserver.ContentType("application/jwt")),
		info("JWT, encrypted", "userinfo.form", jwt, authserver.Encrypted()),
		info("JWT, another key", "userinfo.signature", jwt, authserver.OtherKey()),
		info("JWT, changed", "userinfo.signature", jwt, authserver.Tampered(set("email", other))),
		info("JWT, unsigned", "userinfo.alg", jwt, authserver.SignAs("none")),
		info("JWT, HMAC with the public key", "userinfo.alg", jwt, authserver.SignAs("HS256")),
		info("JWT, unknown kid", "jwks.key", jwt, authserver.Header(set("kid", other))),
		info("JWT, another sub", "userinfo.sub", jwt, set("sub", `"bob"`)),
		info("JWT, another iss", "userinfo.iss", jwt, set("iss", other)),
		info("JWT, another aud", "userinfo.aud", jwt, set("aud", other)),
		info("JWT, another azp", "userinfo.azp", jwt, set("azp", other)),
		info("JWT, expired", "userinfo.exp", jwt, set("exp", hostileTime(-62*time.Second))),
		info("JWT, iss is null", "userinfo.iss", jwt, set("iss", "null")),
		info("JWT, aud is null", "userinfo.aud", jwt, set("aud", "null")),
		info("JWT, exp is a text", "userinfo.exp", jwt, set("exp", `"`+hostileTime(time.Hour)+`"`)),
		info("JWT, no iss and aud, another sub", "userinfo.sub", jwt, drop("iss"), drop("aud"), set("sub", `"bob"`)),
		info("JWT, no iss and no aud", "", jwt, drop("iss"), drop("aud")),
		info("plain", ""),
		info("JWT", "", jwt),
		info("JWT by RS256", "", jwt).signed("RS256"),
	}
}

// TestHostileUserInfo: OpenID Connect Core section 5.3.2 and 5.3.4.
func TestHostileUserInfo(t *testing.T) {
	rows := slices.Concat(hostileAnswers(t), signedAnswers())
	for i := range rows {
		rows[i] = rows[i].with(oidc.UserInfo())
	}
	runHostile(t, rows)
}

// TestHostileRefresh: OpenID Connect Core section 12.2.
func TestHostileRefresh(t *testing.T) {
	id := hostileRows(authserver.IDToken, authcode.IdentityRefused)
	set, drop := authserver.Set, authserver.Drop
	for _, row := range []hostileRow{
		id("somebody else's", "refresh.sub", set("sub", `"bob"`)),
		id("of another issuer", "id_token.iss", set("iss", `"https://`+hostileWord+`.example"`)),
		id("for another client", "id_token.aud", set("aud", `"`+hostileWord+`"`)),
		id("of another login", "id_token.nonce", set("nonce", `"`+hostileWord+`"`)),
		id("of another access token", "id_token.at_hash", set("at_hash", `"77QmUPtjPfzWtF2AnpK9RQ"`)),
		id("expired", "id_token.exp", set("exp", hostileTime(-62*time.Second))),
		id("by another key", "id_token.signature", authserver.OtherKey()),
		id("unsigned", "id_token.alg", authserver.SignAs("none")),
		id("as it should be", ""),
		id("dated with fractions of a second", "", set("iat", hostileTime(0)+".5")),
		id("none at all", "").at(authserver.Refresh, drop("id_token")),
	} {
		t.Run(row.name, func(t *testing.T) {
			x := newHostileApp(t, row)
			login := x.mustLogin()
			x.plant(row)
			fresh, err := x.client.Refresh(t.Context(), login.Token)
			if row.check == "" {
				if err != nil || fresh.AccessToken == login.Token.AccessToken {
					t.Errorf("refused: %v", err)
				}
				return
			}
			refusal, ok := err.(*authcode.Error)
			if !ok || fresh != nil {
				t.Fatalf("got %v and %v", fresh != nil, err)
			}
			x.show(refusal)
			x.want(row, refusal)
			if refusal.Final != notForThisLogin[row.check] {
				t.Errorf("final is %t", refusal.Final)
			}
		})
	}
}
