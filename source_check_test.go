package authcode_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// hVerdicts is an identity whose refresh checks end as listed; then all are good.
type hVerdicts struct {
	errs []error
	olds []string
}

func (h *hVerdicts) Identify(context.Context, *authcode.Answer) (*authcode.Identity, error) {
	return &authcode.Identity{Issuer: hIssuer, Subject: "alice"}, nil
}

func (h *hVerdicts) CheckRefresh(_ context.Context, old *oauth2.Token, a *authcode.Answer) error {
	h.olds = append(h.olds, old.AccessToken+">"+a.Token.AccessToken)
	if len(h.errs) == 0 {
		return nil
	}
	err := h.errs[0]
	h.errs = h.errs[1:]
	return err
}

// TestRefreshCheckedLater: a refresh whose check fails for the moment loses nothing. The rotated token
// is kept, the check is made again, and the spent refresh token is never sent twice.
func TestRefreshCheckedLater(t *testing.T) {
	for claim, err := range map[string]error{
		"the keys are out of reach":  &authcode.Error{Reason: authcode.Unreachable, Check: "jwks.unreachable"},
		"a key not published yet":    &authcode.Error{Reason: authcode.IdentityRefused, Check: "jwks.key"},
		"a clock that is behind":     &authcode.Error{Reason: authcode.IdentityRefused, Check: "id_token.iat"},
		"a broken answer":            &authcode.Error{Reason: authcode.BadAnswer, Check: "jwks.form"},
		"an error of the app's own":  errors.New("canary"),
		"and twice what is overload": &authcode.Error{Reason: authcode.Overloaded, Check: "jwks.status"},
	} {
		t.Run(claim, func(t *testing.T) {
			h, p, store := &hVerdicts{errs: []error{err, err}}, &hProvider{}, &hStore{}
			c := hNew(t, p, func(c *authcode.Config) { c.Provider.Identity = h })
			s := c.TokenSource(hExpired(), store.changed)
			for range 2 {
				if token, err := s.Token(t.Context()); err == nil {
					t.Errorf("got %v unchecked", token.AccessToken)
				}
			}
			store.want(t) // nothing unchecked is stored
			token, err := s.Token(t.Context())
			hWantToken(t, token, err, "at-1")
			store.want(t, "at-1")
			p.wantRequests(t, 1)
			if got := strings.Join(h.olds, " "); got != "at-0>at-1 at-0>at-1 at-0>at-1" {
				t.Errorf("the checks compared %s", got)
			}
		})
	}
}

// TestRefreshOfAnother: a refresh that brought somebody else's token ends the source. Neither is the spent
// refresh token sent again, nor is the new one given out.
func TestRefreshOfAnother(t *testing.T) {
	h, p, store := &hVerdicts{errs: []error{&authcode.Error{Reason: authcode.IdentityRefused, Check: "refresh.sub"}}}, &hProvider{}, &hStore{}
	c := hNew(t, p, func(c *authcode.Config) { c.Provider.Identity = h })
	s := c.TokenSource(hExpired(), store.changed)
	for range 3 {
		_, err := s.Token(t.Context())
		hWantError(t, err, authcode.IdentityRefused, "refresh.sub")
	}
	p.wantRequests(t, 1)
	store.want(t)
	if len(h.olds) != 1 {
		t.Errorf("checked %d times", len(h.olds))
	}
}

// hFaulty is a part of a Config that knows what is wrong with it.
type hFaulty struct {
	authcode.ClientAuth
	hVerdicts
	err error
}

func (h *hFaulty) Validate() error { return h.err }

// Load makes hFaulty a Metadata.
func (h *hFaulty) Load(context.Context, *http.Client) (authcode.Endpoints, error) {
	return authcode.Endpoints{}, nil
}

// TestValidate: New asks the parts of a Config what is wrong with them, and says it once.
func TestValidate(t *testing.T) {
	own := authcode.NewError(authcode.Configuration, "config.key", "clientauth: the key has 12 bits", nil)
	for claim, err := range map[string]error{"an *Error": own, "any other": errors.New("clientauth: the key has 12 bits")} {
		t.Run(claim, func(t *testing.T) {
			part := &hFaulty{ClientAuth: authcode.Public(), err: err}
			_, err := authcode.New(hConfig(&hProvider{}, func(c *authcode.Config) {
				c.ClientAuth, c.Provider.Identity, c.Provider.Metadata = part, part, part
				c.HomeURL = "javascript:"
			}))
			e := hWantError(t, err, authcode.Configuration, "config")
			if strings.Count(e.Error(), "the key has 12 bits") != 1 || strings.Contains(e.Error(), "config.key") || !strings.Contains(e.Error(), "Config.HomeURL") {
				t.Errorf("got %q", e)
			}
			part.err = nil
			hNew(t, &hProvider{}, func(c *authcode.Config) { c.ClientAuth = part })
		})
	}
}
