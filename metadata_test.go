package authcode_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// hMetadata finds the harness's endpoints, or what load finds.
type hMetadata struct {
	load  func(context.Context, *authcode.Connection) (authcode.Endpoints, error)
	calls atomic.Int64
}

var hEndpoints = authcode.Endpoints{AuthURL: hAuthURL, TokenURL: hTokenURL, RevocationURL: hRevokeURL}

func (m *hMetadata) Load(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
	m.calls.Add(1)
	if m.load == nil {
		return hEndpoints, nil
	}
	return m.load(ctx, conn)
}

// hFound is a Metadata that always finds e.
func hFound(e authcode.Endpoints) *hMetadata {
	return &hMetadata{load: func(context.Context, *authcode.Connection) (authcode.Endpoints, error) { return e, nil }}
}

func hWithMetadata(m *hMetadata) func(*authcode.Config) {
	return func(c *authcode.Config) {
		c.Provider.AuthURL, c.Provider.TokenURL, c.Provider.RevocationURL = "", "", ""
		c.Provider.Metadata = m.Load
	}
}

func TestMetadataIsUsed(t *testing.T) {
	p := &hProvider{}
	m := hFound(authcode.Endpoints{
		AuthURL: "https://a.example/authorize?x=1", TokenURL: "https://b.example/t", RevocationURL: "https://c.example/r",
	})
	c := hNew(t, p, hWithMetadata(m))
	l := hStart(t, c, nil)
	if !strings.HasPrefix(l.target, "https://a.example/authorize?x=1&") {
		t.Errorf("sent people to %s", l.target)
	}
	login := l.finish(t, c)
	if err := c.Revoke(t.Context(), login.Token); err != nil {
		t.Error(err)
	}
	for i, want := range []string{"https://b.example/t", "https://c.example/r"} {
		if got := p.seen()[i].URL.String(); got != want {
			t.Errorf("request %d went to %s, want %s", i, got, want)
		}
	}
}

// TestMetadataChanges: a provider that moves is followed at the next login.
func TestMetadataChanges(t *testing.T) {
	var moved atomic.Bool
	c := hNew(t, &hProvider{}, hWithMetadata(&hMetadata{load: func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
		e := hEndpoints
		if moved.Load() {
			e.AuthURL = "https://new.example/authorize"
		}
		return e, nil
	}}))
	hStart(t, c, nil)
	moved.Store(true)
	if l := hStart(t, c, nil); !strings.HasPrefix(l.target, "https://new.example/authorize?") {
		t.Errorf("sent people to %s", l.target)
	}
}

func TestMetadataEndpointsAreChecked(t *testing.T) {
	rows := []struct {
		claim  string
		change func(*authcode.Endpoints)
		says   string
	}{
		{"no authorization endpoint is refused", func(e *authcode.Endpoints) { e.AuthURL = "" }, "metadata: AuthURL is empty"},
		{"no token endpoint is refused", func(e *authcode.Endpoints) { e.TokenURL = "" }, "metadata: TokenURL is empty"},
		{"http is refused", func(e *authcode.Endpoints) { e.TokenURL = "http://provider.example/t" }, "metadata: TokenURL must be https"},
		{"http is refused for revocation too", func(e *authcode.Endpoints) { e.RevocationURL = "http://p.example/r" }, "metadata: RevocationURL must be https"},
		{"user information is refused", func(e *authcode.Endpoints) { e.TokenURL = "https://u@p.example/t" }, "metadata: TokenURL has user information"},
		{"a fragment is refused", func(e *authcode.Endpoints) { e.AuthURL += "#" }, "metadata: AuthURL has a fragment"},
		{"a parameter of the protocol is refused", func(e *authcode.Endpoints) { e.AuthURL += "?response_type=token" }, "metadata: AuthURL sets"},
		{"an unknown auth style is refused", func(e *authcode.Endpoints) { e.AuthStyle = 9 }, "metadata: AuthStyle must be zero"},
		{"a script is refused", func(e *authcode.Endpoints) { e.AuthURL = "javascript:alert(1)" }, "metadata: AuthURL must be an absolute URL"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			found := hEndpoints
			row.change(&found)
			p := &hProvider{}
			c := hNew(t, p, hWithMetadata(hFound(found)))
			rec := httptest.NewRecorder()
			target, err := c.AuthCodeURL(rec, hGet("https://app.example/"))
			e := hWantError(t, err, authcode.BadAnswer, "metadata.endpoints")
			if !strings.Contains(e.Error(), row.says) {
				t.Errorf("%q does not say %q", e, row.says)
			}
			if target != "" || len(rec.Result().Cookies()) > 0 {
				t.Error("a login began all the same")
			}
			_, err = c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
			hWantError(t, err, authcode.BadAnswer, "metadata.endpoints")
			err = c.Revoke(t.Context(), &oauth2.Token{RefreshToken: "rt"})
			hWantError(t, err, authcode.BadAnswer, "metadata.endpoints")
			p.wantRequests(t, 0)
		})
	}
}

