package session_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/session"
)

// Example is an app with a page for people who are signed in. A real one has a
// provider of package provider, and the same key in all instances.
func Example() {
	key := make([]byte, 32)
	rand.Read(key)
	mux := http.NewServeMux()
	app := httptest.NewTLSServer(http.NewCrossOriginProtection().Handler(mux))
	defer app.Close()
	idp := authtest.NewServer(app.URL + "/callback")
	defer idp.Close()

	cfg := idp.Config()
	cfg.LoginURL = "/login"
	client, err := authcode.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	sessions, err := session.New(session.Config{Keys: [][]byte{key}, LoginURL: "/login"})
	if err != nil {
		log.Fatal(err)
	}
	client.Mount(mux, sessions.SignIn(client))
	mux.Handle("POST /logout", sessions.SignOut())
	mux.Handle("GET /account", sessions.Require(http.HandlerFunc(account)))

	browser := app.Client()
	browser.Jar, _ = cookiejar.New(nil)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, _ := browser.Get(app.URL + "/account")
	fmt.Println(resp.StatusCode, resp.Header.Get("Location"))
	resp, _ = idp.SignIn(browser, app.URL+resp.Header.Get("Location"))
	fmt.Println(resp.StatusCode, resp.Header.Get("Location"))
	resp, _ = browser.Get(app.URL + "/account")
	text, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(text))
	// Output:
	// 303 /login?next=%2Faccount
	// 303 /account
	// 200 Hello, Alice Example. Your token is valid.
}

func account(w http.ResponseWriter, r *http.Request) {
	s := session.FromContext(r.Context())
	token, err := s.Token(r.Context()) // renewed if necessary
	if err != nil {
		http.Error(w, "The provider does not answer. Try again.", http.StatusBadGateway)
		return
	}
	fmt.Fprintf(w, "Hello, %s.", s.Identity().Name)
	if token.Valid() {
		fmt.Fprint(w, " Your token is valid.")
	}
}
