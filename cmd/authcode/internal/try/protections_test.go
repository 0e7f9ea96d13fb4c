package try

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

// atResource has the app call the API at /resource, which can ask for a better sign-in.
func atResource(s *site) {
	origin := s.demo.URL
	if s.demo.MTLSURL != "" {
		origin = s.demo.MTLSURL
	}
	s.app.signIns[0].userinfoURL = origin + "/resource"
}

// TestStepUp: the API asks for more, and the link starts a login that asks the provider for it.
func TestStepUp(t *testing.T) {
	for _, args := range [][]string{
		nil, {"-bind", "dpop"}, {"-client-auth", "tls", "-bind", "tls"}, {"-par", "always"},
	} {
		s := newSiteWith(t, false, args, atResource)
		s.mustSignIn()
		if strings.Contains(s.get("/").body, `id="step-up"`) ||
			s.get("/step-up").Header.Get("Location") != "/" {
			t.Errorf("%v: a better sign-in is offered before anybody has asked for it", args)
		}
		s.demo.SetStepUp("gold", time.Hour)
		page, st := s.get("/"), s.state()
		if !strings.Contains(page.body, `id="step-up" href="/step-up"`) ||
			st.StepUp != "/step-up" || st.API != "401 Unauthorized" {
			t.Fatalf("%v: API %q, step-up %q", args, st.API, st.StepUp)
		}
		if got := s.signIn("/step-up"); got.StatusCode != http.StatusSeeOther ||
			got.Header.Get("Location") != "/" {
			t.Fatalf("%v: callback: %s %s", args, got.Status, s.log)
		}
		if st := s.state(); st.API != "200 OK" || st.User["acr"] != "gold" || st.StepUp != "" {
			t.Errorf("%v: API %s %v", args, st.API, st.User)
		}
		s.says("acr", "gold", "auth-time", "UTC")
		if got := s.get("/step-up"); got.Header.Get("Location") != "/" {
			t.Errorf("%v: it is offered still: %s", args, got.Header.Get("Location"))
		}
		s.demo.SetStepUp("platinum", 0)
		s.state() // the API asks again
		if got := s.get("/step-up"); !strings.HasPrefix(got.Header.Get("Location"), s.demo.URL) {
			t.Errorf("%v: the link leads to %q", args, got.Header.Get("Location"))
		}
		s.demo.SetStepUp("", 0)
		s.state() // and no longer
		if got := s.get("/step-up"); got.Header.Get("Location") != "/" {
			t.Errorf("%v: the link still leads to %q", args, got.Header.Get("Location"))
		}
	}
}

func TestStepUpOfNobody(t *testing.T) {
	s := newSite(t, false)
	if got := s.get("/step-up"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("%s", got.Status)
	}
}

// TestWhatALoginAsksFor: the parameters of every login, and that those of a step-up
// replace them.
func TestWhatALoginAsksFor(t *testing.T) {
	s := newSiteWith(t, false, []string{"-acr-values", "silver bronze", "-max-age", "3600",
		"-introspect",
		"-authorization-details", `[{"type":"payment","amount":12345678901234567890}]`})
	s.mustSignIn()
	asked := s.demo.Requests(authserver.Authorization)[0].Form
	if asked.Get("acr_values") != "silver bronze" || asked.Get("max_age") != "3600" {
		t.Errorf("the provider was asked %v", asked)
	}
	s.says("acr", "silver")
	page := s.get("/").body
	if got := element(t, page, "details"); !strings.Contains(got, "payment") ||
		!strings.Contains(got, "12345678901234567890") {
		t.Errorf("#details: %s", got)
	}
	if !strings.Contains(page, `id="introspection"`) {
		t.Error("the page lacks the introspection")
	}
	st := s.state()
	if st.Introspection == nil || st.Introspection.Status != "active (plain answer)" ||
		st.Introspection.Claims["sub"] != "alice" {
		t.Errorf("introspection: %+v", st.Introspection)
	}
}

