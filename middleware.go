package authcode

import (
	"context"
	"errors"
	"net/http"
)

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
