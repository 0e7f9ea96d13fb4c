package tenants_test

import (
	"net/http"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// TestSignedResponsesOfTwo: each login with a signed response is redeemed as one
// of its own, and never gets the outcome of somebody else's.
func TestSignedResponsesOfTwo(t *testing.T) {
	for claim, change := range map[string]func(*authcode.Config){
		"by GET": func(*authcode.Config) {}, "by POST": formPost,
	} {
		t.Run(claim, func(t *testing.T) {
			a := newApp(t, 1)
			srv := a.provider()
			a.tenant("signed", srv, a.ownPath, change, func(cfg *authcode.Config) {
				cfg.MessageSigning.SignedResponses = true
			})
			a.browser().wantSignIn("signed", srv)
			a.browser().wantSignIn("signed", srv)
			a.wantOneOutcome(a.browser(), a.browser(), srv)
		})
	}
}

// wantOneOutcome finishes logins of two browsers at once. Each signs in.
func (a *app) wantOneOutcome(first, second *browser, srv *authserver.Server) {
	a.t.Helper()
	one, two := first.callback("signed", srv), second.callback("signed", srv)
	type answer struct {
		status int
		err    error
	}
	answers := make(chan answer, 2)
	for b, r := range map[*browser]*http.Request{first: one, second: two} {
		go func() {
			resp, err := srv.Deliver(b.Client, r)
			if err != nil {
				answers <- answer{err: err}
				return
			}
			resp.Body.Close()
			answers <- answer{status: resp.StatusCode}
		}()
	}
	for range 2 {
		if got := <-answers; got.err != nil || got.status != http.StatusOK {
			a.t.Errorf("of two logins at once, one ended with %d: %v, %v", got.status, got.err, a.lastError())
		}
	}
}
