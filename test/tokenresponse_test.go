package test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

var refreshRefused = []struct {
	claim  string
	status int
	body   string
	reason authcode.Reason
	check  string
}{
	{"invalid_grant", 400, `{"error":"invalid_grant"}`, authcode.GrantRejected, "answer.error"},
	{"invalid_request", 400, `{"error":"invalid_request"}`, authcode.GrantRejected,
		"answer.error"},
	{"unauthorized_client with 400", 400, `{"error":"unauthorized_client"}`,
		authcode.GrantRejected, "answer.error"},
	{"an unknown code", 400, `{"error":"whatever"}`, authcode.GrantRejected, "answer.error"},
	{"an empty 400", 400, ``, authcode.GrantRejected, "answer.error"},
	{"a 400 in plain text", 400, `no such token`, authcode.GrantRejected, "answer.error"},
	{"a 403", 403, `{"error":"access_denied"}`, authcode.GrantRejected, "answer.error"},
	{"GitHub's 200 with an error", 200, `{"error":"bad_refresh_token"}`, authcode.GrantRejected,
		"answer.error"},
	{"a 200 with an error and a token", 200, `{"access_token":"at","error":"invalid_grant"}`,
		authcode.GrantRejected, "answer.error"},
	{"a 200 with an error object", 200, `{"error":{"code":190}}`, authcode.GrantRejected,
		"answer.error"},
	{"an error in a form", 200, `error=bad_refresh_token`, authcode.GrantRejected,
		"answer.error"},
	{"a 401", 401, ``, authcode.Configuration, "answer.configuration"},
	{"unauthorized_client with 401", 401, `{"error":"unauthorized_client"}`,
		authcode.Configuration, "answer.configuration"},
	{"invalid_client with 400", 400, `{"error":"invalid_client"}`, authcode.Configuration,
		"answer.configuration"},
	{"invalid_scope", 400, `{"error":"invalid_scope"}`, authcode.Configuration,
		"answer.configuration"},
	{"unsupported_grant_type", 400, `{"error":"unsupported_grant_type"}`,
		authcode.Configuration, "answer.configuration"},
	{"GitHub's wrong secret", 200, `{"error":"incorrect_client_credentials"}`,
		authcode.Configuration, "answer.configuration"},
	{"a 429", 429, ``, authcode.Overloaded, "answer.error"},
	{"a 503 in HTML", 503, `<html>`, authcode.Overloaded, "answer.error"},
	{"temporarily_unavailable", 400, `{"error":"temporarily_unavailable"}`, authcode.Overloaded,
		"answer.error"},
	{"server_error", 400, `{"error":"server_error"}`, authcode.BadAnswer, "answer.error"},
	{"a 503 with invalid_client", 503, `{"error":"invalid_client"}`, authcode.Overloaded,
		"answer.error"},
	{"temporarily_unavailable with 200", 200, `{"error":"temporarily_unavailable"}`,
		authcode.Overloaded, "answer.error"},
	{"server_error with 200", 200, `{"error":"server_error"}`, authcode.BadAnswer,
		"answer.error"},
	{"a 500 with invalid_client", 500, `{"error":"invalid_client"}`, authcode.BadAnswer,
		"answer.error"},
	{"a 500", 500, `{"error":"invalid_grant"}`, authcode.BadAnswer, "answer.error"},
	{"a 404", 404, `<html>`, authcode.BadAnswer, "answer.error"},
	{"a redirect", 307, ``, authcode.BadAnswer, "answer.redirect"},
	{"a redirect with a token", 302, world.TokenJSON, authcode.BadAnswer, "answer.redirect"},
	{"an empty 200", 200, " \n", authcode.BadAnswer, "answer.empty"},
	{"HTML with 200", 200, `<html>`, authcode.BadAnswer, "answer.form"},
	{"a repeated member", 200, `{"access_token":"a","access_token":"b"}`, authcode.BadAnswer,
		"answer.form"},
	{"a member that differs by case alone", 200, `{"access_token":"a","Access_Token":"b"}`,
		authcode.BadAnswer, "answer.form"},
	{"256 KiB and a byte", 200, `{"access_token":"` + strings.Repeat("a", 256<<10) + `"}`,
		authcode.BadAnswer, "answer.size"},
	{"no access token", 200, `{}`, authcode.BadAnswer, "token.access_token"},
	{"an access token in upper case", 200, `{"ACCESS_TOKEN":"a"}`, authcode.BadAnswer,
		"token.access_token"},
	{"an access token that is a number", 200, `{"access_token":1}`, authcode.BadAnswer,
		"token.access_token"},
	{"an access token with a newline", 200, `{"access_token":"a\nb"}`, authcode.BadAnswer,
		"token.access_token"},
	{"a token of another type", 200, `{"access_token":"a","token_type":"mac"}`,
		authcode.BadAnswer, "token.token_type"},
	{"a refresh token that is a number", 200, `{"access_token":"a","refresh_token":1}`,
		authcode.BadAnswer, "token.refresh_token"},
	{"a refresh token with a control character", 200,
		`{"access_token":"a","refresh_token":"\u0000"}`, authcode.BadAnswer,
		"token.refresh_token"},
	{"a negative expiry", 200, `{"access_token":"a","expires_in":-1}`, authcode.BadAnswer,
		"token.expires_in"},
	{"an expiry in words", 200, `{"access_token":"a","expires_in":"soon"}`, authcode.BadAnswer,
		"token.expires_in"},
	{"a scope that is a number", 200, `{"access_token":"a","scope":1}`, authcode.BadAnswer,
		"token.scope"},
}

