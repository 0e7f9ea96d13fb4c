package fapi_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

func headerText(h http.Header) string {
	var b strings.Builder
	h.Write(&b)
	return b.String()
}

func (x *world) lastAnswer() answer {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.answers[len(x.answers)-1]
}

// lastState is that of the login that was started last, of those that the provider has seen.
func (x *world) lastState() string {
	for _, r := range slices.Backward(x.srv.Requests(authserver.PAR, authserver.Authorization)) {
		if state, ok := r.RequestObject().Claims["state"].(string); ok {
			return state
		}
		if r.Form.Has("state") {
			return r.Form.Get("state")
		}
	}
	x.t.Fatal("no request had a state")
	return ""
}

// startElsewhere starts a login in another browser and returns its state.
func (x *world) startElsewhere() string {
	x.t.Helper()
	resp, err := x.newBrowser().Get(x.app + "/login")
	if err != nil || resp.StatusCode/100 != 3 {
		x.t.Fatalf("a login does not start: %v", err)
	}
	resp.Body.Close()
	to, err := resp.Location()
	if err != nil {
		x.t.Fatal(err)
	}
	if state := to.Query().Get("state"); state != "" {
		return state
	}
	return x.lastState()
}

// finishPending sends what a forged response should have been: the login is still pending, if the response
// was refused for what it is not. A signed one cannot be put right here.
func (x *world) finishPending(r row) {
	x.t.Helper()
	harmless := []authcode.Reason{authcode.Malformed, authcode.Forged, authcode.NoLogin}
	code := x.lastAnswer().query.Get("code")
	if r.at != authserver.Authorization || !slices.Contains(harmless, r.reason) || x.cfg.MessageSigning.SignedResponses ||
		!slices.Contains(x.srv.Issued(), code) {
		return
	}
	x.mu.Lock()
	logins := len(x.logins)
	x.mu.Unlock()
	response := url.Values{"code": {code}, "state": {x.lastState()}, "iss": {x.srv.URL}}
	resp, err := x.browser.Get(x.app + "/callback?" + response.Encode())
	if err != nil {
		x.t.Fatal(err)
	}
	resp.Body.Close()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.logins) != logins+1 {
		x.t.Errorf("the pending login cannot be finished any more: status %d", resp.StatusCode)
	}
}

// wantNoSecrets searches all that the app showed of errors, in every way that apps print them.
func (x *world) wantNoSecrets(errs ...*authcode.Error) {
	x.t.Helper()
	x.mu.Lock()
	errs = append(errs, x.errors...)
	var b strings.Builder
	b.WriteString(x.shown)
	x.mu.Unlock()
	for _, err := range slices.DeleteFunc(errs, func(err *authcode.Error) bool { return err == nil }) {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			fmt.Fprintf(&b, verb+"\n"+verb+"\n", err, []any{err})
		}
		json.NewEncoder(&b).Encode(err)
		slog.New(slog.NewJSONHandler(&b, nil)).Info("refused", "err", err)
	}
	shown := b.String()
	for secret, what := range x.secrets() {
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			if strings.Contains(shown, form) {
				x.t.Errorf("an error shows %s", what)
			}
		}
	}
}

// secrets are what the provider issued, what either side sent, and what the tables make the provider say.
func (x *world) secrets() map[string]string {
	all := map[string]string{word: "the provider's words"}
	add := func(what, text string) {
		for part := range strings.SplitSeq(text, ".") { // a JWT's claims alone are secret too
			if len(part) >= 8 && !strings.HasPrefix(part, "https:") {
				all[part] = what
			}
		}
	}
	for _, issued := range x.srv.Issued() {
		add("something that was issued", issued)
	}
	for _, r := range x.srv.Requests() {
		for _, name := range []string{
			"code", "state", "nonce", "code_verifier", "client_assertion", "request", "request_uri", "refresh_token", "token",
		} {
			add(name, r.Form.Get(name))
		}
		_, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		add("the access token", credentials)
		add("a proof", r.Header.Get("DPoP"))
	}
	return all
}

// wantFresh: no two requests have a proof or an assertion in common, also where one repeats another.
func (x *world) wantFresh() {
	x.t.Helper()
	seen := make(map[any]bool)
	for _, r := range x.srv.Requests(counted...) {
		for _, t := range []authserver.JWT{r.Proof(), r.Assertion()} {
			if id := t.Claims["jti"]; id != nil && seen[id] {
				x.t.Errorf("a jti came twice, the second time at %s", r.Place)
			} else {
				seen[id] = true
			}
		}
	}
}
