package interop

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/grant/sqlstore"
	"example.com/authcode/session"
	"example.com/authcode/tenants"
)

// tenantsApp is an app with a table of customers, one redirect URL for all of
// them, and sessions in SQLite. The pages of a customer are below /t/KEY.
type tenantsApp struct {
	url      string // https://localhost:PORT
	registry *tenants.Registry
	sessions *session.Sessions

	mu    sync.Mutex
	table map[string]customer
	last  *authcode.Error
}

func newTenantsApp(t *testing.T, customers []customer) *tenantsApp {
	t.Helper()
	a := &tenantsApp{table: make(map[string]customer)}
	server := httptest.NewUnstartedServer(nil)
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	a.url = "https://localhost:" + port
	for _, c := range customers {
		a.table[c.key] = c
		c.register(t, a.url+"/callback")
	}
	a.start(t, portsOf(t, customers))
	server.Config.Handler = a.routes()
	server.TLS = &tls.Config{Certificates: []tls.Certificate{theCertificate(t).pair}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return a
}

// start makes the registry, whose guard permits what the tests have: loopback, and
// these ports.
func (a *tenantsApp) start(t *testing.T, ports []uint16) {
	t.Helper()
	var err error
	a.registry, err = tenants.New(tenants.Config{
		Load: a.load, CookieKeys: [][]byte{newKey()}, RedirectURL: a.url + "/callback",
		LoginURL: "/", Transport: theCertificate(t).transport(), OnError: a.refused,
		Guard: tenants.Guard{
			Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Ports: ports,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	db := openDB(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "app.db")+sqliteOptions)
	store := sqlstore.New(db, sqlstore.SQLite)
	if err := store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.sessions, err = session.New(session.Config{
		Keys: [][]byte{newKey()}, LoginURL: "/", Store: store, Tenant: tenantOf,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func tenantOf(r *http.Request) (string, error) { return r.PathValue("tenant"), nil }

// load is [tenants.Config.Load].
func (a *tenantsApp) load(_ context.Context, key string) (authcode.Config, string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.table[key]
	if !ok {
		return authcode.Config{}, "", tenants.ErrNotFound
	}
	return c.config, "1", nil
}

// remove is what the app's admin page does when a customer leaves.
func (a *tenantsApp) remove(key string) {
	a.mu.Lock()
	delete(a.table, key)
	a.mu.Unlock()
	a.registry.Forget(key)
}

func (a *tenantsApp) refused(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
	a.mu.Lock()
	a.last = err
	a.mu.Unlock()
	authcode.ErrorPage(w, r, err)
}

// lastCheck returns the Check of the last refusal, and forgets it.
func (a *tenantsApp) lastCheck() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.last == nil {
		return ""
	}
	check := a.last.Check
	a.last = nil
	return check
}

func (a *tenantsApp) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/t/{tenant}/login", a.registry.LoginHandler(tenantOf))
	mux.Handle("/callback", a.registry.CallbackHandler(a.sessions.SignIn(a.registry)))
	page := func(answer func(*http.Request, *session.Session) string) http.Handler {
		return a.sessions.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, answer(r, session.FromContext(r.Context())))
		}))
	}
	mux.Handle("/t/{tenant}/account", page(func(_ *http.Request, in *session.Session) string {
		return in.Tenant() + " " + in.Identity().Issuer + " " + in.Identity().Subject
	}))
	mux.Handle("/t/{tenant}/renew", page(func(r *http.Request, in *session.Session) string {
		_, err := in.Grant().Renew(r.Context(), nil)
		if _, tokenErr := in.Token(r.Context()); err == nil {
			err = tokenErr
		}
		var e *authcode.Error
		if errors.As(err, &e) {
			return e.Check
		}
		return fmt.Sprint(err)
	}))
	return mux
}

// portsOf returns the ports of the customers' providers.
func portsOf(t *testing.T, customers []customer) (ports []uint16) {
	t.Helper()
	for _, c := range customers {
		u, err := url.Parse(c.config.Provider.Issuer)
		if err != nil {
			t.Fatal(err)
		}
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, uint16(port))
	}
	return ports
}

// get returns the status and the text of a page of the app's. Nothing is followed.
func (a *tenantsApp) get(me *person, path string) (int, string) {
	me.t.Helper()
	client := me.client
	defer func(before func(*http.Request, []*http.Request) error) {
		client.CheckRedirect = before
	}(client.CheckRedirect)
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	got := me.visit(a.url + path)
	return got.status, got.body
}
