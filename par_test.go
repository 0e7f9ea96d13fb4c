package authcode_test

import (
	"context"
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
		"a redirect":                 {307, ``, authcode.Redirected, "par.redirect"},
		"no body":                    {201, ``, authcode.BadAnswer, "par.empty"},
		"a page":                     {200, `<html>`, authcode.BadAnswer, "par.form"},
		"no request_uri":             {201, `{"expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"an empty request_uri":       {201, `{"request_uri":"","expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"a request_uri with a space": {201, `{"request_uri":"urn:x y","expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"a request_uri without end":  {201, `{"request_uri":"urn:` + strings.Repeat("x", 1021) + `","expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"a request_uri of a number":  {201, `{"request_uri":7,"expires_in":60}`, authcode.BadAnswer, "par.request_uri"},
		"no expires_in":              {201, `{` + uri + `}`, authcode.BadAnswer, "par.expires_in"},
		"it is over already":         {201, `{` + uri + `,"expires_in":0}`, authcode.BadAnswer, "par.expires_in"},
		"it is over at once":         {201, `{` + uri + `,"expires_in":0.001}`, authcode.BadAnswer, "par.expires_in"},
		"it was over":                {201, `{` + uri + `,"expires_in":-1}`, authcode.BadAnswer, "par.expires_in"},
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

func (f *hWhere) Load(context.Context, *http.Client) (authcode.Endpoints, error) {
	return authcode.Endpoints(*f), nil
}

// TestPARChoices: by default a push happens wherever it can; an app may ask for more or less, never for less
// than the provider requires.
func TestPARChoices(t *testing.T) {
	const has, needs = 1, 2
	for _, row := range []struct {
		choice   authcode.PAR
		provider int
		pushes   bool
		fault    bool
	}{
		{authcode.UseIfAvailable, 0, false, false},
		{authcode.UseIfAvailable, has, true, false},
		{authcode.UseIfAvailable, has | needs, true, false},
		{authcode.UseIfAvailable, needs, false, true},
		{authcode.Always, 0, false, true},
		{authcode.Always, has, true, false},
		{authcode.OnlyIfRequired, 0, false, false},
		{authcode.OnlyIfRequired, has, false, false},
		{authcode.OnlyIfRequired, has | needs, true, false},
		{authcode.OnlyIfRequired, needs, false, true},
		{authcode.OnlyIfRequired + 1, has, false, true},
		{-1, has, false, true},
	} {
		for _, discovered := range []bool{false, true} {
			t.Run(fmt.Sprint(row.choice, row.provider, discovered), func(t *testing.T) {
				p := hAnswering(201, `{"request_uri":"urn:x:1","expires_in":60}`)
				c, err := authcode.New(hConfig(p, func(c *authcode.Config) {
					c.PAR = row.choice
					if row.provider&has != 0 {
						c.Provider.PARURL = hPARURL
					}
					c.Provider.RequirePAR = row.provider&needs != 0
					if discovered {
						c.Provider.Metadata = &hWhere{AuthURL: hAuthURL, TokenURL: hTokenURL, PARURL: c.Provider.PARURL}
						c.Provider.PARURL = ""
					}
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

// hCertified is client authentication with a transport of its own, as mutual TLS.
type hCertified struct {
	authcode.ClientAuth
	own *hProvider
}

func (h *hCertified) Transport() http.RoundTripper { return h.own }

// TestAliases: who has a transport of his own has all requests with client authentication carried by it, to
// the aliases where there are any (RFC 8705 section 5), and nothing else.
func TestAliases(t *testing.T) {
	const mtls = "https://mtls.provider.example/"
	found := &hWhere{AuthURL: hAuthURL, TokenURL: hTokenURL, PARURL: hPARURL, RevocationURL: hRevokeURL,
		MTLS: authcode.Aliases{TokenURL: mtls + "token", PARURL: mtls + "par", RevocationURL: mtls + "revoke"}}
	rows := map[string]struct {
		aliases authcode.Aliases
		want    []string
	}{
		"all":  {found.MTLS, []string{mtls + "par", mtls + "token", mtls + "revoke"}},
		"some": {authcode.Aliases{TokenURL: mtls + "token"}, []string{hPARURL, mtls + "token", hRevokeURL}},
		"none": {authcode.Aliases{}, []string{hPARURL, hTokenURL, hRevokeURL}},
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
			c := hNew(t, common, func(c *authcode.Config) {
				c.ClientAuth, c.Provider.Metadata = &hCertified{authcode.Public(), own}, &found
			})
			l := hStart(t, c, nil)
			l.query = url.Values{"state": own.seen()[0].form["state"]}
			if err := c.Revoke(t.Context(), l.finish(t, c).Token); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range own.seen() {
				got = append(got, r.URL.String())
			}
			if !slices.Equal(got, row.want) || !strings.HasPrefix(l.target, hAuthURL) {
				t.Errorf("called %q, sent the browser to %s", got, l.target)
			}
			common.wantRequests(t, 0)
		})
	}
	if _, err := authcode.New(hConfig(&hProvider{}, func(c *authcode.Config) { c.Provider.PARURL = "http://provider.example/par" })); err == nil ||
		!strings.Contains(err.Error(), "Provider.PARURL must be https") {
		t.Errorf("got %v", err)
	}
	if _, err := authcode.New(hConfig(&hProvider{}, func(c *authcode.Config) { c.Provider.MTLS.PARURL = "http://mtls.example/par" })); err == nil ||
		!strings.Contains(err.Error(), "Provider.MTLS.PARURL must be https") {
		t.Errorf("got %v", err)
	}
}

// TestTwoTransports: a request shows one certificate, so there cannot be two.
func TestTwoTransports(t *testing.T) {
	one, another := &hCertified{authcode.Public(), &hProvider{}}, &hProvider{}
	_, err := authcode.New(hConfig(&hProvider{}, func(c *authcode.Config) {
		c.ClientAuth, c.Binding = one, &hCertifiedBinding{hBinding{tokenType: "Bearer"}, another}
	}))
	if err == nil || !strings.Contains(err.Error(), "have two transports: make one") {
		t.Errorf("got %v", err)
	}
	for _, odd := range []http.RoundTripper{nil, hRoundTrip(nil)} {
		_, err := authcode.New(hConfig(&hProvider{}, func(c *authcode.Config) {
			c.ClientAuth, c.Binding = hOdd{authcode.Public(), odd}, hOddBinding{&hBinding{tokenType: "Bearer"}, odd}
		}))
		if err == nil || !strings.Contains(err.Error(), "ransport") {
			t.Errorf("%v: got %v", odd, err)
		}
	}
	hNew(t, &hProvider{}, func(c *authcode.Config) {
		c.ClientAuth, c.Binding = one, &hCertifiedBinding{hBinding{tokenType: "Bearer"}, one.own}
	})
}

type hCertifiedBinding struct {
	hBinding
	own *hProvider
}

func (h *hCertifiedBinding) Transport() http.RoundTripper { return h.own }

// hOdd and hOddBinding have a Transport of any kind.
type hOdd struct {
	authcode.ClientAuth
	own http.RoundTripper
}

func (h hOdd) Transport() http.RoundTripper { return h.own }

type hOddBinding struct {
	*hBinding
	own http.RoundTripper
}

func (h hOddBinding) Transport() http.RoundTripper { return h.own }

type hRoundTrip func(*http.Request) (*http.Response, error)

func (f hRoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestSeamsErrorIsItsOwn: an error value that a seam returns, and may share, is never written to.
func TestSeamsErrorIsItsOwn(t *testing.T) {
	own := &authcode.Error{Reason: authcode.Configuration, Check: "answer.of_the_seam"}
	c := hNew(t, &hProvider{}, hPushing, func(c *authcode.Config) {
		c.ClientAuth = hAuth(func(*authcode.BackChannelRequest) error { return own })
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
	c := hNew(t, p, func(c *authcode.Config) { c.Provider.Metadata = where })
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
