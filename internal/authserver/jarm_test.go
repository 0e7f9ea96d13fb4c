package authserver_test

import (
	"maps"
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

// A responseFault is a fault of the response, inside or outside what is signed,
// and what the client gets of it.
type responseFault struct {
	outside, inside []authserver.Fault
	check           func(params url.Values, claims object) bool
}

// outer is a fault of the parameters around a signed response.
func outer(
	fault authserver.Fault, check func(params url.Values, claims object) bool,
) responseFault {
	return responseFault{outside: []authserver.Fault{fault}, check: check}
}

// inner is a fault of what is signed.
func inner(
	fault authserver.Fault, check func(params url.Values, claims object) bool,
) responseFault {
	return responseFault{inside: []authserver.Fault{fault}, check: check}
}

var outerFaults = map[string]responseFault{
	"no response": outer(authserver.Rename("response", "x"), func(p url.Values, _ object) bool {
		return !p.Has("response") && p.Has("x")
	}),
	"plain instead": outer(authserver.Plain(), func(p url.Values, _ object) bool {
		return !p.Has("response") && p.Has("code") && p.Has("iss")
	}),
	"plain beside": outer(authserver.PlainBeside(), func(p url.Values, c object) bool {
		return p.Has("response") && p.Get("code") == c["code"]
	}),
	"another code beside": outer(authserver.Set("code", "evil"), func(p url.Values, c object) bool {
		return p.Get("code") == "evil" && c["code"] != "evil"
	}),
	"repeated": outer(authserver.Repeat("response", ""), func(p url.Values, _ object) bool {
		return len(p["response"]) == 2
	}),
	"state outside alone": {
		[]authserver.Fault{authserver.PlainBeside()}, []authserver.Fault{authserver.Drop("state")},
		func(p url.Values, c object) bool {
			return p.Get("state") == "st&te =" && c["state"] == nil
		},
	},
}

func innerFaults(x *tester) map[string]responseFault {
	return map[string]responseFault{
		"state wrong inside": inner(authserver.Set("state", `"x"`),
			func(_ url.Values, c object) bool { return c["state"] == "x" }),
		"aud array": inner(authserver.Set("aud", `["basic"]`), func(_ url.Values, c object) bool {
			_, ok := c["aud"].([]any)
			return ok
		}),
		"code missing": inner(authserver.Drop("code"), func(_ url.Values, c object) bool {
			return c != nil && c["code"] == nil
		}),
		"a member twice": inner(authserver.Repeat("code", `"evil"`),
			func(p url.Values, _ object) bool {
				_, claims, _ := x.parts(p.Get("response"))
				return claims["code"] == "evil"
			}),
		"unknown kid": inner(authserver.Header(authserver.Set("kid", `"x"`)), unverified),
		"another key": inner(authserver.OtherKey(), unverified),
		"alg none":    inner(authserver.SignAs("none"), unverified),
		"HS256":       inner(authserver.SignAs("HS256"), unverified),
		"tampered":    inner(authserver.Tampered(authserver.Set("code", `"evil"`)), unverified),
		"encrypted": inner(authserver.Encrypted(), func(p url.Values, _ object) bool {
			return strings.Count(p.Get("response"), ".") == 4
		}),
	}
}

func unverified(p url.Values, claims object) bool {
	return claims == nil && p.Get("response") != ""
}

func TestFaultsOfSignedResponses(t *testing.T) {
	x := newTester(t)
	faults := innerFaults(x)
	maps.Copy(faults, outerFaults)
	for name, row := range faults {
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

// observe tells all that a client sees of the server. What changes every time
// is left out.
func (t *tester) observe() string {
	params, claims := t.sealed()
	resp, _ := t.authorize()
	plain := t.response(resp)
	a := t.post("/token", "basic:s3cret", redemption(plain.Get("code")))
	header, id, _ := t.parts(a.text("id_token"))
	resource := t.fetch("/resource", "Authorization: Bearer "+a.text("access_token"))
	verified := "no"
	if _, ok := t.verify(a.text("id_token")); ok {
		verified = "yes"
	}
	doc := t.get("/.well-known/openid-configuration")
	plain.Del("code")
	for _, o := range []map[string]any{claims, id} {
		for _, name := range []string{"code", "iat", "at_hash"} {
			delete(o, name)
		}
	}
	delete(header, "kid")
	return toText(len(params), claims, plain, a.body["token_type"], a.body["expires_in"],
		header, id, verified, resource.status, doc.body["issuer"])
}

func TestFAPI2ClientTests(t *testing.T) {
	x := newTester(t)
	names := map[string]bool{}
	before := x.observe()
	for _, row := range authserver.FAPI2ClientTests("basic") {
		if row.Name == "happy-path-no-mtls-endpoint-aliases" {
			continue // changes a server with aliases only; see TestAliasesCanBeMissing
		}
		x.srv.ClearFaults()
		x.srv.SetFaults(row.Place, row.Faults...)
		if after := x.observe(); after == before || names[row.Name] {
			t.Errorf("%s changes nothing, or is there twice", row.Name)
		}
		names[row.Name] = true
	}
	if len(names) < 27 || !slices.ContainsFunc(authserver.FAPI2ClientTests("basic"),
		func(c authserver.ClientTest) bool { return c.Accept }) {
		t.Errorf("%d tests", len(names))
	}
}
