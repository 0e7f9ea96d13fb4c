package authserver

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// maxSteps bounds the redirects and forms of one sign-in.
const maxSteps = 20

// SignIn signs client in at the app under test, as a person with a browser
// would. It opens loginURL, follows the redirects to this server, and signs in
// there according to [Server.SetConsent] and [Server.SetUser]. With [Ask] it
// approves on the page. It then brings the authorization response to the app,
// and returns the app's answer. It does not follow a redirect in that answer.
// The caller closes the answer's body.
//
// The client needs a cookie jar, and is not changed otherwise. It need not
// trust this server's certificate.
func (s *Server) SignIn(client *http.Client, loginURL string) (*http.Response, error) {
	callback, page, err := s.Callback(client, loginURL)
	if page != nil {
		page.Body.Close()
		err = fmt.Errorf("the app answered %s at %s, not a redirect to the server",
			page.Status, page.Request.URL.Path)
	}
	var resp *http.Response
	if err == nil {
		resp, err = s.Deliver(client, callback)
	}
	if err != nil {
		return nil, fmt.Errorf("authserver: %w", err)
	}
	return resp, nil
}

// Callback does what [Server.SignIn] does, up to the request that brings the
// authorization response to the app. It returns that request without sending
// it. If the app answers with a page before, Callback returns that page
// instead, and the caller closes its body.
func (s *Server) Callback(client *http.Client, loginURL string) (callback *http.Request,
	page *http.Response, err error) {
	if client.Jar == nil {
		return nil, nil, errors.New("signing in needs a client with a cookie jar")
	}
	req, err := http.NewRequest(http.MethodGet, loginURL, nil)
	if err != nil {
		return nil, nil, err
	}
	for range maxSteps {
		resp, err := s.Visit(client, req)
		if err != nil {
			return nil, nil, err
		}
		// The app shows a page and does not send the browser on.
		if !s.owns(req.URL) && !isRedirect(resp) {
			return nil, resp, nil
		}
		next, err := s.follow(resp)
		if err != nil {
			return nil, nil, err
		}
		// The step from this server back to the app is the authorization
		// response.
		if s.owns(req.URL) && !s.owns(next.URL) {
			navigate(next)
			return next, nil, nil
		}
		req = next
	}
	return nil, nil, fmt.Errorf("no authorization response after %d steps", maxSteps)
}

// Deliver brings the authorization response to the app, and returns the app's
// answer. After a form_post it takes the step that follows at the app's own
// origin, where package authcode finishes such a login: a redirect to the same
// path, or a page with a form.
func (s *Server) Deliver(client *http.Client, callback *http.Request) (*http.Response, error) {
	resp, err := s.Visit(client, callback)
	if err != nil || callback.Method != http.MethodPost {
		return resp, err
	}
	switch {
	case strings.HasPrefix(resp.Header.Get("Location"), "?"):
	case strings.Contains(resp.Header.Get("Content-Security-Policy"), "script-src"):
	default:
		return resp, nil
	}
	next, err := s.follow(resp)
	if err != nil {
		return nil, err
	}
	// A browser says so of the form of the app's own page.
	if next.Method == http.MethodPost {
		next.Header.Set("Origin", callback.URL.Scheme+"://"+callback.URL.Host)
		next.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	return s.Visit(client, next)
}

func (s *Server) owns(u *url.URL) bool { return u.Scheme+"://"+u.Host == s.URL }

// Visit sends req with the client's cookies and with the headers of a browser
// that opens a page. It follows no redirect.
func (s *Server) Visit(client *http.Client, req *http.Request) (*http.Response, error) {
	browser := *client
	browser.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	// The app's test client need not trust this server's certificate.
	if s.owns(req.URL) {
		browser.Transport = s.transport
	}
	navigate(req)
	return browser.Do(req)
}

// navigate adds the headers with which a browser opens a page. Package authcode
// starts no login for a request that certainly is something else, such as a
// prefetch.
func navigate(req *http.Request) {
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
}

func isRedirect(resp *http.Response) bool {
	return resp.Header.Get("Location") != "" && resp.StatusCode/100 == 3
}

// follow makes the request that a browser would send next, because of the
// redirect in resp, or of the form on this server's page.
func (s *Server) follow(resp *http.Response) (*http.Request, error) {
	defer resp.Body.Close()
	here := resp.Request.URL
	if isRedirect(resp) {
		to, err := here.Parse(resp.Header.Get("Location"))
		if err != nil {
			return nil, fmt.Errorf("redirect of %s: %w", here.Path, err)
		}
		return http.NewRequest(http.MethodGet, to.String(), nil)
	}
	page, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("page of %s: %w", here.Path, err)
	}
	action, form := readPage(string(page))
	if action == "" {
		return nil, fmt.Errorf("the server answered %s: %s", resp.Status, reason(page))
	}
	return s.submit(here, action, form)
}

// The pages are this package's own, so that patterns suffice to read them.
var (
	formTag   = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	hiddenTag = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
	chosenTag = regexp.MustCompile(`<input type="radio" name="user" value="([^"]*)" checked>`)
	reasonTag = regexp.MustCompile(`<p id="reason">([^<]*)<`)
)

// readPage reads the form of one of this package's own pages.
func readPage(page string) (action string, form []field) {
	if found := formTag.FindStringSubmatch(page); found != nil {
		action = html.UnescapeString(found[1])
	}
	for _, found := range hiddenTag.FindAllStringSubmatch(page, -1) {
		form = append(form, field{html.UnescapeString(found[1]), html.UnescapeString(found[2])})
	}
	if found := chosenTag.FindStringSubmatch(page); found != nil {
		form = append(form, field{"user", html.UnescapeString(found[1])})
	}
	return action, form
}

// reason returns what an error page says, for the error of a failed test.
func reason(page []byte) string {
	if found := reasonTag.FindSubmatch(page); found != nil {
		return html.UnescapeString(string(found[1]))
	}
	return "no page of this server"
}

// submit makes the request of a form. That is the form of the consent page,
// which it approves for the user that is selected there, or the form of a
// form_post response.
func (s *Server) submit(here *url.URL, action string, form []field) (*http.Request, error) {
	to, err := here.Parse(action)
	if err != nil {
		return nil, fmt.Errorf("form action: %w", err)
	}
	// The form of a form_post response leads from this server to the app's
	// site.
	site := "cross-site"
	if s.owns(to) {
		form = append(form, field{"decision", "approve"})
		site = "same-origin"
	}
	var pairs []string
	for _, f := range form {
		pairs = append(pairs, url.QueryEscape(f.name)+"="+url.QueryEscape(f.value))
	}
	req, err := http.NewRequest(http.MethodPost, to.String(),
		strings.NewReader(strings.Join(pairs, "&")))
	if err != nil {
		return nil, fmt.Errorf("form action: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", s.URL)
	req.Header.Set("Sec-Fetch-Site", site)
	return req, nil
}
