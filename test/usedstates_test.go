package test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/clock"
	"example.com/authcode/test/world"
)

// usedStates is a store that instances share.
type usedStates struct {
	mu   sync.Mutex
	seen map[string]time.Time
	err  error

	elsewhere bool // another instance was there first, whatever the id
}

func (u *usedStates) Use(_ context.Context, id string, until time.Time) (bool, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		return false, u.err
	}
	_, used := u.seen[id]
	used = used || u.elsewhere
	u.seen[id] = until
	return !used, nil
}

func TestUsedStates(t *testing.T) {
	store := &usedStates{seen: make(map[string]time.Time)}
	w := world.New(t, func(c *config) { c.UsedStates = store })
	b := w.Browser()
	callback := b.Callback("")
	w.WantStatus(b.Get(callback), http.StatusSeeOther)
	if len(store.seen) != 1 {
		t.Fatalf("the store holds %d ids, want 1", len(store.seen))
	}
	for id, until := range store.seen {
		left := time.Until(until)
		if len(id) != 26 || left < 9*time.Minute || left > 12*time.Minute {
			t.Errorf("id %q until %v", id, until)
		}
		if id == world.Param(callback, "state") {
			t.Error("the store was told the state itself")
		}
	}
	store.elsewhere = true
	w.WantFailure(b.Get(b.Callback("")), authcode.AlreadyUsed, "used_states.used")
	w.WantTokenRequests(1)
	store.elsewhere = false

	t.Run("a store that fails refuses", func(t *testing.T) {
		w.In(t)
		store.err = errors.New("store: password " + world.CanarySecret)
		resp := w.Browser().SignIn("")
		w.WantFailure(resp, authcode.Overloaded, "used_states")
		if resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		w.WantTokenRequests(1)
	})
}

// downStore fails. The rest of a Store is not there.
type downStore struct{ grant.Store }

var errDown = errors.New("no such table: authcode_records")

func (downStore) Create(context.Context, grant.Record) error { return errDown }

func (s downStore) Use(ctx context.Context, id string, until time.Time) (bool, error) {
	return grant.UseState(ctx, s, id, until)
}

// TestUsedStatesDown: the log says what this module's own stores say, as it does
// for grants and sessions. The page does not.
func TestUsedStatesDown(t *testing.T) {
	var log bytes.Buffer
	former := slog.Default()
	t.Cleanup(func() { slog.SetDefault(former) })
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	p := world.Answering(200, world.TokenJSON)
	c := world.Client(t, p, func(c *config) { c.UsedStates = downStore{} })
	rec := httptest.NewRecorder()
	_, err := c.Exchange(rec, world.Begin(t, c, nil).Callback())
	world.WantError(t, err, authcode.Overloaded, "used_states")
	if !errors.Is(err, errDown) || strings.Contains(err.Error(), errDown.Error()) {
		t.Errorf("the error is %q, and wraps the store's: %v", err, errors.Is(err, errDown))
	}
	c.Refuse(rec, world.Get("/callback"), err)
	if !strings.Contains(log.String(), errDown.Error()) ||
		strings.Contains(rec.Body.String(), errDown.Error()) {
		t.Errorf("the log has %q and the page %q", &log, rec.Body)
	}
}

// TestUsedStatesOutliveAKeptAnswer: a store may forget an id only when no
// instance accepts the login any more. With form_post, that is the answer's time
// after the login's.
func TestUsedStatesOutliveAKeptAnswer(t *testing.T) {
	store, now := &usedStates{seen: make(map[string]time.Time)}, new(clock.Clock)
	p := world.Answering(200, world.TokenJSON)
	c := world.Client(t, p, formPost, func(c *config) { c.UsedStates, c.Clock = store, now })
	l := world.Begin(t, c, nil)
	clock.Advance(now, 10*time.Minute-time.Second)
	answer := httptest.NewRequest("POST", world.RedirectURL,
		strings.NewReader(l.Callback().URL.RawQuery))
	answer.Header = l.Callback().Header
	answer.Header.Set("Content-Type", formType)
	rec := httptest.NewRecorder()
	_, err := c.Exchange(rec, answer)
	world.WantError(t, err, authcode.Continued, "callback.form_post")
	// The last moment at which the answer is accepted.
	clock.Advance(now, 2*time.Minute-time.Second)
	finish := world.Get(world.RedirectURL + rec.Header().Get("Location"))
	for _, cookie := range rec.Result().Cookies() {
		finish.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	if _, err := c.Exchange(httptest.NewRecorder(), finish); err != nil {
		t.Fatal(err)
	}
	for _, until := range store.seen {
		if left := until.Sub(now.Now()); left <= 0 {
			t.Errorf("the id is kept until %v ago, so another instance would redeem it again", -left)
		}
	}
}
