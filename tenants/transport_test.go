package tenants_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/tenants"
)

type rawConn = syscall.RawConn

// TestFaultsOfATransport: what PublicOnly cannot guard is refused, with the field that helps.
func TestFaultsOfATransport(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }
	proxy, err := url.Parse("http://proxy.example:3128")
	if err != nil {
		t.Fatal(err)
	}
	prefix := func(text string) []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix(text)} }
	for _, row := range []struct {
		claim     string
		transport *http.Transport
		guard     tenants.Guard
		want      string
	}{
		{"a DialContext", &http.Transport{DialContext: dial}, tenants.Guard{}, "Guard.Dialer"},
		{"a DialTLSContext", &http.Transport{DialTLSContext: dial}, tenants.Guard{}, "Guard.Dialer"},
		//lint:ignore SA1019 it is deprecated, and net/http still calls it
		{"a Dial", &http.Transport{Dial: net.Dial}, tenants.Guard{}, "Guard.Dialer"},
		//lint:ignore SA1019 it is deprecated, and net/http still calls it
		{"a DialTLS", &http.Transport{DialTLS: net.Dial}, tenants.Guard{}, "Guard.Dialer"},
		{"a proxy", &http.Transport{Proxy: http.ProxyURL(proxy)}, tenants.Guard{}, "Proxy"},
		{"a proxy that fails", &http.Transport{Proxy: failingProxy}, tenants.Guard{}, "Proxy"},
		{"a zero prefix", nil, tenants.Guard{Allow: make([]netip.Prefix, 1)}, "Guard.Allow[0]"},
		{"a mapped prefix", nil, tenants.Guard{Deny: prefix("::ffff:10.0.0.0/104")}, "Guard.Deny[0]"},
		{"no ports", nil, tenants.Guard{Ports: []uint16{}}, "Guard.Ports"},
		{"the port 0", nil, tenants.Guard{Ports: []uint16{443, 0}}, "Guard.Ports"},
	} {
		t.Run(row.claim, func(t *testing.T) {
			_, err := tenants.PublicOnly(row.transport, row.guard)
			wantError(t, err, authcode.Configuration, "config")
			if !strings.Contains(err.Error(), row.want) {
				t.Errorf("%v does not name %s", err, row.want)
			}
		})
	}
}

// dialing is a transport that cannot be guarded.
func dialing() *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, net.ErrClosed
	}}
}

// TestTransportOfATenant: one that cannot be guarded is not used without a guard.
func TestTransportOfATenant(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.tenant("own", srv, func(cfg *authcode.Config) { cfg.Transport = dialing() })
	status, _ := a.browser().get(a.loginURL("own"))
	a.wantRefusal(status, authcode.Configuration, "config")
	if e := a.lastError(); len(e.Faults) != 1 || !strings.Contains(e.Faults[0], "Guard.Dialer") {
		t.Errorf("the faults are %q", e.Faults)
	}
}

func failingProxy(*http.Request) (*url.URL, error) { return nil, errors.New("no") }

// TestAProxyForSomeHosts: one that is named for a request later on refuses that request.
func TestAProxyForSomeHosts(t *testing.T) {
	n := newInternet(t)
	base := n.base()
	base.Proxy = func(r *http.Request) (*url.URL, error) {
		if r.URL.Hostname() == "proxied.test" {
			return url.Parse(n.url("op.test"))
		}
		return nil, nil
	}
	via, err := tenants.PublicOnly(base, n.guard())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(via, n.url("op.test")); err != nil {
		t.Error(err)
	}
	reached := n.public.reached.Load()
	_, err = get(via, n.url("proxied.test"))
	wantError(t, err, authcode.Configuration, "guard.proxy")
	if n.public.reached.Load() != reached {
		t.Error("the proxy was connected to")
	}
}

// TestTheProxyOfTheEnvironment: a transport of our own does not ignore it in silence. net/http reads
// the environment once, so this runs in a process of its own.
func TestTheProxyOfTheEnvironment(t *testing.T) {
	if want, inside := os.LookupEnv("WANT_PROXY_FAULT"); inside {
		_, err := tenants.PublicOnly(nil, tenants.Guard{})
		if (err != nil) != (want == "yes") {
			t.Errorf("got %v", err)
		}
		return
	}
	for _, row := range []struct{ setting, want string }{
		{"HTTPS_PROXY=http://proxy.example:3128", "yes"},
		{"https_proxy=http://proxy.example:3128", "yes"},
		{"HTTPS_PROXY=://", "yes"},
		{"HTTPS_PROXY=", "no"},
	} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTheProxyOfTheEnvironment$")
		cmd.Env = []string{row.setting, "WANT_PROXY_FAULT=" + row.want}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", row.setting, err, out)
		}
	}
}

// TestTheCopy: it shares no connection with the original, speaks HTTP/2, and has a bound on the
// connections of a host.
func TestTheCopy(t *testing.T) {
	n := newInternet(t)
	base := n.base()
	via, err := tenants.PublicOnly(base, n.guard())
	if err != nil {
		t.Fatal(err)
	}
	defer via.CloseIdleConnections()
	resp, err := (&http.Client{Transport: via}).Get(n.url("op.test"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("it speaks %s", resp.Proto)
	}
	if base.DialContext != nil || via == base {
		t.Error("the original was changed")
	}
	if via.MaxConnsPerHost != 64 || via.MaxResponseHeaderBytes != 64<<10 || via.TLSHandshakeTimeout != 10*time.Second ||
		via.IdleConnTimeout != 30*time.Second {
		t.Errorf("the bounds are %+v", via)
	}
	own, err := tenants.PublicOnly(&http.Transport{MaxConnsPerHost: 7, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}, n.guard())
	if err != nil || own.MaxConnsPerHost != 7 {
		t.Errorf("%+v, %v", own, err)
	}
}

// TestHTTP2FloodsThatNobodyReads: a provider can send little more than an answer may have, and not
// much by sending many at once.
func TestHTTP2FloodsThatNobodyReads(t *testing.T) {
	t.Parallel()
	const floods = 20
	n := newInternet(t)
	sent := make(chan int, floods)
	n.public.handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		total := 0
		http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Second))
		for piece := make([]byte, 16<<10); ; total += len(piece) {
			if _, err := w.Write(piece); err != nil {
				break
			}
		}
		sent <- total
	})
	via, err := tenants.PublicOnly(n.base(), n.guard())
	if err != nil {
		t.Fatal(err)
	}
	defer via.CloseIdleConnections()
	for range floods {
		resp, err := (&http.Client{Transport: via}).Get(n.url("op.test"))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
	}
	all := 0
	for range floods {
		one := <-sent
		if all += one; one > 512<<10 {
			t.Errorf("the provider sent %d bytes in one answer", one)
		}
	}
	if got := n.public.reached.Load(); all > 3<<20 || got != 1 {
		t.Errorf("the provider sent %d bytes by %d connections", all, got)
	}
}
