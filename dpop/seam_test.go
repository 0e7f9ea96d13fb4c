package dpop_test

import (
	"context"
	"crypto/ecdsa"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
)

// wrappings are the ways to put something around a Binding.
func wrappings(calls *atomic.Int32) map[string]func(authcode.Binding) authcode.Binding {
	return map[string]func(authcode.Binding) authcode.Binding{
		"as it is": func(b authcode.Binding) authcode.Binding { calls.Add(1); return b },
		"copied field by field": func(b authcode.Binding) authcode.Binding {
			calls.Add(1)
			return authcode.Binding{TokenType: b.TokenType, Certificate: b.Certificate, Algorithms: b.Algorithms,
				Begin: b.Begin, Transport: b.Transport, Err: b.Err}
		},
		"embedded in a struct": func(b authcode.Binding) authcode.Binding {
			calls.Add(1)
			return struct {
				authcode.Binding
				name string
			}{b, "traced"}.Binding
		},
		"with a function around each of its functions": func(b authcode.Binding) authcode.Binding {
			begin, transport := b.Begin, b.Transport
			b.Begin = func(ctx context.Context) (string, url.Values, error) {
				calls.Add(1)
				return begin(ctx)
			}
			b.Transport = func(conn *authcode.Connection, base http.RoundTripper, key string) (http.RoundTripper, error) {
				rt, err := transport(conn, base, key)
				if err != nil {
					return nil, err
				}
				return roundTrip(func(r *http.Request) (*http.Response, error) {
					calls.Add(1)
					return rt.RoundTrip(r)
				}), nil
			}
			return b
		},
	}
}

// TestWrapped: whatever is around a Binding, logins, refreshes, requests to an API, nonces and faults are the same.
func TestWrapped(t *testing.T) {
	var calls atomic.Int32
	for claim, wrap := range wrappings(&calls) {
		t.Run(claim, func(t *testing.T) {
			calls.Store(0)
			w := newWorld(t)
			w.as.demand, w.rs.demand = "n-as", "n-rs"
			for _, b := range []authcode.Binding{dpop.New(newKey(t)), dpop.PerSession(randomBytes(32))} {
				w.as.proofs, w.rs.proofs = nil, nil
				c := w.client(t, wrap(b), pushing)
				token, err := c.Refresh(t.Context(), w.mustLogin(t, c))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := w.api(t, c, token).Post(w.URL+"/api/", "text/plain", strings.NewReader("body"))
				wantAnswer(t, resp, err, 200, "hello body")
				if len(w.as.proofs) != 4 || len(w.rs.proofs) != 2 {
					t.Errorf("%d and %d requests, want 4 and 2", len(w.as.proofs), len(w.rs.proofs))
				}
				_, err = w.api(t, w.client(t, wrap(dpop.New(newKey(t)))), token).Get(w.URL + "/api/")
				wantError(t, err, authcode.Configuration, "dpop.key")
			}
			if calls.Load() == 0 {
				t.Error("the wrapping was not used")
			}
			_, err := authcode.New(configFor(wrap(dpop.New(nil, nil))))
			wantFaults(t, err, []string{"key 0", "key 1"})
			cfg := configFor(wrap(dpop.New(newKey(t))))
			cfg.Algorithms = []string{"PS256"}
			if _, err := authcode.New(cfg); err == nil || !strings.Contains(err.Error(), "ES256") {
				t.Errorf("an algorithm that is not admitted: %v", err)
			}
		})
	}
}

// TestEmptyArguments: nothing in the place of a key is the app's mistake, and New says so. A Binding that no constructor
// made leaves tokens unbound.
func TestEmptyArguments(t *testing.T) {
	var key *ecdsa.PrivateKey
	for _, b := range []authcode.Binding{dpop.New(nil), dpop.New(key), dpop.PerSession(nil), dpop.PerSession([]byte{})} {
		if _, err := authcode.New(configFor(b)); err == nil || !strings.Contains(err.Error(), " 0: ") {
			t.Errorf("got %v", err)
		}
	}
	w := newWorld(t)
	w.tokenType = "Bearer"
	c := w.client(t, authcode.Binding{})
	if _, err := w.begin(t, c); err != nil || len(w.as.proofs) > 0 {
		t.Errorf("%v, %d proofs", err, len(w.as.proofs))
	}
}
