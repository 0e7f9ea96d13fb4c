package test

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// authCodeURLParameters are what a configuration and options put into the URL.
var authCodeURLParameters = []struct {
	claim  string
	change func(*config)
	opts   options
	want   url.Values // beside base; nil values: any one value
}{
	{"a plain login has these parameters and no other", nil, nil, nil},
	{"scopes are joined by spaces", func(c *config) { c.Scopes = []string{"a", "b"} }, nil,
		url.Values{"scope": {"a b"}}},
	{"scopes are joined by ScopeSep", func(c *config) {
		c.Scopes, c.Provider.ScopeSep = []string{"a", "b"}, ","
	}, nil, url.Values{"scope": {"a,b"}}},
	{"openid brings a nonce", func(c *config) { c.Scopes = []string{"openid"} }, nil,
		url.Values{"scope": {"openid"}, "nonce": nil}},
	{"a scope that only contains openid brings none", func(c *config) {
		c.Scopes = []string{"openid2"}
	}, nil, url.Values{"scope": {"openid2"}}},
	{"form_post is asked for", func(c *config) { c.Provider.FormPost = true }, nil,
		url.Values{"response_mode": {"form_post"}}},
	{"the client id goes by its provider's name", func(c *config) {
		c.Provider.ClientIDParam = "appid"
	}, nil, url.Values{"appid": {"client"}, "client_id": {}}},
	{"the query of AuthURL is kept", func(c *config) {
		c.Provider.AuthURL += "?tenant=a%2Bb&x=1"
	}, nil, url.Values{"tenant": {"a+b"}, "x": {"1"}}},
	{"AuthParams are sent", func(c *config) {
		c.Provider.AuthParams = map[string]string{"access_type": "off line&x"}
	}, nil, url.Values{"access_type": {"off line&x"}}},
	{"Param replaces one of AuthParams and leaves the others", func(c *config) {
		c.Provider.AuthParams = map[string]string{"prompt": "consent", "access_type": "offline"}
	}, options{authcode.Param("prompt", "login")},
		url.Values{"prompt": {"login"}, "access_type": {"offline"}}},
	{"Param repeats a key, in order", nil, options{authcode.Param("p", "b", "a")},
		url.Values{"p": {"b", "a"}}},
	{"resource adds to an earlier resource", nil,
		options{authcode.Param("resource", "https://b"), authcode.Param("resource", "https://a")},
		url.Values{"resource": {"https://b", "https://a"}}},
	{"Param escapes key and value", nil,
		options{authcode.Param("a&state=x", "b&state=y#+ ")},
		url.Values{"a&state=x": {"b&state=y#+ "}}},
	{"max_age is sent", nil, options{authcode.Param("max_age", "3600")},
		url.Values{"max_age": {"3600"}}},
	{"Scopes replaces the Client's", func(c *config) { c.Scopes = []string{"a"} },
		options{authcode.Scopes("openid", "c")},
		url.Values{"scope": {"openid c"}, "nonce": nil}},
	{"Scopes without scopes asks for none", func(c *config) { c.Scopes = []string{"openid"} },
		options{authcode.Scopes()}, nil},
	{"values and the return path stay at home", nil,
		options{authcode.Value("cart", "42"), authcode.ReturnTo("/cart")}, nil},
}

// TestAuthCodeURLParameters compares the whole query, but for what is random.
func TestAuthCodeURLParameters(t *testing.T) {
	base := url.Values{
		"response_type": {"code"}, "client_id": {"client"}, "redirect_uri": {world.RedirectURL},
		"code_challenge_method": {"S256"}, "code_challenge": nil, "state": nil,
	}
	for _, row := range authCodeURLParameters {
		t.Run(row.claim, func(t *testing.T) {
			if row.change == nil {
				row.change = func(*config) {}
			}
			want := maps.Clone(base)
			maps.Copy(want, row.want)
			maps.DeleteFunc(want,
				func(_ string, v []string) bool { return v != nil && len(v) == 0 })
			c := world.Client(t, &world.Provider{}, row.change)
			got := world.Begin(t, c, nil, row.opts...).Query
			for name, values := range got {
				v, expected := want[name]
				if !expected || v != nil && !slices.Equal(v, values) ||
					v == nil && len(values) != 1 {
					t.Errorf("%s is %q, want %q", name, values, v)
				}
			}
			for name := range want {
				if !got.Has(name) {
					t.Errorf("%s is missing", name)
				}
			}
		})
	}
}

