package session_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/session"
)

// TestStepUpEnds: an API that is never content does not send the person around
// without end.
func TestStepUpEnds(t *testing.T) {
	a := newApp(t, setup{})
	in := a.instances[0]
	in.mux.Handle("/api", in.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in.StepUp(w, r, session.Freshness{MaxAge: time.Minute})
	})))
	b := a.browser(t)
	b.signIn("alice", "/account")
	a.advance(10 * time.Minute)
	b.loginAt("/api", "alice", nil).wantStatus(t, 303) // it may be of use
	b.get("/api").wantStatus(t, 401, "This sign-in is not enough", `href="`+a.provider.URL+"/authorize?")
	b.get("/api", "Sec-Fetch-Mode", "cors").wantStatus(t, 401, "insufficient_user_authentication")
	b.setCookie(&http.Cookie{Name: cookieName + "-new", Path: "/", Secure: true, MaxAge: -1}) // half a minute later
	b.get("/api").wantStatus(t, 303)
}

// TestStepUpKeepsTheScopes: whenever the metadata is out of reach for a moment, the
// answer is an error or a login with all scopes. One with fewer would take the
// others from the person.
func TestStepUpKeepsTheScopes(t *testing.T) {
	var calls atomic.Int32 // until one fails
	a := newApp(t, setup{client: func(c *authcode.Config) {
		c.Scopes = []string{"openid"}
		look := c.Provider.Metadata
		c.Provider.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
			if calls.Add(-1) == 0 {
				return authcode.Endpoints{}, errors.New("out of reach")
			}
			return look(ctx, conn)
		}
	}})
	in := a.instances[0]
	in.mux.Handle("/mail", in.RequireFresh(session.Freshness{Scopes: []string{"email"}}, http.NotFoundHandler()))
	b := a.browser(t)
	b.signIn("alice", "/account")
	failed := 0
	for n := range int32(5) {
		calls.Store(n)
		resp := b.get("/mail")
		if resp.StatusCode == 502 {
			failed++
			continue
		}
		if to, err := resp.Location(); err != nil || to.Query().Get("scope") != "openid email" {
			t.Errorf("call %d fails: the person is sent to %v, %v", n, to, err)
		}
	}
	if failed == 0 {
		t.Error("no request needed the metadata")
	}
}

// TestFreshValueUnread: what cannot be read of what a login was begun for, such as
// that of another version, is not left out.
func TestFreshValueUnread(t *testing.T) {
	value := "" // of the last login
	a := newApp(t, setup{session: func(_ int, c *session.Config) {
		c.SignedIn = func(_ *http.Request, l *authcode.Login) (string, error) {
			value = l.Values["session.fresh"]
			return "", nil
		}
	}})
	in := a.instances[0]
	in.mux.Handle("/age", in.RequireFresh(session.Freshness{MaxAge: 5 * time.Minute}, http.NotFoundHandler()))
	edit := strings.NewReplacer()
	in.mux.HandleFunc("/again", func(w http.ResponseWriter, r *http.Request) {
		in.client.LoginHandler(authcode.Param("max_age", "300"),
			authcode.Value("session.fresh", edit.Replace(value))).ServeHTTP(w, r)
	})
	b := a.browser(t)
	b.signIn("alice", "/account")
	b.loginAt("/age", "alice", nil).wantStatus(t, 303)
	b.loginAt("/again", "alice", nil).wantStatus(t, 303)
	for _, row := range [][]string{{`"m":300`, `"m":"300"`}, {`"m":300`, `"m":3e99`}, {"}", "}}"}, {"{", ""}} {
		edit = strings.NewReplacer(row...)
		b.loginAt("/again", "alice", nil).wantStatus(t, 403, "session.person")
		b.wantSeen("alice")
	}
}
