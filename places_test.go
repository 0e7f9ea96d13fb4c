package authcode

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
	"example.com/authcode/internal/realm"
	"golang.org/x/oauth2"
)

// crowded are requests of a tenant that has sixteen under way.
var crowded = []struct {
	claim  string
	caller time.Duration // until the caller leaves
	reason Reason
	check  string
	after  time.Duration
}{
	{"a request waits for five seconds", time.Minute, Overloaded, "tenants.busy", 5 * time.Second},
	{"its caller may leave before", time.Second, Timeout, "provider.timeout", time.Second},
}

// TestCrowdedTenant: what gets no place is neither sent, nor is Identity asked.
func TestCrowdedTenant(t *testing.T) {
	member := &realm.Member{Realm: &realm.Realm{Name: "tenants"}, Login: realm.Login{Tenant: "a"}}
	c := stateClient(t, func(cfg *Config) {
		cfg.Realm = member
		cfg.Wrap = func(http.RoundTripper) http.RoundTripper { return refusing{t} }
		cfg.Provider.Identity = func(context.Context, *TokenResponse) (*Identity, error) {
			t.Error("Identity was asked")
			return nil, nil
		}
	})
	old := &oauth2.Token{RefreshToken: "rt-0"}
	waiting := unchecked(old, &oauth2.Token{AccessToken: "at-1", RefreshToken: "rt-1"})
	for _, row := range crowded {
		for what, token := range map[string]*oauth2.Token{"a refresh": old, "a check": waiting} {
			t.Run(row.claim+", "+what, func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					defer fill(t, member)()
					ctx, cancel := context.WithTimeout(t.Context(), row.caller)
					defer cancel()
					began := time.Now()
					_, _, err := c.Renew(ctx, token, nil)
					e := asError(err)
					isBusy := row.reason == Overloaded
					if e.Reason != row.reason || e.Check != row.check || (e.RetryAfter > 0) != isBusy {
						t.Errorf("got %v, %s after %v", err, e.Check, e.RetryAfter)
					}
					if took := time.Since(began); took != row.after {
						t.Errorf("it took %v, want %v", took, row.after)
					}
				})
			})
		}
	}
}

// TestPlaceOfABody: a body that is closed twice gives its place back once.
func TestPlaceOfABody(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		member := &realm.Member{Realm: &realm.Realm{Name: "tenants"}, Login: realm.Login{Tenant: "a"}}
		defer fill(t, member)()
		c := stateClient(t, func(cfg *Config) { cfg.Realm = member })
		body := placedBody{ReadCloser: http.NoBody, client: c}
		body.Close()
		body.Close()
		if err := member.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := member.Enter(t.Context()); !errors.Is(err, realm.ErrBusy) {
			t.Errorf("a place beyond the bound was free: %v", err)
		}
	})
}

// fill takes all places of a tenant, and returns what gives them back.
func fill(t *testing.T, member *realm.Member) (leave func()) {
	for range 16 {
		if err := member.Enter(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for range 16 {
			member.Leave()
		}
	}
}

// refusing is a transport that nothing may be sent through.
type refusing struct{ t *testing.T }

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) {
	r.t.Error("a request was sent")
	return nil, errors.New("refused")
}
