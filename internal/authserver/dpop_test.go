package authserver_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
	"github.com/go-jose/go-jose/v4"
)

// bound gets DPoP-bound tokens for client public.
func (t *tester) bound(pair keyPair, edits ...string) answer {
	t.Helper()
	code := t.code(append([]string{"client_id=public"}, edits...)...)
	a := t.send("/token", redemption(code, "client_id=public"),
		"DPoP: "+pair.proof(t.T, t.proven("/token")))
	if a.status != 200 || a.text("token_type") != "DPoP" {
		t.Fatalf("answered %s", a.raw)
	}
	return a
}

// api is the claims of a good proof for a GET of path with an access token.
func (t *tester) api(path, access string) object {
	return t.proven(path).with(object{"htm": "GET", "ath": hashOf(access)})
}

func TestDPoP(t *testing.T) {
	x := newTester(t)
	for _, alg := range []string{"ES256", "PS256", "EdDSA"} {
		pair := newPair(t, alg)
		a := x.bound(pair)
		access := a.text("access_token")
		for _, path := range []string{"/userinfo", "/resource", "/resource/deeper?query=1"} {
			bare, _, _ := strings.Cut(path, "?")
			b := x.fetch(path, "Authorization: dPOP "+access, "DPoP: "+pair.proof(t, x.api(bare, access)))
			if b.status != 200 || strings.HasPrefix(path, "/resource") &&
				(b.text("scheme") != "dPOP" || b.text("binding") != "dpop") {
				t.Errorf("%s: %s answered %s", alg, path, b.raw)
			}
		}
		refreshed := x.send("/token", renewal(a.text("refresh_token"), "client_id=public"),
			"DPoP: "+pair.proof(t, x.proven("/token")))
		if refreshed.status != 200 || refreshed.text("token_type") != "DPoP" {
			t.Errorf("%s: refresh answered %s", alg, refreshed.raw)
		}
		seen := x.srv.Requests(authserver.Refresh)
		if got := seen[len(seen)-1].Proof(); got.Header["alg"] != alg || got.Claims["htm"] != "POST" {
			t.Errorf("recorded %v", got)
		}
	}
}

// A badProof says how to spoil a good proof.
type badProof struct{ header, claims object }

func badProofs(t *testing.T, x *tester, pair keyPair) map[string]badProof {
	private := jose.JSONWebKey{Key: pair.key}
	another := jose.JSONWebKey{Key: newPair(t, "ES256").key.Public()}
	return map[string]badProof{
		"another typ":              {object{"typ": "JWT"}, nil},
		"no typ":                   {object{"typ": nil}, nil},
		"no jwk":                   {object{"jwk": nil}, nil},
		"a private jwk":            {object{"jwk": private}, nil},
		"another key":              {object{"jwk": another}, nil},
		"no jti":                   {nil, object{"jti": nil}},
		"an empty jti":             {nil, object{"jti": ""}},
		"another method":           {nil, object{"htm": "PUT"}},
		"a method in lower case":   {nil, object{"htm": "post"}},
		"no method":                {nil, object{"htm": nil}},
		"another path":             {nil, object{"htu": x.srv.URL + "/par"}},
		"a query":                  {nil, object{"htu": x.srv.URL + "/token?"}},
		"another host":             {nil, object{"htu": "http://localhost/token"}},
		"no URL":                   {nil, object{"htu": nil}},
		"an old iat":               {nil, object{"iat": seconds(-2 * time.Minute)}},
		"an iat in the future":     {nil, object{"iat": seconds(2 * time.Minute)}},
		"no iat":                   {nil, object{"iat": nil}},
		"an iat that is a string":  {nil, object{"iat": "1"}},
		"a header that is no JSON": {object{"jwk": "x"}, nil},
	}
}

