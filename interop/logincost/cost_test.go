package logincost_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"example.com/authcode/test/measure"
)

const (
	issuer      = "https://provider.example"
	redirectURL = "https://app.example/auth/bench/callback"
)

func inMemory() (*provider, site) {
	p := newProvider(issuer)
	return p, site{issuer, redirectURL, p}
}

// TestSubjects: all of them sign the same person in.
func TestSubjects(t *testing.T) {
	p, at := inMemory()
	for name, s := range map[string]subject{
		"authcode": module(at), "go-oidc": newHandwritten(at), "zitadel": newZitadel(at),
	} {
		r, answer := begun(p, s)
		p.answer = answer
		rec := httptest.NewRecorder()
		if who, err := s.finish(rec, r); err != nil || who != person {
			t.Errorf("%s signs in %q: %v", name, who, err)
		}
		if to := rec.Header().Get("Location"); to != returnTo {
			t.Errorf("%s ends at %q, want %q", name, to, returnTo)
		}
	}
}

// BenchmarkIDToken reports what a login with an ID token, start and finish,
// costs beside the other two, by CPU time.
func BenchmarkIDToken(b *testing.B) {
	p, at := inMemory()
	cost := func(s subject) func() time.Duration {
		return func() time.Duration { return costOf(b, p, s) }
	}
	got := measure.Medians(b.N, cost(module(at)), cost(newHandwritten(at)), cost(newZitadel(at)))
	b.ReportMetric(got[0]/got[1], "of-go-oidc")
	b.ReportMetric(got[0]/got[2], "of-zitadel")
	b.ReportMetric(0, "ns/op") // with the preparation, so it says nothing
}

// costOf returns what some logins cost. The provider's share, which signs, is
// outside.
func costOf(b *testing.B, p *provider, s subject) time.Duration {
	const logins = 40
	cost := measure.CPU(func() {
		for range logins {
			s.start(newDiscard(), startRequest())
		}
	})
	callbacks, answers := make([]*http.Request, logins), make([][]byte, logins)
	for i := range logins {
		callbacks[i], answers[i] = begun(p, s)
	}
	return cost + measure.CPU(func() {
		for i, r := range callbacks {
			p.answer = answers[i]
			if who, err := s.finish(newDiscard(), r); err != nil || who != person {
				b.Fatal(who, err)
			}
		}
	})
}

func startRequest() *http.Request {
	return httptest.NewRequest(http.MethodGet, "https://app.example/auth/bench", nil)
}

// begun starts a login, and returns its callback and the provider's answer.
func begun(p *provider, s subject) (*http.Request, []byte) {
	rec := httptest.NewRecorder()
	s.start(rec, startRequest())
	target, err := url.Parse(rec.Header().Get("Location"))
	check(err)
	sent := target.Query()
	query := url.Values{"code": {"c0de"}, "state": {sent.Get("state")}}
	r := httptest.NewRequest(http.MethodGet, redirectURL+"?"+query.Encode(), nil)
	for _, c := range rec.Result().Cookies() {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r, p.answerTo(sent.Get("nonce"))
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func newDiscard() *discard { return &discard{make(http.Header, 8)} }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}
