package authtest_test

import (
	"fmt"
	"net/http/cookiejar"
	"net/http/httptest"
	"time"

	"example.com/authcode/authtest"
)

// A person comes back from the provider after more than ten minutes.
func ExampleServer_Advance() {
	app := httptest.NewUnstartedServer(nil)
	base := "https://" + app.Listener.Addr().String()
	srv := authtest.NewServer(base + "/callback")
	defer srv.Close()
	site, err := newSite(srv.Config())
	if err != nil {
		panic(err)
	}
	app.Config.Handler = site
	app.StartTLS()
	defer app.Close()

	browser := app.Client()
	browser.Jar, _ = cookiejar.New(nil)
	callback, err := srv.Callback(browser, base+"/login")
	if err != nil {
		panic(err)
	}
	srv.Advance(11 * time.Minute)
	resp, err := browser.Do(callback)
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	fmt.Println(resp.StatusCode)
	// Output: 400
}
