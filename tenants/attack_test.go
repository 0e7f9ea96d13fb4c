package tenants_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// TestSignedResponsesOfTwo: each login with a signed response is redeemed as one
// of its own, and never gets the outcome of somebody else's.
func TestSignedResponsesOfTwo(t *testing.T) {
	for claim, change := range map[string]func(*authcode.Config){
		"by GET": func(*authcode.Config) {}, "by POST": formPost,
	} {
		t.Run(claim, func(t *testing.T) {
			a := newApp(t, 1)
			srv := a.provider()
			a.tenant("signed", srv, a.ownPath, change, func(cfg *authcode.Config) {
				cfg.MessageSigning.SignedResponses = true
			})
			a.browser().wantSignIn("signed", srv)
			a.browser().wantSignIn("signed", srv)
			a.wantOneOutcome(a.browser(), a.browser(), srv)
		})
	}
}

// wantOneOutcome finishes logins of two browsers at once. Each signs in.
func (a *app) wantOneOutcome(first, second *browser, srv *authserver.Server) {
	a.t.Helper()
	one, two := first.callback("signed", srv), second.callback("signed", srv)
	type answer struct {
		status int
		err    error
	}
	answers := make(chan answer, 2)
	for b, r := range map[*browser]*http.Request{first: one, second: two} {
		go func() {
			resp, err := srv.Deliver(b.Client, r)
			if err != nil {
				answers <- answer{err: err}
				return
			}
			resp.Body.Close()
			answers <- answer{status: resp.StatusCode}
		}()
	}
	for range 2 {
		if got := <-answers; got.err != nil || got.status != http.StatusOK {
			a.t.Errorf("of two logins at once, one ended with %d: %v, %v", got.status, got.err, a.lastError())
		}
	}
}

// TestRepeatedState: parameters that came twice are refused before one of them
// decides anything.
func TestRepeatedState(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.tenant("posts", srv, formPost)
	r := a.browser().posted("posts", srv)
	body := r.PostForm.Encode() + "&state=another"
	// Without its cookie, as after a double click.
	again := httptest.NewRequest(http.MethodPost, a.URL+"/callback", strings.NewReader(body))
	again.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err := a.instances[0].Exchange(httptest.NewRecorder(), again)
	world.WantError(t, err, authcode.Malformed, "callback.repeated")
}

// TestRequestOfAnotherRegistry: what one registry has opened is nothing to
// another one, even if the app passes the request on.
func TestRequestOfAnotherRegistry(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.tenant("one", srv)
	other := newApp(t, 1, func(cfg *tenants.Config) {
		cfg.CookieKeys, cfg.Load, cfg.Transport = [][]byte{world.Key('o')}, a.load, a.transport
		cfg.RedirectURL, cfg.OwnRedirectURL = a.URL+"/callback", ""
	})
	var err error
	handler := a.instances[0].CallbackHandler(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) {
			_, err = other.instances[0].Exchange(httptest.NewRecorder(), r)
		}))
	b := a.browser()
	r := b.callback("one", srv)
	for _, c := range b.Jar.Cookies(r.URL) {
		r.AddCookie(c)
	}
	handler.ServeHTTP(httptest.NewRecorder(), r)
	world.WantError(t, err, authcode.Forged, "state.tag")
}

// TestContextOfAnotherLogin: what was opened for one request is not taken for
// another one with its context.
func TestContextOfAnotherLogin(t *testing.T) {
	registry := inMemory(t, quick)
	login := registry.LoginHandler(pathKey)
	first, second := start(t, login, "t1"), start(t, login, "t1")
	finished := 0
	handler := registry.CallbackHandler(http.HandlerFunc(
		func(_ http.ResponseWriter, r *http.Request) {
			one, _ := authcode.FromContext(r.Context())
			_, err := one.Client().Exchange(httptest.NewRecorder(), second.WithContext(r.Context()))
			if err != nil {
				t.Error(err)
			}
			finished++
		}))
	handler.ServeHTTP(httptest.NewRecorder(), first)
	if finished != 1 {
		t.Error("the first login did not finish")
	}
}

