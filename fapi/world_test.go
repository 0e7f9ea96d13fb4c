package fapi_test

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/fapi"
	op "example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

const clientID, appURL = "fapi-client", "https://app.example"

var (
	authority   = op.NewAuthority()
	ownCert     = authority.Issue(clientID)
	optionTable = readTable("testdata/options.txt")
)

// options are what differs from the usual app, and from the usual course of a
// row. See testdata/options.txt.
type options map[string]string

func (o options) has(name string) bool { _, ok := o[name]; return ok }
func (o options) hasCert() bool        { return o.has("bound") || o.has("tls") || o.has("selfsigned") }

// world is an app, its provider, a browser, and what they saw. The test waits
// for each answer, so that it needs no locks.
type world struct {
	t       *testing.T
	in      options
	srv     *op.Server
	reg     op.ClientRegistration
	cfg     authcode.Config
	client  *authcode.Client
	pages   *http.ServeMux // of client
	browser *http.Client
	login   *authcode.Login // of steps after one
	slow    string          // the path of requests that the app gives up
	came    []outcome       // logins and errors that reached the app
	page    *http.Response  // the app's last one
	shown   bytes.Buffer    // of errors
}

// idle are channels of worlds whose test has ended, by the kind of provider. A
// provider serves many tests; all of the app is new each time.
var idle sync.Map

func newWorld(t *testing.T, in options) (x *world) {
	kind := fmt.Sprint(in["alg"], in.has("rsa"), in.hasCert(), in.has("aliases-only"),
		in.has("main-only"))
	pool, _ := idle.LoadOrStore(kind, make(chan *world, 100))
	select {
	case x = <-pool.(chan *world):
	default:
		x = &world{srv: newProvider(in)}
	}
	t.Cleanup(func() { pool.(chan *world) <- x })
	x.begin(t, in)
	return x
}

func newProvider(in options) *op.Server {
	server := []op.Option{op.Algorithm(cmp.Or(in["alg"], "ES256"))}
	if in.hasCert() && !in.has("main-only") {
		server = append(server, op.MutualTLS())
	}
	if in.hasCert() && !in.has("aliases-only") { // a certificate that is shown there is seen
		server = append(server, op.AskCertificates())
	}
	return op.NewTLSServer(server...)
}

// begin registers a new app, which has loaded and seen nothing.
func (x *world) begin(t *testing.T, in options) {
	*x = world{t: t, in: in, srv: x.srv}
	x.srv.ClearFaults()
	x.srv.Forget()
	x.reg = op.FAPIClient(clientID, appURL+"/callback", op.Key{Public: ecKey.Public(), ID: "k1"})
	x.options(1, &x.reg)
	x.cfg = x.srv.Register(x.reg)
	x.cfg.Transport, x.cfg.Wrap = x.srv.Transport().Clone(), x.giveUp
	// There are thousands of apps: their connections begin fast, and end soon.
	x.cfg.Transport.TLSClientConfig.CurvePreferences = []tls.CurveID{tls.CurveP256}
	x.cfg.Transport.IdleConnTimeout = time.Second
	x.cfg.OnError = func(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
		x.came = append(x.came, outcome{err: err})
		authcode.ErrorPage(w, r, err)
	}
	x.cfg.ClientAuth, x.cfg.Binding = clientauth.PrivateKeyJWT(key), dpop.New(proofKey)
	more := map[bool]oidc.Option{true: oidc.UserInfo()}
	x.cfg.Provider = oidc.Provider(x.srv.URL, more[in.has("userinfo")])
	x.options(2, &x.cfg)
	x.newClient()
	x.browser = x.newBrowser()
}

// options applies a column of the table.
func (x *world) options(column int, target any) {
	unknown := maps.Clone(x.in)
	for _, row := range optionTable {
		name, value, _ := strings.Cut(row.cells[0], "=")
		if delete(unknown, name); x.in.has(name) && x.in[name] == value {
			set(target, row.cells[column])
		}
	}
	x.wantEqual(fmt.Sprint("unknown options ", unknown), len(unknown), 0)
}

