package dpop_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"net/http"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"example.com/authcode/internal/testkey"
	"golang.org/x/oauth2"
)

// useAPI sends one request without a body, and one with it.
func (w *world) useAPI(t *testing.T, c *authcode.Client, token *oauth2.Token) {
	api := w.api(t, c, token)
	resp, err := api.Get(w.URL + "/api/a%2Fb/?x=1#end")
	wantAnswer(t, resp, err, 200, "hello ")
	resp, err = api.Post(w.URL+"/api/", "text/plain", strings.NewReader("body"))
	wantAnswer(t, resp, err, 200, "hello body")
}

// TestWholeLife is a login, a refresh and requests to an API, with each kind of key, pushed and not. The server
// checks every proof: see verifyProof.
func TestWholeLife(t *testing.T) {
	rsaKey := testkey.RSA()
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	bindings := map[string]authcode.Binding{
		"ES256": dpop.New(newKey(t)), "PS256": dpop.New(rsaKey), "EdDSA": dpop.New(edKey),
		"per session": dpop.PerSession(randomBytes(32)),
	}
	for name, b := range bindings {
		for _, push := range []bool{true, false} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				w.public = true
				c := w.client(t, b, pushing, func(cfg *authcode.Config) { cfg.DisablePAR = !push })
				token := w.mustLogin(t, c)
				refreshed, err := c.Refresh(t.Context(), token)
				if err != nil {
					t.Fatal(err)
				}
				for _, token := range []*oauth2.Token{token, refreshed} {
					w.useAPI(t, c, token)
				}
				want := 2
				if push {
					want = 3
				}
				if len(w.as.proofs) != want || len(w.rs.proofs) != 4 {
					t.Errorf("%d and %d requests", len(w.as.proofs), len(w.rs.proofs))
				}
				for _, p := range append(w.as.proofs, w.rs.proofs...) {
					if p.algorithm != name && name != "per session" || p.Nonce != "" {
						t.Errorf("got %+v", p)
					}
				}
			})
		}
	}
}

// TestNonces: how many requests each party sees for a login that is pushed, a refresh, and two API requests.
func TestNonces(t *testing.T) {
	rows := []struct {
		claim          string
		as, rs         party
		wantAS, wantRS int
	}{
		{"nobody demands one", party{}, party{}, 3, 2},
		{"the authorization server does: one more", party{demand: "n-as"}, party{}, 4, 2},
		{"the resource server does: one more", party{}, party{demand: "n-rs"}, 3, 3},
		{"both do", party{demand: "n-as"}, party{demand: "n-rs"}, 4, 3},
		{"both do, the same", party{demand: "n"}, party{demand: "n"}, 4, 3},
		{"both name another with each answer: that is used next", party{rotate: true}, party{rotate: true}, 3, 2},
		{"and demand one from the start", party{rotate: true, demand: "0"}, party{rotate: true, demand: "0"}, 4, 3},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			w := newWorld(t)
			*w.as, *w.rs = row.as, row.rs
			c := w.client(t, dpop.New(newKey(t)), pushing)
			token, err := c.Refresh(t.Context(), w.mustLogin(t, c))
			if err != nil {
				t.Fatal(err)
			}
			api := w.api(t, c, token)
			resp, err := api.Get(w.URL + "/api/1")
			wantAnswer(t, resp, err, 200, "hello ")
			resp, err = api.Post(w.URL+"/api/2", "text/plain", strings.NewReader("body"))
			wantAnswer(t, resp, err, 200, "hello body")
			if len(w.as.proofs) != row.wantAS || len(w.rs.proofs) != row.wantRS {
				t.Errorf("%d and %d requests, want %d and %d", len(w.as.proofs), len(w.rs.proofs), row.wantAS, row.wantRS)
			}
		})
	}
}

// TestNonceNeverRight: a request is repeated once, whatever the server says.
func TestNonceNeverRight(t *testing.T) {
	rows := []struct {
		claim string
		as    party
		want  int
	}{
		{"a server that always demands another nonce", party{never: true}, 2},
		{"a server that does not name the nonce", party{demand: "n", hide: true}, 1},
		{"a server that names two", party{demand: "n", hide: true, extra: func(h http.Header) { h["Dpop-Nonce"] = []string{"n", "n"} }}, 1},
		{"a server that names none that may be", party{demand: "n", hide: true, extra: func(h http.Header) { h.Set("DPoP-Nonce", `a"b`) }}, 1},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			w := newWorld(t)
			*w.as, *w.rs = row.as, row.as
			c := w.client(t, dpop.New(newKey(t)))
			_, err := w.login(t, c)
			wantError(t, err, authcode.BadAnswer, "answer.dpop_nonce")
			resp, err := w.api(t, c, bearer("at")).Get(w.URL + "/api/")
			wantAnswer(t, resp, err, 401, "")
			if len(w.as.proofs) != row.want || len(w.rs.proofs) != row.want {
				t.Errorf("%d and %d requests, want %d", len(w.as.proofs), len(w.rs.proofs), row.want)
			}
		})
	}
}

// TestStaleNonce: a nonce that was good is refused, and the new one is used from then on.
func TestStaleNonce(t *testing.T) {
	w := newWorld(t)
	w.as.demand, w.rs.demand = "a1", "r1"
	c := w.client(t, dpop.New(newKey(t)))
	token := w.mustLogin(t, c)
	api := w.api(t, c, token)
	get := func() {
		resp, err := api.Get(w.URL + "/api/")
		wantAnswer(t, resp, err, 200, "hello ")
	}
	get()
	w.as.demand, w.rs.demand = "a2", "r2"
	get()
	get()
	if _, err := c.Refresh(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	nonces := func(list []*proof) string {
		var all []string
		for _, p := range list {
			all = append(all, p.Nonce)
		}
		return strings.Join(all, ",")
	}
	if as, rs := nonces(w.as.proofs), nonces(w.rs.proofs); as != ",a1,a1,a2" || rs != ",r1,r1,r2,r2" {
		t.Errorf("nonces %s and %s", as, rs)
	}
}

// TestTokenType: a token that is bound to nothing is refused.
func TestTokenType(t *testing.T) {
	for kind, ok := range map[string]bool{"Bearer": false, "N_A": false, "dpop": true, "DPoP": true} {
		w := newWorld(t)
		w.tokenType = kind
		_, err := w.login(t, w.client(t, dpop.New(newKey(t))))
		if ok && err != nil {
			t.Errorf("%s: %v", kind, err)
		} else if !ok {
			wantError(t, err, authcode.BadAnswer, "token.token_type")
		}
	}
}

// TestTogether: many logins, refreshes and requests at the same time, with one Binding.
func TestTogether(t *testing.T) {
	w := newWorld(t)
	w.as.demand, w.rs.demand = "a", "r"
	for _, b := range []authcode.Binding{dpop.New(newKey(t)), dpop.PerSession(randomBytes(32))} {
		c := w.client(t, b)
		first := w.mustLogin(t, c)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				token, err := c.Refresh(t.Context(), first)
				if err != nil {
					t.Error(err)
					return
				}
				for range 4 {
					resp, err := w.api(t, c, token).Post(w.URL+"/api/", "text/plain", strings.NewReader("x"))
					if err != nil || resp.StatusCode != 200 {
						t.Error(resp, err)
						return
					}
					resp.Body.Close()
				}
			})
		}
		all.Wait()
	}
}
