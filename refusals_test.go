package authcode_test

import (
	"strings"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// hRefusals are the configurations that New refuses, with what its message must say: the field,
// the fault, the cure.
var hRefusals = []struct {
	claim  string
	change func(*authcode.Config)
	says   []string
}{
	{"an empty name", func(c *authcode.Config) { c.Provider.Name = "" }, []string{"Provider.Name", "1 to 24 characters"}},
	{"a name of 25 characters", func(c *authcode.Config) { c.Provider.Name = strings.Repeat("a", 25) }, []string{"Provider.Name", "1 to 24"}},
	{"a name in upper case", func(c *authcode.Config) { c.Provider.Name = "GitHub" }, []string{"Provider.Name", "a-z"}},
	{"a name with a cookie separator", func(c *authcode.Config) { c.Provider.Name = "a;b" }, []string{"Provider.Name"}},
	{"no authorization endpoint", func(c *authcode.Config) { c.Provider.AuthURL = "" }, []string{"Provider.AuthURL is empty"}},
	{"no token endpoint", func(c *authcode.Config) { c.Provider.TokenURL = "" }, []string{"Provider.TokenURL is empty"}},
	{"a token endpoint that is no URL", func(c *authcode.Config) { c.Provider.TokenURL = "https://x\n/" }, []string{"Provider.TokenURL has a control character", "newline"}},
	{"a token endpoint over http", func(c *authcode.Config) { c.Provider.TokenURL = "http://provider.example/token" }, []string{"Provider.TokenURL must be https", "loopback"}},
	{"a token endpoint of another scheme", func(c *authcode.Config) { c.Provider.TokenURL = "ftp://localhost/token" }, []string{"Provider.TokenURL must be https"}},
	{"a token endpoint without a scheme", func(c *authcode.Config) { c.Provider.TokenURL = "provider.example:443" }, []string{"Provider.TokenURL must be an absolute URL", "https://"}},
	{"a token endpoint without a host", func(c *authcode.Config) { c.Provider.TokenURL = "https:///token" }, []string{"Provider.TokenURL has no host", "absolute URL"}},
	{"a token endpoint with a port for a host", func(c *authcode.Config) { c.Provider.TokenURL = "https://:443/token" }, []string{"Provider.TokenURL has no host"}},
	{"a token endpoint with a password", func(c *authcode.Config) { c.Provider.TokenURL = "https://a:b@provider.example/token" }, []string{"Provider.TokenURL has user information", "Config.ClientAuth"}},
	{"an authorization endpoint over http", func(c *authcode.Config) { c.Provider.AuthURL = "http://provider.example/a" }, []string{"Provider.AuthURL must be https"}},
	{"an authorization endpoint with a fragment", func(c *authcode.Config) { c.Provider.AuthURL = hAuthURL + "#x" }, []string{"Provider.AuthURL has a fragment: remove it"}},
	{"an authorization endpoint with an empty fragment", func(c *authcode.Config) { c.Provider.AuthURL = hAuthURL + "#" }, []string{"Provider.AuthURL has a fragment"}},
	{"an authorization endpoint with a malformed query", func(c *authcode.Config) { c.Provider.AuthURL = hAuthURL + "?a=%zz" }, []string{"Provider.AuthURL has a malformed query"}},
	{"an authorization endpoint that sets state", func(c *authcode.Config) { c.Provider.AuthURL = hAuthURL + "?STATE=1" }, []string{"Provider.AuthURL", `"STATE"`, "the protocol sets itself"}},
	{"a revocation endpoint over http", func(c *authcode.Config) { c.Provider.RevocationURL = "http://provider.example/r" }, []string{"Provider.RevocationURL must be https"}},
	{"a negative auth style", func(c *authcode.Config) { c.Provider.AuthStyle = -1 }, []string{"Provider.AuthStyle must be zero, oauth2.AuthStyleInHeader or oauth2.AuthStyleInParams"}},
	{"an unknown auth style", func(c *authcode.Config) { c.Provider.AuthStyle = oauth2.AuthStyleInHeader + 1 }, []string{"Provider.AuthStyle must be"}},
	{"an authorization endpoint that repeats a parameter", func(c *authcode.Config) { c.Provider.AuthURL = hAuthURL + "?a=1&a=2" }, []string{"Provider.AuthURL", `"a"`}},
	{"an authorization endpoint that sets the client id", func(c *authcode.Config) {
		c.Provider.AuthURL, c.Provider.ClientIDParam = hAuthURL+"?appid=1", "appid"
	}, []string{"Provider.AuthURL", `"appid"`}},
	{"an authorization endpoint that sets one of AuthParams", func(c *authcode.Config) {
		c.Provider.AuthURL, c.Provider.AuthParams = hAuthURL+"?prompt=login", map[string]string{"prompt": "none"}
	}, []string{"Provider.AuthURL", `"prompt"`, "another field"}},
	{"an authorization endpoint with a letter beyond ASCII", func(c *authcode.Config) { c.Provider.AuthURL = hAuthURL + "/é" }, []string{"Provider.AuthURL", "percent-encode"}},
	{"an authorization endpoint with a space", func(c *authcode.Config) { c.Provider.AuthURL = hAuthURL + "/a b" }, []string{"Provider.AuthURL", "percent-encode"}},
	{"a token endpoint that sets a secret", func(c *authcode.Config) { c.Provider.TokenURL = hTokenURL + "?client_secret=x" }, []string{"Provider.TokenURL", `"client_secret"`}},
	{"a token endpoint with a port of six digits", func(c *authcode.Config) { c.Provider.TokenURL = "https://provider.example:000443/" }, []string{"Provider.TokenURL is not a URL"}},
	{"a revocation endpoint that sets the token", func(c *authcode.Config) { c.Provider.RevocationURL = hRevokeURL + "?token=x" }, []string{"Provider.RevocationURL", `"token"`}},
	{"an issuer with a space", func(c *authcode.Config) { c.Provider.Issuer = hIssuer + " " }, []string{"Provider.Issuer has a space"}},
	{"a scope separator of two characters", func(c *authcode.Config) { c.Provider.ScopeSep = ", " }, []string{"Provider.ScopeSep must be one"}},
	{"a scope separator that breaks lines", func(c *authcode.Config) { c.Provider.ScopeSep = "\n" }, []string{"Provider.ScopeSep must be one"}},
	{"an unknown auth style beside Metadata", func(c *authcode.Config) {
		c.Provider.AuthStyle, c.Provider.Metadata = 9, new(hMetadata).Load
	}, []string{"Provider.AuthStyle must be"}},
	{"a required iss without an issuer", func(c *authcode.Config) { c.Provider.Issuer, c.Provider.RequireIss = "", true }, []string{"Provider.RequireIss needs Provider.Issuer"}},
	{"a client id parameter of the protocol", func(c *authcode.Config) { c.Provider.ClientIDParam = "state" }, []string{"Provider.ClientIDParam"}},
	{"a client id parameter with a newline", func(c *authcode.Config) { c.Provider.ClientIDParam = "app\nid" }, []string{"Provider.ClientIDParam"}},
	{"a parameter of the protocol", func(c *authcode.Config) { c.Provider.AuthParams = map[string]string{"Redirect_URI": "x"} }, []string{"Provider.AuthParams", `"Redirect_URI"`, "the protocol sets itself"}},
	{"a parameter with a space in its name", func(c *authcode.Config) { c.Provider.AuthParams = map[string]string{"a b": "x"} }, []string{"Provider.AuthParams", `"a b"`}},
	{"max_age in upper case", func(c *authcode.Config) { c.Provider.AuthParams = map[string]string{"MAX_AGE": "1"} }, []string{"Provider.AuthParams: max_age"}},
	{"a parameter without a name", func(c *authcode.Config) {
		c.Provider.ClientIDParam, c.Provider.AuthParams = "appid", map[string]string{"": "x"}
	}, []string{"Provider.AuthParams", `""`}},
	{"the client id as a parameter", func(c *authcode.Config) {
		c.Provider.ClientIDParam, c.Provider.AuthParams = "appid", map[string]string{"appid": "x"}
	}, []string{"Provider.AuthParams", `"appid"`}},
	{"a max_age that is no number", func(c *authcode.Config) { c.Provider.AuthParams = map[string]string{"max_age": "1h"} }, []string{"Provider.AuthParams: max_age must be a whole number of seconds"}},
	{"a provider's scope with a space", func(c *authcode.Config) { c.Provider.Scopes = []string{"a", "b c"} }, []string{"Provider.Scopes[1]", "one scope an element"}},
	{"a provider's scope with its separator", func(c *authcode.Config) {
		c.Provider.ScopeSep, c.Provider.Scopes = ",", []string{"a,b"}
	}, []string{"Provider.Scopes[0]", "one scope an element"}},
	{"an empty scope", func(c *authcode.Config) { c.Scopes = []string{""} }, []string{"Config.Scopes[0]", "one scope an element"}},
	{"a scope with a quote", func(c *authcode.Config) { c.Scopes = []string{`a"`} }, []string{"Config.Scopes[0]"}},
	{"a scope with a backslash", func(c *authcode.Config) { c.Scopes = []string{`a\`} }, []string{"Config.Scopes[0]"}},
	{"a scope beyond ASCII", func(c *authcode.Config) { c.Scopes = []string{"é"} }, []string{"Config.Scopes[0]"}},
	{"no client id", func(c *authcode.Config) { c.ClientID = "" }, []string{"Config.ClientID is empty"}},
	{"a client id with a newline", func(c *authcode.Config) { c.ClientID = "client\n" }, []string{"Config.ClientID has a control character", "newline"}},
	{"a colon in a raw client id", func(c *authcode.Config) { c.Provider.RawBasic, c.ClientID = true, "a:b" }, []string{"Config.ClientID has a colon", "Provider.RawBasic"}},
	{"no client authentication", func(c *authcode.Config) { c.ClientAuth = authcode.ClientAuth{} }, []string{"Config.ClientAuth is empty", "authcode.Secret", "authcode.Public"}},
	{"an empty secret", func(c *authcode.Config) { c.ClientAuth = authcode.Secret("") }, []string{"Config.ClientAuth is an empty Secret", "authcode.Public"}},
	{"a secret of spaces", func(c *authcode.Config) { c.ClientAuth = authcode.Secret(" \n") }, []string{"Config.ClientAuth is an empty Secret"}},
	{"a secret with a newline", func(c *authcode.Config) { c.ClientAuth = authcode.Secret("s\n") }, []string{"Config.ClientAuth has a control character", "newline"}},
	{"no redirect URL", func(c *authcode.Config) { c.RedirectURL = "" }, []string{"Config.RedirectURL is empty"}},
	{"a redirect URL over http", func(c *authcode.Config) { c.RedirectURL = "http://app.example/cb" }, []string{"Config.RedirectURL must be https", "loopback"}},
	{"a redirect URL on a host that only begins as loopback", func(c *authcode.Config) { c.RedirectURL = "http://localhost.example/cb" }, []string{"Config.RedirectURL must be https"}},
	{"a redirect URL on a host that begins as a loopback address", func(c *authcode.Config) { c.RedirectURL = "http://127.0.0.1.example/cb" }, []string{"Config.RedirectURL must be https"}},
	{"a redirect URL on all addresses", func(c *authcode.Config) { c.RedirectURL = "http://0.0.0.0/cb" }, []string{"Config.RedirectURL must be https"}},
	{"a redirect URL on a mapped loopback address", func(c *authcode.Config) { c.RedirectURL = "http://[::ffff:127.0.0.1]/cb" }, []string{"Config.RedirectURL must be https"}},
	{"RawBasic with credentials in the body", func(c *authcode.Config) {
		c.Provider.RawBasic, c.Provider.AuthStyle = true, oauth2.AuthStyleInParams
	}, []string{"Provider.RawBasic has no meaning"}},
	{"a redirect URL that is a path", func(c *authcode.Config) { c.RedirectURL = "/cb" }, []string{"Config.RedirectURL must be an absolute URL"}},
	{"a redirect URL with a parameter of the answer", func(c *authcode.Config) { c.RedirectURL += "?a=1&Code=x" }, []string{"Config.RedirectURL sets", `"Code"`}},
	{"a redirect URL with a fragment", func(c *authcode.Config) { c.RedirectURL += "#f" }, []string{"Config.RedirectURL has a fragment"}},
	{"a redirect URL with user information", func(c *authcode.Config) { c.RedirectURL = "https://u@app.example/cb" }, []string{"Config.RedirectURL has user information"}},
	{"form_post to http", func(c *authcode.Config) {
		c.Provider.FormPost, c.RedirectURL = true, "http://localhost/cb"
	}, []string{"Config.RedirectURL must be https", "Provider.FormPost", "SameSite=None"}},
	{"no keys", func(c *authcode.Config) { c.CookieKeys = nil }, []string{"Config.CookieKeys is empty", "32 or more random bytes"}},
	{"a key of 31 bytes", func(c *authcode.Config) { c.CookieKeys = [][]byte{hKey('k'), hKey('l')[:31]} }, []string{"Config.CookieKeys[1] has 31 bytes, want 32 or more"}},
	{"a nil key", func(c *authcode.Config) { c.CookieKeys = [][]byte{nil} }, []string{"Config.CookieKeys[0] has 0 bytes"}},
	{"a key of zeros", func(c *authcode.Config) { c.CookieKeys = [][]byte{make([]byte, 32)} }, []string{"Config.CookieKeys[0] repeats a single byte", "random bytes"}},
	{"a repeated key", func(c *authcode.Config) { c.CookieKeys = [][]byte{hKey('k'), hKey('l'), hKey('k')} }, []string{"Config.CookieKeys[2] repeats an earlier key: remove it"}},
	{"a login URL that runs a script", func(c *authcode.Config) { c.LoginURL = "javascript:alert(1)" }, []string{"Config.LoginURL", "local path such as /login", "absolute http(s) URL"}},
	{"a login URL of another origin in disguise", func(c *authcode.Config) { c.LoginURL = "//evil.example/login" }, []string{"Config.LoginURL"}},
	{"a login URL without a host", func(c *authcode.Config) { c.LoginURL = "https:/login" }, []string{"Config.LoginURL"}},
	{"a home URL with a password", func(c *authcode.Config) { c.HomeURL = "https://u:p@app.example/" }, []string{"Config.HomeURL"}},
	{"a home URL relative to the page", func(c *authcode.Config) { c.HomeURL = "home" }, []string{"Config.HomeURL", "local path"}},
}
