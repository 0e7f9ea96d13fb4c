package test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// watch is a hook that notes the operations in the order of their ends, and what
// the provider saw of them.
type watch struct {
	mu    sync.Mutex
	lines []string
}

type pathKey struct{}

// pathOf is the operations that a context belongs to, such as callback/token_request.
func pathOf(ctx context.Context) string {
	path, _ := ctx.Value(pathKey{}).(string)
	return path
}

func (s *watch) note(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *watch) observe(
	ctx context.Context, op authcode.Operation,
) (context.Context, func(*authcode.Error)) {
	path := strings.TrimPrefix(pathOf(ctx)+"/"+string(op.Kind), "/")
	return context.WithValue(ctx, pathKey{}, path), func(e *authcode.Error) {
		line := op.Provider + " " + path
		if e != nil {
			line += ": " + string(e.Reason) + " " + e.Check + " of " + e.Provider
			e.Reason = "changed by the hook" // the copy is the hook's
		}
		s.note(line)
	}
}

// watched is a Client with the hook, at p.
func (s *watch) watched(
	t *testing.T, p *world.Provider, changes ...func(*authcode.Config),
) *authcode.Client {
	return world.Client(t, p, append(changes, func(c *authcode.Config) {
		c.Observe = s.observe
		c.Wrap = world.Through(world.RoundTrip(func(r *http.Request) (*http.Response, error) {
			s.note("request of " + pathOf(r.Context()))
			return p.RoundTrip(r)
		}))
	})...)
}

func (s *watch) want(t *testing.T, lines ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.lines, lines) {
		t.Errorf("observed\n%s\nwant\n%s", strings.Join(s.lines, "\n"), strings.Join(lines, "\n"))
	}
}

const refusedGrant = `{"error":"invalid_grant"}`

// TestObserveLogin: a login is a start and a callback, with the requests inside.
func TestObserveLogin(t *testing.T) {
	for _, row := range []struct {
		name    string
		answer  world.Answer
		changes []func(*authcode.Config)
		code    string
		check   string
		want    []string
	}{
		{"a login succeeds", nil, nil, "c0de", "", []string{
			"x start", "request of callback/token_request", "x callback/token_request", "x callback"}},
		{"the code is refused", world.Always(400, refusedGrant), nil, "c0de", "answer.error", []string{
			"x start", "request of callback/token_request",
			"x callback/token_request: grant_rejected answer.error of x",
			"x callback: grant_rejected answer.error of x"}},
		{"the callback is forged", nil, nil, "", "callback.code", []string{
			"x start", "x callback: malformed callback.code of x"}},
		{"nobody is identified", nil, []func(*authcode.Config){func(c *authcode.Config) {
			c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
				return nil, nil
			}
		}}, "c0de", "identity.subject", []string{
			"x start", "request of callback/token_request", "x callback/token_request",
			"x callback: identity_refused identity.subject of x"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, p := &watch{}, &world.Provider{Answer: row.answer}
			c := s.watched(t, p, row.changes...)
			_, err := world.Begin(t, c, nil).Exchange(c, "code", row.code)
			var e *authcode.Error
			if errors.As(err, &e); (e == nil) != (row.check == "") || e != nil &&
				(e.Check != row.check || e.Reason == "changed by the hook") {
				t.Errorf("got %v", err)
			}
			s.want(t, row.want...)
		})
	}
}

// TestObserveStart: what a start asks the provider is inside it, and a failed
// start is told.
func TestObserveStart(t *testing.T) {
	s, p := &watch{}, world.Answering(201, world.Pushed)
	world.Begin(t, s.watched(t, p, world.Pushing), nil)
	s.want(t, "request of start/push", "x start/push", "x start")

	s = &watch{}
	c := s.watched(t, p, world.LookedUp(func(ctx context.Context, _ *authcode.Connection) (authcode.Endpoints, error) {
		s.note("metadata of " + pathOf(ctx))
		return authcode.Endpoints{}, authcode.NewError(authcode.Unreachable, "metadata.down", "down", nil)
	}))
	_, _, err := world.Start(c)
	world.WantError(t, err, authcode.Unreachable, "metadata.down")
	s.want(t, "metadata of start", "x start: unreachable metadata.down of x")
}

