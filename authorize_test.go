package authcode_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"example.com/authcode"
)

// TestAuthCodeURLParameters compares the whole query, but for what is random.
func TestAuthCodeURLParameters(t *testing.T) {
	base := url.Values{
		"response_type": {"code"}, "client_id": {"client"}, "redirect_uri": {hRedirect},
		"code_challenge_method": {"S256"}, "code_challenge": nil, "state": nil,
	}
	rows := []struct {
		claim  string
		change func(*authcode.Config)
		opts   []authcode.AuthOption
		want   url.Values // beside base; nil values: any one value
	}{
		{"a plain login has these parameters and no other", nil, nil, nil},
		{"scopes are joined by spaces", func(c *authcode.Config) { c.Scopes = []string{"a", "b"} }, nil, url.Values{"scope": {"a b"}}},
		{"scopes are joined by ScopeSep", func(c *authcode.Config) {
			c.Scopes, c.Provider.ScopeSep = []string{"a", "b"}, ","
		}, nil, url.Values{"scope": {"a,b"}}},
		{"openid brings a nonce", func(c *authcode.Config) { c.Scopes = []string{"openid"} }, nil, url.Values{"scope": {"openid"}, "nonce": nil}},
		{"a scope that only contains openid brings none", func(c *authcode.Config) { c.Scopes = []string{"openid2"} }, nil, url.Values{"scope": {"openid2"}}},
		{"form_post is asked for", func(c *authcode.Config) { c.Provider.FormPost = true }, nil, url.Values{"response_mode": {"form_post"}}},
		{"the client id goes by its provider's name", func(c *authcode.Config) { c.Provider.ClientIDParam = "appid" }, nil, url.Values{"appid": {"client"}, "client_id": {}}},
		{"the query of AuthURL is kept", func(c *authcode.Config) { c.Provider.AuthURL += "?tenant=a%2Bb&x=1" }, nil, url.Values{"tenant": {"a+b"}, "x": {"1"}}},
		{"AuthParams are sent", func(c *authcode.Config) {
			c.Provider.AuthParams = map[string]string{"access_type": "off line&x"}
		}, nil, url.Values{"access_type": {"off line&x"}}},
		{"Param replaces one of AuthParams and leaves the others", func(c *authcode.Config) {
			c.Provider.AuthParams = map[string]string{"prompt": "consent", "access_type": "offline"}
		}, []authcode.AuthOption{authcode.Param("prompt", "login")}, url.Values{"prompt": {"login"}, "access_type": {"offline"}}},
		{"Param repeats a key, in order", nil, []authcode.AuthOption{authcode.Param("p", "b", "a")}, url.Values{"p": {"b", "a"}}},
		{"Param adds to an earlier Param", nil, []authcode.AuthOption{authcode.Param("p", "b"), authcode.Param("p", "a")}, url.Values{"p": {"b", "a"}}},
		{"Param escapes key and value", nil, []authcode.AuthOption{authcode.Param("a&state=x", "b&state=y#+ ")}, url.Values{"a&state=x": {"b&state=y#+ "}}},
		{"max_age is sent", nil, []authcode.AuthOption{authcode.Param("max_age", "3600")}, url.Values{"max_age": {"3600"}}},
		{"Scopes replaces the Client's", func(c *authcode.Config) { c.Scopes = []string{"a"} },
			[]authcode.AuthOption{authcode.Scopes("openid", "c")}, url.Values{"scope": {"openid c"}, "nonce": nil}},
		{"Scopes without scopes asks for none", func(c *authcode.Config) { c.Scopes = []string{"openid"} }, []authcode.AuthOption{authcode.Scopes()}, nil},
		{"values and the return path stay at home", nil, []authcode.AuthOption{authcode.Value("cart", "42"), authcode.ReturnTo("/cart")}, nil},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			if row.change == nil {
				row.change = func(*authcode.Config) {}
			}
			want := make(url.Values)
			for _, values := range []url.Values{base, row.want} {
				for name, v := range values {
					if want[name] = v; v != nil && len(v) == 0 {
						delete(want, name)
					}
				}
			}
			got := hStart(t, hNew(t, &hProvider{}, row.change), nil, row.opts...).query
			for name, values := range got {
				if v, expected := want[name]; !expected || v != nil && !slices.Equal(v, values) || v == nil && len(values) != 1 {
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

// TestAuthCodeURLIsFresh: state, challenge and nonce differ each time, and the verifier that the token
// endpoint gets is the challenge's (RFC 7636 section 4.6).
func TestAuthCodeURLIsFresh(t *testing.T) {
	p := &hProvider{}
	c := hNew(t, p, func(c *authcode.Config) { c.Scopes = []string{"openid"} })
	seen := make(map[string]bool)
	for i := range 20 {
		l := hStart(t, c, nil)
		for _, name := range []string{"state", "code_challenge", "nonce"} {
			value := l.query.Get(name)
			if raw, err := base64.RawURLEncoding.DecodeString(value); err != nil || len(raw) != 32 || seen[value] {
				t.Fatalf("%s is %q: want 32 fresh bytes", name, value)
			}
			seen[value] = true
		}
		l.finish(t, c)
		verifier := p.seen()[i].form.Get("code_verifier")
		sum := sha256.Sum256([]byte(verifier))
		if len(verifier) != 43 || base64.RawURLEncoding.EncodeToString(sum[:]) != l.query.Get("code_challenge") {
			t.Fatalf("verifier %q is not the one of %s", verifier, l.target)
		}
	}
}

// hIdentifier keeps the TokenResponse it was asked about.
type hIdentifier struct {
	answer *authcode.TokenResponse
	id     *authcode.Identity
	err    error
}

func (i *hIdentifier) Identify(_ context.Context, a *authcode.TokenResponse) (*authcode.Identity, error) {
	i.answer = a
	return i.id, i.err
}

// TestResponseOfThisLogin: nonce and max_age of the login reach Provider.Identity.
func TestResponseOfThisLogin(t *testing.T) {
	rows := []struct {
		claim    string
		default_ string
		opts     []authcode.AuthOption
		maxAge   time.Duration
		nonce    bool
	}{
		{"no max_age is negative, no openid is no nonce", "", nil, -time.Second, false},
		{"the provider's max_age", "60", nil, time.Minute, false},
		{"the login's max_age goes first", "60", []authcode.AuthOption{authcode.Param("max_age", "0")}, 0, false},
		{"openid of this login alone has a nonce", "", []authcode.AuthOption{authcode.Scopes("openid")}, -time.Second, true},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			id := &hIdentifier{id: &authcode.Identity{Issuer: hIssuer, Subject: "1"}}
			c := hNew(t, &hProvider{}, func(c *authcode.Config) {
				c.Provider.Identity = id.Identify
				if row.default_ != "" {
					c.Provider.AuthParams = map[string]string{"max_age": row.default_}
				}
			})
			l := hStart(t, c, nil, row.opts...)
			if got := l.finish(t, c).Identity; got != id.id {
				t.Errorf("identity %v", got)
			}
			if a := id.answer; a.MaxAge != row.maxAge || a.Nonce != l.query.Get("nonce") || (a.Nonce != "") != row.nonce ||
				a.Config.ClientID != "client" || a.Config.Provider.Issuer != hIssuer || a.Previous != nil || a.Callback.Get("code") != "c0de" || a.Token.AccessToken != "at-1" {
				t.Errorf("asked with nonce %q, max_age %v, nonce sent %q", a.Nonce, a.MaxAge, l.query.Get("nonce"))
			}
		})
	}
}

// TestGrantedScopes: what was granted, as providers say it; nothing said means as requested.
func TestGrantedScopes(t *testing.T) {
	rows := []struct {
		claim, member, sep string
		asked              []string
		opts               []authcode.AuthOption
		want               []string
	}{
		{"nothing said means the Client's", ``, "", []string{"a", "b"}, nil, []string{"a", "b"}},
		{"nothing said means this login's", ``, "", []string{"a"}, []authcode.AuthOption{authcode.Scopes("c")}, []string{"c"}},
		{"nothing said means none where none was asked for", ``, "", []string{"a"}, []authcode.AuthOption{authcode.Scopes()}, nil},
		{"null means as requested", `,"scope":null`, "", []string{"a"}, nil, []string{"a"}},
		{"an empty text means none", `,"scope":""`, "", []string{"a"}, nil, nil},
		{"a text is split at spaces", `,"scope":"a  b "`, "", []string{"c"}, nil, []string{"a", "b"}},
		{"a list is taken as it is", `,"scope":["a","b,c"]`, "", []string{"c"}, nil, []string{"a", "b,c"}},
		{"GitHub's commas are understood", `,"scope":"a,b"`, "", []string{"a", "b"}, nil, []string{"a", "b"}},
		{"a comma of the app's own scope is kept", `,"scope":"a,b c"`, "", []string{"a,b"}, nil, []string{"a,b", "c"}},
		{"the provider's separator splits", `,"scope":"a+b c"`, "+", []string{"a"}, nil, []string{"a", "b", "c"}},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			c := hNew(t, hAnswering(200, `{"access_token":"at"`+row.member+`}`), func(c *authcode.Config) {
				c.Scopes, c.Provider.ScopeSep = row.asked, row.sep
			})
			if got := hStart(t, c, nil, row.opts...).finish(t, c).Scopes; !slices.Equal(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestAuthCodeURLHeaders(t *testing.T) {
	header := hStart(t, hNew(t, &hProvider{}), nil).header
	hWantHeaders(t, header, "no-referrer")
	if len(header) != 5 || header["Set-Cookie"] == nil {
		t.Errorf("more headers than promised: %v", header)
	}
}

// hWantHeaders checks the headers that every answer of a login has.
func hWantHeaders(t testing.TB, h http.Header, referrer string) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": referrer,
	} {
		if got := h.Values(name); fmt.Sprint(got) != "["+want+"]" {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
