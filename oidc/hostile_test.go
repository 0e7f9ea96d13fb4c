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
	"example.com/authcode/authtest"
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
	faults      map[authtest.Place][]authtest.Fault
	opts        []oidc.Option
	params      []authcode.AuthOption
	alg         string
	tenants     bool // the issuer is a template
}

// because changes the reason of the refusal.
func (row hostileRow) because(reason authcode.Reason) hostileRow {
	row.reason = reason
	return row
}

// hostileRows returns the function that makes the rows of a table: at is the place that misbehaves.
func hostileRows(at authtest.Place, reason authcode.Reason) func(string, string, ...authtest.Fault) hostileRow {
	return func(name, check string, faults ...authtest.Fault) hostileRow {
		return hostileRow{
			name: name, check: check, reason: reason, alg: "ES256",
			faults: map[authtest.Place][]authtest.Fault{at: faults},
		}
	}
}

func (r hostileRow) as(reason authcode.Reason) hostileRow                { r.reason = reason; return r }
func (r hostileRow) with(opts ...oidc.Option) hostileRow                 { r.opts = opts; return r }
func (r hostileRow) login(p ...authcode.AuthOption) hostileRow           { r.params = p; return r }
func (r hostileRow) signed(alg string) hostileRow                        { r.alg = alg; return r }
func (r hostileRow) at(p authtest.Place, f ...authtest.Fault) hostileRow { r.faults[p] = f; return r }

// hostileApp signs in at a provider that misbehaves, and keeps what it sees.
type hostileApp struct {
	t      *testing.T
	srv    *authtest.Server
	url    string
	mux    *http.ServeMux
	issuer *oidc.Issuer
	client *authcode.Client

	mu     sync.Mutex
	logins []*authcode.Login
	errors []*authcode.Error
	out    bytes.Buffer // all that the app shows of errors
}

