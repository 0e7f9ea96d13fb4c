package oidc

import (
	"context"
	"net/http"

	"example.com/authcode"
	"example.com/authcode/internal/realm"
)

// FrontChannelLogoutHandler is the frontchannel_logout_uri of client (OpenID
// Connect Front-Channel Logout section 2): a page that the provider loads in a
// frame. It calls ended with the issuer and the session that the request names,
// and answers 200 with an empty page. It answers 400 if iss or sid is missing,
// or if iss is not this provider's. It answers 500 if ended returns an error or
// the provider's metadata cannot be loaded. [Notify] is called with the reason.
// It sets Cache-Control, Content-Security-Policy and Content-Type.
//
// Register it with frontchannel_logout_session_required: without sid, every
// site could sign its visitors out. Browsers do not send the app's cookies into
// the frame, so find the session by SessionID. The handler panics if client or
// ended is nil.
func FrontChannelLogoutHandler(
	client *authcode.Client, ended func(context.Context, LogoutToken) error, opts ...HandlerOption,
) http.Handler {
	if ended == nil {
		panic("oidc: FrontChannelLogoutHandler needs a function that ends sessions")
	}
	h := newLogoutHandler("FrontChannelLogoutHandler", client, opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		// The provider frames this page, so there is no frame-ancestors. The
		// page is empty and has nothing to click.
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		status, err := h.frontChannelLogout(w, r, ended)
		if err != nil {
			h.notify(r, err)
		}
		w.WriteHeader(status)
	})
}

func (h *logoutHandler) frontChannelLogout(
	w http.ResponseWriter, r *http.Request, ended func(context.Context, LogoutToken) error,
) (status int, err error) {
	params, err := parameters(w, r, "logout")
	if err != nil {
		return http.StatusBadRequest, err
	}
	// The request is not signed, and any site can load this page in a frame.
	// All that protects the session is that sid is hard to guess.
	iss, sid := params.Get("iss"), params.Get("sid")
	if r.Method != http.MethodGet || sid == "" {
		return http.StatusBadRequest, identityError("logout.sid")
	}
	// An outage is not the provider's mistake in this request, so it gets 500.
	conn, err := h.client.Connection(r.Context())
	if err != nil {
		return http.StatusInternalServerError, err
	}
	// sid is unique for one issuer only. Another provider of the same app may
	// have given the same sid to another person.
	if !isIssuerOf(conn, iss) {
		return http.StatusBadRequest, identityError("logout.sid")
	}
	t := LogoutToken{Issuer: iss, SessionID: sid, Tenant: conn.Origin().Tenant}
	if ended(realm.WithTenant(r.Context(), t.Tenant), t) != nil {
		return http.StatusInternalServerError, configError("logout.end")
	}
	return http.StatusOK, nil
}
