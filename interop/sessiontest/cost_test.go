package sessiontest_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"golang.org/x/oauth2"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/session"
	"example.com/authcode/test/measure"
	"example.com/authcode/test/world"
)

// aLogin is a login with an identity and a token such as providers give.
func aLogin(subject string) *authcode.Login {
	claims := map[string]any{
		"iss": world.Issuer, "sub": subject, "aud": "client", "sid": subject + "-1",
		"exp": json.Number("1900000000"), "iat": json.Number("1800000000"),
		"name": "Alice Example", "locale": "en", "groups": []any{"staff", "admins"},
	}
	token := (&oauth2.Token{
		AccessToken: "at-" + subject + "-0123456789012345678901234567890123456789",
		TokenType:   "Bearer", RefreshToken: "rt-" + subject + "-0123456789012345678901234567890123456789",
		Expiry: time.Now().Add(time.Hour),
	}).WithExtra(map[string]any{"id_token": string(make([]byte, 800))})
	return &authcode.Login{
		Token: token, Started: time.Now(), Provider: "x", Scopes: []string{"openid", "email"},
		Identity: &authcode.Identity{
			Issuer: world.Issuer, Subject: subject, Email: "alice@example.com", EmailVerified: true,
			Name: "Alice Example", Claims: claims,
		},
	}
}

// signIn signs somebody in, and returns a request of the browser's.
func signIn(t testing.TB, s *session.Sessions, client *authcode.Client, subject string) *http.Request {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", world.RedirectURL, nil)
	if err := s.Start(w, r, client, aLogin(subject)); err != nil {
		t.Fatal(err)
	}
	r = httptest.NewRequest("GET", world.AppURL+"/account", nil)
	r.AddCookie(w.Result().Cookies()[0])
	return r
}

func newSessions(t testing.TB, store grant.Store) *session.Sessions {
	s, err := session.New(session.Config{
		Store: store, Keys: [][]byte{world.Key('s')}, LoginURL: "/login", IdleTimeout: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// scsWith is a handler of scs, and a request of a browser whose session holds
// what aLogin has, in the way in which apps store it.
func scsWith(t testing.TB, idle time.Duration, next http.Handler) (http.Handler, *http.Request) {
	m := scs.New()
	m.Store, m.IdleTimeout = memstore.NewWithCleanupInterval(0), idle
	login := aLogin("alice")
	who, err := json.Marshal(login.Identity)
	if err != nil {
		t.Fatal(err)
	}
	token, err := authcode.MarshalToken(login.Token)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	m.LoadAndSave(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		m.Put(r.Context(), "identity", who)
		m.Put(r.Context(), "token", token)
	})).ServeHTTP(w, httptest.NewRequest("GET", world.AppURL, nil))
	r := httptest.NewRequest("GET", world.AppURL+"/account", nil)
	r.AddCookie(w.Result().Cookies()[0])
	return m.LoadAndSave(next), r
}

// BenchmarkRequire is a request through Require with the store in memory, beside
// the same through scs. They take turns, so that a busy machine slows both. It
// reports ratio: our time by that of scs with an IdleTimeout, which Require has,
// too, and ratio-no-idle: by that of scs without one.
func BenchmarkRequire(b *testing.B) {
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	client := world.Client(b, &world.Provider{})
	s := newSessions(b, grant.NewMemory(0))
	own, ownRequest := s.Require(nothing), signIn(b, s, client, "alice")
	idle, idleRequest := scsWith(b, time.Hour, nothing)
	plain, plainRequest := scsWith(b, 0, nothing)
	w := unread{make(http.Header)}
	run := func(all *[]time.Duration, h http.Handler, r *http.Request) {
		const turns = 20
		began := time.Now()
		for range turns {
			clear(w.header)
			h.ServeHTTP(w, r)
		}
		*all = append(*all, time.Since(began)/turns)
	}
	var took, tookIdle, tookPlain []time.Duration
	for b.Loop() {
		run(&took, own, ownRequest)
		run(&tookIdle, idle, idleRequest)
		run(&tookPlain, plain, plainRequest)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(took), "own-ns")
	b.ReportMetric(median(tookIdle), "scs-ns")
	b.ReportMetric(median(tookPlain), "scs-no-idle-ns")
	b.ReportMetric(median(took)/median(tookIdle), "ratio")
	b.ReportMetric(median(took)/median(tookPlain), "ratio-no-idle")
	b.ReportMetric(testing.AllocsPerRun(1000, func() { own.ServeHTTP(w, ownRequest) }), "own-allocs")
	b.ReportMetric(testing.AllocsPerRun(1000, func() { idle.ServeHTTP(w, idleRequest) }), "scs-allocs")
}

// median is in nanoseconds. What else the machine does falls on some turns only.
func median(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2])
}