// TestOptionsServeManyRequests: an app may make its options once. What it does
// with their arguments later changes nothing, and no login changes another.
func TestOptionsServeManyRequests(t *testing.T) {
	scopes, resources := []string{"a", "b"}, []string{apiA}
	opts := options{authcode.Scopes(scopes...), authcode.Param("resource", resources...), nil,
		authcode.Param("resource", apiB), authcode.Param("prompt", "login"), authcode.Value("k", "v")}
	scopes[0], resources[0] = "changed", "changed"
	c := world.Client(t, &world.Provider{})
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			target, err := c.AuthCodeURL(httptest.NewRecorder(),
				httptest.NewRequest("GET", "https://app.example/login", nil), opts...)
			if err != nil {
				t.Error(err)
			}
			if u, _ := url.Parse(target); u.Query().Get("scope") != "a b" ||
				!slices.Equal(u.Query()["resource"], []string{apiA, apiB}) {
				t.Errorf("the login asks for %s", target)
			}
		})
	}
	all.Wait()
}

// TestAuthCodeURLIsFresh: state, challenge and nonce differ each time, and the
// verifier that the token endpoint gets is the challenge's (RFC 7636 section
// 4.6).
func TestAuthCodeURLIsFresh(t *testing.T) {
	p := &world.Provider{}
	c := world.Client(t, p, func(c *config) { c.Scopes = []string{"openid"} })
	seen := make(map[string]bool)
	for i := range 20 {
		l := world.Begin(t, c, nil)
		for _, name := range []string{"state", "code_challenge", "nonce"} {
			value := l.Query.Get(name)
			raw, err := base64.RawURLEncoding.DecodeString(value)
			if err != nil || len(raw) != 32 || seen[value] {
				t.Fatalf("%s is %q: want 32 fresh bytes", name, value)
			}
			seen[value] = true
		}
		l.Finish(t, c)
		verifier := p.Requests()[i].Form.Get("code_verifier")
		sum := sha256.Sum256([]byte(verifier))
		if len(verifier) != 43 ||
			base64.RawURLEncoding.EncodeToString(sum[:]) != l.Query.Get("code_challenge") {
			t.Fatalf("verifier %q is not the one of %s", verifier, l.URL)
		}
	}
}

func TestAuthCodeURLHeaders(t *testing.T) {
	header := world.Begin(t, world.Client(t, &world.Provider{}), nil).Header
	world.WantHeaders(t, header, "no-referrer")
	if len(header) != 5 || header["Set-Cookie"] == nil {
		t.Errorf("more headers than promised: %v", header)
	}
}

// reserved are the parameters that the login sets itself or would be undone by.
var reserved = []string{
	"response_type", "response_mode", "client_id", "redirect_uri", "scope", "state",
	"code_challenge", "code_challenge_method", "code_verifier", "nonce", "request", "request_uri",
	"registration", "dpop_jkt", "client_secret", "client_assertion", "client_assertion_type",
	"code", "grant_type", "iss", "error", "refresh_token", "token", "token_type_hint",
}

func TestReservedParameters(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	for _, name := range reserved {
		for _, key := range []string{name, strings.ToUpper(name),
			strings.ToUpper(name[:1]) + name[1:]} {
			t.Run("Param "+key+" is refused", func(t *testing.T) {
				wantRefused(t, c, "param.reserved", authcode.Param(key, "x"))
			})
			t.Run("AuthParams "+key+" is refused", func(t *testing.T) {
				_, err := authcode.New(world.Config(&world.Provider{}, func(c *config) {
					c.Provider.AuthParams = map[string]string{key: "x"}
				}))
				world.WantError(t, err, authcode.Configuration, "config")
			})
			t.Run("AuthURL with "+key+" is refused", func(t *testing.T) {
				_, err := authcode.New(world.Config(&world.Provider{}, func(c *config) {
					c.Provider.AuthURL += "?a=b&" + key + "=x"
				}))
				world.WantError(t, err, authcode.Configuration, "config")
			})
		}
	}
}

// wantRefused checks that a login with opts does not begin: no URL, no cookie.
func wantRefused(t *testing.T, c *authcode.Client, check string, opts ...authcode.AuthOption) {
	t.Helper()
	target, cookies, err := world.Start(c, opts...)
	e := world.WantError(t, err, authcode.Configuration, check)
	if e.Provider != "x" || e.LoginURL != "/auth/x" {
		t.Errorf("Provider is %q, LoginURL %q", e.Provider, e.LoginURL)
	}
	if target != "" || len(cookies) > 0 {
		t.Errorf("a login began: %q, %v", target, cookies)
	}
}

