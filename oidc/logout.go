package oidc

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/urls"
)

type redacted = secret.Redacted

// Logout is a request to sign a person out at the provider (OpenID Connect
// RP-Initiated Logout section 2). All fields may be empty. It prints and
// marshals as REDACTED, because an ID token says who somebody is.
type Logout struct {
	redacted
	// IDToken is the person's newest ID token: Token.Extra("id_token") of the
	// Login, or of the last refresh that brought one. Some servers refuse an
	// older one. It is sent as id_token_hint and may have expired. Without it,
	// the provider asks the person. A token of more than 6,000 bytes is left
	// out, because many servers refuse such long URLs.
	IDToken string

	// ReturnURL is the absolute URL of [LogoutReturnHandler], exactly as
	// registered. It is sent as post_logout_redirect_uri. If empty, the browser
	// stays at the provider.
	ReturnURL string

	// Hint names the person. It is sent as logout_hint.
	Hint string

	// ReturnTo is the local path where LogoutReturnHandler continues, at most
	// 512 bytes. If empty, "/".
	ReturnTo string
}

const (
	maxHint     = 6000
	maxReturnTo = 512 // the root package's limit
)

// LogoutURL returns the URL at client's provider that signs the person out
// there. End the app's own session first, then redirect the browser with status
// 303. LogoutURL takes at most ten seconds. Its error is an [*authcode.Error],
// with Check "logout.endpoint" if the provider has no such endpoint.
func LogoutURL(ctx context.Context, client *authcode.Client, l Logout) (string, error) {
	return logoutURL(ctx, client, &l, "")
}

// logoutURL is LogoutURL with a state, which comes back to ReturnURL.
func logoutURL(
	ctx context.Context, client *authcode.Client, l *Logout, state string,
) (string, error) {
	if l.ReturnURL != "" && len(urls.CheckPage("", l.ReturnURL)) > 0 {
		return "", configError("logout.return_url")
	}
	conn, err := client.Connection(ctx)
	if err != nil {
		return "", err
	}
	target, _ := url.Parse(conn.Endpoints.EndSessionURL) // the Client has checked it
	if conn.Endpoints.EndSessionURL == "" {
		return "", configError("logout.endpoint")
	}
	// OpenID Connect RP-Initiated Logout section 2. client_id is always sent:
	// if id_token_hint is left out, the provider needs it to check the
	// post_logout_redirect_uri.
	query := url.Values{}
	for name, value := range map[string]string{
		"id_token_hint": l.IDToken, "client_id": conn.Config.ClientID,
		"post_logout_redirect_uri": l.ReturnURL, "state": state, "logout_hint": l.Hint,
	} {
		if value != "" && (name != "id_token_hint" || len(value) <= maxHint) {
			query.Set(name, value)
		}
	}
	// Keep the endpoint's own query byte for byte. Encoding it again could
	// change the order or the escaping that the provider expects.
	if target.RawQuery != "" {
		target.RawQuery += "&"
	}
	target.RawQuery += query.Encode()
	return target.String(), nil
}

// LogoutHandler signs a person out on POST from a page of the app's own origin.
// It calls end, which ends the app's session and says who leaves, and redirects
// to client's provider with status 303. If the provider cannot be asked, it
// redirects to ReturnTo and [Notify] is called: the person is signed out of the
// app in any case.
//
// For [LogoutReturnHandler] it sends a random state and keeps it in a cookie
// for ten minutes: __Host-logout, or logout if ReturnURL is http, SameSite=Lax.
// It sets Cache-Control, Referrer-Policy, X-Content-Type-Options and
// X-Frame-Options. It refuses other methods and
// origins, and answers an error of end with status 500, both by
// [authcode.Client.Refuse]. It panics if client or end is nil.
func LogoutHandler(
	client *authcode.Client,
	end func(http.ResponseWriter, *http.Request) (Logout, error),
	opts ...HandlerOption,
) http.Handler {
	if end == nil {
		panic("oidc: LogoutHandler needs a function that ends the session")
	}
	h := newLogoutHandler("LogoutHandler", client, opts)
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers.SetRedirect(w.Header())
		switch {
		// Any page can embed a link or an image. With GET, it could sign the
		// app's visitors out.
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			client.Refuse(w, r, newError(authcode.WrongMethod, "logout.method", nil))
			return
		// A form on another site can post as well, and the browser sends along
		// cookies that are SameSite=None.
		case origins.Check(r) != nil:
			client.Refuse(w, r, newError(authcode.NotNavigation, "logout.origin", nil))
			return
		}
		// If the session has not ended, the person must not be told so. The
		// text of the error is the app's own and may hold anything.
		l, err := end(w, r)
		if err != nil {
			client.Refuse(w, r, configError("logout.end"))
			return
		}
		h.redirectToProvider(w, r, &l)
	})
}

// redirectToProvider sends the browser to the provider, or to ReturnTo if the
// provider cannot be asked.
func (h *logoutHandler) redirectToProvider(w http.ResponseWriter, r *http.Request, l *Logout) {
	state := ""
	if l.ReturnURL != "" {
		state = rand.Text()
	}
	target, err := logoutURL(r.Context(), h.client, l, state)
	if err != nil {
		// The app's session has ended. An error page would suggest that the
		// person is still signed in.
		h.notify(r, err)
		redirectLocal(w, r, l.ReturnTo)
		return
	}
	if state != "" {
		// A path that the root package would refuse need not fill the cookie.
		path := l.ReturnTo
		if len(path) > maxReturnTo {
			path = "/"
		}
		http.SetCookie(w, logoutCookie(strings.HasPrefix(l.ReturnURL, "https:"), 600,
			state+"."+base64.RawURLEncoding.EncodeToString([]byte(path))))
	}
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// redirectLocal redirects to a path of this origin. Any other path becomes "/".
func redirectLocal(w http.ResponseWriter, r *http.Request, path string) {
	// Login.Redirect knows which paths are local. A second rule here could
	// differ, and open a redirect to another site.
	login := authcode.Login{ReturnTo: path}
	login.Redirect(w, r)
}

const (
	hostCookie  = "__Host-logout"
	plainCookie = "logout" // for http on loopback
)

// logoutCookie makes the cookie that belongs to one logout.
func logoutCookie(secure bool, maxAge int, value string) *http.Cookie {
	// It needs no seal: changing it can only lead to another local path.
	c := &http.Cookie{
		Name: plainCookie, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
	if secure {
		c.Name = hostCookie
	}
	return c
}

// LogoutReturnHandler is where the provider sends the browser after
// [LogoutHandler] (OpenID Connect RP-Initiated Logout section 3). It clears the
// logout's cookie and redirects to its ReturnTo with status 303. If the cookie
// or the state is missing or does not match, it redirects to "/": the person is
// signed out, so there is nothing to refuse.
func LogoutReturnHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state, path := r.URL.Query().Get("state"), "/"
		for _, name := range []string{hostCookie, plainCookie} {
			c, err := r.Cookie(name)
			if err != nil {
				continue
			}
			// Both names are tried: the request does not say which of them the
			// logout has used. Without the state, any site could send a visitor
			// to a path that an earlier logout has left in the cookie.
			known, encoded, _ := strings.Cut(c.Value, ".")
			to, err := base64.RawURLEncoding.DecodeString(encoded)
			if err == nil && state != "" && known == state {
				path = string(to)
			}
			http.SetCookie(w, logoutCookie(name == hostCookie, -1, ""))
		}
		redirectLocal(w, r, path)
	})
}
