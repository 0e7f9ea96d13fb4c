package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// accepts are Accept headers, and whether they prefer JSON.
var accepts = []struct {
	claim  string
	accept []string
	json   bool
}{
	{"nothing is HTML", nil, false},
	{"a browser's is HTML", []string{browserAccept}, false},
	{"anything is HTML", []string{"*/*"}, false},
	{"JSON is JSON", []string{"application/json"}, true},
	{"in any case", []string{"Application/JSON"}, true},
	{"with parameters", []string{"application/json; charset=utf-8"}, true},
	{"a problem document is JSON", []string{"application/problem+json"}, true},
	{"JSON before anything is JSON", []string{"application/json, */*;q=0.5"}, true},
	{"JSON and HTML alike are HTML", []string{"application/json, text/html"}, false},
	{"JSON rated above HTML is JSON", []string{"text/html;q=0.8, application/json;q=0.9"},
		true},
	{"JSON rated below HTML is HTML", []string{"text/html;q=0.9, application/json;q=0.8"},
		false},
	{"JSON rated below XHTML is HTML",
		[]string{"application/xhtml+xml, application/json;q=0.8"}, false},
	{"spaces around the rating", []string{"text/html ; q=0.2 , application/json ; q=0.3"},
		true},
	{"JSON refused is HTML", []string{"application/json;q=0"}, false},
	{"HTML refused is JSON", []string{"text/html;q=0, application/json;q=0.001"}, true},
	{"a broken rating is ignored", []string{"application/json;q=x"}, false},
	{"two headers count together", []string{"text/html;q=0.5", "application/json"}, true},
	{"a rating in upper case", []string{"text/html;Q=0.1, application/json;Q=0.9"}, true},
	{"a rating above one is ignored", []string{"text/html;q=0.9, application/json;q=2"}, false},
	{"a rating that is not a number is ignored", []string{"application/json;q=NaN"}, false},
	{"a negative rating is ignored", []string{"application/json;q=-1"}, false},
	{"another kind of media in JSON is HTML", []string{"model/gltf+json"}, false},
	{"a longer name is HTML", []string{"application/jsonx"}, false},
}

// TestErrorPageJSON: which Accept headers prefer JSON (RFC 9110 section
// 12.5.1).
func TestErrorPageJSON(t *testing.T) {
	for _, row := range accepts {
		t.Run(row.claim, func(t *testing.T) {
			rec := errorPage(&authcode.Error{Reason: authcode.Denied, LoginURL: "/login"},
				row.accept...)
			got := strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json")
			if got != row.json {
				t.Errorf("Content-Type is %q", rec.Header().Get("Content-Type"))
			}
			if rec.Code != 403 || rec.Header().Get("Vary") != "Accept" {
				t.Errorf("status %d, Vary %q", rec.Code, rec.Header().Get("Vary"))
			}
		})
	}
}

func TestErrorPageJSONBody(t *testing.T) {
	e := &authcode.Error{
		Reason: authcode.AlreadyUsed, Check: "state.used", Provider: "x", LoginURL: "/login",
		ContinueURL: "/home",
		ServerError: "canary-server", ServerDescription: "canary-server",
	}
	rec := errorPage(e, "application/json")
	world.WantHeaders(t, rec.Header(), "no-referrer")
	var got map[string]string
	if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"error": "already_used", "check": "state.used", "provider": "x", "login_url": "/login",
		"continue_url": "/home",
		"title":        got["title"], "message": got["message"],
	}
	for name, value := range want {
		if got[name] != value || value == "" {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	if len(got) != len(want) || rec.Code != 409 {
		t.Errorf("status %d, members %q", rec.Code, got)
	}
	e.LoginURL, e.ContinueURL = "javascript:alert(1)", "//evil.example"
	if body := errorPage(e, "application/json").Body.String(); strings.Contains(body, "_url") {
		t.Errorf("an unsafe link got out: %s", body)
	}
}

// TestErrorPageTakesErrors: an *Error is found in what wraps it; anything else
// is the app's fault, and not shown.
func TestErrorPageTakesErrors(t *testing.T) {
	denied := &authcode.Error{Reason: authcode.Denied, Check: "callback.error"}
	for claim, row := range map[string]struct {
		err   error
		says  string
		check bool
	}{
		"an Error":           {denied, "denied", true},
		"a wrapped Error":    {fmt.Errorf("canary: %w", denied), "denied", true},
		"a joined Error":     {errors.Join(errors.New("canary"), denied), "denied", true},
		"another error":      {errors.New("canary"), "configuration", false},
		"a reason by itself": {authcode.Denied, "configuration", false},
		"a nil Error":        {(*authcode.Error)(nil), "configuration", false},
		"no error":           {nil, "configuration", false},
	} {
		for _, accept := range []string{browserAccept, "application/json"} {
			rec := errorPage(row.err, accept)
			body := rec.Body.String()
			if rec.Code != authcode.Reason(row.says).Status() ||
				!strings.Contains(body, row.says) ||
				strings.Contains(body, denied.Check) != row.check ||
				strings.Contains(body, "canary") {
				t.Errorf("%s as %s: status %d, %s", claim, accept, rec.Code, body)
			}
		}
	}
}

func TestErrorPageRetryAfter(t *testing.T) {
	for claim, row := range map[string]struct {
		wait time.Duration
		want string
	}{
		"none":                        {0, ""},
		"whole seconds":               {5 * time.Second, "5"},
		"parts of a second round up":  {1200 * time.Millisecond, "2"},
		"less than a second is a one": {time.Nanosecond, "1"},
		"an hour":                     {time.Hour, "3600"},
	} {
		for _, accept := range []string{browserAccept, "application/json"} {
			got := errorPage(&authcode.Error{Reason: authcode.Overloaded, RetryAfter: row.wait},
				accept).Header().Get("Retry-After")
			if got != row.want {
				t.Errorf("%s: Retry-After is %q, want %q", claim, got, row.want)
			}
		}
	}
}
