package authcode

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"example.com/authcode/internal/web"
	"golang.org/x/oauth2"
)

// Login is a finished login. It prints and marshals as REDACTED.
type Login struct {
	redacted
	Provider string            // Provider.Name
	Token    *oauth2.Token     // every member of the provider's answer is in Token.Extra
	Scopes   []string          // what was granted, which may be less than what was requested
	Identity *Identity         // who signed in; nil if Provider.Identity is
	ReturnTo string            // a local path, "/" if none was given: see [Login.Redirect]
	Values   map[string]string // what [Value] kept
}

// Redirect sends the browser to l.ReturnTo, byte for byte, with status 303. A ReturnTo that
// is no path on this origin becomes "/". (http.Redirect would clean the path, after it was checked.)
func (l *Login) Redirect(w http.ResponseWriter, _ *http.Request) {
	setHeaders(w, "no-referrer")
	redirect(w, web.LocalPath(l.ReturnTo))
}

// LoginHandler starts a login on GET or POST: it sets the login cookie as [Client.AuthCodeURL] does
// and redirects to the provider with status 303.
//
// Only a person's navigation starts one. A request that says that a script made it
// (Sec-Fetch-Mode other than navigate, or without that header X-Requested-With or HX-Request), and a
// POST from another origin, fail with [NotNavigation]; a prefetch is answered with 204; none of
// them touches anything.
func (c *Client) LoginHandler(opts ...AuthOption) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w, "no-referrer")
		if isPrefetch(r) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if err := checkNavigation(w, r); err != nil {
			c.Refuse(w, r, err)
			return
		}
		target, err := c.AuthCodeURL(w, r, opts...)
		if err != nil {
			c.Refuse(w, r, err)
			return
		}
		redirect(w, target)
	})
}

// CallbackHandler finishes a login with [Client.Exchange] and calls next with the [Login] in the
// request's context: see [FromContext]. A failure goes to [Config.OnError]. It answers GET, or POST
// with [Provider.FormPost], and sets the headers that Exchange sets. It panics if next is nil.
func (c *Client) CallbackHandler(next http.Handler) http.Handler {
	if next == nil {
		panic("authcode: CallbackHandler needs a handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login, err := c.Exchange(w, r)
		if err != nil {
			c.Refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), loginKey{}, login)))
	})
}

type loginKey struct{}

// FromContext returns the login that [Client.CallbackHandler] put into ctx.
func FromContext(ctx context.Context) (*Login, bool) {
	login, ok := ctx.Value(loginKey{}).(*Login)
	return login, ok
}

// Refuse answers r as the handlers answer a failed login, with [Config.OnError] or [ErrorPage]. An error
// that has no Provider yet is completed with the Client's. One that is no [*Error] counts as
// [Configuration].
func (c *Client) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	var e *Error
	if !errors.As(err, &e) || e == nil || e.Provider == "" {
		errors.As(c.failed(err), &e) // failed always returns one
	}
	switch {
	case e.Reason == Prefetch: // answered already
	case c.cfg.OnError != nil:
		c.cfg.OnError(w, r, e)
	default:
		ErrorPage(w, r, e)
	}
}

func checkNavigation(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		return fail(WrongMethod, "login.method", "want GET or POST")
	}
	if isByScript(r) {
		return fail(NotNavigation, "login.navigation",
			"a script asked for the login: make it a plain link, or hand AuthCodeURL's URL to the script")
	}
	// A cross-site POST comes without the Lax cookies of logins under way, so they could not be
	// counted, and another site could fill the browser's jar with new ones.
	if new(http.CrossOriginProtection).Check(r) != nil {
		return fail(NotNavigation, "login.cross_origin", "another site's form asked for the login")
	}
	return nil
}

// isByScript reports that a request proves to be no navigation of a person's. A browser that says
// nothing gets the benefit of the doubt.
func isByScript(r *http.Request) bool {
	if mode := r.Header["Sec-Fetch-Mode"]; len(mode) > 0 {
		return mode[0] != "navigate"
	}
	return len(r.Header["X-Requested-With"]) > 0 || len(r.Header["Hx-Request"]) > 0
}

// isPrefetch recognizes a browser that only looks ahead: the person may never follow.
func isPrefetch(r *http.Request) bool {
	for _, name := range [...]string{"Sec-Purpose", "Purpose", "X-Moz"} {
		if v := r.Header[name]; len(v) > 0 && strings.HasPrefix(strings.ToLower(v[0]), "prefetch") {
			return true
		}
	}
	return false
}

func setHeaders(w http.ResponseWriter, referrer string) {
	h := w.Header()
	values := []string{"no-store", "nosniff", "DENY", referrer} // one allocation for the four
	h["Cache-Control"] = values[0:1:1]
	h["X-Content-Type-Options"] = values[1:2:2]
	h["X-Frame-Options"] = values[2:3:3]
	h["Referrer-Policy"] = values[3:4:4]
}

// redirect answers 303: the browser follows with GET, whatever the request was (RFC 9700 section 4.12).
func redirect(w http.ResponseWriter, target string) {
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}
