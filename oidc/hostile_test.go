package oidc_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

const (
	hostileClient = "hostile-client"
	hostileSecret = "canary-secret-5e1f"
	hostileWord   = "canary-word" // part of every text that a table makes the provider say
)

// hostileRow is a login, a refresh or a logout that one planted fault makes fail.
type hostileRow struct {
	name, check string // no check: it succeeds
	reason      authcode.Reason
	faults      map[authserver.Place][]authserver.Fault
	opts        []oidc.Option
	params      []authcode.AuthOption
	alg         string
	pins        []string // Provider.Algorithms; nil: alg
	unpinned    bool     // pins nothing
	tenants     bool     // the issuer is a template
}

// because changes the reason of the refusal.
func (row hostileRow) because(reason authcode.Reason) hostileRow {
	row.reason = reason
	return row
}

// hostileRows returns the function that makes the rows of a table: at is the place that misbehaves.
func hostileRows(at authserver.Place, reason authcode.Reason) func(string, string, ...authserver.Fault) hostileRow {
	return func(name, check string, faults ...authserver.Fault) hostileRow {
		return hostileRow{
			name: name, check: check, reason: reason, alg: "ES256",
			faults: map[authserver.Place][]authserver.Fault{at: faults},
		}
	}
}

func (r hostileRow) as(reason authcode.Reason) hostileRow      { r.reason = reason; return r }
func (r hostileRow) with(opts ...oidc.Option) hostileRow       { r.opts = opts; return r }
func (r hostileRow) login(p ...authcode.AuthOption) hostileRow { r.params = p; return r }
func (r hostileRow) signed(alg string) hostileRow              { r.alg = alg; return r }
func (r hostileRow) pinning(algs ...string) hostileRow         { r.pins = algs; return r }
func (r hostileRow) byDefault() hostileRow                     { r.unpinned = true; return r }
func (r hostileRow) at(p authserver.Place, f ...authserver.Fault) hostileRow {
	r.faults[p] = f
	return r
}

// hostileApp signs in at a provider that misbehaves, and keeps what it sees.
type hostileApp struct {
	t      *testing.T
	srv    *authserver.Server
	url    string
	mux    *http.ServeMux
	cfg    authcode.Config
	client *authcode.Client

	mu     sync.Mutex
	logins []*authcode.Login
	errors []*authcode.Error
	told   []*authcode.Error // what Notify was told
	out    bytes.Buffer      // all that the app shows of errors
}

func newHostileApp(t *testing.T, row hostileRow) *hostileApp {
	t.Helper()
	x := &hostileApp{t: t, srv: authserver.NewServer(authserver.Algorithm(row.alg)), mux: http.NewServeMux()}
	t.Cleanup(x.srv.Close)
	app := httptest.NewServer(x.mux)
	t.Cleanup(app.Close)
	x.url = app.URL
	cfg := x.srv.Register(authserver.ClientRegistration{
		ID: hostileClient, Secret: hostileSecret, RedirectURIs: []string{app.URL + "/callback"},
		PostLogoutRedirectURIs: []string{app.URL + "/goodbye"},
	})
	issuer := x.srv.URL
	if row.tenants {
		issuer += "/{tenantid}"
		row.opts = append(row.opts, oidc.MetadataURL(x.srv.URL+"/.well-known/openid-configuration"))
		x.srv.SetFaults(authserver.Discovery, authserver.Set("issuer", `"`+issuer+`"`))
	}
	// The app is registered for what the provider signs with, unless a row is about that.
	if row.pins == nil && !row.unpinned {
		row.pins = []string{row.alg}
	}
	x.cfg = cfg
	x.cfg.Provider, x.cfg.OnError = pinned(oidc.Provider(issuer, row.opts...), row.pins...), x.refuse
	x.start()
	x.mux.Handle("/login", x.client.LoginHandler(row.params...))
	x.mux.Handle("/callback", x.client.CallbackHandler(http.HandlerFunc(x.welcome)))
	return x
}

// start makes the app's client.
func (x *hostileApp) start() {
	x.t.Helper()
	var err error
	if x.client, err = authcode.New(x.cfg); err != nil {
		x.t.Fatal(err)
	}
}

func (x *hostileApp) welcome(_ http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	x.mu.Lock()
	defer x.mu.Unlock()
	x.logins = append(x.logins, login)
}

