package provider_test

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/provider"
	"example.com/authcode/test/world"
)

// fields are the URLs of a Provider that lead an app or a browser somewhere.
func fields(p *authcode.Provider) map[string]*string {
	all := map[string]*string{
		"AuthURL": &p.AuthURL, "TokenURL": &p.TokenURL, "RevocationURL": &p.RevocationURL,
		"UserInfoURL": &p.UserInfoURL, "Issuer": &p.Issuer,
	}
	for name, field := range all {
		if *field == "" {
			delete(all, name)
		}
	}
	return all
}

// moveTo replaces the origin of a URL.
func moveTo(t *testing.T, field *string, base string) {
	t.Helper()
	u, err := url.Parse(*field)
	if err != nil {
		t.Fatal(err)
	}
	*field = base + strings.TrimPrefix(*field, u.Scheme+"://"+u.Host)
}

// TestMovedPresets is D26: an app that moves some URLs of a preset, but not
// all, gets an error, and no server sees the tokens of another one. So does an
// app whose lookup finds such URLs.
func TestMovedPresets(t *testing.T) {
	for _, r := range rows() {
		if !isREST(r) {
			continue
		}
		one := r.provider()
		for name := range fields(&one) {
			for claim, moved := range map[string]func(field string) bool{
				"alone":      func(field string) bool { return field == name },
				"all but it": func(field string) bool { return field != name },
			} {
				p := r.provider()
				for field, at := range fields(&p) {
					if moved(field) {
						moveTo(t, at, "https://x."+strings.TrimPrefix(p.Origins[0], "https://"))
					}
				}
				if _, err := newClient(p); err == nil || !strings.Contains(err.Error(), "Provider.Origins") {
					t.Errorf("%s, %s %s: %v", r.fn, name, claim, err)
				}
				found := p.Endpoints
				p.Endpoints, p.Metadata = authcode.Endpoints{}, world.Finds(found)
				client, err := newClient(p)
				if err != nil {
					t.Fatal(err)
				}
				_, err = client.Connection(t.Context())
				if e := (*authcode.Error)(nil); !errors.As(err, &e) || e.Check != "metadata.endpoints" {
					t.Errorf("%s, %s %s in metadata: %v", r.fn, name, claim, err)
				}
			}
		}
		p := r.provider()
		p.Origins = append(p.Origins, "https://proxy.example/") // which the app names
		moveTo(t, &p.UserInfoURL, "https://PROXY.example:443")
		if _, err := newClient(p); err != nil {
			t.Errorf("%s: an origin that the app names: %v", r.fn, err)
		}
	}
}

// TestMovedIssuer: an OpenID preset whose Issuer an app has changed asks
// nobody, as its metadata would still be the former server's.
func TestMovedIssuer(t *testing.T) {
	for _, r := range rows() {
		p := r.provider()
		if isREST(r) || p.Issuer == "" {
			continue
		}
		p.Issuer += "/other"
		client, err := newClient(p)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Connection(t.Context())
		if e := (*authcode.Error)(nil); !errors.As(err, &e) || e.Check != "discovery.moved" ||
			!strings.Contains(e.Error(), "Provider.Issuer") {
			t.Errorf("%s: %v", r.fn, err)
		}
	}
}

// TestURLBesideMetadata: an OpenID preset with a URL of the app's asks nobody, as
// that URL would not be used.
func TestURLBesideMetadata(t *testing.T) {
	for _, change := range []func(*authcode.Endpoints){
		func(e *authcode.Endpoints) { e.TokenURL = "https://proxy.example/token" },
		func(e *authcode.Endpoints) { e.JWKSURL = "https://proxy.example/jwks" },
		func(e *authcode.Endpoints) { e.MTLS = &authcode.Endpoints{} },
	} {
		p := provider.Google()
		change(&p.Endpoints)
		client, err := newClient(p)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.Connection(t.Context())
		if e := (*authcode.Error)(nil); !errors.As(err, &e) || e.Check != "discovery.unused" {
			t.Errorf("got %v", err)
		}
	}
}

// TestPresetAtAnotherInstallation: all URLs of a preset are moved to one real
// server, as a user's test does. People there are not those of the former
// place, and nothing is sent to it.
func TestPresetAtAnotherInstallation(t *testing.T) {
	mux := http.NewServeMux()
	server := httptest.NewTLSServer(mux)
	defer server.Close()
	srv := authtest.NewServer(server.URL+"/callback", authtest.User{
		Subject: "alice", Claims: map[string]any{"id": 7, "login": "ada"},
	})
	defer srv.Close()
	cfg := srv.Config()
	p := provider.GitHub()
	p.Issuer = srv.URL
	p.AuthURL, p.TokenURL = srv.URL+"/authorize", srv.URL+"/token"
	p.UserInfoURL, p.RevocationURL = srv.URL+"/userinfo", srv.URL+"/revoke"
	p.AuthStyle = cfg.Provider.AuthStyle // of authtest's client
	cfg.Provider, cfg.Scopes = p, []string{"openid", "profile"}
	client, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var login *authcode.Login
	mux.Handle("/login", client.LoginHandler())
	mux.Handle("/callback", client.CallbackHandler(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) { login, _ = authcode.FromContext(r.Context()) })))
	browser := server.Client()
	browser.Jar, _ = cookiejar.New(nil)
	resp, err := srv.SignIn(browser, server.URL+"/login")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if login == nil || login.Identity.Issuer != srv.URL || login.Identity.Subject != "7" {
		t.Errorf("signed in as %+v, status %d", login, resp.StatusCode)
	}
}

// TestBitbucketNames: the name chooses a path, and the profile must be the one
// of that name.
func TestBitbucketNames(t *testing.T) {
	r, s, a := play(t, "BitbucketDataCenter")
	for claim, answer := range map[string]reply{
		"nobody": {body: ""}, "blanks": {body: " \n"}, "the list": {body: "."}, "the API": {body: ".."},
		"another spelling": {body: "Ada@example.com"}, "a control character": {body: "ada\x00"},
		"beyond ASCII": {body: "adä"}, "too long": {body: strings.Repeat("a", 256)},
	} {
		t.Run(claim, func(t *testing.T) {
			s.reset(t)
			s.whoami = &answer
			if claim == "another spelling" { // which the server takes for the same path
				s.row.profile.url = strings.Replace(r.profile.url, "/ada@", "/Ada@", 1)
				defer func() { s.row.profile.url = strings.Replace(r.profile.url, "/Ada@", "/ada@", 1) }()
			}
			a.signIn(t)
			a.wantFailure(t, authcode.IdentityRefused, "profile.id")
		})
	}
	for _, c := range broken("", "profile.id")[:5] {
		s.reset(t)
		s.whoami = &c.reply
		a.signIn(t)
		a.wantFailure(t, c.reason, c.check)
	}
	s.reset(t)
	s.rewrite(t, `"name":"ada@example.com"`, `"name":"eve"`)
	a.signIn(t)
	a.wantFailure(t, authcode.IdentityRefused, "profile.id")
	s.reset(t)
	s.whoami = &reply{body: "ada@example.com\n"}
	a.signIn(t)
	a.wantLogin(t, r.want)
}