// badProofHeaders are token requests whose DPoP header is wrong as a whole.
func badProofHeaders(t *testing.T, x *tester, pair keyPair) map[string]func() answer {
	return map[string]func() answer{
		"two proofs": func() answer {
			return x.send("/token", redemption(x.code("client_id=public"), "client_id=public"),
				"DPoP: "+pair.proof(t, x.proven("/token")),
				"DPoP: "+pair.proof(t, x.proven("/token")))
		},
		"no JWT": func() answer {
			return x.send("/token", redemption(x.code("client_id=public"), "client_id=public"),
				"DPoP: x")
		},
		"an algorithm that is not offered": func() answer {
			rsa := newPair(t, "RS256")
			return x.send("/token", redemption(x.code("client_id=public"), "client_id=public"),
				"DPoP: "+rsa.proof(t, x.proven("/token")))
		},
		"HMAC by a key in the header": func() answer {
			return x.send("/token", redemption(x.code("client_id=public"), "client_id=public"),
				"DPoP: "+signWith(t, "HS256", []byte(strings.Repeat("k", 32)), pair.proofHeader(),
					x.proven("/token")))
		},
	}
}

func TestProofsThatAreRefused(t *testing.T) {
	x := newTester(t)
	pair := newPair(t, "ES256")
	access := x.bound(pair).text("access_token")
	for name, row := range badProofs(t, x, pair) {
		t.Run(name, func(t *testing.T) {
			code := x.code("client_id=public")
			proof := signWith(t, "ES256", pair.key, pair.proofHeader().with(row.header),
				x.proven("/token").with(row.claims))
			x.wantError(x.send("/token", redemption(code, "client_id=public"), "DPoP: "+proof),
				400, "invalid_dpop_proof")
			// A refused proof leaves the code as it was.
			good := pair.proof(t, x.proven("/token"))
			a := x.send("/token", redemption(code, "client_id=public"), "DPoP: "+good)
			if a.status != 200 {
				t.Errorf("afterwards: %s", a.raw)
			}
			if row.claims["htm"] != nil || row.claims["htu"] != nil {
				return // other values there
			}
			proof = signWith(t, "ES256", pair.key, pair.proofHeader().with(row.header),
				x.api("/resource", access).with(row.claims))
			a = x.fetch("/resource", "Authorization: DPoP "+access, "DPoP: "+proof)
			if a.status != 401 || !strings.Contains(a.header.Get("WWW-Authenticate"), `DPoP `) ||
				!strings.Contains(a.header.Get("WWW-Authenticate"), `error="invalid_dpop_proof"`) {
				t.Errorf("resource: %d %v", a.status, a.header)
			}
		})
	}
	for name, send := range badProofHeaders(t, x, pair) {
		t.Run(name, func(t *testing.T) { x.wantError(send(), 400, "invalid_dpop_proof") })
	}
}

func TestProofsWorkOnce(t *testing.T) {
	x := newTester(t)
	pair := newPair(t, "ES256")
	claims := x.proven("/token")
	for i, want := range []int{200, 400} {
		a := x.send("/token", redemption(x.code("client_id=public"), "client_id=public"),
			"DPoP: "+pair.proof(t, claims)) // signed anew, but with the same jti
		if a.status != want {
			t.Errorf("use %d: answered %d %s", i, a.status, a.raw)
		}
	}
}

func TestBoundTokensAreNoBearerTokens(t *testing.T) {
	x := newTester(t)
	pair, other := newPair(t, "ES256"), newPair(t, "ES256")
	access := x.bound(pair).text("access_token")
	plain := x.redeem().text("access_token")
	proof := func(p keyPair, changes object, token string) string {
		return "DPoP: " + p.proof(t, x.api("/resource", token).with(changes))
	}
	for name, headers := range map[string][]string{
		"as a bearer token":            {"Authorization: Bearer " + access},
		"as a bearer, with proof":      {"Authorization: Bearer " + access, proof(pair, nil, access)},
		"without proof":                {"Authorization: DPoP " + access},
		"with another key's proof":     {"Authorization: DPoP " + access, proof(other, nil, access)},
		"with another token's hash":    {"Authorization: DPoP " + access, proof(pair, object{"ath": hashOf("x")}, access)},
		"without hash":                 {"Authorization: DPoP " + access, proof(pair, object{"ath": nil}, access)},
		"a bearer token as DPoP":       {"Authorization: DPoP " + plain, proof(pair, nil, plain)},
		"an unknown token":             {"Authorization: DPoP x", proof(pair, nil, "x")},
		"two of them":                  {"Authorization: DPoP " + access, "Authorization: DPoP " + access, proof(pair, nil, access)},
		"under a scheme of the future": {"Authorization: MAC " + access, proof(pair, nil, access)},
	} {
		if a := x.fetch("/resource", headers...); a.status != 401 || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: answered %d %s", name, a.status, a.raw)
		}
	}
	if a := x.fetch("/resource", "Authorization: DPoP "+access, proof(pair, nil, access)); a.status != 200 {
		t.Errorf("as it should be: %s", a.raw)
	}
	if a := x.fetch("/resource", "Authorization: bEARER "+plain); a.text("binding") != "none" {
		t.Errorf("a bearer token: %s", a.raw)
	}
}

