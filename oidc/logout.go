package oidc

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"example.com/authcode"
)

// Logout is a request to sign a person out at the provider (OpenID Connect RP-Initiated Logout
// section 2). All fields may be empty.
type Logout struct {
	// IDToken is the person's ID token, Login.Token.Extra("id_token"), as id_token_hint. It
	// may have expired. Without it the provider asks the person. A token of more than 6,000 bytes is
	// left out: the URL would be too long for many servers.
	IDToken string

	// ReturnURL is where the provider sends the browser at the end, exactly as registered, as
	// post_logout_redirect_uri: the absolute URL of [LogoutReturnHandler].
	ReturnURL string

	// Hint names the person, as logout_hint.
	Hint string

	// ReturnTo is the local path where LogoutReturnHandler goes on. If empty, "/".
	ReturnTo string
}

const (
	maxHint     = 6000
	maxReturnTo = 512 // the root package's limit
)

// LogoutURL returns the URL at client's provider that signs the person out there. The app ends its own
// session first, and then sends the browser to the URL with status 303. It takes ten seconds at most.
// Its error is an [*authcode.Error], with Check "logout.endpoint" if the provider has no such endpoint.
func LogoutURL(ctx context.Context, client *authcode.Client, l Logout) (string, error) {
	return logoutURL(ctx, client, &l, "")
}

// logoutURL is LogoutURL with a state, which comes back with ReturnURL.
func logoutURL(ctx context.Context, client *authcode.Client, l *Logout, state string) (string, error) {
	if l.ReturnURL != "" && !isEndpoint(l.ReturnURL) {
		return "", misused("logout.return_url")
	}
	conn, err := client.Connection(ctx)
	if err != nil {
		return "", err
	}
	target, bad := url.Parse(conn.Endpoints.EndSessionURL)
	if bad != nil || conn.Endpoints.EndSessionURL == "" {
		return "", misused("logout.endpoint")
	}
	query := url.Values{}
	for name, value := range map[string]string{
		"id_token_hint": l.IDToken, "client_id": conn.Config.ClientID,
		"post_logout_redirect_uri": l.ReturnURL, "state": state, "logout_hint": l.Hint,
	} {
		if value != "" && (name != "id_token_hint" || len(value) <= maxHint) {
			query.Set(name, value)
		}
	}
	if target.RawQuery != "" {
		target.RawQuery += "&" // the endpoint's own query is kept as it is
	}
	target.RawQuery += query.Encode()
	return target.String(), nil
}

// LogoutHandler signs a person out on POST from a page of the app's own origin. It calls end,
// which ends the app's session and says who leaves, and redirects to client's provider with status
// 303. For [LogoutReturnHandler] it sends a random state and keeps it in a cookie: __Host-logout, or
// logout if ReturnURL is http on loopback, Lax, for ten minutes. If the provider cannot be asked, it
// goes on at ReturnTo and [Notify] is told: the person is signed out of the app all the same. It
// refuses other methods and origins, and answers an error of end with 500, both by
// [authcode.Client.Refuse]. It sets Cache-Control and Referrer-Policy. It panics if client or end is nil.
func LogoutHandler(client *authcode.Client, end func(http.ResponseWriter, *http.Request) (Logout, error), opts ...HandlerOption) http.Handler {
	if end == nil {
		panic("oidc: LogoutHandler needs a function that ends the session")
	}
	h := newHandler("LogoutHandler", client, opts)
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		switch {
		case r.Method != http.MethodPost: // a link, or an image, would sign people out
			w.Header().Set("Allow", http.MethodPost)
			client.Refuse(w, r, failed(authcode.WrongMethod, "logout.method", nil))
			return
		case origins.Check(r) != nil:
			client.Refuse(w, r, failed(authcode.NotNavigation, "logout.origin", nil))
			return
		}
		l, err := end(w, r)
		if err != nil {
			client.Refuse(w, r, misused("logout.end"))
			return
		}
		h.leave(w, r, &l)
	})
}

