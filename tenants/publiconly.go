package tenants

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/transport"
)

// Guard says where the app may send requests when somebody else has chosen the
// URL: a customer who types in an issuer, and the provider behind it, whose
// metadata names further URLs. The zero Guard permits public addresses and port
// 443.
type Guard struct {
	// Allow lists networks of the app's own company, whose providers may have
	// addresses that are not public. A service that gives credentials to every
	// process of a cloud machine, such as 169.254.169.254, needs an entry of its
	// own, with the full length. If nil, there are none.
	Allow []netip.Prefix

	// Deny lists public addresses that are refused all the same: internal
	// networks with global addresses, and an operator's own NAT64 prefix (RFC
	// 6052 section 2.2). It covers the NAT64 form of an IPv4 address, and wins
	// over Allow. If nil, there are none.
	Deny []netip.Prefix

	// Ports are those that the app may connect to. If nil, 443.
	Ports []uint16

	// Dialer resolves names and connects, in ten seconds if its Timeout is zero.
	// Its Control or ControlContext runs after the check of the address. If nil,
	// one with Go's own resolver: that of the C library keeps a thread for each
	// lookup, and name servers that do not answer could use up all of them.
	Dialer *net.Dialer
}

const (
	// maxConnsPerHost bounds the connections that a provider which does not
	// answer can keep open.
	maxConnsPerHost = 64

	// dialTimeout is the time for a lookup with its connection, and for TLS.
	dialTimeout = 10 * time.Second
)

// PublicOnly returns a copy of t that connects only to what g permits. It checks
// each address that it is about to connect to, so neither a name that changes
// its address between check and use (DNS rebinding) nor a redirect leads
// anywhere else. A name with addresses of both kinds is reached at its public
// ones. What is refused fails with an [*authcode.Error] with Reason
// [authcode.Configuration] and Check "guard.address" or "guard.port", before
// anything is sent to that address.
//
// If t is nil, it starts from the transport of a [authcode.Client], without a
// bound on the idle connections of all hosts together: one provider's must not
// close another's. Where t has zero, the copy has 64 for MaxConnsPerHost, 64 KiB
// for MaxResponseHeaderBytes, ten seconds for TLSHandshakeTimeout and thirty for
// IdleConnTimeout, and bounds for what HTTP/2 buffers. Everything else is as in
// t. Use the result for many Clients.
//
// An error, also an [*authcode.Error], lists what is wrong with t and g. A
// transport with a dial function of its own is refused: nobody can look into a
// function to see where it connects. So is a transport whose Proxy, from the
// environment if t is nil, names a proxy: it would resolve the names itself.
func PublicOnly(t *http.Transport, g Guard) (*http.Transport, error) {
	if t == nil {
		t = transport.New()
		t.DialContext, t.MaxIdleConns = nil, 0
	}
	if faults := append(transportFaults(t), g.faults()...); len(faults) > 0 {
		return nil, &authcode.Error{
			Reason: authcode.Configuration, Check: "config", Faults: faults,
		}
	}
	out := transport.Clone(t)
	if t.Proxy != nil {
		out.Proxy = func(r *http.Request) (*url.URL, error) { return nil, checkProxy(t.Proxy, r) }
	}
	out.DialContext = newDialer(g).dial
	out.ForceAttemptHTTP2 = true // a DialContext would switch it off
	bound(out)
	return out, nil
}

// bound fills in the bounds that t lacks.
func bound(t *http.Transport) {
	t.MaxConnsPerHost = cmp.Or(t.MaxConnsPerHost, maxConnsPerHost)
	// net/http goes on to connect after the request has ended. Without these,
	// a provider that hangs in TLS would keep its connections for ever.
	t.TLSHandshakeTimeout = cmp.Or(t.TLSHandshakeTimeout, dialTimeout)
	t.IdleConnTimeout = cmp.Or(t.IdleConnTimeout, 3*dialTimeout)
	t.MaxResponseHeaderBytes = cmp.Or(t.MaxResponseHeaderBytes, 64<<10)
	// With HTTP/2, a provider may send as much before anybody reads it. Without
	// these, it would be 4 MiB for each request.
	if t.HTTP2 == nil {
		t.HTTP2 = new(http.HTTP2Config)
	}
	t.HTTP2.MaxReceiveBufferPerStream = cmp.Or(t.HTTP2.MaxReceiveBufferPerStream, 256<<10)
	t.HTTP2.MaxReceiveBufferPerConnection = cmp.Or(t.HTTP2.MaxReceiveBufferPerConnection, 2<<20)
}