// TestEndTenantOfAFullStore: what EndTenant ends makes room for its mark, and a
// login that had begun before is refused.
func TestEndTenantOfAFullStore(t *testing.T) {
	const sessions = 2
	a := newSignedInAt(t, grant.NewMemory(2*sessions)) // with their grants
	srv, other := a.provider(), a.provider()
	a.tenant("one", srv)
	a.tenant("two", other)
	b, c := a.browser(), a.browser()
	b.signIn("one", srv)
	c.signIn("two", other)
	late := a.browser()
	begun := late.callback("one", srv)
	if err := a.sessions.EndTenant(t.Context(), srv.URL, "one"); err != nil {
		t.Error(err)
	}
	b.want("/t/one/account", http.StatusUnauthorized, "") // just signed in: no circle
	c.want("/t/two/account", http.StatusOK, "alice of two")
	// Room for one more session, beside two marks.
	if err := a.sessions.EndAll(t.Context(), other.URL); err != nil {
		t.Error(err)
	}
	status, text := late.deliver(srv, begun)
	if status != http.StatusBadRequest || !strings.Contains(text, "were ended a moment ago") {
		t.Errorf("a login that had begun before EndTenant: %d %s", status, text)
	}
}

// usedBy is UsedStates that keeps the deadline of its last call.
type usedBy struct{ deadline time.Time }

func (u *usedBy) Use(ctx context.Context, _ string, _ time.Time) (bool, error) {
	u.deadline, _ = ctx.Deadline()
	return true, nil
}

// TestBudgetOfCallback: ten seconds from the arrival of a callback, with what
// Load takes.
func TestBudgetOfCallback(t *testing.T) {
	var loaded time.Time
	used := new(usedBy)
	a := newApp(t, 1, func(cfg *tenants.Config) {
		load := cfg.Load
		cfg.UsedStates = used
		cfg.Load = func(ctx context.Context, key string) (authcode.Config, string, error) {
			loaded = time.Now()
			return load(ctx, key)
		}
	})
	srv := a.provider()
	a.tenant("one", srv)
	b := a.browser()
	r := b.callback("one", srv)
	a.forget("one")
	if status, text := b.deliver(srv, r); status != http.StatusOK {
		t.Fatal(status, text, a.lastError())
	}
	if over := used.deadline.Sub(loaded.Add(10 * time.Second)); over > 0 {
		t.Errorf("the callback may take %v more than ten seconds", over)
	}
}

// TestEndTenantNeedsBoth: an empty argument would mean everybody.
func TestEndTenantNeedsBoth(t *testing.T) {
	a := newSignedIn(t)
	world.WantError(t, a.sessions.EndTenant(t.Context(), "", "one"), authcode.Configuration, "session.end")
	world.WantError(t, a.sessions.EndTenant(t.Context(), "https://i.example", ""), authcode.Configuration, "session.end")
}

// TestEachLoginHasItsVersion: of two former Configs, which differ in the secret
// alone, a login ends with the one that it began with.
func TestEachLoginHasItsVersion(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	right := a.tenant("k", srv)
	b := a.browser()
	first := b.callback("k", srv)
	wrong := right
	wrong.version, wrong.cfg.ClientAuth = "2", authcode.Secret("another secret of the same length")
	a.set("k", wrong)
	second := b.callback("k", srv)
	right.version = "3"
	a.set("k", right)
	if status, text := b.deliver(srv, first); status != http.StatusOK {
		t.Errorf("the right secret: %d %s, %v", status, text, a.lastError())
	}
	status, _ := b.deliver(srv, second)
	a.wantRefusal(status, authcode.Configuration, "answer.configuration")
}

// TestStartAgainAtTheTenant: {tenant} in LoginURL is the tenant's key, as one
// segment.
func TestStartAgainAtTheTenant(t *testing.T) {
	a := newApp(t, 1, func(cfg *tenants.Config) { cfg.LoginURL = "/t/{tenant}/login" })
	srv := a.provider()
	a.tenant("a/b?", srv, func(cfg *authcode.Config) { cfg.ClientAuth = authcode.Secret("another secret of that") })
	b := a.browser()
	b.deliver(srv, b.callback("a/b?", srv))
	if e := a.lastError(); e == nil || e.LoginURL != "/t/a%2Fb%3F/login" {
		t.Errorf("start again at %+v", e)
	}
	b.get(a.URL + "/callback") // of no tenant
	if e := a.lastError(); e == nil || e.LoginURL != "/" {
		t.Errorf("start again at %+v", e)
	}
}
