package authserver_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
	"github.com/go-jose/go-jose/v4"
)

// sealed asks for a signed response and returns its parameters, and the claims if it can be verified.
func (t *tester) sealed(edits ...string) (params url.Values, claims map[string]any) {
	t.Helper()
	resp, _ := t.authorize(append([]string{"response_mode=jwt"}, edits...)...)
	params = t.response(resp)
	if token := params.Get("response"); token != "" && strings.Count(token, ".") == 2 {
		if _, ok := t.verify(token); ok {
			_, claims, _ = t.parts(token)
		}
	}
	return params, claims
}

func TestSignedResponses(t *testing.T) {
	x := newTester(t)
	for _, mode := range []string{"jwt", "query.jwt"} {
		params, claims := x.sealed("response_mode=" + mode)
		exp, _ := claims["exp"].(float64)
		ahead := time.Until(time.Unix(int64(exp), 0))
		if len(params) != 1 || claims["iss"] != x.srv.URL || claims["aud"] != "basic" ||
			claims["state"] != "st&te =" || ahead < 9*time.Minute || ahead > 10*time.Minute {
			t.Errorf("%s: %v %v", mode, params, claims)
		}
		code, _ := claims["code"].(string)
		if a := x.post("/token", "basic:s3cret", redemption(code)); a.status != 200 {
			t.Errorf("the code is refused: %s", a.raw)
		}
	}
	x.srv.SetConsent(authserver.Deny)
	if _, claims := x.sealed(); claims["error"] != "access_denied" || claims["state"] != "st&te =" {
		t.Errorf("an error: %v", claims)
	}
	x.srv.SetConsent(authserver.Approve)
	_, page := x.authorize("response_mode=form_post.jwt")
	if !strings.Contains(page, `name="response" value="ey`) || strings.Contains(page, `name="code"`) {
		t.Errorf("page: %s", page)
	}
	resp, _ := x.authorize("response_mode=fragment.jwt")
	if got := x.response(resp); got.Get("error") != "invalid_request" {
		t.Errorf("fragment.jwt is answered %v", got)
	}
}

func TestFaultsOfSignedResponses(t *testing.T) {
	x := newTester(t)
	at := func(faults ...authserver.Fault) []authserver.Fault { return faults }
	for name, row := range map[string]struct {
		outside, inside []authserver.Fault
		check           func(params url.Values, claims map[string]any) bool
	}{
		"no response": {at(authserver.Rename("response", "x")), nil, func(p url.Values, _ map[string]any) bool {
			return !p.Has("response") && p.Has("x")
		}},
		"plain instead": {at(authserver.Plain()), nil, func(p url.Values, _ map[string]any) bool {
			return !p.Has("response") && p.Has("code") && p.Has("iss")
		}},
		"plain beside": {at(authserver.PlainBeside()), nil, func(p url.Values, c map[string]any) bool {
			return p.Has("response") && p.Get("code") == c["code"]
		}},
		"another code beside": {at(authserver.Set("code", "evil")), nil, func(p url.Values, c map[string]any) bool {
			return p.Get("code") == "evil" && c["code"] != "evil"
		}},
		"repeated": {at(authserver.Repeat("response", "")), nil, func(p url.Values, _ map[string]any) bool {
			return len(p["response"]) == 2
		}},
		"state outside alone": {at(authserver.PlainBeside()), at(authserver.Drop("state")),
			func(p url.Values, c map[string]any) bool { return p.Get("state") == "st&te =" && c["state"] == nil }},
		"state wrong inside": {nil, at(authserver.Set("state", `"x"`)), func(_ url.Values, c map[string]any) bool {
			return c["state"] == "x"
		}},
		"aud array": {nil, at(authserver.Set("aud", `["basic"]`)), func(_ url.Values, c map[string]any) bool {
			_, ok := c["aud"].([]any)
			return ok
		}},
		"code missing": {nil, at(authserver.Drop("code")), func(_ url.Values, c map[string]any) bool {
			return c != nil && c["code"] == nil
		}},
		"a member twice": {nil, at(authserver.Repeat("code", `"evil"`)), func(p url.Values, _ map[string]any) bool {
			_, claims, _ := x.parts(p.Get("response"))
			return claims["code"] == "evil"
		}},
		"unknown kid": {nil, at(authserver.Header(authserver.Set("kid", `"x"`))), unverified},
		"another key": {nil, at(authserver.OtherKey()), unverified},
		"alg none":    {nil, at(authserver.SignAs("none")), unverified},
		"HS256":       {nil, at(authserver.SignAs("HS256")), unverified},
		"tampered":    {nil, at(authserver.Tampered(authserver.Set("code", `"evil"`))), unverified},
		"encrypted": {nil, at(authserver.Encrypted()), func(p url.Values, _ map[string]any) bool {
			return strings.Count(p.Get("response"), ".") == 4
		}},
	} {
		t.Run(name, func(t *testing.T) {
			x.srv.SetFaults(authserver.Authorization, row.outside...)
			x.srv.SetFaults(authserver.JARM, row.inside...)
			if params, claims := x.sealed(); !row.check(params, claims) {
				t.Errorf("got %v, %v", params, claims)
			}
		})
	}
	x.srv.ClearFaults()
	x.srv.SetFaults(authserver.Authorization, authserver.Drop("response"))
	if resp, _ := x.authorize("response_mode=jwt"); resp.Header.Get("Location") != redirectURI {
		t.Errorf("an empty response goes to %s", resp.Header.Get("Location"))
	}
	x.srv.SetFaults(authserver.Authorization, authserver.Signed())
	resp, _ := x.authorize()
	if got := x.response(resp); !got.Has("response") || got.Has("code") {
		t.Errorf("signed unasked: %v", got)
	}
}

