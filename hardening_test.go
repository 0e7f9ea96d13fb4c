package authcode_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"golang.org/x/oauth2"
)

// What a hostile review found, each kept out by a test.

// badSeam is every seam at once, gone wrong: it returns a nil *Error inside an error.
type badSeam struct{ err error }

func (s badSeam) Identify(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
	return nil, s.err
}
func (s badSeam) Use(context.Context, string, time.Time) (bool, error) { return false, s.err }
func (s badSeam) Load(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
	return authcode.Endpoints{}, s.err
}
func (s badSeam) Authenticate(context.Context, *authcode.TokenRequest) error { return s.err }

func TestASeamThatReturnsANilErrorValueRefuses(t *testing.T) {
	for _, seam := range []badSeam{{(*authcode.Error)(nil)}, {&authcode.Error{Reason: authcode.Prefetch}}} {
		for name, c := range map[string]struct {
			change func(*authcode.Config)
			want   authcode.Reason
		}{
			"Identity":   {func(c *authcode.Config) { c.Provider.Identity = seam.Identify }, authcode.IdentityRefused},
			"UsedStates": {func(c *authcode.Config) { c.UsedStates = seam }, authcode.Overloaded},
			"ClientAuth": {func(c *authcode.Config) { c.ClientAuth.Authenticate = seam.Authenticate }, authcode.Configuration},
		} {
			t.Run(fmt.Sprint(name, seam.err == error((*authcode.Error)(nil))), func(t *testing.T) {
				w := newWorld(t, c.change)
				w.wantStatus(w.browser().signIn(""), c.want.Status())
				if err := w.lastError(); err.Reason != c.want || w.loginCount() != 0 {
					t.Errorf("got %v, want %s", err, c.want)
				}
			})
		}
		w := newWorld(t, func(c *authcode.Config) { c.Provider.Metadata = seam.Load })
		w.wantStatus(w.browser().get(w.app.URL+"/login"), http.StatusBadGateway)
	}
}

// half returns identities that identify nobody.
type half struct{ id *authcode.Identity }

func (h half) Identify(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
	return h.id, nil
}

func TestAnIdentityHasIssuerAndSubject(t *testing.T) {
	for _, id := range []*authcode.Identity{nil, {Issuer: "https://i.example"}, {Subject: "1"}} {
		w := newWorld(t, func(c *authcode.Config) { c.Provider.Identity = half{id}.Identify })
		w.wantFailure(w.browser().signIn(""), authcode.IdentityRefused, "identity.subject")
	}
}

type panicking struct{}

func (panicking) Identify(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
	panic("identify")
}

func TestALoginWhoseIdentityPanickedCountsAsFailed(t *testing.T) {
	w := newWorld(t, func(c *authcode.Config) { c.Provider.Identity = panicking{}.Identify })
	next := w.handlerFor(w.client)
	w.use(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				rw.WriteHeader(http.StatusTeapot)
			}
		}()
		next.ServeHTTP(rw, r)
	}))
	b := w.browser()
	callback := b.approve(b.start(""))
	w.wantStatus(b.get(callback), http.StatusTeapot)
	b2 := w.browser()
	w.wantFailure(b2.get(callback), authcode.AlreadyUsed, "state.failed")
}

