package authtest_test

import (
	"errors"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
)

// faultsAtALogin are faults with the reason that a login fails with.
var faultsAtALogin = map[string]struct {
	fault authtest.Fault
	want  authcode.Reason // empty: the login succeeds
}{
	"down":                              {authtest.Down(), authcode.Unreachable},
	"slow, but in time":                 {authtest.Slow(time.Millisecond), ""},
	"too slow":                          {authtest.Slow(time.Minute), authcode.Timeout},
	"busy":                              {authtest.Busy(2 * time.Minute), authcode.Overloaded},
	"an error page":                     {authtest.ErrorPage(), authcode.BadAnswer},
	"a person has to sign in":           {authtest.LoginError("login_required"), authcode.InteractionRequired},
	"unavailable":                       {authtest.LoginError("temporarily_unavailable"), authcode.Overloaded},
	"out of order":                      {authtest.LoginError("server_error"), authcode.BadAnswer},
	"refused":                           {authtest.LoginError("access_denied"), authcode.Denied},
	"a scope that the app may not have": {authtest.LoginError("invalid_scope"), authcode.Configuration},
	"a stolen code":                     {authtest.StolenCode(), authcode.GrantRejected},
	"the code is refused":               {authtest.CodeRefused(), authcode.GrantRejected},
	"the client is refused":             {authtest.ClientRefused(), authcode.Configuration},
	"a wrong nonce":                     {authtest.WrongNonce(), authcode.IdentityRefused},
	"an expired ID token":               {authtest.ExpiredIDToken(), authcode.IdentityRefused},
	"a bad signature":                   {authtest.BadSignature(), authcode.IdentityRefused},
	"userinfo of another person":        {authtest.AnotherPerson(), authcode.IdentityRefused},
	"no refresh token":                  {authtest.NoRefreshToken(), ""},
	"a refusal of refresh tokens":       {authtest.RefreshRefused(), ""},
}

// TestFaultsAtALogin has a row for each fault that a login meets, and what the
// app sees.
func TestFaultsAtALogin(t *testing.T) {
	for claim, row := range faultsAtALogin {
		t.Run(claim, func(t *testing.T) {
			a := newApp(t, "https", func(a *app) {
				a.cfg.Provider = oidc.Provider(a.srv.URL, oidc.UserInfo())
			})
			if a.signIn() == nil {
				t.Fatal("the login before failed")
			}
			if row.want == authcode.Timeout {
				a.patience = 50 * time.Millisecond
			}
			a.srv.SetFaults(row.fault)
			login := a.signIn()
			if (login != nil) != (row.want == "") {
				t.Errorf("signed in: %v", login != nil)
			}
			if row.want != "" {
				a.wantReason(row.want)
			}
			a.patience = 0
			a.srv.SetFaults()
			if a.signIn() == nil {
				t.Error("the login after failed")
			}
		})
	}
}

// TestFaultsAtARefresh has a row for each fault that a refresh meets.
func TestFaultsAtARefresh(t *testing.T) {
	for claim, row := range map[string]struct {
		fault authtest.Fault
		want  authcode.Reason
		final bool // and the person has to sign in again
	}{
		"down":                  {authtest.Down(), authcode.Unreachable, false},
		"busy":                  {authtest.Busy(time.Minute), authcode.Overloaded, false},
		"an error page":         {authtest.ErrorPage(), authcode.BadAnswer, false},
		"the client is refused": {authtest.ClientRefused(), authcode.Configuration, false},
		"another person":        {authtest.AnotherPerson(), authcode.IdentityRefused, true},
		"refused":               {authtest.RefreshRefused(), authcode.GrantRejected, true},
	} {
		t.Run(claim, func(t *testing.T) {
			a := newApp(t, "https", nil)
			source := a.client.TokenSource(a.signIn().Token, nil)
			a.srv.SetFaults(row.fault)
			if _, err := source.Token(t.Context()); err != nil {
				t.Fatalf("before the token has expired: %v", err)
			}
			a.srv.Advance(2 * time.Hour)
			_, err := source.Token(t.Context())
			var e *authcode.Error
			if !errors.As(err, &e) || e.Reason != row.want || e.Final != row.final {
				t.Errorf("got %v, want %s, final: %v", err, row.want, row.final)
			}
			a.srv.SetFaults()
			if _, err := source.Token(t.Context()); (err != nil) != row.final {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestNoRefreshToken(t *testing.T) {
	a := newApp(t, "https", nil)
	a.srv.SetFaults(authtest.NoRefreshToken())
	token := a.signIn().Token
	if token.AccessToken == "" || token.RefreshToken != "" {
		t.Errorf("access token: %v, refresh token: %v", token.AccessToken != "", token.RefreshToken != "")
	}
}

func TestBusySaysHowLong(t *testing.T) {
	a := newApp(t, "https", nil)
	a.srv.SetFaults(authtest.Busy(2 * time.Minute))
	a.signIn()
	if err := a.wantReason(authcode.Overloaded); err.RetryAfter != 2*time.Minute {
		t.Errorf("RetryAfter is %v", err.RetryAfter)
	}
}

// TestFaultsTogether: several faults at once, and later ones replace them all.
func TestFaultsTogether(t *testing.T) {
	a := newApp(t, "https", nil)
	a.srv.SetFaults(authtest.Slow(time.Millisecond), authtest.NoRefreshToken(), authtest.WrongNonce())
	a.signIn()
	a.wantReason(authcode.IdentityRefused)
	a.srv.SetFaults(authtest.Slow(time.Millisecond))
	if login := a.signIn(); login == nil || login.Token.RefreshToken == "" {
		t.Error("an earlier fault is still there")
	}
}
