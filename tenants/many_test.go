package tenants_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"runtime"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/tenants"
	"example.com/authcode/test/measure"
	"example.com/authcode/test/world"
)

// inMemory is a registry whose tenants have providers in memory.
func inMemory(t testing.TB, load func(key string) authcode.Config) *tenants.Registry {
	registry, err := tenants.New(tenants.Config{
		Load: func(_ context.Context, key string) (authcode.Config, string, error) {
			cfg := load(key)
			cfg.RedirectURL, cfg.CookieKeys, cfg.LoginURL, cfg.HomeURL = "", nil, "", ""
			return cfg, "1", nil
		},
		CookieKeys: [][]byte{world.Key('t')}, RedirectURL: world.RedirectURL, LoginURL: "/auth/x",
	})
	if err != nil {
		t.Fatal(err)
	}
	return registry
}

// issuerOf is the issuer of a tenant's own provider.
func issuerOf(key string) string { return "https://" + key + ".example" }

// fixed is a tenant with fixed endpoints, whose provider answers with its key.
func fixed(key string) authcode.Config {
	p := world.Answering(http.StatusOK, `{"access_token":"of `+key+`","token_type":"Bearer"}`)
	return world.Config(p, func(c *authcode.Config) {
		c.Provider.Issuer = issuerOf(key)
		c.Provider.Endpoints = authcode.Endpoints{
			AuthURL: issuerOf(key) + "/authorize", TokenURL: issuerOf(key) + "/token", RequireIss: true,
		}
	})
}

func pathKey(r *http.Request) (string, error) { return path.Base(r.URL.Path), nil }

// start begins a login and returns the request with the answer.
func start(t testing.TB, login http.Handler, key string) *http.Request {
	rec := httptest.NewRecorder()
	login.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://app.example/auth/"+key, nil))
	to, err := url.Parse(rec.Header().Get("Location"))
	if err != nil || rec.Code != http.StatusSeeOther {
		t.Fatalf("%s: %d", key, rec.Code)
	}
	r := httptest.NewRequest(http.MethodGet, world.RedirectURL+"?"+url.Values{
		"code": {"c"}, "state": {to.Query().Get("state")}, "iss": {"https://" + to.Host},
	}.Encode(), nil)
	for _, c := range rec.Result().Cookies() {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

// TestAThousandTenantsAtOnce: each signs in with its own provider, and no
// goroutine is left.
func TestAThousandTenantsAtOnce(t *testing.T) {
	registry := inMemory(t, fixed)
	login := registry.LoginHandler(pathKey)
	goroutines := runtime.NumGoroutine()
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 2000 {
		wg.Go(func() {
			<-begin
			key := fmt.Sprint("t", i/2) // two people of each
			got, err := registry.Exchange(httptest.NewRecorder(), start(t, login, key))
			if err != nil || got.Token.AccessToken != "of "+key {
				t.Errorf("%s: %v, %v", key, got, err)
			}
		})
	}
	close(begin)
	wg.Wait()
	for end := time.Now().Add(time.Minute); runtime.NumGoroutine() > goroutines && time.Now().Before(end); {
		runtime.Gosched()
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
}

// TestTheWeightOfATenant: 3 kB each, apart from metadata and keys. The
// endpoints are there, as after a login.
func TestTheWeightOfATenant(t *testing.T) {
	const n, most = 2_000, 3 << 10
	before := measure.Heap()
	registry := inMemory(t, func(key string) authcode.Config {
		cfg := authcode.Config{
			Provider: oidc.Provider(issuerOf(key)), ClientID: "client of " + key,
			ClientAuth: authcode.Secret("a secret of " + key),
		}
		cfg.Provider.Metadata, cfg.Provider.Endpoints = nil, fixed(key).Provider.Endpoints
		return cfg
	})
	login := registry.LoginHandler(pathKey)
	for i := range n {
		start(t, login, fmt.Sprint("t", i))
	}
	each := (measure.Heap() - before) / n
	t.Logf("%d bytes each", each)
	if each > most {
		t.Errorf("a tenant weighs %d bytes, want %d at most", each, most)
	}
	runtime.KeepAlive(registry)
}
