package test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// stalled are servers that get a form_post callback whose body never ends, and
// how long they may keep its connection.
var stalled = []struct {
	claim      string
	timeout    time.Duration // http.Server.ReadTimeout
	middleware time.Duration // of the request's context
	kind, body string
	after      time.Duration
	answer     string
}{
	{"the operator's limit counts", 2 * time.Second, 0, formType, "st", 2 * time.Second, "400"},
	{"without one the limit is ten seconds", 0, 0, formType, "st", 10 * time.Second, "400"},
	{"a longer one of the operator's is not used up", time.Minute, 0, formType, "st",
		10 * time.Second, "400"},
	{"a middleware's limit counts", 0, 3 * time.Second, formType, "st", 3 * time.Second, "400"},
	{"the operator's counts before a middleware's", 2 * time.Second, 3 * time.Second, formType, "st",
		2 * time.Second, "400"},
	{"the rest of a long form is not waited for", 0, 0, formType, strings.Repeat("s", 17<<10), 0,
		"400"},
	{"what is not a form is not waited for", 0, 0, "text/plain", "st", 0, "400"},
}

func TestABodyThatNeverComes(t *testing.T) {
	for _, row := range stalled {
		t.Run(row.claim, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				server := &http.Server{Handler: stallable(t, row.middleware), ReadTimeout: row.timeout}
				kept, answer := world.Stalled(t, server, true, "/callback", row.kind, row.body)
				// net/http waits half a second for a client to read its answer.
				if kept < row.after || kept > row.after+time.Second {
					t.Errorf("the connection was kept for %v, want %v", kept, row.after)
				}
				if !strings.HasPrefix(answer, "HTTP/1.1 "+row.answer) {
					t.Errorf("the answer is %.60q, want %s", answer, row.answer)
				}
			})
		})
	}
}

// TestABodyThatNeverComesOverASocket: the same, where a read really blocks. The
// limit of ten seconds is not waited for.
func TestABodyThatNeverComesOverASocket(t *testing.T) {
	for _, row := range stalled {
		if row.after == 10*time.Second {
			continue
		}
		t.Run(row.claim, func(t *testing.T) {
			t.Parallel()
			server := &http.Server{
				Handler: stallable(t, row.middleware/10), ReadTimeout: row.timeout / 10,
			}
			kept, answer := world.Stalled(t, server, false, "/callback", row.kind, row.body)
			if kept < row.after/10 || kept > 8*time.Second {
				t.Errorf("the connection was kept for %v, want %v", kept, row.after/10)
			}
			if !strings.HasPrefix(answer, "HTTP/1.1 "+row.answer) {
				t.Errorf("the answer is %.60q, want %s", answer, row.answer)
			}
		})
	}
}

// stallable is a form_post callback behind a middleware that limits requests,
// unless limit is zero.
func stallable(t *testing.T, limit time.Duration) http.Handler {
	c := world.Client(t, &world.Provider{}, formPost)
	callback := c.CallbackHandler(http.NotFoundHandler())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		if limit > 0 {
			ctx, cancel = context.WithTimeout(r.Context(), limit)
		}
		defer cancel()
		callback.ServeHTTP(w, r.WithContext(ctx))
	})
}
