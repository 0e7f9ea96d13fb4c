package authcode_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

func hPushing(c *authcode.Config) { c.Provider.PARURL = hPARURL }

// TestPush: the browser's URL holds client_id and request_uri, and the push all else, with one method of client
// authentication (RFC 9126 section 2.1).
func TestPush(t *testing.T) {
	p := hAnswering(201, `{"request_uri":"urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c","expires_in":60}`)
	c := hNew(t, p, hPushing, func(c *authcode.Config) {
		c.Provider.AuthURL += "?tenant=1"
		c.Scopes = []string{"openid", "email"}
	})
	l := hStart(t, c, nil, authcode.Param("resource", "https://a.example", "https://b.example"))
	want := hAuthURL + "?tenant=1&client_id=client&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A6esc_11ACC5bwc014ltc14eY22c"
	if l.target != want {
		t.Errorf("the browser goes to %s", l.target)
	}
	p.wantRequests(t, 1)
	r := p.seen()[0]
	names := slices.Sorted(maps.Keys(r.form))
	if got := strings.Join(names, " "); got != "client_id code_challenge code_challenge_method nonce redirect_uri resource response_type scope state" {
		t.Errorf("pushed %s", got)
	}
	if id, secret, ok := r.BasicAuth(); !ok || id != "client" || secret != hSecret || r.Method != "POST" || len(r.form["resource"]) != 2 {
		t.Errorf("pushed by %s with %q and %q", r.Method, id, r.form["resource"])
	}
	l.query.Set("state", r.form.Get("state"))
	p.answer = nil
	l.finish(t, c)
}

