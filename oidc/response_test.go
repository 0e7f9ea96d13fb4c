package oidc_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

const responseType = "oauth-authz-resp+jwt"

func isNumber(claim any) bool {
	_, ok := claim.(json.Number)
	return ok
}

// signedResponse is a JARM response of p's for memClient, changed.
func signedResponse(p *memOP, changes members, header ...members) string {
	var h members
	if len(header) > 0 {
		h = header[0]
	}
	return p.key.sign(payload(members{"iss": memIssuer, "aud": memClient, "exp": in(60), "code": "c0de", "state": "st4te"}, changes), h)
}

type responseRow struct {
	response string
	check    string // empty: accepted
}

// responses are responses of p and of others.
func responses(p *memOP) map[string]responseRow {
	other := namesake("RS256")
	return map[string]responseRow{
		"a good one":                 {signedResponse(p, nil), ""},
		"an error":                   {signedResponse(p, members{"code": nil, "error": "access_denied"}), ""},
		"the app alone in a list":    {signedResponse(p, members{"aud": []string{memClient}}), ""},
		"numbers beside":             {signedResponse(p, members{"iat": in(0), "expires_in": 60}), ""},
		"typ of its own":             {signedResponse(p, nil, members{"typ": "oauth-authz-resp+jwt"}), ""},
		"typ JWT":                    {signedResponse(p, nil, members{"typ": "JWT"}), ""},
		"an access token":            {signedResponse(p, nil, members{"typ": "at+jwt"}), "response.typ"},
		"another issuer":             {signedResponse(p, members{"iss": "https://evil.example"}), "response.iss"},
		"no issuer":                  {signedResponse(p, members{"iss": nil}), "response.iss"},
		"another audience":           {signedResponse(p, members{"aud": "other"}), "response.aud"},
		"the app among others":       {signedResponse(p, members{"aud": []string{memClient, "other"}}), "response.aud"},
		"no audience":                {signedResponse(p, members{"aud": nil}), "response.aud"},
		"over":                       {signedResponse(p, members{"exp": in(-61)}), "response.exp"},
		"no exp":                     {signedResponse(p, members{"exp": nil}), "response.exp"},
		"exp in a text":              {signedResponse(p, members{"exp": "99999999999"}), "response.exp"},
		"from the future":            {signedResponse(p, members{"iat": in(90)}), "response.iat"},
		"not valid yet":              {signedResponse(p, members{"nbf": in(90)}), "response.nbf"},
		"another key":                {other.sign(payload(members{"iss": memIssuer, "aud": memClient, "exp": in(60)}, nil), nil), "response.signature"},
		"no signature":               {strings.TrimRight(signedResponse(p, nil), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"), "response.signature"},
		"alg none":                   {"eyJhbGciOiJub25lIn0.e30.", "response.alg"},
		"no JWT":                     {"code=c0de", "response.form"},
		"nothing":                    {"", "response.form"},
		"encrypted":                  {"a.b.c.d.e", "response.form"},
		"a state that is no text":    {signedResponse(p, members{"state": []string{"st4te"}}), "response.claim"},
		"an error that is an object": {signedResponse(p, members{"error": members{}}), "response.claim"},
	}
}

func TestVerifyResponse(t *testing.T) {
	p := newMemOP("RS256")
	for claim, row := range responses(p) {
		t.Run(claim, func(t *testing.T) {
			claims, err := verify(t.Context(), oidc.Provider(memIssuer), p, responseType, row.response)
			switch {
			case row.check == "response.claim":
				wantError(t, err, authcode.Malformed, row.check)
			case row.check != "":
				wantError(t, err, authcode.Forged, row.check)
			case err != nil || claims["state"] != "st4te" || claims["iss"] != memIssuer || !isNumber(claims["exp"]):
				t.Errorf("got %v, %v", claims, err)
			}
		})
	}
}

// TestSignedLogin: a login whose response is signed, through the root package.
func TestSignedLogin(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer)
	p.answer("/token", always(200, "application/json", `{"access_token":"a","token_type":"Bearer"}`))
	var came url.Values
	c := newMemLogin(t, p, i, func(c *authcode.Config) {
		c.MessageSigning.SignedResponses = true
		c.Scopes, c.Provider.IdentityScope = []string{}, ""
		c.Provider.Identity = func(_ context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
			came = resp.Callback
			return &authcode.Identity{Issuer: memIssuer, Subject: "alice"}, nil
		}
	})
	w := httptest.NewRecorder()
	target, err := c.AuthCodeURL(w, httptest.NewRequest("GET", "https://app.example/auth/op", nil))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(target)
	if err != nil || u.Query().Get("response_mode") != "query.jwt" || !u.Query().Has("code_challenge") {
		t.Fatalf("%s, %v", target, err)
	}
	callback := func(state string) *http.Request {
		r := httptest.NewRequest("GET", "https://app.example/callback?response="+signedResponse(p, members{"state": state, "iat": in(0), "expires_in": 60}), nil)
		for _, cookie := range w.Result().Cookies() {
			r.AddCookie(cookie)
		}
		return r
	}
	_, err = c.Exchange(httptest.NewRecorder(), callback(strings.Repeat("A", 43)))
	wantError(t, err, authcode.Forged, "state.tag")
	if login, err := c.Exchange(httptest.NewRecorder(), callback(u.Query().Get("state"))); err != nil || login.Token.AccessToken != "a" {
		t.Errorf("got %v, %v", login, err)
	}
	if len(came) != 4 || came.Get("code") != "c0de" || came.Get("iss") != memIssuer || !came.Has("state") || !came.Has("aud") {
		t.Errorf("the parameters are %v", came)
	}
}

// signWith is a JWT of p's whose claims end with more.
func signWith(p *memOP, claims members, more string) string {
	text := strings.TrimSuffix(string(must(json.Marshal(claims))), "}")
	return p.key.sign([]byte(text+","+more+"}"), nil)
}

// TestRepeatedClaims: Keycloak 26 sends iss twice, and a directory has groups and Groups.
func TestRepeatedClaims(t *testing.T) {
	p := newMemOP("RS256")
	answer := members{"iss": memIssuer, "aud": memClient, "exp": in(60), "code": "c0de", "state": "st4te"}
	iss := `"iss":"` + memIssuer + `"`
	for _, row := range []struct{ claim, response, text string }{
		{"an equal iss", signWith(p, answer, iss), ""},
		{"a code twice", signWith(p, answer, `"code":"c0de"`), ""},
		{"another iss", signWith(p, answer, `"iss":"https://evil.example"`), "has two values for iss: "},
		{"another code", signWith(p, answer, `"code":"other"`), "has two values for code: "},
		{"another value of a strange claim", signWith(p, answer, `"secret-word":1,"secret-word":2`), "has two values for a claim with another name: "},
	} {
		claims, err := verify(t.Context(), oidc.Provider(memIssuer), p, responseType, row.response)
		if row.text == "" {
			if err != nil || claims["iss"] != memIssuer || claims["code"] != "c0de" {
				t.Errorf("%s: got %v, %v", row.claim, claims, err)
			}
			continue
		}
		wantError(t, err, authcode.Malformed, "response.repeated")
		if !strings.Contains(err.Error(), row.text) || strings.Contains(err.Error(), "secret-word") {
			t.Errorf("%s: %v", row.claim, err)
		}
	}
	a := p.login(signWith(p, p.claims(), `"groups":["staff"],"Groups":["Staff of the north"]`))
	p.info = members{"sub": "alice", "roles": 1, "Roles": 2}
	i := oidc.Provider(memIssuer, oidc.UserInfo())
	got := wantIdentity(t, i, a).Claims
	if len(got["groups"].([]any)) != 1 || got["Groups"].([]any)[0] != "Staff of the north" || got["Roles"] == got["roles"] {
		t.Errorf("the claims are %v", got)
	}
	// After a refresh, the same claims are those of the same person.
	a.Previous = a.Token
	a.Token = tokenWith(signWith(p, p.claims(), `"groups":[],"Groups":[],"iss":"`+memIssuer+`"`))
	if _, err := identify(t.Context(), i, a); err != nil {
		t.Error(err)
	}
	_, err := identify(t.Context(), oidc.Provider(memIssuer), p.login(signWith(p, p.claims(), `"sub":"bob"`)))
	wantError(t, err, authcode.IdentityRefused, "id_token.repeated")
}

// TestStrangersLeaveResponsesAlone: forged logout tokens use up the key fetches of logouts, and not those of
// signed responses.
func TestStrangersLeaveResponsesAlone(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer)
	if _, err := verify(t.Context(), i, p, responseType, signedResponse(p, nil)); err != nil {
		t.Fatal(err)
	}
	forger := newKey("RS256", "x")
	for range 10 {
		if _, err := verify(t.Context(), i, p, "logout+jwt", forger.sign(payload(members{"iss": memIssuer}, nil), nil)); err == nil {
			t.Fatal("a forged logout token was accepted")
		}
	}
	p.rotate(newKey("RS256", "k2"))
	if _, err := verify(t.Context(), i, p, responseType, signedResponse(p, nil)); err != nil {
		t.Errorf("after a rotation: %v", err)
	}
}
