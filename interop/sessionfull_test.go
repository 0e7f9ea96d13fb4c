package interop

import (
	"net/http"
	"strings"
	"testing"
)

// TestSessionsWhileTheStoreIsFull: people who are signed in stay so, also where
// the server cannot note that they were seen, and can sign out. Nobody can sign
// in, a page says so, and nothing is left of the attempt. A logout that the
// provider reports ends the sessions, and the provider is asked to come again,
// because there was no room for the mark.
func TestSessionsWhileTheStoreIsFull(t *testing.T) {
	onSessionServers(t, false, func(t *testing.T, server *sessionServer) {
		a := newSessionApp(t, server, nil)
		v, other, new := a.visitor(t), a.visitor(t), a.visitor(t)
		v.signIn(0, "user0")
		other.signIn(1, "user1")
		if err := server.setFull(true); err != nil {
			t.Fatal(err)
		}
		v.wantSeen("user0")
		for _, path := range []string{"/token", "/renew", "/set"} {
			wantReply(t, v.do("GET", path), http.StatusOK, "user0 <nil>")
		}
		for _, who := range []*visitor{new, v} {
			got := who.login(1, "user2")
			if got.status != http.StatusServiceUnavailable || !strings.Contains(got.text, "grant.store") {
				t.Errorf("the login ended with %d %.200s", got.status, got.text)
			}
		}
		new.wantSeen("")
		v.wantSeen("user0")
		wantReply(t, other.do("POST", "/logout"), http.StatusSeeOther, "")
		other.wantSeen("")
		token := a.logoutToken(t, "user0", "")
		wantReply(t, a.backChannel(t, 2, token), http.StatusServiceUnavailable, "")
		v.wantSeen("")
		for _, key := range a.created.Take() {
			if _, err := a.instances[0].Gate.Load(t.Context(), key, 0); err == nil {
				t.Errorf("a %s is left", key.Kind)
			}
		}
		if err := server.setFull(false); err != nil {
			t.Fatal(err)
		}
		wantReply(t, a.backChannel(t, 2, token), http.StatusOK, "")
		new.signIn(1, "user2")
		new.wantSeen("user2")
	})
}
