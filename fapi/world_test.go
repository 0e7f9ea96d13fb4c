package fapi_test

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"fmt"
	"maps"
	"net/http"
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
	authority = op.NewAuthority()
	ownCert   = authority.Issue(clientID)

	optionTable = readTable("testdata/options.txt")
)

// options are what differs from the usual app, and from the usual course of a
// row. See testdata/options.txt.
type options map[string]string

func (o options) has(name string) bool { _, ok := o[name]; return ok }

func (o options) hasCertificate() bool { return o.has("bound") || o.has("tls") || o.has("selfsigned") }

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

	came  []outcome      // logins and errors that reached the app
	page  *http.Response // the app's last one
	shown bytes.Buffer   // of errors
}

// idle are channels of worlds whose test has ended, by the kind of provider. A
// provider serves many tests; all of the app is new each time.
var idle sync.Map

func newWorld(t *testing.T, in options) (x *world) {
	kind := fmt.Sprint(in["alg"], in.has("rsa"), in.hasCertificate(), in.has("aliases-only"), in.has("main-only"))
	pool, _ := idle.LoadOrStore(kind, make(chan *world, 100))
	select {
	case x = <-pool.(chan *world):
	default:
		x = openWorld(in)
	}
	t.Cleanup(func() { pool.(chan *world) <- x })
	x.begin(t, in)
	return x
}

func openWorld(in options) *world {
	server := []op.Option{op.Algorithm(cmp.Or(in["alg"], "ES256"))}
	if in.hasCertificate() && !in.has("main-only") {
		server = append(server, op.MutualTLS())
	}
	if in.hasCertificate() && !in.has("aliases-only") { // a certificate that is shown there is seen
		server = append(server, op.AskCertificates())
	}
	x := &world{srv: op.NewTLSServer(server...)}
	// Handshakes take their time.
	x.srv.Transport().TLSClientConfig.CurvePreferences = []tls.CurveID{tls.CurveP256}
	return x
}

// begin registers a new app, which has loaded and seen nothing.
func (x *world) begin(t *testing.T, in options) {
	*x = world{t: t, in: in, srv: x.srv}
	x.srv.ClearFaults()
	x.srv.Forget()
	x.reg = op.FAPIClient(clientID, appURL+"/callback", op.Key{Public: ecKey.Public(), ID: "k1"})
	x.options(1, &x.reg)
	x.cfg = x.srv.Register(x.reg)
	x.cfg.Transport, x.cfg.OnError, x.cfg.Wrap = x.srv.Transport().Clone(), x.refuse, x.giveUp
	x.cfg.Transport.IdleConnTimeout = time.Second // of thousands of apps
	x.cfg.ClientAuth, x.cfg.Binding = clientauth.PrivateKeyJWT(key), dpop.New(proofKey)
	userInfo := map[bool]oidc.Option{true: oidc.UserInfo()}[in.has("userinfo")]
	x.cfg.Provider = oidc.Provider(x.srv.URL, userInfo)
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
	if len(unknown) > 0 {
		x.t.Fatalf("there are no options %v", unknown)
	}
}

// newClient starts another instance of the app, which has loaded nothing yet.
func (x *world) newClient() {
	cfg := x.cfg
	if x.in.has("wrapped") {
		cfg = wrap(cfg)
	}
	switch {
	case x.in.has("plain") || x.in.has("bare"):
		x.client = must(authcode.New(cfg))
	case x.in.has("signing"):
		x.client = must(fapi.New(fapi.MessageSigning, cfg))
	default:
		x.client = must(fapi.New(fapi.Security, cfg))
	}
	x.pages = http.NewServeMux()
	x.pages.Handle("/login", x.client.LoginHandler())
	x.pages.Handle("/callback", x.client.CallbackHandler(http.HandlerFunc(x.welcome)))
}
