package fapi_test

import (
	"cmp"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// word is part of every text that a table makes the provider say.
const word = "canary-word-5e1f"

// row is a login, or a request after one, at a provider with one planted fault.
type row struct {
	name   string
	at     authserver.Place
	faults []authserver.Fault
	plant  func(*world) []authserver.Fault // further faults, of what the world has
	beside map[authserver.Place][]authserver.Fault

	reason authcode.Reason
	check  string // empty: nothing is refused

	in       setup
	asked    int              // requests at the place; zero: one
	until    authserver.Place // the last place that is asked; empty: at
	during   authserver.Place // what meets the fault: a login, or Refresh, Revocation, Introspection, Resource
	repeats  bool             // net/http asks again by itself: GET, on a connection that it had before
	hopeless bool             // the fault is the provider itself: no login can follow
	status   int              // of the API's answer, which comes back as it is
}

// rowsAt returns the functions that make the rows of a table: refused, and accepted.
func rowsAt(at authserver.Place, in setup) (
	refused func(string, authcode.Reason, string, ...authserver.Fault) row, accepted func(string, ...authserver.Fault) row,
) {
	refused = func(name string, reason authcode.Reason, check string, faults ...authserver.Fault) row {
		return row{name: name, at: at, faults: faults, reason: reason, check: check, in: in}
	}
	accepted = func(name string, faults ...authserver.Fault) row {
		return row{name: name, at: at, faults: faults, in: in}
	}
	return refused, accepted
}

func (r row) times(n int) row                                { r.asked = n; return r }
func (r row) reaching(p authserver.Place) row                { r.until = p; return r }
func (r row) answered(status int) row                        { r.status = status; return r }
func (r row) planting(f func(*world) []authserver.Fault) row { r.plant = f; return r }
func (r row) and(p authserver.Place, faults ...authserver.Fault) row {
	r.beside = maps.Clone(r.beside)
	if r.beside == nil {
		r.beside = make(map[authserver.Place][]authserver.Fault)
	}
	r.beside[p] = faults
	return r
}

// under changes the app of every row, and its name.
func under(rows []row, name string, change func(*setup)) []row {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].name = name + ": " + rows[i].name
		change(&rows[i].in)
	}
	return rows
}

// step is what the row does, once its fault is planted.
func (r row) step() authserver.Place {
	if r.during != "" {
		return r.during
	}
	switch r.at {
	case authserver.Refresh, authserver.Revocation, authserver.Resource, authserver.Introspection:
		return r.at
	case authserver.IntrospectionJWT:
		return authserver.Introspection
	}
	return authserver.Token
}

// endpointOf is where the answer comes from that a place is part of.
func endpointOf(at authserver.Place) authserver.Place {
	switch at {
	case authserver.JARM:
		return authserver.Authorization
	case authserver.IDToken:
		return authserver.Token
	case authserver.IntrospectionJWT:
		return authserver.Introspection
	}
	return at
}

// requests are those that the row has to cause, and no others: a retry or a step too many shows here.
func (r row) requests() map[authserver.Place]int {
	want := make(map[authserver.Place]int)
	step, at, until := r.step(), endpointOf(r.at), endpointOf(r.until)
	if until == "" {
		until = at
	}
	path := []authserver.Place{step}
	if step == authserver.Token {
		path = []authserver.Place{authserver.PAR, authserver.Authorization, authserver.Token}
		if r.in.userInfo {
			path = append(path, authserver.UserInfo)
		}
		if r.in.noPAR {
			path = path[1:]
		}
		if until == authserver.Discovery && r.check != "" {
			path = nil
		}
	}
	for _, place := range path {
		want[place] = 1
		if place == at || place == until {
			want[place] = cmp.Or(r.asked, 1)
		}
		if place == until && r.check != "" {
			break
		}
	}
	maps.DeleteFunc(want, func(_ authserver.Place, n int) bool { return n < 0 })
	return want
}

// counted are the places whose requests are counted: metadata and keys are cached.
var counted = []authserver.Place{
	authserver.PAR, authserver.Authorization, authserver.Token, authserver.Refresh, authserver.Revocation,
	authserver.Introspection, authserver.UserInfo, authserver.Resource,
}

// run does what each row says, each in a world of its own: what is refused has the row's reason and check and
// tells nothing, the provider sees the requests that it has to and no others, and a login without the fault
// succeeds afterwards.
func run(t *testing.T, rows []row) {
	t.Helper()
	var idle pool
	t.Cleanup(idle.close)
	for _, r := range slices.Concat(rows, under(rows, "wrapped", func(s *setup) { s.wrapped = true })) {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			x := idle.take(r.in)
			defer idle.put(x)
			x.begin(t, r.in)
			x.prepare(r.step())
			x.set(r)
			if r.step() == authserver.Introspection {
				x.newClient() // an instance that has loaded no metadata yet
			}
			before := x.counts()
			got := x.do(r.step())
			x.want(r, got)
			x.wantRequests(r, before)
			x.wantNoSecrets(got.err)
			if x.srv.ClearFaults(); !r.hopeless {
				x.recover(r)
			}
			x.wantFresh()
		})
	}
}