// unread is a response that nobody reads, so that it costs next to nothing.
type unread struct{ header http.Header }

func (w unread) Header() http.Header         { return w.header }
func (w unread) Write(b []byte) (int, error) { return len(b), nil }
func (w unread) WriteHeader(int)             {}

// TestRequireAllocations bounds what a request costs, whatever the machine.
func TestRequireAllocations(t *testing.T) {
	s := newSessions(t, grant.NewMemory(0))
	r := signIn(t, s, world.Client(t, &world.Provider{}), "alice")
	calls := 0
	h := s.Require(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls++ }))
	w := httptest.NewRecorder()
	if n := testing.AllocsPerRun(1000, func() { h.ServeHTTP(w, r) }); n > 25 || calls < 1000 {
		t.Errorf("a request takes %v allocations, want 25 or fewer; %d calls came through", n, calls)
	}
}

// manySessions is how many people are signed in at once below.
const manySessions = 50_000

// BenchmarkMemory reports what a session with its grant takes in memory, when
// there are 50,000.
func BenchmarkMemory(b *testing.B) {
	client := world.Client(b, &world.Provider{})
	for b.Loop() {
		before := measure.Heap()
		store := grant.NewMemory(0)
		fill(b, newSessions(b, store), client, manySessions)
		b.ReportMetric(float64(measure.Heap()-before)/manySessions, "B/session")
		runtime.KeepAlive(store)
	}
	b.ReportMetric(0, "ns/op")
}

func fill(t testing.TB, s *session.Sessions, client *authcode.Client, n int) {
	for i := range n {
		signIn(t, s, client, "person-"+string(rune('a'+i%26))+time.Duration(i).String())
	}
}

// BenchmarkSweep is one call of Sweep, as Run makes it, when the records of
// 50,000 sessions and their grants have all expired.
func BenchmarkSweep(b *testing.B) {
	store, more := grant.NewMemory(0), false
	for b.Loop() {
		if !more {
			b.StopTimer()
			expired(b, store, 2*manySessions)
			time.Sleep(time.Millisecond)
			b.StartTimer()
		}
		var err error
		if _, more, err = store.Sweep(b.Context(), sweepLimit); err != nil {
			b.Fatal(err)
		}
	}
}

// sweepLimit is that of grant.Grants.Run.
const sweepLimit = 200

// expired stores n records that expire in a millisecond.
func expired(t testing.TB, store grant.Store, n int) {
	for range n {
		r := grant.Record{Key: grant.Key{Kind: "session"}, Version: 1}
		rand.Read(r.ID[:])
		rand.Read(r.Digests[grant.ByPerson][:])
		r.Expires = time.Millisecond
		if err := store.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSweepIsBounded: one call of Sweep deletes no more than its limit, so it
// keeps requests waiting for a bounded time.
func TestSweepIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 10
		store := grant.NewMemory(0)
		expired(t, store, calls*sweepLimit)
		time.Sleep(time.Second)
		for i := range calls {
			_, more, err := store.Sweep(t.Context(), sweepLimit)
			if err != nil || more != (i < calls-1) {
				t.Errorf("call %d of %d: there are more to delete: %v (%v)", i+1, calls, more, err)
			}
		}
	})
}