func TestMetadataRequiresIss(t *testing.T) {
	promises := hEndpoints
	promises.RequireIss = true
	rows := []struct {
		claim    string
		found    authcode.Endpoints
		required bool // by Provider.RequireIss
		missing  bool // is a callback without iss accepted
	}{
		{"nobody promised iss", hEndpoints, false, true},
		{"the metadata promised iss", promises, false, false},
		{"the metadata takes nothing away from Provider.RequireIss", hEndpoints, true, false},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := &hProvider{}
			c := hNew(t, p, hWithMetadata(hFound(row.found)), func(c *authcode.Config) { c.Provider.RequireIss = row.required })
			l := hStart(t, c, nil)
			_, err := c.Exchange(httptest.NewRecorder(), l.callback("iss", ""))
			if row.missing {
				if err != nil {
					t.Error(err)
				}
				return
			}
			hWantError(t, err, authcode.Forged, "iss.missing")
			p.wantRequests(t, 0)
			l.finish(t, c) // the pending login was not harmed
		})
	}
	t.Run("a promise without an issuer to compare with is refused", func(t *testing.T) {
		c := hNew(t, &hProvider{}, hWithMetadata(hFound(promises)), func(c *authcode.Config) { c.Provider.Issuer = "" })
		_, err := c.AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/"))
		hWantError(t, err, authcode.Configuration, "metadata.issuer")
	})
}

// TestMetadataAuthStyle: the metadata's counts where the provider's is zero; Basic stands in for both.
func TestMetadataAuthStyle(t *testing.T) {
	rows := []struct {
		claim           string
		provider, found oauth2.AuthStyle
		basic           bool
	}{
		{"both zero is Basic", 0, 0, true},
		{"the metadata's is used", 0, oauth2.AuthStyleInParams, false},
		{"the provider's goes first", oauth2.AuthStyleInHeader, oauth2.AuthStyleInParams, true},
		{"the provider's goes first in the body too", oauth2.AuthStyleInParams, oauth2.AuthStyleInHeader, false},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			found := hEndpoints
			found.AuthStyle = row.found
			p := &hProvider{}
			c := hNew(t, p, hWithMetadata(hFound(found)), func(c *authcode.Config) { c.Provider.AuthStyle = row.provider })
			if _, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"}); err != nil {
				t.Fatal(err)
			}
			_, _, basic := p.seen()[0].BasicAuth()
			if basic != row.basic || p.seen()[0].form.Has("client_secret") == row.basic {
				t.Errorf("sent %q and %v", p.seen()[0].Header.Get("Authorization"), p.seen()[0].form)
			}
		})
	}
}