// TestRefreshRefused: how answers map to reasons.
func TestRefreshRefused(t *testing.T) {
	for _, row := range refreshRefused {
		t.Run(row.claim+" is "+string(row.reason), func(t *testing.T) {
			p := world.Answering(row.status, row.body, "Location", "https://evil.example/")
			e := world.WantError(t, world.Refresh(t, p), row.reason, row.check)
			if e.Provider != "x" || e.LoginURL != "/auth/x" ||
				(e.RetryAfter != 0) != (row.reason == authcode.Overloaded) {
				t.Errorf("Provider %q, LoginURL %q, RetryAfter %v", e.Provider, e.LoginURL,
					e.RetryAfter)
			}
			p.WantRequests(t, 1)
		})
	}
}

var refreshTolerance = []struct {
	claim, body string
	lives       time.Duration // 0: unknown expiry
}{
	{"no expires_in is unknown", `{"access_token":"a"}`, 0},
	{"null is unknown", `{"access_token":"a","expires_in":null}`, 0},
	{"zero is unknown", `{"access_token":"a","expires_in":0}`, 0},
	{"a string of seconds", `{"access_token":"a","expires_in":"3600"}`, time.Hour},
	{"a float of seconds", `{"access_token":"a","expires_in":3600.5}`,
		time.Hour + 500*time.Millisecond},
	{"an age beyond a Duration is a century", `{"access_token":"a","expires_in":1e300}`,
		100 * 365 * 24 * time.Hour},
	{"no token_type", `{"access_token":"a","expires_in":60}`, time.Minute},
	{"token_type in any case", `{"access_token":"a","token_type":"bEARER"}`, 0},
	{"a form", `access_token=a&expires_in=60&scope=`, time.Minute},
	{"an error that is empty", `{"access_token":"a","error":"","expires_in":60}`, time.Minute},
	{"space around", " \n{\"access_token\":\"a\",\"expires_in\":60}\n ", time.Minute},
	{"an empty expires_in is unknown", `{"access_token":"a","expires_in":""}`, 0},
	{"an error that is an empty list", `{"access_token":"a","error":[],"expires_in":60}`,
		time.Minute},
	{"an error that is an empty object", `{"access_token":"a","error":{},"expires_in":60}`,
		time.Minute},
	{"an error that is zero", `{"access_token":"a","error":0,"expires_in":60}`, time.Minute},
	{"an error that is false", `{"access_token":"a","error":false,"expires_in":60}`,
		time.Minute},
}

// TestRefreshTolerance: what real providers send, and what becomes of it.
func TestRefreshTolerance(t *testing.T) {
	for _, row := range refreshTolerance {
		t.Run(row.claim, func(t *testing.T) {
			bubble.Test(t, func(t *testing.T) {
				for _, kind := range []string{"application/json", "text/html; charset=utf-8", ""} {
					token, err := world.Client(t,
						world.Answering(200, row.body, "Content-Type", kind)).
						Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt-0"})
					if err != nil {
						t.Fatal(err)
					}
					var want time.Time
					if row.lives > 0 {
						want = time.Now().Add(row.lives)
					}
					if token.AccessToken != "a" || !token.Expiry.Equal(want) {
						t.Errorf("as %q: %q until %v, want %v", kind, token.AccessToken,
							token.Expiry, want)
					}
				}
			})
		})
	}
}

func TestRetryAfter(t *testing.T) {
	bubble.Test(t, func(t *testing.T) { // so that now is a whole second, and stands still
		at := func(d time.Duration) string {
			return time.Now().Add(d).UTC().Format(http.TimeFormat)
		}
		rows := []struct {
			claim, header string
			want          time.Duration
		}{
			{"seconds", "120", 2 * time.Minute},
			{"a date", at(90 * time.Second), 90 * time.Second},
			{"none", "", 5 * time.Second},
			{"words", "soon", 5 * time.Second},
			{"a negative number", "-5", 5 * time.Second},
			{"zero is a second", "0", time.Second},
			{"a date that has passed is a second", at(-time.Hour), time.Second},
			{"a day is an hour", "86400", time.Hour},
			{"a date next year is an hour", at(365 * 24 * time.Hour), time.Hour},
		}
		for _, row := range rows {
			for _, status := range []int{429, 503} {
				e := world.WantError(t,
					world.Refresh(t, world.Answering(status, "", "Retry-After", row.header)),
					authcode.Overloaded, "answer.error")
				if e.RetryAfter != row.want {
					t.Errorf("%s (%d): waits %v, want %v", row.claim, status, e.RetryAfter,
						row.want)
				}
			}
		}
	})
}

// TestFormAnswers: a form is one if it is called so, or begins as one.
func TestFormAnswers(t *testing.T) {
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	rows := []struct {
		claim, kind, body string
		accepted          bool
	}{
		{"a form by its type", form, "scope=a&access_token=a", true},
		{"a form by its looks", "text/plain", "access_token=a&scope=a", true},
		{"a form of another type that begins otherwise", "text/plain", "scope=a&access_token=a",
			false},
		{"JSON that is called a form", form, `{"access_token":"a"}`, true},
		{"a form that repeats a member", form, "access_token=a&access_token=b", false},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			err := world.Refresh(t, world.Answering(200, row.body, "Content-Type", row.kind))
			if row.accepted && err != nil {
				t.Error(err)
			} else if !row.accepted {
				world.WantError(t, err, authcode.BadAnswer, "answer.form")
			}
		})
	}
}
