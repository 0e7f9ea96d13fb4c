package tenants_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/tenants"
)

// TestNames: what a name resolves to decides, and a private address sees no connection.
func TestNames(t *testing.T) {
	n := newInternet(t)
	via := n.transport()
	for _, row := range []struct {
		claim, addresses string
		ok               bool
	}{
		{"a public address is reached", "127.0.0.2", true},
		{"a private address is refused", "127.0.0.3", false},
		{"of both kinds the public one is reached", "127.0.0.2 127.0.0.3", true},
		{"whatever the order", "127.0.0.3 127.0.0.2", true},
		{"whatever the family", "::1 127.0.0.2", true},
		{"the private one may be the only IPv6 address", "127.0.0.2 fd00:ec2::254", true},
		{"two private ones are refused", "127.0.0.3 ::1", false},
		{"an IPv4-mapped address is that IPv4 address", "::ffff:127.0.0.3", false},
		{"an IPv4-compatible address is refused", "::127.0.0.3", false},
		{"a NAT64 form is refused", "64:ff9b::127.0.0.3", false},
		{"a 6to4 form is refused", "2002:7f00:3::1", false},
		{"the unspecified address is refused", "0.0.0.0", false},
		{"that of IPv6 too", "::", false},
		{"a metadata service is refused", "169.254.169.254", false},
		{"Azure's own is refused", "168.63.129.16", false},
	} {
		t.Run(row.claim, func(t *testing.T) {
			before := n.private.reached.Load()
			n.dns.set("some.test", row.addresses)
			body, err := get(via, n.url("some.test"))
			switch {
			case row.ok && (err != nil || body != "hello"):
				t.Error(err)
			case !row.ok:
				wantError(t, err, authcode.Configuration, "guard.address")
			}
			if n.private.reached.Load() != before {
				t.Error("the private address was connected to")
			}
		})
	}
}

// TestSpellingsOfHosts: whatever is written as the host, no private address is reached. The name server gives
// that of the private site to every name that it does not know, as a resolver does that reads
// addresses in all their old forms.
func TestSpellingsOfHosts(t *testing.T) {
	n := newInternet(t)
	via := n.transport()
	for _, host := range []string{
		"127.0.0.3", "127.3", "127.0.3", "0x7f.3", "0x7f000003", "0177.0.0.3", "2130706435", "017700000003",
		"127.0.0.3.", "127.0.0.03", "0.0.0.0", "0", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.3]",
		"[::ffff:7f00:3]", "[::127.0.0.3]", "[64:ff9b::7f00:3]", "[fe80::1%25lo]", "[::1%25lo]",
		"localhost", "LOCALHOST", "localhost.", "inner.test", "inner.test.", "INNER.test", "%69nner.test",
		"127%2e0%2e0%2e3", "１２７.0.0.3", "127。0。0。3", "ⅰnner.test", "inner.test%00.op.test",
		"op.test%2f@inner.test", "xn--inner-.test",
	} {
		t.Run(host, func(t *testing.T) {
			if body, err := get(via, n.url(host)); err == nil {
				t.Errorf("it answered %q", body)
			}
			if n.private.reached.Load() != 0 {
				t.Error("the private address was connected to")
			}
		})
	}
	// No URL leads here, but other callers of the transport's function might.
	for network, address := range map[string]string{"tcp": n.url("")[len("https://"):], "unix": "/run/x" + n.url("")[len("https://"):]} {
		_, err := via.DialContext(t.Context(), network, address)
		wantError(t, err, authcode.Configuration, "guard.address")
	}
	for _, host := range []string{"127.0.0.2", "op.test", "op.test.", "OP.test"} {
		if _, err := get(via, n.url(host)); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// TestRebinding: a name that changes its address gains nothing, since the address that was checked
// is the one that is connected to.
func TestRebinding(t *testing.T) {
	n := newInternet(t)
	via := n.transport()
	n.dns.set("rebinds.test", "127.0.0.2", "127.0.0.3", "127.0.0.2")
	if _, err := get(via, n.url("rebinds.test")); err != nil {
		t.Fatal(err)
	}
	if n.dns.lookups("rebinds.test") != 1 {
		t.Errorf("%d lookups for one connection", n.dns.lookups("rebinds.test"))
	}
	_, err := get(via, n.url("rebinds.test"))
	wantError(t, err, authcode.Configuration, "guard.address")
	if _, err := get(via, n.url("rebinds.test")); err != nil {
		t.Fatal(err)
	}
	if n.private.reached.Load() != 0 || n.public.reached.Load() != 2 {
		t.Errorf("connections: private %d, public %d", n.private.reached.Load(), n.public.reached.Load())
	}
}

// TestRedirects: a client that follows redirects gets no further.
func TestRedirects(t *testing.T) {
	n := newInternet(t)
	n.public.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusTemporaryRedirect)
	})
	via := n.transport()
	redirect := func(to string) string { return n.url("op.test") + "/?to=" + url.QueryEscape(to) }
	for claim, row := range map[string]struct{ to, check string }{
		"to a private name is refused":        {n.url("inner.test"), "guard.address"},
		"to a private address is refused":     {n.url("127.0.0.3"), "guard.address"},
		"over a chain is refused":             {redirect(redirect(n.url("[::1]"))), "guard.address"},
		"to http is refused":                  {"http://op.test/", "guard.port"},
		"to another port is refused":          {"https://op.test:22/", "guard.port"},
		"to a metadata service is refused":    {"http://169.254.169.254/latest/meta-data/", "guard.port"},
		"to one at a good port is refused":    {n.url("169.254.169.254"), "guard.address"},
		"to a name of a private name refused": {n.url("other.inner.test"), "guard.address"},
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := get(via, redirect(row.to))
			wantError(t, err, authcode.Configuration, row.check)
		})
	}
	if n.private.reached.Load() != 0 {
		t.Error("the private site was reached")
	}
}

