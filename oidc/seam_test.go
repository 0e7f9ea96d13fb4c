package oidc_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

// begin starts a login.
func begin(t *testing.T, c *authcode.Client) *httptest.ResponseRecorder {
	t.Helper()
	rec := httptest.NewRecorder()
	target, err := c.AuthCodeURL(rec, httptest.NewRequest("GET", "https://app.example/auth/op", nil))
	if err != nil {
		t.Fatal(err)
	}
	rec.Header().Set("Location", target)
	return rec
}

// wrapping puts a function around each function of i, which counts the calls.
func wrapping(i authcode.Provider, calls map[string]int) authcode.Provider {
	metadata, identity, jwt := i.Metadata, i.Identity, i.Verify
	i.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
		calls["metadata"]++
		return metadata(ctx, conn)
	}
	i.Identity = func(ctx context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
		calls["identity"]++
		return identity(ctx, resp)
	}
	i.Verify = func(ctx context.Context, conn *authcode.Connection, typ, text string) (map[string]any, error) {
		calls[typ]++
		return jwt(ctx, conn, typ, text)
	}
	return i
}

// TestWrapped: a provider whose functions the app has wrapped works as before, in every part: login with userinfo,
// signed responses, refresh, logout, introspection, and what the pinned algorithms and tenants forbid.
func TestWrapped(t *testing.T) {
	p, calls := newMemOP("RS256"), map[string]int{}
	p.metadata["introspection_endpoint"] = "https://op.example" + memIntrospect
	i := wrapping(wrapping(oidc.Provider(memIssuer, oidc.UserInfo()), map[string]int{}), calls)
	c := newMemLogin(t, p, i)
	login := p.finish(t, c, begin(t, c))
	if login.Identity == nil || login.Identity.Claims["zoneinfo"] != "Europe/Paris" || calls["metadata"] == 0 || calls["identity"] != 1 {
		t.Errorf("signed in as %+v, %v", login.Identity, calls)
	}
	for sub, check := range map[string]string{"alice": "", "bob": "refresh.sub"} {
		token := p.token(members{"sub": sub, "nonce": nil})
		p.answer("/token", always(200, "application/json", `{"access_token":"`+memAccess+`","token_type":"Bearer","id_token":"`+token+`"}`))
		old := (&oauth2.Token{RefreshToken: "r"}).WithExtra(map[string]any{"id_token": p.token(nil)})
		_, err := c.Refresh(t.Context(), old)
		var e *authcode.Error
		if errors.As(err, &e); check == "" && err != nil || check != "" && (e == nil || e.Check != check || !e.Final) {
			t.Errorf("a refresh that brings %s: %v", sub, err)
		}
	}
	told := 0
	h := oidc.BackChannelLogoutHandler(c, func(context.Context, oidc.LogoutToken) error { told++; return nil })
	for n, token := range []string{p.logoutToken(nil), p.logoutToken(nil), newKey("ES256", "x").sign(payload(p.logoutClaims(), nil), nil)} {
		if rec := post(h, url.Values{"logout_token": {token}}); rec.Code == 200 != (n == 0) || told != 1 {
			t.Errorf("logout token %d: status %d, %d sessions ended", n, rec.Code, told)
		}
	}
	body := p.key.sign(payload(members{"iss": memIssuer, "aud": memClient, "iat": in(0), "token_introspection": members{"active": true}}, nil),
		members{"typ": "token-introspection+jwt"})
	p.answer(memIntrospect, always(200, "application/token-introspection+jwt", body))
	if info, err := oidc.IntrospectSigned(t.Context(), c, "t", ""); err != nil || !info.Active {
		t.Errorf("introspection: %+v, %v", info, err)
	}
	if calls["identity"] != 3 || calls["logout+jwt"] != 3 || calls["token-introspection+jwt"] != 1 {
		t.Errorf("the calls were %v", calls)
	}
}

