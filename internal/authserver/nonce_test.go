package authserver_test

import (
	"net/http"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

func TestNonces(t *testing.T) {
	x := newTester(t)
	pair := newPair(t, "ES256")
	x.srv.SetNonces(authserver.FixedNonces, authserver.RotatingNonces)
	redeem := func(code, nonce string) answer {
		claims := x.proven("/token").with(object{"nonce": nonce})
		return x.send("/token", redemption(code, "client_id=public"), "DPoP: "+pair.proof(t, claims))
	}
	code := x.code("client_id=public")
	a := redeem(code, "guess")
	x.wantError(a, 400, "use_dpop_nonce")
	nonce := a.header.Get("DPoP-Nonce")
	x.srv.RotateNonces()
	a = redeem(code, nonce)
	x.wantError(a, 400, "use_dpop_nonce")
	if nonce == "" || a.header.Get("DPoP-Nonce") == nonce {
		t.Errorf("the nonce is %q before and after", nonce)
	}
	nonce = a.header.Get("DPoP-Nonce")
	a = redeem(code, nonce)
	if a.status != 200 || a.header.Get("DPoP-Nonce") != "" {
		t.Fatalf("with the nonce: %s %v", a.raw, a.header)
	}
	if b := redeem(x.code("client_id=public"), nonce); b.status != 200 {
		t.Errorf("a fixed nonce works once only: %s", b.raw)
	}
	resourceNonces(t, x, pair, a.text("access_token"), nonce)
}

// resourceNonces calls the API with nonces; foreign is the token endpoint's.
func resourceNonces(t *testing.T, x *tester, pair keyPair, access, foreign string) {
	t.Helper()
	call := func(nonce string) answer {
		claims := x.api("/resource", access).with(object{"nonce": nonce})
		return x.fetch("/resource", "Authorization: DPoP "+access, "DPoP: "+pair.proof(t, claims))
	}
	b := call(foreign)
	if b.status != 401 || !strings.Contains(b.header.Get("WWW-Authenticate"), `error="use_dpop_nonce"`) {
		t.Fatalf("resource: %d %v", b.status, b.header)
	}
	first := b.header.Get("DPoP-Nonce")
	if c := call(first); c.status != 200 || c.header.Get("DPoP-Nonce") == "" {
		t.Errorf("resource with nonce: %s", c.raw)
	}
	if c := call(first); c.status != 401 {
		t.Error("a rotating nonce works twice")
	}
	x.srv.SetNonces(authserver.NoNonces, authserver.NoNonces)
	if c := call("anything"); c.status != 200 || c.header.Get("DPoP-Nonce") != "" {
		t.Errorf("without nonces: %s", c.raw)
	}
}

func TestFaultsOfNonces(t *testing.T) {
	x := newTester(t)
	for name, want := range map[string][]string{
		"none": nil, "one": {"a"}, "two": {"a", "b"}, "malformed": {"a b\"\\"}, "empty": {""},
	} {
		x.srv.SetFaults(authserver.Token, authserver.DemandNonce(want...))
		a := x.post("/token", "basic:s3cret", redemption("x"))
		x.wantError(a, 400, "use_dpop_nonce")
		if got := a.header.Values("DPoP-Nonce"); strings.Join(got, "|") != strings.Join(want, "|") ||
			len(got) != len(want) {
			t.Errorf("%s: got %q", name, got)
		}
	}
	seen := map[string]bool{}
	x.srv.SetFaults(authserver.UserInfo, authserver.DemandFreshNonce())
	for range 3 {
		a := x.fetch("/userinfo", "Authorization: DPoP x")
		if seen[a.header.Get("DPoP-Nonce")] = true; a.status != http.StatusUnauthorized {
			t.Errorf("answered %d", a.status)
		}
	}
	if len(seen) != 3 {
		t.Errorf("nonces %v", seen)
	}
	x.srv.SetFaults(authserver.Token, authserver.AnswerHeader("DPoP-Nonce", "a", "b"))
	a := x.redeem()
	if got := a.header.Values("DPoP-Nonce"); len(got) != 2 {
		t.Errorf("got %q", got)
	}
	x.srv.SetFaults(authserver.Resource, authserver.Challenge(`DPoP`, `Bearer error="x`))
	if a := x.fetch("/resource"); a.status != 401 || len(a.header.Values("WWW-Authenticate")) != 2 {
		t.Errorf("answered %d %v", a.status, a.header)
	}
}
