package provider_test

import (
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/provider"
	"github.com/go-jose/go-jose/v4"
)

// TestKakaoAddress: an address that has passed to another account is not the person's own.
func TestKakaoAddress(t *testing.T) {
	r, s, a := play(t, "Kakao")
	for word, c := range map[string]struct{ known, verified bool }{
		`"is_email_valid":true`: {true, true}, `"is_email_valid":false`: {true, false},
		`"is_email_valid":null`: {}, `"is_email_valid":"true"`: {}, `"gone":true`: {},
	} {
		s.reset(t)
		s.rewrite(t, `"is_email_valid":true`, word)
		a.signIn(t)
		want := r.want
		if want.EmailVerified = c.verified; !c.known {
			want.Email = ""
		}
		a.wantLogin(t, want)
	}
}

// TestLINEAlgorithm: a token that is signed with a key of the metadata's is refused, and so is a short secret.
func TestLINEAlgorithm(t *testing.T) {
	r, s, a := play(t, "LINE")
	other, issuer := *r, *r.openID
	issuer.alg, other.openID = jose.ES256, &issuer
	s.row = &other
	a.signIn(t)
	a.wantFailure(t, authcode.IdentityRefused, "id_token.alg")
	if _, err := newClient(provider.LINE(channelSecret[1:])); err == nil || !strings.Contains(err.Error(), "HS256") {
		t.Errorf("a secret of 31 bytes: %v", err)
	}
}

// TestHubSpotAccounts: equal user ids of two accounts are two users.
func TestHubSpotAccounts(t *testing.T) {
	for _, bad := range []string{`"x":1`, `"hub_id":0`, `"hub_id":"a/b"`, `"hub_id":null`, `"hub_id":{}`} {
		_, s, a := play(t, "HubSpot")
		s.rewrite(t, `"hub_id":62515`, bad)
		a.signIn(t)
		a.wantFailure(t, authcode.IdentityRefused, "profile.id")
	}
}

// TestQuickBooksNonce: an ID token of another login is refused, before the profile is asked for.
func TestQuickBooksNonce(t *testing.T) {
	r, s, a := play(t, "QuickBooks")
	s.claims = `,"nonce":"of another login"`
	a.signIn(t)
	a.wantFailure(t, authcode.IdentityRefused, "id_token.nonce")
	if s.seen(r.profile.url) != 0 {
		t.Error("the profile was asked for")
	}
}

// TestInstagramAnswers: the token is read with and without the list, and never from a list of several.
func TestInstagramAnswers(t *testing.T) {
	r, s, a := play(t, "Instagram")
	const one = `{"access_token":"access-1","user_id":17841,"permissions":"instagram_business_basic"}`
	for grant, check := range map[string]string{
		one: "", `{"data":[` + one + `]}`: "",
		`{"data":[]}`: "token.access_token", `{"data":{}}`: "token.access_token",
		`{"data":[` + one + `,` + one + `]}`: "token.access_token", `{"data":[7]}`: "answer.form",
		`<html>`: "answer.form", `[` + one + `]`: "answer.form",
	} {
		s.reset(t)
		s.grant = grant
		a.signIn(t)
		if check == "" {
			a.wantLogin(t, r.want)
		} else if a.login != nil || a.err == nil || a.err.Check != check {
			t.Errorf("%s: got %v, want %s", grant, a.err, check)
		}
	}
}
