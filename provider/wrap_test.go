package provider_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"example.com/authcode"
	"github.com/go-jose/go-jose/v4"
)

// wrapping puts functions of an app's own around those of a preset, and counts their calls.
type wrapping struct{ metadata, identity, verify int }

func (w *wrapping) change(cfg *authcode.Config) {
	p := &cfg.Provider
	if metadata := p.Metadata; metadata != nil {
		p.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
			w.metadata++
			return metadata(ctx, conn)
		}
	}
	identity, verify := p.Identity, p.Verify
	p.Identity = func(ctx context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
		w.identity++
		return identity(ctx, resp)
	}
	if verify != nil {
		p.Verify = func(ctx context.Context, conn *authcode.Connection, typ, jwt string) (map[string]any, error) {
			w.verify++
			return verify(ctx, conn, typ, jwt)
		}
	}
}

// testWrapped: a preset whose Identity, Metadata and Verify an app has wrapped behaves as it did before.
func testWrapped(t *testing.T, r *row, s *sim, a *app) {
	var w wrapping
	a.signIn(t, w.change)
	a.wantLogin(t, r.want)
	if w.identity != 1 || isOpenID(r) != (w.metadata > 0) {
		t.Errorf("called Identity %d times, Metadata %d times", w.identity, w.metadata)
	}
	a.revoke(t)
	if refreshes(r) {
		fresh, err := a.client.Refresh(t.Context(), a.login.Token)
		if err != nil || fresh.AccessToken != "access-2" || w.identity != 2 {
			t.Errorf("refreshed to %v: %v; called Identity %d times", fresh != nil, err, w.identity)
		}
	}
	testWrappedVerify(t, r, s, a, &w)
	testNoID(t, r, s, a, w.change)
	if isREST(r) {
		return
	}
	s.reset(t)
	s.idToken = "not.a.token"
	a.signIn(t, w.change)
	if a.login != nil || a.err == nil || a.err.Reason != authcode.IdentityRefused {
		t.Errorf("got %v", a.err)
	}
}

// testWrappedVerify: Verify opens a logout token and refuses one that is signed by nobody, wrapped or not.
func testWrappedVerify(t *testing.T, r *row, s *sim, a *app, w *wrapping) {
	conn, err := a.client.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wrapped, plain := conn.Config.Provider.Verify, r.provider().Verify
	if isREST(r) {
		if wrapped != nil || plain != nil {
			t.Error("a provider without signed messages has Verify")
		}
		return
	}
	before, token := w.verify, s.logoutToken()
	got, err := wrapped(t.Context(), conn, "logout+jwt", token)
	want, err2 := plain(t.Context(), conn, "logout+jwt", token)
	if err != nil || err2 != nil || got["jti"] != "j-1" || fmt.Sprint(got) != fmt.Sprint(want) || w.verify != before+1 {
		t.Errorf("opened %v: %v, want %v: %v", got, err, want, err2)
	}
	_, err = wrapped(t.Context(), conn, "logout+jwt", token[:len(token)-8]+"AAAAAAAA")
	_, err2 = plain(t.Context(), conn, "logout+jwt", token[:len(token)-8]+"AAAAAAAA")
	var e, e2 *authcode.Error
	check := "logout_token.signature"
	if r.openID.alg == jose.HS256 {
		check = "logout_token.secret"
	}
	if !errors.As(err, &e) || !errors.As(err2, &e2) || e.Check != check || e.Check != e2.Check {
		t.Errorf("a forged token: %v, want %v", err, err2)
	}
}
