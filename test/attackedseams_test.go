package test

import (
	"context"
	"net/http"
	"net/url"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// TestAliasBelongsToTheLogin: the code goes to the alias of the token endpoint
// where an app shows its certificate. A login that began with one alias does not
// end at another, like one whose token endpoint has changed (RFC 8705 section 5).
func TestAliasBelongsToTheLogin(t *testing.T) {
	p := &world.Provider{}
	build := func(alias string) *authcode.Client {
		return world.Client(t, p, certified(p, p), func(c *config) {
			c.Provider.MTLS = &authcode.Endpoints{TokenURL: alias}
		})
	}
	l := world.Begin(t, build(mtls+"token"), nil)
	_, err := l.Exchange(build("https://evil.example/token"))
	world.WantError(t, err, authcode.Forged, "cookie.client")
	p.WantRequests(t, 0)
}

// TestAliasesAreCopied: what New or a login has checked does not change later.
func TestAliasesAreCopied(t *testing.T) {
	own := &authcode.Endpoints{TokenURL: mtls + "token"}
	metadata := world.LookedUp(func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
		e := world.Endpoints()
		e.MTLS = own
		return e, nil
	})
	for name, change := range map[string]func(*config){
		"New":      func(c *config) { c.Provider.MTLS = own },
		"Metadata": metadata,
	} {
		t.Run(name, func(t *testing.T) {
			own.TokenURL = mtls + "token"
			p := &world.Provider{}
			c := world.Client(t, p, certified(p, p), change)
			conn, err := c.Connection(t.Context())
			if err != nil || conn.Endpoints.TokenURL != mtls+"token" {
				t.Fatalf("got %v, %v", conn, err)
			}
			own.TokenURL = "http://plain.example/token"
			conn, err = c.Connection(t.Context())
			// What Metadata returns next is looked at again, and refused.
			if name == "Metadata" {
				world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
			} else if err != nil || conn.Endpoints.TokenURL != mtls+"token" {
				t.Errorf("got %v, %v", conn, err)
			}
		})
	}
}

// TestFinal: a TokenSource gives a grant up when the provider says that it is
// gone, and only then (RFC 6749 section 5.2).
func TestFinal(t *testing.T) {
	for _, row := range []struct {
		status int
		body   string
		final  bool
	}{
		{400, `{"error":"invalid_grant"}`, true},
		{401, `{"error":"invalid_grant"}`, true}, // Doorkeeper until version 5.1
		{403, `{"error":"invalid_grant"}`, true},
		{200, `{"error":"bad_refresh_token"}`, true}, // GitHub
		{400, `{"error":"invalid_request"}`, true},
		{400, `{"error":"unauthorized_client"}`, true},
		{400, ``, true},
		{400, `{"error":"slow_down"}`, false},
		{400, `{"error":"too_many_requests"}`, false},
		{400, `{"error":"invalid_target"}`, false},
		{400, `{"error":{"code":2,"is_transient":true}}`, false},
		{400, `<html>Bad Request</html>`, false},
		{403, `{"error":"rate_limited"}`, false},
		{200, `{"error":"internal_failure"}`, false},
		{401, `{"error":"invalid_client"}`, false},
		{500, `{"error":"invalid_grant"}`, false},
		{503, ``, false},
	} {
		p := world.Answering(row.status, row.body)
		source := world.Client(t, p).TokenSource(world.Expired(), nil)
		for range 2 {
			if _, err := source.Token(t.Context()); err == nil {
				t.Fatalf("%d %s: a token", row.status, row.body)
			}
		}
		want := 2
		if row.final {
			want = 1
		}
		if got := len(p.Requests()); got != want {
			t.Errorf("%d %s: %d requests of two calls, want %d", row.status, row.body, got, want)
		}
	}
}

// TestKeptIDToken: a refresh that brings no ID token keeps the old one, which is
// not checked again: an app that has since changed its algorithms would lose all
// its tokens.
func TestKeptIDToken(t *testing.T) {
	p := &world.Provider{}
	c := world.Client(t, p, func(c *config) { c.Provider.Algorithms = []string{"ES256"} })
	old := world.Expired().WithExtra(map[string]any{
		"id_token": world.JWT(`{"alg":"RS256"}`, `{"sub":"alice"}`)})
	token, err := c.Refresh(t.Context(), old)
	world.WantToken(t, token, err, "at-1")
	p.Answer = world.Always(200, `{"access_token":"at","token_type":"Bearer","id_token":"`+
		world.JWT(`{"alg":"RS256"}`, `{"sub":"bob"}`)+`"}`)
	_, err = c.Refresh(t.Context(), old)
	world.WantError(t, err, authcode.IdentityRefused, "id_token.alg")
}

// TestPostFormDoesNotReplaceTheClient: it adds no proof and signs nothing, so
// requests that need either are refused.
func TestPostFormDoesNotReplaceTheClient(t *testing.T) {
	bound := func(c *config) {
		c.Binding.Transport = func(_ *authcode.Connection, base http.RoundTripper, _ string) (http.RoundTripper, error) {
			return base, nil
		}
	}
	signing := func(c *config) {
		c.MessageSigning.SignRequest = func(context.Context, *authcode.Connection, url.Values) (string, error) {
			return "", nil
		}
	}
	for _, row := range []struct {
		change   func(*config)
		endpoint string
		check    string // empty: sent
	}{
		{bound, world.TokenURL, "endpoint.binding"},
		{bound, world.PARURL, "endpoint.binding"},
		{bound, world.RevocationURL, ""},
		{signing, world.PARURL, "endpoint.binding"},
		{signing, world.TokenURL, ""},
		{func(*config) {}, world.TokenURL, ""},
		{func(*config) {}, world.PARURL, ""},
	} {
		p := &world.Provider{}
		c := world.Client(t, p, row.change, func(c *config) { c.Provider.PARURL = world.PARURL })
		resp, err := c.PostForm(t.Context(), row.endpoint, "", nil)
		if row.check == "" {
			if err != nil {
				t.Errorf("%s: %v", row.endpoint, err)
				continue
			}
			resp.Body.Close()
			continue
		}
		world.WantError(t, err, authcode.Configuration, row.check)
		p.WantRequests(t, 0)
	}
}

// TestNilErrorsDoNotPanic: a function of the app returns a nil *Error as an
// error, a common mistake.
func TestNilErrorsDoNotPanic(t *testing.T) {
	var none *authcode.Error
	cfg := world.Config(&world.Provider{})
	cfg.Provider.Err = none
	if _, err := authcode.New(cfg); err == nil {
		t.Error("New: no error")
	}
	cfg.Provider.Err, cfg.ClientAuth.Err = nil, none
	if _, err := authcode.New(cfg); err == nil {
		t.Error("New: no error")
	}
	down := &world.Provider{Answer: func(*world.Request) (*http.Response, error) { return nil, none }}
	_, err := world.Client(t, down).Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
	world.WantError(t, err, authcode.Unreachable, "provider.unreachable")
}