var longValue = strings.Repeat("v", 511)

// optionsRefused are options that no login begins with.
var optionsRefused = []struct {
	claim, check string
	opts         options
}{
	{"Param without a name", "param.reserved", options{authcode.Param("", "x")}},
	{"Param without a value", "param.reserved",
		options{authcode.Param("prompt")}},
	{"Param with the provider's name for the client id", "param.reserved",
		options{authcode.Param("appid", "x")}},
	{"max_age that is not a number", "param.max_age",
		options{authcode.Param("max_age", "1h")}},
	{"max_age below zero", "param.max_age",
		options{authcode.Param("max_age", "-1")}},
	{"max_age with a fraction", "param.max_age",
		options{authcode.Param("max_age", "1.5")}},
	{"max_age without an end", "param.max_age",
		options{authcode.Param("max_age", "99999999999")}},
	{"max_age twice", "param.max_age",
		options{authcode.Param("max_age", "1", "2")}},
	{"max_age in two Params", "param.max_age",
		options{authcode.Param("max_age", "1"), authcode.Param("max_age", "2")}},
	{"max_age in upper case", "param.max_age",
		options{authcode.Param("MAX_AGE", "1")}},
	{"authorization_details in two Params", "param.authorization_details", options{
		authcode.Param("authorization_details", `[{"type":"a"}]`),
		authcode.Param("authorization_details", `[{"type":"b"}]`)}},
	{"authorization_details in upper case", "param.authorization_details", options{
		authcode.Param("Authorization_Details", `[{"type":"a"}]`)}},
	{"resource in upper case", "param.resource",
		options{authcode.Param("RESOURCE", "https://a")}},
	{"Param that another option has set", "param.reserved",
		options{authcode.Param("login_hint", "a"), authcode.Param("login_hint", "b")}},
	{"Param that another option has set in upper case", "param.reserved",
		options{authcode.Param("login_hint", "a"), authcode.Param("Login_Hint", "b")}},
	{"Param with another spelling of one of AuthParams", "param.reserved",
		options{authcode.Param("Prompt", "login")}},
	{"Param with another spelling of the client id's name", "param.reserved",
		options{authcode.Param("AppID", "x")}},
	{"Param with another spelling of a name of AuthURL's query", "param.reserved",
		options{authcode.Param("Tenant", "x")}},
	{"Param with a space in its name", "param.reserved",
		options{authcode.Param("a b", "x")}},
	{"Param with a name of AuthURL's query", "param.reserved",
		options{authcode.Param("tenant", "x")}},
	{"a scope with a space", "scopes", options{authcode.Scopes("a b")}},
	{"a scope with the provider's separator", "scopes",
		options{authcode.Scopes("a,b")}},
	{"an empty scope", "scopes", options{authcode.Scopes("a", "")}},
	{"a value of 513 bytes with its key", "value.size",
		options{authcode.Value("kk", longValue)}},
	{"two values of 513 bytes together", "value.size",
		options{authcode.Value("k", longValue), authcode.Value("", "x")}},
	{"scopes that no cookie can hold", "login.size",
		options{authcode.Scopes(strings.Repeat("s", 1800))}},
}

func TestOptionsRefused(t *testing.T) {
	c := world.Client(t, &world.Provider{}, func(c *config) {
		c.Provider.ClientIDParam, c.Provider.ScopeSep = "appid", ","
		c.Provider.AuthURL += "?tenant=1"
		c.Provider.AuthParams = map[string]string{"prompt": "consent"}
	})
	for _, row := range optionsRefused {
		t.Run(row.claim+" is refused", func(t *testing.T) {
			wantRefused(t, c, row.check, row.opts...)
		})
	}
}

// TestRefusedOptionKeepsThePath: the link to start again leads to the path of an
// option before the one that is refused.
func TestRefusedOptionKeepsThePath(t *testing.T) {
	_, err := world.Client(t, &world.Provider{}).AuthCodeURL(httptest.NewRecorder(),
		world.Get("/"), authcode.ReturnTo("/orders"), authcode.Param("state", "x"))
	e := world.WantError(t, err, authcode.Configuration, "param.reserved")
	if e.LoginURL != "/auth/x?next=%2Forders" {
		t.Errorf("LoginURL is %q", e.LoginURL)
	}
}
