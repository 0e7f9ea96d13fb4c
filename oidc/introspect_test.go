package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

const memIntrospect = "/introspect"

// newMemIntrospection is a provider that answers each question with kind and body, and the last question.
func newMemIntrospection(kind, body string) (*memOP, *http.Request, *url.Values) {
	p, asked, form := newMemOP("RS256"), new(http.Request), new(url.Values)
	p.metadata["introspection_endpoint"] = "https://op.example" + memIntrospect
	p.answer(memIntrospect, func(r *http.Request) (*http.Response, error) {
		*asked = *r
		text, _ := io.ReadAll(r.Body)
		*form, _ = url.ParseQuery(string(text))
		return reply(200, kind, body), nil
	})
	return p, asked, form
}

// asking is a client that may ask p about tokens.
func asking(t *testing.T, p *memOP, changes ...func(*authcode.Config)) *authcode.Client {
	secret := func(c *authcode.Config) { c.ClientAuth = authcode.Secret("canary-s3cret") }
	return newMemLogin(t, p, oidc.Provider(memIssuer), append([]func(*authcode.Config){secret}, changes...)...)
}

// introspect asks about a token.
func introspect(t *testing.T, c *authcode.Client, signed bool) (*oidc.TokenInfo, error) {
	if signed {
		return oidc.IntrospectSigned(t.Context(), c, "canary-token", "access_token")
	}
	return oidc.Introspect(t.Context(), c, "canary-token", "access_token")
}

func TestIntrospect(t *testing.T) {
	const active = `{"active":true,"scope":"a b","client_id":"c","sub":"alice","exp":12345678901234567890,"authorization_details":[{"type":"x"}]}`
	p, asked, form := newMemIntrospection("application/json", active)
	info, err := introspect(t, asking(t, p), false)
	if err != nil || !info.Active || info.Subject != "alice" || info.ClientID != "c" || strings.Join(info.Scopes, " ") != "a b" ||
		info.Claims["exp"] != json.Number("12345678901234567890") {
		t.Errorf("got %+v, %v", info, err)
	}
	id, secret, _ := asked.BasicAuth()
	if asked.Method != "POST" || id != memClient || secret != "canary-s3cret" || asked.Header.Get("Accept") != "application/json" ||
		form.Encode() != "token=canary-token&token_type_hint=access_token" {
		t.Errorf("asked by %s with %s, %v", asked.Method, form, asked.Header)
	}
	for body, check := range map[string]string{
		`{"active":false,"sub":"alice"}`: "", `{"active":true,"exp":1}`: "", `{"active":true,"nbf":99999999999}`: "", `{"active":"true"}`: "introspection.active", `{"active":1}`: "introspection.active",
		`{}`: "introspection.active", `{"active":null}`: "introspection.active", `{"active":true,"active":false}`: "introspection.form",
		``: "introspection.form", `[]`: "introspection.form", `{"Active":true}`: "introspection.active",
	} {
		p, _, _ := newMemIntrospection("application/json", body)
		info, err := introspect(t, asking(t, p), false)
		if check != "" {
			wantError(t, err, authcode.BadAnswer, check)
		} else if err != nil || info.Active || info.Subject != "" || info.Claims != nil {
			t.Errorf("%s: %+v, %v", body, info, err)
		}
	}
}

// TestIntrospectionTimes: exp and nbf are numbers. One of another type must not look like a missing one, or an
// expired token would count as active.
func TestIntrospectionTimes(t *testing.T) {
	const active, inactive, malformed = "active", "inactive", "malformed"
	for times, want := range map[string]string{
		`"exp":99999999999`: active, `"exp":99999999999.5`: active, `"exp":1e300`: active, `"exp":null`: active,
		`"nbf":1`: active, `"nbf":-1e300`: active, `"nbf":null`: active,
		`"exp":1`: inactive, `"exp":0`: inactive, `"exp":-1e300`: inactive, `"nbf":99999999999`: inactive, `"nbf":1e300`: inactive,
		`"exp":"1"`: malformed, `"exp":"99999999999"`: malformed, `"exp":""`: malformed, `"exp":true`: malformed,
		`"exp":[1]`: malformed, `"exp":{}`: malformed, `"exp":1e999`: malformed, `"nbf":"99999999999"`: malformed,
		`"nbf":false`: malformed, `"nbf":-1e999`: malformed, `"exp":1,"nbf":"x"`: malformed,
	} {
		p, _, _ := newMemIntrospection("application/json", `{"active":true,"sub":"alice",`+times+`}`)
		info, err := introspect(t, asking(t, p), false)
		switch {
		case want == malformed:
			wantError(t, err, authcode.BadAnswer, "introspection.time")
		case err != nil || info.Active != (want == active):
			t.Errorf("%s: %+v, %v, want %s", times, info, err, want)
		}
		p, _, _ = newMemIntrospection("application/json", `{"active":false,`+times+`}`)
		if info, err := introspect(t, asking(t, p), false); err != nil || info.Active {
			t.Errorf("%s of an inactive token: %+v, %v", times, info, err)
		}
	}
}

