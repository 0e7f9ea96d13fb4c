package authcode_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"example.com/authcode"
	"example.com/authcode/authtest"
)

// welcome is called for a login that has passed every check.
func welcome(w http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	// Start the app's own session here, with a new session id, from
	// login.Token.
	login.Redirect(w, r)
}

// A login at a server for tests. An app names its provider and keeps its
// secrets elsewhere.
func Example() {
	mux := http.NewServeMux()
	app := httptest.NewTLSServer(mux)
	defer app.Close()
	provider := authtest.NewServer(app.URL + "/auth/callback")
	defer provider.Close()

	cfg := provider.Config()
	cfg.LoginURL = "/auth"
	client, err := authcode.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	client.Mount(mux, http.HandlerFunc(welcome))

	// A person signs in.
	browser := app.Client()
	browser.Jar, _ = cookiejar.New(nil)
	resp, err := provider.SignIn(browser, app.URL+"/auth?next=/cart")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, resp.Header.Get("Location"))
	// Output: 303 /cart
}
