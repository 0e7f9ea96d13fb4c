package authcode

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/urls"
)

// pageHTML is the page, with names in braces for what write fills in. It is not an html/template:
// the reflection in that package adds 2.3 MB to every app, and two texts, two links and a line for
// the help desk do not need it.
//
//go:embed page.html
var pageHTML string

// pagePolicy is the page's Content-Security-Policy: its own style, and nothing else.
var pagePolicy = sync.OnceValue(func() string {
	_, style, _ := strings.Cut(pageHTML, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// ErrorPage answers a failed login: a small HTML page without script or outside content, or JSON
// when Accept prefers application/json, with the status of the error's reason. It says in plain
// words what happened and how to go on, and shows nothing that the request or the provider sent.
// If err is nil or holds no [*Error], it is treated as one with the reason [Configuration].
// ErrorPage sets Cache-Control, Content-Security-Policy, Content-Type, Referrer-Policy, Retry-After, Vary,
// X-Content-Type-Options and X-Frame-Options. For [Prefetch] it writes nothing.
func ErrorPage(w http.ResponseWriter, r *http.Request, err error) {
	var e *Error
	if !errors.As(err, &e) || e == nil {
		e = &Error{Reason: Configuration}
	}
	if e.Reason == Prefetch {
		return
	}
	p := newPage(e)
	setHeaders(w, "no-referrer")
	h := w.Header()
	h.Add("Vary", "Accept")
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.RetryAfter.Seconds()))))
	}
	if headers.PrefersJSON(r.Header.Values("Accept")) {
		h.Set("Content-Type", "application/json")
		w.WriteHeader(e.Reason.Status())
		json.NewEncoder(w).Encode(p) // nobody is left to tell about an error
		return
	}
	h.Set("Content-Security-Policy", pagePolicy())
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(e.Reason.Status())
	p.write(w)
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
}

func newPage(e *Error) *page {
	p := &page{
		Reason: string(e.Reason), Check: e.Check, Provider: e.Provider,
		LoginURL: safeLink(e.LoginURL), ContinueURL: safeLink(e.ContinueURL),
	}
	if e.Reason == Denied && p.ContinueURL == p.LoginURL {
		p.ContinueURL = ""
	}
	p.Title, p.Text = explain(e)
	return p
}

// safeLink drops links that New would refuse: an app may hand ErrorPage an Error of its own making.
func safeLink(link string) string {
	if len(urls.CheckLink("", link)) > 0 {
		return ""
	}
	return link
}

// write writes p as HTML. All values are escaped, because an Error of the app's own may hold
// anything. The Replacer makes one pass, so a value that contains a name in braces stays as it is.
func (p *page) write(w io.Writer) {
	help := p.Reason
	if p.Provider != "" {
		help = p.Provider + ", " + help
	}
	if p.Check != "" {
		help += ", " + p.Check
	}
	strings.NewReplacer(
		"{title}", html.EscapeString(p.Title), "{text}", html.EscapeString(p.Text),
		"{links}", p.links(), "{help}", html.EscapeString(help),
	).WriteString(w, pageHTML)
}

// links returns the ways to go on, the more likely one first.
func (p *page) links() string {
	login := anchor("login", p.LoginURL, "Start again")
	if p.Reason == string(AlreadyUsed) {
		return anchor("continue", p.ContinueURL, "Continue") + login
	}
	return login + anchor("continue", p.ContinueURL, "Back to the site")
}

func anchor(id, link, text string) string {
	if link == "" {
		return ""
	}
	return `<a id="` + id + `" href="` + html.EscapeString(escapeLink(link)) + `">` + text + `</a>`
}

// escapeLink percent-encodes every byte that is not allowed in a URL (RFC 3986 section 2), such as
// a quote or a backslash, and three that are: a single quote and parentheses.
func escapeLink(link string) string {
	var b strings.Builder
	for i := range len(link) {
		if c := link[i]; headers.IsAlphanumeric(rune(c)) || strings.IndexByte("-._~:/?#[]@!$&*+,;=%", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

// explain says what happened, for the person who wanted to sign in.
func explain(e *Error) (title, text string) {
	switch e.Reason {
	case Denied:
		return "You are not signed in",
			"Access was not allowed, so nothing was shared and nothing has changed."
	case NotAdmitted:
		return "This account cannot be used here",
			"You signed in, but this site does not accept that account. Start again and choose another one."
	case InteractionRequired:
		return "Please sign in",
			"The sign-in service needs to ask you something first. Please start again."
	case NotNavigation:
		return "Open the sign-in page directly",
			"For your safety, a sign-in cannot start from inside another page. Please start again here."
	case Expired:
		return "This sign-in took too long",
			"For your safety, a sign-in must be finished within ten minutes. Please start again."
	case Malformed, WrongMethod:
		return "This page cannot be opened directly",
			"It is one step of a sign-in, and the request for it was incomplete. Please start again."
	case NoLogin:
		return explainMissing(e)
	case Forged:
		return explainForged(e)
	case AlreadyUsed:
		return explainUsed(e)
	}
	return explainService(e)
}

// explainService is for what went wrong between this site and the provider.
func explainService(e *Error) (title, text string) {
	switch e.Reason {
	case GrantRejected:
		return "The sign-in was not accepted",
			"The sign-in service did not accept this attempt. Please start again."
	case Overloaded:
		return "The sign-in service is busy",
			"You are not signed in. Please wait a moment and start again."
	case Timeout, Unreachable, Canceled:
		return "The sign-in service does not respond",
			"You are not signed in. Please try again in a few minutes."
	case BadAnswer, IdentityRefused:
		return "The sign-in service made an error",
			"You are not signed in. This is not your fault. Please try again later."
	}
	return "Sign-in is not set up correctly",
		"You are not signed in. This is not your fault. The people who run this site have to fix it."
}

func explainMissing(e *Error) (title, text string) {
	if e.Check == "cookie.host" {
		return "This sign-in began at another address",
			"It began under another name of this site, and its cookie is valid only there. " +
				"Please start again here. If you did not start it yourself, close this page."
	}
	return "This sign-in cannot continue",
		"It may have ended, newer ones may have replaced it, or your browser may block cookies. " +
			"Please start again. If someone else sent you the link, close this page."
}

func explainForged(e *Error) (title, text string) {
	if e.Check == "iss" || e.Check == "iss.missing" {
		return "The answer came from the wrong place",
			"It did not come from the sign-in service that you chose. " +
				"For your safety, the sign-in was stopped."
	}
	return "This sign-in cannot be verified",
		"It does not belong to this site, or the site has restarted since it began. " +
			"Please start again. If someone else sent you the link, close this page."
}

func explainUsed(e *Error) (title, text string) {
	switch {
	case e.ContinueURL != "":
		return "This sign-in is already finished",
			"If it was yours, there is nothing more to do. You can continue to the site."
	case e.Check == "state.running":
		return "Your sign-in is being finished",
			"Another request is finishing it. Reload this page in a moment, or start again."
	}
	return "This sign-in was used before",
		"Each sign-in works only once. Please start again."
}
