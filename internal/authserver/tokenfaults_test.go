package authserver_test

import (
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

var tokenFaults = map[string]struct {
	fault  authserver.Fault
	status int
	header string // "Name: value"
	body   string // a part of the body; if empty, the body is empty
}{
	"redirect 307": {authserver.Redirect(307, "http://evil.example/x"), 307,
		"Location: http://evil.example/x", ""},
	"redirect 302":  {authserver.Redirect(302, "/x"), 302, "Location: /x", ""},
	"HTML":          {authserver.HTMLError(), 500, "Content-Type: text/html", "<h1>"},
	"empty":         {authserver.Answer(200, "", ""), 200, "Content-Type: ", ""},
	"busy":          {authserver.Busy(429, "7"), 429, "Retry-After: 7", "later"},
	"busy, no hint": {authserver.Busy(503, ""), 503, "Retry-After: ", "later"},
	"GitHub's error": {authserver.Error(200, "bad_code", "<b>"), 200,
		"Content-Type: application/json", `"error":"bad_code"`},
	"invalid_client": {authserver.Error(401, "invalid_client", ""), 401,
		"Www-Authenticate: Basic realm=\"authtest\"", `{"error":"invalid_client"}`},
	"a form": {authserver.FormEncoded(), 200,
		"Content-Type: application/x-www-form-urlencoded; charset=utf-8",
		"&expires_in=3600&scope=openid+profile+email&"},
	"text": {authserver.ContentType("text/plain"), 200,
		"Content-Type: text/plain", `{"access_token":"`},
	"a string": {authserver.Set("expires_in", `"3600"`), 200, "", `"expires_in":"3600"`},
	"an array": {authserver.Set("scope", `["a","b"]`), 200, "", `"scope":["a","b"]`},
	"a control character": {authserver.Set("access_token", `"a\u0000b"`), 200,
		"", `"access_token":"a\u0000b"`},
	"a number":     {authserver.Set("access_token", "12"), 200, "", `"access_token":12`},
	"a new member": {authserver.Set("x", "true"), 200, "", `,"x":true}`},
	"another case": {authserver.Rename("access_token", "Access_Token"), 200,
		"", `{"Access_Token":"`},
	"a repetition": {authserver.Repeat("token_type", `"mac"`), 200,
		"", `"token_type":"mac"}`},
	"the same again": {authserver.Repeat("token_type", ""), 200,
		"", `,"token_type":"Bearer"}`},
}

func TestFaultsOfTheTokenEndpoint(t *testing.T) {
	x := newTester(t)
	for name, row := range tokenFaults {
		t.Run(name, func(t *testing.T) {
			form := redemption(x.code())
			x.srv.SetFaults(authserver.Token, row.fault)
			defer x.srv.ClearFaults()
			req := x.request("/token", form.Encode())
			req.SetBasicAuth("basic", "s3cret")
			resp, body := x.read(x.http.Do(req))
			if resp.StatusCode != row.status || !strings.Contains(body, row.body) ||
				(row.body == "" && body != "") {
				t.Errorf("answered %s %q", resp.Status, body)
			}
			if name, value, _ := strings.Cut(row.header, ": "); resp.Header.Get(name) != value {
				t.Errorf("headers %v, want %q", resp.Header, row.header)
			}
		})
	}
	t.Run("a member dropped", func(t *testing.T) {
		x.srv.SetFaults(authserver.Token,
			authserver.Drop("token_type"), authserver.Drop("expires_in"))
		a := x.redeem()
		if a.body["token_type"] != nil || a.body["expires_in"] != nil || a.body["scope"] == nil {
			t.Errorf("answered %s", a.raw)
		}
		x.srv.SetFaults(authserver.Token)
		if a := x.redeem(); a.body["token_type"] == nil {
			t.Errorf("the fault stays: %s", a.raw)
		}
	})
}