// newClient starts another instance of the app, which has loaded nothing yet.
func (x *world) newClient() {
	cfg := x.cfg
	if x.in.has("wrapped") {
		cfg = wrap(cfg)
	}
	profile := map[bool]fapi.Profile{true: fapi.MessageSigning}[x.in.has("signing")]
	if x.in.has("plain") || x.in.has("bare") {
		x.client = must(authcode.New(cfg))
	} else {
		x.client = must(fapi.New(profile, cfg))
	}
	x.pages = http.NewServeMux()
	x.pages.Handle("/login", x.client.LoginHandler())
	welcome := func(_ http.ResponseWriter, r *http.Request) {
		login, _ := authcode.FromContext(r.Context())
		x.came = append(x.came, outcome{login: login})
	}
	x.pages.Handle("/callback", x.client.CallbackHandler(http.HandlerFunc(welcome)))
}

// outcome is what came of a step.
type outcome struct {
	err    *authcode.Error
	login  *authcode.Login
	info   *oidc.TokenInfo
	status int // of the API
}

// newBrowser visits the app; for the provider's pages authserver has another.
func (x *world) newBrowser() *http.Client {
	jar, _ := cookiejar.New(nil)
	return &http.Client{Jar: jar, Transport: roundTrip(func(sent *http.Request) (*http.Response, error) {
		r, page := httptest.NewRequest(sent.Method, sent.URL.String(), sent.Body), httptest.NewRecorder()
		r.Header = sent.Header
		x.pages.ServeHTTP(page, r)
		if page.Code >= 400 {
			page.Header().Write(&x.shown)
			x.shown.Write(page.Body.Bytes())
		}
		x.page = page.Result()
		x.page.Request = r
		return x.page, nil
	})}
}

// visit opens one of the app's pages.
func (x *world) visit(browser *http.Client, path string) {
	must(x.srv.Visit(browser, must(http.NewRequest("GET", appURL+path, nil))))
}

// signIn takes the browser through a whole login, to a login or an error.
func (x *world) signIn() outcome {
	x.came = nil
	_, err := x.srv.SignIn(x.browser, appURL+"/login")
	if len(x.came) != 1 {
		x.t.Fatalf("the app saw %d logins and errors: %v", len(x.came), err)
	}
	return x.came[0]
}

// startElsewhere starts a login in another browser and returns its state.
func (x *world) startElsewhere() string {
	x.visit(x.newBrowser(), "/login")
	return x.lastState()
}

// lastState is that of the login that was started last.
func (x *world) lastState() string {
	signed, _ := x.lastPush().RequestObject().Claims["state"].(string)
	return cmp.Or(x.lastPush().Form.Get("state"), signed)
}

func (x *world) lastPush() op.Request {
	pushed := x.srv.Requests(op.PAR)
	return pushed[len(pushed)-1]
}

// signedIn begins what comes after a login.
func (x *world) signedIn() { x.login = x.mustDo(op.Token).login }

func (x *world) mustDo(step op.Place) outcome {
	got := x.do(step)
	if got.err != nil {
		x.t.Fatal(got.err)
	}
	return got
}

// do is a whole login, or a request after one.
func (x *world) do(step op.Place) (got outcome) {
	var err error
	switch ctx := x.t.Context(); step {
	case op.Token:
		return x.signIn()
	case op.PAR: // the beginning of a login
		x.visit(x.browser, "/login")
	case op.Refresh:
		got.login = new(authcode.Login)
		got.login.Token, err = x.client.Refresh(ctx, x.login.Token)
	case op.Revocation:
		err = x.client.Revoke(ctx, x.login.Token)
	case op.Introspection:
		introspect := oidc.Introspect
		if x.in.has("signing") {
			introspect = oidc.IntrospectSigned
		}
		got.info, err = introspect(ctx, x.client, x.login.Token.AccessToken, "")
	case op.Resource:
		got.status, err = x.callAPI()
	}
	if err != nil && !errors.As(err, &got.err) {
		x.t.Fatalf("an error of another kind: %v", err)
	}
	return got
}

// callAPI asks the API that the token is for, and returns the status.
func (x *world) callAPI() (int, error) {
	origin := x.srv.URL
	if x.in.has("bound") {
		origin = cmp.Or(x.srv.MTLSURL, origin)
	}
	api := must(x.client.TokenSource(x.login.Token, nil).APIClient(origin))
	if x.in.has("http") { // to which no token goes, and under the profile no request
		origin = strings.Replace(origin, "https", "http", 1)
	}
	resp, err := api.Get(origin + "/resource/accounts?of=1")
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}