// TestTimesOfTheAppsVerify: the app's own Verify may decode the claims as encoding/json does.
func TestTimesOfTheAppsVerify(t *testing.T) {
	for exp, want := range map[any]string{
		float64(1): "inactive", float64(99999999999): "active", math.NaN(): "malformed", "1": "malformed", 1: "malformed",
	} {
		p, _, _ := newMemIntrospection("application/token-introspection+jwt", "x")
		i := oidc.Provider(memIssuer)
		i.Verify = func(context.Context, *authcode.Connection, string, string) (map[string]any, error) {
			return map[string]any{"active": true, "exp": exp}, nil
		}
		info, err := oidc.IntrospectSigned(t.Context(), newMemLogin(t, p, i), "t", "")
		if want == "malformed" {
			wantError(t, err, authcode.BadAnswer, "introspection.time")
		} else if err != nil || info.Active != (want == "active") {
			t.Errorf("%v: %+v, %v, want %s", exp, info, err, want)
		}
	}
}

type signedRow struct {
	changes, header members
	kind, check     string
}

// signedRows are answers that are signed, and what is wrong with them.
func signedRows() map[string]signedRow {
	const kind = "application/token-introspection+jwt"
	return map[string]signedRow{
		"a good one":       {nil, nil, kind, ""},
		"with parameters":  {nil, nil, kind + "; charset=utf-8", ""},
		"not active":       {members{"token_introspection": members{"active": false}}, nil, kind, ""},
		"plain":            {nil, nil, "application/json", "introspection.typ"},
		"typ JWT":          {nil, members{"typ": "JWT"}, kind, "introspection.typ"},
		"no typ":           {nil, members{"typ": nil}, kind, "introspection.typ"},
		"another issuer":   {members{"iss": "https://evil.example"}, nil, kind, "introspection.iss"},
		"another audience": {members{"aud": "other"}, nil, kind, "introspection.aud"},
		"no audience":      {members{"aud": nil}, nil, kind, "introspection.aud"},
		"no iat":           {members{"iat": nil}, nil, kind, "introspection.iat"},
		"old":              {members{"iat": in(-90)}, nil, kind, "introspection.iat"},
		"of the future":    {members{"iat": in(90)}, nil, kind, "introspection.iat"},
		"no answer":        {members{"token_introspection": nil}, nil, kind, "introspection.claim"},
		"an answer beside": {members{"token_introspection": nil, "active": true}, nil, kind, "introspection.claim"},
		"a text as answer": {members{"token_introspection": "active"}, nil, kind, "introspection.claim"},
		"no active":        {members{"token_introspection": members{}}, nil, kind, "introspection.active"},
		"exp is a text":    {members{"token_introspection": members{"active": true, "exp": "1"}}, nil, kind, "introspection.time"},
	}
}