// TestWrappedRules: a wrapped provider keeps the rules of its arguments and of the Config.
func TestWrappedRules(t *testing.T) {
	p, calls := newMemOP("RS256"), map[string]int{}
	for claim, row := range map[string]struct {
		provider authcode.Provider
		change   func(*authcode.Config)
		check    string
	}{
		"algorithms of the provider": {pinned(oidc.Provider(memIssuer), "ES256"), func(*authcode.Config) {}, "id_token.alg"},
		"algorithms of the Config":   {oidc.Provider(memIssuer), func(c *authcode.Config) { c.Algorithms = []string{"PS256", "ES256", "EdDSA"} }, "id_token.alg"},
		"tenants":                    {oidc.Provider(memIssuer, oidc.Tenants(msTenant)), func(*authcode.Config) {}, "id_token.tid"},
		"a hosted domain":            {oidc.Provider(memIssuer, oidc.HostedDomain("corp.example")), func(*authcode.Config) {}, "id_token.hd"},
	} {
		c := newMemLogin(t, p, wrapping(row.provider, calls), row.change)
		_, err := p.callback(c, begin(t, c))
		var e *authcode.Error
		if !errors.As(err, &e) || e.Check != row.check {
			t.Errorf("%s: got %v", claim, err)
		}
		if row.check != "id_token.alg" { // the root package looks at tokens too
			continue
		}
		conn := must(c.Connection(t.Context()))
		_, err = row.provider.Verify(t.Context(), conn, responseType, signedResponse(p, nil))
		wantError(t, err, authcode.Forged, "response.alg")
		_, err = row.provider.Verify(t.Context(), conn, "logout+jwt", p.logoutToken(nil))
		wantError(t, err, authcode.IdentityRefused, "logout_token.alg")
		_, err = row.provider.Identity(t.Context(), &authcode.TokenResponse{Connection: conn, Token: tokenWith(p.token(nil)), Nonce: memNonce, MaxAge: -1})
		wantError(t, err, authcode.IdentityRefused, "id_token.alg")
	}
	broken := wrapping(oidc.Provider("http://op.example"), calls)
	if _, err := authcode.New(memConfig(p, broken)); err == nil || !strings.Contains(err.Error(), "the issuer must be an absolute https URL") {
		t.Errorf("a wrapped provider that is broken: %v", err)
	}
}

// TestVerifyTypes: Verify knows three kinds of JWT by their media types, and takes none for another.
func TestVerifyTypes(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer)
	for _, typ := range []string{"", "JWT", "at+jwt", "id+jwt", "ID+JWT", "application/logout+jwt", "logout+jwt "} {
		_, err := verify(t.Context(), i, p, typ, p.logoutToken(nil))
		wantError(t, err, authcode.Configuration, "verify.typ")
	}
	answer := payload(members{"iss": memIssuer, "aud": memClient, "iat": in(0), "exp": in(60), "token_introspection": members{"active": true}}, nil)
	good := map[string]string{
		responseType:              signedResponse(p, nil, members{"typ": responseType}),
		"logout+jwt":              p.logoutToken(nil),
		"token-introspection+jwt": p.key.sign(answer, members{"typ": "token-introspection+jwt"}),
	}
	checks := map[string]string{responseType: "response.typ", "logout+jwt": "logout_token.typ", "token-introspection+jwt": "introspection.typ"}
	for typ := range good {
		for other, text := range good {
			_, err := verify(t.Context(), i, p, typ, text)
			var e *authcode.Error
			if errors.As(err, &e); typ == other && err != nil || typ != other && (e == nil || e.Check != checks[typ]) {
				t.Errorf("%s as %s: %v", other, typ, err)
			}
		}
	}
}

// verdicts are what an app's own Verify may say of a JWT.
var verdicts = map[string]struct {
	claims map[string]any
	err    error
	check  string
}{
	"an error of its own":  {nil, authcode.NewError(authcode.Forged, "app.own", "the app's own", nil), "app.own"},
	"a foreign error":      {nil, errors.New("canary"), ".refused"},
	"a nil *Error":         {members{"active": true, "iss": memIssuer, "jti": "1", "sid": "1"}, (*authcode.Error)(nil), ".refused"},
	"neither":              {nil, nil, ".refused"},
	"claims without times": {members{"active": true, "iss": memIssuer, "jti": "1", "sid": "1"}, nil, ""},
}

