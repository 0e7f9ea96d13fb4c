package test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// TestRenewSavesBeforeItChecks: a renewed token is stored in its unchecked form
// before Identity sees it, and a later Renew of that form only checks.
func TestRenewSavesBeforeItChecks(t *testing.T) {
	p := &world.Provider{}
	refusal := errors.New("the keys are out of reach")
	var steps []string
	client := world.Client(t, p, func(c *authcode.Config) {
		c.Provider.Identity = func(_ context.Context, r *authcode.TokenResponse) (*authcode.Identity, error) {
			steps = append(steps, "check")
			return &authcode.Identity{Issuer: world.Issuer, Subject: "alice"}, refusal
		}
	})
	var stored *oauth2.Token
	save := func(_ context.Context, unchecked *oauth2.Token) error {
		steps = append(steps, "save")
		stored = unchecked
		return nil
	}
	if _, _, err := client.Renew(t.Context(), world.Expired(), save); !errors.Is(err, authcode.IdentityRefused) {
		t.Fatalf("got %v", err)
	}
	if stored == nil || stored.AccessToken != "" || stored.RefreshToken != "rt-1" {
		t.Fatalf("stored %v", stored)
	}
	kept, err := authcode.MarshalToken(stored)
	if err != nil {
		t.Fatal(err)
	}
	again, err := authcode.UnmarshalToken(kept)
	if err != nil {
		t.Fatal(err)
	}
	refusal = nil
	got, id, err := client.Renew(t.Context(), again, save)
	if err != nil || got.AccessToken != "at-1" || got.RefreshToken != "rt-1" || id.Subject != "alice" {
		t.Errorf("got %v, %v, %v", got, id, err)
	}
	p.WantRequests(t, 1)
	if want := "save check check"; strings.Join(steps, " ") != want {
		t.Errorf("steps are %q, want %q", strings.Join(steps, " "), want)
	}
}

// TestRenewReturnsTheErrorOfSave: what could not be stored is not handed out.
func TestRenewReturnsTheErrorOfSave(t *testing.T) {
	down := errors.New("down")
	client := world.Client(t, &world.Provider{}, func(c *authcode.Config) {
		c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
			t.Error("Identity was called")
			return nil, nil
		}
	})
	got, _, err := client.Renew(t.Context(), world.Expired(),
		func(context.Context, *oauth2.Token) error { return down })
	if err != down || got != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestRenewSavesWhatFailsItsCheck: without Identity, only a token that fails its
// check is stored unchecked, and once.
func TestRenewSavesWhatFailsItsCheck(t *testing.T) {
	p := world.Answering(200, notAdmitted)
	client := world.Client(t, p, admitting)
	var stored *oauth2.Token
	down := errors.New("down")
	for _, fails := range []error{down, nil} {
		_, _, err := client.Renew(t.Context(), world.Expired(),
			func(_ context.Context, unchecked *oauth2.Token) error {
				stored = unchecked
				return fails
			})
		if fails != nil && err != down {
			t.Errorf("the error of save is %v", err)
		} else if fails == nil {
			world.WantError(t, err, authcode.IdentityRefused, "id_token.alg")
		}
	}
	if stored == nil || stored.AccessToken != "" || stored.RefreshToken != "rt-1" {
		t.Fatalf("stored %v", stored)
	}
	_, _, err := client.Renew(t.Context(), stored, func(context.Context, *oauth2.Token) error {
		t.Error("it is stored again")
		return nil
	})
	world.WantError(t, err, authcode.IdentityRefused, "id_token.alg")
	p.WantRequests(t, 2)
}

// TestRenewHasNoDeadlineOfItsOwn: only ctx bounds how long it waits.
func TestRenewHasNoDeadlineOfItsOwn(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		p := &world.Provider{Answer: func(r *world.Request) (*http.Response, error) {
			time.Sleep(time.Minute)
			if err := r.Context().Err(); err != nil {
				return nil, err
			}
			return world.Reply(200, world.TokenJSON), nil
		}}
		got, _, err := world.Client(t, p).Renew(t.Context(), world.Expired(), nil)
		world.WantToken(t, got, err, "at-1")
	})
}

// TestMarshalTokenStoresEachTokenOnce: the token is not stored again beside the
// answer that it came in.
func TestMarshalTokenStoresEachTokenOnce(t *testing.T) {
	got, err := world.Client(t, &world.Provider{}).Refresh(t.Context(), world.Expired())
	if err != nil {
		t.Fatal(err)
	}
	changed := *got
	changed.AccessToken = "mine"
	for _, token := range []*oauth2.Token{got, &changed} {
		stored, err := authcode.MarshalToken(token)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{token.AccessToken, token.RefreshToken} {
			if n := bytes.Count(stored, []byte(`"`+text+`"`)); n != 1 {
				t.Errorf("%q is stored %d times in %s", text, n, stored)
			}
		}
		back, err := authcode.UnmarshalToken(stored)
		if err != nil || back.AccessToken != token.AccessToken || back.RefreshToken != token.RefreshToken ||
			back.TokenType != token.TokenType || !back.Expiry.Equal(token.Expiry) {
			t.Errorf("got %v back, %v", back, err)
		}
	}
}
