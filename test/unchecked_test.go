package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

var errKeys = &authcode.Error{Reason: authcode.Unreachable, Check: "jwks.unreachable"}

// rotatingIDs is a provider that answers the nth refresh with at-n, rt-n and
// the ID token id-n, unless ids is false.
func rotatingIDs(ids bool) *world.Provider {
	p := &world.Provider{}
	p.Answer = func(*world.Request) (*http.Response, error) {
		n := len(p.Requests())
		id := ""
		if ids {
			id = fmt.Sprintf(`,"id_token":"id-%d"`, n)
		}
		return world.Reply(200, fmt.Sprintf(`{"access_token":"at-%d","refresh_token":"rt-%d",`+
			`"expires_in":60,"authcode.unchecked":{"access_token":"evil"}%s}`, n, n, id)), nil
	}
	return p
}

// restarts is an app whose identity checks end as errs says, and what it has
// stored.
type restarts struct {
	errs    []error
	compare []string // the ID tokens of each check
	stored  []byte
	saves   int
	fail    error // of changed
}

func (r *restarts) identity(_ context.Context, resp *authcode.TokenResponse) (
	*authcode.Identity, error) {
	r.compare = append(r.compare, fmt.Sprintf("%v>%v",
		resp.Previous.Extra("id_token"), resp.Token.Extra("id_token")))
	if len(r.errs) == 0 {
		return nil, nil
	}
	err := r.errs[0]
	r.errs = r.errs[1:]
	return nil, err
}

func (r *restarts) save(_ context.Context, t *oauth2.Token) error {
	r.saves++
	if r.fail != nil {
		return r.fail
	}
	var err error
	r.stored, err = authcode.MarshalToken(t)
	return err
}

// start begins a process with what is stored.
func (r *restarts) start(t *testing.T, p *world.Provider) *authcode.TokenSource {
	t.Helper()
	token, err := authcode.UnmarshalToken(r.stored)
	if err != nil {
		t.Fatal(err)
	}
	c := world.Client(t, p, func(c *config) { c.Provider.Identity = r.identity })
	return c.TokenSource(token, r.save)
}

func newRestarts(errs ...error) *restarts {
	return &restarts{errs: errs, stored: []byte(
		`{"access_token":"at-0","refresh_token":"rt-0","expiry":"2020-01-01T00:00:00Z",` +
			`"answer":{"access_token":"at-0","id_token":"id-0","scope":"a"}}`)}
}

// TestARotatedTokenSurvivesARestart: it is stored before it is checked, and the
// next process goes on with the check. It does not refresh again, and nobody
// gets the token before.
func TestARotatedTokenSurvivesARestart(t *testing.T) {
	r, p := newRestarts(errKeys, errKeys), rotatingIDs(true)
	for range 2 {
		if token, err := r.start(t, p).Token(t.Context()); !errors.Is(err, authcode.Unreachable) {
			t.Errorf("got %v, %v", token, err)
		}
		token, _ := authcode.UnmarshalToken(r.stored)
		if token.AccessToken != "" || token.Valid() || token.RefreshToken != "rt-1" ||
			token.Extra("access_token") != nil || token.Extra("id_token") != "id-0" ||
			token.Extra("authcode.unchecked") != nil {
			t.Errorf("what is stored can be used: %s", r.stored)
		}
	}
	token, err := r.start(t, p).Token(t.Context())
	world.WantToken(t, token, err, "at-1")
	if token.Extra("id_token") != "id-1" || token.Extra("scope") != "a" ||
		strings.Contains(string(r.stored), "unchecked") {
		t.Errorf("the members are lost, or the mark is not: %s", r.stored)
	}
	token, err = r.start(t, p).Token(t.Context())
	world.WantToken(t, token, err, "at-1")
	p.WantRequests(t, 1)
	if got := strings.Join(r.compare, " "); got != "id-0>id-1 id-0>id-1 id-0>id-1" || r.saves != 2 {
		t.Errorf("compared %s, saved %d times", got, r.saves)
	}
}

// TestEachRotationIsStoredUnchecked: a source stores the second rotated token
// before its check, like the first.
func TestEachRotationIsStoredUnchecked(t *testing.T) {
	r, p := newRestarts(), rotatingIDs(true)
	p.Answer = expiring(p.Answer)
	source := r.start(t, p)
	token, err := source.Token(t.Context())
	world.WantToken(t, token, err, "at-1")
	r.errs = []error{errKeys}
	if token, err := source.Token(t.Context()); !errors.Is(err, authcode.Unreachable) {
		t.Errorf("got %v, %v", token, err)
	}
	stored, _ := authcode.UnmarshalToken(r.stored)
	if stored.RefreshToken != "rt-2" || stored.AccessToken != "" {
		t.Errorf("a restart would lose the second token: %s", r.stored)
	}
}

