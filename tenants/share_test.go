package tenants_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
)

// slowHost is one host with two issuers: of the one at /slow, the token endpoint
// does not answer until the test ends, and counts who waits there.
type slowHost struct {
	*httptest.Server
	port    uint16
	waiting atomic.Int32
	full    chan struct{} // closed when as many wait as one tenant may have
}

const share = 16

func newSlowHost(t *testing.T) *slowHost {
	h := &slowHost{full: make(chan struct{})}
	release := make(chan struct{})
	mux := http.NewServeMux()
	h.Server = httptest.NewServer(mux)
	h.port = netip.MustParseAddrPort(h.Listener.Addr().String()).Port()
	for _, path := range []string{"/slow", "/fast"} {
		own := &hostile{issuer: h.URL + path}
		mux.HandleFunc(path+"/.well-known/openid-configuration", own.withMetadata(nil, nil))
	}
	mux.HandleFunc("/slow/token", func(w http.ResponseWriter, r *http.Request) {
		if h.waiting.Add(1) == share {
			close(h.full)
		}
		<-release
	})
	mux.HandleFunc("/fast/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error":"invalid_grant"}`))
	})
	t.Cleanup(func() {
		close(release)
		h.CloseClientConnections()
		h.Close()
	})
	return h
}

// TestATenantHasAShareOfAHost: logins that wait for the provider of one tenant
// leave connections to the same host for another.
func TestATenantHasAShareOfAHost(t *testing.T) {
	c, h := newCrowd(t), newSlowHost(t)
	c.ports = append(c.ports, h.port)
	for _, name := range []string{"slow", "fast"} {
		c.configs[name] = authcode.Config{
			Provider: oidc.Provider(h.URL + "/" + name), ClientID: "app", ClientAuth: authcode.Secret("s3cret"),
		}
	}
	c.start(&http.Transport{MaxConnsPerHost: share + 4})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 2*share + 4 {
		all.Go(func() { c.tryBad(ctx, "slow") })
	}
	<-h.full
	for range share + 1 {
		if status, text := c.finish("fast"); status != 400 || !strings.Contains(text, "grant_rejected") {
			t.Errorf("the other tenant's login ended with %d %s", status, text)
		}
	}
	if n := h.waiting.Load(); n != share {
		t.Errorf("%d requests of one tenant are under way, want %d", n, share)
	}
	cancel()
	all.Wait()
}

// finish goes through a login, with a code that somebody made up.
func (c *crowd) finish(name string) (status int, text string) {
	browser := newBrowser()
	resp := visit(c.t.Context(), browser, c.app.URL+"/login/"+name)
	if resp == nil || resp.StatusCode >= 400 {
		return 0, "the login does not begin"
	}
	to, err := resp.Location()
	if err != nil {
		return 0, err.Error()
	}
	answer := url.Values{"code": {"c"}, "state": {to.Query().Get("state")}}
	resp, err = browser.Get(c.app.URL + "/callback/" + name + "?" + answer.Encode())
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(body)
}

// TestIdentitiesOfATenant: requests for userinfo count, too.
func TestIdentitiesOfATenant(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var running atomic.Int32
		release := make(chan struct{})
		registry := inMemory(t, func(key string) authcode.Config {
			cfg := quick(key)
			cfg.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
				running.Add(1)
				<-release
				return &authcode.Identity{Issuer: "i", Subject: "s"}, nil
			}
			return cfg
		})
		login := registry.LoginHandler(pathKey)
		var all sync.WaitGroup
		for range share + 4 {
			all.Go(func() {
				if _, err := registry.Exchange(httptest.NewRecorder(), start(t, login, "t1")); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		if n := running.Load(); n != share {
			t.Errorf("%d are asked for at a time, want %d", n, share)
		}
		close(release)
		all.Wait()
	})
}

// TestPlacesOfFailedRequests: a request that got no answer is not under way, nor is
// one whose RoundTripper has panicked.
func TestPlacesOfFailedRequests(t *testing.T) {
	panics := false
	registry := inMemory(t, func(key string) authcode.Config {
		cfg := fixed(key)
		cfg.Wrap = world.Through(world.RoundTrip(func(*http.Request) (*http.Response, error) {
			if panics = !panics; panics {
				panic("the app's RoundTripper")
			}
			return nil, io.ErrUnexpectedEOF
		}))
		return cfg
	})
	login := registry.LoginHandler(pathKey)
	exchange := func() (err error) {
		defer func() { recover() }()
		_, err = registry.Exchange(httptest.NewRecorder(), start(t, login, "t1"))
		return err
	}
	for range share + 1 {
		if err := exchange(); err != nil {
			t.Fatal(err)
		}
		world.WantError(t, exchange(), authcode.Unreachable, "provider.unreachable")
	}
}