// TestObserveRenewal: each way to refresh a token is one renewal. What the app's
// own store says is no failure of it.
func TestObserveRenewal(t *testing.T) {
	errFull := errors.New("the disk is full")
	full := func(context.Context, *oauth2.Token) error { return errFull }
	identity := func(c *authcode.Config) {
		c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
			return nil, nil
		}
	}
	ways := map[string]func(context.Context, *authcode.Client) error{
		"Refresh": func(ctx context.Context, c *authcode.Client) error {
			_, err := c.Refresh(ctx, world.Expired())
			return err
		},
		"Renew": func(ctx context.Context, c *authcode.Client) error {
			_, _, err := c.Renew(ctx, world.Expired(), full)
			return err
		},
		"TokenSource": func(ctx context.Context, c *authcode.Client) error {
			_, err := c.TokenSource(world.Expired(), full).Token(ctx)
			return err
		},
	}
	ctx := context.WithValue(t.Context(), pathKey{}, "page")
	for name, refresh := range ways {
		s := &watch{}
		err := refresh(ctx, s.watched(t, &world.Provider{}, identity))
		if err != nil && !errors.Is(err, errFull) || name != "Refresh" && err == nil {
			t.Errorf("%s: %v", name, err)
		}
		s.want(t, "request of page/renewal/token_request", "x page/renewal/token_request", "x page/renewal")
		s = &watch{}
		err = refresh(ctx, s.watched(t, world.Answering(400, refusedGrant)))
		world.WantError(t, err, authcode.GrantRejected, "answer.error")
		s.want(t, "request of page/renewal/token_request",
			"x page/renewal/token_request: grant_rejected answer.error of x",
			"x page/renewal: grant_rejected answer.error of x")
	}
}

// TestObserveMisbehaves: no fault of the hook fails a login.
func TestObserveMisbehaves(t *testing.T) {
	type hook = func(context.Context, authcode.Operation) (context.Context, func(*authcode.Error))
	for name, h := range map[string]hook{
		"it panics when an operation begins": func(context.Context, authcode.Operation) (context.Context, func(*authcode.Error)) {
			panic("canary-panic")
		},
		"it panics when an operation ends": func(ctx context.Context, _ authcode.Operation) (context.Context, func(*authcode.Error)) {
			return ctx, func(*authcode.Error) { panic("canary-panic") }
		},
		"it returns nothing": func(context.Context, authcode.Operation) (context.Context, func(*authcode.Error)) {
			return nil, nil
		},
		"it returns a context that has ended": func(ctx context.Context, _ authcode.Operation) (context.Context, func(*authcode.Error)) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, nil
		},
		"it returns a context that never ends": func(context.Context, authcode.Operation) (context.Context, func(*authcode.Error)) {
			return context.Background(), nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			log := logged(t)
			p := &world.Provider{Answer: func(r *world.Request) (*http.Response, error) {
				if _, bounded := r.Context().Deadline(); !bounded || r.Context().Err() != nil {
					t.Error("the hook has changed when the request ends")
				}
				return world.Reply(200, world.TokenJSON), nil
			}}
			c := world.Client(t, p, func(c *authcode.Config) { c.Observe = h })
			world.Begin(t, c, nil).Finish(t, c)
			if strings.Contains(name, "panics") != strings.Contains(log.String(), "Config.Observe panicked") ||
				strings.Contains(log.String(), "canary") {
				t.Errorf("the log has %s", log)
			}
		})
	}
}

// logged is what slog's default logger gets during the test.
func logged(t *testing.T) *bytes.Buffer {
	var log bytes.Buffer
	former := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	t.Cleanup(func() { slog.SetDefault(former) })
	return &log
}

// TestObservePanic: an operation has an end also if the app's code panics in it.
func TestObservePanic(t *testing.T) {
	s := &watch{}
	c := s.watched(t, &world.Provider{}, func(c *authcode.Config) {
		c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
			panic("a mistake")
		}
	})
	l := world.Begin(t, c, nil)
	func() {
		defer func() {
			if recover() != "a mistake" {
				t.Error("the panic does not reach the app's server")
			}
		}()
		c.Exchange(httptest.NewRecorder(), l.Callback())
	}()
	s.want(t, "x start", "request of callback/token_request", "x callback/token_request",
		"x callback: configuration operation.panic of x")
}