// TestVerifyOfTheApps: what the provider's Verify says counts, whatever it is, and a mistake in it is no permission.
func TestVerifyOfTheApps(t *testing.T) {
	p := newMemOP("RS256")
	p.metadata["introspection_endpoint"] = "https://op.example" + memIntrospect
	p.answer(memIntrospect, always(200, "application/token-introspection+jwt", "x"))
	var claims map[string]any
	var fails error
	for claim, row := range verdicts {
		claims, fails = row.claims, row.err
		i := oidc.Provider(memIssuer)
		i.Verify = func(context.Context, *authcode.Connection, string, string) (map[string]any, error) {
			return claims, fails
		}
		c := newMemLogin(t, p, i)
		var told error
		h := oidc.BackChannelLogoutHandler(c, func(context.Context, oidc.LogoutToken) error { return nil },
			oidc.Notify(func(_ *http.Request, err error) { told = err }))
		rec := post(h, url.Values{"logout_token": {"x"}})
		_, err := oidc.IntrospectSigned(t.Context(), c, "t", "")
		if row.check == "" {
			if rec.Code != 200 || err != nil {
				t.Errorf("%s: status %d, %v", claim, rec.Code, err)
			}
			if rec := post(h, url.Values{"logout_token": {"x"}}); rec.Code != 400 {
				t.Errorf("%s: accepted twice", claim)
			}
			continue
		}
		for _, err := range []error{told, err} {
			var e *authcode.Error
			if !errors.As(err, &e) || !strings.HasSuffix(e.Check, row.check) || strings.Contains(err.Error(), "canary") {
				t.Errorf("%s: got %v", claim, err)
			}
		}
	}
}

// TestWithoutVerify: a provider that signs no messages has no logout tokens and no signed answers.
func TestWithoutVerify(t *testing.T) {
	p := newMemOP("RS256")
	p.metadata["introspection_endpoint"] = "https://op.example" + memIntrospect
	p.answer(memIntrospect, always(200, "application/token-introspection+jwt", "x"))
	i := oidc.Provider(memIssuer)
	i.Verify = nil
	c := newMemLogin(t, p, i)
	var told error
	h := oidc.BackChannelLogoutHandler(c, func(context.Context, oidc.LogoutToken) error {
		t.Error("the app was told")
		return nil
	}, oidc.Notify(func(_ *http.Request, err error) { told = err }))
	if rec := post(h, url.Values{"logout_token": {p.logoutToken(nil)}}); rec.Code != 400 {
		t.Errorf("status %d", rec.Code)
	}
	wantError(t, told, authcode.Configuration, "logout_token.verify")
	_, err := oidc.IntrospectSigned(t.Context(), c, "t", "")
	wantError(t, err, authcode.Configuration, "introspection.verify")
}

// TestWithoutIssuer: a provider that has no issuer is named by nobody.
func TestWithoutIssuer(t *testing.T) {
	c := newMemLogin(t, newMemOP("RS256"), authcode.Provider{
		Name: "x", Endpoints: authcode.Endpoints{AuthURL: "https://op.example/authorize", TokenURL: "https://op.example/token"},
	})
	frame := oidc.FrontChannelLogoutHandler(c, func(context.Context, oidc.LogoutToken) error {
		t.Error("the app was told")
		return nil
	})
	for _, query := range []string{"?sid=1&iss=", "?sid=1", "?sid=1&iss=x"} {
		rec := httptest.NewRecorder()
		frame.ServeHTTP(rec, httptest.NewRequest("GET", "https://app.example/frame"+query, nil))
		if rec.Code != 400 {
			t.Errorf("front channel, %s: status %d", query, rec.Code)
		}
		rec = httptest.NewRecorder()
		oidc.InitiateLoginHandler(c).ServeHTTP(rec, httptest.NewRequest("GET", "https://app.example/portal"+query, nil))
		if rec.Code != 400 || rec.Header().Get("Location") != "" {
			t.Errorf("portal, %s: status %d, %v", query, rec.Code, rec.Header())
		}
	}
}

// TestNilArguments: a handler without a client or without the app's function is a mistake that shows at once.
func TestNilArguments(t *testing.T) {
	c := newMemLogin(t, newMemOP("RS256"), oidc.Provider(memIssuer))
	end := func(http.ResponseWriter, *http.Request) (oidc.Logout, error) { return oidc.Logout{}, nil }
	ended := func(context.Context, oidc.LogoutToken) error { return nil }
	for claim, f := range map[string]func(){
		"logout, client":   func() { oidc.LogoutHandler(nil, end) },
		"logout, end":      func() { oidc.LogoutHandler(c, nil) },
		"frame, client":    func() { oidc.FrontChannelLogoutHandler(nil, ended) },
		"frame, ended":     func() { oidc.FrontChannelLogoutHandler(c, nil) },
		"back, client":     func() { oidc.BackChannelLogoutHandler(nil, ended) },
		"back, ended":      func() { oidc.BackChannelLogoutHandler(c, nil) },
		"initiate, client": func() { oidc.InitiateLoginHandler(nil) },
	} {
		func() {
			defer func() {
				if said, _ := recover().(string); !strings.HasPrefix(said, "oidc: ") {
					t.Errorf("%s: recovered %q", claim, said)
				}
			}()
			f()
		}()
	}
}
