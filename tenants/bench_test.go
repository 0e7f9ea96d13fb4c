package tenants_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// BenchmarkLogin compares a whole login of a tenant, start and finish by the
// handlers, with one of a single Client. The ratio is the result.
func BenchmarkLogin(b *testing.B) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	b.Run("client", func(b *testing.B) {
		cfg := quick("t1")
		client, err := authcode.New(cfg)
		if err != nil {
			b.Fatal(err)
		}
		run(b, client.LoginHandler(), client.CallbackHandler(next))
	})
	b.Run("tenant", func(b *testing.B) {
		registry := inMemory(b, quick)
		run(b, registry.LoginHandler(queryKey), registry.CallbackHandler(next))
	})
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

func run(b *testing.B, login, callback http.Handler) {
	b.ReportAllocs()
	for b.Loop() {
		rec := httptest.NewRecorder()
		callback.ServeHTTP(rec, start(b, login, "t1"))
		if rec.Code != http.StatusOK {
			b.Fatal(rec.Code, world.RedirectURL)
		}
	}
}
