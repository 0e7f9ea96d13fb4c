package authcode

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"math"
	"net/http"
	"strconv"
	"strings"

	"example.com/authcode/internal/web"
)

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// ErrorPage answers a failed login: a small HTML page without script or outside content, or JSON
// when Accept prefers application/json, with the status of the error's reason. It says in plain
// words what happened and how to go on, and shows nothing that the request or the provider sent.
// It sets Cache-Control, Content-Security-Policy, Content-Type, Referrer-Policy, Retry-After, Vary,
// X-Content-Type-Options and X-Frame-Options. For [Prefetch] it writes nothing.
func ErrorPage(w http.ResponseWriter, r *http.Request, err *Error) {
	if err == nil {
		err = &Error{Reason: Configuration}
	}
	if err.Reason == Prefetch {
		return
	}
	p := newPage(err)
	setHeaders(w, "no-referrer")
	h := w.Header()
	h.Add("Vary", "Accept")
	if err.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(err.RetryAfter.Seconds()))))
	}
	if web.PrefersJSON(r.Header.Values("Accept")) {
		h.Set("Content-Type", "application/json")
		w.WriteHeader(err.Reason.Status())
		json.NewEncoder(w).Encode(p) // nobody is left to tell about an error
		return
	}
	_, style, _ := strings.Cut(pageHTML, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+
		base64.StdEncoding.EncodeToString(sum[:])+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(err.Reason.Status())
	pageTemplate.Execute(w, p)
}

// page is what people and programs are told of an error.
type page struct {
	Title       string `json:"title"`
	Text        string `json:"message"`
	Reason      string `json:"error"`
	Check       string `json:"check,omitempty"`
	Provider    string `json:"provider,omitempty"`
	LoginURL    string `json:"login_url,omitempty"`
	ContinueURL string `json:"continue_url,omitempty"`
	HomeURL     string `json:"home_url,omitempty"` // of a person who said no: do not only offer to start again
}

func newPage(e *Error) *page {
	p := &page{
		Reason: string(e.Reason), Check: e.Check, Provider: e.Provider,
		LoginURL: safeLink(e.LoginURL), ContinueURL: safeLink(e.ContinueURL),
	}
	if home := safeLink(e.HomeURL); e.Reason == Denied && home != p.LoginURL {
		p.HomeURL = home
	}
	p.Title, p.Text = explain(e)
	return p
}

// safeLink keeps links that New would accept: an app may hand ErrorPage an Error of its own making.
func safeLink(link string) string {
	if len(web.CheckLink("", link)) > 0 {
		return ""
	}
	return link
}

func explain(e *Error) (title, text string) {
	switch e.Reason {
	case Denied:
		return "You are not signed in", "Access was not allowed at the sign-in page, so nothing was shared and nothing changed."
	case NotAdmitted:
		return "This account is not admitted", "You signed in, but with an account that this site does not admit. Start again and choose another."
	case InteractionRequired:
		return "A sign-in is needed", "The sign-in service has to ask you something before it can sign you in. Please start again."
	case NotNavigation:
		return "Open the sign-in page itself", "A sign-in can only begin by opening its page, not from inside another one. Use the link below."
	case Expired:
		return "This sign-in took too long", "For your safety a sign-in has to be finished within ten minutes. Please start again."
	case NoLogin, Forged:
		return explainMissing(e)
	case AlreadyUsed:
		return explainUsed(e)
	case CodeRejected, RefreshRejected:
		return "The sign-in was not accepted", "The sign-in service did not accept this attempt. Please start again."
	case Malformed, WrongMethod, TooLong:
		return "This page cannot be opened directly", "It is a step of a sign-in, and what was sent to it is not complete. Please start again."
	case WrongIssuer:
		return "The answer came from the wrong place", "Another service than the one you chose answered. For your safety the sign-in was stopped."
	case Overloaded:
		return "The sign-in service is busy", "Please wait a moment and start again."
	case Timeout, Unreachable, Canceled:
		return "The sign-in service does not answer", "You are not signed in. Please try again in a few minutes."
	case BadAnswer, Redirected, IdentityRefused:
		return "The sign-in service gave a wrong answer", "You are not signed in. This is not your fault. Please try again later."
	}
	return "The sign-in is not set up correctly", "You are not signed in. This is not your fault: the people who run this site have to correct it."
}

func explainMissing(e *Error) (title, text string) {
	if e.Check == "cookie.host" {
		return "This sign-in began at another address", "It was started under another name of this site, where its cookie had to stay. " +
			"Start again from here. If you did not start it yourself, close this page."
	}
	return "This sign-in cannot go on", "This browser has no such sign-in under way. It may be over already, newer ones may have replaced " +
		"it, cookies may be blocked, or the site has restarted. If someone else sent you the link, close this page."
}

func explainUsed(e *Error) (title, text string) {
	switch {
	case e.ContinueURL != "":
		return "This sign-in is already finished", "If it was yours, nothing more is needed: continue to the site."
	case e.Check == "state.running":
		return "Your sign-in is being finished", "Another request is finishing it. Reload this page in a moment, or start again."
	}
	return "This sign-in was used before", "Each sign-in works once. Please start again."
}
