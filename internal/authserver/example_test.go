package authserver_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// A test of an app signs a browser in with one call.
func ExampleNewServer() {
	srv := authserver.NewTLSServer() // as the app does
	defer srv.Close()
	mux := http.NewServeMux()
	app := httptest.NewTLSServer(mux)
	defer app.Close()

	client, err := authcode.New(srv.Config(app.URL + "/callback"))
	if err != nil {
		panic(err)
	}
	mux.Handle("/login", client.LoginHandler())
	mux.Handle("/callback", client.CallbackHandler(
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			login, _ := authcode.FromContext(r.Context())
			fmt.Fprintln(w, "signed in, may use", login.Scopes)
		})))

	browser := app.Client()
	browser.Jar, _ = cookiejar.New(nil)
	resp, err := srv.SignIn(browser, app.URL+"/login")
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Print(resp.StatusCode, " ", string(body))
	// Output: 200 signed in, may use [openid profile email]
}
