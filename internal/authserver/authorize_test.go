package authserver_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

func TestAuthorizationRequestsThatGetAPage(t *testing.T) {
	x := newTester(t)
	for name, edit := range map[string]string{
		"no client":                     "-client_id",
		"an unknown client":             "client_id=stranger",
		"two clients":                   "client_id+=basic",
		"no redirect URI":               "-redirect_uri",
		"two redirect URIs":             "redirect_uri+=" + redirectURI,
		"another path":                  "redirect_uri=https://app.example/callback/x?from=authtest",
		"a trailing byte":               "redirect_uri=" + redirectURI + "&",
		"a prefix":                      "redirect_uri=https://app.example/callback",
		"another letter case":           "redirect_uri=https://APP.example/callback?from=authtest",
		"the same URI with its port":    "redirect_uri=https://app.example:443/callback?from=authtest",
		"the same URI, percent-encoded": "redirect_uri=https://app.example/%63allback?from=authtest",
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := x.authorize(edit)
			if resp.StatusCode != http.StatusBadRequest || resp.Header.Get("Location") != "" {
				t.Errorf("answered %s to %q", resp.Status, resp.Header.Get("Location"))
			}
			if !strings.Contains(body, `<p id="reason">`) || strings.Contains(body, "app.example") {
				t.Errorf("page: %s", body)
			}
		})
	}
	t.Run("a malformed query", func(t *testing.T) {
		resp, _ := x.read(x.http.Get(x.srv.URL + "/authorize?" + authParams().Encode() + "&a=%zz"))
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("answered %s", resp.Status)
		}
	})
	t.Run("another method", func(t *testing.T) {
		resp, err := x.http.Head(x.srv.URL + "/authorize?" + authParams().Encode())
		if resp, _ = x.read(resp, err); resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("answered %s", resp.Status)
		}
	})
}

var badAuthorizations = map[string]struct{ edit, want string }{
	"no response_type":        {"-response_type", "invalid_request"},
	"the implicit grant":      {"response_type=token", "unsupported_response_type"},
	"a hybrid flow":           {"response_type=code id_token", "unsupported_response_type"},
	"no challenge":            {"-code_challenge", "invalid_request"},
	"no challenge method":     {"-code_challenge_method", "invalid_request"},
	"method plain":            {"code_challenge_method=plain", "invalid_request"},
	"method in small letters": {"code_challenge_method=s256", "invalid_request"},
	"a challenge too short":   {"code_challenge=" + vectorChallenge[1:], "invalid_request"},
	"a challenge too long":    {"code_challenge=A" + vectorChallenge, "invalid_request"},
	"a padded challenge":      {"code_challenge=" + vectorChallenge[1:] + "=", "invalid_request"},
	"a repeated scope":        {"scope+=openid", "invalid_request"},
	"a repeated unknown name": {"x+=1&x+=2", "invalid_request"},
	"an unknown mode":         {"response_mode=fragment", "invalid_request"},
	"a malformed scope":       {"scope=openid  email", "invalid_scope"},
	"a scope with a quote":    {`scope=open"id`, "invalid_scope"},
	"a request object":        {"request=x", "request_not_supported"},
	"a request URI":           {"request_uri=https://x.example", "request_uri_not_supported"},
	"a negative max_age":      {"max_age=-1", "invalid_request"},
	"a garbled max_age":       {"max_age=1h", "invalid_request"},
	"none and more":           {"prompt=none login", "invalid_request"},
}

func TestAuthorizationRequestsThatAreRefused(t *testing.T) {
	x := newTester(t)
	for name, row := range badAuthorizations {
		t.Run(name, func(t *testing.T) {
			resp, _ := x.authorize(strings.Split(row.edit, "&")...)
			got := x.response(resp)
			if got.Get("error") != row.want || got.Has("code") {
				t.Errorf("got %v, want %s", got, row.want)
			}
			if got.Get("state") != "st&te =" || got.Get("iss") != x.srv.URL {
				t.Errorf("state or iss is wrong in %v", got)
			}
		})
	}
	t.Run("a repeated state is not echoed", func(t *testing.T) {
		resp, _ := x.authorize("state+=again")
		if got := x.response(resp); got.Get("error") != "invalid_request" || got.Has("state") {
			t.Errorf("got %v", got)
		}
	})
}

