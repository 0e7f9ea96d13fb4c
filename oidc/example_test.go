package oidc_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"example.com/authcode"
	"example.com/authcode/authtest"
)

func welcome(w http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	who := login.Identity
	fmt.Println(who.Subject, who.Name, who.Email, who.EmailVerified)
}

// A login that says who signed in, at a server for tests.
func Example() {
	mux := http.NewServeMux()
	app := httptest.NewServer(mux)
	defer app.Close()
	srv := authtest.NewServer(app.URL + "/callback")
	defer srv.Close()

	client, err := authcode.New(srv.Config()) // its Provider is oidc.Provider(srv.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux.Handle("/login", client.LoginHandler())
	mux.Handle("/callback", client.CallbackHandler(http.HandlerFunc(welcome)))

	jar, _ := cookiejar.New(nil)
	if _, err := (&http.Client{Jar: jar}).Get(app.URL + "/login"); err != nil {
		fmt.Println(err)
	}
	// Output: alice Alice Example alice@example.com true
}
