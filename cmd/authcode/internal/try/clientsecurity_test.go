package try

import (
	"slices"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

// row returns what the table says of one protection, and from where it is known.
func (s state) row(id string) (value, by string) {
	for _, p := range s.Protections {
		if p.ID == id {
			return p.Value, p.By
		}
	}
	return "", ""
}

// says expects texts in rows of the table, as JSON and on the page: pairs of id and text.
func (s *site) says(want ...string) {
	s.Helper()
	st, page := s.state(), s.get("/").body
	for i := 0; i < len(want); i += 2 {
		id, text := want[i], want[i+1]
		if value, by := st.row(id); !strings.Contains(value, text) || by == "" {
			s.Errorf("%s is %q, known from %q; want %q", id, value, by, text)
		}
		if got := element(s.T, page, "p-"+id); !strings.Contains(got, text) {
			s.Errorf("#p-%s is %q, want %q", id, got, text)
		}
	}
}

// back are the requests that the demo got from the app's back channel, with client
// authentication.
func (s *site) back() []authserver.Request {
	return s.demo.Requests(authserver.PAR, authserver.Token, authserver.Refresh,
		authserver.Revocation, authserver.Introspection)
}

// ways are those to protect a login at the embedded provider.
var ways = []struct {
	name   string
	secure bool
	args   []string
	method authserver.AuthMethod
	tells  []string // id and text of rows
}{
	{"plain", false, nil, authserver.Basic,
		[]string{"request", "plain", "pkce", "S256", "response", "plain", "client-auth",
			"a client secret", "binding", "none"}},
	{"public", false, []string{"-client-auth", "none"}, authserver.None,
		[]string{"client-auth", "public client"}},
	{"private_key_jwt", false, []string{"-client-auth", "private_key_jwt"}, authserver.PrivateKeyJWT,
		[]string{"client-auth", "private_key_jwt", "binding", "none"}},
	{"client_secret_jwt", false, []string{"-client-auth", "client_secret_jwt"}, authserver.SecretJWT,
		[]string{"client-auth", "client_secret_jwt"}},
	{"mutual TLS", false, []string{"-client-auth", "tls", "-bind", "tls", "-introspect"},
		authserver.SelfSignedTLS,
		[]string{"client-auth", "client certificate", "binding", "a certificate of this app"}},
	{"a certificate for tokens alone", false, []string{"-bind", "tls"}, authserver.Basic,
		[]string{"client-auth", "a client secret", "binding", "a certificate of this app"}},
	{"DPoP", false, []string{"-bind", "dpop", "-introspect"}, authserver.Basic,
		[]string{"binding", "DPoP"}},
	{"PAR", false, []string{"-par", "always"}, authserver.Basic,
		[]string{"request", "pushed (PAR)", "pkce", "S256"}},
	{"JAR", false, []string{"-sign-requests"}, authserver.Basic,
		[]string{"request", "signed (JAR, ES256)", "pkce", "S256"}},
	{"JAR, pushed", false, []string{"-sign-requests", "-par", "always"}, authserver.Basic,
		[]string{"request", "pushed (PAR)", "request-signature", "JAR"}},
	{"JARM", false, []string{"-signed-responses"}, authserver.Basic,
		[]string{"request", "plain", "response", "signed (JARM, ES256)"}},
	{"FAPI", true, []string{"-fapi", "security"}, authserver.PrivateKeyJWT,
		[]string{"profile", "FAPI 2.0 Security Profile", "request", "pushed", "binding", "DPoP",
			"client-auth", "private_key_jwt"}},
	{"FAPI, mutual TLS", true, []string{"-fapi", "security", "-client-auth", "tls"},
		authserver.SelfSignedTLS,
		[]string{"profile", "FAPI 2.0", "binding", "a certificate of this app"}},
	{"FAPI, mutual TLS and DPoP", true, []string{"-fapi", "security", "-client-auth", "tls",
		"-bind", "dpop"}, authserver.SelfSignedTLS,
		[]string{"client-auth", "client certificate", "binding", "DPoP"}},
	{"FAPI, key and certificate", true, []string{"-fapi", "security", "-bind", "tls"},
		authserver.PrivateKeyJWT,
		[]string{"client-auth", "private_key_jwt", "binding", "a certificate of this app"}},
	{"FAPI message signing", true, []string{"-fapi", "message-signing", "-introspect"},
		authserver.PrivateKeyJWT,
		[]string{"profile", "FAPI 2.0 Message Signing", "request-signature", "JAR", "response",
			"JARM"}},
}

// TestProtections goes through a login, an API call, a refresh and a sign-out in each way,
// and looks at what the provider saw and at what the page says.
func TestProtections(t *testing.T) {
	for _, test := range ways {
		t.Run(test.name, func(t *testing.T) {
			s := newSiteWith(t, test.secure, test.args)
			s.mustSignIn()
			s.says(append(test.tells, "iss", s.demo.URL)...)
			if st := s.state(); st.API != "200 OK" || st.User["sub"] != "alice" {
				t.Errorf("API: %s %v", st.API, st.User)
			}
			s.post("/refresh")
			s.post("/signout")
			s.protected(test.method, test.args)
		})
	}
}

// protected looks at what the provider saw of a whole visit.
func (s *site) protected(method authserver.AuthMethod, args []string) {
	s.Helper()
	for _, r := range s.back() {
		if r.ClientAuth != method {
			s.Errorf("%s with %q, want %q", r.Place, r.ClientAuth, method)
		}
		if shown := slices.Contains(args, "tls"); (r.Certificate != "") != shown {
			s.Errorf("%s: certificate %q", r.Place, r.Certificate)
		}
	}
	for _, at := range []authserver.Place{authserver.Token, authserver.Refresh, authserver.Revocation} {
		if len(s.demo.Requests(at)) != 1 {
			s.Errorf("%d requests at %s", len(s.demo.Requests(at)), at)
		}
	}
	for _, r := range s.demo.Requests(authserver.UserInfo) {
		if proven := r.Proof().Header["jwk"] != nil; proven != strings.HasPrefix(r.Header.Get("Authorization"), "DPoP ") {
			s.Errorf("API call with %q", r.Header.Get("Authorization"))
		}
	}
	if shown := s.demo.Requests(authserver.Discovery, authserver.JWKS,
		authserver.Authorization); slices.ContainsFunc(shown,
		func(r authserver.Request) bool { return r.Certificate != "" }) {
		s.Error("the certificate was shown where it is nobody's business")
	}
}

// TestBrowserCarriesAReference: under PAR nothing of the request is in the address.
func TestBrowserCarriesAReference(t *testing.T) {
	s := newSiteWith(t, true, []string{"-fapi", "security"})
	s.mustSignIn()
	if _, by := s.state().row("request"); by != "the address: client_id, request_uri" {
		t.Errorf("the browser carried %s", by)
	}
	asked := s.demo.Requests(authserver.Authorization)
	if len(asked) != 1 || len(asked[0].Form) != 2 {
		t.Errorf("the provider saw %v", asked)
	}
}

// TestTheTableTellsWhatHappened: a provider that does not keep to what the flags ask for,
// where the flags let it.
func TestTheTableTellsWhatHappened(t *testing.T) {
	s := newSiteWith(t, false,
		[]string{"-par", "auto"}) // the embedded server does not tell of its endpoint
	s.mustSignIn()
	s.says("request", "plain, in the browser")
	if _, by := s.state().row("request"); !strings.Contains(by, "code_challenge") ||
		!strings.Contains(by, "state") {
		t.Errorf("the browser carried %s", by)
	}

	s = newSiteWith(t, false, []string{"-bind", "tls", "-introspect"})
	s.demo.SetFaults(authserver.Introspection, authserver.Drop("cnf"))
	s.mustSignIn()
	s.says("binding", "none, as far as the provider says")
	s.demo.SetFaults(authserver.Introspection, authserver.Set("cnf", `{"x5t#S256":"AAAA"}`))
	s.says("binding", "a certificate that is not this app")
}

// TestALoginThatBeganElsewhere: the process that saw it begin has ended.
func TestALoginThatBeganElsewhere(t *testing.T) {
	s := newSite(t, false)
	s.demo.SetConsent(authserver.Ask)
	there := s.get("/auth/demo").Header.Get("Location")
	s.app.pending.mu.Lock()
	clear(s.app.pending.byID)
	s.app.pending.mu.Unlock()
	s.visit(s.approve(there, "alice"))
	s.says("request", "not seen", "pkce", "S256", "response", "plain")
}

// TestFormPostIsSeen: the answer is in a body that package authcode has read.
func TestFormPostIsSeen(t *testing.T) {
	s := newSite(t, true, withFormPost)
	s.signIn("/auth/poster")
	st := s.state()
	if _, by := st.row("response"); !st.SignedIn || !strings.Contains(by, "code, iss, state") {
		t.Errorf("signed in %v, what came back: %s", st.SignedIn, by)
	}
}

func TestStartsAreBounded(t *testing.T) {
	var s pendingLogins
	for range maxStarts + 10 {
		s.put(strings.Repeat("x", len(s.byID)%7)+string(rune(len(s.byID))), authMessages{})
	}
	if len(s.byID) != maxStarts {
		t.Errorf("%d logins are kept", len(s.byID))
	}
}