// expiring makes the tokens of answer expire at once.
func expiring(answer func(*world.Request) (*http.Response, error)) func(*world.Request) (
	*http.Response, error) {
	return func(r *world.Request) (*http.Response, error) {
		resp, err := answer(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(resp.Body)
		return world.Reply(200, strings.Replace(string(body), `"expires_in":60`,
			`"expires_in":1`, 1)), err
	}
}

// TestAnothersTokenAfterARestart: what the check refuses for good is refused
// after a restart too.
func TestAnothersTokenAfterARestart(t *testing.T) {
	final := &authcode.Error{Reason: authcode.IdentityRefused, Check: "refresh.sub", Final: true}
	r, p := newRestarts(errKeys, final, final), rotatingIDs(true)
	r.start(t, p).Token(t.Context())
	for range 2 {
		_, err := r.start(t, p).Token(t.Context())
		world.WantError(t, err, authcode.IdentityRefused, "refresh.sub")
	}
	p.WantRequests(t, 1)
}

// TestStorageOfFourFields: an app that drops the members keeps the grant, and
// has nothing that can be used unchecked.
func TestStorageOfFourFields(t *testing.T) {
	r, p := newRestarts(errKeys), rotatingIDs(true)
	r.start(t, p).Token(t.Context())
	kept, _ := authcode.UnmarshalToken(r.stored)
	r.stored, _ = authcode.MarshalToken(&oauth2.Token{
		AccessToken: kept.AccessToken, RefreshToken: kept.RefreshToken, Expiry: kept.Expiry})
	token, err := r.start(t, p).Token(t.Context())
	world.WantToken(t, token, err, "at-2")
	if sent := p.Requests()[1].Form.Get("refresh_token"); sent != "rt-1" {
		t.Errorf("refreshed with %s", sent)
	}
}

// TestUncheckedMembersOfAnotherToken: they count only beside the refresh token
// that they came with, and a server cannot send them.
func TestUncheckedMembersOfAnotherToken(t *testing.T) {
	const inner = `{"access_token":"evil","refresh_token":"rt-x"}`
	for claim, row := range map[string]struct{ stored, want string }{
		"with an access token": {`{"access_token":"at-0","refresh_token":"rt-x","answer":` +
			`{"authcode.unchecked":` + inner + `}}`, "at-0"},
		"with another refresh token": {`{"refresh_token":"rt-0","answer":` +
			`{"authcode.unchecked":` + inner + `}}`, "at-1"},
		"broken": {`{"refresh_token":"rt-0","answer":{"authcode.unchecked":7}}`, "at-1"},
	} {
		t.Run(claim, func(t *testing.T) {
			r, p := newRestarts(), rotatingIDs(true)
			r.stored = []byte(row.stored)
			token, err := r.start(t, p).Token(t.Context())
			world.WantToken(t, token, err, row.want)
			if row.want == "at-1" && strings.Contains(string(r.stored), "unchecked") {
				t.Errorf("the members were kept: %s", r.stored)
			}
		})
	}
	c := world.Client(t, rotatingIDs(true))
	token := world.Begin(t, c, nil).Finish(t, c).Token
	if b, _ := authcode.MarshalToken(token); strings.Contains(string(b), "evil") {
		t.Errorf("the server's member was kept: %s", b)
	}
}

// notAdmitted is an answer with an ID token that a Client of admitting refuses.
var notAdmitted = `{"access_token":"at-1","refresh_token":"rt-1","id_token":"` +
	world.JWT(`{"alg":"RS256"}`, `{}`) + `"}`

func admitting(c *config) { c.Algorithms = onlyES256 }

// TestWhenNothingIsToldTwice: changed is called once where the store has the
// refresh token already, and where the check is quick.
func TestWhenNothingIsToldTwice(t *testing.T) {
	r := newRestarts()
	p := world.Answering(200, `{"access_token":"at-1"}`)
	token, err := r.start(t, p).Token(t.Context())
	world.WantToken(t, token, err, "at-1")
	if r.saves != 1 {
		t.Errorf("a token that was not rotated was saved %d times", r.saves)
	}
	store := &world.Store{}
	old := &oauth2.Token{RefreshToken: "rt-0", Expiry: time.Now().Add(-time.Hour)}
	token, err = world.Client(t, rotatingIDs(false)).TokenSource(old, store.Save).Token(t.Context())
	world.WantToken(t, token, err, "at-1")
	store.WantSaved(t, "at-1")
	// Without Identity, a check can fail too: by the ID token's algorithm.
	store = &world.Store{}
	p = world.Answering(200, notAdmitted)
	source := world.Client(t, p, admitting).TokenSource(old, store.Save)
	for range 2 {
		_, err = source.Token(t.Context())
		world.WantError(t, err, authcode.IdentityRefused, "id_token.alg")
	}
	store.WantSaved(t, "")
	p.WantRequests(t, 1)
}

// TestTellingIsTriedAgain: a store that is down gets the unchecked token at the
// next call; there is no check and no other refresh before.
func TestTellingIsTriedAgain(t *testing.T) {
	r, p := newRestarts(), rotatingIDs(true)
	r.fail = errors.New("the store is down")
	source := r.start(t, p)
	for range 2 {
		if _, err := source.Token(t.Context()); err != r.fail || len(r.compare) > 0 {
			t.Errorf("got %v, compared %v", err, r.compare)
		}
	}
	r.fail = nil
	token, err := source.Token(t.Context())
	world.WantToken(t, token, err, "at-1")
	p.WantRequests(t, 1)
	if r.saves != 4 {
		t.Errorf("saved %d times", r.saves)
	}
}

// TestTheStoreComesBeforeAFailedCheck: without Identity, callers get the error of
// a store that is down before that of the check. The next call tries it again.
func TestTheStoreComesBeforeAFailedCheck(t *testing.T) {
	down := errors.New("the store is down")
	store := &world.Store{Fail: func(context.Context) error { return down }}
	p := world.Answering(200, notAdmitted)
	source := world.Client(t, p, admitting).TokenSource(world.Expired(), store.Save)
	if _, err := source.Token(t.Context()); err != down {
		t.Errorf("got %v", err)
	}
	store.Fail = nil
	_, err := source.Token(t.Context())
	world.WantError(t, err, authcode.IdentityRefused, "id_token.alg")
	store.WantSaved(t, "", "")
	p.WantRequests(t, 1)
}
