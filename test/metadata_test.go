package test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

type endpoints = authcode.Endpoints

func TestMetadataIsUsed(t *testing.T) {
	p := &world.Provider{}
	c := world.Client(t, p, world.LookedUp(world.Finds(endpoints{
		AuthURL: "https://a.example/authorize?x=1", TokenURL: "https://b.example/t",
		RevocationURL: "https://c.example/r",
	})))
	l := world.Begin(t, c, nil)
	if !strings.HasPrefix(l.URL, "https://a.example/authorize?x=1&") {
		t.Errorf("sent people to %s", l.URL)
	}
	login := l.Finish(t, c)
	if err := c.Revoke(t.Context(), login.Token); err != nil {
		t.Error(err)
	}
	for i, want := range []string{"https://b.example/t", "https://c.example/r"} {
		if got := p.Requests()[i].URL.String(); got != want {
			t.Errorf("request %d went to %s, want %s", i, got, want)
		}
	}
}

// TestMetadataChanges: a provider that moves is followed at the next login.
func TestMetadataChanges(t *testing.T) {
	var moved atomic.Bool
	c := world.Client(t, &world.Provider{}, world.LookedUp(
		func(context.Context, *authcode.Connection) (endpoints, error) {
			e := world.Endpoints()
			if moved.Load() {
				e.AuthURL = "https://new.example/authorize"
			}
			return e, nil
		}))
	world.Begin(t, c, nil)
	moved.Store(true)
	if l := world.Begin(t, c, nil); !strings.HasPrefix(l.URL, "https://new.example/authorize?") {
		t.Errorf("sent people to %s", l.URL)
	}
}

// foundFaults are endpoints that a lookup may find, and what is said of them.
var foundFaults = []struct {
	claim  string
	change func(*endpoints)
	says   string
}{
	{"no authorization endpoint is refused", func(e *endpoints) { e.AuthURL = "" },
		"metadata: AuthURL is empty"},
	{"no token endpoint is refused", func(e *endpoints) { e.TokenURL = "" },
		"metadata: TokenURL is empty"},
	{"http is refused", func(e *endpoints) {
		e.TokenURL = "http://provider.example/t"
	}, "metadata: TokenURL must be https"},
	{"http is refused for revocation too", func(e *endpoints) {
		e.RevocationURL = "http://p.example/r"
	}, "metadata: RevocationURL must be https"},
	{"user information is refused", func(e *endpoints) {
		e.TokenURL = "https://u@p.example/t"
	}, "metadata: TokenURL has user information"},
	{"a fragment is refused", func(e *endpoints) { e.AuthURL += "#" },
		"metadata: AuthURL has a fragment"},
	{"a parameter of the protocol is refused", func(e *endpoints) {
		e.AuthURL += "?response_type=token"
	}, "metadata: AuthURL sets"},
	{"an unknown auth style is refused", func(e *endpoints) { e.AuthStyle = 9 },
		"metadata: AuthStyle must be zero"},
	{"a script is refused", func(e *endpoints) { e.AuthURL = "javascript:alert(1)" },
		"metadata: AuthURL must be an absolute URL"},
}

func TestMetadataEndpointsAreChecked(t *testing.T) {
	for _, row := range foundFaults {
		t.Run(row.claim, func(t *testing.T) {
			found := world.Endpoints()
			row.change(&found)
			p := &world.Provider{}
			c := world.Client(t, p, world.LookedUp(world.Finds(found)))
			target, cookies, err := world.Start(c)
			e := world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
			if !strings.Contains(e.Error(), row.says) {
				t.Errorf("%q does not say %q", e, row.says)
			}
			if target != "" || len(cookies) > 0 {
				t.Error("a login began all the same")
			}
			_, err = c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
			world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
			err = c.Revoke(t.Context(), &oauth2.Token{RefreshToken: "rt"})
			world.WantError(t, err, authcode.BadAnswer, "metadata.endpoints")
			p.WantRequests(t, 0)
		})
	}
}

func TestMetadataRequiresIss(t *testing.T) {
	promises := world.Endpoints()
	promises.RequireIss = true
	rows := []struct {
		claim    string
		found    endpoints
		required bool // by Provider.RequireIss
		accepted bool // a callback without iss
	}{
		{"nobody promised iss", world.Endpoints(), false, true},
		{"the metadata promised iss", promises, false, false},
		{"the metadata takes nothing away from Provider.RequireIss", world.Endpoints(), true,
			false},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := &world.Provider{}
			c := world.Client(t, p, world.LookedUp(world.Finds(row.found)), func(c *config) {
				c.Provider.RequireIss = row.required
			})
			l := world.Begin(t, c, nil)
			_, err := l.Exchange(c, "iss", "")
			if row.accepted {
				world.WantOutcome(t, err, "", "")
				return
			}
			world.WantError(t, err, authcode.Forged, "iss.missing")
			p.WantRequests(t, 0)
			l.Finish(t, c) // the pending login was not harmed
		})
	}
	t.Run("a promise without an issuer to compare with is refused", func(t *testing.T) {
		c := world.Client(t, &world.Provider{}, world.LookedUp(world.Finds(promises)),
			func(c *config) { c.Provider.Issuer = "" })
		_, _, err := world.Start(c)
		world.WantError(t, err, authcode.Configuration, "metadata.issuer")
	})
}