// The stream is reset by the server each time. net/http would try again for as long as it has time.
func TestOnePostOverHTTP2(t *testing.T) {
	var posts atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		posts.Add(1)
		panic(http.ErrAbortHandler)
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	client := newClientAt(t, srv.URL, srv.Client().Transport)
	rec, r := recorderAndRequest()
	target, err := client.AuthCodeURL(rec, r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err = client.Exchange(httptest.NewRecorder(), callbackFor(target, rec).WithContext(ctx))
	if err == nil || posts.Load() != 1 {
		t.Errorf("%d posts, error %v; want one post and an error", posts.Load(), err)
	}
}

func newClientAt(t *testing.T, base string, rt http.RoundTripper) *authcode.Client {
	t.Helper()
	var wrap func(http.RoundTripper) http.RoundTripper
	if rt != nil {
		wrap = through(rt)
	}
	client, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{Name: "p", Endpoints: authcode.Endpoints{AuthURL: base + "/a", TokenURL: base + "/t", RevocationURL: base + "/r"}},
		ClientID: "c", ClientAuth: authcode.Secret(canarySecret), RedirectURL: benchRedirect,
		CookieKeys: [][]byte{benchKey(32)}, Wrap: wrap,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestAnAnswer101IsNoAnswer(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			conn.Read(make([]byte, 4096))
			io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		}
	}()
	client := newClientAt(t, "http://"+listener.Addr().String(), nil)
	rec, r := recorderAndRequest()
	target, err := client.AuthCodeURL(rec, r)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = client.Exchange(httptest.NewRecorder(), callbackFor(target, rec))
	if !errors.Is(err, authcode.BadAnswer) || time.Since(began) > 5*time.Second {
		t.Errorf("got %v after %v", err, time.Since(began))
	}
	if err := client.Revoke(t.Context(), &oauth2.Token{AccessToken: "a"}); !errors.Is(err, authcode.BadAnswer) {
		t.Errorf("Revoke: got %v", err)
	}
}

// deadlines is a ResponseWriter that knows read deadlines, as net/http's does.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

func TestAFormPostBodyHasADeadline(t *testing.T) {
	w := newWorld(t, func(c *authcode.Config) { c.Provider.FormPost = true })
	rw := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", w.app.URL+"/callback", strings.NewReader("state=x&code=y"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w.client.Exchange(rw, r)
	if len(rw.set) != 2 || time.Until(rw.set[0]) > 10*time.Second || time.Until(rw.set[0]) < 5*time.Second || !rw.set[1].IsZero() {
		t.Errorf("deadlines %v, want one in ten seconds, then none", rw.set)
	}
}

func TestAnotherSitesFormStartsNothing(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name, header, value string
		status              int
	}{
		{"a cross-site POST", "Sec-Fetch-Site", "cross-site", 403},
		{"a same-site POST", "Sec-Fetch-Site", "same-site", 403},
		{"a POST of another origin", "Origin", "https://evil.example", 403},
		{"the app's own POST", "Sec-Fetch-Site", "same-origin", 303},
		{"a POST of an older browser", "X-Nothing", "", 303},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			r, _ := http.NewRequest("POST", w.app.URL+"/login", nil)
			r.Header.Set(c.header, c.value)
			resp := w.browser().do(r)
			w.wantStatus(resp, c.status)
			if c.status == 403 && len(resp.Cookies()) != 0 {
				t.Error("a login was started")
			}
		})
	}
}

func TestAFetchedCallbackRedeemsNothing(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	callback := b.approve(b.start(""))
	for _, header := range [][2]string{{"Sec-Fetch-Mode", "cors"}, {"Sec-Fetch-Mode", "no-cors"}, {"HX-Request", "true"}, {"X-Requested-With", "x"}} {
		r, _ := http.NewRequest("GET", callback, nil)
		r.Header.Set(header[0], header[1])
		w.wantFailure(b.do(r), authcode.NotNavigation, "callback.navigation")
	}
	w.wantTokenRequests(0)
	r, _ := http.NewRequest("GET", callback, nil)
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("X-Requested-With", "com.android.browser") // Android's WebView adds it to navigations
	w.wantStatus(b.do(r), http.StatusSeeOther)
}

func TestACertificatesWordsAreNotPrinted(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), Subject: pkix.Name{CommonName: "evil\nlevel=INFO"},
		DNSNames: []string{"evil\nlevel=INFO"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(nil)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	srv.StartTLS()
	defer srv.Close()
	_, err = newClientAt(t, srv.URL, nil).Refresh(t.Context(), &oauth2.Token{RefreshToken: "r"})
	var cert *tls.CertificateVerificationError
	if !errors.Is(err, authcode.Unreachable) || !errors.As(err, &cert) {
		t.Fatalf("got %v", err)
	}
	if text := err.Error(); strings.Contains(text, "evil") || !strings.Contains(text, "certificate") {
		t.Errorf("the text is %q", text)
	}
}

