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
	// IDToken is the person's ID token, Login.Token.Extra("id_token"), as id_token_hint; it
	// may have expired. Without it the provider asks the person. One of more than 6,000 bytes is
	// left out: the URL would be too long for many servers.
	IDToken string

	// ClientID is the app's, as client_id. It is needed with ReturnURL if there is no IDToken.
	ClientID string

	// ReturnURL is where the provider sends the browser at the end, exactly as registered, as
	// post_logout_redirect_uri: the absolute URL of [LogoutReturnHandler].
	ReturnURL string

	// State comes back with ReturnURL. LogoutHandler makes its own.
	State string

	// Hint names the person, as logout_hint.
	Hint string

	// ReturnTo is the local path where LogoutReturnHandler goes on. If empty, "/".
	ReturnTo string
}

const (
	maxHint     = 6000
	maxReturnTo = 512 // the root package's limit
)

// LogoutURL returns the URL of the provider that signs the person out there. The app ends its own
// session first, and then sends the browser to the URL with status 303. Its error is an
// [*authcode.Error], with Check "logout.endpoint" if the provider has no such endpoint.
func (i *Issuer) LogoutURL(ctx context.Context, l Logout) (string, error) {
	target, err := i.logoutURL(ctx, &l)
	if err != nil {
		return "", err
	}
	return target, nil
}

func (i *Issuer) logoutURL(ctx context.Context, l *Logout) (string, *authcode.Error) {
	if l.ReturnURL != "" && !isEndpoint(l.ReturnURL) {
		return "", misused("logout.return_url")
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	m, err := i.metadata(ctx, i.client, &i.handlers)
	if err != nil {
		return "", err
	}
	target, bad := url.Parse(m.logoutURL)
	if bad != nil || m.logoutURL == "" {
		return "", misused("logout.endpoint")
	}
	query := url.Values{}
	for name, value := range map[string]string{
		"id_token_hint": l.IDToken, "client_id": l.ClientID,
		"post_logout_redirect_uri": l.ReturnURL, "state": l.State, "logout_hint": l.Hint,
	} {
		if value != "" && (name != "id_token_hint" || len(value) <= maxHint) {
			query.Set(name, value)
		}
	}
	if target.RawQuery != "" && len(query) > 0 {
		target.RawQuery += "&" // the endpoint's own query is kept as it is
	}
	target.RawQuery += query.Encode()
	return target.String(), nil
}

// LogoutHandler signs a person out on POST from a page of the app's own origin: it calls end,
// which ends the app's session and says who leaves, and redirects to the provider with status
// 303, with a random state in a cookie for [LogoutReturnHandler]: __Host-logout, or logout if
// ReturnURL is http on loopback, Lax, for ten minutes. Where the provider cannot be asked, it goes
// on at ReturnTo, and [Notify] is told: the person is signed out of the app all the same. Other methods and origins are
// refused, and an error of end answers 500, as [OnError] says. It sets Cache-Control and
// Referrer-Policy. It panics if end is nil.
func (i *Issuer) LogoutHandler(end func(http.ResponseWriter, *http.Request) (Logout, error)) http.Handler {
	if end == nil {
		panic("oidc: LogoutHandler needs a function that ends the session")
	}
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		switch {
		case r.Method != http.MethodPost: // a link, or an image, would sign people out
			w.Header().Set("Allow", http.MethodPost)
			i.onError(w, r, failed(authcode.WrongMethod, "logout.method", nil))
			return
		case origins.Check(r) != nil:
			i.onError(w, r, failed(authcode.NotNavigation, "logout.origin", nil))
			return
		}
		l, err := end(w, r)
		if err != nil {
			i.onError(w, r, misused("logout.end"))
			return
		}
		i.leave(w, r, l)
	})
}

// leave sends the browser to the provider, or on if there is no way to.
func (i *Issuer) leave(w http.ResponseWriter, r *http.Request, l Logout) {
	if l.ReturnURL != "" {
		l.State = rand.Text()
	}
	target, err := i.logoutURL(r.Context(), &l)
	if err != nil {
		i.notify(r, err)
		goTo(w, r, l.ReturnTo)
		return
	}
	if l.State != "" {
		if len(l.ReturnTo) > maxReturnTo {
			l.ReturnTo = "/"
		}
		http.SetCookie(w, logoutCookie(strings.HasPrefix(l.ReturnURL, "https:"), 600,
			l.State+"."+base64.RawURLEncoding.EncodeToString([]byte(l.ReturnTo))))
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

// logoutCookie carries no secret: whoever changed it could only choose another local path.
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

// LogoutReturnHandler is where the provider sends the browser after [Issuer.LogoutHandler]. It goes
// on at the ReturnTo of that logout with status 303, clears its cookie, and goes to "/" when
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

// FrontChannelLogoutHandler is the frontchannel_logout_uri of the app (OpenID Connect Front-Channel
// Logout section 2): a page that the provider loads in a frame. It calls ended with the issuer and the
// session that the request names and answers 200 with an empty page; 400 without iss and sid or with
// another issuer, 500 if ended returns an error. Register it with
// frontchannel_logout_session_required: without sid, every site could sign its visitors out. Browsers
// keep the app's cookies out of the frame, so the app finds the session by SessionID. It
// panics if ended is nil.
func (i *Issuer) FrontChannelLogoutHandler(ended func(context.Context, LogoutToken) error) http.Handler {
	if ended == nil {
		panic("oidc: FrontChannelLogoutHandler needs a function that ends sessions")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Security-Policy", "default-src 'none'") // and no frame-ancestors
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		params, err := parameters(r, "logout")
		iss, sid := params.Get("iss"), params.Get("sid")
		if err == nil && (r.Method != http.MethodGet || i.fault != nil || sid == "" || !i.names(iss)) {
			err = refused("logout.sid")
		}
		switch {
		case err != nil:
			i.notify(r, err)
			w.WriteHeader(http.StatusBadRequest)
		case ended(r.Context(), LogoutToken{Issuer: iss, SessionID: sid}) != nil:
			i.notify(r, misused("logout.end"))
			w.WriteHeader(http.StatusInternalServerError)
		default:
			w.WriteHeader(http.StatusOK)
		}
	})
}
