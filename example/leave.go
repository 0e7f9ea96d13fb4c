package main

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
		a.log.Info("logout by the provider", "provider", s.name, "sessions", a.live.end(t))
		return nil
	}
	mux.Handle(path+"/signed-out", oidc.LogoutReturnHandler())
	mux.Handle(path+"/backchannel-logout", s.issuer.BackChannelLogoutHandler(s.clientID, ended))
	mux.Handle(path+"/frontchannel-logout", s.issuer.FrontChannelLogoutHandler(ended))
}

// signOut ends the session whatever the provider says to the revocation. With at=provider the
// browser then goes there, to sign out as well, and comes back.
func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	who, err := a.account(r.Context())
	if err == nil && who != nil && r.PostFormValue("at") == "provider" && a.leaveOrigin(r, who) != "" {
		who.signIn.issuer.LogoutHandler(func(_ http.ResponseWriter, r *http.Request) (oidc.Logout, error) {
			return a.leaving(who), a.revokeAndEnd(r, who, " "+who.signIn.title+" was asked to sign you out too.")
		}).ServeHTTP(w, r)
		return
	}
	if err != nil {
		a.log.Error("session unreadable", "error", err)
	}
	if err := a.revokeAndEnd(r, who, ""); err != nil {
		a.broken(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// leaving says who leaves. The provider sends the browser back to an address that it knows.
func (a *app) leaving(who *account) oidc.Logout {
	idToken, _ := who.token.Extra("id_token").(string)
	return oidc.Logout{
		IDToken: idToken, ClientID: who.signIn.clientID,
		ReturnURL: signedOutURL(a.base, who.signIn.name),
	}
}

// revokeAndEnd leaves a notice with more at its end.
func (a *app) revokeAndEnd(r *http.Request, who *account, more string) error {
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
	return a.end(r.Context(), notice+more)
}

// revocable is the token in the form that the provider revokes.
func (who *account) revocable() *oauth2.Token {
	if who.signIn.accessOnly {
		return &oauth2.Token{AccessToken: who.token.AccessToken}
	}
	return who.token
}

// leaveOrigin returns the origin of the provider's logout page, "" if it has none. Chromium applies
// the form-action of a page to the redirect that answers its form, so the page must name it.
func (a *app) leaveOrigin(r *http.Request, who *account) string {
	if who.signIn.issuer == nil {
		return ""
	}
	address, err := who.signIn.issuer.LogoutURL(r.Context(), oidc.Logout{})
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