func TestMetadataErrors(t *testing.T) {
	own := &authcode.Error{Reason: authcode.Overloaded, Check: "discovery.busy", RetryAfter: 7 * time.Second}
	rows := []struct {
		claim      string
		err        error
		reason     authcode.Reason
		check      string
		retryAfter time.Duration
	}{
		{"a foreign error becomes Unreachable", errors.New("canary https://u:p@internal"), authcode.Unreachable, "metadata", 0},
		{"an *Error passes through", own, authcode.Overloaded, "discovery.busy", 7 * time.Second},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			m := &hMetadata{load: func(context.Context, *authcode.Connection) (authcode.Endpoints, error) { return hEndpoints, row.err }}
			c := hNew(t, &hProvider{}, hWithMetadata(m))
			rec := httptest.NewRecorder()
			_, err := c.AuthCodeURL(rec, hGet("https://app.example/"))
			e := hWantError(t, err, row.reason, row.check)
			if e.RetryAfter != row.retryAfter || e.Provider != "x" || e.LoginURL != "/auth/x" {
				t.Errorf("got %+v with RetryAfter %v, LoginURL %q", e, e.RetryAfter, e.LoginURL)
			}
			if strings.Contains(e.Error(), "canary") {
				t.Errorf("a foreign text got out: %v", e)
			}
			if len(rec.Result().Cookies()) > 0 {
				t.Error("a cookie was set")
			}
		})
	}
	if own.Provider != "" || own.LoginURL != "" {
		t.Error("the error value of the Metadata was changed")
	}
}

// TestMetadataRecovers: what could not be loaded is asked for again at the next login.
func TestMetadataRecovers(t *testing.T) {
	var up atomic.Bool
	m := &hMetadata{load: func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
		if !up.Load() {
			return authcode.Endpoints{}, errors.New("down")
		}
		return hEndpoints, nil
	}}
	c := hNew(t, &hProvider{}, hWithMetadata(m))
	_, err := c.AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/"))
	hWantError(t, err, authcode.Unreachable, "metadata")
	up.Store(true)
	hStart(t, c, nil).finish(t, c)
}

// TestSlowMetadata: a load that hangs ends after ten seconds, and no other login waits for it.
func TestSlowMetadata(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type slow struct{}
		m := &hMetadata{load: func(ctx context.Context, _ *authcode.Connection) (authcode.Endpoints, error) {
			if ctx.Value(slow{}) != nil {
				<-ctx.Done()
				return authcode.Endpoints{}, ctx.Err()
			}
			return hEndpoints, nil
		}}
		c := hNew(t, &hProvider{}, hWithMetadata(m))
		began := time.Now()
		result := make(chan error)
		go func() {
			r := hGet("https://app.example/")
			_, err := c.AuthCodeURL(httptest.NewRecorder(), r.WithContext(context.WithValue(r.Context(), slow{}, true)))
			result <- err
		}()
		synctest.Wait()
		hStart(t, c, nil).finish(t, c)
		if waited := time.Since(began); waited != 0 {
			t.Errorf("another login waited %v", waited)
		}
		hWantError(t, <-result, authcode.Timeout, "provider.timeout")
		if waited := time.Since(began); waited != 10*time.Second {
			t.Errorf("ended after %v, want 10s", waited)
		}
	})
}

// TestMetadataConnection: what loads metadata is handed the rules, the fields, and a transport that follows no
// redirect.
func TestMetadataConnection(t *testing.T) {
	p := hAnswering(302, "", "Location", "https://evil.example/", "Set-Cookie", "a=b")
	m := &hMetadata{load: func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
		r, err := http.NewRequestWithContext(ctx, "GET", hIssuer+"/.well-known/oauth-authorization-server", nil)
		if err != nil {
			return authcode.Endpoints{}, err
		}
		resp, err := conn.Transport.RoundTrip(r)
		if err != nil {
			return authcode.Endpoints{}, err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusFound {
			t.Errorf("status %d", resp.StatusCode)
		}
		cfg := &conn.Config
		if cfg.ClientID != "client" || cfg.Provider.Issuer != hIssuer || !slices.Equal(cfg.Algorithms, []string{"ES256"}) ||
			cfg.CookieKeys != nil || conn.Endpoints.UserInfoURL != "https://provider.example/me" {
			t.Errorf("handed %q, %q, %q, %d keys, %q", cfg.ClientID, cfg.Provider.Issuer, cfg.Algorithms, len(cfg.CookieKeys),
				conn.Endpoints.UserInfoURL)
		}
		return hEndpoints, nil
	}}
	hStart(t, hNew(t, p, hWithMetadata(m), func(c *authcode.Config) {
		c.Algorithms, c.Provider.UserInfoURL = []string{"ES256"}, "https://provider.example/me"
	}), nil)
	p.wantRequests(t, 1)
}
