package session_test

import (
	"net/http"
	"testing"
	"time"

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
