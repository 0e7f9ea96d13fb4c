package fapi_test

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// tracedProvider and the others wrap a seam by embedding it, as a tracing library might.
type (
	tracedProvider  struct{ authcode.Provider }
	tracedAuth      struct{ authcode.ClientAuth }
	tracedBinding   struct{ authcode.Binding }
	tracedSigning   struct{ authcode.MessageSigning }
	tracedTransport struct{ http.RoundTripper }
)

// RoundTrip hands a copy on, as tracing does. (A deep copy would keep package dpop from giving a request that net/http
// repeats by itself a proof of its own; its documentation says so.)
func (t tracedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	passed["Transport"].Add(1)
	return t.RoundTripper.RoundTrip(r.WithContext(r.Context()))
}

// passed counts what went through each wrapper.
var passed = map[string]*atomic.Int64{
	"Metadata": {}, "Identity": {}, "Verify": {}, "Authenticate": {}, "Begin": {}, "Binding.Transport": {}, "SignRequest": {},
	"Certificate": {}, "Transport": {},
}

// wrap has each seam of cfg copied, embedded in a struct, and each of its functions inside another one.
func wrap(cfg authcode.Config) authcode.Config {
	cfg.Provider = wrapProvider(tracedProvider{cfg.Provider}.Provider)
	cfg.ClientAuth = tracedAuth{cfg.ClientAuth}.ClientAuth
	authenticate := cfg.ClientAuth.Authenticate
	cfg.ClientAuth.Authenticate = func(ctx context.Context, req *authcode.TokenRequest) error {
		passed["Authenticate"].Add(1)
		return authenticate(ctx, req)
	}
	cfg.Binding = wrapBinding(tracedBinding{cfg.Binding}.Binding)
	cfg.MessageSigning = tracedSigning{cfg.MessageSigning}.MessageSigning
	if sign := cfg.MessageSigning.SignRequest; sign != nil {
		cfg.MessageSigning.SignRequest = func(ctx context.Context, conn *authcode.Connection, params url.Values) (string, error) {
			passed["SignRequest"].Add(1)
			return sign(ctx, conn, params)
		}
	}
	if certificate := cfg.Certificate; certificate != nil {
		cfg.Certificate = func(ctx context.Context) (*tls.Certificate, error) {
			passed["Certificate"].Add(1)
			return certificate(ctx)
		}
	}
	around := cfg.Wrap
	cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper {
		if around != nil {
			rt = around(rt)
		}
		return tracedTransport{tracedTransport{rt}}
	}
	return cfg
}

func wrapProvider(p authcode.Provider) authcode.Provider {
	if load := p.Metadata; load != nil {
		p.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
			passed["Metadata"].Add(1)
			return load(ctx, conn)
		}
	}
	if identify := p.Identity; identify != nil {
		p.Identity = func(ctx context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
			passed["Identity"].Add(1)
			return identify(ctx, resp)
		}
	}
	if verify := p.Verify; verify != nil {
		p.Verify = func(ctx context.Context, conn *authcode.Connection, typ, jwt string) (map[string]any, error) {
			passed["Verify"].Add(1)
			return verify(ctx, conn, typ, jwt)
		}
	}
	return p
}

func wrapBinding(b authcode.Binding) authcode.Binding {
	if begin := b.Begin; begin != nil {
		b.Begin = func(ctx context.Context) (string, url.Values, error) {
			passed["Begin"].Add(1)
			return begin(ctx)
		}
	}
	if transport := b.Transport; transport != nil {
		b.Transport = func(base http.RoundTripper, key string) (http.RoundTripper, error) {
			passed["Binding.Transport"].Add(1)
			rt, err := transport(tracedTransport{base}, key)
			if err != nil {
				return nil, err
			}
			return tracedTransport{rt}, nil
		}
	}
	return b
}

// TestWrappersArePassed: what claims to be wrapped is, in both profiles and with a certificate.
func TestWrappersArePassed(t *testing.T) {
	for _, in := range []setup{{}, signing, {method: authserver.TLSClientAuth, certificate: true, userInfo: true}} {
		in.wrapped = true
		x := newWorld(t, in)
		x.prepare(authserver.Refresh)
		if got := x.do(authserver.Refresh); got.err != nil {
			t.Fatal(got.err)
		}
	}
	for name, n := range passed {
		if n.Load() == 0 {
			t.Errorf("nothing went through the wrapper of %s", name)
		}
	}
}