// transportFaults lists what keeps t from being guarded.
func transportFaults(t *http.Transport) (f []string) {
	//lint:ignore SA1019 net/http still calls a deprecated function
	if t.Dial != nil || t.DialContext != nil || t.DialTLS != nil || t.DialTLSContext != nil {
		f = append(f, "PublicOnly: the Transport has a dial function, which may connect anywhere: "+
			"set Dial, DialContext, DialTLS and DialTLSContext to nil, and use Guard.Dialer")
	}
	if t.Proxy == nil {
		return f
	}
	// New does no I/O. A function that would do some sees that it has no time.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://provider.example/", nil)
	if err == nil && checkProxy(t.Proxy, r) != nil {
		f = append(f, "PublicOnly: "+proxyFault)
	}
	return f
}

const proxyFault = "the Transport's Proxy, or HTTPS_PROXY in the environment, names a proxy, " +
	"which resolves names itself, so their addresses cannot be checked here: use a Transport " +
	"without Proxy, or let the proxy refuse what is not public and do without the Guard"

// checkProxy returns an error if proxy names a proxy for r.
func checkProxy(proxy func(*http.Request) (*url.URL, error), r *http.Request) error {
	if to, err := proxy(r); err != nil || to != nil {
		return authcode.NewError(authcode.Configuration, "guard.proxy", proxyFault, nil)
	}
	return nil
}

// faults lists what is wrong with g.
func (g *Guard) faults() (f []string) {
	for name, list := range map[string][]netip.Prefix{"Allow": g.Allow, "Deny": g.Deny} {
		for i, p := range list {
			// An IPv4 address is always compared in its short form, so such a
			// prefix would never match.
			if !p.IsValid() || p.Addr().Is4In6() {
				f = append(f, fmt.Sprintf("Guard.%s[%d] is not a prefix: use netip.MustParsePrefix "+
					"with text such as 10.1.0.0/16 or fd12::/48", name, i))
			}
		}
	}
	slices.Sort(f) // a map has no order
	if g.Ports != nil && (len(g.Ports) == 0 || slices.Contains(g.Ports, 0)) {
		f = append(f, "Guard.Ports is empty or has the port 0: list ports, or leave it nil for 443")
	}
	return f
}

// dialer connects for a guarded transport. It never changes.
type dialer struct {
	guard Guard
	net   net.Dialer // without the guard's check
}

func newDialer(g Guard) *dialer {
	// The app still holds these slices. It must not change what was checked.
	g.Allow, g.Deny = slices.Clone(g.Allow), slices.Clone(g.Deny)
	if g.Ports = slices.Clone(g.Ports); g.Ports == nil {
		g.Ports = []uint16{443}
	}
	d := &dialer{guard: g}
	if g.Dialer != nil {
		d.net = *g.Dialer
	} else {
		d.net.Resolver = &net.Resolver{PreferGo: true}
	}
	d.net.Timeout = cmp.Or(d.net.Timeout, dialTimeout)
	return d
}

// dial is [http.Transport.DialContext].
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	// Check the port first. The name needs no lookup then, so nobody can use
	// the app to ask its name server.
	_, port, _ := net.SplitHostPort(address)
	number, _ := strconv.ParseUint(port, 10, 16) // 0 if it is malformed, and no Guard has 0
	if !slices.Contains(d.guard.Ports, uint16(number)) {
		return nil, authcode.NewError(authcode.Configuration, "guard.port", "the provider has a "+
			"URL with a port that is not permitted: use port 443, or add the port to Guard.Ports", nil)
	}
	var connecting atomic.Bool
	with := d.net
	with.ControlContext = func(
		ctx context.Context, network, address string, c syscall.RawConn,
	) error {
		if err := d.checkAddress(address); err != nil {
			return err
		}
		connecting.Store(true)
		return d.control(ctx, network, address, c)
	}
	conn, err := with.DialContext(ctx, network, address)
	// Of several addresses, net reports the first that failed. If the provider
	// has a public address that is down, its configuration is not at fault.
	if own := (*authcode.Error)(nil); errors.As(err, &own) && connecting.Load() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: errNoAnswer}
	}
	return conn, err
}

var errNoAnswer = errors.New("no public address of the host answers")

// checkAddress returns an error unless the guard permits address, which is an IP
// address and a port.
func (d *dialer) checkAddress(address string) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !d.guard.permits(to.Addr()) {
		// The address is left out. This text may reach the customer, who must
		// not learn the addresses of names in the app's network.
		return authcode.NewError(authcode.Configuration, "guard.address", "the provider has a host "+
			"without a public address: use its public name; if it is in a network of the app's "+
			"own company, add that to Guard.Allow", nil)
	}
	return nil
}

// control runs the functions of Guard.Dialer.
func (d *dialer) control(
	ctx context.Context, network, address string, c syscall.RawConn,
) error {
	switch {
	case d.net.ControlContext != nil:
		return d.net.ControlContext(ctx, network, address, c)
	case d.net.Control != nil:
		return d.net.Control(network, address, c)
	}
	return nil
}
