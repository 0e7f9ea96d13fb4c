package authtest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/authtest"
)

func TestSignIn(t *testing.T) {
	for claim, row := range map[string]struct {
		scheme, want string
		formPost     bool
		consent      authtest.Consent
	}{
		"over http":                        {"http", "GET bob", false, authtest.Approve},
		"over http, on the page":           {"http", "GET bob", false, authtest.Ask},
		"over TLS":                         {"https", "GET bob", false, authtest.Approve},
		"over TLS, on the page":            {"https", "GET bob", false, authtest.Ask},
		"over TLS, by a form":              {"https", "GET bob", true, authtest.Approve},
		"over TLS, by a form, on the page": {"https", "GET bob", true, authtest.Ask},
	} {
		t.Run(claim, func(t *testing.T) {
			a := newApp(t, row.scheme, func(a *app) { a.cfg.Provider.FormPost = row.formPost })
			if !strings.HasPrefix(a.srv.URL, row.scheme+"://127.0.0.1:") {
				t.Errorf("the server is at %s", a.srv.URL)
			}
			a.srv.SetConsent(row.consent)
			a.srv.SetUser("bob")
			resp, err := a.srv.SignIn(a.browser(), a.URL+"/login")
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, _ := io.ReadAll(resp.Body); resp.StatusCode != 200 || string(body) != row.want {
				t.Errorf("the app answered %s: %s", resp.Status, body)
			}
		})
	}
}

// TestSignInDoesNotFollow: what the app does after a login is for the test to
// see.
func TestSignInDoesNotFollow(t *testing.T) {
	a := newApp(t, "https", nil)
	resp, err := a.srv.SignIn(a.browser(), a.URL+"/login?next=/cart")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSeeOther || resp.Header.Get("Location") != "/cart" {
		t.Errorf("got %s to %q", resp.Status, resp.Header.Get("Location"))
	}
}

func TestDeny(t *testing.T) {
	a := newApp(t, "https", nil)
	a.srv.SetConsent(authtest.Deny)
	if a.signIn() != nil {
		t.Error("signed in")
	}
	a.wantReason(authcode.Denied)
	a.srv.SetConsent(authtest.Approve)
	if a.signIn() == nil {
		t.Error("not signed in after approval")
	}
}

func TestCallback(t *testing.T) {
	for _, formPost := range []bool{false, true} {
		a := newApp(t, "https", func(a *app) { a.cfg.Provider.FormPost = formPost })
		browser := a.browser()
		callback := a.callback(browser)
		if len(a.logins)+len(a.errs) != 0 {
			t.Fatal("the callback was sent")
		}
		if status := a.send(a.browser(), callback); status != 400 {
			t.Errorf("another browser got %d", status)
		}
		a.wantReason(authcode.NoLogin)
		if status := a.send(browser, callback); status != 200 || len(a.logins) != 1 {
			t.Errorf("the browser got %d", status)
		}
		if status := a.send(browser, callback); status != 409 {
			t.Errorf("the second time it got %d", status)
		}
		a.wantReason(authcode.AlreadyUsed)
	}
}

// TestSignInSaysWhatWentWrong: a test that makes a mistake is told which.
func TestSignInSaysWhatWentWrong(t *testing.T) {
	a := newApp(t, "https", nil)
	for claim, row := range map[string]struct {
		browser   *http.Client
		url, want string
	}{
		"no cookie jar":         {a.Client(), a.URL + "/login", "authtest: signing in needs a client with a cookie jar"},
		"a bad address":         {a.browser(), "http://%zz", "authtest: parse"},
		"an app of another CA":  {&http.Client{Jar: a.browser().Jar}, a.URL + "/login", "certificate"},
		"a page, not a login":   {a.browser(), a.srv.URL + "/authorize?client_id=x", "authtest: the server answered 400 Bad Request: The client"},
		"nobody at the address": {a.browser(), "http://127.0.0.1:1/", "refused"},
	} {
		t.Run(claim, func(t *testing.T) {
			resp, err := a.srv.SignIn(row.browser, row.url)
			if err == nil {
				resp.Body.Close()
				t.Fatalf("answered %s", resp.Status)
			}
			if !strings.HasPrefix(err.Error(), "authtest: ") || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %q, want %q in it", err, row.want)
			}
		})
	}
}

// TestPageInsteadOfALogin: an error page is a result for SignIn, any other page
// is a mistake.
func TestPageInsteadOfALogin(t *testing.T) {
	a := newApp(t, "https", nil)
	resp, err := a.srv.SignIn(a.browser(), a.URL+"/nothing")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("got %s", resp.Status)
	}
	_, err = a.srv.Callback(a.browser(), a.URL+"/nothing")
	if want := "authtest: the app answered 404 Not Found at /nothing, not a redirect to the server"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	_, err = a.srv.SignIn(a.browser(), a.URL+"/home")
	if want := "authtest: the app answered 200 OK at /home, not a redirect to the server"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
