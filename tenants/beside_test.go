package tenants_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// crowd is an app with many tenants in one registry.
type crowd struct {
	t       testing.TB
	app     *httptest.Server
	mux     *http.ServeMux
	ports   []uint16
	configs map[string]authcode.Config
	good    map[string]*authtest.Server
	bad     map[string]*hostile
}

func newCrowd(t testing.TB) *crowd {
	c := &crowd{
		t: t, mux: http.NewServeMux(), configs: make(map[string]authcode.Config),
		good: make(map[string]*authtest.Server), bad: make(map[string]*hostile),
	}
	c.app = httptest.NewServer(c.mux)
	t.Cleanup(func() {
		c.app.CloseClientConnections()
		c.app.Close()
	})
	return c
}

func (c *crowd) addGood(name string) {
	srv := authtest.NewServer(c.app.URL + "/callback/" + name)
	c.t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		c.t.Fatal(err)
	}
	c.ports = append(c.ports, netip.MustParseAddrPort(u.Host).Port())
	c.good[name], c.configs[name] = srv, srv.Config()
}

func (c *crowd) addBad(name string, h *hostile) {
	c.ports = append(c.ports, h.port)
	c.bad[name] = h
	c.configs[name] = authcode.Config{
		Provider: oidc.Provider(h.issuer), ClientID: "app", ClientAuth: authcode.Secret("s3cret"),
	}
}

// start makes the registry. Each tenant has a redirect URL of its own, so that a hostile one need
// not promise iss to get further.
func (c *crowd) start(base *http.Transport) {
	own := c.app.URL + "/callback/{tenant}"
	registry, err := tenants.New(tenants.Config{
		Load: func(_ context.Context, key string) (authcode.Config, string, error) {
			cfg, ok := c.configs[key]
			if !ok {
				return cfg, "", tenants.ErrNotFound
			}
			cfg.RedirectURL = own
			return cfg, "1", nil
		},
		CookieKeys: [][]byte{world.Key('t')}, OwnRedirectURL: own, LoginURL: "/", Transport: base,
		Guard: tenants.Guard{
			Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Ports: c.ports,
		},
		OnError: func(w http.ResponseWriter, _ *http.Request, e *authcode.Error) {
			http.Error(w, e.Error(), max(e.Reason.Status(), 400))
		},
	})
	if err != nil {
		c.t.Fatal(err)
	}
	c.mux.Handle("/login/{tenant}", registry.LoginHandler(func(r *http.Request) (string, error) {
		return r.PathValue("tenant"), nil
	}))
	c.mux.Handle("/callback/{tenant}", registry.CallbackHandler(http.HandlerFunc(welcome)))
}

func welcome(w http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	fmt.Fprintf(w, "welcome %s", login.Identity.Subject)
}

func newBrowser() *http.Client {
	jar, _ := cookiejar.New(nil) // it never fails
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// signIn is a login at a good tenant.
func (c *crowd) signIn(name string) error {
	resp, err := c.good[name].SignIn(newBrowser(), c.app.URL+"/login/"+name)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.HasPrefix(string(body), "welcome ") {
		return fmt.Errorf("%s: status %d, %s, %v", name, resp.StatusCode, body, err)
	}
	return nil
}

// tryBad goes as far with a login at a hostile tenant as it gets. It reports whether the app signed
// anybody in.
func (c *crowd) tryBad(ctx context.Context, name string) bool {
	browser := newBrowser()
	resp := visit(ctx, browser, c.app.URL+"/login/"+name)
	if resp == nil || resp.StatusCode >= 400 {
		return false
	}
	to, err := resp.Location()
	if err != nil {
		return false
	}
	answer := url.Values{"code": {"c"}, "state": {to.Query().Get("state")}}
	resp = visit(ctx, browser, c.app.URL+"/callback/"+name+"?"+answer.Encode())
	return resp != nil && resp.StatusCode < 400
}

// visit returns the answer without its body, or nil if there is none.
func visit(ctx context.Context, browser *http.Client, url string) *http.Response {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil
	}
	resp, err := browser.Do(r)
	if err != nil {
		return nil
	}
	resp.Body.Close()
	return resp
}

// fill adds ten good tenants and a hundred hostile ones of all kinds.
func (c *crowd) fill() {
	for i := range 10 {
		c.addGood(fmt.Sprintf("good%d", i))
	}
	kinds := slices.Sorted(maps.Keys(hostileKinds))
	for i := range 100 {
		name := fmt.Sprintf("bad%d", i)
		switch kind := i % (len(kinds) + 2); kind {
		case len(kinds):
			c.addBad(name, newSilent(c.t, true))
		case len(kinds) + 1:
			c.addBad(name, newSilent(c.t, false))
		default:
			h := newHostile(c.t, kinds[kind])
			h.victim = c.good[fmt.Sprintf("good%d", i%10)].URL
			c.addBad(name, h)
		}
	}
}

// attack starts logins at all hostile tenants at once, several at each, and returns when all that
// can be seen to be reached have been. The function that it returns ends them.
func (c *crowd) attack(each, times int, pause time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for name := range c.bad {
		for range each {
			all.Go(func() {
				for range times {
					if c.tryBad(ctx, name) {
						c.t.Errorf("somebody signed in at %s", name)
					}
					select {
					case <-ctx.Done():
						return
					case <-time.After(pause):
					}
				}
			})
		}
	}
	for _, h := range c.bad {
		if h.reached != nil {
			<-h.reached
		}
	}
	return func() {
		cancel()
		all.Wait()
	}
}

// TestAHundredHostileTenants is D34: ten good ones beside them do not notice.
func TestAHundredHostileTenants(t *testing.T) {
	c := newCrowd(t)
	c.fill()
	c.start(nil)
	stop := c.attack(2, 1, 0)
	defer stop()
	var all sync.WaitGroup
	for name := range c.good {
		all.Go(func() {
			for range 2 {
				if err := c.signIn(name); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestConnectionsOfOneTenant: however many logins wait for a provider that hangs, it gets no more
// connections than one host may have, and those of another tenant are its own.
func TestConnectionsOfOneTenant(t *testing.T) {
	const most = 5
	c := newCrowd(t)
	h := newHostile(t, "hangs at the token endpoint")
	c.addBad("bad", h)
	c.addGood("good")
	c.start(&http.Transport{MaxConnsPerHost: most})
	stop := c.attack(10*most, 1, 0)
	for range 10 {
		if err := c.signIn("good"); err != nil {
			t.Error(err)
		}
	}
	stop()
	h.conns.mu.Lock()
	defer h.conns.mu.Unlock()
	if h.conns.most > most || h.conns.most == 0 {
		t.Errorf("%d connections at a time, want 1 to %d", h.conns.most, most)
	}
}
