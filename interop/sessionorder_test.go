package interop

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// sessionProgram is the program of the instances, with the right clock.
var sessionProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "authcode-sessions-")
	if err != nil {
		return "", err
	}
	whenDone(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "instance")
	cmd := exec.Command("go", "build", "-o", program, "./sessiontest/instance")
	cmd.Env = append(os.Environ(), "GOWORK=off")
	cmd.Stderr = os.Stderr
	return program, cmd.Run()
})

// orderRequests are what the laptop does at instance 0, and the steps there.
// Each Load of Require touches the session. The first Swap of a renewal takes
// the lease, and the second one saves the token.
var orderRequests = []sessionRequest{
	{"use", visit("GET", "/account"), []sessionStep{{"Load session", 1}, {"after Load session", 1}}},
	{"renewal", visit("GET", "/renew"), []sessionStep{{"after Swap grant", 1}, {"Swap grant", 2}}},
	{"sign-in", func(v *visitor) { v.login(0, "user0") }, []sessionStep{
		{"Create session", 1}, {"after Load mark", 1},
	}},
}

// orderEnd is how instance 1 ends sessions of user0: those of all, or only that
// of the laptop. tab is a second tab of the laptop.
type orderEnd struct {
	name  string
	all   bool
	end   func(t *testing.T, a *sessionProcesses, tab, phone *visitor)
	steps []sessionStep
}

var orderEnds = []orderEnd{
	{"back-channel logout", true, func(t *testing.T, a *sessionProcesses, _, _ *visitor) {
		token := a.provider.LogoutToken(processClient, "user0", "")
		wantReply(t, a.backChannel(t, 1, token), http.StatusOK, "")
	}, []sessionStep{{"Find session", 1}, {"after Delete session", 1}}},
	{"sign out everywhere", true, func(t *testing.T, _ *sessionProcesses, _, phone *visitor) {
		phone.at = 1
		wantReply(t, phone.do("POST", "/everywhere"), http.StatusOK, "user0 <nil>")
	}, []sessionStep{{"after Create mark", 1}, {"Delete session", 1}}},
	{"EndAll", true, func(t *testing.T, _ *sessionProcesses, _, phone *visitor) {
		phone.at = 1
		wantReply(t, phone.do("POST", "/endall"), http.StatusOK, "<nil>")
	}, []sessionStep{{"Create mark", 1}, {"Delete grant", 1}}},
	{"sign-out", false, func(t *testing.T, _ *sessionProcesses, tab, _ *visitor) {
		tab.at = 1
		wantReply(t, tab.do("POST", "/logout"), http.StatusSeeOther, "")
	}, []sessionStep{{"Delete grant", 1}, {"Delete session", 1}}},
}

func wantReply(t *testing.T, got reply, status int, text string) {
	t.Helper()
	if got.status != status || text != "" && got.text != text {
		t.Errorf("the answer is %d %.200s, want %d %s", got.status, got.text, status, text)
	}
}

// TestSessionsEndInProcesses is TestSessionsEndInEachOrder with instances that
// are processes: one of them is stopped in the middle of an operation while
// another one ends sessions, and the other way round.
func TestSessionsEndInProcesses(t *testing.T) {
	program, err := sessionProgram()
	if err != nil {
		t.Fatal(err)
	}
	onSessionServers(t, false, func(t *testing.T, server *sessionServer) {
		a, rows := startSessionProcesses(t, server, program, [3]int{}), 0
		for _, end := range orderEnds {
			for _, request := range orderRequests {
				for _, s := range request.steps {
					a.endsInOrder(t, server, end, request, s, true)
				}
				for _, s := range end.steps {
					a.endsInOrder(t, server, end, request, s, false)
				}
				rows += len(request.steps) + len(end.steps)
			}
		}
		t.Logf("%d orders", rows)
	})
}

// endsInOrder stops the request at a step while the other process ends sessions,
// or the end while the other process answers the request.
func (a *sessionProcesses) endsInOrder(
	t *testing.T, server *sessionServer, end orderEnd, request sessionRequest, s sessionStep,
	requestStops bool,
) {
	t.Helper()
	if err := server.clear(); err != nil {
		t.Fatal(err)
	}
	a.left(t) // forgets what was there
	laptop, tab, phone, thief := a.visitor(t), a.visitor(t), a.visitor(t), a.visitor(t)
	laptop.signIn(2, "user0")
	phone.signIn(1, "user0")
	laptop.at = 0
	tab.keep(laptop.cookie())
	thief.keep(laptop.cookie())
	ask := func() { request.run(laptop) }
	stop := func() { end.end(t, a, tab, phone) }
	name := end.name + " at " + s.step + ", " + request.name
	if requestStops {
		name = request.name + " at " + s.step + ", " + end.name
		a.whileStopped(t, name, 0, s, ask, stop)
	} else {
		a.whileStopped(t, name, 1, s, stop, ask)
	}
	thief.wantSeen("")
	// A sign-out ends one session. One that the browser begins anew is another.
	wantLaptop, wantPhone, wantLeft := "", "", 0
	if !end.all {
		wantPhone, wantLeft = "user0", 1
		if request.name == "sign-in" {
			wantLaptop, wantLeft = "user0", 2
		}
	}
	laptop.wantSeen(wantLaptop)
	phone.wantSeen(wantPhone)
	if sessions, grants := a.left(t); sessions != wantLeft || grants != wantLeft {
		t.Errorf("%d sessions and %d grants are left, want %d", sessions, grants, wantLeft)
	}
	if t.Failed() {
		t.Fatal(name)
	}
}
