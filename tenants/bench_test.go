package tenants_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/measure"
	"example.com/authcode/test/world"
)

// BenchmarkLoginRatio compares a whole login of a tenant, start and finish by the
// handlers, with one of a single Client, by CPU time and in turns. The ratio of
// the medians is the result.
func BenchmarkLoginRatio(b *testing.B) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	client, err := authcode.New(quick("t1"))
	if err != nil {
		b.Fatal(err)
	}
	registry := inMemory(b, quick)
	got := measure.Medians(b.N,
		func() time.Duration { return loginCost(b, client.LoginHandler(), client.CallbackHandler(next)) },
		func() time.Duration {
			return loginCost(b, registry.LoginHandler(pathKey), registry.CallbackHandler(next))
		})
	b.ReportMetric(got[1]/got[0], "tenant/client")
	b.ReportMetric(0, "ns/op") // with the preparation, so it says nothing
}

// answers is a provider that keeps nothing of its requests.
type answers struct{}

func (answers) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Body.Close()
	return world.Reply(http.StatusOK, world.TokenJSON), nil
}

// quick is a tenant whose provider costs nothing.
func quick(key string) authcode.Config {
	cfg := fixed(key)
	cfg.Wrap = func(http.RoundTripper) http.RoundTripper { return answers{} }
	return cfg
}

// loginCost is the CPU time of a hundred logins.
func loginCost(b *testing.B, login, callback http.Handler) time.Duration {
	return measure.CPU(func() {
		for range 100 {
			rec := httptest.NewRecorder()
			callback.ServeHTTP(rec, start(b, login, "t1"))
			if rec.Code != http.StatusOK {
				b.Fatal(rec.Code)
			}
		}
	})
}
