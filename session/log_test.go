package session_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// logged returns what do logs.
func logged(do func()) string {
	var b bytes.Buffer
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&b, nil)))
	defer slog.SetDefault(old)
	do()
	return b.String()
}

// TestLogIsSilent: what another error says beside an *authcode.Error is not
// printed.
func TestLogIsSilent(t *testing.T) {
	a := newApp(t, setup{session: func(_ int, c *session.Config) {
		c.SignedIn = func(*http.Request, *authcode.Login) (string, error) {
			return "", errors.Join(authcode.NewError(authcode.NotAdmitted, "app.no", "no", nil), errors.New("hidden"))
		}
	}})
	text := logged(func() {
		b := a.browser(t)
		a.provider.SetUser("alice")
		b.read(a.provider.SignIn(b.Client, a.URL+"/login")).wantStatus(t, 403)
	})
	if !strings.Contains(text, "app.no") || strings.Contains(text, "hidden") {
		t.Errorf("the log is %s", text)
	}
}

// TestLogNamesTheCause: the line about a store that failed has the store's own
// error, wherever it failed, and no secret.
func TestLogNamesTheCause(t *testing.T) {
	for _, step := range []string{"Create grant", "Create session", "Load mark", "Load session"} {
		a := newApp(t, setup{})
		b := a.browser(t)
		text := logged(func() {
			if step == "Load session" { // of a guard, not of a sign-in
				b.signIn("alice", "/account")
			}
			if step == "Load session" {
				a.store.setDown(true) // one that fails once is asked again
				b.get("/account").wantStatus(t, 503)
				a.store.setDown(false)
				return
			}
			a.store.fail(step)
			a.provider.SetUser("alice")
			b.read(a.provider.SignIn(b.Client, a.URL+"/login")).wantStatus(t, 503)
		})
		if strings.Count(text, "\n") != 1 || !strings.Contains(text, errDown.Error()) {
			t.Errorf("%s: the log is %s", step, text)
		}
		world.WantNoSecret(t, "the log", text, a.secrets()...)
	}
}
