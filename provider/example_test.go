package provider_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"

	"example.com/authcode"
	"example.com/authcode/provider"
)

// signedIn runs after a login that has passed every check.
func signedIn(w http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	// The user's key is the pair of issuer and subject. A name or an e-mail
	// address may change hands.
	user := [2]string{login.Identity.Issuer, login.Identity.Subject}
	fmt.Fprintf(w, "%s signed in (%v)", login.Identity.Name, user)
}

// Sign in with GitHub. The preset knows the endpoints, the scopes and how to
// read the person's profile. The app adds what GitHub gave it.
func Example() {
	cfg := authcode.Config{
		Provider:    provider.GitHub(),
		ClientID:    "the client id",
		ClientAuth:  authcode.Secret("the client secret"),
		RedirectURL: "https://app.example/auth/github/callback",
		CookieKeys:  [][]byte{[]byte("32 random bytes, kept by the app")},
	}
	client, err := authcode.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/auth/github", client.LoginHandler())
	mux.Handle("/auth/github/callback", client.CallbackHandler(http.HandlerFunc(signedIn)))

	// A person opens the login link, and is sent to GitHub.
	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest("GET", "https://app.example/auth/github", nil))
	to, err := url.Parse(answer.Header().Get("Location"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(to.Host + to.Path)
	fmt.Println(to.Query().Get("scope"))
	fmt.Println(to.Query().Get("code_challenge_method"))

	// A preset checks its arguments. The fault shows when the app starts.
	cfg.Provider = provider.Okta("https://dev-1234.okta.com/")
	cfg.RedirectURL = "https://app.example/auth/okta/callback"
	_, err = authcode.New(cfg)
	fmt.Println(err)
	// Output:
	// github.com/login/oauth/authorize
	// read:user user:email
	// S256
	// authcode: provider.Okta: the domain must be a host name such as login.example.com, without https:// and path
}
