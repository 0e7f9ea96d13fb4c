package authcode_test

import (
	"errors"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

type config = authcode.Config

// refused are the configurations that New refuses, with what its message must
// say: the field, the fault, the cure.
var refused = []struct {
	claim  string
	change func(*config)
	says   []string
}{
	{"an empty name", func(c *config) { c.Provider.Name = "" },
		[]string{"Provider.Name", "1 to 24 characters"}},
	{"a name of 25 characters", func(c *config) { c.Provider.Name = strings.Repeat("a", 25) },
		[]string{"Provider.Name", "1 to 24"}},
	{"a name in upper case", func(c *config) { c.Provider.Name = "GitHub" },
		[]string{"Provider.Name", "a-z"}},
	{"a name with a cookie separator", func(c *config) { c.Provider.Name = "a;b" },
		[]string{"Provider.Name"}},
	{"no authorization endpoint", func(c *config) { c.Provider.AuthURL = "" },
		[]string{"Provider.AuthURL is empty"}},
	{"no token endpoint", func(c *config) { c.Provider.TokenURL = "" },
		[]string{"Provider.TokenURL is empty"}},
	{"a token endpoint that is not a URL", func(c *config) { c.Provider.TokenURL = "https://x\n/" },
		[]string{"Provider.TokenURL has a control character", "newline"}},
	{"a token endpoint over http",
		func(c *config) { c.Provider.TokenURL = "http://provider.example/token" },
		[]string{"Provider.TokenURL must be https", "loopback"}},
	{"a token endpoint of another scheme",
		func(c *config) { c.Provider.TokenURL = "ftp://localhost/token" },
		[]string{"Provider.TokenURL must be https"}},
	{"a token endpoint without a scheme",
		func(c *config) { c.Provider.TokenURL = "provider.example:443" },
		[]string{"Provider.TokenURL must be an absolute URL", "https://"}},
	{"a token endpoint without a host", func(c *config) { c.Provider.TokenURL = "https:///token" },
		[]string{"Provider.TokenURL has no host", "absolute URL"}},
	{"a token endpoint with a port for a host",
		func(c *config) { c.Provider.TokenURL = "https://:443/token" },
		[]string{"Provider.TokenURL has no host"}},
	{"a token endpoint with a password",
		func(c *config) { c.Provider.TokenURL = "https://a:b@provider.example/token" },
		[]string{"Provider.TokenURL has user information", "Config.ClientAuth"}},
	{"an authorization endpoint over http",
		func(c *config) { c.Provider.AuthURL = "http://provider.example/a" },
		[]string{"Provider.AuthURL must be https"}},
	{"an authorization endpoint with a fragment",
		func(c *config) { c.Provider.AuthURL = world.AuthURL + "#x" },
		[]string{"Provider.AuthURL has a fragment: remove it"}},
	{"an authorization endpoint with an empty fragment",
		func(c *config) { c.Provider.AuthURL = world.AuthURL + "#" },
		[]string{"Provider.AuthURL has a fragment"}},
	{"an authorization endpoint with a malformed query",
		func(c *config) { c.Provider.AuthURL = world.AuthURL + "?a=%zz" },
		[]string{"Provider.AuthURL has a malformed query"}},
	{"an authorization endpoint that sets state",
		func(c *config) { c.Provider.AuthURL = world.AuthURL + "?STATE=1" },
		[]string{"Provider.AuthURL", `"STATE"`, "the protocol sets itself"}},
	{"a revocation endpoint over http",
		func(c *config) { c.Provider.RevocationURL = "http://provider.example/r" },
		[]string{"Provider.RevocationURL must be https"}},
	{"a negative auth style", func(c *config) { c.Provider.AuthStyle = -1 },
		[]string{"Provider.AuthStyle must be zero, oauth2.AuthStyleInHeader or " +
			"oauth2.AuthStyleInParams"}},
	{"an unknown auth style",
		func(c *config) { c.Provider.AuthStyle = oauth2.AuthStyleInHeader + 1 },
		[]string{"Provider.AuthStyle must be"}},
	{"an authorization endpoint that repeats a parameter",
		func(c *config) { c.Provider.AuthURL = world.AuthURL + "?a=1&a=2" },
		[]string{"Provider.AuthURL", `"a"`}},
	{"an authorization endpoint that sets the client id", func(c *config) {
		c.Provider.AuthURL, c.Provider.ClientIDParam = world.AuthURL+"?appid=1", "appid"
	}, []string{"Provider.AuthURL", `"appid"`}},
	{"an authorization endpoint that sets one of AuthParams", func(c *config) {
		c.Provider.AuthURL, c.Provider.AuthParams = world.AuthURL+"?prompt=login",
			map[string]string{"prompt": "none"}
	}, []string{"Provider.AuthURL", `"prompt"`, "another field"}},
	{"an authorization endpoint with a letter beyond ASCII",
		func(c *config) { c.Provider.AuthURL = world.AuthURL + "/é" },
		[]string{"Provider.AuthURL", "percent-encode"}},
	{"no provider", func(c *config) { c.Provider = authcode.Provider{} },
		[]string{"Config.Provider is empty"}},
	{"a parameter in two spellings", func(c *config) {
		c.Provider.AuthParams = map[string]string{"prompt": "none", "Prompt": "login"}
	}, []string{"Provider.AuthParams", "two spellings"}},
	{"a token endpoint at a host with a letter beyond ASCII",
		func(c *config) { c.Provider.TokenURL = "https://löwe.example/token" },
		[]string{"Provider.TokenURL", "xn--"}},
	{"an authorization endpoint with a space",
		func(c *config) { c.Provider.AuthURL = world.AuthURL + "/a b" },
		[]string{"Provider.AuthURL", "percent-encode"}},
	{"a token endpoint that sets a secret",
		func(c *config) { c.Provider.TokenURL = world.TokenURL + "?client_secret=x" },
		[]string{"Provider.TokenURL", `"client_secret"`}},
	{"a token endpoint with a port of six digits",
		func(c *config) { c.Provider.TokenURL = "https://provider.example:000443/" },
		[]string{"Provider.TokenURL is not a URL"}},
	{"a revocation endpoint that sets the token",
		func(c *config) { c.Provider.RevocationURL = world.RevocationURL + "?token=x" },
		[]string{"Provider.RevocationURL", `"token"`}},
	{"an issuer with a space", func(c *config) { c.Provider.Issuer = world.Issuer + " " },
		[]string{"Provider.Issuer has a space"}},
	{"a scope separator of two characters", func(c *config) { c.Provider.ScopeSep = ", " },
		[]string{"Provider.ScopeSep must be one"}},
	{"a scope separator that breaks lines", func(c *config) { c.Provider.ScopeSep = "\n" },
		[]string{"Provider.ScopeSep must be one"}},
	{"an unknown auth style beside Metadata", func(c *config) {
		c.Provider.AuthStyle, c.Provider.Metadata = 9, world.Finds(world.Endpoints())
	}, []string{"Provider.AuthStyle must be"}},
	{"a required iss without an issuer",
		func(c *config) { c.Provider.Issuer, c.Provider.RequireIss = "", true },
		[]string{"Provider.RequireIss needs Provider.Issuer"}},
	{"two rules for iss", func(c *config) {
		c.Provider.Issuer, c.Provider.IsIssuer = "https://a.example", func(string) bool { return true }
	}, []string{"Provider.Issuer and Provider.IsIssuer are both set"}},
	{"a client id parameter of the protocol",
		func(c *config) { c.Provider.ClientIDParam = "state" }, []string{"Provider.ClientIDParam"}},
	{"a client id parameter with a newline",
		func(c *config) { c.Provider.ClientIDParam = "app\nid" },
		[]string{"Provider.ClientIDParam"}},
	{"a parameter of the protocol",
		func(c *config) { c.Provider.AuthParams = map[string]string{"Redirect_URI": "x"} },
		[]string{"Provider.AuthParams", `"Redirect_URI"`, "the protocol sets itself"}},
	{"a parameter with a space in its name",
		func(c *config) { c.Provider.AuthParams = map[string]string{"a b": "x"} },
		[]string{"Provider.AuthParams", `"a b"`}},
	{"max_age in upper case",
		func(c *config) { c.Provider.AuthParams = map[string]string{"MAX_AGE": "1"} },
		[]string{"Provider.AuthParams: max_age"}},
	{"a parameter without a name", func(c *config) {
		c.Provider.ClientIDParam, c.Provider.AuthParams = "appid", map[string]string{"": "x"}
	}, []string{"Provider.AuthParams", `""`}},
	{"the client id as a parameter", func(c *config) {
		c.Provider.ClientIDParam, c.Provider.AuthParams = "appid", map[string]string{"appid": "x"}
	}, []string{"Provider.AuthParams", `"appid"`}},
	{"a max_age that is not a number",
		func(c *config) { c.Provider.AuthParams = map[string]string{"max_age": "1h"} },
		[]string{"Provider.AuthParams: max_age: use one whole number of seconds"}},
	{"a provider's scope with a space",
		func(c *config) { c.Provider.Scopes = []string{"a", "b c"} },
		[]string{"Provider.Scopes[1]", "one scope into each element"}},
	{"a provider's scope with its separator", func(c *config) {
		c.Provider.ScopeSep, c.Provider.Scopes = ",", []string{"a,b"}
	}, []string{"Provider.Scopes[0]", "one scope into each element"}},
	{"an empty scope", func(c *config) { c.Scopes = []string{""} },
		[]string{"Config.Scopes[0]", "one scope into each element"}},
	{"a scope with a quote", func(c *config) { c.Scopes = []string{`a"`} },
		[]string{"Config.Scopes[0]"}},
	{"a scope with a backslash", func(c *config) { c.Scopes = []string{`a\`} },
		[]string{"Config.Scopes[0]"}},
	{"a scope beyond ASCII", func(c *config) { c.Scopes = []string{"é"} },
		[]string{"Config.Scopes[0]"}},
	{"no client id", func(c *config) { c.ClientID = "" }, []string{"Config.ClientID is empty"}},
	{"a client id with a newline", func(c *config) { c.ClientID = "client\n" },
		[]string{"Config.ClientID has a control character", "newline"}},
	{"a colon in a raw client id",
		func(c *config) { c.Provider.RawBasic, c.ClientID = true, "a:b" },
		[]string{"Config.ClientID has a colon", "Provider.RawBasic"}},
	{"no client authentication", func(c *config) { c.ClientAuth = authcode.ClientAuth{} },
		[]string{"Config.ClientAuth is empty", "authcode.Secret", "authcode.Public"}},
	{"an empty secret", func(c *config) { c.ClientAuth = authcode.Secret("") },
		[]string{"Config.ClientAuth is an empty Secret", "authcode.Public"}},
	{"a secret of spaces", func(c *config) { c.ClientAuth = authcode.Secret(" \n") },
		[]string{"Config.ClientAuth is an empty Secret"}},
	{"a secret with a newline", func(c *config) { c.ClientAuth = authcode.Secret("s\n") },
		[]string{"Config.ClientAuth has a control character", "newline"}},
	{"no redirect URL", func(c *config) { c.RedirectURL = "" },
		[]string{"Config.RedirectURL is empty"}},
	{"a redirect URL over http", func(c *config) { c.RedirectURL = "http://app.example/cb" },
		[]string{"Config.RedirectURL must be https", "loopback"}},
	{"a redirect URL on a host that only begins as loopback",
		func(c *config) { c.RedirectURL = "http://localhost.example/cb" },
		[]string{"Config.RedirectURL must be https"}},
	{"a redirect URL on a host that begins as a loopback address",
		func(c *config) { c.RedirectURL = "http://127.0.0.1.example/cb" },
		[]string{"Config.RedirectURL must be https"}},
	{"a redirect URL on all addresses", func(c *config) { c.RedirectURL = "http://0.0.0.0/cb" },
		[]string{"Config.RedirectURL must be https"}},
	{"a redirect URL on a mapped loopback address",
		func(c *config) { c.RedirectURL = "http://[::ffff:127.0.0.1]/cb" },
		[]string{"Config.RedirectURL must be https"}},
	{"RawBasic with credentials in the body", func(c *config) {
		c.Provider.RawBasic, c.Provider.AuthStyle = true, oauth2.AuthStyleInParams
	}, []string{"Provider.RawBasic has no meaning"}},
	{"a redirect URL that is a path", func(c *config) { c.RedirectURL = "/cb" },
		[]string{"Config.RedirectURL must be an absolute URL"}},
	{"a redirect URL with a parameter of the answer",
		func(c *config) { c.RedirectURL += "?a=1&Code=x" },
		[]string{"Config.RedirectURL sets", `"Code"`}},
	{"a redirect URL with a fragment", func(c *config) { c.RedirectURL += "#f" },
		[]string{"Config.RedirectURL has a fragment"}},
	{"a redirect URL with user information",
		func(c *config) { c.RedirectURL = "https://u@app.example/cb" },
		[]string{"Config.RedirectURL has user information"}},
	{"form_post to http", func(c *config) {
		c.Provider.FormPost, c.RedirectURL = true, "http://localhost/cb"
	}, []string{"Config.RedirectURL must be https", "Provider.FormPost", "SameSite=None"}},
	{"no keys", func(c *config) { c.CookieKeys = nil },
		[]string{"Config.CookieKeys is empty", "32 or more random bytes"}},
	{"a key of 31 bytes",
		func(c *config) { c.CookieKeys = [][]byte{world.Key('k'), world.Key('l')[:31]} },
		[]string{"Config.CookieKeys[1] has 31 bytes, want 32 or more"}},
	{"a nil key", func(c *config) { c.CookieKeys = [][]byte{nil} },
		[]string{"Config.CookieKeys[0] has 0 bytes"}},
	{"a key of zeros", func(c *config) { c.CookieKeys = [][]byte{make([]byte, 32)} },
		[]string{"Config.CookieKeys[0] repeats a single byte", "random bytes"}},
	{"a repeated key",
		func(c *config) { c.CookieKeys = [][]byte{world.Key('k'), world.Key('l'), world.Key('k')} },
		[]string{"Config.CookieKeys[2] repeats an earlier key: remove it"}},
	{"a login URL that runs a script", func(c *config) { c.LoginURL = "javascript:alert(1)" },
		[]string{"Config.LoginURL", "local path such as /login", "absolute http(s) URL"}},
	{"a login URL of another origin in disguise",
		func(c *config) { c.LoginURL = "//evil.example/login" }, []string{"Config.LoginURL"}},
	{"a login URL without a host", func(c *config) { c.LoginURL = "https:/login" },
		[]string{"Config.LoginURL"}},
	{"a home URL with a password", func(c *config) { c.HomeURL = "https://u:p@app.example/" },
		[]string{"Config.HomeURL"}},
	{"a home URL relative to the page", func(c *config) { c.HomeURL = "home" },
		[]string{"Config.HomeURL", "local path"}},
}

func TestNewRefuses(t *testing.T) {
	for _, row := range refused {
		t.Run(row.claim, func(t *testing.T) {
			c, err := authcode.New(world.Config(&world.Provider{}, row.change))
			if c != nil {
				t.Error("got a Client")
			}
			text := world.WantError(t, err, authcode.Configuration, "config").Error()
			for _, s := range row.says {
				if !strings.Contains(text, s) {
					t.Errorf("%q does not say %q", text, s)
				}
			}
			if strings.Contains(text, "\n") || !strings.HasPrefix(text, "authcode: "+row.says[0]) {
				t.Errorf("%q is not one line that begins with the field", text)
			}
		})
	}
}

// doubled are configurations that would send a parameter twice, or one that
// nobody can read.
var doubled = map[string]func(*config){
	"RedirectURL with a state":            func(c *config) { c.RedirectURL += "?state=x" },
	"RedirectURL with a code":             func(c *config) { c.RedirectURL += "?code=x" },
	"RedirectURL with a space at its end": func(c *config) { c.RedirectURL += " " },
	"AuthURL with the client id's name": func(c *config) {
		c.Provider.ClientIDParam, c.Provider.AuthURL = "appid", c.Provider.AuthURL+"?appid=x"
	},
	"AuthURL with one of AuthParams": func(c *config) {
		c.Provider.AuthParams = map[string]string{"a": "b"}
		c.Provider.AuthURL += "?a=x"
	},
	"TokenURL with a client_secret": func(c *config) { c.Provider.TokenURL += "?client_secret=x" },
	"TokenURL with a grant_type":    func(c *config) { c.Provider.TokenURL += "?grant_type=x" },
	"ClientIDParam refresh_token":   func(c *config) { c.Provider.ClientIDParam = "refresh_token" },
	"ClientIDParam with a space":    func(c *config) { c.Provider.ClientIDParam = " state" },
	"AuthParams with a control character": func(c *config) {
		c.Provider.AuthParams = map[string]string{"state\x00": "b"}
	},
	"ScopeSep of a line break": func(c *config) { c.Provider.ScopeSep = "\r\n" },
	"Issuer with a newline":    func(c *config) { c.Provider.Issuer += "\n" },
	"a Secret of a space":      func(c *config) { c.ClientAuth = authcode.Secret(" ") },
	"TokenURL with a port of six digits": func(c *config) {
		c.Provider.TokenURL = "https://p.example:999999/"
	},
}

func TestNewRefusesParametersThatDouble(t *testing.T) {
	for claim, change := range doubled {
		_, err := authcode.New(world.Config(&world.Provider{}, change))
		if !errors.Is(err, authcode.Configuration) {
			t.Errorf("%s: got %v, want configuration", claim, err)
		}
	}
}
