package test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// identifier keeps the TokenResponse it was asked about.
type identifier struct {
	answer *authcode.TokenResponse
	id     *authcode.Identity
	err    error
}

func (i *identifier) Identify(_ context.Context, a *authcode.TokenResponse) (
	*authcode.Identity, error) {
	i.answer = a
	return i.id, i.err
}

// TestResponseOfThisLogin: nonce and max_age of the login reach
// Provider.Identity.
func TestResponseOfThisLogin(t *testing.T) {
	rows := []struct {
		claim    string
		standard string // the provider's max_age
		opts     options
		maxAge   time.Duration
		nonce    bool
	}{
		{"without max_age it is negative, without openid there is no nonce", "", nil, -time.Second,
			false},
		{"the provider's max_age", "60", nil, time.Minute, false},
		{"the login's max_age goes first", "60", options{authcode.Param("max_age", "0")}, 0, false},
		{"openid of this login alone has a nonce", "", options{authcode.Scopes("openid")},
			-time.Second, true},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			id := &identifier{id: &authcode.Identity{Issuer: world.Issuer, Subject: "1"}}
			c := world.Client(t, &world.Provider{}, func(c *config) {
				c.Provider.Identity = id.Identify
				if row.standard != "" {
					c.Provider.AuthParams = map[string]string{"max_age": row.standard}
				}
			})
			l := world.Begin(t, c, nil, row.opts...)
			if got := l.Finish(t, c).Identity; got != id.id {
				t.Errorf("identity %v", got)
			}
			a := id.answer
			if a.MaxAge != row.maxAge || a.Nonce != l.Query.Get("nonce") ||
				(a.Nonce != "") != row.nonce || a.Config.ClientID != "client" ||
				a.Config.Provider.Issuer != world.Issuer || a.Previous != nil ||
				a.Callback.Get("code") != "c0de" || a.Token.AccessToken != "at-1" {
				t.Errorf("asked with nonce %q, max_age %v, nonce sent %q", a.Nonce, a.MaxAge,
					l.Query.Get("nonce"))
			}
		})
	}
}

// TestRefreshIsChecked: Provider.Identity sees both tokens and may refuse the
// new one.
func TestRefreshIsChecked(t *testing.T) {
	own := &authcode.Error{Reason: authcode.BadAnswer, Check: "id_token.sub"}
	rows := []struct {
		claim  string
		err    error
		reason authcode.Reason
		check  string
	}{
		{"no error accepts it", nil, "", ""},
		{"a foreign error refuses it", errors.New("canary"), authcode.IdentityRefused,
			"refresh.identity"},
		{"an *Error passes through", own, authcode.BadAnswer, "id_token.sub"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			h := &identifier{err: row.err}
			c := world.Client(t, &world.Provider{}, func(c *config) {
				c.Provider.Identity = h.Identify
			})
			old := &oauth2.Token{AccessToken: "at-0", RefreshToken: "rt-0"}
			token, err := c.Refresh(t.Context(), old)
			if row.err == nil {
				world.WantToken(t, token, err, "at-1")
			} else {
				e := world.WantError(t, err, row.reason, row.check)
				if token != nil || strings.Contains(e.Error(), "canary") {
					t.Errorf("got %v, %v", token, e)
				}
			}
			if a := h.answer; a.Previous != old || a.Token.AccessToken != "at-1" ||
				a.Config.ClientID != "client" || a.Config.Provider.Issuer != world.Issuer ||
				a.Nonce != "" || a.MaxAge >= 0 || a.Callback != nil || a.Transport == nil ||
				a.Do == nil {
				t.Errorf("asked about %v after %v, nonce %q, max_age %v", a.Token, a.Previous,
					a.Nonce, a.MaxAge)
			}
		})
	}
}
