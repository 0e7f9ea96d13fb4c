package test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

func attackD03(t *testing.T) {
	w := world.New(t)
	attacker, victim := w.Browser(), w.Browser()
	callback := attacker.Callback("")
	w.WantFailure(victim.Get(callback), authcode.NoLogin, "cookie.missing")
	w.WantTokenRequests(0)
	victim.Start("") // a login of the victim's own does not help the attacker
	w.WantFailure(victim.Get(callback), authcode.NoLogin, "cookie.missing")
	w.WantTokenRequests(0)
	// The attempt did not use the login up for its owner.
	w.WantStatus(attacker.Get(callback), http.StatusSeeOther)
}

func attackD04(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	state := world.Param(callback, "state")
	other := "B" + state[1:]
	if state[0] == 'B' {
		other = "A" + state[1:]
	}
	with := func(state string) string { return world.With(callback, "state", state) }
	for name, c := range map[string]struct {
		target, check string
		reason        authcode.Reason
	}{
		"wrong":                  {with(strings.Repeat("A", 43)), "state.tag", authcode.Forged},
		"one bit off":            {with(other), "state.tag", authcode.Forged},
		"cut":                    {with(state[:42]), "state.form", authcode.Forged},
		"longer":                 {with(state + "A"), "state.form", authcode.Forged},
		"padded":                 {with(state + "="), "state.form", authcode.Forged},
		"spelled in another way": {with(respelled(state)), "state.form", authcode.Forged},
		"with a newline inside": {with(state[:20] + "\n" + state[20:]), "state.form",
			authcode.Forged},
		"in another letter case": {with(swapped(state)), "state.tag", authcode.Forged},
		"missing":                {with(""), "callback.state", authcode.Malformed},
		"there, without a value": {with("") + "&state=", "callback.state", authcode.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			w.In(t)
			w.WantFailure(b.Get(c.target), c.reason, c.check)
			w.WantTokenRequests(0)
		})
	}
	w.WantStatus(b.Get(callback), http.StatusSeeOther)
	w.WantTokenRequests(1)
}

// respelled is the state with another last letter that stands for the same
// bytes: base64url leaves bits of it unused.
func respelled(state string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	next := alphabet[strings.IndexByte(alphabet, state[42])+1]
	return state[:42] + string(next)
}

// swapped is the state in capitals, but for the last letter, of which not all
// would be one.
func swapped(state string) string { return strings.ToUpper(state[:42]) + state[42:] }

func attackD05(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	target := b.Start("")
	w.Server.SetFaults(authserver.Authorization, authserver.OtherUsersCode())
	w.WantFailure(b.Get(b.Approve(target)), authcode.GrantRejected, "answer.error")
	w.WantTokenRequests(1)
	sent := w.Server.TokenRequests()[0].Form.Get("code_verifier")
	if oauth2.S256ChallengeFromVerifier(sent) != world.Param(target, "code_challenge") {
		t.Error("the verifier sent is not the victim's")
	}
	if len(w.Logins()) != 0 {
		t.Error("somebody was signed in")
	}
}

func attackD07(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("")
	for name, extra := range map[string]string{
		"another code":              "code=x",
		"another state":             "state=x",
		"another iss":               "iss=x",
		"the same iss":              "iss=" + url.QueryEscape(world.Param(callback, "iss")),
		"the same state":            "state=" + world.Param(callback, "state"),
		"the same code":             "code=" + world.Param(callback, "code"),
		"an empty code":             "code=",
		"two errors":                "error=a&error=b",
		"an unknown name":           "unknown=1&unknown=1",
		"a code with its C escaped": "%63ode=x",
	} {
		t.Run(name, func(t *testing.T) {
			w.In(t)
			w.WantFailure(b.Get(callback+"&"+extra), authcode.Malformed, "callback.repeated")
			w.WantTokenRequests(0)
		})
	}
	w.WantStatus(b.Get(callback), http.StatusSeeOther)
}

func attackD08(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	const words = "<b>server-words</b>"
	w.Server.SetFaults(authserver.Authorization, authserver.Error(0, "access_denied", words))
	callback := b.Callback("")

	without := b.Get(world.With(callback, "state", ""))
	w.WantFailure(without, authcode.Malformed, "callback.state")
	forged := b.Get(world.With(callback, "state", strings.Repeat("A", 43)))
	w.WantFailure(forged, authcode.Forged, "state.tag")
	if w.LastError().ServerDescription != "" ||
		strings.Contains(without.Text+forged.Text, "server-words") {
		t.Error("an unauthenticated error's words got through")
	}
	resp := b.Get(callback)
	w.WantFailure(resp, authcode.Denied, "authorization.error")
	if err := w.LastError(); err.ServerError != "access_denied" || err.ServerDescription != words {
		t.Errorf("the error's fields are %q, %q", err.ServerError, err.ServerDescription)
	}
	if strings.Contains(resp.Text, "server-words") || len(b.LoginCookies()) != 0 {
		t.Error("the server's words are shown, or the login is still pending")
	}
	w.WantTokenRequests(0)
}