// TestMetadataAuthStyle: the metadata's counts where the provider's is zero;
// Basic stands in for both.
func TestMetadataAuthStyle(t *testing.T) {
	rows := []struct {
		claim           string
		provider, found oauth2.AuthStyle
		basic           bool
	}{
		{"both zero is Basic", 0, 0, true},
		{"the metadata's is used", 0, oauth2.AuthStyleInParams, false},
		{"the provider's goes first", oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams, true},
		{"the provider's goes first in the body too", oauth2.AuthStyleInParams,
			oauth2.AuthStyleInHeader, false},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			found := world.Endpoints()
			found.AuthStyle = row.found
			p := &world.Provider{}
			c := world.Client(t, p, world.LookedUp(world.Finds(found)), func(c *config) {
				c.Provider.AuthStyle = row.provider
			})
			if _, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"}); err != nil {
				t.Fatal(err)
			}
			_, _, basic := p.Requests()[0].BasicAuth()
			if basic != row.basic || p.Requests()[0].Form.Has("client_secret") == row.basic {
				t.Errorf("sent %q and %v", p.Requests()[0].Header.Get("Authorization"),
					p.Requests()[0].Form)
			}
		})
	}
}

func TestMetadataErrors(t *testing.T) {
	own := &authcode.Error{Reason: authcode.Overloaded, Check: "discovery.busy",
		RetryAfter: 7 * time.Second}
	rows := []struct {
		claim      string
		err        error
		reason     authcode.Reason
		check      string
		retryAfter time.Duration
	}{
		{"a foreign error becomes Unreachable", errors.New("canary https://u:p@internal"),
			authcode.Unreachable, "metadata", 0},
		{"an *Error passes through", own, authcode.Overloaded, "discovery.busy", 7 * time.Second},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			c := world.Client(t, &world.Provider{}, world.LookedUp(
				func(context.Context, *authcode.Connection) (endpoints, error) {
					return world.Endpoints(), row.err
				}))
			_, cookies, err := world.Start(c)
			e := world.WantError(t, err, row.reason, row.check)
			if e.RetryAfter != row.retryAfter || e.Provider != "x" || e.LoginURL != "/auth/x" {
				t.Errorf("got %+v with RetryAfter %v, LoginURL %q", e, e.RetryAfter, e.LoginURL)
			}
			if strings.Contains(e.Error(), "canary") {
				t.Errorf("a foreign text got out: %v", e)
			}
			if len(cookies) > 0 {
				t.Error("a cookie was set")
			}
		})
	}
	if own.Provider != "" || own.LoginURL != "" {
		t.Error("the error value of the Metadata was changed")
	}
}

// TestMetadataRecovers: what could not be loaded is asked for again at the next
// login, or at the next callback of the same one.
func TestMetadataRecovers(t *testing.T) {
	var up atomic.Bool
	p := &world.Provider{}
	c := world.Client(t, p, world.LookedUp(
		func(context.Context, *authcode.Connection) (endpoints, error) {
			if !up.Load() {
				return endpoints{}, errors.New("down")
			}
			return world.Endpoints(), nil
		}))
	_, _, err := world.Start(c)
	world.WantError(t, err, authcode.Unreachable, "metadata")
	up.Store(true)
	l := world.Begin(t, c, nil)
	up.Store(false)
	_, err = l.Exchange(c)
	world.WantError(t, err, authcode.Unreachable, "metadata")
	p.WantRequests(t, 0)
	up.Store(true)
	l.Finish(t, c) // the pending login was not harmed
}

type slow struct{}

// findSlowly hangs for requests whose context has the value slow.
func findSlowly(ctx context.Context, _ *authcode.Connection) (endpoints, error) {
	if ctx.Value(slow{}) != nil {
		<-ctx.Done()
		return endpoints{}, ctx.Err()
	}
	return world.Endpoints(), nil
}

// TestSlowMetadata: a load that hangs ends after ten seconds, and no other
// login waits for it.
func TestSlowMetadata(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := world.Client(t, &world.Provider{}, world.LookedUp(findSlowly))
		began := time.Now()
		result := make(chan error)
		go func() {
			r := world.Get(world.LoginURL)
			_, err := c.AuthCodeURL(httptest.NewRecorder(),
				r.WithContext(context.WithValue(r.Context(), slow{}, true)))
			result <- err
		}()
		synctest.Wait()
		world.Begin(t, c, nil).Finish(t, c)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("another login waited %v", waited)
		}
		world.WantError(t, <-result, authcode.Timeout, "provider.timeout")
		if waited := time.Since(began); waited != 10*time.Second {
			t.Errorf("ended after %v, want 10s", waited)
		}
	})
}