func TestValuesOfErrorAndTokenSourcesAreRedacted(t *testing.T) {
	const canary = "canary-token-5150"
	source := newClientAt(t, "https://p.example", nil).TokenSource(&oauth2.Token{AccessToken: canary, RefreshToken: canary}, nil)
	failure := authcode.Error{Reason: authcode.Denied, ServerDescription: canary}
	answer := authcode.TokenResponse{Token: &oauth2.Token{AccessToken: canary}, Nonce: canary, Callback: url.Values{"code": {canary}}}
	request := authcode.TokenRequest{Form: url.Values{"code": {canary}}, Header: http.Header{"Authorization": {canary}}}
	var out bytes.Buffer
	for _, v := range []any{
		new(authcode.TokenSource), source, []any{source}, struct{ s *authcode.TokenSource }{source}, struct{ S *authcode.TokenSource }{source},
		failure, []authcode.Error{failure}, struct{ E authcode.Error }{failure}, answer, &answer, []*authcode.TokenResponse{&answer},
		request, &request, []*authcode.TokenRequest{&request},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x", "%t"} {
			fmt.Fprintf(&out, verb, v)
		}
		json.NewEncoder(&out).Encode(v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("v", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("v", "v", v)
	}
	if strings.Contains(out.String(), "PANIC") {
		t.Error("a zero value cannot be printed")
	}
	for _, form := range encodings(canary) {
		if strings.Contains(out.String(), form) {
			t.Errorf("the canary got out as %s", form)
		}
	}
}

func TestALongReturnPathCannotBreakALogin(t *testing.T) {
	w := newWorld(t)
	target := w.client.LoginHandler(authcode.ReturnToParam("next"), authcode.Value("v", strings.Repeat("v", 500)))
	for _, n := range []int{100, 400, 511} {
		rec := httptest.NewRecorder()
		target.ServeHTTP(rec, httptest.NewRequest("GET", "/login?next=/"+strings.Repeat("a", n), nil))
		if rec.Code != http.StatusSeeOther {
			t.Errorf("a path of %d bytes: status %d", n, rec.Code)
		}
	}
	scopes := authcode.Scopes(strings.Repeat("s", 1200))
	if _, err := w.client.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "/login", nil), scopes); !errors.Is(err, authcode.Configuration) {
		t.Errorf("1200 bytes of scopes: %v, want configuration", err)
	}
}

func TestRefreshUsesTheFieldNotTheMember(t *testing.T) {
	w := newWorld(t)
	w.wantStatus(w.browser().signIn(""), http.StatusSeeOther)
	token := *w.lastLogin().Token
	w.srv.SetFaults(authserver.Refresh, authserver.NoRotation())
	fresh, err := w.client.Refresh(t.Context(), &token)
	if err != nil {
		t.Fatal(err)
	}
	member := fresh.Extra("refresh_token")
	fresh.RefreshToken = "set-by-the-app"
	w.srv.SetFaults(authserver.Refresh, authserver.Answer(200, "application/json", `{"access_token":"a"}`))
	again, err := w.client.Refresh(t.Context(), fresh)
	if err != nil {
		t.Fatal(err)
	}
	if again.RefreshToken != "set-by-the-app" || again.Extra("refresh_token") != "set-by-the-app" || member != token.RefreshToken {
		t.Errorf("refresh token %q, member %q", again.RefreshToken, again.Extra("refresh_token"))
	}
}

func TestAFirewallsPageDoesNotEndAGrant(t *testing.T) {
	w := newWorld(t)
	w.wantStatus(w.browser().signIn(""), http.StatusSeeOther)
	token := *w.lastLogin().Token
	token.Expiry = time.Now().Add(-time.Hour)
	source := w.client.TokenSource(&token, nil)
	w.srv.SetFaults(authserver.Refresh, authserver.Answer(403, "text/html", "<h1>Forbidden</h1>"))
	if _, err := source.Token(t.Context()); !errors.Is(err, authcode.GrantRejected) {
		t.Fatalf("got %v", err)
	}
	w.srv.ClearFaults()
	if _, err := source.Token(t.Context()); err != nil {
		t.Errorf("after the firewall let go: %v", err)
	}
}

