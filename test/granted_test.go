package test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

const (
	hour = time.Hour
	all  = "openid profile email"
)

// granted is what a login has of a token answer with one fault.
var granted = []struct {
	name   string
	fault  authserver.Fault
	expiry time.Duration // 0: unknown
	scopes string
}{
	{"expires_in as a string", authserver.Set("expires_in", `"3600"`), hour, all},
	{"expires_in as a float", authserver.Set("expires_in", "3600.0"), hour, all},
	{"expires_in with an exponent", authserver.Set("expires_in", "3.6e3"), hour, all},
	{"expires_in null is unknown", authserver.Set("expires_in", "null"), 0, all},
	{"expires_in 0 is unknown", authserver.Set("expires_in", "0"), 0, all},
	{"expires_in beyond a lifetime is capped", authserver.Set("expires_in", "1e300"),
		100 * 365 * 24 * hour, all},
	{"fewer scopes", authserver.Set("scope", `"openid"`), hour, "openid"},
	{"an empty scope is none", authserver.Set("scope", `""`), hour, ""},
	{"a missing scope is as requested", authserver.Drop("scope"), hour, all},
	{"a null scope is as requested", authserver.Set("scope", "null"), hour, all},
	{"scopes in a list", authserver.Set("scope", `["a","b"]`), hour, "a b"},
}

func TestExpiryAndScopes(t *testing.T) {
	for _, c := range granted {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := world.New(t, func(cfg *config) { cfg.Scopes = strings.Fields(all) })
			w.Server.SetFaults(authserver.Token, c.fault)
			w.WantStatus(w.Browser().SignIn(""), http.StatusSeeOther)
			login := w.LastLogin()
			if got := strings.Join(login.Scopes, " "); got != c.scopes {
				t.Errorf("scopes %q, want %q", got, c.scopes)
			}
			if c.expiry == 0 && !login.Token.Expiry.IsZero() {
				t.Errorf("expiry %v, want unknown", login.Token.Expiry)
			}
			off := time.Until(login.Token.Expiry) - c.expiry
			if c.expiry != 0 && (off > time.Second || off < -time.Minute) {
				t.Errorf("expiry is off by %v", off)
			}
		})
	}
}

func TestScopesAnsweredWithCommas(t *testing.T) {
	for _, c := range []struct{ requested, answered, want string }{
		{"repo user:email", "repo,user:email", "repo|user:email"},
		{"a,b", "a,b", "a,b"}, // a scope with a comma of its own
	} {
		w := world.New(t, func(cfg *config) { cfg.Scopes = strings.Fields(c.requested) })
		w.Server.SetFaults(authserver.Token, authserver.Set("scope", fmt.Sprintf("%q", c.answered)))
		w.WantStatus(w.Browser().SignIn(""), http.StatusSeeOther)
		if got := strings.Join(w.LastLogin().Scopes, "|"); got != c.want {
			t.Errorf("scopes %q, want %q", got, c.want)
		}
	}
}

// TestGrantedScopes: what was granted, as providers say it; nothing said means
// as requested.
func TestGrantedScopes(t *testing.T) {
	rows := []struct {
		claim, member, sep string
		asked              []string
		opts               []authcode.AuthOption
		want               []string
	}{
		{"nothing said means the Client's", ``, "", []string{"a", "b"}, nil, []string{"a", "b"}},
		{"nothing said means this login's", ``, "", []string{"a"}, options{authcode.Scopes("c")},
			[]string{"c"}},
		{"nothing said means none where none was asked for", ``, "", []string{"a"},
			options{authcode.Scopes()}, nil},
		{"null means as requested", `,"scope":null`, "", []string{"a"}, nil, []string{"a"}},
		{"an empty text means none", `,"scope":""`, "", []string{"a"}, nil, nil},
		{"a text is split at spaces", `,"scope":"a  b "`, "", []string{"c"}, nil,
			[]string{"a", "b"}},
		{"a list is taken as it is", `,"scope":["a","b,c"]`, "", []string{"c"}, nil,
			[]string{"a", "b,c"}},
		{"GitHub's commas are understood", `,"scope":"a,b"`, "", []string{"a", "b"}, nil,
			[]string{"a", "b"}},
		{"a comma of the app's own scope is kept", `,"scope":"a,b c"`, "", []string{"a,b"}, nil,
			[]string{"a,b", "c"}},
		{"the provider's separator splits", `,"scope":"a+b c"`, "+", []string{"a"}, nil,
			[]string{"a", "b", "c"}},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			c := world.Client(t, world.Answering(200, `{"access_token":"at"`+row.member+`}`),
				func(c *config) {
					c.Scopes, c.Provider.ScopeSep = row.asked, row.sep
				})
			got := world.Begin(t, c, nil, row.opts...).Finish(t, c).Scopes
			if !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
