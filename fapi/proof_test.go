package fapi_test

import (
	"encoding/base64"
	"net/http"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"example.com/authcode/internal/authserver"
)

// proofRows are what the Transport of a Binding may make of the proof of package
// dpop, and the Check that refuses it.
var proofRows = []struct {
	claim  string
	change func(http.Header)
	check  string // empty: accepted
}{
	{"as it is", func(http.Header) {}, ""},
	{"none", func(h http.Header) { h.Del("DPoP") }, "binding.proof"},
	{"two", func(h http.Header) { h.Add("DPoP", h.Get("DPoP")) }, "binding.proof"},
	{"an empty one", func(h http.Header) { h.Set("DPoP", "") }, "binding.proof"},
	{"RS256", func(h http.Header) { h.Set("DPoP", proofBy("RS256")) }, "binding.alg"},
	{"ES384", func(h http.Header) { h.Set("DPoP", proofBy("ES384")) }, "binding.alg"},
	{"none as algorithm", func(h http.Header) { h.Set("DPoP", proofBy("none")) }, "binding.alg"},
}

func proofBy(alg string) string {
	header := `{"typ":"dpop+jwt","alg":"` + alg + `"}`
	return base64.RawURLEncoding.EncodeToString([]byte(header)) + ".e30.c2ln"
}

// proving changes the headers that leave package dpop. It declares no
// algorithms, so that New cannot compare them.
func proving(change func(http.Header)) func(*authcode.Config) {
	return func(cfg *authcode.Config) {
		prove := cfg.Binding.Transport
		cfg.Binding.Algorithms = nil
		cfg.Binding.Transport = func(base http.RoundTripper, key string) (http.RoundTripper, error) {
			return prove(changing{base, change}, key)
		}
	}
}

type changing struct {
	http.RoundTripper
	change func(http.Header)
}

func (c changing) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	c.change(r.Header)
	return c.RoundTripper.RoundTrip(r)
}

// TestProofs: no request of a login leaves without one proof that the profile
// admits, whatever the Binding does.
func TestProofs(t *testing.T) {
	for _, row := range proofRows {
		t.Run(row.claim, func(t *testing.T) {
			x := newWorld(t, setup{cfg: proving(row.change)})
			got := x.do(authserver.Token)
			if row.check == "" {
				if got.err != nil {
					t.Error(got.err)
				}
				return
			}
			if got.err == nil || got.err.Check != row.check || got.err.Reason != authcode.Configuration {
				t.Errorf("got %v, want %s", got.err, row.check)
			}
			if n := len(x.srv.Requests(authserver.PAR, authserver.Token)); n != 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}

// TestAnotherKey: the provider refuses a proof by another key than the one that
// Begin has named (RFC 9449 section 10.1).
func TestAnotherKey(t *testing.T) {
	x := newWorld(t, setup{cfg: func(cfg *authcode.Config) {
		cfg.Binding.Transport = func(base http.RoundTripper, _ string) (http.RoundTripper, error) {
			return dpop.New(ecKey).Transport(base, "")
		}
	}})
	if got := x.do(authserver.Token); got.err == nil || got.err.Reason != authcode.Configuration {
		t.Errorf("got %v", got.err)
	}
}