// TestPorts: only 443 is permitted, unless the Guard says otherwise, and a refused port costs no
// lookup.
func TestPorts(t *testing.T) {
	n := newInternet(t)
	guard := n.guard()
	guard.Ports = nil
	via, err := tenants.PublicOnly(n.base(), guard)
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{n.url("op.test"), "http://op.test/", "https://op.test:0/", "https://op.test:65979/"} {
		_, err = get(via, url)
		wantError(t, err, authcode.Configuration, "guard.port")
	}
	if n.dns.lookups("op.test") != 0 {
		t.Error("the name was looked up")
	}
	// 443 passes the check. Nothing listens there, or something else does.
	_, err = get(via, "https://op.test/")
	if own := (*authcode.Error)(nil); err == nil || errors.As(err, &own) {
		t.Errorf("port 443: %v", err)
	}
}

// TestAPublicAddressThatIsDown: the provider's configuration is not at fault then, whatever other
// addresses its name has.
func TestAPublicAddressThatIsDown(t *testing.T) {
	n := newInternet(t)
	guard := n.guard()
	guard.Allow = append(guard.Allow, guard.Allow[0])
	guard.Allow[1], _ = guard.Allow[0].Addr().Next().Next().Prefix(32) // 127.0.0.4, where nothing listens
	via, err := tenants.PublicOnly(n.base(), guard)
	if err != nil {
		t.Fatal(err)
	}
	for _, addresses := range []string{"127.0.0.3 127.0.0.4", "127.0.0.4 127.0.0.3"} {
		n.dns.set("down.test", addresses)
		_, err := get(via, n.url("down.test"))
		var own *authcode.Error
		var network *net.OpError
		if errors.As(err, &own) || !errors.As(err, &network) {
			t.Errorf("%s: %v", addresses, err)
		}
	}
}

// TestALoginAtAPrivateProvider: a Client passes the refusal on, as a fault of the configuration
// that names the field.
func TestALoginAtAPrivateProvider(t *testing.T) {
	n := newInternet(t)
	var failed *authcode.Error
	client, err := authcode.New(authcode.Config{
		Provider: oidc.Provider(n.url("inner.test")), ClientID: "app", ClientAuth: authcode.Secret("s3cret"),
		RedirectURL: "https://app.example/callback", CookieKeys: [][]byte{[]byte(strings.Repeat("k1", 16))},
		Transport: n.transport(),
		OnError:   func(_ http.ResponseWriter, _ *http.Request, e *authcode.Error) { failed = e },
	})
	if err != nil {
		t.Fatal(err)
	}
	client.LoginHandler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil))
	if failed == nil {
		t.Fatal("the login began")
	}
	wantError(t, failed, authcode.Configuration, "guard.address")
	if !strings.Contains(failed.Error(), "Guard.Allow") {
		t.Errorf("the field is not named: %v", failed)
	}
	if n.private.reached.Load() != 0 {
		t.Error("the private address was connected to")
	}
}

// TestTheDialerOfTheGuard: its own Control runs after the check, and PublicOnly keeps copies.
func TestTheDialerOfTheGuard(t *testing.T) {
	n := newInternet(t)
	var seen []string
	guard := n.guard()
	guard.Dialer.ControlContext = func(_ context.Context, _, address string, _ rawConn) error {
		seen = append(seen, address)
		return nil
	}
	via, err := tenants.PublicOnly(n.base(), guard)
	if err != nil {
		t.Fatal(err)
	}
	guard.Allow[0], guard.Ports[0] = netip.MustParsePrefix("10.0.0.0/8"), 1
	get(via, n.url("inner.test"))
	if _, err := get(via, n.url("op.test")); err != nil || len(seen) != 1 || !strings.HasPrefix(seen[0], "127.0.0.2:") {
		t.Errorf("%v, %v", seen, err)
	}
	guard = n.guard()
	guard.Dialer.Control = func(string, string, rawConn) error { return errors.New("no") }
	via, err = tenants.PublicOnly(n.base(), guard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := get(via, n.url("op.test")); err == nil {
		t.Error("the app's Control did not run")
	}
}
