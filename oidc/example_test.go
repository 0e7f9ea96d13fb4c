package oidc_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
)

// A login that says who signed in, at a server for tests.
func Example() {
	srv := authtest.NewServer()
	defer srv.Close()
	mux := http.NewServeMux()
	app := httptest.NewServer(mux)
	defer app.Close()

	cfg := srv.Config(app.URL + "/callback")
	cfg.Provider = oidc.Provider(srv.URL)
	login, err := authcode.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux.Handle("/login", login.LoginHandler())
	mux.Handle("/callback", login.CallbackHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l, _ := authcode.FromContext(r.Context())
		fmt.Println(l.Identity.Subject, l.Identity.Name, l.Identity.Email, l.Identity.EmailVerified)
	})))

	jar, _ := cookiejar.New(nil)
	if _, err := (&http.Client{Jar: jar}).Get(app.URL + "/login"); err != nil {
		fmt.Println(err)
	}
	// Output: alice Alice Example alice@example.com true
}

// Microsoft for people of two tenants. Its document for all tenants has a template for an issuer.
func ExampleNew_microsoft() {
	microsoft := oidc.New("https://login.microsoftonline.com/{tenantid}/v2.0",
		oidc.MetadataURL("https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration"),
		oidc.Tenants("72f988bf-86f1-41af-91ab-2d7cd011db47", "9188040d-6c67-4c5b-b112-36a304b66dad"))
	p := microsoft.Provider()
	p.Name = "microsoft"
	fmt.Println(p.Name, p.Scopes)
	// Output: microsoft [openid profile email]
}

// All routes of an app that signs people in and out.
func ExampleIssuer_LogoutHandler() {
	const app = "https://app.example"
	provider := oidc.New("https://accounts.example")
	key := make([]byte, 32)
	rand.Read(key)
	client, err := authcode.New(authcode.Config{
		Provider: provider.Provider(), ClientID: "app", ClientAuth: authcode.Secret("secret"),
		RedirectURL: app + "/callback", CookieKeys: [][]byte{key},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// endSession stands for the app's own sessions.
	endSession := func(w http.ResponseWriter, r *http.Request) (oidc.Logout, error) {
		return oidc.Logout{IDToken: "the session's ID token", ReturnURL: app + "/bye", ReturnTo: "/"}, nil
	}
	endSessions := func(ctx context.Context, l oidc.LogoutToken) error { return nil }

	mux := http.NewServeMux()
	mux.Handle("/portal", provider.InitiateLoginHandler(client))
	mux.Handle("POST /logout", provider.LogoutHandler(endSession))
	mux.Handle("/bye", oidc.LogoutReturnHandler())
	mux.Handle("/backchannel-logout", provider.BackChannelLogoutHandler("app", endSessions))
	mux.Handle("/frontchannel-logout", provider.FrontChannelLogoutHandler(endSessions))

	rec := httptest.NewRecorder()
	mux.ServeHTTP(rec, httptest.NewRequest("GET", app+"/frontchannel-logout?iss=https%3A%2F%2Faccounts.example&sid=s1", nil))
	fmt.Println(rec.Code, rec.Header().Get("Cache-Control"))
	// Output: 200 no-store
}
