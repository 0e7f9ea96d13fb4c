package authcode_test

import (
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"example.com/authcode"
)

// hReserved are the parameters that the login sets itself or would be undone by.
var hReserved = []string{
	"response_type", "response_mode", "client_id", "redirect_uri", "scope", "state",
	"code_challenge", "code_challenge_method", "code_verifier", "nonce", "request", "request_uri", "registration",
	"dpop_jkt", "client_secret", "client_assertion", "client_assertion_type", "code", "grant_type", "iss", "error",
	"refresh_token", "token", "token_type_hint",
}

func TestReservedParameters(t *testing.T) {
	c := hNew(t, &hProvider{})
	for _, name := range hReserved {
		for _, key := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:]} {
			t.Run("Param "+key+" is refused", func(t *testing.T) {
				hRefused(t, c, "param.reserved", authcode.Param(key, "x"))
			})
			t.Run("AuthParams "+key+" is refused", func(t *testing.T) {
				_, err := authcode.New(hConfig(&hProvider{}, func(c *authcode.Config) {
					c.Provider.AuthParams = map[string]string{key: "x"}
				}))
				hWantError(t, err, authcode.Configuration, "config")
			})
			t.Run("AuthURL with "+key+" is refused", func(t *testing.T) {
				_, err := authcode.New(hConfig(&hProvider{}, func(c *authcode.Config) { c.Provider.AuthURL += "?a=b&" + key + "=x" }))
				hWantError(t, err, authcode.Configuration, "config")
			})
		}
	}
}

// hRefused checks that a login with opts does not begin: no URL, no cookie.
func hRefused(t *testing.T, c *authcode.Client, check string, opts ...authcode.AuthOption) {
	t.Helper()
	rec := httptest.NewRecorder()
	target, err := c.AuthCodeURL(rec, hGet("https://app.example/auth/x"), opts...)
	e := hWantError(t, err, authcode.Configuration, check)
	if e.Provider != "x" || e.LoginURL != "/auth/x" {
		t.Errorf("Provider is %q, LoginURL %q", e.Provider, e.LoginURL)
	}
	if target != "" || len(rec.Result().Cookies()) > 0 {
		t.Errorf("a login began: %q, %v", target, rec.Result().Cookies())
	}
}

func TestOptionsRefused(t *testing.T) {
	long := strings.Repeat("v", 511)
	rows := []struct {
		claim, check string
		opts         []authcode.AuthOption
	}{
		{"Param without a name", "param.reserved", []authcode.AuthOption{authcode.Param("", "x")}},
		{"Param without a value", "param.reserved", []authcode.AuthOption{authcode.Param("prompt")}},
		{"Param with the provider's name for the client id", "param.reserved", []authcode.AuthOption{authcode.Param("appid", "x")}},
		{"max_age that is no number", "param.max_age", []authcode.AuthOption{authcode.Param("max_age", "1h")}},
		{"max_age below zero", "param.max_age", []authcode.AuthOption{authcode.Param("max_age", "-1")}},
		{"max_age with a fraction", "param.max_age", []authcode.AuthOption{authcode.Param("max_age", "1.5")}},
		{"max_age without an end", "param.max_age", []authcode.AuthOption{authcode.Param("max_age", "99999999999")}},
		{"max_age twice", "param.max_age", []authcode.AuthOption{authcode.Param("max_age", "1", "2")}},
		{"max_age in two Params", "param.max_age", []authcode.AuthOption{authcode.Param("max_age", "1"), authcode.Param("max_age", "2")}},
		{"max_age in upper case", "param.max_age", []authcode.AuthOption{authcode.Param("MAX_AGE", "1")}},
		{"Param with a space in its name", "param.reserved", []authcode.AuthOption{authcode.Param("a b", "x")}},
		{"Param with a name of AuthURL's query", "param.reserved", []authcode.AuthOption{authcode.Param("tenant", "x")}},
		{"a scope with a space", "scopes", []authcode.AuthOption{authcode.Scopes("a b")}},
		{"a scope with the provider's separator", "scopes", []authcode.AuthOption{authcode.Scopes("a,b")}},
		{"an empty scope", "scopes", []authcode.AuthOption{authcode.Scopes("a", "")}},
		{"a value of 513 bytes with its key", "value.size", []authcode.AuthOption{authcode.Value("kk", long)}},
		{"two values of 513 bytes together", "value.size", []authcode.AuthOption{authcode.Value("k", long), authcode.Value("", "x")}},
		{"scopes that no cookie can hold", "login.size", []authcode.AuthOption{authcode.Scopes(strings.Repeat("s", 1800))}},
	}
	c := hNew(t, &hProvider{}, func(c *authcode.Config) {
		c.Provider.ClientIDParam, c.Provider.ScopeSep, c.Provider.AuthURL = "appid", ",", hAuthURL+"?tenant=1"
	})
	for _, row := range rows {
		t.Run(row.claim+" is refused", func(t *testing.T) { hRefused(t, c, row.check, row.opts...) })
	}
}

