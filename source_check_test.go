package authcode_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
)

// hVerdicts is an identity whose refresh checks end as listed; then all are good.
type hVerdicts struct {
	errs []error
	olds []string
}

func (h *hVerdicts) identity(_ context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
	if resp.Previous == nil {
		return &authcode.Identity{Issuer: hIssuer, Subject: "alice"}, nil
	}
	h.olds = append(h.olds, resp.Previous.AccessToken+">"+resp.Token.AccessToken)
	if len(h.errs) == 0 {
		return nil, nil
	}
	err := h.errs[0]
	h.errs = h.errs[1:]
	return nil, err
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
			c := hNew(t, p, func(c *authcode.Config) { c.Provider.Identity = h.identity })
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
	h, p, store := &hVerdicts{errs: []error{&authcode.Error{Reason: authcode.IdentityRefused, Check: "refresh.sub", Final: true}}}, &hProvider{}, &hStore{}
	c := hNew(t, p, func(c *authcode.Config) { c.Provider.Identity = h.identity })
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

// TestFaultsOfParts: New lists what the constructors of a Config's parts found wrong with their arguments, once
// each, beside its own findings.
func TestFaultsOfParts(t *testing.T) {
	several := &authcode.Error{Reason: authcode.Configuration, Check: "config", Faults: []string{"part: one", "part: two"}}
	for claim, row := range map[string]struct {
		err  error
		want []string
	}{
		"a list":            {several, several.Faults},
		"a list, wrapped":   {fmt.Errorf("x: %w", several), several.Faults},
		"an *Error":         {authcode.NewError(authcode.Configuration, "config.key", "part: the key has 12 bits", nil), []string{"part: the key has 12 bits"}},
		"an error of words": {errors.New("part: the key has 12 bits"), []string{"part: the key has 12 bits"}},
	} {
		for field, set := range map[string]func(*authcode.Config){
			"ClientAuth":     func(c *authcode.Config) { c.ClientAuth.Err = row.err },
			"Binding":        func(c *authcode.Config) { c.Binding.Err = row.err },
			"MessageSigning": func(c *authcode.Config) { c.MessageSigning.Err = row.err },
			"Provider":       func(c *authcode.Config) { c.Provider.Err = row.err },
			"all of them": func(c *authcode.Config) {
				c.Provider.Err, c.ClientAuth.Err, c.Binding.Err, c.MessageSigning.Err = row.err, row.err, row.err, row.err
			},
		} {
			t.Run(claim+" in "+field, func(t *testing.T) {
				_, err := authcode.New(hConfig(&hProvider{}, func(c *authcode.Config) {
					set(c)
					c.HomeURL = "javascript:"
				}))
				e := hWantError(t, err, authcode.Configuration, "config")
				for _, want := range row.want {
					if !slices.Contains(e.Faults, want) || strings.Count(e.Error(), want) != 1 {
						t.Errorf("got %q, want %q once", e, want)
					}
				}
				if strings.Contains(e.Error(), "config.key") || !strings.Contains(e.Error(), "Config.HomeURL") {
					t.Errorf("got %q", e)
				}
			})
		}
	}
}
