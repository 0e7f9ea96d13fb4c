package try

import (
	"flag"
	"log/slog"
	"regexp"
	"strings"
	"testing"

	"example.com/authcode"
)

// TestHintsNameFlags: every flag in a hint is one, of this command or of authcode check.
func TestHintsNameFlags(t *testing.T) {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	new(options).register(flags)
	named := regexp.MustCompile(`(?:^|[ (])-([a-z][a-z-]*)`)
	for _, hints := range []map[string]hint{hintsByError, hintsByCheck} {
		for key, h := range hints {
			for _, found := range named.FindAllStringSubmatch(h.text, -1) {
				if flags.Lookup(found[1]) == nil {
					t.Errorf("%s: there is no flag -%s", key, found[1])
				}
			}
		}
	}
}

func TestHints(t *testing.T) {
	app := newApp("https://app.example", slog.New(slog.DiscardHandler))
	app.signIns = []*signIn{
		{name: "provider", byFlags: true, checked: "https://op.example"},
		{name: "github", credentials: "GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET"},
	}
	for _, test := range []struct {
		provider, serverError, check, want string
	}{
		{"provider", "invalid_client", "answer.error", "check -client-id and -client-secret."},
		{"github", "invalid_client", "answer.error", "check GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET."},
		{"provider", "invalid_grant", "answer.error", "https://app.example/auth/provider/callback"},
		{"provider", "invalid_scope", "authorization.error", "change -scopes"},
		{"github", "invalid_scope", "authorization.error", ""},
		{"provider", "", "discovery.issuer", "run authcode check https://op.example"},
		{"provider", "", "discovery.form", "run authcode check https://op.example"},
		{"provider", "", "jwks.status", "run authcode check https://op.example"},
		{"provider", "", "userinfo.status", "-userinfo=false"},
		{"provider", "", "discovery.unreachable", "-ca-file"},
		{"github", "", "provider.unreachable", "-ca-file"},
		{"provider", "", "id_token.missing", "add it to -scopes"},
		{"provider", "made_up", "made.up", ""},
		{"nobody", "invalid_client", "answer.error", ""},
	} {
		e := &authcode.Error{Provider: test.provider, ServerError: test.serverError, Check: test.check}
		if got := app.hint(e); test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%+v: the hint is %q", test, got)
		}
	}
}
