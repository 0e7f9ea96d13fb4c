package interop

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/interop/killtest"
	"golang.org/x/oauth2"
)

const (
	killPeople = 200
	killApps   = 3 // instances of the app; one worker is added
)

// TestKill: while instances of an app are killed and stopped, connections are
// cut and the store goes away, no grant is renewed twice at a time, no refresh
// token is sent again without need, and nobody is signed out without need. See
// killVerdict for the exceptions.
//
// KILLTEST_SECONDS says for how long, and KILLTEST_SEED repeats the decisions of
// a run, though not its timing. For five minutes on one store:
//
//	KILLTEST_SECONDS=300 GOWORK=off go test -count=1 -v -timeout 15m -run TestKill/PostgreSQL .
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	for _, s := range killStores {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel() // the rows share nothing but the machine
			runKill(t, s, s.start(t))
		})
	}
}

// killSeconds says for how long the instances are killed.
func killSeconds(t *testing.T) int {
	seconds := 10
	if os.Getenv("CI") == "true" {
		seconds = 30
	}
	if text := os.Getenv("KILLTEST_SECONDS"); text != "" {
		var err error
		if seconds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	return seconds
}

// killSeed is random, unless KILLTEST_SEED says which one.
func killSeed(t *testing.T) uint64 {
	seed := rand.Uint64() >> 32
	if text := os.Getenv("KILLTEST_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	return seed
}

// runKill runs the test on one store.
func runKill(t *testing.T, s killStore, b *killBackend) {
	seconds, seed := killSeconds(t), killSeed(t)
	r := newKillRun(t, s, b, seed)
	c := &killChaos{
		killRun: r, random: rand.New(rand.NewPCG(seed, 2)), freeze: 8 * time.Second,
	}
	if seconds > 60 {
		c.freeze = 40 * time.Second
	}
	for slot := range killApps + 1 {
		c.slots = append(c.slots, &killSlot{name: fmt.Sprint("app", slot), worker: slot == killApps})
		c.start(c.slots[slot])
	}
	c.rage(time.Duration(seconds) * time.Second)
	c.settle()
	r.report(seed, seconds)
}

// killRun is what one run knows.
type killRun struct {
	t        *testing.T
	store    killStore
	backend  *killBackend
	provider *killProvider
	url      string
	program  string
	grants   *grant.Grants // the test's own
	clients  map[string]*authcode.Client
	log      *killLog

	signing [killPeople]sync.Mutex
	ids     [killPeople]string // of the grants that people have
	current [killPeople]*killFamily
}

func newKillRun(t *testing.T, s killStore, b *killBackend, seed uint64) *killRun {
	r := &killRun{
		t: t, store: s, backend: b, provider: newKillProvider(seed), program: theKillInstance(t),
		log: newKillLog(),
	}
	r.provider.signIn = r.signIn
	server := httptest.NewServer(r.provider)
	t.Cleanup(server.Close)
	r.url = server.URL
	store, err := killtest.Open(s.of(), b.direct)
	if err != nil {
		t.Fatal(err)
	}
	if r.clients, err = killtest.Clients(r.url, "test"); err != nil {
		t.Fatal(err)
	}
	if r.grants, err = killtest.Grants(store, r.clients, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

// signIn returns the ID of a person's grant. If that is the one that has ended,
// according to an instance, the person signs in again.
func (r *killRun) signIn(person int, ended, instance string) (string, error) {
	r.signing[person].Lock()
	defer r.signing[person].Unlock()
	id, former := r.ids[person], r.current[person]
	if id != "" && id != ended {
		return id, nil
	}
	if former != nil && former.ended == 0 {
		r.provider.mu.Lock()
		former.ended, former.endedBy = killtest.Now(), instance
		r.provider.mu.Unlock()
	}
	family, access, refresh := r.provider.newFamily(person)
	login := &authcode.Login{
		Provider: family.kind,
		Token: &oauth2.Token{
			AccessToken: access, RefreshToken: refresh, TokenType: killtest.TokenType(family.kind),
			Expiry: time.Now().Add(killTokenLife),
		},
		Identity: &authcode.Identity{Issuer: killtest.Issuer, Subject: fmt.Sprint(person)},
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	id, err := r.grants.Save(ctx, r.clients[family.kind], login)
	if err != nil {
		return "", err // the store is away: this login is forgotten
	}
	r.ids[person], r.current[person] = id, family
	r.log.families(grant.Key{Kind: "grant", ID: sha256.Sum256([]byte("authcode grant " + id))}, family)
	return id, nil
}

// settle lets everybody go on without trouble, and then finds out who is still
// signed in.
func (c *killChaos) settle() {
	c.provider.mu.Lock()
	c.provider.calm = true
	c.provider.mu.Unlock()
	time.Sleep(3 * time.Second)
	for _, s := range c.slots {
		c.stop(s)
	}
	var busy sync.WaitGroup
	slots := make(chan struct{}, 8)
	for person := range killPeople {
		slots <- struct{}{}
		busy.Go(func() {
			c.lastCall(person)
			<-slots
		})
	}
	busy.Wait()
}

// lastCall asks for a person's token until there is one, or the grant has ended.
func (r *killRun) lastCall(person int) {
	id := r.ids[person]
	if id == "" {
		return
	}
	var err error
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		_, err = r.grants.Handle(id).Renew(r.t.Context(), nil)
		var e *authcode.Error
		switch {
		case err == nil:
			return
		case asAuthcode(err, &e) && e.Final:
			f := r.current[person]
			f.ended, f.endedBy = cmp.Or(f.ended, killtest.Now()), cmp.Or(f.endedBy, "test")
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
	r.t.Errorf("person %d has no token in the end: %v", person, err)
}