func TestAuthorizationResponse(t *testing.T) {
	x := newTester(t)
	check := func(got url.Values, state string) {
		t.Helper()
		if got.Get("code") == "" || got.Get("state") != state || got.Get("iss") != x.srv.URL {
			t.Errorf("got %v", got)
		}
	}
	resp, _ := x.authorize()
	check(x.response(resp), "st&te =")
	if resp.Header.Get("Cache-Control") != "no-store" ||
		resp.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("headers %v", resp.Header)
	}
	resp, _ = x.authorize("-state")
	if got := x.response(resp); got.Has("state") {
		t.Errorf("a state was made up: %v", got)
	}
	resp, _ = x.read(x.http.PostForm(x.srv.URL+"/authorize", authParams("state=posted")))
	check(x.response(resp), "posted")
	resp, body := x.authorize("response_mode=form_post", `state="<&>`)
	action, fields := readForm(t, body)
	if action != redirectURI {
		t.Errorf("form action %q", action)
	}
	check(fields, `"<&>`)
	if policy := resp.Header.Get("Content-Security-Policy"); strings.Contains(policy, "unsafe") ||
		!strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "form-action") {
		t.Errorf("policy %q", policy)
	}
	resp, body = x.authorize("response_mode=form_post", "-scope", "response_type=token")
	if _, fields = readForm(t, body); fields.Get("error") == "" || resp.StatusCode != http.StatusOK {
		t.Errorf("an error in form_post: %s %v", resp.Status, fields)
	}
	if n := len(x.srv.Requests(authserver.Authorization)); n != 5 {
		t.Errorf("%d authorization requests recorded, want 5", n)
	}
}

var (
	formAction = regexp.MustCompile(`<form method="post" action="([^"]*)"`)
	formField  = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)"`)
)

// readForm reads a page's form independently of the package's own reader.
func readForm(t *testing.T, page string) (action string, fields url.Values) {
	t.Helper()
	found := formAction.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no form in %s", page)
	}
	fields = url.Values{}
	for _, f := range formField.FindAllStringSubmatch(page, -1) {
		fields.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	return html.UnescapeString(found[1]), fields
}

func TestConsent(t *testing.T) {
	x := newTester(t)
	x.srv.SetConsent(authserver.Deny)
	resp, _ := x.authorize()
	if got := x.response(resp); got.Get("error") != "access_denied" || got.Get("iss") == "" {
		t.Errorf("Deny: %v", got)
	}
	x.srv.SetConsent(authserver.Ask)
	resp, _ = x.authorize("prompt=none")
	if got := x.response(resp); got.Get("error") != "login_required" {
		t.Errorf("Ask, prompt=none: %v", got)
	}
	x.srv.SetConsent(authserver.Approve)
	resp, _ = x.authorize("prompt=none")
	if got := x.response(resp); got.Get("code") == "" {
		t.Errorf("Approve, prompt=none: %v", got)
	}
}

// decide opens a consent page for bob and sends its form, once edited.
func (t *tester) decide(edits ...string) (*http.Response, string) {
	t.Helper()
	resp, page := t.authorize("login_hint=bob@example.com")
	for _, part := range []string{`<button id="approve"`, `<button id="deny"`,
		`value="bob" checked`, `<code>profile</code>`, "basic", "app.example"} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %q", part)
		}
	}
	for name, want := range map[string]string{
		"X-Frame-Options": "DENY", "Cache-Control": "no-store",
	} {
		if resp.Header.Get(name) != want {
			t.Errorf("%s is %q", name, resp.Header.Get(name))
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("the page has a script")
	}
	action, form := readForm(t.T, page)
	change(form, edits...)
	resp, page = t.read(t.http.PostForm(t.srv.URL+action, form))
	if again, _ := t.read(t.http.PostForm(t.srv.URL+action, form)); again.StatusCode != 400 {
		t.Errorf("the second decision was answered %s", again.Status)
	}
	return resp, page
}

func TestConsentPage(t *testing.T) {
	x := newTester(t)
	x.srv.SetConsent(authserver.Ask)
	resp, _ := x.decide("user=carol", "decision=approve")
	a := x.post("/token", "basic:s3cret", redemption(x.response(resp).Get("code")))
	if got := x.userinfo("Bearer " + a.text("access_token")); got.text("sub") != "carol" ||
		got.body["email_verified"] != false {
		t.Errorf("carol signed in, userinfo says %s", got.raw)
	}
	resp, _ = x.decide("user=bob", "decision=deny")
	if got := x.response(resp); got.Get("error") != "access_denied" || got.Get("state") == "" {
		t.Errorf("deny: %v", got)
	}
	for _, edits := range [][]string{
		{"user=nobody", "decision=approve"}, {"user=bob"}, {"user=bob", "decision=approve", "request=x"},
	} {
		if resp, _ = x.decide(edits...); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("%v was answered %s", edits, resp.Status)
		}
	}
}

func TestConsentPageExpires(t *testing.T) {
	x := newTester(t)
	x.srv.SetConsent(authserver.Ask)
	_, page := x.authorize()
	action, form := readForm(t, page)
	x.srv.Advance(11 * time.Minute)
	resp, _ := x.read(x.http.PostForm(x.srv.URL+action, change(form, "user=bob", "decision=approve")))
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("answered %s", resp.Status)
	}
	if resp, _ = x.read(x.http.Get(x.srv.URL + action)); resp.StatusCode != 405 {
		t.Errorf("GET of the decision was answered %s", resp.Status)
	}
}