// TestIntrospectSigned: who asks for a signed answer is content with no other (RFC 9701 section 5).
func TestIntrospectSigned(t *testing.T) {
	const kind = "application/token-introspection+jwt"
	answer := members{"active": true, "sub": "alice"}
	for claim, row := range signedRows() {
		t.Run(claim, func(t *testing.T) {
			p, asked, _ := newMemIntrospection(row.kind, "")
			header := changed(members{"typ": "token-introspection+jwt"}, row.header)
			body := p.key.sign(payload(members{"iss": memIssuer, "aud": memClient, "iat": in(0), "token_introspection": answer}, row.changes), header)
			p.answer(memIntrospect, func(r *http.Request) (*http.Response, error) {
				*asked = *r
				return reply(200, row.kind, body), nil
			})
			info, err := introspect(t, asking(t, p), true)
			if row.check == "introspection.active" || row.check == "introspection.time" {
				wantError(t, err, authcode.BadAnswer, row.check)
			} else if row.check != "" {
				wantError(t, err, authcode.IdentityRefused, row.check)
			} else if err != nil || info.Active != (claim != "not active") {
				t.Errorf("got %+v, %v", info, err)
			}
			if got := asked.Header.Get("Accept"); got != kind {
				t.Errorf("asked for %s", got)
			}
		})
	}
	other := namesake("RS256")
	body := other.sign(payload(members{"iss": memIssuer, "aud": memClient, "iat": in(0), "token_introspection": answer}, nil), members{"typ": "token-introspection+jwt"})
	p, _, _ := newMemIntrospection(kind, body)
	_, err := introspect(t, asking(t, p), true)
	wantError(t, err, authcode.IdentityRefused, "introspection.signature")
}

func TestIntrospectFails(t *testing.T) {
	p, _, _ := newMemIntrospection("application/json", `{"active":true}`)
	c := asking(t, p)
	for _, ask := range []func(context.Context, *authcode.Client, string, string) (*oidc.TokenInfo, error){oidc.Introspect, oidc.IntrospectSigned} {
		_, err := ask(t.Context(), c, "", "access_token")
		wantError(t, err, authcode.Configuration, "introspection.question")
	}
	for status, reason := range map[int]authcode.Reason{401: authcode.Configuration, 403: authcode.BadAnswer, 307: authcode.BadAnswer, 503: authcode.Overloaded, 204: authcode.BadAnswer} {
		p.answer(memIntrospect, always(status, "text/plain", "canary"))
		for _, signed := range []bool{false, true} {
			_, err := introspect(t, c, signed)
			if !errors.Is(err, reason) || strings.Contains(fmt.Sprintf("%+v %#v", err, err), "canary") {
				t.Errorf("status %d: %v", status, err)
			}
		}
	}
	p.answer(memIntrospect, always(401, "", ""))
	_, err := introspect(t, c, false)
	wantError(t, err, authcode.Configuration, "introspection.unauthorized")
	p.answer(memIntrospect, always(302, "", ""))
	_, err = introspect(t, c, false)
	wantError(t, err, authcode.BadAnswer, "introspection.redirect")
	p.answer(memIntrospect, always(200, "application/json", `{"active":true,"x":"`+strings.Repeat("x", 256<<10)+`"}`))
	_, err = introspect(t, c, false)
	wantError(t, err, authcode.BadAnswer, "introspection.size")
	p.answer(memIntrospect, down)
	_, err = introspect(t, c, false)
	if !errors.Is(err, authcode.Unreachable) {
		t.Errorf("got %v", err)
	}
	_, err = introspect(t, asking(t, newMemOP("RS256")), false)
	wantError(t, err, authcode.Configuration, "introspection.endpoint")
}

// TestIntrospectAsks: who asks without a client id or without client authentication is refused when the client is
// made, and client authentication that fails says so.
func TestIntrospectAsks(t *testing.T) {
	p, _, _ := newMemIntrospection("application/json", `{"active":true}`)
	for want, change := range map[string]func(*authcode.Config){
		"Config.ClientID":   func(c *authcode.Config) { c.ClientID = "" },
		"Config.ClientAuth": func(c *authcode.Config) { c.ClientAuth = authcode.ClientAuth{} },
	} {
		cfg := memConfig(p, oidc.Provider(memIssuer))
		change(&cfg)
		if _, err := authcode.New(cfg); !errors.Is(err, authcode.Configuration) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want one about %s", err, want)
		}
	}
	c := asking(t, p, func(c *authcode.Config) {
		c.ClientAuth.Authenticate = func(context.Context, *authcode.TokenRequest) error { return errors.New("canary") }
	})
	_, err := introspect(t, c, false)
	wantError(t, err, authcode.Configuration, "client_auth")
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("shows %v", err)
	}
	p.wantRequests(t, memIntrospect, 0)
}
