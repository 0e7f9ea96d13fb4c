package interop

import (
	"net/http"
	"testing"
)

// sessionStep is where a request stops, for the nth time.
type sessionStep struct {
	step string
	nth  int
}

// sessionRequest is what a browser does, and the steps of its instance.
type sessionRequest struct {
	name  string
	run   func(v *visitor)
	steps []sessionStep
}

func visit(method, path string) func(*visitor) {
	return func(v *visitor) { v.do(method, path) }
}

// The first Load of a session is that of Require, which touches it.
var sessionRequests = []sessionRequest{
	{"use", visit("GET", "/account"), []sessionStep{{"Load session", 1}, {"after Load session", 1}}},
	{"token", visit("GET", "/token"), []sessionStep{{"Load grant", 1}, {"after Load grant", 1}}},
	{"renewal", visit("GET", "/renew"), []sessionStep{
		{"Swap grant", 1}, {"after Swap grant", 1}, {"Swap grant", 2}, {"after Swap grant", 2},
	}},
	{"value", visit("GET", "/set"), []sessionStep{
		{"after Load session", 2}, {"Swap session", 1}, {"after Swap session", 1},
	}},
	{"sign-out", visit("POST", "/logout"), []sessionStep{
		{"Delete session", 1}, {"after Delete session", 1}, {"Delete grant", 1},
	}},
	// There are marks for an issuer, a person and a sid.
	{"sign-in", func(v *visitor) { v.login(0, "user0") }, []sessionStep{
		{"Create grant", 1}, {"after Create grant", 1}, {"Create session", 1}, {"after Create session", 1},
		{"Load mark", 1}, {"after Load mark", 1}, {"after Load mark", 2}, {"after Load mark", 3},
		{"Delete session", 1}, // the browser's former one
	}},
}

// sessionEnds are the ways in which instance 1 ends all sessions of user0, and
// the steps there.
var sessionEnds = []struct {
	name string
	end  func(t *testing.T, a *sessionApp, phone *visitor)
}{
	{"back-channel logout of the person", func(t *testing.T, a *sessionApp, _ *visitor) {
		logOut(t, a, "user0", "")
	}},
	{"back-channel logout of the sid", func(t *testing.T, a *sessionApp, _ *visitor) {
		logOut(t, a, "", "user0-1")
	}},
	{"sign out everywhere", func(t *testing.T, a *sessionApp, phone *visitor) {
		phone.at = 1
		if got := phone.do("POST", "/everywhere"); got.text != "user0 <nil>" {
			t.Errorf("signing out everywhere answers %d %s", got.status, got.text)
		}
	}},
	{"EndAll", func(t *testing.T, a *sessionApp, _ *visitor) {
		if err := a.instances[1].EndAll(t.Context(), a.provider.URL); err != nil {
			t.Error(err)
		}
	}},
}

func logOut(t *testing.T, a *sessionApp, subject, sid string) {
	t.Helper()
	if got := a.backChannel(t, 1, a.logoutToken(t, subject, sid)); got.status != http.StatusOK {
		t.Errorf("the logout answers %d", got.status)
	}
}

var endSteps = []sessionStep{
	{"Create mark", 1}, {"after Create mark", 1}, {"Find session", 1}, {"after Find session", 1},
	{"Delete session", 1}, {"after Delete session", 1}, {"Delete grant", 1}, {"after Delete grant", 1},
}

// TestSessionsEndInEachOrder: all sessions of a person end at one instance while
// another one is in the middle of a request. Afterwards nobody is signed in
// anywhere, and neither a session nor a grant is left. Each order is forced.
func TestSessionsEndInEachOrder(t *testing.T) {
	onSessionServers(t, false, func(t *testing.T, server *sessionServer) {
		a := newSessionApp(t, server, nil)
		for _, end := range sessionEnds {
			for _, request := range sessionRequests {
				for _, s := range request.steps {
					endsDuring(t, a, server, request.name+" at "+s.step+", "+end.name, 0, s,
						func(laptop, _ *visitor) { request.run(laptop) },
						func(_, phone *visitor) { end.end(t, a, phone) })
				}
				for _, s := range endSteps {
					endsDuring(t, a, server, end.name+" at "+s.step+", "+request.name, 1, s,
						func(_, phone *visitor) { end.end(t, a, phone) },
						func(laptop, _ *visitor) { request.run(laptop) })
				}
			}
		}
	})
}

// endsDuring does something until instance i comes to a step, then something
// else, and then goes on with the first.
func endsDuring(
	t *testing.T, a *sessionApp, server *sessionServer, name string, i int, s sessionStep,
	first, second func(laptop, phone *visitor),
) {
	t.Helper()
	if err := server.clear(); err != nil {
		t.Fatal(err)
	}
	a.created.Take()
	laptop, phone := a.visitor(t), a.visitor(t)
	laptop.signIn(2, "user0")
	phone.signIn(1, "user0")
	laptop.at = 0
	before := laptop.cookie()
	a.instances[i].Gate.At(s.step, s.nth, func() { second(laptop, phone) })
	first(laptop, phone)
	if a.instances[i].Gate.Waits() {
		t.Fatalf("%s: the step was not reached", name)
	}
	laptop.wantSeen("")
	phone.wantSeen("")
	thief := a.visitor(t)
	thief.keep(before)
	thief.wantSeen("")
	for _, key := range a.created.Take() {
		if r, err := a.instances[0].Gate.Load(t.Context(), key, 0); err == nil {
			t.Errorf("a %s is left, which ends in %v", key.Kind, r.Left)
		}
	}
	if t.Failed() {
		t.Fatal(name)
	}
}

// TestSessionsOnInstances: who signs in at one instance is signed in at all, and
// signs out of all.
func TestSessionsOnInstances(t *testing.T) {
	onSessionServers(t, false, func(t *testing.T, server *sessionServer) {
		a := newSessionApp(t, server, nil)
		for i := range a.instances {
			v, other := a.visitor(t), a.visitor(t)
			v.signIn(i, "user1")
			other.signIn(0, "user1")
			v.wantSeen("user1")
			v.at = (i + 1) % 3
			for _, path := range []string{"/token", "/renew", "/set"} {
				if got := v.do("GET", path); got.text != "user1 <nil>" {
					t.Errorf("%s: %d %s", path, got.status, got.text)
				}
			}
			v.at = (i + 2) % 3
			before := v.cookie()
			v.do("POST", "/logout")
			v.wantSeen("")
			v.keep(before)
			v.wantSeen("")
			other.wantSeen("user1")
		}
	})
}
