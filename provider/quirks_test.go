package provider_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

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
		reason           authcode.Reason
	}{
		{"another tenant", tenant, "id_token.tid",
			func() authcode.Provider { return provider.MicrosoftTenants(another) }, authcode.NotAdmitted},
		{"a tid that is not the issuer's", another, "id_token.iss", r.provider, authcode.IdentityRefused},
		{"no tid", "", "id_token.tid", r.provider, authcode.IdentityRefused},
		{"a path as tid", tenant + "/..", "id_token.tid", provider.MicrosoftAnyTenant, authcode.IdentityRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.reset(t)
			s.rewrite(t, tenant, c.tid)
			changed := *r
			changed.provider = c.preset
			s.row = &changed
			defer func() { s.row = r }()
			a.signIn(t)
			a.wantFailure(t, c.reason, c.check)
		})
	}
}

// TestInsecureLinkedInSecret: LinkedIn refuses a verifier, and authcode.New still sees a faulty secret.
func TestInsecureLinkedInSecret(t *testing.T) {
	_, s, a := play(t, "LinkedIn")
	a.signIn(t, func(cfg *authcode.Config) {
		cfg.Provider.SecretKind, cfg.ClientAuth = "", authcode.Secret(clientSecret)
	})
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

// TestLinkedInNonce: LinkedIn's ID tokens have no nonce, but one that has must have this login's: it is all that
// could tell a stolen code.
func TestLinkedInNonce(t *testing.T) {
	r, s, a := play(t, "LinkedIn")
	for claims, ok := range map[string]bool{
		``: true, `,"nonce":"NONCE"`: true, `,"nonce":"of another login"`: false, `,"nonce":""`: false,
		`,"nonce":null`: false, `,"nonce":["NONCE"]`: false, `,"nonce":"NONCE","Nonce":"x"`: false, `,"nonce":`: false,
	} {
		s.reset(t)
		s.claims = claims
		a.signIn(t)
		if ok {
			a.wantLogin(t, r.want)
		} else {
			a.wantFailure(t, authcode.IdentityRefused, "id_token.nonce")
			if s.seen(r.profile.url) != 0 {
				t.Errorf("%s: the profile was asked for", claims)
			}
		}
	}
	for _, token := range []string{"garbage", "a.b", "a.!.c", "e30.e30", "e30"} {
		s.reset(t)
		s.idToken = token
		a.signIn(t)
		if token == "e30.e30" { // whole, and without a nonce
			a.wantLogin(t, r.want)
			continue
		}
		a.wantFailure(t, authcode.IdentityRefused, "id_token.nonce")
	}
	without := *r
	without.grant = strings.Replace(r.grant, `,"id_token":"ID_TOKEN"`, "", 1)
	if without.grant == r.grant || strings.Contains(without.grant, "id_token") {
		t.Fatal("there is still an ID token")
	}
	s.reset(t)
	s.row = &without
	a.signIn(t)
	a.wantLogin(t, r.want)
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
		{"X", `"name":"X Dev"`, `"name":""`, "XDevelopers", "https://pbs.example/1"},
		{"Reddit", `"snoovatar_img":""`, `"snoovatar_img":"https://i.example/1"`, "ada", "https://i.example/1"},
		{"Notion", `"avatar_url":null`, `"avatar_url":"https://n.example/1"`, "christine", "https://n.example/1"},
		{"Gitea", `"full_name":""`, `"full_name":"Ada Lovelace"`, "Ada Lovelace", "https://example.com/a"},
		{"Bitbucket", `"display_name":"Ada"`, `"display_name":""`, "ada", "https://bitbucket.org/a"},
		{"Atlassian", `"name":"Mia Krystof"`, `"name":""`, "mkrystof", "https://avatar.example/1"},
	} {
		r, s, a := play(t, c.fn)
		s.rewrite(t, c.old, c.text)
		a.signIn(t)
		want := r.want
		want.Name, want.Picture = c.name, c.picture
		a.wantLogin(t, want)
	}
}

// TestEmailsStayWithProfile: an app that moves the profile to another host moves the addresses with it. The old
// host never sees the token.
func TestEmailsStayWithProfile(t *testing.T) {
	for _, p := range []authcode.Provider{provider.GitHub(), provider.Bitbucket()} {
		p.UserInfoURL = "https://git.example/api/user?x=y"
		var asked []string
		p.Identity(t.Context(), &authcode.TokenResponse{
			Connection: &authcode.Connection{Endpoints: p.Endpoints}, Token: &oauth2.Token{},
			Do: func(r *http.Request) (*http.Response, error) {
				asked = append(asked, r.URL.String())
				body := `{"id":7,"uuid":"7","values":[]}`
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body))}, nil
			}})
		want := []string{"https://git.example/api/user?x=y", "https://git.example/api/user/emails?x=y"}
		if !slices.Equal(asked, want) {
			t.Errorf("%s: asked for %q, want %q", p.Name, asked, want)
		}
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

// TestRefreshCheck: a preset that adds to the Identity of an OpenID provider keeps its check of
// refreshed tokens, and a profile is not asked for again.
func TestRefreshCheck(t *testing.T) {
	old := (&oauth2.Token{}).WithExtra(map[string]any{"id_token": "a.b.c"})
	fresh := (&oauth2.Token{}).WithExtra(map[string]any{"id_token": "d.e.f"})
	for _, r := range rows() {
		p := r.provider()
		resp := &authcode.TokenResponse{Token: fresh, Previous: old, MaxAge: -1,
			Connection: &authcode.Connection{Config: authcode.Config{ClientID: clientID, Provider: p}, Transport: refuseAll{}},
			Do: func(*http.Request) (*http.Response, error) {
				t.Errorf("%s: a request with the token", r.fn)
				return nil, errors.New("down")
			}}
		id, err := p.Identity(t.Context(), resp)
		if isREST(r) != (err == nil) || id != nil {
			t.Errorf("%s: got %v, %v; a token that nobody could check is an error, and a profile says nothing", r.fn, id, err)
		}
	}
}

type refuseAll struct{}

func (refuseAll) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("down") }
