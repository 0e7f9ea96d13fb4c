package oidc_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
)

// Microsoft for people of two tenants. Its document for all tenants has a template for an issuer.
func ExampleProvider_microsoft() {
	p := oidc.Provider("https://login.microsoftonline.com/{tenantid}/v2.0",
		oidc.MetadataURL("https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration"),
		oidc.Tenants("72f988bf-86f1-41af-91ab-2d7cd011db47", "9188040d-6c67-4c5b-b112-36a304b66dad"))
	p.Name = "microsoft"
	fmt.Println(p.Name, p.Scopes, p.Err)
	fmt.Println(p.IsIssuer("https://login.microsoftonline.com/72f988bf-86f1-41af-91ab-2d7cd011db47/v2.0"))
	// Output:
	// microsoft [openid profile email] <nil>
	// true
}

// An app that lets in only people who have signed in with a second factor: a function of the app's
// stands around the provider's.
func ExampleProvider_wrapped() {
	p := oidc.Provider("https://accounts.example")
	inner := p.Identity
	p.Identity = func(ctx context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
		id, err := inner(ctx, resp)
		if id != nil && !slices.Contains(oidc.AuthenticationOf(id).Methods, "mfa") {
			return nil, authcode.NewError(authcode.NotAdmitted, "app.mfa", "no second factor", nil)
		}
		return id, err
	}
	fmt.Println(p.Issuer)
	// Output: https://accounts.example
}

// All routes of an app that signs people in and out.
func ExampleLogoutHandler() {
	const app = "https://app.example"
	srv := authtest.NewServer(app + "/callback")
	defer srv.Close()
	client, err := authcode.New(srv.Config()) // its Provider is oidc.Provider(srv.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	// endSession stands for the app's own sessions.
	endSession := func(w http.ResponseWriter, r *http.Request) (oidc.Logout, error) {
		return oidc.Logout{IDToken: "the session's ID token", ReturnURL: app + "/bye", ReturnTo: "/"}, nil
	}
	endSessions := func(ctx context.Context, l oidc.LogoutToken) error { return nil }
	logged := oidc.Notify(func(r *http.Request, err error) { slog.Warn("logout", "err", err) })

	mux := http.NewServeMux()
	mux.Handle("/portal", oidc.InitiateLoginHandler(client))
	mux.Handle("POST /logout", oidc.LogoutHandler(client, endSession, logged))
	mux.Handle("/bye", oidc.LogoutReturnHandler())
	mux.Handle("/backchannel-logout", oidc.BackChannelLogoutHandler(client, endSessions, logged))
	mux.Handle("/frontchannel-logout", oidc.FrontChannelLogoutHandler(client, endSessions, logged))

	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequest("GET", app+"/frontchannel-logout?sid=s1&iss="+url.QueryEscape(srv.URL), nil))
	fmt.Println(rec.Code, rec.Header().Get("Cache-Control"))
	// Output: 200 no-store
}
