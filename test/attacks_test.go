package test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

type config = authcode.Config

type options = []authcode.AuthOption

// TestAttacks has the cases that every build must pass, by the numbers that the
// package's documentation explains.
func TestAttacks(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"D01 credentials arrive exactly, by Basic, body and as a public client", attackD01},
		{"D02 states and verifiers never repeat", attackD02},
		{"D03 a callback in a browser without a login is refused", attackD03},
		{"D04 a wrong state is refused and harms nothing", attackD04},
		{"D05 an injected code fails by the victim's verifier", attackD05},
		{"D06 cookies have their attributes", attackD06},
		{"D07 a repeated parameter is refused", attackD07},
		{"D08 a denial is typed, and shown only with a valid state", attackD08},
		{"D09 tabs finish in any order, the newest five of eight", attackD09},
		{"D10 reload, back and double click redeem once", attackD10},
		{"D11 a changed cookie is refused", attackD11},
		{"D12 a login survives the rotation of its key, not its removal", attackD12},
		{"D13 a return path never leaves the origin", attackD13},
		{"D14 a redirecting token endpoint is not followed", attackD14},
		{"D15 what an error answer says is neither shown nor logged", attackD15},
		{"D16 a silent token endpoint ends with the deadline", attackD16},
		{"D17 oversized answers are refused in little memory", attackD17},
		{"D18 GitHub's answers are understood", attackD18},
		{"D20 any instance with the keys finishes a login", attackD20},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

// Credentials with all that an encoding can get wrong.
const (
	oddID     = `id:+ %41%zz ü€`
	oddSecret = world.CanarySecret + `:+ %2B%zz ö€"&=`
)

// credentials are the ways in which a client authenticates with a secret or
// without. The server form-decodes Basic credentials as RFC 6749 section 2.3.1
// says, or takes them as they are.
var credentials = []struct {
	name  string
	reg   authserver.ClientRegistration
	style oauth2.AuthStyle
}{
	{"Basic", authserver.ClientRegistration{ID: oddID, Secret: oddSecret,
		AuthMethod: authserver.Basic}, oauth2.AuthStyleInHeader},
	{"zero is Basic", authserver.ClientRegistration{ID: oddID, Secret: oddSecret,
		AuthMethod: authserver.Basic}, 0},
	{"raw Basic", authserver.ClientRegistration{ID: strings.ReplaceAll(oddID, ":", ""),
		Secret: oddSecret, AuthMethod: authserver.Basic, RawBasic: true}, oauth2.AuthStyleInHeader},
	{"body", authserver.ClientRegistration{ID: oddID, Secret: oddSecret,
		AuthMethod: authserver.Post}, oauth2.AuthStyleInParams},
	{"public", authserver.ClientRegistration{ID: oddID, AuthMethod: authserver.None}, 0},
}

func attackD01(t *testing.T) {
	for _, c := range credentials {
		t.Run(c.name, func(t *testing.T) {
			w := world.New(t)
			w.Register(c.reg, func(cfg *config) { cfg.Provider.AuthStyle = c.style })
			w.WantStatus(w.Browser().SignIn(""), http.StatusSeeOther)
			w.WantTokenRequests(1)
			r := w.Server.TokenRequests()[0]
			if r.ClientAuth != c.reg.AuthMethod || r.ClientID != c.reg.ID ||
				r.ClientSecret != c.reg.Secret {
				t.Errorf("the server understood %s %q %q, want %s %q %q", r.ClientAuth, r.ClientID,
					r.ClientSecret, c.reg.AuthMethod, c.reg.ID, c.reg.Secret)
			}
			login := w.LastLogin()
			if login.Token.AccessToken == "" || login.Values["cart"] != "42" ||
				time.Since(login.Started).Abs() > time.Minute {
				t.Error("the token or the app's value did not reach the app")
			}
		})
	}
}

// verifierKeeper is a token endpoint that keeps the verifiers. 10,000 logins
// over sockets would test the sockets.
type verifierKeeper struct{ verifier string }

func (k *verifierKeeper) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	k.verifier = r.PostForm.Get("code_verifier")
	rec := httptest.NewRecorder()
	rec.WriteString(`{"access_token":"a","token_type":"Bearer"}`)
	return rec.Result(), nil
}

func attackD02(t *testing.T) {
	keeper := new(verifierKeeper)
	client := world.Client(t, nil, func(c *config) { c.Wrap = world.Through(keeper) })
	const n = 10_000
	states, challenges := make(map[string]bool), make(map[string]bool)
	names := make(map[string]bool)
	for i := range n {
		l := world.Begin(t, client, nil)
		challenge := l.Query.Get("code_challenge")
		states[l.Query.Get("state")] = true
		challenges[challenge] = true
		names[l.Cookies[0].Name] = true
		if i%10 > 0 {
			continue // to finish all would take most of the time
		}
		l.Finish(t, client)
		if l.Query.Get("code_challenge_method") != "S256" ||
			challenge != oauth2.S256ChallengeFromVerifier(keeper.verifier) {
			t.Fatal("the challenge is not S256 of the verifier")
		}
	}
	if len(states) != n || len(challenges) != n || len(names) != n {
		t.Errorf("%d logins had %d states, %d challenges, %d cookie names", n, len(states),
			len(challenges), len(names))
	}
}
