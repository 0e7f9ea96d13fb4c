package interop

import (
	"cmp"
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode/grant"
	"example.com/authcode/grant/sqlstore"
	"example.com/authcode/session"
)

// TestMaxSessionsOnInstances: two instances admit one session more than there
// may be, one of them at each step of the other, and then really at once.
func TestMaxSessionsOnInstances(t *testing.T) {
	onSessionServers(t, false, func(t *testing.T, server *sessionServer) {
		for _, refuse := range []bool{false, true} {
			t.Run(fmt.Sprint("refuse ", refuse), func(t *testing.T) { fillUp(t, server, refuse) })
		}
	})
}

const maxSessions = 30

var placeSteps = []sessionStep{
	{"Create session", 1}, {"after Create session", 1}, {"after Load mark", 3}, {"Load person", 1},
	{"after Load person", 1}, {"Find session", 1}, {"after Find session", 1}, {"Swap person", 1},
	{"after Swap person", 1},
}

func fillUp(t *testing.T, server *sessionServer, refuse bool) {
	if err := server.clear(); err != nil {
		t.Fatal(err)
	}
	a := newSessionApp(t, server, func(c *session.Config) {
		c.MaxSessions, c.RefuseMore = maxSessions, refuse
	})
	var in []*visitor // who is signed in, the oldest first
	for i := range maxSessions {
		v := a.visitor(t)
		v.signIn(i%3, "user0")
		in = append(in, v)
	}
	for _, s := range append(placeSteps, sessionStep{}) {
		if refuse { // makes room for one
			in[0].do("POST", "/logout")
			in = in[1:]
		}
		one, two := a.visitor(t), a.visitor(t)
		if s.step == "" {
			var wg sync.WaitGroup
			wg.Go(func() { one.login(0, "user0") })
			wg.Go(func() { two.login(1, "user0") })
			wg.Wait()
		} else {
			a.instances[0].Gate.At(s.step, s.nth, func() { two.login(1, "user0") })
			one.login(0, "user0")
			if a.instances[0].Gate.Waits() {
				t.Fatalf("%s was not reached", s.step)
			}
		}
		in = wantLimit(t, append(in, one, two), a, s.step, refuse)
	}
}

// wantLimit checks that all but one or two are signed in, and returns them.
func wantLimit(t *testing.T, all []*visitor, a *sessionApp, step string, refuse bool) (in []*visitor) {
	t.Helper()
	step = cmp.Or(step, "both at once")
	list, err := a.instances[2].Sessions.Sessions(t.Context(), a.provider.URL, "user0")
	if err != nil || len(list) != maxSessions {
		t.Errorf("%s: there are %d sessions, want %d (%v)", step, len(list), maxSessions, err)
	}
	for i, v := range all {
		isIn := v.do("GET", "/account").status == http.StatusOK
		if isIn {
			in = append(in, v)
		}
		isNew := i >= len(all)-2
		if !refuse && isIn != (i >= 2) || refuse && !isNew && !isIn {
			t.Errorf("%s: number %d of %d is signed in: %v", step, i, len(all), isIn)
		}
	}
	if len(in) != maxSessions {
		t.Errorf("%s: %d are signed in, want %d", step, len(in), maxSessions)
	}
	return in
}

// TestSessionsDuringAnOutage: while the server is stopped, people see a page with
// status 503, a provider comes again, and nobody signs in. Then everybody is
// signed in as before.
func TestSessionsDuringAnOutage(t *testing.T) {
	onSessionServers(t, true, func(t *testing.T, server *sessionServer) {
		a := newSessionApp(t, server, nil)
		v, new := a.visitor(t), a.visitor(t)
		v.signIn(0, "user0")
		if err := server.stop(); err != nil {
			t.Fatal(err)
		}
		for v.at = range a.instances {
			for _, r := range [][2]string{{"GET", "/account"}, {"POST", "/account"}, {"POST", "/logout"}} {
				got := v.do(r[0], r[1])
				if got.status != 503 || !strings.Contains(got.text, "This site cannot look up who you are") {
					t.Errorf("%s %s at instance %d answers %d %.200s", r[0], r[1], v.at, got.status, got.text)
				}
			}
		}
		if got := new.login(1, "user1"); got.status != 503 || new.cookie() != nil {
			t.Errorf("the login ended with %d %.200s", got.status, got.text)
		}
		token := a.logoutToken(t, "user2", "")
		if got := a.backChannel(t, 2, token); got.status != 503 {
			t.Errorf("the logout answers %d", got.status)
		}
		if v.cookie() == nil {
			t.Error("the cookie is gone")
		}
		if err := server.start(); err != nil {
			t.Fatal(err)
		}
		v.wantSeen("user0")
		if got := a.backChannel(t, 2, token); got.status != 200 {
			t.Errorf("the logout answers %d", got.status)
		}
		new.signIn(1, "user1")
		v.at = 1
		v.do("POST", "/logout")
		v.wantSeen("")
		new.wantSeen("user1")
	})
}

