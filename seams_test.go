package authcode_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// hSigned is a JWT with this header and these claims; nobody verifies its signature here.
func hSigned(header, claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(claims)) + ".c2ln"
}

// TestClientAuthOutcome: the root looks at what a ClientAuth has added, and believes no fact that does not hold.
func TestClientAuthOutcome(t *testing.T) {
	good := hSigned(`{"alg":"ES256"}`, `{"aud":"`+hIssuer+`"}`)
	assert := func(jwt string) hAuth {
		return func(r *authcode.TokenRequest) error { r.Form.Set("client_assertion", jwt); return nil }
	}
	secret := func(r *authcode.TokenRequest) error { r.Form.Set("client_secret", "s"); return nil }
	header := func(r *authcode.TokenRequest) error { r.Header.Set("Authorization", "Basic x"); return nil }
	nothing := func(*authcode.TokenRequest) error { return nil }
	all := func(parts ...hAuth) hAuth {
		return func(r *authcode.TokenRequest) error {
			for _, add := range parts {
				if err := add(r); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for claim, row := range map[string]struct {
		method, audience string
		auth             hAuth
		check            string // empty: the request is sent
	}{
		"an own method with nothing":               {"", "", nothing, ""},
		"an own method with one":                   {"", "", header, ""},
		"an own method with two":                   {"", "", all(header, secret), "client_auth.method"},
		"three of them":                            {"", "", all(header, secret, assert(good)), "client_auth.method"},
		"a secret twice":                           {"", "", func(r *authcode.TokenRequest) error { r.Form["client_secret"] = []string{"a", "b"}; return nil }, "client_auth.method"},
		"two Authorization headers":                {"", "", func(r *authcode.TokenRequest) error { r.Header["Authorization"] = []string{"a", "b"}; return nil }, "client_auth.method"},
		"an Authorization header in other letters": {"", "", all(secret, func(r *authcode.TokenRequest) error { r.Header["authorization"] = []string{"a"}; return nil }), "client_auth.method"},
		"a secret by Basic":                        {"client_secret", "", header, ""},
		"a secret in the body":                     {"client_secret", "", secret, ""},
		"a secret that is not there":               {"client_secret", "", nothing, "client_auth.method"},
		"a secret that is an assertion":            {"client_secret", "", assert(good), "client_auth.method"},
		"none":                                     {"none", "", nothing, ""},
		"none with a secret":                       {"none", "", secret, "client_auth.method"},
		"a certificate's request with a secret":    {"none", "", header, "client_auth.method"},
		"an assertion":                             {"private_key_jwt", "issuer", assert(good), ""},
		"an assertion that is not there":           {"private_key_jwt", "issuer", nothing, "client_auth.method"},
		"an assertion that is a secret":            {"private_key_jwt", "issuer", secret, "client_auth.method"},
		"an assertion beside a secret":             {"private_key_jwt", "issuer", all(assert(good), secret), "client_auth.method"},
		"an algorithm that is not admitted":        {"private_key_jwt", "issuer", assert(hSigned(`{"alg":"RS256"}`, `{"aud":"`+hIssuer+`"}`)), "client_auth.key"},
		"no algorithm":                             {"private_key_jwt", "issuer", assert(hSigned(`{}`, `{"aud":"`+hIssuer+`"}`)), "client_auth.assertion"},
		"the algorithm none":                       {"private_key_jwt", "issuer", assert(hSigned(`{"alg":"none"}`, `{}`)), "client_auth.assertion"},
		"two algorithms":                           {"private_key_jwt", "issuer", assert(hSigned(`{"alg":"ES256","alg":"none"}`, `{}`)), "client_auth.assertion"},
		"no JWT":                                   {"private_key_jwt", "issuer", assert("x"), "client_auth.assertion"},
		"another audience":                         {"private_key_jwt", "issuer", assert(hSigned(`{"alg":"ES256"}`, `{"aud":"https://evil.example"}`)), "client_auth.audience"},
		"several audiences":                        {"private_key_jwt", "issuer", assert(hSigned(`{"alg":"ES256"}`, `{"aud":["`+hIssuer+`","https://evil.example"]}`)), "client_auth.audience"},
		"no audience":                              {"private_key_jwt", "issuer", assert(hSigned(`{"alg":"ES256"}`, `{}`)), "client_auth.audience"},
		"an audience that is not known":            {"private_key_jwt", "", assert(hSigned(`{"alg":"ES256"}`, `{"aud":"x"}`)), ""},
		"the token endpoint, as it should be":      {"private_key_jwt", "token_endpoint", assert(hSigned(`{"alg":"ES256"}`, `{"aud":"`+hTokenURL+`"}`)), ""},
		"the token endpoint for the issuer":        {"private_key_jwt", "issuer", assert(hSigned(`{"alg":"ES256"}`, `{"aud":"`+hTokenURL+`"}`)), "client_auth.audience"},
		"the issuer for the endpoint":              {"private_key_jwt", "endpoint", assert(good), "client_auth.audience"},
		"an audience of another kind":              {"private_key_jwt", "everybody", assert(good), "client_auth.audience"},
	} {
		t.Run(claim, func(t *testing.T) {
			p := &hProvider{}
			c := hNew(t, p, func(c *authcode.Config) {
				c.ClientAuth, c.Algorithms = row.auth.seam(), []string{"ES256"}
				c.ClientAuth.Method, c.ClientAuth.Audience = row.method, row.audience
			})
			_, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
			if row.check == "" {
				if err != nil {
					t.Error(err)
				}
				p.wantRequests(t, 1)
				return
			}
			hWantError(t, err, authcode.Configuration, row.check)
			p.wantRequests(t, 0)
		})
	}
}

// TestIDTokenAlgorithm: an ID token of an algorithm that is not admitted is refused at login and refresh, whatever
// Provider.Identity looks at, and also if there is none.
func TestIDTokenAlgorithm(t *testing.T) {
	for claim, row := range map[string]struct {
		algorithms, pins []string
		token            string
		check            string
	}{
		"no rule":                {nil, nil, hSigned(`{"alg":"RS256"}`, `{}`), ""},
		"admitted":               {[]string{"PS256", "ES256"}, nil, hSigned(`{"alg":"ES256"}`, `{}`), ""},
		"not admitted":           {[]string{"PS256", "ES256"}, nil, hSigned(`{"alg":"RS256"}`, `{}`), "id_token.alg"},
		"admitted, not pinned":   {[]string{"PS256", "ES256"}, []string{"PS256"}, hSigned(`{"alg":"ES256"}`, `{}`), "id_token.alg"},
		"pinned":                 {nil, []string{"ES256"}, hSigned(`{"alg":"ES256"}`, `{}`), ""},
		"another than is pinned": {nil, []string{"ES256"}, hSigned(`{"alg":"RS256"}`, `{}`), "id_token.alg"},
		"none":                   {nil, []string{"ES256"}, hSigned(`{"alg":"none"}`, `{}`), "id_token.alg"},
		"no algorithm":           {nil, []string{"ES256"}, hSigned(`{}`, `{}`), "id_token.alg"},
		"an encrypted token":     {nil, []string{"ES256"}, "e30.e30.e30.e30.e30", "id_token.form"},
		"no ID token":            {nil, []string{"ES256"}, "", ""},
	} {
		for _, withIdentity := range []bool{true, false} {
			t.Run(fmt.Sprint(claim, withIdentity), func(t *testing.T) {
				asked := 0
				p := hAnswering(200, fmt.Sprintf(`{"access_token":"at-1","refresh_token":"r","id_token":%q}`, row.token))
				c := hNew(t, p, func(c *authcode.Config) {
					c.Algorithms, c.Provider.Algorithms = row.algorithms, row.pins
					if withIdentity {
						c.Provider.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
							asked++
							return &authcode.Identity{Issuer: hIssuer, Subject: "1"}, nil
						}
					}
				})
				_, login := c.Exchange(httptest.NewRecorder(), hStart(t, c, nil).callback())
				_, refresh := c.Refresh(t.Context(), &oauth2.Token{AccessToken: "a", RefreshToken: "rt"})
				for _, err := range []error{login, refresh} {
					if row.check == "" && err != nil {
						t.Error(err)
					} else if row.check != "" {
						hWantError(t, err, authcode.IdentityRefused, row.check)
					}
				}
				if row.check != "" && asked > 0 {
					t.Error("Provider.Identity was asked about a token that is refused")
				}
			})
		}
	}
}

// TestResponseAlgorithm: so is a signed authorization response (JARM), before Provider.Verify sees it.
func TestResponseAlgorithm(t *testing.T) {
	verified := 0
	c := hNew(t, &hProvider{}, hSigning(&hMessages{signed: true}), func(c *authcode.Config) {
		c.Algorithms = []string{"ES256"}
		verify := c.Provider.Verify
		c.Provider.Verify = func(ctx context.Context, conn *authcode.Connection, typ, jwt string) (map[string]any, error) {
			verified++
			return verify(ctx, conn, typ, "")
		}
	})
	l := hStart(t, c, nil)
	for response, check := range map[string]string{
		hSigned(`{"alg":"RS256"}`, `{}`): "response.alg", hSigned(`{"alg":"none"}`, `{}`): "response.alg", "x": "response.form",
	} {
		_, err := c.Exchange(httptest.NewRecorder(), l.callback("response", response))
		hWantError(t, err, authcode.Forged, check)
	}
	if verified != 0 {
		t.Errorf("Provider.Verify saw %d responses that are refused", verified)
	}
	_, err := c.Exchange(httptest.NewRecorder(), l.callback("response", hSigned(`{"alg":"ES256"}`, `{}`)))
	hWantError(t, err, authcode.Malformed, "callback.state")
}

// TestAlgorithmFaults: New refuses lists that cannot be right, and parts whose facts the Config does not admit.
func TestAlgorithmFaults(t *testing.T) {
	for claim, row := range map[string]struct {
		change func(*authcode.Config)
		says   string // empty: New accepts it
	}{
		"all that there are": {func(c *authcode.Config) {
			c.Algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
		}, ""},
		"HMAC":                  {func(c *authcode.Config) { c.Algorithms = []string{"HS256"} }, `Config.Algorithms has "HS256"`},
		"none":                  {func(c *authcode.Config) { c.Provider.Algorithms = []string{"none"} }, `Provider.Algorithms has "none"`},
		"an empty list":         {func(c *authcode.Config) { c.Algorithms = []string{} }, "Config.Algorithms is empty"},
		"an empty list of pins": {func(c *authcode.Config) { c.Provider.Algorithms = []string{} }, "Provider.Algorithms is empty"},
		"pins within the rule": {func(c *authcode.Config) {
			c.Algorithms, c.Provider.Algorithms = []string{"ES256", "PS256"}, []string{"PS256"}
		}, ""},
		"pins beyond the rule":   {func(c *authcode.Config) { c.Algorithms, c.Provider.Algorithms = []string{"ES256"}, []string{"RS256"} }, "Provider.Algorithms uses the algorithm RS256"},
		"an assertion beyond it": {func(c *authcode.Config) { c.Algorithms, c.ClientAuth.Algorithms = []string{"ES256"}, []string{"RS256"} }, "Config.ClientAuth uses the algorithm RS256"},
		"a proof beyond it": {func(c *authcode.Config) {
			c.Algorithms, c.Binding.Algorithms = []string{"ES256"}, []string{"ES256", "PS256"}
		}, "Config.Binding uses the algorithm PS256"},
		"a request beyond it": {func(c *authcode.Config) {
			c.Algorithms, c.MessageSigning.Algorithms = []string{"ES256"}, []string{"EdDSA"}
		}, "Config.MessageSigning uses the algorithm EdDSA"},
		"HMAC without a rule":       {func(c *authcode.Config) { c.ClientAuth.Algorithms = []string{"HS256"} }, ""},
		"an odd token type":         {func(c *authcode.Config) { c.Binding.TokenType = "Bearer x" }, "Config.Binding.TokenType"},
		"responses nobody can open": {func(c *authcode.Config) { c.MessageSigning.SignedResponses = true }, "needs Provider.Verify"},
		"a wrapper that gives nothing": {func(c *authcode.Config) {
			c.Wrap = func(http.RoundTripper) http.RoundTripper { return nil }
		}, "Config.Wrap returned nil"},
	} {
		t.Run(claim, func(t *testing.T) {
			_, err := authcode.New(hConfig(&hProvider{}, row.change))
			if row.says == "" && err != nil {
				t.Error(err)
			} else if row.says != "" && !strings.Contains(hWantError(t, err, authcode.Configuration, "config").Error(), row.says) {
				t.Errorf("%q does not say %q", err, row.says)
			}
		})
	}
}

// TestConnection: what the Client and its provider have agreed on is handed out as a copy.
func TestConnection(t *testing.T) {
	c := hNew(t, &hProvider{}, func(c *authcode.Config) { c.Algorithms = []string{"ES256"} })
	conn, err := c.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if conn.Config.CookieKeys != nil || conn.Config.Provider.ClientIDParam != "client_id" || conn.Endpoints.AuthStyle != oauth2.AuthStyleInHeader ||
		!slices.Equal(conn.Config.Provider.Algorithms, []string{"ES256"}) || !conn.Config.Provider.IsIssuer(hIssuer) || conn.Config.Provider.IsIssuer(hIssuer+"/") {
		t.Errorf("handed %q, %v, %q", conn.Config.Provider.ClientIDParam, conn.Endpoints.AuthStyle, conn.Config.Provider.Algorithms)
	}
	conn.Endpoints.TokenURL, conn.Config.ClientID = "https://evil.example", "other"
	again, err := c.Connection(t.Context())
	if err != nil || again.Endpoints.TokenURL != hTokenURL || again.Config.ClientID != "client" || again.Transport != conn.Transport {
		t.Errorf("what one caller changed reaches the next: %s, %v", again.Endpoints.TokenURL, err)
	}
}