// TestResources: two of them are asked for, from one environment variable too.
func TestResources(t *testing.T) {
	s := newSiteWith(t, false, []string{"-resource", "https://a.example/ https://b.example/",
		"-resource", "https://c.example/"})
	s.mustSignIn()
	if got := s.demo.Requests(authserver.Authorization)[0].Form["resource"]; len(got) != 3 ||
		got[2] != "https://c.example/" {
		t.Errorf("asked for %v", got)
	}
}

// TestStepUpReplaces: what the API asks for counts, not what every login asks for.
func TestStepUpReplaces(t *testing.T) {
	s := newSiteWith(t, false, []string{"-acr-values", "silver", "-max-age", "3600"}, atResource)
	s.demo.SetStepUp("gold", time.Minute)
	s.mustSignIn()
	if s.state(); s.signIn("/step-up").StatusCode != http.StatusSeeOther {
		t.Fatal(s.log)
	}
	asked := s.demo.Requests(authserver.Authorization)[1].Form
	if len(asked["acr_values"]) != 1 || asked.Get("acr_values") != "gold" ||
		asked.Get("max_age") != "60" {
		t.Errorf("asked for %v", asked)
	}
}

func TestIntrospectionThatFails(t *testing.T) {
	for _, test := range []struct {
		args  []string
		fault authserver.Fault
		want  string
	}{
		{[]string{"-introspect"}, authserver.HTMLError(), "no usable answer"},
		{[]string{"-introspect"}, authserver.Signed(), "no usable answer"},
		{[]string{"-introspect"}, authserver.Set("active", "false"), "not active"},
		{[]string{"-introspect", "-fapi", "message-signing"}, authserver.Plain(), "no usable answer"},
	} {
		s := newSiteWith(t, true, test.args)
		s.mustSignIn()
		s.demo.SetFaults(authserver.Introspection, test.fault)
		if got := s.state().Introspection; got == nil || !strings.Contains(got.Status, test.want) {
			t.Errorf("%v: introspection %+v, want %q", test.args, got, test.want)
		}
	}
}

// TestSignedIntrospection: under message signing the answer is signed.
func TestSignedIntrospection(t *testing.T) {
	s := newSiteWith(t, true, []string{"-introspect", "-fapi", "message-signing"})
	s.mustSignIn()
	if got := s.state().Introspection; got == nil || got.Status != "active (signed answer)" {
		t.Errorf("introspection %+v", got)
	}
	s.says("binding", "DPoP")
	if _, by := s.state().row("binding"); !strings.Contains(by, "cnf has a key") {
		t.Errorf("the binding is known from %s", by)
	}
}

// TestNothingSecretIsShown, with every protection there is.
func TestNothingSecretIsShown(t *testing.T) {
	s := newSiteWith(t, true, []string{"-introspect", "-fapi", "message-signing"})
	s.mustSignIn()
	shown := s.get("/").body + s.ask("GET", "/", "Accept", "application/json").body
	s.post("/refresh")
	shown += s.get("/").body + s.log.String()
	for _, secret := range s.demo.Issued() {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
	for _, r := range s.back() {
		for _, name := range []string{"client_assertion", "code", "code_verifier", "request",
			"state", "nonce"} {
			if secret := r.Form.Get(name); len(secret) > 8 && strings.Contains(shown, secret) {
				t.Errorf("%s is shown", name)
			}
		}
	}
}

// TestTheProgramUnderFAPI starts the whole program with one flag: app and provider speak
// https, with certificates of this run.
func TestTheProgramUnderFAPI(t *testing.T) {
	s := program(t, nil, "-fapi", "security")
	if !strings.HasPrefix(s.base, "https://127.0.0.1:") {
		t.Fatalf("the app is at %s", s.base)
	}
	s.browser.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer s.browser.CloseIdleConnections()
	back := s.approve(s.get("/auth/demo").Header.Get("Location"), "bob")
	if got := s.visit(back); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("callback: %s: %s", got.Status, s.log)
	}
	if st := s.state(); st.Identity == nil || st.Identity.Subject != "bob" || st.API != "200 OK" ||
		st.TokenType != "DPoP" {
		t.Errorf("state: %+v", st)
	}
	s.says("request", "pushed (PAR)", "client-auth", "private_key_jwt", "profile",
		"FAPI 2.0 Security Profile")
}
