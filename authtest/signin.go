package authtest

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

// SignIn signs client in at the app under test, as a person with a browser would. It opens
// loginURL, follows the redirects to this server, signs in there as [Server.SetConsent] and
// [Server.SetUser] say (under [Ask] it approves on the page), brings the authorization response
// back to the app and returns the app's answer to it, whose redirects it does not follow. The
// caller closes the answer's body. The client needs a cookie jar; nothing else of it changes. It
// need not trust this server's certificate.
func (s *Server) SignIn(client *http.Client, loginURL string) (*http.Response, error) {
	if client.Jar == nil {
		return nil, errors.New("authtest: SignIn needs a client with a cookie jar")
	}
	req, err := http.NewRequest(http.MethodGet, loginURL, nil)
	if err != nil {
		return nil, fmt.Errorf("authtest: %w", err)
	}
	for range maxSteps {
		resp, err := s.visitPage(client, req)
		if err != nil {
			return nil, fmt.Errorf("authtest: %w", err)
		}
		next, err := s.follow(resp)
		if err != nil {
			return nil, err
		}
		if s.owns(req.URL) && !s.owns(next.URL) {
			return s.visitPage(client, next)
		}
		req = next
	}
	return nil, fmt.Errorf("authtest: no authorization response after %d steps", maxSteps)
}

func (s *Server) owns(u *url.URL) bool { return u.Scheme+"://"+u.Host == s.URL }

// visitPage sends req with the client's cookies and the headers of a browser's navigation.
func (s *Server) visitPage(client *http.Client, req *http.Request) (*http.Response, error) {
	browser := *client
	browser.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	if s.owns(req.URL) {
		browser.Transport = s.transport
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	req.Header.Set("Sec-Fetch-Mode", "navigate")
	req.Header.Set("Sec-Fetch-Dest", "document")
	return browser.Do(req)
}

// follow makes the request that a browser would send after resp: of its redirect, or of the form
// on this server's page.
func (s *Server) follow(resp *http.Response) (*http.Request, error) {
	defer resp.Body.Close()
	here := resp.Request.URL
	if target := resp.Header.Get("Location"); target != "" && resp.StatusCode/100 == 3 {
		to, err := here.Parse(target)
		if err != nil {
			return nil, fmt.Errorf("authtest: redirect of %s: %w", here.Path, err)
		}
		return http.NewRequest(http.MethodGet, to.String(), nil)
	}
	page, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("authtest: page of %s: %w", here.Path, err)
	}
	if !s.owns(here) {
		return nil, fmt.Errorf("authtest: the app answered %s at %s, not a redirect to the server",
			resp.Status, here.Path)
	}
	action, form := readPage(string(page))
	if action == "" {
		return nil, fmt.Errorf("authtest: the server answered %s: %s", resp.Status, reason(page))
	}
	return s.submit(here, action, form)
}

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

func reason(page []byte) string {
	if found := reasonTag.FindSubmatch(page); found != nil {
		return html.UnescapeString(string(found[1]))
	}
	return "no page of this server"
}

// submit makes the request of a form: the consent page's, approved as the user that it has
// chosen, or a form_post response's.
func (s *Server) submit(here *url.URL, action string, form []field) (*http.Request, error) {
	to, err := here.Parse(action)
	if err != nil {
		return nil, fmt.Errorf("authtest: form action: %w", err)
	}
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
		return nil, fmt.Errorf("authtest: form action: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", s.URL)
	req.Header.Set("Sec-Fetch-Site", site)
	return req, nil
}
