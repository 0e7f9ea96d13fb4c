package oidc_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

func TestUserInfo(t *testing.T) {
	p := newMemOP("RS256")
	p.answer(memUserInfo, func(r *http.Request) (*http.Response, error) {
		if r.Method != "GET" || r.Header.Get("Authorization") != "Bearer "+memAccess || r.URL.RawQuery != "" {
			t.Errorf("got %s %s, Authorization %q", r.Method, r.URL, r.Header.Get("Authorization"))
		}
		return reply(200, "application/json; charset=utf-8", string(payload(p.info, nil))), nil
	})
	i := oidc.Provider(memIssuer, oidc.UserInfo())
	id := wantIdentity(t, i, p.login(p.token(members{"name": "Alice of the token"})))
	if id.Subject != "alice" || id.Name != "Alice of the token" || id.Claims["zoneinfo"] != "Europe/Paris" {
		t.Errorf("got %+v", id)
	}
	wantIdentity(t, oidc.Provider(memIssuer), p.login(p.token(nil)))
	p.wantRequests(t, memUserInfo, 1)
}

type userInfoRow struct {
	claim   string
	prepare func(p *memOP)
	reason  authcode.Reason // empty: accepted
	check   string
}

// plainUserInfo are answers that are not signed.
func plainUserInfo() []userInfoRow {
	const refused, bad = authcode.IdentityRefused, authcode.BadAnswer
	plain := func(changes members) func(p *memOP) {
		return func(p *memOP) { p.info = changed(p.info, changes) }
	}
	raw := func(status int, body string) func(p *memOP) {
		return func(p *memOP) { p.answer(memUserInfo, always(status, "application/json", body)) }
	}
	return []userInfoRow{
		{"another subject is refused", plain(members{"sub": "bob"}), refused, "userinfo.sub"},
		{"no subject is refused", plain(members{"sub": nil}), refused, "userinfo.sub"},
		{"a subject in a list is refused", plain(members{"sub": []string{"alice"}}), refused, "userinfo.sub"},
		{"what is no object is refused", raw(200, `["alice"]`), bad, "userinfo.form"},
		{"a web page is refused", raw(200, `<html>`), bad, "userinfo.form"},
		{"a repeated subject is refused", raw(200, `{"sub":"alice","sub":"bob"}`), bad, "userinfo.form"},
		{"more than 256 KiB is refused", raw(200, `{"sub":"alice","x":"`+strings.Repeat("x", 256<<10)+`"}`), bad, "userinfo.size"},
		{"an error is reported", raw(401, `{"error":"invalid_token"}`), bad, "userinfo.status"},
		{"a redirect is not followed", func(p *memOP) { p.answer(memUserInfo, redirectTo("https://op.example/u2")) }, authcode.BadAnswer, "userinfo.redirect"},
		{"no connection is reported", func(p *memOP) { p.answer(memUserInfo, down) }, authcode.Unreachable, "userinfo.unreachable"},
		{"a token is not sent over http", func(p *memOP) { p.metadata["userinfo_endpoint"] = "http://op.example/userinfo" }, bad, "userinfo.endpoint"},
	}
}