func unverified(p url.Values, claims map[string]any) bool {
	return claims == nil && p.Get("response") != ""
}

func TestPS256(t *testing.T) {
	x := newTester(t, authserver.Algorithm("PS256"))
	text := x.redeem().text("id_token")
	signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.PS256})
	if err != nil {
		t.Fatal(err)
	}
	key := x.keySet().Keys[0]
	if _, err := signed.Verify(key); err != nil || key.Algorithm != "PS256" {
		t.Errorf("%v with a key for %s", err, key.Algorithm)
	}
}

func TestFAPI2ClientTests(t *testing.T) {
	x := newTester(t)
	names := map[string]bool{}
	observe := func() string {
		params, claims := x.sealed()
		resp, _ := x.authorize()
		plain := x.response(resp)
		a := x.post("/token", "basic:s3cret", redemption(plain.Get("code")))
		header, id, _ := x.parts(a.text("id_token"))
		resource := x.fetch("/resource", "Authorization: Bearer "+a.text("access_token"))
		verified := "no"
		if _, ok := x.verify(a.text("id_token")); ok {
			verified = "yes"
		}
		doc := x.get("/.well-known/openid-configuration")
		// What changes every time is left out.
		plain.Del("code")
		for _, o := range []map[string]any{claims, id} {
			for _, name := range []string{"code", "iat", "at_hash"} {
				delete(o, name)
			}
		}
		delete(header, "kid")
		return toText(len(params), claims, plain, a.body["token_type"], a.body["expires_in"], header, id,
			verified, resource.status, doc.body["issuer"])
	}
	before := observe()
	for _, row := range authserver.FAPI2ClientTests("basic") {
		if row.Name == "happy-path-no-mtls-endpoint-aliases" {
			continue // changes a server with aliases only; see TestAliasesCanBeMissing
		}
		x.srv.ClearFaults()
		x.srv.SetFaults(row.Place, row.Faults...)
		if after := observe(); after == before || names[row.Name] {
			t.Errorf("%s changes nothing, or is there twice", row.Name)
		}
		names[row.Name] = true
	}
	if len(names) < 27 || !slices.ContainsFunc(authserver.FAPI2ClientTests("basic"),
		func(c authserver.ClientTest) bool { return c.Accept }) {
		t.Errorf("%d tests", len(names))
	}
}
