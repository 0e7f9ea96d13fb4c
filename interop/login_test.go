package interop

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
)

const tokenRequest = "POST /token"

func TestCodeFlow(t *testing.T) {
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			o := plainProvider(t)
			a := newApp(t, o, p, unchanged)
			before := o.requests(t, tokenRequest)
			me := newPerson(t)
			end := me.press(me.signIn(a.url+"/login?next=/deep%3Fq=1%2B1"), "approve")
			got := a.outcome()
			if end.status != http.StatusOK || end.url.String() != a.url+"/deep?q=1+1" || got.login == nil {
				t.Fatalf("ended at %s with %d: %v", end.url, end.status, got.err)
			}
			if n := o.requests(t, tokenRequest) - before; n != 1 {
				t.Errorf("%d token requests, want 1", n)
			}
			if want := []string{"openid", "profile", "email"}; !slices.Equal(got.login.Scopes, want) {
				t.Errorf("scopes %q, want %q", got.login.Scopes, want)
			}
			if status := userinfo(t, o, got.login.Token.AccessToken); status != http.StatusOK {
				t.Errorf("userinfo answers %d, want 200", status)
			}
		})
	}
}

// A client that the server does not accept is told how it introduced itself and which field
// changes that.
func TestClientRefused(t *testing.T) {
	basic, body := peers[0], peers[1]
	plain := basic
	plain.id, plain.secret = "interop-raw", "s+c"
	for _, c := range []struct {
		name   string
		peer   peer
		change func(*authcode.Config)
		hint   string
	}{
		{"wrong secret by Basic", basic, func(cfg *authcode.Config) {
			cfg.ClientAuth = authcode.Secret("not it")
		}, "HTTP Basic"},
		{"wrong secret in the body", body, func(cfg *authcode.Config) {
			cfg.ClientAuth = authcode.Secret("not it")
		}, "body"},
		{"secret sent raw to a server that decodes", plain, func(cfg *authcode.Config) {
			cfg.Provider.RawBasic = true
		}, "Provider.RawBasic"},
		{"no secret where one is registered", basic, func(cfg *authcode.Config) {
			cfg.ClientAuth = authcode.Public()
		}, "Config.ClientAuth"},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused(t, newApp(t, plainProvider(t), c.peer, c.change), authcode.Configuration, c.hint)
		})
	}
}

// refused approves a login and expects it to fail with reason in the app, in words
// that name hint and do not repeat the client's credentials.
func refused(t *testing.T, a *app, reason authcode.Reason, hint string) {
	t.Helper()
	me := newPerson(t)
	end := me.press(me.signIn(a.url+"/login"), "approve")
	got := a.outcome()
	if end.status != reason.Status() || !errors.Is(got.err, reason) || got.login != nil {
		t.Fatalf("status %d, error %v, want %d and %v", end.status, got.err, reason.Status(), reason)
	}
	if !strings.Contains(got.err.Error(), hint) {
		t.Errorf("the error does not name %s: %v", hint, got.err)
	}
	for _, p := range peers[:2] {
		if strings.Contains(got.err.Error()+end.body, p.secret) {
			t.Errorf("the secret is shown: %v\n%s", got.err, end.body)
		}
	}
}

func TestDeniedConsent(t *testing.T) {
	o := plainProvider(t)
	a := newApp(t, o, peers[0], unchanged)
	before := o.requests(t, tokenRequest)
	me := newPerson(t)
	end := me.press(me.signIn(a.url+"/login"), "deny")
	err := a.outcome().err
	if end.status != http.StatusForbidden || !errors.Is(err, authcode.Denied) {
		t.Fatalf("status %d, error %v, want 403 and denied", end.status, err)
	}
	if err.ServerDescription != "the person said no" || strings.Contains(end.body, "said no") {
		t.Errorf("the server's words belong into the error (%q) and not on the page:\n%s",
			err.ServerDescription, end.body)
	}
	if got := o.requests(t, tokenRequest) - before; got != 0 {
		t.Errorf("%d token requests, want 0", got)
	}
}

// The server's iss is checked on success and on error, before anything else is believed.
func TestIssuerOfAnotherServer(t *testing.T) {
	for _, button := range []string{"approve", "deny"} {
		t.Run(button, func(t *testing.T) {
			o := plainProvider(t)
			a := newApp(t, o, peers[0], func(cfg *authcode.Config) { cfg.Provider.Issuer += "/" })
			before := o.requests(t, tokenRequest)
			me := newPerson(t)
			end := me.press(me.signIn(a.url+"/login"), button)
			err := a.outcome().err
			if end.status != http.StatusBadRequest || !errors.Is(err, authcode.Forged) || err.Check != "iss" {
				t.Fatalf("status %d, error %v, want 400 and forged by iss", end.status, err)
			}
			if got := o.requests(t, tokenRequest) - before; got != 0 {
				t.Errorf("%d token requests, want 0", got)
			}
		})
	}
}

func TestFormPost(t *testing.T) {
	for _, button := range []string{"approve", "deny"} {
		t.Run(button, func(t *testing.T) {
			a := newApp(t, secureProvider(t), peers[0], func(cfg *authcode.Config) {
				cfg.Provider.FormPost = true
			})
			me := newPerson(t)
			answer := me.press(me.signIn(a.url+"/login?next=/deep"), button)
			if strings.Contains(answer.url.RawQuery, "code=") {
				t.Fatal("the answer came in the query")
			}
			end := me.press(answer, "")
			got := a.outcome()
			switch {
			case button == "deny":
				if end.status != http.StatusForbidden || !errors.Is(got.err, authcode.Denied) {
					t.Fatalf("status %d, error %v, want 403 and denied", end.status, got.err)
				}
			case end.url.String() != a.url+"/deep" || got.login == nil:
				t.Fatalf("ended at %s with %d: %v", end.url, end.status, got.err)
			}
		})
	}
}

// userinfo returns the status of the provider's userinfo endpoint for an access token.
func userinfo(t testing.TB, o *oidcProvider, token string) int {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, o.issuer+"/me", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := o.http().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