func TestTheCallersDeadlineCounts(t *testing.T) {
	w := newWorld(t)
	next := w.handlerFor(w.client)
	w.use(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 100*time.Millisecond)
		defer cancel()
		next.ServeHTTP(rw, r.WithContext(ctx))
	}))
	b := w.browser()
	callback := b.approve(b.start(""))
	w.srv.SetFaults(authserver.Token, authserver.Silent())
	w.wantFailure(b.get(callback), authcode.Timeout, "provider.timeout")
}

// meddler changes what it is lent.
type meddler struct{ seen *atomic.Int32 }

func (m meddler) steal(conn *authcode.Connection) {
	conn.Transport = inMemory(func(*http.Request) (*http.Response, error) {
		m.seen.Add(1)
		return nil, errors.New("stolen")
	})
	conn.Endpoints.TokenURL, conn.Config.Provider.TokenURL = "https://evil.example/token", "https://evil.example/token"
	conn.Config.ClientAuth = authcode.Public()
}

func TestASeamCannotChangeTheClient(t *testing.T) {
	m := meddler{new(atomic.Int32)}
	w := newWorld(t, func(c *authcode.Config) {
		authenticate := c.ClientAuth.Authenticate
		c.ClientAuth.Authenticate = func(ctx context.Context, req *authcode.TokenRequest) error {
			err := authenticate(ctx, req)
			m.steal(req.Connection)
			return err
		}
		c.Provider.Identity = func(_ context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
			if _, stolen := resp.Transport.(inMemory); stolen {
				return nil, errors.New("handed what another seam has changed")
			}
			m.steal(resp.Connection)
			return &authcode.Identity{Issuer: "i", Subject: "s"}, nil
		}
	})
	for range 2 {
		w.wantStatus(w.browser().signIn(""), http.StatusSeeOther)
	}
	if m.seen.Load() != 0 {
		t.Error("a seam's transport saw a token request")
	}
	w.wantTokenRequests(2)
}

func TestOptionsAreCopiedAndANilOptionIsNone(t *testing.T) {
	w := newWorld(t)
	values := []string{"urn:a", "urn:b"}
	option := authcode.Param("resource", values...)
	values[0] = "changed"
	target, err := w.client.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "/login", nil), nil, option)
	if u, _ := url.Parse(target); err != nil || fmt.Sprint(u.Query()["resource"]) != "[urn:a urn:b]" {
		t.Errorf("%v, %v", target, err)
	}
}

