package authcode

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"strconv"

	"example.com/authcode/internal/headers"
	pages "example.com/authcode/internal/page"
	"example.com/authcode/internal/urls"
)

// ErrorPage answers a failed login with the status of its Reason and a small
// HTML page, or JSON if Accept prefers it. Nothing in it comes from the request
// or the provider, except the return path in its link to start again. An err
// without an [*Error] becomes [Configuration]. ErrorPage sets
// Content-Security-Policy, Content-Type, Retry-After, Vary and the headers of
// [Client.AuthCodeURL]. For [Prefetch] and [Continued] it writes nothing.
func ErrorPage(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e == nil {
		e = &Error{Reason: Configuration}
	}
	if e.Reason.isAnswered() {
		return
	}
	p := newPage(e)
	setHeaders(w)
	h := w.Header()
	// The answer depends on Accept. A cache must not give JSON to a browser.
	h.Add("Vary", "Accept")
	if e.RetryAfter > 0 {
		// RFC 9110 section 10.2.3: whole seconds. Rounding down could make it
		// 0.
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	// A script that called the app cannot use HTML.
	if headers.PrefersJSON(r.Header.Values("Accept")) {
		h.Set("Content-Type", "application/json")
		w.WriteHeader(e.Reason.Status())
		json.NewEncoder(w).Encode(p) // if this fails, nobody is left to tell
		return
	}
	h.Set("Content-Security-Policy", pages.Policy())
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(e.Reason.Status())
	p.write(w)
}

// page is what people and programs learn about an error.
type page struct {
	Title       string `json:"title"`
	Text        string `json:"message"`
	Reason      string `json:"error"`
	Check       string `json:"check,omitempty"`
	Provider    string `json:"provider,omitempty"`
	LoginURL    string `json:"login_url,omitempty"`
	ContinueURL string `json:"continue_url,omitempty"`
}

// newPage says what happened in e, without the words of a server or a browser.
func newPage(e *Error) *page {
	p := &page{
		Reason: string(e.Reason), Check: e.Check, Provider: e.Provider,
		LoginURL: safeLink(e.LoginURL), ContinueURL: safeLink(e.ContinueURL),
	}
	// Two links to the same place would only confuse.
	if e.Reason == Denied && p.ContinueURL == p.LoginURL {
		p.ContinueURL = ""
	}
	// The texts are constants. An attacker who can cause an error cannot choose
	// its words.
	p.Title, p.Text = explain(e)
	return p
}

// safeLink drops a link that New would refuse.
func safeLink(link string) string {
	// An app may pass an Error of its own, made from a request. A "javascript:"
	// link would run when the person clicks on it.
	if len(urls.CheckLink("", link)) > 0 {
		return ""
	}
	return link
}

// write writes p as HTML.
func (p *page) write(w io.Writer) {
	help := p.Reason
	if p.Provider != "" {
		help = p.Provider + ", " + help
	}
	if p.Check != "" {
		help += ", " + p.Check
	}
	// All values are escaped: an Error of the app's own may hold anything.
	shown := pages.Page{Title: p.Title, Text: p.Text, Help: help, Links: p.links()}
	shown.Write(w)
}

// links returns the links of the page.
func (p *page) links() []pages.Link {
	login := pages.Link{ID: "login", URL: p.LoginURL, Text: "Start again"}
	next := pages.Link{ID: "continue", URL: p.ContinueURL, Text: "Back to the site"}
	// The person is probably signed in already.
	if p.Reason == string(AlreadyUsed) {
		next.Text = "Continue"
		return []pages.Link{next, login}
	}
	return []pages.Link{login, next}
}

// explain says what happened, for the person who wanted to sign in. The texts
// use no technical words, and do not blame the person.
func explain(e *Error) (title, text string) {
	switch e.Reason {
	// The person or the provider said no. The app does not know which, so the
	// text does not say "you".
	case Denied:
		return "You are not signed in",
			"Access was not allowed, so nothing was shared and nothing has changed."
	// The provider may sign the same account in again without asking, so name
	// the way out.
	case NotAdmitted:
		return "This account cannot be used here",
			"You signed in, but this site does not accept that account. " +
				"Start again and choose another one."
	case InteractionRequired:
		return "Please sign in",
			"The sign-in service needs to ask you something first. Please start again."
	case NotNavigation:
		return "Open the sign-in page directly",
			"For your safety, a sign-in cannot start from inside another page. " +
				"Please start again here."
	case Expired:
		return "This sign-in took too long",
			"For your safety, a sign-in must be finished within ten minutes. Please start again."
	// Often a bookmark of the callback, or a link that a mail program cut.
	case Malformed, WrongMethod:
		return "This page cannot be opened directly",
			"This page is one step of a sign-in, but some information is missing. " +
				"Please start again."
	// A customer of the site that brings its own sign-in service. The key in the
	// address is wrong, or the customer was removed.
	case NotFound:
		return "There is no sign-in at this address",
			"Check the address for mistakes. If it is right, this sign-in was removed: ask the person " +
				"who gave you the address, such as your administrator."
	case NoLogin:
		return explainMissing(e)
	case Forged:
		return explainForged(e)
	case AlreadyUsed:
		return explainUsed(e)
	}
	return explainService(e)
}

// explainService is for failures between this site and the provider.
func explainService(e *Error) (title, text string) {
	switch e.Reason {
	// The code was used or has expired. A new login gets a new code.
	case GrantRejected:
		return "The sign-in was not accepted",
			"The sign-in service did not accept this attempt. Please start again."
	case Overloaded:
		return "The sign-in service is busy",
			"You are not signed in. Please wait a moment and start again."
	// Nobody sees the page for Canceled, but it needs some text.
	case Timeout, Unreachable, Canceled:
		return "The sign-in service does not respond",
			"You are not signed in. Please try again in a few minutes."
	case BadAnswer, IdentityRefused:
		return "The sign-in service made an error",
			"You are not signed in. This is not your fault. Please try again later."
	}
	// Trying again would not help: the operator has to do something.
	return "Sign-in is not set up correctly",
		"You are not signed in. This is not your fault. " +
			"The people who run this site need to fix it."
}

// explainMissing is for a login whose cookie is missing.
func explainMissing(e *Error) (title, text string) {
	// The link may come from an attacker, who wants the person to finish the
	// attacker's login. So both texts say when to close the page.
	if e.Check == "cookie.host" {
		return "This sign-in began at another address",
			"It began at another address of this site and cannot continue at this one. " +
				"Please start again here. If you did not start it yourself, close this page."
	}
	return "This sign-in cannot continue",
		"It may have ended, newer ones may have replaced it, or your browser may block cookies. " +
			"Please start again. If someone else sent you the link, close this page."
}

// explainForged is for a callback that this app or this provider did not make.
func explainForged(e *Error) (title, text string) {
	// A mix-up attack, or a wrong Provider.Issuer. Another try is safe in both
	// cases.
	if e.Check == "iss" || e.Check == "iss.missing" || e.Check == "iss.origin" {
		return "The answer came from the wrong place",
			"It did not come from the sign-in service that you chose. " +
				"For your safety, the sign-in was stopped. Please start again."
	}
	return "This sign-in cannot be verified",
		"It does not belong to this site, or the site has restarted since it began. " +
			"Please start again. If someone else sent you the link, close this page."
}

// explainUsed is for a login that was used before.
func explainUsed(e *Error) (title, text string) {
	switch {
	// Often a reload or the Back button. The link may also come from somebody
	// else, so do not say that the person is signed in.
	case e.ContinueURL != "":
		return "This sign-in is already finished",
			"If it was yours, there is nothing more to do. You can continue to the site."
	// A double click, or a browser that repeats a slow request.
	case e.Check == "state.running":
		return "Your sign-in is being finished",
			"Another request is finishing it. Reload this page in a moment, or start again."
	}
	return "This sign-in was used before",
		"Each sign-in works only once. Please start again."
}
