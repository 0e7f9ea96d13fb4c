package sessiontest_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"

	"example.com/authcode/interop/sessiontest"
)

// scsStore is a store of scs that stops at a step: Find, Commit, Delete or All.
type scsStore struct {
	*memstore.MemStore
	gate *sessiontest.Gate
}

func (s *scsStore) Find(token string) ([]byte, bool, error) {
	defer s.gate.Pass("Find", "session")()
	return s.MemStore.Find(token)
}

func (s *scsStore) Commit(token string, b []byte, expiry time.Time) error {
	defer s.gate.Pass("Commit", "session")()
	return s.MemStore.Commit(token, b, expiry)
}

func (s *scsStore) Delete(token string) error {
	defer s.gate.Pass("Delete", "session")()
	return s.MemStore.Delete(token)
}

func (s *scsStore) All() (map[string][]byte, error) {
	defer s.gate.Pass("All", "session")()
	return s.MemStore.All()
}

// scsInstance is one instance of an app built as the documentation of scs shows.
type scsInstance struct {
	*scs.SessionManager
	gate    *sessiontest.Gate
	handler http.Handler
}

func newScsInstance(shared *memstore.MemStore, idle time.Duration) *scsInstance {
	in := &scsInstance{SessionManager: scs.New(), gate: new(sessiontest.Gate)}
	in.Store, in.IdleTimeout = &scsStore{shared, in.gate}, idle
	mux := http.NewServeMux()
	mux.HandleFunc("/use", func(w http.ResponseWriter, r *http.Request) {
		if in.GetString(r.Context(), "user") == "" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	mux.HandleFunc("/renewal", func(_ http.ResponseWriter, r *http.Request) {
		in.Put(r.Context(), "token", []byte("the next"))
	})
	mux.HandleFunc("/sign-in", func(_ http.ResponseWriter, r *http.Request) {
		in.RenewToken(r.Context())
		in.Put(r.Context(), "user", "alice")
		in.Put(r.Context(), "token", []byte("the first"))
	})
	mux.HandleFunc("/logout", func(_ http.ResponseWriter, r *http.Request) { in.Destroy(r.Context()) })
	in.handler = in.LoadAndSave(mux)
	return in
}

// do sends a request with a cookie, and returns the status and the new cookie.
func (in *scsInstance) do(path, cookie string) (status int, next string) {
	r := httptest.NewRequest("POST", path, nil)
	r.AddCookie(&http.Cookie{Name: "session", Value: cookie})
	w := httptest.NewRecorder()
	in.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		next = c.Value
	}
	return w.Code, next
}

// endAlice ends all sessions of alice: what an app does for a back-channel
// logout, for signing out everywhere, and for all people of a provider.
func (in *scsInstance) endAlice() error {
	return in.Iterate(context.Background(), func(ctx context.Context) error {
		if in.GetString(ctx, "user") != "alice" {
			return errors.New("a session of nobody")
		}
		return in.Destroy(ctx)
	})
}

// scsOrder is a row of TestSessionsEndInProcesses: what a request does, what ends
// the session, and which of the two is stopped at a step.
type scsOrder struct {
	request, end, step string
	requestStops       bool
}

func scsOrders() (rows []scsOrder) {
	const store = " session"
	for end, endSteps := range map[string][]string{
		"back-channel logout": {"All", "after Delete"}, "sign out everywhere": {"All", "Delete"},
		"EndAll": {"All", "Delete"}, "sign-out": {"Find", "Delete"},
	} {
		for request, steps := range map[string][]string{
			"use": {"Find", "after Find"}, "renewal": {"after Find", "Commit"},
			"sign-in": {"after Find", "Commit"},
		} {
			for i := range 2 {
				rows = append(rows, scsOrder{request, end, steps[i] + store, true},
					scsOrder{request, end, endSteps[i] + store, false})
			}
		}
	}
	return rows
}

// TestScsInEachOrder is a reference: how many rows of the table of
// TestSessionsEndInProcesses leave a session of scs that was ended. It asserts
// nothing about scs.
func TestScsInEachOrder(t *testing.T) {
	for _, idle := range []time.Duration{time.Minute, 0} {
		var revived, signedIn, all int
		for _, row := range scsOrders() {
			old, new := row.play(t, idle)
			all++
			if old {
				revived++
				t.Logf("IdleTimeout %v, revived: %+v", idle, row)
			}
			// A sign-out is not about a sign-in that is under way.
			if new && row.end != "sign-out" {
				signedIn++
			}
		}
		t.Logf("scs %s with IdleTimeout %v: of %d orders, %d revive a session that was ended, "+
			"and in %d a sign-in that began before goes through", scs2, idle, all, revived, signedIn)
	}
}

const scs2 = "2.9.0"

// play reports whether the old cookie is signed in afterwards, and one that a
// sign-in under way has made.
func (o scsOrder) play(t *testing.T, idle time.Duration) (old, new bool) {
	shared := memstore.NewWithCleanupInterval(0)
	a, b := newScsInstance(shared, idle), newScsInstance(shared, idle)
	_, cookie := a.do("/sign-in", "")
	next := ""
	request := func() { _, next = a.do("/"+o.request, cookie) }
	end := func() {
		if o.end == "sign-out" {
			b.do("/logout", cookie)
		} else if err := b.endAlice(); err != nil {
			t.Error(err)
		}
	}
	first, second, stops := end, request, b
	if o.requestStops {
		first, second, stops = request, end, a
	}
	stops.gate.At(o.step, 1, second)
	first()
	if stops.gate.Waits() {
		t.Fatalf("%+v: the step was not reached", o)
	}
	status, _ := b.do("/use", cookie)
	old = status == http.StatusOK
	if next != "" && next != cookie {
		status, _ = b.do("/use", next)
		new = status == http.StatusOK
	}
	return old, new
}
