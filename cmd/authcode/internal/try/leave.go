package try

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"example.com/authcode/oidc"
)

func signedOutURL(base, name string) string { return base + loginPath(name) + "/signed-out" }

// handleLogouts adds the addresses that the provider is told at the app's registration: where
// the browser comes back to, and where the provider says that somebody has left.
func (a *app) handleLogouts(mux *http.ServeMux, s *signIn) {
	path := loginPath(s.name)
	ended := func(_ context.Context, t oidc.LogoutToken) error {
		n := a.sessions.end(t)
		a.log.Info("logout by the provider", "provider", s.name, "sessions", n)
		a.out.say(event{Event: "ended", Provider: s.name})
		return nil
	}
	mux.Handle(path+"/signed-out", oidc.LogoutReturnHandler())
	mux.Handle(path+"/backchannel-logout", oidc.BackChannelLogoutHandler(s.client, ended,
		oidc.Notify(a.notLeft)))
	mux.Handle(path+"/frontchannel-logout", oidc.FrontChannelLogoutHandler(s.client, ended,
		oidc.Notify(a.notLeft)))
}

// signOut ends the session whatever the provider says to the revocation. With at=provider the
// browser then goes there, to sign out as well, and comes back.
func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	who := a.account(w, r)
	if who != nil && r.PostFormValue("at") == "provider" && a.leaveOrigin(r, who) != "" {
		oidc.LogoutHandler(who.signIn.client, func(w http.ResponseWriter,
			r *http.Request) (oidc.Logout, error) {
			a.revokeAndEnd(w, r, who, " You were sent to sign out "+who.signIn.place+" as well.")
			return a.leaving(who), nil
		}, oidc.Notify(a.notLeft)).ServeHTTP(w, r)
		return
	}
	a.revokeAndEnd(w, r, who, "")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// leaving says who leaves. The provider sends the browser back to an address that it knows.
func (a *app) leaving(who *account) oidc.Logout {
	idToken, _ := who.token.Load().Extra("id_token").(string)
	return oidc.Logout{
		IDToken: idToken, ReturnURL: signedOutURL(a.base, who.signIn.name),
	}
}

// revokeAndEnd leaves a notice with more at its end.
func (a *app) revokeAndEnd(w http.ResponseWriter, r *http.Request, who *account, more string) {
	notice := "You are signed out."
	if who != nil {
		ctx, cancel := tokenContext(r)
		defer cancel()
		notice = "You are signed out, and the token is revoked."
		if err := who.signIn.client.Revoke(ctx, who.revocable()); err != nil {
			a.log.Warn("token not revoked", "error", err)
			notice = "You are signed out here. The provider did not revoke the token."
		}
	}
	if who != nil {
		a.out.say(event{Event: "signed_out", Provider: who.signIn.name})
	}
	a.end(w, r, notice+more)
}

// revocable is the token in the form that the provider revokes.
func (who *account) revocable() *oauth2.Token {
	if who.signIn.accessOnly {
		return &oauth2.Token{AccessToken: who.token.Load().AccessToken}
	}
	return who.token.Load()
}

// leaveOrigin returns the origin of the provider's logout page, "" if it has none.
// Chromium applies the form-action of a page to the redirect that answers its form, so the
// page must name it.
func (a *app) leaveOrigin(r *http.Request, who *account) string {
	if !who.signIn.isOpenID {
		return ""
	}
	address, err := oidc.LogoutURL(r.Context(), who.signIn.client, oidc.Logout{})
	if err != nil {
		return ""
	}
	u, err := url.Parse(address)
	// The provider chose the host: it must not end the directive.
	if err != nil || strings.ContainsAny(u.Host, " ;,'\"*") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