func TestTheOldestOfManyLoginsGoFirst(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest("GET", w.app.URL+"/login", nil)
	var names []string
	for range 30 {
		rec := httptest.NewRecorder()
		if _, err := w.client.AuthCodeURL(rec, httptest.NewRequest("GET", w.app.URL+"/login", nil)); err != nil {
			t.Fatal(err)
		}
		c := rec.Result().Cookies()[0]
		names = append(names, c.Name)
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	rec := httptest.NewRecorder()
	if _, err := w.client.AuthCodeURL(rec, r); err != nil {
		t.Fatal(err)
	}
	gone := make(map[string]bool)
	for _, c := range rec.Result().Cookies() {
		gone[c.Name] = c.MaxAge < 0
	}
	for i, name := range names {
		if want := i < 20; gone[name] != want {
			t.Errorf("login %d of 30: expired %v, want %v", i, gone[name], want)
		}
	}
}

func TestScopesAnsweredWithCommas(t *testing.T) {
	for _, c := range []struct{ requested, answered, want string }{
		{"repo user:email", "repo,user:email", "repo|user:email"},
		{"a,b", "a,b", "a,b"}, // a scope with a comma of its own
	} {
		w := newWorld(t, func(cfg *authcode.Config) { cfg.Scopes = strings.Fields(c.requested) })
		w.srv.SetFaults(authserver.Token, authserver.Set("scope", fmt.Sprintf("%q", c.answered)))
		w.wantStatus(w.browser().signIn(""), http.StatusSeeOther)
		if got := strings.Join(w.lastLogin().Scopes, "|"); got != c.want {
			t.Errorf("scopes %q, want %q", got, c.want)
		}
	}
}

func TestAPIClientKeepsTheTokenFromLookalikes(t *testing.T) {
	token := &oauth2.Token{AccessToken: canarySecret}
	seen := make(map[string]string)
	client := newClientAt(t, "https://p.example", inMemory(func(r *http.Request) (*http.Response, error) {
		seen[r.URL.Host] = r.Header.Get("Authorization")
		return httptest.NewRecorder().Result(), nil
	}))
	api, err := client.TokenSource(token, nil).APIClient("https://api.github.com")
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"api.github.com", "api.gİthub.com", "apı.github.com", "api.github.com.evil.example", "API.GITHUB.COM"} {
		req := &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: host, Path: "/"}, Header: make(http.Header)}
		resp, err := api.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		own := strings.EqualFold(host, "api.github.com") && host[len(host)-1] < 0x80
		if want := map[bool]string{true: "Bearer " + canarySecret}[own]; seen[host] != want {
			t.Errorf("%s saw %q, want %q", host, seen[host], want)
		}
		if req.Header.Get("Authorization") != "" {
			t.Error("the caller's request was changed")
		}
	}
	for _, bad := range []string{"https://api.gİthub.com", "https://api.example/path", "https://api.example?q", "http://api.example"} {
		if _, err := client.TokenSource(token, nil).APIClient(bad); !errors.Is(err, authcode.Configuration) {
			t.Errorf("APIClient(%q): %v, want configuration", bad, err)
		}
	}
}

func TestNewRefusesParametersThatDouble(t *testing.T) {
	for name, change := range map[string]func(*authcode.Config){
		"RedirectURL with a state":            func(c *authcode.Config) { c.RedirectURL += "?state=x" },
		"RedirectURL with a code":             func(c *authcode.Config) { c.RedirectURL += "?code=x" },
		"RedirectURL with a space at its end": func(c *authcode.Config) { c.RedirectURL += " " },
		"AuthURL with the client id's name": func(c *authcode.Config) {
			c.Provider.ClientIDParam, c.Provider.AuthURL = "appid", c.Provider.AuthURL+"?appid=x"
		},
		"AuthURL with one of AuthParams": func(c *authcode.Config) {
			c.Provider.AuthParams, c.Provider.AuthURL = map[string]string{"a": "b"}, c.Provider.AuthURL+"?a=x"
		},
		"TokenURL with a client_secret":      func(c *authcode.Config) { c.Provider.TokenURL += "?client_secret=x" },
		"TokenURL with a grant_type":         func(c *authcode.Config) { c.Provider.TokenURL += "?grant_type=x" },
		"ClientIDParam refresh_token":        func(c *authcode.Config) { c.Provider.ClientIDParam = "refresh_token" },
		"ClientIDParam with a space":         func(c *authcode.Config) { c.Provider.ClientIDParam = " state" },
		"AuthParams with a control":          func(c *authcode.Config) { c.Provider.AuthParams = map[string]string{"state\x00": "b"} },
		"ScopeSep of a line":                 func(c *authcode.Config) { c.Provider.ScopeSep = "\r\n" },
		"Issuer with a newline":              func(c *authcode.Config) { c.Provider.Issuer += "\n" },
		"a Secret of a space":                func(c *authcode.Config) { c.ClientAuth = authcode.Secret(" ") },
		"TokenURL with a port of six digits": func(c *authcode.Config) { c.Provider.TokenURL = "https://p.example:999999/" },
	} {
		srv := authserver.NewServer()
		cfg := srv.Config("https://app.example/callback")
		srv.Close()
		change(&cfg)
		if _, err := authcode.New(cfg); !errors.Is(err, authcode.Configuration) {
			t.Errorf("%s: got %v, want configuration", name, err)
		}
	}
}