// TestPushRefused: a push that fails is an error with its own check, no URL and no cookie.
func TestPushRefused(t *testing.T) {
	const uri = `"request_uri":"urn:x:1"`
	for claim, row := range map[string]struct {
		status int
		body   string
		reason authcode.Reason
		check  string
	}{
		"a refusal":                  {400, `{"error":"invalid_request","error_description":"canary"}`, authcode.Configuration, "par.configuration"},
		"an unknown client":          {401, `{"error":"invalid_client"}`, authcode.Configuration, "par.configuration"},
		"too many":                   {429, `{}`, authcode.Overloaded, "par.error"},
		"the server is at fault":     {400, `{"error":"server_error"}`, authcode.BadAnswer, "par.error"},
		"unavailable for a moment":   {400, `{"error":"temporarily_unavailable"}`, authcode.Overloaded, "par.error"},
		"nonces without end":         {400, `{"error":"use_dpop_nonce"}`, authcode.BadAnswer, "par.dpop_nonce"},
		"a bad proof":                {400, `{"error":"invalid_dpop_proof"}`, authcode.Configuration, "par.configuration"},
		"too large":                  {413, ``, authcode.BadAnswer, "par.error"},
		"a broken server":            {500, `oops`, authcode.BadAnswer, "par.error"},
		"an error with success":      {201, `{"error":"invalid_request",` + uri + `,"expires_in":60}`, authcode.Configuration, "par.configuration"},
		"a redirect":                 {307, ``, authcode.BadAnswer, "par.redirect"},
		"no body":                    {201, ``, authcode.BadAnswer, "par.empty"},
		"a page":                     {200, `<html>`, authcode.BadAnswer, "par.form"},
		"no request_uri":             {201, `{"expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"an empty request_uri":       {201, `{"request_uri":"","expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"a request_uri with a space": {201, `{"request_uri":"urn:x y","expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"a request_uri without end":  {201, `{"request_uri":"urn:` + strings.Repeat("x", 1021) + `","expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"a request_uri of a number":  {201, `{"request_uri":7,"expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"no expires_in":              {201, `{` + uri + `}`, authcode.BadAnswer, "par.expires_in"},
		"it has expired":             {201, `{` + uri + `,"expires_in":0}`, authcode.BadAnswer, "par.expires_in"},
		"it expires at once":         {201, `{` + uri + `,"expires_in":0.001}`, authcode.BadAnswer, "par.expires_in"},
		"it had expired":             {201, `{` + uri + `,"expires_in":-1}`, authcode.BadAnswer, "par.expires_in"},
		"expires_in of words":        {201, `{` + uri + `,"expires_in":"soon"}`, authcode.BadAnswer, "par.expires_in"},
	} {
		t.Run(claim, func(t *testing.T) {
			p := hAnswering(row.status, row.body)
			w := httptest.NewRecorder()
			target, err := hNew(t, p, hPushing).AuthCodeURL(w, hGet("https://app.example/auth/x"))
			e := hWantError(t, err, row.reason, row.check)
			if target != "" || len(w.Result().Cookies()) > 0 || strings.Contains(e.Error(), "canary") {
				t.Errorf("got %q, cookies %v, error %v", target, w.Result().Cookies(), e)
			}
			p.wantRequests(t, 1)
		})
	}
}

// hWhere is metadata that says what it is told.
type hWhere authcode.Endpoints

func (f *hWhere) Load(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
	return authcode.Endpoints(*f), nil
}

// TestPARChoices: by default a push happens wherever it can; an app may ask for more or less, never for less
// than the provider requires.
func TestPARChoices(t *testing.T) {
	const has, needs = 1, 2
	for _, row := range []struct {
		choice   string
		provider int
		pushes   bool
		fault    bool
	}{
		{"", 0, false, false},
		{"", has, true, false},
		{"", has | needs, true, false},
		{"", needs, false, true},
		{"required", 0, false, true},
		{"required", has, true, false},
		{"off", 0, false, false},
		{"off", has, false, false},
		{"off", has | needs, true, false},
		{"off", needs, false, true},
		{"required and off", has, true, false},
		{"required and off", 0, false, true},
	} {
		for _, discovered := range []bool{false, true} {
			t.Run(fmt.Sprint(row.choice, row.provider, discovered), func(t *testing.T) {
				p := hAnswering(201, `{"request_uri":"urn:x:1","expires_in":60}`)
				c, err := authcode.New(hConfig(p, func(c *authcode.Config) {
					c.DisablePAR = strings.Contains(row.choice, "off")
					found := hWhere{AuthURL: hAuthURL, TokenURL: hTokenURL, RequirePAR: row.provider&needs != 0}
					if row.provider&has != 0 {
						found.PARURL = hPARURL
					}
					if discovered {
						c.Provider.Metadata = found.Load
					} else {
						c.Provider.PARURL, c.Provider.RequirePAR = found.PARURL, found.RequirePAR
					}
					c.Provider.RequirePAR = c.Provider.RequirePAR || strings.Contains(row.choice, "required")
				}))
				if row.fault && !discovered {
					hWantError(t, err, authcode.Configuration, "config")
					return
				}
				var target string
				if err == nil {
					target, err = c.AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/auth/x"))
				}
				if row.fault {
					if !errors.Is(err, authcode.BadAnswer) && !errors.Is(err, authcode.Configuration) {
						t.Errorf("got %v", err)
					}
				} else if err != nil || strings.Contains(target, "request_uri=") != row.pushes {
					t.Errorf("got %s, %v", target, err)
				}
			})
		}
	}
}

// hCertified has the two ways to the provider end at two providers in memory: the plain one, and the one that shows
// the certificate.
func hCertified(plain, certified *hProvider) func(*authcode.Config) {
	cert := authserver.SelfSigned("client")
	return func(c *authcode.Config) {
		c.Certificate = func(context.Context) (*tls.Certificate, error) { return &cert, nil }
		c.ClientAuth = authcode.Public()
		c.ClientAuth.Method = "tls_client_auth"
		ways := []*hProvider{plain, certified}
		c.Wrap = func(http.RoundTripper) http.RoundTripper {
			next := ways[0]
			ways = ways[1:]
			return next
		}
	}
}

// TestAliases: an app with a certificate shows it with all requests with client authentication, at the aliases where
// there are any (RFC 8705 section 5), and with nothing else.
func TestAliases(t *testing.T) {
	const mtls = "https://mtls.provider.example/"
	found := &hWhere{AuthURL: hAuthURL, TokenURL: hTokenURL, PARURL: hPARURL, RevocationURL: hRevokeURL,
		UserInfoURL: hIssuer + "/me", IntrospectionURL: hIssuer + "/introspect",
		MTLS: &authcode.Endpoints{TokenURL: mtls + "token", PARURL: mtls + "par", RevocationURL: mtls + "revoke",
			UserInfoURL: mtls + "me", IntrospectionURL: mtls + "introspect"}}
	rows := map[string]struct {
		aliases *authcode.Endpoints
		bound   bool
		want    []string
	}{
		"all":             {found.MTLS, false, []string{mtls + "par", mtls + "token", mtls + "revoke", mtls + "introspect", hIssuer + "/me"}},
		"all, and bound":  {found.MTLS, true, []string{mtls + "par", mtls + "token", mtls + "revoke", mtls + "introspect", mtls + "me"}},
		"some":            {&authcode.Endpoints{TokenURL: mtls + "token"}, false, []string{hPARURL, mtls + "token", hRevokeURL, hIssuer + "/introspect", hIssuer + "/me"}},
		"none":            {&authcode.Endpoints{}, false, []string{hPARURL, hTokenURL, hRevokeURL, hIssuer + "/introspect", hIssuer + "/me"}},
		"no list of them": {nil, true, []string{hPARURL, hTokenURL, hRevokeURL, hIssuer + "/introspect", hIssuer + "/me"}},
	}
	for claim, row := range rows {
		t.Run(claim, func(t *testing.T) {
			found := *found
			found.MTLS = row.aliases
			own, common := &hProvider{}, &hProvider{}
			own.answer = func(r *hRequest) (*http.Response, error) {
				if strings.HasSuffix(r.URL.Path, "/par") {
					return hReply(201, `{"request_uri":"urn:x:1","expires_in":60}`), nil
				}
				return hReply(200, hTokenJSON), nil
			}
			c := hNew(t, common, hCertified(common, own), func(c *authcode.Config) {
				c.Provider.Metadata, c.Binding.Certificate = found.Load, row.bound
			})
			l := hStart(t, c, nil)
			l.query = url.Values{"state": own.seen()[0].form["state"]}
			token := l.finish(t, c).Token
			if err := c.Revoke(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			conn, err := c.Connection(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.PostForm(t.Context(), conn.Endpoints.IntrospectionURL, "application/json", url.Values{"token": {"t"}})
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			got := []string{}
			for _, r := range own.seen() {
				got = append(got, r.URL.String())
			}
			if got = append(got, conn.Endpoints.UserInfoURL); !slices.Equal(got, row.want) || !strings.HasPrefix(l.target, hAuthURL) {
				t.Errorf("called %q, sent the browser to %s", got, l.target)
			}
			common.wantRequests(t, 0)
			api, err := c.TokenSource(token, nil).APIClient("https://api.example")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := api.Get("https://api.example/x"); err != nil {
				t.Fatal(err)
			}
			if shown := len(own.seen()) == 5; shown != row.bound {
				t.Errorf("the API was shown the certificate: %v", shown)
			}
		})
	}
	for field, change := range map[string]func(*authcode.Config){
		"Provider.PARURL":           func(c *authcode.Config) { c.Provider.PARURL = "http://provider.example/par" },
		"Provider.MTLS.PARURL":      func(c *authcode.Config) { c.Provider.MTLS = &authcode.Endpoints{PARURL: "http://mtls.example/par"} },
		"Provider.MTLS.UserInfoURL": func(c *authcode.Config) { c.Provider.MTLS = &authcode.Endpoints{UserInfoURL: "http://mtls.example/me"} },
		"Provider.UserInfoURL":      func(c *authcode.Config) { c.Provider.UserInfoURL = "http://provider.example/me" },
		"Provider.IntrospectionURL": func(c *authcode.Config) { c.Provider.IntrospectionURL = "http://provider.example/i" },
		"Provider.EndSessionURL":    func(c *authcode.Config) { c.Provider.EndSessionURL = "http://provider.example/o" },
		"Provider.JWKSURL":          func(c *authcode.Config) { c.Provider.JWKSURL = "http://provider.example/k" },
	} {
		if _, err := authcode.New(hConfig(&hProvider{}, change)); err == nil || !strings.Contains(err.Error(), field+" must be https") {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// TestPostForm: credentials go to the provider's own endpoints alone.
func TestPostForm(t *testing.T) {
	p := &hProvider{}
	c := hNew(t, p)
	for _, endpoint := range []string{"", hAuthURL, hIssuer + "/me", hTokenURL + "/", "https://evil.example/token"} {
		_, err := c.PostForm(t.Context(), endpoint, "application/json", url.Values{})
		hWantError(t, err, authcode.Configuration, "endpoint")
	}
	p.wantRequests(t, 0)
	form := url.Values{"token": {"t"}}
	resp, err := c.PostForm(t.Context(), hRevokeURL, "application/x", form)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	r := p.seen()[0]
	if _, secret, _ := r.BasicAuth(); secret != hSecret || r.form.Get("token") != "t" || r.Header.Get("Accept") != "application/x" || len(form) != 1 {
		t.Errorf("sent %v and %v", r.Header, r.form)
	}
}

// TestCertificateFaults: New looks at a certificate that needs no waiting for, at the transport that is to show it, and
// at who wants it.
func TestCertificateFaults(t *testing.T) {
	for claim, row := range map[string]struct {
		change func(*authcode.Config)
		says   string
	}{
		"a credential that is not there": {func(c *authcode.Config) { c.Certificate = nil }, "Config.Certificate is nil: it is the credential"},
		"a binding to nothing": {func(c *authcode.Config) {
			c.Certificate, c.ClientAuth, c.Binding.Certificate = nil, authcode.Public(), true
		}, "Config.Certificate is nil: Config.Binding"},
		"a certificate for nobody": {func(c *authcode.Config) { c.ClientAuth = authcode.Public() }, "Config.Certificate is used for nothing"},
		"no certificate": {func(c *authcode.Config) {
			c.Certificate = func(context.Context) (*tls.Certificate, error) { return nil, nil }
		}, "Config.Certificate: there is no certificate"},
		"a transport that verifies nothing": {func(c *authcode.Config) {
			c.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		}, "Config.Transport has InsecureSkipVerify"},
		"a certificate to wait for": {func(c *authcode.Config) {
			c.Certificate = func(ctx context.Context) (*tls.Certificate, error) {
				if ctx.Err() == nil {
					t.Error("New waits for the certificate")
				}
				return nil, ctx.Err()
			}
		}, ""},
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := authcode.New(hConfig(&hProvider{}, hCertified(&hProvider{}, &hProvider{}), row.change))
			if row.says == "" && err != nil {
				t.Error(err)
			} else if row.says != "" && !strings.Contains(hWantError(t, err, authcode.Configuration, "config").Error(), row.says) {
				t.Errorf("%q does not say %q", err, row.says)
			}
		})
	}
}

// TestSeamsErrorIsItsOwn: an error value that a seam returns, and may share, is never written to.
func TestSeamsErrorIsItsOwn(t *testing.T) {
	own := &authcode.Error{Reason: authcode.Configuration, Check: "answer.of_the_seam"}
	c := hNew(t, &hProvider{}, hPushing, func(c *authcode.Config) {
		c.ClientAuth = hAuth(func(*authcode.TokenRequest) error { return own }).seam()
	})
	_, err := c.AuthCodeURL(httptest.NewRecorder(), hGet("https://app.example/auth/x"))
	if err == nil || own.Check != "answer.of_the_seam" || own.Provider != "" {
		t.Errorf("%v; the seam's error is now %+v", err, own.Check)
	}
}

// TestEndpointsThatMove: each request goes to where the metadata says now, whichever endpoint has moved.
func TestEndpointsThatMove(t *testing.T) {
	where := &hWhere{AuthURL: hAuthURL, TokenURL: hTokenURL, RevocationURL: hRevokeURL}
	p := &hProvider{}
	c := hNew(t, p, func(c *authcode.Config) { c.Provider.Metadata = where.Load })
	hStart(t, c, nil).finish(t, c)
	where.TokenURL += "/2"
	token := hStart(t, c, nil).finish(t, c).Token
	where.RevocationURL += "/3"
	if err := c.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range p.seen() {
		got = append(got, r.URL.String())
	}
	if want := []string{hTokenURL, hTokenURL + "/2", hRevokeURL + "/3"}; !slices.Equal(got, want) {
		t.Errorf("called %q, want %q", got, want)
	}
}
