package oidc_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// wantWords looks for words in the text of an error with this Check, and for the absence of those with "!" before them.
func wantWords(t *testing.T, claim string, err error, check string, words ...string) {
	t.Helper()
	var own *authcode.Error
	if !errors.As(err, &own) || own.Check != check {
		t.Errorf("%s: %v, want %s", claim, err, check)
		return
	}
	for _, word := range words {
		absent := strings.HasPrefix(word, "!")
		if strings.Contains(err.Error(), strings.TrimPrefix(word, "!")) == absent {
			t.Errorf("%s: %v, want %q", claim, err, word)
		}
	}
}

// TestIssuerHints: a slash more or less and the URL of the metadata are named.
func TestIssuerHints(t *testing.T) {
	p := newMemOP("RS256")
	p.metadata["issuer"] = memIssuer + "/"
	_, err := endpoints(t.Context(), oidc.Provider(memIssuer), p)
	wantWords(t, "a slash more", err, "discovery.issuer", "add the slash")
	p.metadata["issuer"] = memIssuer
	_, err = endpoints(t.Context(), oidc.Provider(memIssuer+"/"), p)
	wantWords(t, "a slash less", err, "discovery.issuer", "remove the slash")
	p.metadata["issuer"] = "https://canary.example"
	_, err = endpoints(t.Context(), oidc.Provider(memIssuer), p)
	wantWords(t, "another issuer", err, "discovery.issuer", "byte for byte", "!canary")
	wantWords(t, "the metadata's URL", oidc.Provider(memIssuer+"/.well-known/openid-configuration").Err, "config.well_known", "issuer")
}

// TestRedirectHints: so is where the metadata went, if that is a plain URL.
func TestRedirectHints(t *testing.T) {
	p := newMemOP("RS256")
	for to, word := range map[string]string{
		"https://op.example/real/.well-known/x":                "oidc.MetadataURL to the final URL, which may be https://op.example/real/.well-known/x",
		"/other":                                               "which may be https://op.example/other",
		"https://op.example/a?secret=1#canary":                 "which may be https://op.example/a",
		"http://op.example/canary":                             "!canary",
		"https://u:canary@op.example/":                         "!which may be",
		"http://127.0.0.1/canary":                              "!canary",
		"https://op.example/canary%zz":                         "!canary",
		"https://op.ex\u00e4mple/canary":                       "!canary",
		"https://op.example/canary" + strings.Repeat("x", 200): "!canary",
		"": "!which may be",
	} {
		p.answer(memMetadata, redirectTo(to))
		_, err := endpoints(t.Context(), oidc.Provider(memIssuer), p)
		wantWords(t, to, err, "discovery.redirect", word, "!secret", "!u:", "!#", "oidc.MetadataURL")
	}
	p = newMemOP("RS256")
	p.answer(memUserInfo, redirectTo("https://op.example/canary"))
	_, err := identify(t.Context(), oidc.Provider(memIssuer, oidc.UserInfo()), p.login(p.token(nil)))
	wantWords(t, "userinfo", err, "userinfo.redirect", "!canary")
}

// TestRedirectHintsOnLoopback: so is one on loopback, if it stays at the server that was asked.
func TestRedirectHintsOnLoopback(t *testing.T) {
	to := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, to, http.StatusMovedPermanently)
	}))
	defer server.Close()
	for target, word := range map[string]string{
		"/o/.well-known/openid-configuration/": "which may be " + server.URL + "/o/.well-known/openid-configuration/",
		"http://127.0.0.1:1/canary":            "!which may be",
	} {
		cfg := memConfig(newMemOP("RS256"), oidc.Provider(server.URL+"/o"))
		cfg.Wrap, cfg.RedirectURL = nil, "http://127.0.0.1:8080/callback"
		client, err := authcode.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		to = target
		_, err = client.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "http://127.0.0.1:8080/login", nil))
		wantWords(t, target, err, "discovery.redirect", word, "!canary")
	}
}

// TestClockHints: so is a clock that is wrong, and by how much.
func TestClockHints(t *testing.T) {
	p := newMemOP("RS256")
	for claim, row := range map[string]struct {
		change members
		check  string
		word   string
	}{
		"a slow clock":      {members{"iat": in(7201)}, "id_token.iat", "the ID token was issued 2h0m"},
		"a fast clock":      {members{"exp": in(-7201)}, "id_token.exp", "the ID token expired 2h0m"},
		"a clock at zero":   {members{"iat": in(1e9)}, "id_token.iat", "many years after the time of this host's clock"},
		"an exp of nothing": {members{"exp": nil}, "id_token.exp", "has no exp"},
		"an iat of nothing": {members{"iat": nil}, "id_token.iat", "has no iat"},
	} {
		_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(p.token(row.change)))
		wantWords(t, claim, err, row.check, row.word)
	}
}

// TestNonceHints: a missing nonce is the provider's fault, and no sign of another login.
func TestNonceHints(t *testing.T) {
	p := newMemOP("RS256")
	for claim, row := range map[string]struct {
		nonce any
		words []string
	}{
		"no nonce":    {nil, []string{"has no nonce", "Doorkeeper", "!another login"}},
		"a wrong one": {"other", []string{"another login", "!has no nonce"}},
	} {
		_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(p.token(members{"nonce": row.nonce})))
		wantWords(t, claim, err, "id_token.nonce", row.words...)
	}
}

// TestMissingScope: New knows that nobody gets an ID token without the scope openid.
func TestMissingScope(t *testing.T) {
	for claim, row := range map[string]struct {
		change func(*authcode.Config)
		ok     bool
	}{
		"the provider's scopes":     {func(*authcode.Config) {}, true},
		"openid among others":       {func(c *authcode.Config) { c.Scopes = []string{"read", "openid"} }, true},
		"no openid":                 {func(c *authcode.Config) { c.Scopes = []string{"email"} }, false},
		"no scope":                  {func(c *authcode.Config) { c.Scopes = []string{} }, false},
		"the provider's lack it":    {func(c *authcode.Config) { c.Provider.Scopes = []string{"email"} }, false},
		"a login without identity":  {func(c *authcode.Config) { c.Scopes, c.Provider.Identity = []string{"email"}, nil }, true},
		"an identity by other ways": {func(c *authcode.Config) { c.Scopes, c.Provider.IdentityScope = []string{"email"}, "" }, true},
	} {
		cfg := memConfig(newMemOP("RS256"), oidc.Provider(memIssuer))
		row.change(&cfg)
		_, err := authcode.New(cfg)
		if row.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), `the scopes lack "openid"`) {
			t.Errorf("%s: New says %v", claim, err)
		}
	}
}
