package test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/measure"
	"example.com/authcode/test/world"
)

// largeLogins are logins of a hostile provider that hold far more bytes than the
// text of their values: because of how many values there are, or because a small
// one keeps the whole answer.
var largeLogins = map[string]struct {
	logins int
	answer string
	claims int
}{
	"many members of the token response": {20, largeAnswer(`,"m#":1`), 0},
	"long lists in it":                   {20, largeAnswer(`,"m#":[` + strings.Repeat("{},", 30_000) + `0]`), 0},
	"many scopes":                        {20, largeAnswer(`,"scope":"` + strings.Repeat("a ", 120_000) + `"`), 0},
	"many claims of the Identity":        {20, world.TokenJSON, 40_000},
	"white space":                        {200, largeAnswer(strings.Repeat(" ", 200<<10)), 0},
	"a member that is dropped": {200, largeAnswer(`,"authcode.x":"` + strings.Repeat("x", 200<<10) + `"`),
		0},
	"a long description of an error": {200, `{"error":"invalid_grant","error_description":"` +
		strings.Repeat("x", 200<<10) + `"}`, 0},
	"an error beside a long member": {200, `{"error":"invalid_grant","error_description":"x","m":"` +
		strings.Repeat("x", 200<<10) + `"}`, 0},
}

// TestKeptLoginsAreBounded: logins that no browser has taken hold no more memory
// than SECURITY.md says, whatever the provider answers.
func TestKeptLoginsAreBounded(t *testing.T) {
	before := measure.Heap() // for all rows, since the logins of one push out those of another
	for claim, row := range largeLogins {
		t.Run(claim, func(t *testing.T) {
			keepLogins(t, row.logins, row.answer, row.claims)
			// Twice the bound: it counts roughly.
			if grown := (measure.Heap() - before) >> 20; grown > 32 {
				t.Errorf("%d logins hold %d MiB, want at most 32", row.logins, grown)
			}
		})
	}
}

// largeAnswer is a token response of about 200 KiB, with member again and again.
func largeAnswer(member string) string {
	b := new(strings.Builder)
	b.WriteString(strings.TrimSuffix(world.TokenJSON, "}"))
	for n := 0; b.Len() < 160<<10; n++ {
		b.WriteString(strings.Replace(member, "#", strconv.Itoa(n), 1))
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
