package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/oidc"
)

// TestKeyRotation: the first token of a new key is accepted at once, by one fetch for all who wait.
func TestKeyRotation(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		wantIdentity(t, i, p.login(p.token(nil)))
		wantIdentity(t, i, p.login(p.token(nil)))
		p.wantRequests(t, memJWKS, 1)
		p.rotate(newKey("RS256", "k2"))
		p.answer(memJWKS, slowly(p, time.Second))
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if _, err := identify(t.Context(), i, p.login(p.token(nil))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		p.wantRequests(t, memJWKS, 2)
		p.rotate(&memKey{"k2", "RS256", newKey("RS256", "k3").signer}) // another under the same name
		wantIdentity(t, i, p.login(p.token(nil)))
		p.wantRequests(t, memJWKS, 3)
	})
}

// TestRotationDuringFetch: a fetch that was under way before the key was there is not the last word.
func TestRotationDuringFetch(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		wantIdentity(t, i, p.login(p.token(nil)))
		old := p.key
		p.answer(memJWKS, func(*http.Request) (*http.Response, error) {
			p.mu.Lock()
			text := string(must(json.Marshal(members{"keys": p.keys})))
			p.mu.Unlock()
			time.Sleep(time.Second)
			return reply(200, "", text), nil
		})
		go identify(t.Context(), i, p.login(old.sign(payload(p.claims(), nil), members{"kid": "unknown"})))
		synctest.Wait()
		p.rotate(newKey("RS256", "k2"))
		wantIdentity(t, i, p.login(p.token(nil)))
		p.wantRequests(t, memJWKS, 3)
	})
}

// slowly answers as p does without a special answer, after d.
func slowly(p *memOP, d time.Duration) func(*http.Request) (*http.Response, error) {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(d):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return reply(200, "", string(must(json.Marshal(members{"keys": p.keys})))), nil
	}
}

// TestUnknownKids: a thousand tokens with kids that nobody has cause a few fetches a minute.
func TestUnknownKids(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		for n := range 100 {
			_, err := identify(t.Context(), i, p.login(p.with(members{"kid": fmt.Sprint("unknown-", n)})))
			wantError(t, err, authcode.IdentityRefused, "jwks.key")
		}
		p.wantRequests(t, memJWKS, 1+3)
		wantIdentity(t, i, p.login(p.token(nil)))
		time.Sleep(time.Minute - time.Nanosecond)
		_, err := identify(t.Context(), i, p.login(p.with(members{"kid": "unknown"})))
		wantError(t, err, authcode.IdentityRefused, "jwks.key")
		p.wantRequests(t, memJWKS, 1+3)
		time.Sleep(time.Nanosecond)
		p.rotate(newKey("RS256", "k2"))
		wantIdentity(t, i, p.login(p.token(nil)))
	})
}

// TestForgedLogoutTokensLeaveLoginsAlone: what strangers post does not use up the fetches of logins.
func TestForgedLogoutTokensLeaveLoginsAlone(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		for n := range 100 {
			_, err := verify(t.Context(), i, p, "logout+jwt", p.with(members{"kid": fmt.Sprint(n)}))
			wantError(t, err, authcode.IdentityRefused, "jwks.key")
		}
		p.wantRequests(t, memJWKS, 1+3)
		p.rotate(newKey("RS256", "k2"))
		wantIdentity(t, i, p.login(p.token(nil)))
	})
}

// TestStrangersLeaveLoginsAlone: a client whose transport cannot reach the provider, and whose handlers are called
// by strangers, does not make the logins of another client of the same provider fail.
func TestStrangersLeaveLoginsAlone(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p, unreachable := newMemOP("RS256"), newMemOP("RS256")
		unreachable.answer(memMetadata, func(*http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			return nil, errors.New("certificate signed by unknown authority")
		})
		i := oidc.Provider(memIssuer)
		lost := newMemLogin(t, unreachable, i)
		var told error
		h := oidc.BackChannelLogoutHandler(lost, func(context.Context, oidc.LogoutToken) error { return nil },
			oidc.Notify(func(_ *http.Request, err error) { told = err }))
		stranger := func() {
			post(h, url.Values{"logout_token": {"e30.e30.AAAA"}})
			wantError(t, told, authcode.Unreachable, "discovery.unreachable")
		}
		stranger()
		stranger() // within the pause
		unreachable.wantRequests(t, memMetadata, 1)
		wantError(t, second(oidc.LogoutURL(t.Context(), lost, oidc.Logout{})), authcode.Unreachable, "discovery.unreachable")
		wantError(t, second(lost.Connection(t.Context())), authcode.Unreachable, "discovery.unreachable")
		unreachable.wantRequests(t, memMetadata, 1)
		time.Sleep(5 * time.Second)
		go stranger()
		synctest.Wait()
		if _, err := newMemLogin(t, p, i).Connection(t.Context()); err != nil {
			t.Error(err)
		}
		p.wantRequests(t, memMetadata, 1)
		wantIdentity(t, i, p.login(p.token(nil)))
		time.Sleep(time.Second) // for the stranger to end
	})
}

func second[T any](_ T, err error) error { return err }

