package tenants_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testmain"
	"example.com/authcode/oidc"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// TestMain keeps the lines of refused logins out of the output.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	testmain.Run(m)
}

// app is an app with tenants in a table, and any number of instances.
type app struct {
	URL       string
	t         *testing.T
	instances []*tenants.Registry
	at        atomic.Int32 // the instance that answers
	muxes     []*http.ServeMux
	server    *httptest.Server
	transport *http.Transport // of all tenants

	mu    sync.Mutex
	table map[string]row
	loads map[string]int
	last  *authcode.Error
	login *authcode.Login
}

// row is what the table has of a tenant.
type row struct {
	cfg     authcode.Config
	version string
	err     error
	gate    chan struct{} // Load waits until it is closed, or its context ends
}

type change func(*tenants.Config)

// newApp is an app on https, with as many instances.
func newApp(t *testing.T, instances int, changes ...change) *app {
	t.Helper()
	a := &app{t: t, table: make(map[string]row), loads: make(map[string]int)}
	a.transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}
	t.Cleanup(a.transport.CloseIdleConnections)
	a.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.muxes[a.at.Load()].ServeHTTP(w, r)
	}))
	a.server.TLS = authserver.ServerTLS()
	a.server.StartTLS()
	t.Cleanup(a.server.Close)
	a.URL = a.server.URL
	for range instances {
		cfg := tenants.Config{
			Load: a.load, Transport: a.transport, CookieKeys: [][]byte{world.Key('t')}, LoginURL: "/login",
			RedirectURL: a.URL + "/callback", OwnRedirectURL: a.URL + "/callback/{tenant}",
			Guard: tenants.Guard{
				Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Ports: everyPort(),
			},
			ByIssuer: a.byIssuer,
			OnError: func(w http.ResponseWriter, r *http.Request, e *authcode.Error) {
				a.mu.Lock()
				a.last = e
				a.mu.Unlock()
				w.WriteHeader(e.Reason.Status())
			},
		}
		for _, c := range changes {
			c(&cfg)
		}
		registry, err := tenants.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		a.instances = append(a.instances, registry)
		a.muxes = append(a.muxes, a.routes(registry))
	}
	return a
}

func (a *app) routes(registry *tenants.Registry) *http.ServeMux {
	mux := http.NewServeMux()
	welcome := registry.CallbackHandler(http.HandlerFunc(a.welcome))
	mux.Handle("/login", registry.LoginHandler(func(r *http.Request) (string, error) {
		return r.URL.Query().Get("tenant"), nil
	}))
	mux.Handle("/start", registry.InitiateLoginHandler())
	mux.Handle("/callback", welcome)
	mux.Handle("/callback/{tenant}", welcome)
	return mux
}

// welcome answers with who signed in, and where.
func (a *app) welcome(w http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	a.mu.Lock()
	a.login = login
	a.mu.Unlock()
	conn, err := login.Client().Connection(r.Context())
	if err != nil {
		a.t.Error(err)
		return
	}
	fmt.Fprintf(w, "%s of %s", login.Identity.Subject, conn.Origin().Tenant)
}

func (a *app) load(ctx context.Context, key string) (authcode.Config, string, error) {
	a.mu.Lock()
	a.loads[key]++
	r, ok := a.table[key]
	a.mu.Unlock()
	if !ok {
		return authcode.Config{}, "", tenants.ErrNotFound
	}
	if r.gate != nil {
		select {
		case <-r.gate:
		case <-ctx.Done():
			return authcode.Config{}, "", ctx.Err()
		}
	}
	return r.cfg, r.version, r.err
}

func (a *app) loaded(key string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.loads[key]
}

func (a *app) byIssuer(_ context.Context, issuer string) (keys []string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if issuer == "https://down.example" {
		return nil, errors.New("down")
	}
	for key, r := range a.table {
		if r.cfg.Provider.Issuer == issuer {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// set puts a tenant into the table, and all instances forget the former one.
func (a *app) set(key string, r row) {
	a.mu.Lock()
	a.table[key] = r
	a.mu.Unlock()
	a.forget(key)
}

func (a *app) remove(key string) {
	a.mu.Lock()
	delete(a.table, key)
	a.mu.Unlock()
	a.forget(key)
}

func (a *app) forget(key string) {
	for _, registry := range a.instances {
		registry.Forget(key)
	}
}

// provider starts a server that the app's transport trusts. Call it before the
// first login.
func (a *app) provider(opts ...authserver.Option) *authserver.Server {
	srv := authserver.NewTLSServer(opts...)
	a.t.Cleanup(srv.Close)
	a.transport.TLSClientConfig.RootCAs.AddCert(srv.Certificate())
	return srv
}

// silent makes srv one that sends no iss and promises none.
func silent(srv *authserver.Server) *authserver.Server {
	srv.SetFaults(authserver.Authorization, authserver.Drop("iss"))
	srv.SetFaults(authserver.Discovery, authserver.Drop("authorization_response_iss_parameter_supported"))
	return srv
}

// tenant registers the app at srv, with every redirect URL that key may have, and
// puts it into the table.
func (a *app) tenant(key string, srv *authserver.Server, changes ...func(*authcode.Config)) row {
	a.t.Helper()
	cfg := srv.Register(authserver.ClientRegistration{
		ID: fmt.Sprintf("client-%x", key), Secret: fmt.Sprintf("a secret of %x", key), AuthMethod: authserver.Basic,
		RedirectURIs: []string{
			a.URL + "/callback", strings.Replace(a.instances[0].OwnRedirectURL(key), "{host}", "a.example.com", 1),
		},
	})
	cfg.RedirectURL, cfg.CookieKeys, cfg.Transport = "", nil, nil
	cfg.Provider = oidc.Provider(srv.URL)
	cfg.Provider.Algorithms = []string{"ES256"}
	for _, c := range changes {
		c(&cfg)
	}
	r := row{cfg: cfg, version: "1"}
	a.set(key, r)
	return r
}

// ownPath gives a tenant a redirect URL of its own.
func (a *app) ownPath(cfg *authcode.Config) { cfg.RedirectURL = a.URL + "/callback/{tenant}" }

func formPost(cfg *authcode.Config) { cfg.Provider.FormPost = true }

// everyPort are those that the servers of a test may get.
func everyPort() (ports []uint16) {
	for port := 1; port < 1<<16; port++ {
		ports = append(ports, uint16(port))
	}
	return ports
}