func (x *world) set(r row) {
	faults := slices.Clone(r.faults)
	if r.plant != nil {
		faults = append(faults, r.plant(x)...)
	}
	x.srv.SetFaults(r.at, faults...)
	for place, faults := range r.beside {
		x.srv.SetFaults(place, faults...)
	}
}

func (x *world) counts() map[authserver.Place]int {
	n := make(map[authserver.Place]int)
	for _, r := range x.srv.Requests(counted...) {
		n[r.Place]++
	}
	return n
}

// want compares what came of a step with the row.
func (x *world) want(r row, got outcome) {
	x.t.Helper()
	switch {
	case r.check == "" && got.err != nil:
		x.t.Fatalf("refused: %v", got.err)
	case r.check == "" && r.status != got.status:
		x.t.Errorf("the API's answer has status %d, want %d", got.status, r.status)
	case r.check == "":
		return
	case got.err == nil:
		x.t.Fatalf("accepted, want %s (%s)", r.check, r.reason)
	case got.err.Check != r.check || got.err.Reason != r.reason:
		x.t.Errorf("refused by %s (%s), want %s (%s)", got.err.Check, got.err.Reason, r.check, r.reason)
	}
	if got.err.Provider == "" && r.step() != authserver.Introspection && r.step() != authserver.Resource {
		x.t.Error("the error names no provider")
	}
	x.wantAnswer(r)
}

// wantAnswer looks at the app's answer to a browser whose login was refused.
func (x *world) wantAnswer(r row) {
	x.t.Helper()
	if r.step() != authserver.Token {
		return
	}
	last := x.lastAnswer()
	place := "callback"
	if at := endpointOf(cmp.Or(r.until, r.at)); at == authserver.PAR || at == authserver.Discovery {
		place = "login"
	}
	if last.at != place || last.header.Get("Location") != "" || last.status != r.reason.Status() {
		x.t.Errorf("%s answered %d, to %q", last.at, last.status, last.header.Get("Location"))
	}
	// What is not, or not yet, an answer to this login leaves it as it is.
	untouched := []authcode.Reason{authcode.Malformed, authcode.Forged, authcode.NoLogin}
	if last.header.Get("Set-Cookie") != "" && (place == "login" || slices.Contains(untouched, r.reason)) {
		x.t.Error("the refusal touches the cookies")
	}
}

func (x *world) wantRequests(r row, before map[authserver.Place]int) {
	x.t.Helper()
	got := x.counts()
	for place, n := range before {
		if got[place] -= n; got[place] == 0 {
			delete(got, place)
		}
	}
	if r.repeats {
		got[r.at] = min(got[r.at], 1)
	}
	if want := r.requests(); !maps.Equal(got, want) {
		x.t.Errorf("the provider saw %v, want %v", got, want)
	}
	if n := trapped.Load(); n != 0 {
		x.t.Errorf("%d requests reached another server", n)
	}
	for _, seen := range x.srv.Requests(authserver.Discovery, authserver.JWKS, authserver.Authorization) {
		if seen.Certificate != "" {
			x.t.Errorf("a certificate was shown at %s", seen.Place)
		}
	}
}

// recover signs in after the fault is gone: nothing may be left of it. What cannot be loaded is not asked
// for again for some seconds, so another instance of the app does that.
func (x *world) recover(r row) {
	x.t.Helper()
	if r.check != "" && r.step() == authserver.Token {
		x.finishPending(r)
	}
	if r.at == authserver.Discovery || r.at == authserver.JWKS || r.beside[authserver.Discovery] != nil {
		x.newClient()
	}
	x.patient.Store(true)
	x.browser = x.newBrowser()
	step := r.step()
	if step == authserver.Token || step == authserver.Refresh || step == authserver.Revocation { // or there is one
		got := x.do(authserver.Token)
		if got.err != nil {
			x.t.Fatalf("afterwards, without the fault: %v", got.err)
		}
		if x.login = got.login; got.login.Identity == nil || got.login.Identity.Subject != "alice" {
			x.t.Errorf("afterwards, without the fault: %+v signed in", got.login.Identity)
		}
	}
	if step != authserver.Token {
		if got := x.do(step); got.err != nil || got.info != nil && !got.info.Active || got.status > 200 {
			x.t.Errorf("afterwards, without the fault: %s: %+v", step, got)
		}
	}
}

// trapped counts what reached the server that nobody may ask anything.
var trapped atomic.Int32

var trap = sync.OnceValue(func() string {
	handler := func(http.ResponseWriter, *http.Request) { trapped.Add(1) }
	return httptest.NewServer(http.HandlerFunc(handler)).URL + "/" + word
})
