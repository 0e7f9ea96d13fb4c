package oidc_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
)

// posted are the handlers that anybody can post to.
func posted(t *testing.T) map[string]http.Handler {
	c := newMemLogin(t, newMemOP("RS256"), oidc.Provider(memIssuer))
	ended := func(context.Context, oidc.LogoutToken) error { return nil }
	return map[string]http.Handler{
		"logout token":  oidc.BackChannelLogoutHandler(c, ended),
		"front channel": oidc.FrontChannelLogoutHandler(c, ended),
		"portal":        oidc.InitiateLoginHandler(c),
	}
}

// TestABodyThatNeverComes: a POST whose body stops is given ten seconds, or less if the operator says
// so.
func TestABodyThatNeverComes(t *testing.T) {
	for claim, row := range map[string]struct{ timeout, after time.Duration }{
		"the operator's limit counts":          {2 * time.Second, 2 * time.Second},
		"without one the limit is ten seconds": {0, 10 * time.Second},
		"a longer one is not used up":          {time.Minute, 10 * time.Second},
	} {
		for name := range posted(t) {
			t.Run(claim+": "+name, func(t *testing.T) {
				bubble.Test(t, func(t *testing.T) {
					server := &http.Server{Handler: posted(t)[name], ReadTimeout: row.timeout}
					kept, answer := world.Stalled(t, server, true, "/", "application/x-www-form-urlencoded", "lo")
					if kept < row.after || kept > row.after+time.Second {
						t.Errorf("the connection was kept for %v, want %v", kept, row.after)
					}
					if !strings.HasPrefix(answer, "HTTP/1.1 400") {
						t.Errorf("the answer is %.60q", answer)
					}
				})
			})
		}
	}
	for name, handler := range posted(t) {
		t.Run("over a socket: "+name, func(t *testing.T) {
			server := &http.Server{Handler: handler, ReadTimeout: 100 * time.Millisecond}
			kept, _ := world.Stalled(t, server, false, "/", "application/x-www-form-urlencoded", "lo")
			if kept < 100*time.Millisecond || kept > 8*time.Second {
				t.Errorf("the connection was kept for %v, want 100ms", kept)
			}
		})
	}
}
