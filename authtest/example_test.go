package authtest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"example.com/authcode"
	"example.com/authcode/authtest"
)

// newSite is the app under test. It greets whoever signs in.
func newSite(cfg authcode.Config) (http.Handler, error) {
	client, err := authcode.New(cfg)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/login", client.LoginHandler())
	mux.Handle("/callback", client.CallbackHandler(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			login, _ := authcode.FromContext(r.Context())
			fmt.Fprintf(w, "Hello %s of %v", login.Identity.Name, login.Identity.Claims["groups"])
		})))
	return mux, nil
}

// A test of an app: a person signs in, and then the provider fails. In a test,
// t.Fatal takes the place of panic.
func Example() {
	app := httptest.NewUnstartedServer(nil)
	base := "https://" + app.Listener.Addr().String()
	srv := authtest.NewServer(base+"/callback", authtest.User{
		Subject: "1", Name: "Alice", Claims: map[string]any{"groups": []string{"staff"}},
	})
	defer srv.Close()
	site, err := newSite(srv.Config())
	if err != nil {
		panic(err)
	}
	app.Config.Handler = site
	app.StartTLS()
	defer app.Close()

	browser := app.Client() // trusts the app's certificate
	browser.Jar, _ = cookiejar.New(nil)
	resp, err := srv.SignIn(browser, base+"/login")
	if err != nil {
		panic(err)
	}
	page, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	fmt.Println(resp.StatusCode, string(page))

	srv.SetFaults(authtest.Down())
	resp, err = srv.SignIn(browser, base+"/login")
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	fmt.Println(resp.StatusCode)
	// Output:
	// 200 Hello Alice of [staff]
	// 502
}
