package authserver_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

func toText(values ...any) string { return strings.ReplaceAll(fmt.Sprintf("%#v", values), "\n", " ") }

func TestAliasesCanBeMissing(t *testing.T) {
	x, _ := newTLSTester(t, authserver.MutualTLS())
	for _, row := range authserver.FAPI2ClientTests("self") {
		if row.Name == "happy-path-no-mtls-endpoint-aliases" {
			x.srv.SetFaults(row.Place, row.Faults...)
		}
	}
	if doc := x.get("/.well-known/openid-configuration"); doc.body["mtls_endpoint_aliases"] != nil {
		t.Error("there are aliases")
	}
}

// wantChallenge checks that a call of the API is refused with these words.
func (t *tester) wantChallenge(a answer, parts ...string) {
	t.Helper()
	challenge := a.header.Get("WWW-Authenticate")
	for _, part := range parts {
		if a.status != 401 || !strings.Contains(challenge, part) {
			t.Errorf("%d %q lacks %s", a.status, challenge, part)
		}
	}
}

func TestStepUp(t *testing.T) {
	x := newTester(t)
	pair := newPair(t, "ES256")
	weak := x.redeem().text("access_token")
	strong := x.redeem("acr_values=gold silver").text("access_token")
	bound := x.bound(pair).text("access_token")
	call := func(access string) answer { return x.fetch("/resource", "Authorization: Bearer "+access) }
	if a := call(weak); a.status != 200 {
		t.Fatalf("without step-up: %s", a.raw)
	}
	x.srv.SetStepUp("platinum gold", time.Minute)
	x.wantChallenge(call(weak), `Bearer error="insufficient_user_authentication"`,
		`acr_values="platinum gold"`, `max_age="60"`)
	if b := call(strong); b.status != 200 || b.text("acr") != "gold" {
		t.Errorf("with the right acr: %s", b.raw)
	}
	b := x.fetch("/resource", "Authorization: DPoP "+bound,
		"DPoP: "+pair.proof(t, x.api("/resource", bound)))
	if !strings.HasPrefix(b.header.Get("WWW-Authenticate"), `DPoP error="insufficient_user_auth`) {
		t.Errorf("a bound token: %v", b.header)
	}
	x.srv.Advance(2 * time.Minute)
	if b := call(strong); b.status != 401 {
		t.Errorf("an old login: %s", b.raw)
	}
	x.srv.SetStepUp("", time.Minute)
	if c := call(strong).header.Get("WWW-Authenticate"); strings.Contains(c, "acr_values") {
		t.Errorf("asks for an acr: %s", c)
	}
	x.srv.SetStepUp("", 0)
	if b := call(weak); b.status != 200 {
		t.Errorf("step-up stays: %s", b.raw)
	}
	_, claims, _ := x.parts(x.redeem("acr_values=gold").text("id_token"))
	if claims["acr"] != "gold" {
		t.Errorf("acr is %v", claims["acr"])
	}
}

func TestResourcesAndDetails(t *testing.T) {
	x := newTester(t)
	own, other := x.srv.URL+"/resource", "https://other.example/api"
	details := `[{"type":"payment","amount":"1"},{"type":"account"}]`
	ask := []string{"resource=" + own, "resource+=" + other, "authorization_details=" + details}
	call := func(a answer) int {
		return x.fetch("/resource", "Authorization: Bearer "+a.text("access_token")).status
	}
	all := x.redeem(ask...)
	if call(all) != 200 || !strings.Contains(all.raw, `"authorization_details":`+details) {
		t.Errorf("answered %s", all.raw)
	}
	redeem := func(edits ...string) answer {
		return x.post("/token", "basic:s3cret", redemption(x.code(ask...), edits...))
	}
	if a := redeem("resource=" + other); call(a) != 401 {
		t.Errorf("a token for another resource is good: %s", a.raw)
	}
	part := redeem(`authorization_details=[{"amount":"1","type":"payment"}]`)
	if strings.Contains(part.raw, "account") || !strings.Contains(part.raw, "payment") {
		t.Errorf("answered %s", part.raw)
	}
	for edit, want := range map[string]string{
		"resource=https://third.example/":                         "invalid_target",
		"resource=relative":                                       "invalid_target",
		`authorization_details=[{"type":"payment","amount":"2"}]`: "invalid_authorization_details",
		`authorization_details=x`:                                 "invalid_authorization_details",
	} {
		x.wantError(redeem(edit), 400, want)
	}
	renewed := x.post("/token", "basic:s3cret", renewal(all.text("refresh_token"), "resource="+other))
	if renewed.status != 200 || call(renewed) != 401 {
		t.Errorf("a refresh for another resource: %s", renewed.raw)
	}
	// Only resource may be repeated (RFC 8707 section 2).
	resp, _ := x.authorize("authorization_details="+details, "authorization_details+="+details)
	if got := x.response(resp); got.Get("error") != "invalid_request" {
		t.Errorf("repeated details: %v", got)
	}
}

func (t *tester) introspect(basic, token string) answer {
	t.Helper()
	return t.post("/introspect", basic, url.Values{"token": {token}})
}