func TestValuesComeBack(t *testing.T) {
	rows := []struct {
		claim string
		opts  []authcode.AuthOption
		want  map[string]string
	}{
		{"no values come back as none", nil, nil},
		{"values come back byte for byte", []authcode.AuthOption{authcode.Value("a", "1;\x00\"é"), authcode.Value("b", "")},
			map[string]string{"a": "1;\x00\"é", "b": ""}},
		{"the later value of a key counts", []authcode.AuthOption{authcode.Value("a", "1"), authcode.Value("a", "2")}, map[string]string{"a": "2"}},
		{"512 bytes are welcome", []authcode.AuthOption{authcode.Value("k", strings.Repeat("v", 511))}, map[string]string{"k": strings.Repeat("v", 511)}},
	}
	c := hNew(t, &hProvider{})
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			if got := hStart(t, c, nil, row.opts...).finish(t, c).Values; !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

// TestReturnPath: what the option is given, and where Login.ReturnTo points.
func TestReturnPath(t *testing.T) {
	edge := "/" + strings.Repeat("p", 511)
	rows := []struct{ claim, path, want string }{
		{"a path comes back", "/cart", "/cart"},
		{"query and fragment come back byte for byte", "/a%2Fb/?q=1&next=//x#f", "/a%2Fb/?q=1&next=//x#f"},
		{"512 bytes come back", edge, edge},
		{"513 bytes become the root", edge + "p", "/"},
		{"nothing becomes the root", "", "/"},
		{"another origin becomes the root", "https://evil.example/", "/"},
		{"a host becomes the root", "//evil.example", "/"},
		{"a host by backslash becomes the root", `/\evil.example`, "/"},
		{"a host behind a tab becomes the root", "/\t/evil.example", "/"},
		{"a host behind dots becomes the root", "/.//evil.example", "/"},
		{"a host behind encoded dots becomes the root", "/%2E//evil.example", "/"},
		{"a relative path becomes the root", "cart", "/"},
		{"a space at the end becomes the root", "/cart ", "/"},
		{"dots alone are welcome", "/a/../b", "/a/../b"},
		{"double slashes alone are welcome", "/a//b", "/a//b"},
	}
	c := hNew(t, &hProvider{})
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			if got := hStart(t, c, nil, authcode.ReturnTo(row.path)).finish(t, c).ReturnTo; got != row.want {
				t.Errorf("ReturnTo: %q, want %q", got, row.want)
			}
			r := hGet("https://app.example/auth/x?next=" + url.QueryEscape(row.path))
			if got := hStart(t, c, r, authcode.ReturnToParam("next")).finish(t, c).ReturnTo; got != row.want {
				t.Errorf("ReturnToParam: %q, want %q", got, row.want)
			}
		})
	}
	for claim, query := range map[string]string{
		"a missing parameter becomes the root": "?other=/a", "a repeated parameter becomes the root": "?next=/a&next=/a",
	} {
		t.Run(claim, func(t *testing.T) {
			l := hStart(t, c, hGet("https://app.example/"+query), authcode.ReturnTo("/before"), authcode.ReturnToParam("next"))
			if got := l.finish(t, c).ReturnTo; got != "/" {
				t.Errorf("got %q", got)
			}
		})
	}
}
