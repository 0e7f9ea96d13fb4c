package oidc_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
)

// TestObserve: loading a document is an operation inside the one that needs it.
// A document that is there already is none.
func TestObserve(t *testing.T) {
	srv := authserver.NewServer(authserver.Algorithm("RS256"))
	defer srv.Close()
	mux := http.NewServeMux()
	app := httptest.NewServer(mux)
	defer app.Close()
	var ops operations
	cfg := srv.Config(app.URL + "/callback")
	cfg.Provider, cfg.LoginURL, cfg.Observe = oidc.Provider(srv.URL), "/login", ops.observe
	client := must(authcode.New(cfg))
	client.Mount(mux, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	signIn(t, app)
	ops.want(t, "start/discovery", "start", "callback/token_request", "callback/jwks", "callback")
	signIn(t, app)
	ops.want(t, "start", "callback/token_request", "callback")
}

// TestObserveFailures: a document that cannot be loaded is a failure with its
// Check, also if the app's transport panics.
func TestObserveFailures(t *testing.T) {
	var ops operations
	p := newMemOP("RS256")
	start := func(panics bool) {
		cfg := memConfig(p, oidc.Provider(memIssuer))
		cfg.Observe = ops.observe
		cfg.Wrap = func(http.RoundTripper) http.RoundTripper {
			return sender(func(*http.Request) (*http.Response, error) {
				if panics {
					panic("a mistake")
				}
				return reply(500, "", "{}"), nil
			})
		}
		defer func() { recover() }()
		must(authcode.New(cfg)).AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil))
	}
	start(false)
	ops.want(t, "start/discovery bad_answer discovery.status", "start bad_answer discovery.status")
	start(true)
	ops.want(t, "start/discovery unreachable discovery.panic", "start configuration operation.panic")
}

// sender is a RoundTripper.
type sender func(*http.Request) (*http.Response, error)

func (f sender) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// operations are those that have ended.
type operations struct {
	mu    sync.Mutex
	lines []string
}

func (o *operations) observe(ctx context.Context, op authcode.Operation) (context.Context, func(*authcode.Error)) {
	path := string(op.Kind)
	if outer, ok := ctx.Value(o).(string); ok {
		path = outer + "/" + path
	}
	return context.WithValue(ctx, o, path), func(e *authcode.Error) {
		if e != nil {
			path += " " + string(e.Reason) + " " + e.Check
		}
		o.mu.Lock()
		defer o.mu.Unlock()
		o.lines = append(o.lines, path)
	}
}

func (o *operations) want(t *testing.T, lines ...string) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Equal(o.lines, lines) {
		t.Errorf("observed %q, want %q", o.lines, lines)
	}
	o.lines = nil
}
