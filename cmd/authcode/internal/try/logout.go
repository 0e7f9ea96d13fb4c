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

// handleLogouts adds the addresses for logout that are registered at the
// provider: the one to which the browser comes back, and those at which the
// provider says that somebody has signed out there.
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
		oidc.Notify(a.logoutFailed)))
	mux.Handle(path+"/frontchannel-logout", oidc.FrontChannelLogoutHandler(s.client, ended,
		oidc.Notify(a.logoutFailed)))
}

// signOut ends the session, even if the provider does not revoke the token.
// With at=provider, the browser then goes to the provider to sign out there as
// well, and comes back.
func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10) // anybody can send this form
	who := a.account(w, r)
	if who != nil && r.PostFormValue("at") == "provider" && a.logoutOrigin(r, who) != "" {
		oidc.LogoutHandler(who.signIn.client, func(w http.ResponseWriter,
			r *http.Request) (oidc.Logout, error) {
			a.revokeAndEnd(w, r, who, " You were sent to sign out "+who.signIn.place+" as well.")
			return a.logoutOf(who), nil
		}, oidc.Notify(a.logoutFailed)).ServeHTTP(w, r)
		return
	}
	a.revokeAndEnd(w, r, who, "")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// logoutOf describes the logout at the provider. The ID token says who signs
// out. The provider only sends the browser back to a registered address.
func (a *app) logoutOf(who *account) oidc.Logout {
	idToken, _ := who.token.Load().Extra("id_token").(string)
	return oidc.Logout{
		IDToken: idToken, ReturnURL: signedOutURL(a.base, who.signIn.name),
	}
}

// revokeAndEnd revokes the token and ends the session. It leaves a notice for
// the next page, with more at its end.
func (a *app) revokeAndEnd(w http.ResponseWriter, r *http.Request, who *account, more string) {
	// A token that is not revoked stays valid at the provider until it expires.
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
	a.endSession(w, r, notice+more)
}

// revocable returns the token as the provider can revoke it. Package authcode
// revokes the refresh token if there is one, which some providers refuse.
func (who *account) revocable() *oauth2.Token {
	if who.signIn.accessOnly {
		return &oauth2.Token{AccessToken: who.token.Load().AccessToken}
	}
	return who.token.Load()
}

// logoutOrigin returns the origin of the provider's logout page, or "" if there
// is none. The page must name it in form-action: Chromium applies that to the
// redirect that answers the form.
func (a *app) logoutOrigin(r *http.Request, who *account) string {
	if !who.signIn.isOpenID {
		return ""
	}
	address, err := oidc.LogoutURL(r.Context(), who.signIn.client, oidc.Logout{})
	if err != nil {
		return ""
	}
	u, err := url.Parse(address)
	// The provider chose the host. It must not be able to end the directive and
	// begin another one.
	if err != nil || strings.ContainsAny(u.Host, " ;,'\"*") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
