package provider_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/provider"
	"golang.org/x/oauth2"
)

// play starts the simulator and the app of one row.
func play(t *testing.T, fn string) (*row, *sim, *app) {
	t.Helper()
	for _, r := range rows() {
		if r.fn == fn {
			s := newSim(t, r)
			s.reset(t)
			return r, s, newApp(t, s)
		}
	}
	t.Fatalf("no row %s", fn)
	return nil, nil, nil
}

// TestAppleFirstSignIn: the form field user brings a name, and nothing else of it counts.
func TestAppleFirstSignIn(t *testing.T) {
	r, s, a := play(t, "Apple")
	for _, c := range []struct{ name, user, want string }{
		{"first and last name", `{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"evil@example.com"}`,
			"Ada Lovelace"},
		{"one name", `{"name":{"firstName":"Ada","lastName":null}}`, "Ada"},
		{"an address alone", `{"email":"evil@example.com"}`, ""},
		{"claims of the ID token", `{"sub":"someone","email_verified":true,"iss":"https://evil.example"}`, ""},
		{"no JSON", `<script>`, ""},
		{"a name that is no object", `{"name":"Ada"}`, ""},
		{"a repeated name", `{"name":{"firstName":"Ada"},"Name":{"firstName":"Eve"}}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.reset(t)
			s.form = c.user
			a.signIn(t)
			want := r.want
			want.Name = c.want
			a.wantLogin(t, want)
		})
	}
	s.reset(t)
	s.form = `{"name":{"firstName":"Eve"}}`
	s.rewrite(t, `"sub":`, `"name":"Ada","sub":`) // should Apple ever sign one
	a.signIn(t)
	want := r.want
	want.Name = "Ada"
	a.wantLogin(t, want)
}

// TestAppleEmailVerified: text or boolean, and nothing else is true.
func TestAppleEmailVerified(t *testing.T) {
	r, s, a := play(t, "Apple")
	for value, verified := range map[string]bool{`true`: true, `"true"`: true, `"false"`: false, `false`: false,
		`"TRUE"`: false, `1`: false, `null`: false} {
		s.reset(t)
		s.rewrite(t, `"email_verified":"true"`, `"email_verified":`+value)
		a.signIn(t)
		want := r.want
		want.EmailVerified = verified
		a.wantLogin(t, want)
	}
}

// TestMicrosoftEmail: an address that only a tenant's administrator vouches for stays out.
func TestMicrosoftEmail(t *testing.T) {
	r, s, a := play(t, "MicrosoftAnyTenant")
	for value, c := range map[string]struct{ email, verified bool }{
		`true`: {true, true}, `"1"`: {true, true}, `1`: {true, true},
		`false`: {true, false}, `"0"`: {true, false}, `0`: {true, false}, `"yes"`: {}, `null`: {}, `[true]`: {}, `1.0`: {}} {
		s.reset(t)
		s.rewrite(t, `"xms_edov":true`, `"xms_edov":`+value)
		a.signIn(t)
		want := r.want
		if want.EmailVerified = c.verified; !c.email {
			want.Email = ""
		}
		a.wantLogin(t, want)
	}
	s.reset(t)
	s.rewrite(t, `"xms_edov":true`, `"email_verified":true`) // not Microsoft's word for it
	a.signIn(t)
	want := r.want
	want.Email, want.EmailVerified = "", false
	a.wantLogin(t, want)
}

// TestMicrosoftTenants: people of other tenants, and tokens whose tid is not their issuer's.
func TestMicrosoftTenants(t *testing.T) {
	r, s, a := play(t, "MicrosoftTenants")
	for _, c := range []struct {
		name, tid, check string
		preset           func() authcode.Provider
	}{
		{"another tenant", tenant, "id_token.tid",
			func() authcode.Provider { return provider.MicrosoftTenants("aaaaaaaa-1111") }},
		{"a tid that is not the issuer's", "aaaaaaaa-1111", "id_token.iss", r.provider},
		{"a list that is empty by mistake", tenant, "config.tenants",
			func() authcode.Provider { return provider.MicrosoftTenants() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.reset(t)
			s.rewrite(t, tenant, c.tid)
			changed := *r
			changed.provider = c.preset
			s.row = &changed
			defer func() { s.row = r }()
			if c.check == "config.tenants" {
				client, err := authcode.New(authcode.Config{Provider: c.preset(), ClientID: clientID,
					ClientAuth: authcode.Secret(clientSecret), RedirectURL: a.server.URL + "/callback",
					CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}})
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", a.server.URL+"/login", nil))
				if e := (*authcode.Error)(nil); !errors.As(err, &e) || e.Check != c.check || e.Reason != authcode.Configuration {
					t.Errorf("got %v", err)
				}
				return
			}
			a.signIn(t)
			a.wantFailure(t, authcode.IdentityRefused, c.check)
		})
	}
}

// TestInsecureLinkedInSecret: LinkedIn refuses a verifier, and authcode.New still sees a faulty secret.
func TestInsecureLinkedInSecret(t *testing.T) {
	_, s, a := play(t, "LinkedIn")
	a.signIn(t, func(cfg *authcode.Config) { cfg.ClientAuth = authcode.Secret(clientSecret) })
	a.wantFailure(t, authcode.Configuration, "answer.configuration")
	for _, secret := range []string{"", "with a newline\n"} {
		_, err := authcode.New(authcode.Config{Provider: s.row.provider(), ClientID: clientID,
			ClientAuth: provider.InsecureLinkedInSecret(secret), RedirectURL: "https://app.example/callback",
			CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")}})
		if err == nil || !strings.Contains(err.Error(), "Config.ClientAuth") {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
}

// TestNames: what stands in for a missing name or picture.
func TestNames(t *testing.T) {
	for _, c := range []struct{ fn, old, text, name, picture string }{
		{"GitHub", `"name":"Ada Lovelace"`, `"name":null`, "ada", "https://avatars.example/u/1"},
		{"GitHub", `"avatar_url":"https://avatars.example/u/1"`, `"avatar_url":null`, "Ada Lovelace", ""},
		{"Discord", `"global_name":null`, `"global_name":"Nelly"`, "Nelly",
			"https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675.png"},
		{"Discord", `"avatar":"8342729096ea3675"`, `"avatar":null`, "nelly", ""},
		{"Discord", `"avatar":"8342729096ea3675"`, `"avatar":"../../x?y#z"`, "nelly",
			"https://cdn.discordapp.com/avatars/80351110224678912/..%2F..%2Fx%3Fy%23z.png"},
		{"Strava", `"firstname":"Ada","lastname":"Lovelace"`, `"firstname":"","lastname":"Lovelace"`,
			"Lovelace", "https://s.example/1"},
		{"Strava", `"firstname":"Ada","lastname":"Lovelace"`, `"firstname":null`, "ada", "https://s.example/1"},
		{"Zoom", `"id":`, `"display_name":"Harry G","id":`, "Harry G", "https://lh4.example/1"},
		{"Zoom", `"first_name":"Harry","last_name":"Grande"`, `"first_name":7`, "", "https://lh4.example/1"},
		{"Twitch", `"preferred_username":"ada"`, `"preferred_username":"ada","name":"Ada"`, "Ada", "https://p.example/1"},
	} {
		r, s, a := play(t, c.fn)
		s.rewrite(t, c.old, c.text)
		a.signIn(t)
		want := r.want
		want.Name, want.Picture = c.name, c.picture
		a.wantLogin(t, want)
	}
}

// TestClaims: an app finds what the preset leaves out, with numbers exact.
func TestClaims(t *testing.T) {
	_, _, a := play(t, "GitHub")
	a.signIn(t)
	if got := a.login.Identity.Claims["id"]; got != json.Number("9007199254740993") {
		t.Errorf("id is %v", got)
	}
	_, _, a = play(t, "Spotify")
	a.signIn(t)
	if got := a.login.Identity.Claims["email"]; got != "ada@example.com" {
		t.Errorf("email is %v", got)
	}
}

// stalled keeps requests to one host until they are given up, or breaks them.
type stalled struct {
	next http.RoundTripper
	host string
	fail bool
}

func (s stalled) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case r.URL.Host != s.host:
		return s.next.RoundTrip(r)
	case s.fail:
		return nil, errors.New("a text with " + accessToken)
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestProfileUnreachable: the caller's deadline counts, and no text of a transport's shows.
func TestProfileUnreachable(t *testing.T) {
	_, s, a := play(t, "GitHub")
	transport := func(fail bool) func(*authcode.Config) {
		return func(cfg *authcode.Config) {
			cfg.HTTPClient = &http.Client{Transport: stalled{s, "api.github.com", fail}}
		}
	}
	a.signIn(t, transport(true))
	a.wantFailure(t, authcode.Unreachable, "profile.unreachable")

	s.reset(t)
	began := time.Now()
	a.deadline = 300 * time.Millisecond
	a.signIn(t, transport(false))
	a.wantFailure(t, authcode.Timeout, "provider.timeout")
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestRefreshCheck: a preset that adds to an OpenID provider's Identifier keeps its check of
// refreshed tokens.
func TestRefreshCheck(t *testing.T) {
	presets := []authcode.Provider{provider.Apple(), provider.Microsoft(tenant), provider.Twitch(), provider.Google()}
	for _, p := range presets {
		checker, ok := p.Identity.(authcode.RefreshChecker)
		if !ok {
			t.Errorf("%s: no RefreshChecker", p.Name)
			continue
		}
		old := (&oauth2.Token{}).WithExtra(map[string]any{"id_token": "a.b.c"})
		fresh := (&oauth2.Token{}).WithExtra(map[string]any{"id_token": "d.e.f"})
		answer := &authcode.Answer{Token: fresh, MaxAge: -1, HTTP: &http.Client{Transport: refuseAll{}}}
		if err := checker.CheckRefresh(t.Context(), old, answer); err == nil {
			t.Errorf("%s: a token nobody could check was accepted", p.Name)
		}
	}
}

type refuseAll struct{}

func (refuseAll) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("down") }