// wantActive checks what who is told about the token of TestIntrospection.
func (t *tester) wantActive(who string, got answer) {
	t.Helper()
	if got.body["active"] != true || got.text("client_id") != "basic" ||
		got.text("sub") != "alice" || got.text("iss") != t.srv.URL ||
		got.text("token_type") != "Bearer" || got.text("acr") != "gold" ||
		got.body["exp"] == nil || got.body["cnf"] != nil ||
		!strings.Contains(got.raw, `"aud":["https://api.example/"]`) ||
		!strings.Contains(got.raw, `"authorization_details":[{"type":"a"}]`) {
		t.Errorf("%s: %s", who, got.raw)
	}
}

func TestIntrospection(t *testing.T) {
	x := newTester(t)
	x.register(authserver.ClientRegistration{ID: "api", Secret: "s3cret", ResourceServer: true})
	pair := newPair(t, "ES256")
	a := x.redeem("acr_values=gold", "resource=https://api.example/",
		`authorization_details=[{"type":"a"}]`)
	for _, who := range []string{"basic:s3cret", "api:s3cret"} {
		x.wantActive(who, x.introspect(who, a.text("access_token")))
	}
	bound := x.bound(pair)
	got := x.introspect("api:s3cret", bound.text("access_token"))
	cnf, _ := got.body["cnf"].(map[string]any)
	if got.text("token_type") != "DPoP" || cnf["jkt"] != pair.thumbprint(t) {
		t.Errorf("a bound token: %s", got.raw)
	}
	if got := x.introspect("basic:s3cret", a.text("refresh_token")); got.body["active"] != true ||
		got.body["token_type"] != nil {
		t.Errorf("a refresh token: %s", got.raw)
	}
	const inactive = `{"active":false}`
	for name, got := range map[string]answer{
		"an unknown token":       x.introspect("basic:s3cret", "x"),
		"another client's token": x.introspect("basic:s3cret", bound.text("access_token")),
	} {
		if got.raw != inactive {
			t.Errorf("%s: %s", name, got.raw)
		}
	}
	x.post("/revoke", "basic:s3cret", url.Values{"token": {a.text("refresh_token")}})
	for _, name := range []string{"access_token", "refresh_token"} {
		if got := x.introspect("api:s3cret", a.text(name)); got.raw != inactive {
			t.Errorf("a revoked %s: %s", name, got.raw)
		}
	}
	x.wantError(x.introspect("basic:s3cret", ""), 400, "invalid_request")
	x.wantError(x.introspect("basic:wrong", "x"), 401, "invalid_client")
	x.wantError(x.send("/introspect", url.Values{"token": {"x"}, "client_id": {"public"}}), 401,
		"invalid_client")
}

type introspectionFault struct {
	at    authserver.Place
	fault authserver.Fault
	check func(a answer) bool
}

func introspectionFaults(x *tester) map[string]introspectionFault {
	return map[string]introspectionFault{
		"plain": {authserver.Introspection, authserver.Plain(), func(a answer) bool {
			return a.body["active"] == true
		}},
		"active is a text": {authserver.Introspection, authserver.Set("active", `"true"`),
			func(a answer) bool {
				_, claims, _ := x.parts(a.raw)
				inner, _ := claims["token_introspection"].(map[string]any)
				return inner["active"] == "true"
			}},
		"wrong iss": {authserver.IntrospectionJWT, authserver.Set("iss", `"x"`),
			func(a answer) bool {
				_, claims, _ := x.parts(a.raw)
				return claims["iss"] == "x"
			}},
		"wrong typ": {authserver.IntrospectionJWT,
			authserver.Header(authserver.Set("typ", `"JWT"`)),
			func(a answer) bool {
				header, _, _ := x.parts(a.raw)
				return header["typ"] == "JWT"
			}},
		"another key": {authserver.IntrospectionJWT, authserver.OtherKey(), func(a answer) bool {
			_, ok := x.verify(a.raw)
			return !ok
		}},
	}
}

func TestSignedIntrospection(t *testing.T) {
	x := newTester(t)
	access := x.redeem().text("access_token")
	ask := func(accept string) answer {
		req := x.request("/introspect", url.Values{"token": {access}}.Encode())
		req.SetBasicAuth("basic", "s3cret")
		req.Header.Set("Accept", accept)
		return x.do(req)
	}
	const kind = "application/token-introspection+jwt"
	a := ask(kind)
	header, claims, _ := x.parts(a.raw)
	inner, _ := claims["token_introspection"].(map[string]any)
	if _, ok := x.verify(a.raw); !ok || a.header.Get("Content-Type") != kind ||
		header["typ"] != "token-introspection+jwt" || claims["iss"] != x.srv.URL ||
		claims["aud"] != "basic" || claims["iat"] == nil || claims["exp"] != nil || claims["sub"] != nil ||
		inner["active"] != true || inner["sub"] != "alice" {
		t.Errorf("answered %v %v", header, claims)
	}
	for name, row := range introspectionFaults(x) {
		x.srv.ClearFaults()
		x.srv.SetFaults(row.at, row.fault)
		if a := ask(kind); !row.check(a) {
			t.Errorf("%s: %s", name, a.raw)
		}
	}
	x.srv.ClearFaults()
	if a := ask("application/json"); a.body["active"] != true {
		t.Errorf("plain: %s", a.raw)
	}
	x.srv.SetFaults(authserver.Introspection, authserver.Signed())
	if a := ask("application/json"); a.header.Get("Content-Type") != kind {
		t.Errorf("signed unasked: %v", a.header)
	}
}
