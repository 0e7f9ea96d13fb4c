package interop

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// wrongClockProgram is the program of the instances, whose clock can be wrong.
var wrongClockProgram = sync.OnceValues(func() (string, error) {
	return buildOverlaid("./sessiontest/instance")
})

// TestSessionClocks: one instance has the right time, one is a minute ahead, and
// one a minute behind. Sessions last as long as they should at each of them. A
// login that began before a logout is refused, and a later one goes through,
// wherever it began and came back.
func TestSessionClocks(t *testing.T) {
	program, err := wrongClockProgram()
	if err != nil {
		t.Fatal(err)
	}
	onSessionServers(t, false, func(t *testing.T, server *sessionServer) {
		a := startSessionProcesses(t, server, program, [3]int{0, 60, -60})
		// Clocks that are further apart than a minute are not provided for.
		for _, at := range [][2]int{{0, 0}, {0, 1}, {1, 0}, {1, 1}, {0, 2}, {2, 0}, {2, 2}} {
			if err := server.clear(); err != nil {
				t.Fatal(err)
			}
			a.signsInBetween(t, server, at[0], at[1])
			if t.Failed() {
				t.Fatalf("a login that began at instance %d and came back to %d", at[0], at[1])
			}
		}
	})
}

// signsInBetween signs in before and after a logout. The login begins at one
// instance and comes back to another.
func (a *sessionProcesses) signsInBetween(t *testing.T, server *sessionServer, begin, finish int) {
	t.Helper()
	v := a.visitor(t)
	wantReply(t, v.finish(finish, v.begin(begin, "user0")), http.StatusSeeOther, "")
	// IdleTimeout is a minute, too.
	v.wantSeen("user0")
	other := a.visitor(t)
	callback := other.begin(begin, "user0")
	token := a.provider.LogoutToken(processClient, "user0", "")
	wantReply(t, a.backChannel(t, begin, token), http.StatusOK, "")
	v.wantSeen("")
	got := other.finish(finish, callback)
	if got.status != http.StatusBadRequest || !strings.Contains(got.text, "session.ended_meanwhile") {
		t.Errorf("the login ended with %d: %s", got.status, got.text)
	}
	other.wantSeen("")
	if server.ageMarks == nil {
		return
	}
	// A minute for the clocks and one for the skew that is provided for.
	if err := server.ageMarks(2*time.Minute + time.Second); err != nil {
		t.Fatal(err)
	}
	wantReply(t, other.finish(finish, other.begin(begin, "user0")), http.StatusSeeOther, "")
	other.wantSeen("user0")
}

// begin is a login at an instance until the provider sends the browser back.
func (v *visitor) begin(at int, user string) *http.Request {
	v.t.Helper()
	v.at = at
	v.app.provider.SetUser(user)
	callback, err := v.app.provider.Callback(v.Client, v.app.url+"/login")
	if err != nil {
		v.t.Fatal(err)
	}
	return callback
}

// finish is the rest of the login, at an instance.
func (v *visitor) finish(at int, callback *http.Request) reply {
	v.t.Helper()
	v.at = at
	return v.read(v.Do(callback))
}