func newHostileApp(t *testing.T, row hostileRow) *hostileApp {
	t.Helper()
	x := &hostileApp{t: t, srv: authtest.NewServer(authtest.Algorithm(row.alg)), mux: http.NewServeMux()}
	t.Cleanup(x.srv.Close)
	app := httptest.NewServer(x.mux)
	t.Cleanup(app.Close)
	x.url = app.URL
	cfg := x.srv.Register(authtest.ClientRegistration{
		ID: hostileClient, Secret: hostileSecret, RedirectURIs: []string{app.URL + "/callback"},
		PostLogoutRedirectURIs: []string{app.URL + "/goodbye"},
	})
	issuer := x.srv.URL
	if row.tenants {
		issuer += "/{tenantid}"
		row.opts = append(row.opts, oidc.MetadataURL(x.srv.URL+"/.well-known/openid-configuration"))
		x.srv.SetFaults(authtest.Discovery, authtest.Set("issuer", `"`+issuer+`"`))
	}
	x.issuer = oidc.New(issuer, row.opts...)
	cfg.Provider, cfg.OnError = x.issuer.Provider(), x.refuse
	var err error
	if x.client, err = authcode.New(cfg); err != nil {
		t.Fatal(err)
	}
	x.mux.Handle("/login", x.client.LoginHandler(row.params...))
	x.mux.Handle("/callback", x.client.CallbackHandler(http.HandlerFunc(x.welcome)))
	return x
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
	switch {
	case err == nil:
		x.t.Fatalf("accepted, want %s", row.check)
	case err.Check != row.check || err.Reason != row.reason:
		x.t.Errorf("refused by %s (%s), want %s (%s)", err.Check, err.Reason, row.check, row.reason)
	}
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

// TestHostileIDTokenText: what is wrong before any claim counts.
func TestHostileIDTokenText(t *testing.T) {
	token := hostileRows(authtest.Token, authcode.IdentityRefused)
	id := hostileRows(authtest.IDToken, authcode.IdentityRefused)
	set, drop, header := authtest.Set, authtest.Drop, authtest.Header
	runHostile(t, []hostileRow{
		token("no ID token", "id_token.missing", drop("id_token")),
		token("an empty ID token", "id_token.missing", set("id_token", `""`)),
		token("an ID token that is a number", "id_token.missing", set("id_token", "12")),
		token("no openid scope, so no ID token", "id_token.missing").login(authcode.Scopes("email")),
		token("no JWT", "id_token.form", set("id_token", `"`+hostileWord+`"`)),
		token("five parts", "id_token.form", set("id_token", `"e30.e30.e30.e30.e30"`)),
		token("a JWS in JSON", "id_token.form", set("id_token", `"{\"payload\":\"e30\",\"signatures\":[]}"`)),
		token("a header that is no JSON", "id_token.form", set("id_token", `"eHh4.e30.AAAA"`)),
		token("base64 with padding", "id_token.form", set("id_token", `"e30=.e30=.AAA="`)),
		token("a newline", "id_token.form", set("id_token", `"e30.\ne30.AAAA"`)),
		id("encrypted", "id_token.form", authtest.Encrypted()),
		id("a critical header", "id_token.form", header(set("crit", `["exp"]`)), header(set("exp", "1"))),
		id("b64 is false", "id_token.form", header(set("crit", `["b64"]`)), header(set("b64", "false"))),
		id("two algorithms", "id_token.form", header(authtest.Repeat("alg", `"none"`))),
		id("a claim twice", "id_token.form", authtest.Repeat("sub", `"`+hostileWord+`"`)),
		id("a claim twice but for case", "id_token.form", set("SUB", `"bob"`)),
		id("another key", "id_token.signature", authtest.OtherKey()),
		id("another key, RS256", "id_token.signature", authtest.OtherKey()).signed("RS256"),
		id("another key, EdDSA", "id_token.signature", authtest.OtherKey()).signed("EdDSA"),
		id("another key, no kid", "id_token.signature", authtest.OtherKey(), header(drop("kid"))),
		id("a key in the header", "id_token.signature", authtest.EmbeddedKey()),
		id("a key in the header, no kid", "id_token.signature", authtest.EmbeddedKey(), header(drop("kid"))),
		id("a JWKS named in the header", "id_token.signature", authtest.OtherKey(),
			header(set("jku", `"`+hostileTrap(t)+`"`))),
		id("claims changed after signing", "id_token.signature", authtest.Tampered(set("sub", `"bob"`))),
		id("header of another algorithm", "id_token.alg", header(set("alg", `"ES384"`))),
		id("no algorithm", "id_token.alg", header(drop("alg"))),
		id("unsigned", "id_token.alg", authtest.SignAs("none")),
		id("unsigned, None", "id_token.alg", authtest.SignAs("none"), header(set("alg", `"None"`))),
		id("HMAC with the public key", "id_token.alg", authtest.SignAs("HS256")),
		id("HMAC with the public key, RS256", "id_token.alg", authtest.SignAs("HS256")).signed("RS256"),
		id("a published RSA key", "id_token.alg", authtest.SignAs("RS256")),
		id("a published Ed25519 key", "id_token.alg", authtest.SignAs("EdDSA")),
		id("another algorithm than the pinned", "id_token.alg").with(oidc.Algorithms("RS256", "PS256")),
		id("unsigned and so advertised", "id_token.alg", authtest.SignAs("none")).
			at(authtest.Discovery, set("id_token_signing_alg_values_supported", `["none"]`)),
		id("HMAC and so advertised", "id_token.alg", authtest.SignAs("HS256")).
			at(authtest.Discovery, set("id_token_signing_alg_values_supported", `["HS256","ES256"]`)),
		id("nothing advertised means RS256", "id_token.alg").
			at(authtest.Discovery, drop("id_token_signing_alg_values_supported")),
		id("an unknown kid", "jwks.key", header(set("kid", `"`+hostileWord+`"`))),
		id("an access token", "id_token.typ", header(set("typ", `"at+jwt"`))),
		id("a logout token", "id_token.typ", header(set("typ", `"application/logout+JWT"`))),
	})
}
