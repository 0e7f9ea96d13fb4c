package authtest

import (
	"fmt"
	"net/http"

	"example.com/authcode/internal/authserver"
)

// Consent says how the server decides about a login.
type Consent int

// The ways to decide.
const (
	Approve Consent = iota // sign the person in at once, without a page
	Deny                   // send the person back with access_denied; the app sees authcode.Denied
	Ask                    // show a page, where a person chooses a user and approves or denies
)

// SetConsent changes how the server decides from now on. A new server has
// [Approve]. [Ask] is for a demo with a real browser. SignIn and Callback
// approve on its page.
func (s *Server) SetConsent(c Consent) { s.server.SetConsent(authserver.Consent(c)) }

// SignIn signs browser in at the app under test, as a person would. It opens
// loginURL, follows the app's redirect to this server, signs in as the chosen
// user, sends the server's answer to the app's callback, and returns what the
// app answers. It does not follow a redirect in that answer. The caller closes
// the body.
//
// When the app answers loginURL with a status of 400 or more, as it does when
// the provider is down, SignIn returns that answer.
//
// The browser needs a cookie jar, and must trust the app's certificate, as the
// client of an httptest.Server does. It need not trust this server's.
func (s *Server) SignIn(browser *http.Client, loginURL string) (*http.Response, error) {
	callback, page, err := s.server.Callback(browser, loginURL)
	switch {
	case err != nil:
	case page == nil:
		page, err = s.server.Deliver(browser, callback)
	case page.StatusCode < 400:
		err = unfinished(page)
	}
	if err != nil {
		return nil, fmt.Errorf("authtest: %w", err)
	}
	return page, nil
}

// Callback begins a login as [Server.SignIn] does, and returns the last request
// of it without sending it: the one that brings the server's answer to the
// app's callback. A test sends it with browser.Do: late, from another browser,
// or twice.
//
// To send it twice, send a Clone each time, because an http.Client adds its
// cookies to the request. With Provider.FormPost it is a POST, and each Clone
// needs a Body from GetBody; the app answers it with a redirect to the request
// that finishes the login.
func (s *Server) Callback(browser *http.Client, loginURL string) (*http.Request, error) {
	callback, page, err := s.server.Callback(browser, loginURL)
	if page != nil {
		err = unfinished(page)
	}
	if err != nil {
		return nil, fmt.Errorf("authtest: %w", err)
	}
	return callback, nil
}

// unfinished closes the app's page, and returns an error which says that the
// page is not a redirect.
func unfinished(page *http.Response) error {
	page.Body.Close()
	return fmt.Errorf("the app answered %s at %s, not a redirect to the server",
		page.Status, page.Request.URL.Path)
}