func TestCodesAndRefreshTokensAreBound(t *testing.T) {
	x := newTester(t)
	pair, other := newPair(t, "ES256"), newPair(t, "ES256")
	proof := func(p keyPair, path string) string { return "DPoP: " + p.proof(t, x.proven(path)) }
	jkt := "dpop_jkt=" + pair.thumbprint(t)
	redeem := func(code string, headers ...string) answer {
		return x.send("/token", redemption(code, "client_id=public"), headers...)
	}
	x.wantError(redeem(x.code("client_id=public", jkt), proof(other, "/token")), 400, "invalid_grant")
	x.wantError(redeem(x.code("client_id=public", jkt)), 400, "invalid_grant")
	a := redeem(x.code("client_id=public", jkt), proof(pair, "/token"))
	renew := func(headers ...string) answer {
		return x.send("/token", renewal(a.text("refresh_token"), "client_id=public"), headers...)
	}
	x.wantError(renew(proof(other, "/token")), 400, "invalid_grant")
	x.wantError(renew(), 400, "invalid_grant")
	if b := renew(proof(pair, "/token")); b.text("token_type") != "DPoP" {
		t.Errorf("refresh: %s", b.raw)
	}
	// A confidential client's refresh token is bound to the client (RFC 9449 section 5).
	c := x.redeem()
	req := x.request("/token", renewal(c.text("refresh_token")).Encode())
	req.SetBasicAuth("basic", "s3cret")
	addHeaders(req, []string{proof(other, "/token")})
	if d := x.do(req); d.text("token_type") != "DPoP" {
		t.Errorf("refresh of a confidential client: %s", d.raw)
	}
}

func TestPushedRequestsBindTheCode(t *testing.T) {
	x := newTester(t)
	pair, other := newPair(t, "ES256"), newPair(t, "ES256")
	push := func(form url.Values, p keyPair) answer {
		return x.send("/par", form, "DPoP: "+p.proof(t, x.proven("/par")))
	}
	form := func(edits ...string) url.Values {
		return authParams(append([]string{"client_id=public"}, edits...)...)
	}
	x.wantError(push(form("dpop_jkt="+pair.thumbprint(t)), other), 400, "invalid_dpop_proof")
	x.wantError(x.send("/par", form(), "DPoP: x"), 400, "invalid_dpop_proof")
	for _, sent := range []url.Values{form(), form("dpop_jkt=" + pair.thumbprint(t))} {
		resp, _ := x.open("client_id=public", "request_uri="+push(sent, pair).text("request_uri"))
		a := x.send("/token", redemption(x.response(resp).Get("code"), "client_id=public"),
			"DPoP: "+other.proof(t, x.proven("/token")))
		x.wantError(a, 400, "invalid_grant")
	}
}

func TestRequiredDPoP(t *testing.T) {
	x := newTester(t)
	x.register(authserver.ClientRegistration{ID: "dpop", AuthMethod: authserver.None, RequireDPoP: true})
	form := redemption(x.code("client_id=dpop"), "client_id=dpop")
	x.wantError(x.send("/token", form), 400, "invalid_request")
	pair := newPair(t, "ES256")
	if a := x.send("/token", form, "DPoP: "+pair.proof(t, x.proven("/token"))); a.status != 200 {
		t.Errorf("answered %s", a.raw)
	}
}
