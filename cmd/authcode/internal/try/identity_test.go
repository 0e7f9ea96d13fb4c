package try

import (
	"encoding/json"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

func TestIdentityIsShown(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetFaults(authserver.IDToken, authserver.Set("employee", "12345678901234567890"))
	s.mustSignIn()
	page := s.get("/").body
	for id, want := range map[string]string{
		"who": "Alice Example", "email": "alice@example.com", "verified": "verified",
		"issuer":  s.demo.URL,
		"subject": "alice", "name": "Alice Example", "picture": "https://example.com/alice.png",
	} {
		if got := element(t, page, id); got != want {
			t.Errorf("#%s is %q, want %q", id, got, want)
		}
	}
	if got := element(t, page, "claims"); !strings.Contains(got,
		"&#34;employee&#34;: 12345678901234567890") {
		t.Errorf("the claims are %s", got)
	}
	if got := element(t, page, "linking"); !strings.Contains(got,
		"linked by issuer and subject together") {
		t.Errorf("the page says of linking: %s", got)
	}
	if strings.Contains(page, `src="https://`) ||
		!strings.Contains(s.get("/").Header.Get("Content-Security-Policy"), "img-src 'self'") {
		t.Error("the picture is loaded")
	}
	id := s.state().Identity
	if id == nil || id.Issuer != s.demo.URL || id.Subject != "alice" ||
		id.Email != "alice@example.com" || !id.EmailVerified {
		t.Errorf("identity is %+v", id)
	}
	if got := s.ask("GET", "/", "Accept", "application/json").body; !strings.Contains(got,
		`"employee":12345678901234567890`) {
		t.Errorf("the number has changed: %s", got)
	}
}

func TestAnUnverifiedAddressIsCalledSo(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetUser("carol")
	s.mustSignIn()
	page := s.get("/").body
	if email, verified := element(t, page, "email"), element(t, page,
		"verified"); email != "carol@example.com" || verified != "not verified" {
		t.Errorf("the page says %q, %q", email, verified)
	}
	if id := s.state().Identity; id == nil || id.EmailVerified {
		t.Errorf("identity is %+v", id)
	}
}

func TestOnlyTrueVerifiesAnAddress(t *testing.T) {
	for _, value := range []string{`"true"`, "1", "null", "false"} {
		s := newSite(t, false)
		s.demo.SetFaults(authserver.IDToken, authserver.Set("email_verified", value))
		s.mustSignIn()
		if got := element(t, s.get("/").body, "verified"); got != "not verified" {
			t.Errorf("email_verified %s: the page says %q", value, got)
		}
	}
}

func TestAnIdentityWithoutAddressOrName(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetFaults(authserver.IDToken, authserver.Drop("email"),
		authserver.Drop("email_verified"), authserver.Drop("name"),
		authserver.Drop("picture"))
	s.demo.SetFaults(authserver.UserInfo, authserver.HTMLError())
	s.mustSignIn()
	page := s.get("/").body
	if got := element(t, page, "email"); got != "the provider gave none" ||
		strings.Contains(page, `id="verified"`) {
		t.Errorf("the page says of the address: %s", got)
	}
	if got := element(t, page, "who"); got != "alice" {
		t.Errorf("#who is %q, want the subject", got)
	}
}

func TestARefusedIdentityIsNoLogin(t *testing.T) {
	for _, fault := range []authserver.Fault{
		authserver.OtherKey(), authserver.SignAs("none"), authserver.Set("aud", `"another"`),
		authserver.Set("nonce", `"x"`),
		authserver.Set("iss", `"https://evil.example"`), authserver.Drop("sub"),
	} {
		s := newSite(t, false)
		s.demo.SetFaults(authserver.IDToken, fault)
		if got := s.signIn("/auth/demo"); got.StatusCode != 502 || s.state().SignedIn {
			t.Errorf("callback: %s, signed in %v", got.Status, s.state().SignedIn)
		}
		if !strings.Contains(s.log.String(), "reason=identity_refused check=id_token.") {
			t.Errorf("log: %s", s.log)
		}
	}
}

// TestTheIdentityIsEscaped: a provider that many people may write to.
func TestTheIdentityIsEscaped(t *testing.T) {
	s := newSite(t, false)
	for _, claim := range []string{"name", "email", "picture"} {
		s.demo.SetFaults(authserver.IDToken, authserver.Set(claim, `"<script>alert(1)</script>"`))
		s.mustSignIn()
		if page := s.get("/").body; strings.Contains(page, "<script") ||
			!strings.Contains(page, "&lt;script&gt;") {
			t.Errorf("%s is not escaped: %s", claim, page)
		}
	}
}

// TestATokenAlone: a provider that does not say who signed in.
func TestATokenAlone(t *testing.T) {
	s := newSite(t, true, withFormPost)
	s.signIn("/auth/poster")
	page := s.get("/").body
	if element(t, page, "no-identity") == "" || strings.Contains(page, `id="issuer"`) ||
		strings.Contains(page, "signout-provider") {
		t.Errorf("the page is %s", page)
	}
	if got := element(t, page, "who"); got != "Alice Example" { // as the API says
		t.Errorf("#who is %q", got)
	}
	var st map[string]any
	if json.Unmarshal([]byte(s.ask("GET", "/", "Accept", "application/json").body),
		&st); st["signed_in"] != true || st["identity"] != nil {
		t.Errorf("state is %v", st)
	}
}

// TestTwoProvidersTwoPeople: the same name and address at two providers are two people.
func TestTwoProvidersTwoPeople(t *testing.T) {
	other := authserver.NewServer(authserver.Algorithm("RS256"))
	defer other.Close()
	s := newSite(t, false, func(s *site) {
		o, err := parseOptions([]string{"-name", "other", "-issuer", other.URL, "-client-id", "me"},
			environment(nil), nil)
		if err != nil {
			s.Fatal(err)
		}
		base, err := providerTransport("")
		if err != nil {
			s.Fatal(err)
		}
		s.Cleanup(base.CloseIdleConnections)
		if err := o.addProvider(s.app, [][]byte{keyBytes}, base); err != nil {
			s.Fatal(err)
		}
		other.Register(authserver.ClientRegistration{
			ID: "me", AuthMethod: authserver.None, RedirectURIs: []string{redirectURL(s.base, "other")},
		})
	})
	for name, server := range map[string]*authserver.Server{"demo": s.demo, "other": other} {
		res, err := server.SignIn(s.browser, s.base+"/auth/"+name)
		read(t, res, err)
		st := s.state()
		if st.Provider != name || st.Identity == nil || st.Identity.Issuer != server.URL ||
			st.Identity.Subject != "alice" ||
			st.API != "200 OK" || len(st.Logins) != 2 {
			t.Errorf("signed in at %s as %+v, API %s", st.Provider, st.Identity, st.API)
		}
	}
	// What ends alice's sessions at one provider is nothing to the alice of the other.
	res, err := other.SignIn(s.browser, s.base+"/auth/other")
	read(t, res, err)
	s.backChannel("demo", s.demo.LogoutToken("authcode-try", "alice"))
	if !s.state().SignedIn {
		t.Error("the demo's logout has ended the session of the other provider")
	}
}
