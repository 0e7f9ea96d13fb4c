package authcode

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"example.com/authcode/internal/secret"
)

// Mount serves logins on mux: [Client.LoginHandler] at the path of
// Config.LoginURL, and [Client.CallbackHandler] with next at the path of
// Config.RedirectURL, each for the methods that it needs. Put neither behind a
// guard that demands a signed-in person. Mount panics if one of the two panics,
// if LoginURL is empty or on another host, or if mux has these patterns already.
//
// Behind a proxy that changes paths, mount the two handlers themselves.
func (c *Client) Mount(mux *http.ServeMux, next http.Handler) {
	callback := c.CallbackHandler(next)
	if c.loginPattern == "" {
		panic("authcode: Mount needs Config.LoginURL on the host of RedirectURL: set it to a path " +
			"such as /login")
	}
	login := c.LoginHandler()
	// With their methods, the patterns go beside an app's "/{page}".
	mux.Handle("GET "+c.loginPattern, login)
	mux.Handle("POST "+c.loginPattern, login)
	mux.Handle("GET "+c.callbackPattern, callback)
	if c.cfg.Provider.FormPost {
		mux.Handle("POST "+c.callbackPattern, callback)
	}
}

// mountPattern returns the pattern of http.ServeMux for the path of u alone.
func mountPattern(u *url.URL) string {
	path := cmp.Or(u.EscapedPath(), "/")
	// A pattern that ends with a slash would match all paths below it.
	if strings.HasSuffix(path, "/") {
		path += "{$}"
	}
	return path
}

// LoginHandler starts a login on GET or POST with [Client.AuthCodeURL] and
// redirects to the provider with status 303. It refuses what AuthCodeURL
// refuses, and with [NotNavigation] also the app's own scripts, by
// Sec-Fetch-Mode, X-Requested-With and HX-Request. It panics if c is nil or a
// worker's; see [Config].
func (c *Client) LoginHandler(opts ...AuthOption) http.Handler {
	c.mustSignIn("LoginHandler")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := checkLoginNavigation(w, r); err != nil {
			c.Refuse(w, r, err)
			return
		}
		// opts are shared by all requests. None of them keeps anything of a
		// request.
		target, err := c.AuthCodeURL(w, r, opts...)
		if err != nil {
			c.Refuse(w, r, err)
			return
		}
		redirect(w, target)
	})
}

// CallbackHandler finishes a login with [Client.Exchange] and calls next with
// the [Login] in the request's context; see [FromContext]. Failures go to
// [Config.OnError]. It panics if next is nil, or if c is nil or a worker's. It
// needs GET, and with [Provider.FormPost] also POST.
func (c *Client) CallbackHandler(next http.Handler) http.Handler {
	c.mustSignIn("CallbackHandler")
	// At the first login it would be too late: the code would be used up.
	if f, ok := next.(http.HandlerFunc); next == nil || ok && f == nil {
		panic("authcode: CallbackHandler needs a handler: pass the one that starts the app's session")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Exchange does all the work, so that any router or framework can call
		// it without this handler.
		login, err := c.Exchange(w, r)
		if err != nil {
			c.Refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), loginKey{}, login)))
	})
}

const noLogins = "this Client signs nobody in, because its Config has neither RedirectURL nor " +
	"CookieKeys: set both"

// mustSignIn panics if c cannot sign anybody in.
func (c *Client) mustSignIn(method string) {
	// When the app starts, its author sees it. At the first login, a person
	// would.
	switch {
	case c == nil:
		panic("authcode: " + method + " needs a Client, and this one is nil: look at the error of New")
	case c.cfg.RedirectURL == "":
		panic("authcode: " + method + ": " + noLogins)
	}
}

// checkSignsIn is mustSignIn for the methods that return an error.
func (c *Client) checkSignsIn() error {
	if c.cfg.RedirectURL == "" {
		return errorf(Configuration, "config.worker", noLogins)
	}
	return nil
}

// loginKey is a type of its own, so that no other package can replace the login
// in a context.
type loginKey struct{}

// FromContext returns the login that [Client.CallbackHandler] put into ctx. It
// reports false for any context that is not from a request to its next handler:
// later requests of the same person have a session of the app, and no Login.
func FromContext(ctx context.Context) (*Login, bool) {
	login, ok := ctx.Value(loginKey{}).(*Login)
	return login, ok
}

// Refuse answers r like the handlers do, with [Config.OnError] or a line in the
// log and [ErrorPage], and with the headers of [Client.AuthCodeURL]. If err names
// no Provider, Refuse adds the Client's name and links. An err that is not an
// [*Error] becomes [Configuration].
func (c *Client) Refuse(w http.ResponseWriter, r *http.Request, err error) {
	e, ok := errors.AsType[*Error](err)
	// An error of Exchange has the Client's links already. Another Client's
	// error keeps its own.
	if !ok || e == nil || e.Provider == "" {
		returnTo := c.requestedPath(r)
		// The app itself refuses a finished login, often for its account.
		if login, ok := FromContext(r.Context()); ok {
			returnTo = login.ReturnTo
		}
		e = c.loginError(err, returnTo).(*Error) // it always returns one
	}
	switch {
	case e.Reason.isAnswered():
	case c.cfg.OnError != nil:
		// As ErrorPage does. Some refusals come before a login sets them.
		setHeaders(w)
		c.cfg.OnError(w, r, e)
	default:
		// A login that fails in silence helps nobody, and the page keeps from
		// strangers what the operator must know.
		log := logOf(e)
		// Of other foreign errors nothing is printed: they may hold a secret.
		if cause, ok := errors.AsType[secret.Printable](err); ok {
			log = log.With("cause", cause.Err)
		}
		log.WarnContext(r.Context(), "authcode: a login failed")
		ErrorPage(w, r, e)
	}
}