// signedUserInfo are answers that are signed, or look like it.
func signedUserInfo() []userInfoRow {
	const refused, bad = authcode.IdentityRefused, authcode.BadAnswer
	sign := func(p *memOP, changes, headers members) string { return p.key.sign(payload(p.info, changes), headers) }
	stranger := func(p *memOP) string { return newKey("RS256", "x").sign(payload(p.info, nil), members{"kid": "k1"}) }
	jwt := func(f func(p *memOP) string) func(p *memOP) {
		return func(p *memOP) { p.answer(memUserInfo, always(200, "application/jwt", f(p))) }
	}
	signed := func(changes members) func(p *memOP) {
		return jwt(func(p *memOP) string { return sign(p, changes, nil) })
	}
	raw := func(status int, body string) func(p *memOP) {
		return func(p *memOP) { p.answer(memUserInfo, always(status, "application/json", body)) }
	}
	return []userInfoRow{
		{"a signed answer is accepted", signed(members{"iss": memIssuer, "aud": memClient}), "", ""},
		{"a signed answer without iss and aud is accepted", signed(nil), "", ""},
		{"a signed answer of another issuer is refused", signed(members{"iss": "https://evil.example"}), refused, "userinfo.iss"},
		{"a signed answer for another app is refused", signed(members{"aud": "other"}), refused, "userinfo.aud"},
		{"a signed answer about another is refused", signed(members{"sub": "bob"}), refused, "userinfo.sub"},
		{"an expired signed answer is refused", signed(members{"exp": in(-100)}), refused, "userinfo.exp"},
		{"a signed answer that expires beyond all time is refused", signed(members{"exp": json.RawMessage("1e400")}), refused, "userinfo.exp"},
		{"a signed answer that is valid is accepted", signed(members{"exp": in(100)}), "", ""},
		{"a stranger's signature is refused", jwt(stranger), refused, "userinfo.signature"},
		{"alg none is refused", jwt(func(p *memOP) string { return cut(sign(p, nil, members{"alg": "none"}), 2) + "." }), refused, "userinfo.alg"},
		{"JSON that is called a JWT is refused", jwt(func(p *memOP) string { return string(payload(p.info, nil)) }), refused, "userinfo.form"},
		{"a JWT that is called JSON is refused", func(p *memOP) { raw(200, sign(p, nil, nil))(p) }, bad, "userinfo.form"},
	}
}

func TestUserInfoRules(t *testing.T) {
	for _, row := range slices.Concat(plainUserInfo(), signedUserInfo()) {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			row.prepare(p)
			id, err := identify(t.Context(), oidc.Provider(memIssuer, oidc.UserInfo()), p.login(p.token(nil)))
			if row.reason != "" {
				wantError(t, err, row.reason, row.check)
			} else if err != nil || id.Name != "Alice" {
				t.Errorf("got %+v, %v", id, err)
			}
			p.wantRequests(t, "/u2", 0)
		})
	}
}

// addresses are claims about an address, and what of them counts.
var addresses = []struct {
	claim      string
	token      members
	info       members // nil: userinfo is not asked
	opts       []oidc.Option
	email      string
	isVerified bool
}{
	{claim: "true is verified", token: members{"email": "a@x.example", "email_verified": true}, email: "a@x.example", isVerified: true},
	{claim: "false is not", token: members{"email": "a@x.example", "email_verified": false}, email: "a@x.example"},
	{claim: "an address of which nothing is said is not verified", token: members{"email": "a@x.example"}, email: "a@x.example"},
	{claim: "null is not", token: members{"email": "a@x.example", "email_verified": json.RawMessage("null")}, email: "a@x.example"},
	{claim: "nothing said is not verified where texts count", token: members{"email": "a@x.example"},
		opts: []oidc.Option{oidc.StringEmailVerified()}, email: "a@x.example"},
	{claim: "1 is not", token: members{"email": "a@x.example", "email_verified": 1}, email: "a@x.example"},
	{claim: `"true" is not`, token: members{"email": "a@x.example", "email_verified": "true"}, email: "a@x.example"},
	{claim: `"true" is where the app says so`, token: members{"email": "a@x.example", "email_verified": "true"},
		opts: []oidc.Option{oidc.StringEmailVerified()}, email: "a@x.example", isVerified: true},
	{claim: `"false" is not even then`, token: members{"email": "a@x.example", "email_verified": "false"},
		opts: []oidc.Option{oidc.StringEmailVerified()}, email: "a@x.example"},
	{claim: "no address is not verified", token: members{"email_verified": true}},
	{claim: "a list of addresses is none", token: members{"email": []string{"a@x.example"}, "email_verified": true}},
	{claim: "userinfo adds an address with its flag", info: members{"email": "b@x.example", "email_verified": true}, email: "b@x.example", isVerified: true},
	{claim: "the token's address keeps the token's silence", token: members{"email": "a@x.example"},
		info: members{"email": "b@x.example", "email_verified": true}, email: "a@x.example"},
	{claim: "userinfo's address does not get the token's flag", token: members{"email_verified": true},
		info: members{"email": "b@x.example"}, email: "b@x.example"},
	{claim: "userinfo does not change the issuer", token: members{"email": "a@x.example", "email_verified": false},
		info: members{"iss": "https://evil.example", "nonce": "x", "aud": "y"}, email: "a@x.example"},
}

