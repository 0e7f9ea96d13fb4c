package world

import (
	"slices"
	"strings"

	"example.com/authcode"
)

// Hide adds secrets that must not get out, beyond those that the server gave
// out or was sent.
func (w *World) Hide(secrets ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.secrets = append(w.secrets, secrets...)
}

// sent are the parameters of requests to the server that are secret.
var sent = []string{
	"code", "state", "nonce", "code_verifier", "client_secret", "client_assertion",
	"request", "request_uri", "refresh_token", "token",
}

// Secrets are the client secret, the keys, all that the server issued, and all
// secrets that it was sent.
func (w *World) Secrets() []string {
	w.mu.Lock()
	secrets := append([]string{CanarySecret}, w.secrets...)
	w.mu.Unlock()
	if w.Server != nil && !w.quiet {
		secrets = append(secrets, w.Server.Issued()...)
		for _, r := range w.Server.Requests() {
			for _, name := range sent {
				secrets = append(secrets, r.Form[name]...)
			}
			_, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
			secrets = append(secrets, credentials, r.Header.Get("DPoP"))
		}
	}
	slices.Sort(secrets)
	return slices.DeleteFunc(slices.Compact(secrets), func(s string) bool { return len(s) < 8 })
}

// WantNoSecret searches all that the app let out for every secret. It runs when
// the test ends.
func (w *World) WantNoSecret() {
	t := w.TB()
	t.Helper()
	WantNoSecret(t, "the app", w.Transcript.String(), w.Secrets()...)
}

// LastLogin is the newest that reached the app.
func (w *World) LastLogin() *authcode.Login {
	t := w.TB()
	t.Helper()
	logins := w.Logins()
	if len(logins) == 0 {
		t.Fatal("nobody signed in")
	}
	return logins[len(logins)-1]
}

// LastError is the newest that reached OnError.
func (w *World) LastError() *authcode.Error {
	t := w.TB()
	t.Helper()
	errors := w.Errors()
	if len(errors) == 0 {
		t.Fatal("no error reached OnError")
	}
	return errors[len(errors)-1]
}

// WantTokenRequests checks how many requests the token endpoint has seen.
func (w *World) WantTokenRequests(n int) {
	t := w.TB()
	t.Helper()
	if got := len(w.Server.TokenRequests()); got != n {
		t.Errorf("the token endpoint saw %d requests, want %d", got, n)
	}
}

// WantStatus checks the status of an answer.
func (w *World) WantStatus(resp *Response, status int) {
	t := w.TB()
	t.Helper()
	if resp.StatusCode != status {
		t.Errorf("status %d, want %d: %s", resp.StatusCode, status, resp.Text)
	}
}

// WantRefusal checks status, reason and check of a failure.
func (w *World) WantRefusal(resp *Response, reason authcode.Reason, check string) {
	t := w.TB()
	t.Helper()
	w.WantStatus(resp, reason.Status())
	if err := w.LastError(); err.Reason != reason || err.Check != check {
		t.Errorf("failed with %v, want %s (%s)", err, reason, check)
	}
}

// WantFailure checks a failed login, and that its page offers to start again.
func (w *World) WantFailure(resp *Response, reason authcode.Reason, check string) {
	t := w.TB()
	t.Helper()
	w.WantRefusal(resp, reason, check)
	if !strings.Contains(resp.Text, `href="/login"`) {
		t.Errorf("the page offers no way to start again: %s", resp.Text)
	}
}
