package oidc_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/oidc"
)

// TestMetadataIsLoadedOnce: at the first login, for all who come at the same time.
func TestMetadataIsLoadedOnce(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		p.wantRequests(t, memMetadata, 0)
		p.answer(memMetadata, late(p, time.Second))
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				if _, err := endpoints(t.Context(), i, p); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		p.wantRequests(t, memMetadata, 1)
		time.Sleep(59 * time.Minute)
		load(t, i, p)
		p.wantRequests(t, memMetadata, 1)
	})
}

func load(t *testing.T, i authcode.Provider, p *memOP) authcode.Endpoints {
	t.Helper()
	e, err := endpoints(t.Context(), i, p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// late answers like p without special answers, after d.
func late(p *memOP, d time.Duration) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return reply(200, "", string(payload(p.metadata, nil))), nil
	}
}

// TestMetadataIsRefreshed: after an hour the old document serves the first caller, and the new one the next.
func TestMetadataIsRefreshed(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		load(t, i, p)
		p.metadata["token_endpoint"] = "https://op.example/token2"
		p.answer(memMetadata, late(p, 3*time.Second))
		time.Sleep(time.Hour)
		start := time.Now()
		for range 10 {
			if got := load(t, i, p).TokenURL; got != "https://op.example/token" {
				t.Errorf("got %s", got)
			}
		}
		if time.Since(start) > 0 {
			t.Error("somebody had to wait")
		}
		time.Sleep(4 * time.Second)
		if got := load(t, i, p).TokenURL; got != "https://op.example/token2" {
			t.Errorf("got %s", got)
		}
		p.wantRequests(t, memMetadata, 2)
	})
}

// TestMetadataWhileDown: the last good document serves, and the provider is asked again every few seconds.
func TestMetadataWhileDown(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		load(t, i, p)
		for n, answer := range []func(*http.Request) (*http.Response, error){
			down, always(500, "", ""), always(200, "", "{}"), always(200, "", `{"issuer":"https://evil.example"}`),
		} {
			p.answer(memMetadata, answer)
			time.Sleep(2 * time.Hour)
			for range 10 { // within four seconds
				load(t, i, p)
				time.Sleep(400 * time.Millisecond)
			}
			p.wantRequests(t, memMetadata, 2+n)
		}
		p.metadata["token_endpoint"] = "https://op.example/token2"
		p.answer(memMetadata, nil)
		time.Sleep(5 * time.Second)
		load(t, i, p)
		synctest.Wait()
		if got := load(t, i, p).TokenURL; got != "https://op.example/token2" {
			t.Errorf("got %s", got)
		}
	})
}

// TestMetadataFailure: a first load that fails is tried again, after a few seconds.
func TestMetadataFailure(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		p.answer(memMetadata, down)
		i := oidc.Provider(memIssuer)
		for range 10 {
			_, err := endpoints(t.Context(), i, p)
			wantError(t, err, authcode.Unreachable, "discovery.unreachable")
			time.Sleep(400 * time.Millisecond)
		}
		p.wantRequests(t, memMetadata, 1)
		p.answer(memMetadata, nil)
		time.Sleep(time.Second)
		load(t, i, p)
	})
}

// TestMetadataOutlivesItsFirstCaller: who gives up does not take the others along, and the document is
// there for later callers.
func TestMetadataOutlivesItsFirstCaller(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		p.answer(memMetadata, late(p, 5*time.Second))
		i := oidc.Provider(memIssuer)
		began := time.Now()
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			_, err := endpoints(impatient, i, p)
			wantError(t, err, authcode.Timeout, "discovery.timeout")
			if took := time.Since(began); took != time.Second {
				t.Errorf("waited %v", took)
			}
		})
		synctest.Wait()
		all.Go(func() { load(t, i, p) })
		all.Wait()
		load(t, i, p)
		p.wantRequests(t, memMetadata, 1)
	})
}

// TestSilentProvider: a load ends after ten seconds, and so does every wait for it.
func TestSilentProvider(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		p.answer(memMetadata, late(p, time.Hour))
		i := oidc.Provider(memIssuer)
		began := time.Now()
		_, err := endpoints(t.Context(), i, p)
		wantError(t, err, authcode.Timeout, "discovery.timeout")
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestIncompleteMetadata: a document that lacks something takes no good one's place, and none for long.
func TestIncompleteMetadata(t *testing.T) {
	for name, check := range map[string]string{
		"authorization_endpoint": "discovery.endpoints", "token_endpoint": "discovery.endpoints",
		"jwks_uri": "jwks.endpoint", "userinfo_endpoint": "",
	} {
		bubble.Test(t, func(t *testing.T) {
			p := newMemOP("RS256")
			good := p.metadata
			i := oidc.Provider(memIssuer, oidc.UserInfo())
			if check != "" {
				p.metadata = changed(good, members{name: nil})
				_, err := identify(t.Context(), i, p.login(p.token(nil)))
				wantError(t, err, authcode.BadAnswer, check)
			}
			p.metadata = good
			if check == "jwks.endpoint" { // known again at once, because it is needed
				wantIdentity(t, i, p.login(p.token(nil)))
			}
			time.Sleep(5 * time.Second)
			want := load(t, i, p)
			p.metadata = changed(good, members{name: nil})
			for range 3 {
				time.Sleep(time.Hour)
				if got := load(t, i, p); got != want {
					t.Errorf("without %s: got %+v", name, got)
				}
				synctest.Wait()
				wantIdentity(t, i, p.login(p.token(nil)))
			}
		})
	}
}

// TestLateEnd: a body that ends as the deadline fires is not whole, although net/http says so.
func TestLateEnd(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		p.answer(memMetadata, func(r *http.Request) (*http.Response, error) {
			resp := reply(200, "application/json", "")
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader("{}"), endsWith{r.Context()}))
			return resp, nil
		})
		_, err := endpoints(t.Context(), oidc.Provider(memIssuer), p)
		wantError(t, err, authcode.Timeout, "discovery.timeout")
	})
}

// endsWith is an empty body that ends when its context does.
type endsWith struct{ ctx context.Context }

func (e endsWith) Read([]byte) (int, error) {
	<-e.ctx.Done()
	return 0, io.EOF
}

// TestMovedKeys: keys stay when the metadata is loaded anew, and go when jwks_uri changes.
func TestMovedKeys(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		wantIdentity(t, i, p.login(p.token(nil)))
		renew := func() {
			time.Sleep(time.Hour)
			load(t, i, p)
			synctest.Wait()
		}
		p.answer(memJWKS, down)
		renew()
		wantIdentity(t, i, p.login(p.token(nil)))
		p.metadata["jwks_uri"] = "https://op.example/keys2"
		p.answer("/keys2", always(200, "", `{"keys":[]}`))
		p.answer(memJWKS, nil)
		time.Sleep(59 * time.Minute)
		wantIdentity(t, i, p.login(p.token(nil))) // so the old keys are fresh
		time.Sleep(time.Minute)
		load(t, i, p)
		synctest.Wait()
		_, err := identify(t.Context(), i, p.login(p.token(nil)))
		wantError(t, err, authcode.IdentityRefused, "jwks.key")
	})
}