// TestStrangersFailByThemselves: keys that could not be loaded for a stranger's logout token are tried again at
// once for a login, which may also join the stranger's load, and does not fail with it.
func TestStrangersFailByThemselves(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		load(t, i, p)
		fails := true
		p.answer(memJWKS, func(*http.Request) (*http.Response, error) {
			if time.Sleep(time.Second); fails {
				fails = false
				return nil, errors.New("reset")
			}
			return reply(200, "", string(must(json.Marshal(members{"keys": p.keys})))), nil
		})
		stranger := func() {
			_, err := verify(t.Context(), i, p, "logout+jwt", "e30.e30.AAAA")
			wantError(t, err, authcode.IdentityRefused, "logout_token.alg")
			_, err = verify(t.Context(), i, p, "logout+jwt", p.logoutToken(nil))
			wantError(t, err, authcode.Unreachable, "jwks.unreachable")
		}
		go stranger()
		synctest.Wait() // the login joins the stranger's load, which fails
		wantIdentity(t, i, p.login(p.token(nil)))
		p.wantRequests(t, memJWKS, 2)
	})
}

// TestKeysWhileDown: known keys serve while the endpoint is down or broken, for as long as it takes.
func TestKeysWhileDown(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		wantIdentity(t, i, p.login(p.token(nil)))
		for _, answer := range []func(*http.Request) (*http.Response, error){down, always(200, "", "{}"), always(500, "", "")} {
			p.answer(memJWKS, answer)
			time.Sleep(24 * time.Hour)
			wantIdentity(t, i, p.login(p.token(nil)))
			synctest.Wait()
			wantIdentity(t, i, p.login(p.token(nil)))
		}
		p.answer(memJWKS, down)
		_, err := identify(t.Context(), i, p.login(p.with(members{"kid": "new"})))
		wantError(t, err, authcode.Unreachable, "jwks.unreachable")
		_, err = identify(t.Context(), i, p.login(cut(p.token(nil), 2)+"."+b64(make([]byte, 64))))
		wantError(t, err, authcode.IdentityRefused, "id_token.signature")
	})
}

// TestWithdrawnKey: a key that the provider withdraws stops to count after a quarter of an hour.
func TestWithdrawnKey(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		old := p.key
		wantIdentity(t, i, p.login(p.token(nil)))
		p.rotate(newKey("RS256", "k2"))
		time.Sleep(15*time.Minute - time.Second)
		wantIdentity(t, i, p.login(old.sign(payload(p.claims(), nil), nil)))
		time.Sleep(time.Second)
		_, err := identify(t.Context(), i, p.login(old.sign(payload(p.claims(), nil), nil)))
		wantError(t, err, authcode.IdentityRefused, "jwks.key")
	})
}

// TestSilentKeys: who comes when the keys are old waits two seconds for new ones, and no longer.
func TestSilentKeys(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		i := oidc.Provider(memIssuer)
		wantIdentity(t, i, p.login(p.token(nil)))
		p.answer(memJWKS, slowly(p, time.Hour))
		time.Sleep(15 * time.Minute)
		began := time.Now()
		wantIdentity(t, i, p.login(p.token(nil)))
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("waited %v", took)
		}
		time.Sleep(9 * time.Second) // the load has failed, and is not tried again at once
		began = time.Now()
		wantIdentity(t, i, p.login(p.token(nil)))
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %v", took)
		}
	})
}

// TestCancelledFetch: who gives up does not take the others along.
func TestCancelledFetch(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := newMemOP("RS256")
		p.answer(memJWKS, slowly(p, 5*time.Second))
		i := oidc.Provider(memIssuer)
		ctx, cancel := context.WithCancel(t.Context())
		first := make(chan error)
		go func() {
			_, err := identify(ctx, i, p.login(p.token(nil)))
			first <- err
		}()
		synctest.Wait()
		second := make(chan error)
		go func() {
			_, err := identify(t.Context(), i, p.login(p.token(nil)))
			second <- err
		}()
		synctest.Wait()
		cancel()
		wantError(t, <-first, authcode.Canceled, "jwks.canceled")
		if err := <-second; err != nil {
			t.Error(err)
		}
		p.wantRequests(t, memJWKS, 1)
	})
}

// TestNoKeysURL: an OAuth server without JWKS cannot say who somebody is.
func TestNoKeysURL(t *testing.T) {
	for _, url := range []any{nil, "", "http://op.example/keys", "/keys", "file:///etc/passwd"} {
		p := newMemOP("RS256")
		p.metadata = changed(p.metadata, members{"jwks_uri": url})
		_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(p.token(nil)))
		wantError(t, err, authcode.BadAnswer, "jwks.endpoint")
	}
}

// TestPanickingTransport: a panic of the app's transport reaches the request that caused it, where a
// server recovers, and does not end the program.
func TestPanickingTransport(t *testing.T) {
	p := newMemOP("RS256")
	p.answer(memJWKS, func(*http.Request) (*http.Response, error) { panic(errors.New("mine")) })
	defer func() {
		if err, _ := recover().(error); err == nil || err.Error() != "mine" {
			t.Errorf("recovered %v", err)
		}
	}()
	identify(t.Context(), oidc.Provider(memIssuer), p.login(p.token(nil)))
	t.Error("the panic was lost")
}