func TestIdentity(t *testing.T) {
	for _, row := range addresses {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemOP("RS256")
			opts := row.opts
			if row.info != nil {
				p.info = changed(p.info, row.info)
				opts = append(opts, oidc.UserInfo())
			}
			id := wantIdentity(t, oidc.Provider(memIssuer, opts...), p.login(p.token(row.token)))
			if id.Issuer != memIssuer || id.Email != row.email || id.EmailVerified != row.isVerified {
				t.Errorf("got %+v", id)
			}
			if claim, ok := id.Claims["email_verified"].(bool); ok && claim != row.isVerified && id.Email != "" {
				t.Errorf("the claims say otherwise: %v", id.Claims)
			}
			if id.Claims["nonce"] != memNonce || id.Claims["aud"] != memClient {
				t.Errorf("the claims are %v", id.Claims)
			}
		})
	}
}

// TestClaims: all claims are there, with their numbers exact.
func TestClaims(t *testing.T) {
	p := newMemOP("RS256")
	id := wantIdentity(t, oidc.Provider(memIssuer), p.login(p.token(members{
		"name": "Alice \u00c9", "picture": "https://x.example/a.png", "big": json.RawMessage("12345678901234567890"),
		"groups": []any{"a", members{"id": json.RawMessage("0.10")}}, "none": json.RawMessage("null"),
	})))
	if id.Name != "Alice \u00c9" || id.Picture != "https://x.example/a.png" {
		t.Errorf("got %+v", id)
	}
	if id.Claims["big"] != json.Number("12345678901234567890") {
		t.Errorf("big is %v", id.Claims["big"])
	}
	want := []any{"a", map[string]any{"id": json.Number("0.10")}}
	if !reflect.DeepEqual(id.Claims["groups"], want) {
		t.Errorf("groups is %v", id.Claims["groups"])
	}
	if none, present := id.Claims["none"]; !present || none != nil {
		t.Errorf("none is %v, %v", none, present)
	}
}

// TestUserInfoURL: what the metadata says, or nothing, for an app that asks the endpoint later.
func TestUserInfoURL(t *testing.T) {
	p := newMemOP("RS256")
	c := newMemLogin(t, p, oidc.Provider(memIssuer))
	for range 2 {
		conn, err := c.Connection(t.Context())
		if err != nil || conn.Endpoints.UserInfoURL != "https://op.example"+memUserInfo {
			t.Errorf("got %v, %v", conn, err)
		}
	}
	p.wantRequests(t, memMetadata, 1)
	for _, url := range []any{nil, "http://op.example/userinfo", "http://127.0.0.1/userinfo", "https://op.example/u\u00e9"} {
		p.metadata = changed(p.metadata, members{"userinfo_endpoint": url})
		conn, err := newMemLogin(t, p, oidc.Provider(memIssuer)).Connection(t.Context())
		if err != nil || conn.Endpoints.UserInfoURL != "" {
			t.Errorf("%v: got %v, %v", url, conn, err)
		}
		id, err := identify(t.Context(), oidc.Provider(memIssuer, oidc.UserInfo()), p.login(p.token(members{"name": "Alice"})))
		switch {
		case url != nil: // the app might miss what the provider meant to say
			wantError(t, err, authcode.BadAnswer, "userinfo.endpoint")
		case err != nil || id.Name != "Alice" || id.Claims["zoneinfo"] != nil:
			t.Errorf("without an endpoint: got %+v, %v", id, err)
		}
		p.wantRequests(t, memUserInfo, 0)
	}
	_, err := oidc.Provider("").Metadata(t.Context(), p.conn(authcode.Provider{}))
	wantError(t, err, authcode.Configuration, "config.issuer")
}
