package grant_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/test/world"
)

// idp is a provider that rotates refresh tokens and ends the grant when a spent
// one comes again, unless it was spent less than reuse ago. It takes a second
// and rotates in the middle of it.
type idp struct {
	reuse time.Duration

	mu      sync.Mutex
	n, busy int
	spent   map[string]time.Time
	ended   bool
	overlap bool // two requests at the same time
	busyFor int  // how many requests it answers with 503
}

func (p *idp) answer(r *world.Request) (*http.Response, error) {
	p.mu.Lock()
	p.busy++
	p.overlap = p.overlap || p.busy > 1
	p.mu.Unlock()
	time.Sleep(time.Second / 2)
	resp := p.redeem(r.Form.Get("refresh_token"))
	time.Sleep(time.Second / 2)
	p.mu.Lock()
	p.busy--
	p.mu.Unlock()
	return resp, nil
}

func (p *idp) redeem(refresh string) *http.Response {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busyFor > 0 {
		p.busyFor--
		return world.Reply(503, "")
	}
	at, used := p.spent[refresh]
	if p.ended = p.ended || used && time.Since(at) > p.reuse; p.ended {
		return world.Reply(400, `{"error":"invalid_grant"}`)
	}
	if !used {
		p.spent[refresh] = time.Now()
	}
	p.n++
	return world.Reply(200, fmt.Sprintf(
		`{"access_token":"at-%d","refresh_token":"rt-%d","expires_in":60}`, p.n, p.n))
}

// overlapped reports whether two requests came at the same time.
func (p *idp) overlapped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.overlap
}

func (p *idp) isEnded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// node is an instance that can be stopped at a step.
type node struct {
	*grant.Grants
	store grant.Store
	over  chan struct{} // the test has ended

	mu     sync.Mutex
	step   string        // where it stops, once
	freeze time.Duration // zero: it dies
	fault  error         // in place of both: what the step answers after it was executed, once
	until  time.Time
	dead   bool
	away   time.Time // until then, its store fails

	created []grant.Key
	passed  []string // all steps
}

// pass is called at each step of the node.
func (n *node) pass(step string) (fault error) {
	n.mu.Lock()
	n.passed = append(n.passed, step)
	if n.step == step && n.step != "" {
		n.step = ""
		switch {
		case n.fault != nil:
			fault = n.fault
		case n.freeze > 0:
			n.until = time.Now().Add(n.freeze)
		default:
			n.dead = true
		}
	}
	until, dead := n.until, n.dead
	n.mu.Unlock()
	if dead {
		<-n.over
		runtime.Goexit()
	}
	time.Sleep(time.Until(until))
	return fault
}

// stop makes the node stop at a step.
func (n *node) stop(step string, freeze time.Duration, fault error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.step, n.freeze, n.fault = step, freeze, fault
}

// outage makes the node's store fail for some time, from now on.
func (n *node) outage(d time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.away = time.Now().Add(d)
}

func (n *node) isAway() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Now().Before(n.away)
}

// around makes an operation a step. A frozen process times out when it wakes
// up.
func around[T any](ctx context.Context, n *node, step string, do func() (T, error)) (v T, err error) {
	n.pass("before " + step)
	if ctx.Err() != nil {
		return v, ctx.Err()
	}
	if step != "send" && n.isAway() {
		return v, errAway
	}
	v, err = do()
	if fault := n.pass("after " + step); fault != nil {
		return *new(T), fault
	}
	return v, err
}

func (n *node) Create(ctx context.Context, r grant.Record) error {
	n.mu.Lock()
	n.created = append(n.created, r.Key)
	n.mu.Unlock()
	_, err := around(ctx, n, "create", func() (int, error) { return 0, n.store.Create(ctx, r) })
	return err
}

func (n *node) Load(ctx context.Context, key grant.Key, touch time.Duration) (grant.Record, error) {
	return around(ctx, n, "load", func() (grant.Record, error) { return n.store.Load(ctx, key, touch) })
}

func (n *node) Swap(ctx context.Context, key grant.Key, s grant.Swap) (grant.Record, error) {
	step := "take"
	switch {
	case s.Content != nil && s.Lease > 0:
		step = "unchecked"
	case s.Content != nil:
		step = "save"
	case s.Lease == 0:
		step = "give up"
	}
	return around(ctx, n, step, func() (grant.Record, error) { return n.store.Swap(ctx, key, s) })
}

func (n *node) Delete(ctx context.Context, key grant.Key, version int64) error {
	_, err := around(ctx, n, "delete", func() (int, error) { return 0, n.store.Delete(ctx, key, version) })
	return err
}

func (n *node) Find(
	ctx context.Context, kind string, i grant.Index, d grant.Digest, after grant.ID, limit int,
) ([]grant.Record, error) {
	return n.store.Find(ctx, kind, i, d, after, limit)
}

func (n *node) Sweep(ctx context.Context, limit int) ([]grant.Key, bool, error) {
	n.pass("sweep")
	if n.isAway() {
		return nil, false, errAway
	}
	return n.store.Sweep(ctx, limit)
}

// node is a new instance, whose Client asks whose a token is after it has come.
func (a *app) node(t *testing.T, changes ...func(*grant.Config)) *node {
	n := &node{store: a.store, over: make(chan struct{})}
	t.Cleanup(func() { close(n.over) })
	client := world.Client(t, a.provider, func(c *authcode.Config) {
		c.Wrap = func(http.RoundTripper) http.RoundTripper {
			return world.RoundTrip(func(r *http.Request) (*http.Response, error) {
				return around(r.Context(), n, "send", func() (*http.Response, error) {
					return a.provider.RoundTrip(r)
				})
			})
		}
		c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
			n.pass("before check")
			return nil, nil
		}
	})
	n.Grants = a.instance(t, append(changes, func(c *grant.Config) {
		c.Store, c.Clients = n, grant.Clients(client)
	})...)
	return n
}

// newWorld is an app at a provider that accepts a spent token for some time.
func newWorld(t *testing.T, reuse time.Duration) (*app, *idp) {
	p := &idp{reuse: reuse, spent: make(map[string]time.Time)}
	a := newApp(t)
	a.provider.Answer = p.answer
	return a, p
}

// running runs Run of instances until the test ends.
func running(t *testing.T, instances ...*node) {
	for _, n := range instances {
		go n.Run(t.Context())
	}
}

var (
	errLost = errors.New("the answer was lost")
	errAway = errors.New("the store is away")
)

// outcomesOf are the outcomes since the last call, in one line.
func (a *app) outcomesOf() (line string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, o := range a.outcomes {
		line += " " + string(o)
	}
	a.outcomes = nil
	return strings.TrimSpace(line)
}

// asked are the requests at the token endpoint.
func (a *app) asked() int { return len(a.provider.Requests("/token")) }
