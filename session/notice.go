package session

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"

	"example.com/authcode"
	"example.com/authcode/internal/page"
)

// setHeaders sets the headers of every answer of this package.
func setHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
}

// show answers with a page.
func show(w http.ResponseWriter, status int, p *page.Page) {
	setHeaders(w)
	w.Header().Set("Content-Security-Policy", page.Policy())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	p.Write(w)
}

// showEnded answers a form of a person who is no longer signed in. The form is
// not repeated after the sign-in: somebody else may sign in.
func (s *Sessions) showEnded(w http.ResponseWriter, r *http.Request) {
	show(w, http.StatusUnauthorized, &page.Page{
		Title: "You are no longer signed in",
		Text: "What you sent was not saved. To keep what you wrote, go back and copy it. " +
			"Then sign in and send it again.",
		Links: []page.Link{{ID: "login", URL: s.loginURL(s.tenantOf(r), pageOf(r)), Text: "Sign in"}},
		Help:  "session.ended",
	})
}

// showLost answers a browser that has signed in some seconds ago and has no
// session. Sending it to sign in again would never end, because the provider
// knows the person.
func (s *Sessions) showLost(w http.ResponseWriter, r *http.Request) {
	// After the link, the person starts anew.
	for name, secure := range map[string]bool{secureMarker: true, plainMarker: false} {
		if hasCookie(r, name) {
			setCookie(w, name, "", secure, 0)
		}
	}
	title := "Your sign-in was lost"
	text := "You signed in a moment ago, but this site no longer finds your session. It may have " +
		"ended, or your browser may not send its cookie. Please try again. If this page comes back, " +
		"delete the cookies of this site."
	if s.isElsewhere(r) {
		title, text = "You are not signed in here", "You signed in a moment ago at another part of this "+
			"site. This part needs a sign-in of its own, which takes the place of the other one."
	}
	again := page.Link{ID: "login", URL: s.loginURL(s.tenantOf(r), pathOf(r)), Text: "Sign in again"}
	show(w, http.StatusUnauthorized, &page.Page{
		Title: title, Text: text,
		Links: []page.Link{again},
		Help:  "session.lost",
	})
}

// showDown answers while the store is down. The session is still there.
func (s *Sessions) showDown(w http.ResponseWriter, r *http.Request, e *authcode.Error) {
	setHeaders(w)
	// RFC 9110 section 10.2.3: whole seconds. Rounding down could make it 0.
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	if isScript(r) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusServiceUnavailable)
		json.NewEncoder(w).Encode(map[string]string{"error": string(e.Reason), "check": e.Check})
		return
	}
	show(w, http.StatusServiceUnavailable, &page.Page{
		Title: "This site cannot look up who you are",
		Text: "Nothing has changed: if you were signed in, you still are, and what you sent was not " +
			"saved. Please try again in a moment.",
		Links: []page.Link{{ID: "continue", URL: s.cfg.HomeURL, Text: "Back to the site"}},
		Help:  string(e.Reason) + ", " + e.Check,
	})
}

// noticeError is a finished login that is refused, with words for the person.
type noticeError struct {
	error
	title, text string
}

func (e *noticeError) Unwrap() error { return e.error }

// showRefused answers a finished login that was refused with words of our own.
func (s *Sessions) showRefused(
	w http.ResponseWriter, r *http.Request, login *authcode.Login, e *noticeError,
) {
	own, _ := errors.AsType[*authcode.Error](e) // those of this package are one
	if s.cfg.OnError != nil {
		s.cfg.OnError(w, r, own)
		return
	}
	show(w, own.Reason.Status(), &page.Page{
		Title: e.title, Text: e.text,
		Links: []page.Link{
			// Where the login came from leads to the right kind of login.
			{ID: "login", URL: again(r.Context(), s, login), Text: "Start again"},
			{ID: "continue", URL: s.cfg.HomeURL, Text: "Back to the site"},
		},
		Help: login.Provider + ", " + string(own.Reason) + ", " + own.Check,
	})
}

// again is where a person starts again whose login was refused.
func again(ctx context.Context, s *Sessions, login *authcode.Login) string {
	// The page of RequireFresh begins its login itself.
	if _, ok := login.Values[freshValue]; ok {
		return login.ReturnTo
	}
	key := ""
	if s.cfg.Tenant != nil {
		if conn, err := login.Client().Connection(ctx); err == nil {
			key = conn.Origin().Tenant
		}
	}
	return s.loginURL(key, login.ReturnTo)
}