func (x *hostileApp) refuse(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
	page := httptest.NewRecorder()
	authcode.ErrorPage(page, r, err)
	x.mu.Lock()
	x.errors = append(x.errors, err)
	fmt.Fprintln(&x.out, page.Header(), page.Body)
	x.mu.Unlock()
	x.show(err)
	w.WriteHeader(page.Code)
}

// show prints err in every way that apps print errors.
func (x *hostileApp) show(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&x.out, verb+"\n"+verb+"\n", err, []any{err})
	}
	json.NewEncoder(&x.out).Encode(err)
	slog.New(slog.NewJSONHandler(&x.out, nil)).Info("refused", "err", err)
}

// login takes a new browser through a whole login. It returns what reached the app: a login or an
// error.
func (x *hostileApp) login() (*authcode.Login, *authcode.Error) {
	x.t.Helper()
	x.mu.Lock()
	logins, failures := len(x.logins), len(x.errors)
	x.mu.Unlock()
	jar, _ := cookiejar.New(nil)
	resp, err := x.srv.SignIn(&http.Client{Jar: jar}, x.url+"/login")
	if err == nil {
		resp.Body.Close()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case len(x.logins) == logins+1 && len(x.errors) == failures:
		return x.logins[logins], nil
	case len(x.logins) == logins && len(x.errors) == failures+1:
		return nil, x.errors[failures]
	}
	x.t.Fatalf("%d logins and %d errors reached the app: %v", len(x.logins)-logins, len(x.errors)-failures, err)
	return nil, nil
}

// mustLogin signs in without a fault.
func (x *hostileApp) mustLogin() *authcode.Login {
	x.t.Helper()
	login, err := x.login()
	if err != nil {
		x.t.Fatalf("refused: %v", err)
	}
	return login
}

// plant makes the provider misbehave as row says.
func (x *hostileApp) plant(row hostileRow) {
	for place, faults := range row.faults {
		x.srv.SetFaults(place, faults...)
	}
}

// want checks that err is the refusal that the row is about, and that it tells no secret.
func (x *hostileApp) want(row hostileRow, err *authcode.Error) {
	x.t.Helper()
	x.wantRefusal(row, err)
	x.wantNoSecrets(row)
}

func (x *hostileApp) wantRefusal(row hostileRow, err *authcode.Error) {
	x.t.Helper()
	switch {
	case err == nil:
		x.t.Fatalf("accepted, want %s", row.check)
	case err.Check != row.check || err.Reason != row.reason:
		x.t.Errorf("refused by %s (%s), want %s (%s)", err.Check, err.Reason, row.check, row.reason)
	}
}

// wantNoSecrets checks that nothing that the app has shown so far tells a secret.
func (x *hostileApp) wantNoSecrets(row hostileRow) {
	x.t.Helper()
	secrets := []string{hostileSecret, hostileWord}
	for _, token := range x.srv.Issued() {
		secrets = append(secrets, strings.Split(token, ".")...) // a JWT's claims alone are secret too
	}
	for _, r := range x.srv.Requests() {
		for _, name := range []string{"code", "state", "nonce", "code_verifier"} {
			secrets = append(secrets, r.Form.Get(name))
		}
		_, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		secrets = append(secrets, credentials)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	shown := x.out.String()
	if !strings.Contains(shown, row.check) {
		x.t.Errorf("%s stands in no text", row.check)
	}
	for _, secret := range secrets {
		if len(secret) >= 8 && strings.Contains(shown, secret) {
			x.t.Errorf("an error shows %q", secret)
		}
	}
}

// runHostile logs in once for each row.
func runHostile(t *testing.T, rows []hostileRow) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			x := newHostileApp(t, row)
			x.plant(row)
			login, err := x.login()
			if row.check != "" {
				x.want(row, err)
				return
			}
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			if id := login.Identity; id == nil || id.Issuer != x.srv.URL || id.Subject != "alice" {
				t.Errorf("signed in as %+v", id)
			}
		})
	}
}

// hostileTrap is a server that nobody may ask anything.
func hostileTrap(t *testing.T) string {
	trap := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		t.Errorf("%s %s reached another server: %q %s", r.Method, r.URL, r.Header, body)
	}))
	t.Cleanup(trap.Close)
	return trap.URL + "/" + hostileWord
}

// hostileTime is a claim's value: the time from now.
func hostileTime(d time.Duration) string { return fmt.Sprint(time.Now().Add(d).Unix()) }
