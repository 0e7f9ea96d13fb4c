package oidc_test

import (
	"encoding/json"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// openers make the provider sign each kind of JWT, and open it.
var openers = map[string]func(*testing.T, *memOP) error{
	"id_token": func(t *testing.T, p *memOP) error {
		_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(p.token(nil)))
		return err
	},
	"userinfo": func(t *testing.T, p *memOP) error {
		p.answer(memUserInfo, always(200, "application/jwt", p.key.sign(payload(p.info, members{"iss": memIssuer}), nil)))
		_, err := identify(t.Context(), oidc.Provider(memIssuer, oidc.UserInfo()), p.login(newKey("RS256", "own").sign(payload(p.claims(), nil), nil)))
		return err
	},
	"userinfo without iss": func(t *testing.T, p *memOP) error {
		p.answer(memUserInfo, always(200, "application/jwt", p.key.sign(payload(p.info, nil), nil)))
		_, err := identify(t.Context(), oidc.Provider(memIssuer, oidc.UserInfo()), p.login(newKey("RS256", "own").sign(payload(p.claims(), nil), nil)))
		return err
	},
	"logout_token": func(t *testing.T, p *memOP) error {
		_, err := verify(t.Context(), oidc.Provider(memIssuer), p, "logout+jwt", p.logoutToken(nil))
		return err
	},
	"response": func(t *testing.T, p *memOP) error {
		_, err := verify(t.Context(), oidc.Provider(memIssuer), p, responseType, signedResponse(p, nil))
		return err
	},
	"introspection": func(t *testing.T, p *memOP) error {
		body := p.key.sign(payload(members{"iss": memIssuer, "aud": memClient, "iat": in(0), "token_introspection": members{"active": true}}, nil),
			members{"typ": "token-introspection+jwt"})
		_, err := verify(t.Context(), oidc.Provider(memIssuer), p, "token-introspection+jwt", body)
		return err
	},
}

// keyIssuers are the issuers that a key may name.
var keyIssuers = map[string]struct {
	issuer any
	check  string // behind the kind's name; empty: accepted
}{
	"a key that names nobody":                {nil, ""},
	"null":                                   {json.RawMessage("null"), ""},
	"the provider's key":                     {memIssuer, ""},
	"a key for all tenants":                  {"https://op.example/{tenantid}", ""},
	"a key of another issuer":                {"https://evil.example", ".iss"},
	"a key of an issuer that begins alike":   {memIssuer + "/x", ".iss"},
	"a key of an issuer that is a beginning": {"https://op.example/re", ".iss"},
	"a key of another case":                  {"https://op.example/Realm", ".iss"},
	"a key for the tenants of another":       {"https://evil.example/{tenantid}", ".iss"},
	"a key for tenants of two path segments": {"https://{tenantid}/realm/x", ".iss"},
	"a key for tenants of a longer path":     {"https://op.example/{tenantid}/v2.0", ".iss"},
	"a key whose tenant would be a host":     {"https://{tenantid}", ".iss"},
	"a key whose tenant would be a scheme":   {"x{tenantid}://op.example/realm", ".iss"},
	"a key for the empty issuer":             {"", "key"},
	"a key for a number":                     {7, "key"},
	"a key for a list of issuers":            {[]string{memIssuer}, "key"},
}

// TestKeyIssuer: a key that names an issuer signs for that issuer alone, at every provider and for
// every kind of JWT.
func TestKeyIssuer(t *testing.T) {
	for claim, row := range keyIssuers {
		for kind, open := range openers {
			t.Run(claim+": "+kind, func(t *testing.T) {
				p := newMemOP("RS256")
				p.keys = []members{p.key.jwk(members{"issuer": row.issuer}), newKey("RS256", "own").jwk(nil)}
				err := open(t, p)
				check, name := "jwks.key", kind
				if kind == "userinfo without iss" {
					name = "userinfo"
				}
				if row.check != "key" {
					check = name + row.check
				}
				// A token without an issuer cannot match one.
				nameless := kind != name && row.issuer != nil && claim != "null" && row.check == ""
				reason := authcode.IdentityRefused
				if kind == "response" {
					reason = authcode.Forged
				}
				switch {
				case nameless:
					wantError(t, err, reason, "userinfo.iss")
				case row.check != "":
					wantError(t, err, reason, check)
				case err != nil:
					t.Error(err)
				}
			})
		}
	}
}