// leave sends the browser to the provider, or on to ReturnTo if the provider cannot be asked.
func (h *handler) leave(w http.ResponseWriter, r *http.Request, l *Logout) {
	state := ""
	if l.ReturnURL != "" {
		state = rand.Text()
	}
	target, err := logoutURL(r.Context(), h.client, l, state)
	if err != nil {
		h.notify(r, err)
		goTo(w, r, l.ReturnTo)
		return
	}
	if state != "" {
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

// goTo redirects to a path of this origin, "/" if it is none: the root package knows which are.
func goTo(w http.ResponseWriter, r *http.Request, path string) {
	login := authcode.Login{ReturnTo: path}
	login.Redirect(w, r)
}

const (
	hostCookie  = "__Host-logout"
	plainCookie = "logout" // http on loopback
)

// logoutCookie holds no secret: whoever changed it could only choose another local path.
func logoutCookie(secure bool, maxAge int, value string) *http.Cookie {
	c := &http.Cookie{
		Name: plainCookie, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}
	if secure {
		c.Name = hostCookie
	}
	return c
}

// LogoutReturnHandler is where the provider sends the browser after [LogoutHandler]. It goes
// on at the ReturnTo of that logout with status 303 and clears its cookie. It goes to "/" if
// anything is missing or unknown: the person is signed out, and there is nothing to refuse.
func LogoutReturnHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state, path := r.URL.Query().Get("state"), "/"
		for _, name := range []string{hostCookie, plainCookie} {
			c, err := r.Cookie(name)
			if err != nil {
				continue
			}
			known, encoded, _ := strings.Cut(c.Value, ".")
			if to, err := base64.RawURLEncoding.DecodeString(encoded); err == nil && state != "" && known == state {
				path = string(to)
			}
			http.SetCookie(w, logoutCookie(name == hostCookie, -1, ""))
		}
		goTo(w, r, path)
	})
}

// FrontChannelLogoutHandler is the frontchannel_logout_uri of client (OpenID Connect Front-Channel
// Logout section 2): a page that the provider loads in a frame. It calls ended with the issuer and the
// session that the request names, and answers 200 with an empty page. It answers 400 without iss and
// sid or with another issuer, and 500 if ended returns an error or the provider's metadata cannot be
// loaded; [Notify] is told why. Register it with frontchannel_logout_session_required: without sid, every
// site could sign its visitors out. Browsers keep the app's cookies out of the frame, so the app finds the
// session by SessionID. The handler panics if client or ended is nil.
func FrontChannelLogoutHandler(client *authcode.Client, ended func(context.Context, LogoutToken) error, opts ...HandlerOption) http.Handler {
	if ended == nil {
		panic("oidc: FrontChannelLogoutHandler needs a function that ends sessions")
	}
	h := newHandler("FrontChannelLogoutHandler", client, opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'") // and no frame-ancestors
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		status, err := h.frontChannelLogout(r, ended)
		if err != nil {
			h.notify(r, err)
		}
		w.WriteHeader(status)
	})
}

func (h *handler) frontChannelLogout(r *http.Request, ended func(context.Context, LogoutToken) error) (status int, err error) {
	params, err := parameters(r, "logout")
	if err != nil {
		return http.StatusBadRequest, err
	}
	iss, sid := params.Get("iss"), params.Get("sid")
	if r.Method != http.MethodGet || iss == "" || sid == "" {
		return http.StatusBadRequest, refused("logout.sid")
	}
	conn, err := h.client.Connection(r.Context())
	if err != nil {
		return http.StatusInternalServerError, err
	}
	if !names(conn, iss) {
		return http.StatusBadRequest, refused("logout.sid")
	}
	if ended(r.Context(), LogoutToken{Issuer: iss, SessionID: sid}) != nil {
		return http.StatusInternalServerError, misused("logout.end")
	}
	return http.StatusOK, nil
}

// names reports whether iss is the issuer identifier of the Connection's provider, or one of them.
func names(conn *authcode.Connection, iss string) bool {
	isIssuer := conn.Config.Provider.IsIssuer
	return isIssuer != nil && isIssuer(iss)
}
