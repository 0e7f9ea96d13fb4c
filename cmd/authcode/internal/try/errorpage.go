package try

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"example.com/authcode"
)

// failure says why a login failed, for people, for programs and for the log.
// The first members are those of package authcode's own page as JSON.
type failure struct {
	Title       string `json:"title"`
	Text        string `json:"message"`
	Reason      string `json:"error"`
	Check       string `json:"check,omitempty"`
	Provider    string `json:"-"`
	LoginURL    string `json:"login_url,omitempty"`
	ContinueURL string `json:"continue_url,omitempty"`

	Detail        string         `json:"detail,omitempty"` // for the operator
	Hint          string         `json:"hint,omitempty"`   // what to do, in terms of the flags
	ProviderError *providerError `json:"provider_said,omitempty"`
}

// providerError holds the provider's own words. Anybody may have written them:
// a link to the callback is enough.
type providerError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// bufferedResponse is an http.ResponseWriter that keeps an answer in memory.
type bufferedResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *bufferedResponse) Header() http.Header         { return h.header }
func (h *bufferedResponse) WriteHeader(status int)      { h.status = status }
func (h *bufferedResponse) Write(p []byte) (int, error) { return h.body.Write(p) }

// newFailure takes the words for people from package authcode's own page, which
// it asks for as JSON. It also returns that answer, for its status and headers.
func (a *app) newFailure(r *http.Request, e *authcode.Error) (*failure, *bufferedResponse) {
	// The words on our page are then always those that an app would show.
	answer := &bufferedResponse{header: http.Header{}, status: http.StatusOK}
	asked := r.Clone(r.Context())
	asked.Header.Set("Accept", "application/json")
	authcode.ErrorPage(answer, asked, e)
	f := new(failure)
	if json.Unmarshal(answer.body.Bytes(), f) != nil {
		f.Title, f.Text, f.Reason = "You are not signed in", "Please try again.", string(e.Reason)
	}
	f.Provider, f.Detail, f.Hint = e.Provider, e.Error(), a.hint(e)
	if e.ServerError != "" || e.ServerDescription != "" {
		f.ProviderError = &providerError{e.ServerError, e.ServerDescription}
	}
	return f, answer
}

// loginFailed is the OnError of every provider. It writes a line for the
// operator and a page for the person.
func (a *app) loginFailed(w http.ResponseWriter, r *http.Request, e *authcode.Error) {
	if e.Reason == authcode.Prefetch || e.Reason == authcode.Continued {
		return // package authcode has answered, and nobody is waiting for a page
	}
	f, answer := a.newFailure(r, e)
	// Below 500 a person can cause the failure, and needs no operator.
	level := slog.LevelWarn
	if e.Reason.Status() >= 500 {
		level = slog.LevelError
	}
	// The error is a group of attributes. With an empty key, slog adds them to
	// the line itself.
	attrs := []slog.Attr{slog.Any("", e)}
	if f.ProviderError != nil {
		attrs = append(attrs, slog.String("provider_error", f.ProviderError.Error),
			slog.String("provider_description", f.ProviderError.Description))
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
