package provider_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/testmain"
	"golang.org/x/oauth2"
)

func TestMain(m *testing.M) { testmain.Run(m) }

// row is a provider as its documents describe it, and a preset that is to fit.
type row struct {
	fn       string // the preset's function, and what is special about the row
	provider func() authcode.Provider

	clientAuth  authcode.ClientAuth      // if zero, a Secret
	checkSecret func(*testing.T, string) // if nil, the secret must be that Secret
	auth, token string                   // endpoints
	revoke      string                   // if empty, there is none
	ownRevoke   *ownRevocation           // if nil, revoke is RFC 7009
	basic       bool                     // client authentication; if false, in the body
	idParam     string                   // if empty, client_id
	scope       string                   // on the wire
	params      map[string]string        // further parameters of the authorization request
	callback    map[string]string        // further parameters of the callback
	sign        func(callback url.Values)
	tokenParams map[string]string // of the token request and of a refresh; STATE is the login's
	iss         string            // of the callback; if empty, none is sent
	formPost    bool
	fragment    string // of the callback's URL; Login.Redirect ends it
	noVerifier  bool   // code_verifier is refused
	refused     string // error of a person's refusal; if empty, access_denied

	grant   string   // token answer
	granted []string // Login.Scopes
	renewal string   // answer to a refresh; if empty, that of RFC 6749
	refusal reply    // of a wrong code
	misread bool     // the refusal of a wrong code is one of a wrong configuration

	profile page // without openID
	whoami  page // asked first, if there is one
	emails  page
	openID  *openID

	want authcode.Identity // without Claims; where Email is empty, the provider's address must stay out
	id   string            // the text in profile or claims that has the user's id
	flag string            // the text that says that the address is verified; if empty, there is none
}

func (r *row) clientIDParam() string { return or(r.idParam, "client_id") }
func (r *row) denial() string        { return or(r.refused, "access_denied") }

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func rows() []*row {
	return slices.Concat(codeHostingRows, selfHostedRows, socialRows, appRows, portalRows, businessRows,
		openIDRows(), tenantRows())
}

// app signs people in with one preset.
type app struct {
	t      *testing.T
	sim    *sim
	server *httptest.Server

	deadline time.Duration // of a callback; zero: none

	client *authcode.Client
	login  *authcode.Login
	err    *authcode.Error
}

func newApp(t *testing.T, s *sim) *app {
	a := &app{sim: s}
	a.server = newTLSServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			a.client.LoginHandler().ServeHTTP(w, r)
			return
		}
		if a.deadline > 0 {
			ctx, cancel := context.WithTimeout(r.Context(), a.deadline)
			defer cancel()
			r = r.WithContext(ctx)
		}
		a.client.CallbackHandler(http.HandlerFunc(a.welcome)).ServeHTTP(w, r)
	}))
	return a
}

func (a *app) welcome(_ http.ResponseWriter, r *http.Request) {
	a.login, _ = authcode.FromContext(r.Context())
}

func (a *app) onError(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
	a.err = err
	authcode.ErrorPage(w, r, err)
}

// signIn does a whole login, with a new Client and a new browser.
func (a *app) signIn(t *testing.T, change ...func(*authcode.Config)) {
	t.Helper()
	a.t, a.login, a.err = t, nil, nil
	cfg := authcode.Config{
		Provider: a.sim.row.provider(), ClientID: clientID, ClientAuth: a.sim.row.clientAuth,
		RedirectURL: a.server.URL + "/callback", CookieKeys: [][]byte{[]byte("0123456789abcdef0123456789abcdef")},
		Wrap: through(a.sim), OnError: a.onError,
	}
	if cfg.ClientAuth.Authenticate == nil {
		cfg.ClientAuth = authcode.Secret(clientSecret)
	}
	for _, f := range change {
		f(&cfg)
	}
	client, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	a.client = client
	b := a.browser()
	resp := b.send("GET", a.server.URL+"/login", "")
	if resp.StatusCode != http.StatusSeeOther {
		t.Fatalf("login answered %d: %v", resp.StatusCode, a.err)
	}
	resp = b.send("GET", resp.Header.Get("Location"), "")
	if a.sim.row.formPost {
		resp = b.send("POST", a.server.URL+"/callback", resp.body)
		if to := resp.Header.Get("Location"); to != "" {
			b.send("GET", a.server.URL+"/callback"+to, "")
		}
		return
	}
	b.send("GET", resp.Header.Get("Location"), "")
}

// browser keeps cookies and follows nothing by itself. The app has its own address, and all other
// hosts are the provider.
type browser struct {
	a    *app
	http *http.Client
}

type response struct {
	*http.Response
	body string
}

func (a *app) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		a.t.Fatal(err)
	}
	b := &browser{a: a}
	b.http = &http.Client{Jar: jar, Transport: b,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return b
}

func (b *browser) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.String(), b.a.server.URL+"/") {
		return b.a.server.Client().Transport.RoundTrip(r)
	}
	return b.a.sim.RoundTrip(r)
}

func (b *browser) send(method, target, form string) *response {
	b.a.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, target, strings.NewReader(form))
	if err != nil {
		b.a.t.Fatal(err)
	}
	if method == "POST" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.a.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.a.t.Fatal(err)
	}
	return &response{resp, string(body)}
}

// wantLogin checks that the login succeeded, with one token request, and who signed in.
func (a *app) wantLogin(t *testing.T, want authcode.Identity) {
	t.Helper()
	if a.err != nil || a.login == nil {
		t.Fatalf("the login failed: %v", a.err)
	}
	if n := a.sim.seen(a.sim.row.token); n != 1 {
		t.Errorf("%d token requests", n)
	}
	got := *a.login.Identity
	got.Claims = nil
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("signed in\n%+v, want\n%+v", got, want)
	}
}

// wantFailure checks that nobody is signed in, why, and that no word of the provider's shows.
func (a *app) wantFailure(t *testing.T, reason authcode.Reason, check string) {
	t.Helper()
	if a.login != nil || a.err == nil {
		t.Fatalf("signed in, want %s (%s)", reason, check)
	}
	if a.err.Reason != reason || a.err.Check != check {
		t.Errorf("failed with %v, want %s (%s)", a.err, reason, check)
	}
	for _, secret := range []string{accessToken, refreshToken, clientSecret, url.QueryEscape(clientSecret)} {
		if strings.Contains(fmt.Sprintf("%v %+v %s", a.err, a.err, a.err.ServerDescription), secret) {
			t.Errorf("the error shows a secret: %v", a.err)
		}
	}
}

// revoke hands the access token back.
func (a *app) revoke(t *testing.T) {
	t.Helper()
	err := a.client.Revoke(context.Background(), &oauth2.Token{AccessToken: a.login.Token.AccessToken})
	if a.sim.row.revoke == "" {
		if e, ok := errors.AsType[*authcode.Error](err); !ok || e.Check != "revoke.endpoint" {
			t.Errorf("revoked without an endpoint: %v", err)
		}
		return
	}
	if err != nil || a.sim.seen(a.sim.row.revoke) != 1 {
		t.Errorf("revocation: %v", err)
	}
}
