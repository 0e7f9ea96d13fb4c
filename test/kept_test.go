package test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// largeLogins are logins of a hostile provider whose values hold far more bytes
// than their text: what it answers, and what its Identity says.
var largeLogins = map[string]struct {
	member string // repeated in the token response
	claims int
}{
	"many members of the token response": {`"m#":1`, 0},
	"long lists in it":                   {`"m#":[` + strings.Repeat("{},", 30_000) + `0]`, 0},
	"many claims of the Identity":        {"", 40_000},
}

// TestKeptLoginsAreBounded: logins that no browser has taken hold no more memory
// than SECURITY.md says, whatever the provider answers.
func TestKeptLoginsAreBounded(t *testing.T) {
	for claim, row := range largeLogins {
		t.Run(claim, func(t *testing.T) {
			before := heap()
			keepLogins(t, 20, largeAnswer(row.member), row.claims)
			// Twice the bound: it counts roughly.
			if grown := int64(heap()-before) >> 20; grown > 32 {
				t.Errorf("20 logins hold %d MiB, want at most 32", grown)
			}
		})
	}
}

// largeAnswer is a token response of about 200 KiB.
func largeAnswer(member string) string {
	b := new(strings.Builder)
	b.WriteString(strings.TrimSuffix(world.TokenJSON, "}"))
	for n := 0; member != "" && b.Len() < 160<<10; n++ {
		b.WriteString("," + strings.Replace(member, "#", strconv.Itoa(n), 1))
	}
	return b.String() + "}"
}

// keepLogins finishes n logins whose browsers have gone.
func keepLogins(t *testing.T, n int, answer string, claims int) {
	leave := func() {}
	c := world.Client(t, &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
		leave()
		return world.Reply(200, answer), nil
	}}, func(c *config) {
		c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
			id := &authcode.Identity{Issuer: "i", Subject: "s", Claims: map[string]any{}}
			for n := range claims {
				id.Claims[strconv.Itoa(n)] = true
			}
			return id, nil
		}
	})
	for range n {
		ctx, cancel := context.WithCancel(t.Context())
		leave = cancel
		l := world.Begin(t, c, nil)
		_, err := c.Exchange(httptest.NewRecorder(), l.Callback().WithContext(ctx))
		world.WantError(t, err, authcode.Canceled, "provider.canceled")
	}
}
