package tenants_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/internal/realm"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// TestLateLoad: a Load that returns an error of its own when its time is over was
// late, in whichever order that is seen. The goroutines rarely run in one of
// the orders, so many loads are made.
func TestLateLoad(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		cfg := good()
		cfg.Load = func(ctx context.Context, _ string) (authcode.Config, string, error) {
			<-ctx.Done()
			return authcode.Config{}, "", errors.New("the query was cancelled")
		}
		registry, err := tenants.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
		for range 1000 {
			go registry.Client(r, "k")
			time.Sleep(5 * time.Second)
			_, err := registry.Client(r, "k") // its own time is not over yet
			world.WantError(t, err, authcode.Timeout, "tenants.load")
		}
	})
}

// TestAtHand: a person who is signed in does not wait for a table that hangs if the
// tenant is known, and a second if it is not.
func TestAtHand(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		var hangs atomic.Bool
		load, cfg := new(loads).version("1", nil), good()
		cfg.Load = func(ctx context.Context, key string) (authcode.Config, string, error) {
			if hangs.Load() {
				return loadHangs(ctx, key)
			}
			return load(ctx, key)
		}
		registry, err := tenants.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodGet, "https://app.example/", nil)
		atHand := func(known bool, want time.Duration) {
			t.Helper()
			began := time.Now()
			client, err := registry.ClientFor(realm.AtHand(r), authcode.Origin{Tenant: "k"})
			if took := time.Since(began); (client != nil) != known || (err == nil) != known || took != want {
				t.Errorf("got %v, %v after %v, want a Client: %t, after %v", client, err, took, known, want)
			}
		}
		atHand(true, 0)
		hangs.Store(true)
		time.Sleep(time.Minute) // it is due
		atHand(true, 0)
		registry.Forget("k")
		atHand(false, time.Second)
		time.Sleep(2 * time.Minute) // the hanging ones end
	})
}