// TestSessionKeysRoll: while new keys are deployed one instance after the other,
// everybody stays signed in and End reaches everybody. When the old key goes, who
// has a session of it signs in again.
func TestSessionKeysRoll(t *testing.T) {
	onSessionServers(t, false, func(t *testing.T, server *sessionServer) {
		a := newSessionApp(t, server, nil)
		old, new := newKey(), newKey()
		rings := [][][]byte{{old}, {old, new}, {new, old}, {new}}
		var stores [3]grant.Store
		deploy := func(i int, ring [][]byte) {
			a.deploy(t, i, stores[i], func(c *session.Config) { c.Keys = ring })
		}
		for i := range stores {
			stores[i] = server.open(t)
			deploy(i, rings[0])
		}
		first, user := a.visitor(t), 0
		first.signIn(0, "user19")
		for _, ring := range rings[1:3] {
			for i := range stores {
				deploy(i, ring)
				first.wantSeen("user19")
				user++
				endsEverywhere(t, a, fmt.Sprint("user", user))
			}
		}
		second := a.visitor(t)
		second.signIn(2, "user18")
		a.saw("")
		for i := range stores {
			deploy(i, rings[3])
			second.wantSeen("user18")
			first.at = i
			// Some seconds after the sign-in it is the page with status 401.
			got := first.do("GET", "/account")
			if got.status != 303 && got.status != 401 || !a.saw(session.Undecryptable) {
				t.Errorf("without the old key, instance %d answers %d", i, got.status)
			}
		}
		first.signIn(0, "user19")
		first.wantSeen("user19")
	})
}

// endsEverywhere signs a person in at each instance, and ends all three sessions
// at the instance that the number of the person says.
func endsEverywhere(t *testing.T, a *sessionApp, user string) {
	t.Helper()
	var all []*visitor
	for i := range a.instances {
		v := a.visitor(t)
		v.signIn(i, user)
		v.wantSeen(user)
		v.at = (i + 1) % 3
		v.do("GET", "/set") // seals the session with that instance's key
		v.wantSeen(user)
		all = append(all, v)
	}
	at := int(user[len(user)-1]) % 3
	if err := a.instances[at].End(t.Context(), a.provider.URL, user, ""); err != nil {
		t.Error(err)
	}
	for _, v := range all {
		v.wantSeen("")
	}
}

// loggedStore is a store that logs its statements, and its database.
func loggedStore(t *testing.T) (*sqlstore.Store, *sql.DB, *statementLog) {
	t.Helper()
	p := thePostgres(t)
	dsn := p.dsn(newDatabase(t, "pgx", p.dsn("postgres", "")), "")
	db, log := openLogged(t, "pgx", dsn)
	store := sqlstore.New(db, sqlstore.PostgreSQL)
	if err := store.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store, openDB(t, "pgx", dsn), log
}

// TestSessionStatements: Require sends PostgreSQL exactly one statement, also if
// it saves when the person was last seen. A token is one more.
func TestSessionStatements(t *testing.T) {
	store, other, log := loggedStore(t)
	server := &sessionServer{open: func(testing.TB) grant.Store { return store }}
	a, key := newSessionApp(t, server, nil), newKey()
	for _, row := range []struct {
		name, path string
		cache      time.Duration
		ago        time.Duration // since the person was seen
		statements int
		touches    bool
	}{
		{"seen just now", "/account", 0, 0, 1, false},
		{"seen some time ago", "/account", 0, 2 * time.Minute, 1, true},
		{"a token", "/token", 0, 0, 2, false},
		{"a token, seen some time ago", "/token", 0, 2 * time.Minute, 2, true},
		{"the status", "/status", 0, 2 * time.Minute, 1, false},
		{"from the cache", "/account", time.Minute, 2 * time.Minute, 0, false},
	} {
		a.deploy(t, 0, store, func(c *session.Config) {
			c.Keys, c.CacheFor, c.IdleTimeout = [][]byte{key}, row.cache, time.Hour
		})
		a.instances[0].Gate.Plain = true
		if err := emptyRecords(other); err != nil {
			t.Fatal(err)
		}
		v := a.visitor(t)
		v.signIn(0, "user0")
		v.do("GET", "/account") // fills the cache, if there is one
		before := lastSeen(t, other, row.ago)
		log.take()
		if got := v.do("GET", row.path); got.status != http.StatusOK {
			t.Fatalf("%s: %d %s", row.name, got.status, got.text)
		}
		if sent := log.take(); len(sent) != row.statements {
			t.Errorf("%s: %d statements, want %d: %v", row.name, len(sent), row.statements, sent)
		}
		if touched := lastSeen(t, other, 0) > before; touched != row.touches {
			t.Errorf("%s: saved when the person was seen: %v, want %v", row.name, touched, row.touches)
		}
	}
}

// lastSeen says when somebody was last seen in the only session, by the clock of
// the database, after having made that longer ago.
func lastSeen(t *testing.T, db *sql.DB, ago time.Duration) (at int64) {
	t.Helper()
	const text = `UPDATE authcode_records SET seen_at = seen_at - $1
		WHERE kind = 'session' RETURNING seen_at`
	if err := db.QueryRow(text, ago.Microseconds()).Scan(&at); err != nil {
		t.Fatal(err)
	}
	return at
}

// TestSessionsWhileTheStoreHangs: while somebody locks the table in PostgreSQL,
// people see the page of an outage after some seconds.
func TestSessionsWhileTheStoreHangs(t *testing.T) {
	store, other, _ := loggedStore(t)
	a := newSessionApp(t, &sessionServer{open: func(testing.TB) grant.Store { return store }}, nil)
	v := a.visitor(t)
	v.signIn(0, "user0")
	tx, err := other.Begin()
	if err == nil {
		_, err = tx.Exec("LOCK TABLE authcode_records")
	}
	if err != nil {
		t.Fatal(err)
	}
	v.Timeout = 4 * patience
	if got := v.do("GET", "/account"); got.status != http.StatusServiceUnavailable {
		t.Errorf("the answer is %d %.200s", got.status, got.text)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	v.wantSeen("user0")
}
