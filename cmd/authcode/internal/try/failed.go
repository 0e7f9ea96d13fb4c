package try

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"example.com/authcode"
)

// failure is what people, programs and the log are told of a login that failed. The first
// members are those that package authcode's own page has as JSON.
type failure struct {
	Title       string `json:"title"`
	Text        string `json:"message"`
	Reason      string `json:"error"`
	Check       string `json:"check,omitempty"`
	Provider    string `json:"-"`
	LoginURL    string `json:"login_url,omitempty"`
	ContinueURL string `json:"continue_url,omitempty"`

	Detail string `json:"detail,omitempty"` // for the operator
	Hint   string `json:"hint,omitempty"`   // what to do, by flag
	Said   *said  `json:"provider_said,omitempty"`
}

// said are the provider's own words. Anybody may have written them.
type said struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// held keeps an answer that is not sent.
type held struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *held) Header() http.Header         { return h.header }
func (h *held) WriteHeader(status int)      { h.status = status }
func (h *held) Write(p []byte) (int, error) { return h.body.Write(p) }

// newFailure asks package authcode's own page for its words, and returns it with the
// page's headers.
func (a *app) newFailure(r *http.Request, e *authcode.Error) (*failure, *held) {
	answer := &held{header: http.Header{}, status: http.StatusOK}
	asked := r.Clone(r.Context())
	asked.Header.Set("Accept", "application/json")
	authcode.ErrorPage(answer, asked, e)
	f := new(failure)
	if json.Unmarshal(answer.body.Bytes(), f) != nil {
		f.Title, f.Text, f.Reason = "You are not signed in", "Please try again.", string(e.Reason)
	}
	f.Provider, f.Detail, f.Hint = e.Provider, e.Error(), a.hint(e)
	if e.ServerError != "" || e.ServerDescription != "" {
		f.Said = &said{e.ServerError, e.ServerDescription}
	}
	return f, answer
}

// loginFailed is the OnError of every provider: one line for the operator, a page for the
// person.
func (a *app) loginFailed(w http.ResponseWriter, r *http.Request, e *authcode.Error) {
	if e.Reason == authcode.Prefetch {
		return // it has been answered
	}
	f, answer := a.newFailure(r, e)
	level := slog.LevelWarn
	if e.Reason.Status() >= 500 {
		level = slog.LevelError
	}
	// An attribute without a key puts the members of the error's group into the line itself.
	attrs := []slog.Attr{slog.Any("", e)}
	if f.Said != nil {
		attrs = append(attrs, slog.String("provider_error", f.Said.Error),
			slog.String("provider_description", f.Said.Description))
	}
	if f.Hint != "" {
		attrs = append(attrs, slog.String("hint", f.Hint))
	}
	a.log.LogAttrs(r.Context(), level, "login failed", attrs...)
	a.out.say(event{Event: "failed", Provider: e.Provider, failure: f})
	if retry := answer.header.Get("Retry-After"); retry != "" {
		w.Header().Set("Retry-After", retry)
	}
	w.Header().Add("Vary", "Accept")
	if wantsJSON(r) {
		writeJSON(w, answer.status, f)
		return
	}
	a.write(w, answer.status, "failed.html", page{Title: f.Title, Failure: f})
}

// tokenFailed answers a person whose token could not be renewed.
func (a *app) tokenFailed(w http.ResponseWriter, r *http.Request, err error) {
	var e *authcode.Error
	if errors.As(err, &e) {
		a.loginFailed(w, r, e)
		return
	}
	a.broken(w, r, err)
}
