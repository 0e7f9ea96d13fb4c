package authserver_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

func TestTokenAnswer(t *testing.T) {
	x := newTester(t)
	a := x.redeem()
	for name, want := range map[string]any{
		"token_type": "Bearer", "expires_in": 3600.0, "scope": "openid profile email",
	} {
		if a.body[name] != want {
			t.Errorf("%s is %v, want %v", name, a.body[name], want)
		}
	}
	if a.header.Get("Cache-Control") != "no-store" ||
		a.header.Get("Content-Type") != "application/json" {
		t.Errorf("headers %v", a.header)
	}
	if !x.works(a.text("access_token")) || a.text("refresh_token") == "" {
		t.Errorf("the tokens do not work: %s", a.raw)
	}
	b := x.redeem("-scope")
	if b.body["id_token"] != nil || b.body["scope"] != "" {
		t.Errorf("without scopes: %s", b.raw)
	}
}

var badRedemptions = map[string]struct{ edit, want string }{
	"an unknown code":          {"code=unknown", "invalid_grant"},
	"no code":                  {"-code", "invalid_request"},
	"a repeated code":          {"code+=x", "invalid_request"},
	"no verifier":              {"-code_verifier", "invalid_request"},
	"another verifier":         {"code_verifier=" + strings.Repeat("a", 43), "invalid_grant"},
	"the challenge itself":     {"code_verifier=" + vectorChallenge, "invalid_grant"},
	"a short verifier":         {"code_verifier=" + vectorVerifier[1:], "invalid_request"},
	"a long verifier":          {"code_verifier=" + strings.Repeat("a", 129), "invalid_request"},
	"a verifier with a slash":  {"code_verifier=/" + vectorVerifier, "invalid_request"},
	"no redirect URI":          {"-redirect_uri", "invalid_request"},
	"another redirect URI":     {"redirect_uri=" + redirectURI + "&", "invalid_grant"},
	"no grant type":            {"-grant_type", "invalid_request"},
	"another grant type":       {"grant_type=password", "unsupported_grant_type"},
	"a repeated unknown thing": {"x=1&x+=1", "invalid_request"},
}

func TestCodesThatAreRefused(t *testing.T) {
	x := newTester(t)
	for name, row := range badRedemptions {
		t.Run(name, func(t *testing.T) {
			form := redemption(x.code(), strings.Split(row.edit, "&")...)
			if strings.HasPrefix(row.edit, "redirect_uri=") {
				form = redemption(x.code(), row.edit)
			}
			x.wantError(x.post("/token", "basic:s3cret", form), http.StatusBadRequest, row.want)
		})
	}
	t.Run("another client's code", func(t *testing.T) {
		form := redemption(x.code("client_id=post"))
		x.wantError(x.post("/token", "basic:s3cret", form), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("an expired code", func(t *testing.T) {
		y := newTester(t)
		form := redemption(y.code())
		y.srv.Advance(61 * time.Second)
		y.wantError(y.post("/token", "basic:s3cret", form), http.StatusBadRequest, "invalid_grant")
	})
	t.Run("a second guess at the verifier", func(t *testing.T) {
		code := x.code()
		x.post("/token", "basic:s3cret", redemption(code, "code_verifier="+strings.Repeat("a", 43)))
		x.wantError(x.post("/token", "basic:s3cret", redemption(code)), 400, "invalid_grant")
	})
}

func TestSecondUseOfACodeRevokesItsTokens(t *testing.T) {
	x := newTester(t)
	code := x.code()
	first := x.post("/token", "basic:s3cret", redemption(code))
	bystander := x.redeem()
	if !x.works(first.text("access_token")) {
		t.Fatal("the first use does not work")
	}
	x.wantError(x.post("/token", "basic:s3cret", redemption(code)), 400, "invalid_grant")
	if x.works(first.text("access_token")) {
		t.Error("the access token still works")
	}
	x.wantError(x.post("/token", "basic:s3cret", renewal(first.text("refresh_token"))),
		400, "invalid_grant")
	if !x.works(bystander.text("access_token")) {
		t.Error("another grant's token was revoked too")
	}
}

func TestTokenRequestForm(t *testing.T) {
	x := newTester(t)
	form := redemption(x.code(), "client_id=post", "client_secret=s3cret")
	for name, row := range map[string]struct {
		status int
		edit   func(*http.Request)
	}{
		"GET":             {405, func(r *http.Request) { r.Method = http.MethodGet }},
		"JSON":            {400, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }},
		"no content type": {400, func(r *http.Request) { r.Header.Del("Content-Type") }},
		"a query":         {400, func(r *http.Request) { r.URL.RawQuery = form.Encode() }},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/token", "/revoke"} {
				req := x.request(path, form.Encode())
				row.edit(req)
				x.wantError(x.do(req), row.status, "invalid_request")
			}
		})
	}
	for name, body := range map[string]string{
		"a broken form": form.Encode() + "&x=%zz",
		"a huge form":   form.Encode() + "&x=" + strings.Repeat("x", 300<<10),
	} {
		t.Run(name, func(t *testing.T) {
			x.wantError(x.do(x.request("/token", body)), http.StatusBadRequest, "invalid_request")
		})
	}
}

// What a request for tokens is answered.
const accepted, refused, malformed = "", "invalid_client", "invalid_request"

// oddBasic is the credentials of a client whose id and secret need encoding.
var oddBasic = url.QueryEscape("odd:ä +%") + ":" + url.QueryEscape("p:ö +%&=")

var clientAuthentications = map[string]struct {
	owner, basic, form string
	want               string
}{
	"Basic":                    {"basic", "basic:s3cret", "", accepted},
	"Basic, client_id again":   {"basic", "basic:s3cret", "client_id=basic", accepted},
	"Basic, another client_id": {"basic", "basic:s3cret", "client_id=post", malformed},
	"Basic, wrong secret":      {"basic", "basic:s3cre", "", refused},
	"Basic, no secret":         {"basic", "basic:", "", refused},
	"Basic, unknown client":    {"basic", "nobody:s3cret", "", refused},
	"Basic, form-encoded":      {"odd:ä +%", oddBasic, "", accepted},
	"Basic, not form-encoded": {"odd:ä +%", "odd%3Aä+%2B%25:p%3Aö+%2B%25%26%3D",
		"", refused},
	"Basic, broken encoding":    {"basic", "basic:s3cret%zz", "", refused},
	"raw Basic":                 {"raw", "raw:a+b%41c", "", accepted},
	"raw Basic, form-encoded":   {"raw", "raw:a%2Bb%2541c", "", refused},
	"raw Basic, encoded id":     {"raw", "r%61w:a%2Bb%2541c", "", refused},
	"Basic for a post client":   {"post", "post:s3cret", "", refused},
	"Basic for a public client": {"public", "public:", "", refused},
	"post": {"post", "",
		"client_id=post&client_secret=s3cret", accepted},
	"post, wrong secret": {"post", "", "client_id=post&client_secret=x", refused},
	"post without id":    {"post", "", "client_secret=s3cret", refused},
	"post for a Basic client": {"basic", "",
		"client_id=basic&client_secret=s3cret", refused},
	"post for a public client":  {"public", "", "client_id=public&client_secret=", refused},
	"public":                    {"public", "", "client_id=public", accepted},
	"public for a Basic client": {"basic", "", "client_id=basic", refused},
	"public for a post client":  {"post", "", "client_id=post", refused},
	"an unknown public client":  {"basic", "", "client_id=nobody", refused},
	"nothing":                   {"basic", "", "", refused},
	"an assertion": {"public", "",
		"client_id=public&client_assertion=x", refused},
	"Basic and post": {"basic", "basic:s3cret",
		"client_id=basic&client_secret=s3cret", malformed},
	"Basic and post, empty secret": {"basic", "basic:s3cret", "client_secret=", malformed},
	"Basic and an assertion":       {"basic", "basic:s3cret", "client_assertion=x", malformed},
	"post and an assertion": {"post", "",
		"client_id=post&client_secret=s3cret&client_assertion=x", malformed},
	"post with the secret repeated": {"post", "",
		"client_id=post&client_secret=s3cret&client_secret=s3cret", malformed},
	"public with the client repeated": {"public", "",
		"client_id=public&client_id=public", malformed},
}

func TestClientAuthentication(t *testing.T) {
	x := newTester(t)
	for name, row := range clientAuthentications {
		t.Run(name, func(t *testing.T) {
			extra, err := url.ParseQuery(row.form)
			if err != nil {
				t.Fatal(err)
			}
			form := redemption(x.code("client_id=" + row.owner))
			for name, values := range extra {
				form[name] = values
			}
			a := x.post("/token", row.basic, form)
			if row.want == accepted {
				if a.status != http.StatusOK {
					t.Errorf("refused: %s", a.raw)
				}
				return
			}
			status := map[string]int{refused: 401, malformed: 400}[row.want]
			x.wantError(a, status, row.want)
			challenge := a.header.Get("WWW-Authenticate")
			if (status == 401) != strings.HasPrefix(challenge, "Basic ") {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
		})
	}
}

func TestTwoAuthorizationHeadersAreRefused(t *testing.T) {
	x := newTester(t)
	req := x.request("/token", redemption(x.code()).Encode())
	req.SetBasicAuth("basic", "s3cret")
	req.Header.Add("Authorization", req.Header.Get("Authorization"))
	x.wantError(x.do(req), http.StatusBadRequest, "invalid_request")
	req = x.request("/token", redemption(x.code(), "client_id=public").Encode())
	req.Header.Set("Authorization", "Bearer x")
	x.wantError(x.do(req), http.StatusUnauthorized, "invalid_client")
}

func TestRefreshRotates(t *testing.T) {
	x := newTester(t)
	first := x.redeem()
	second := x.post("/token", "basic:s3cret", renewal(first.text("refresh_token"), "scope=openid"))
	if second.status != 200 || second.text("refresh_token") == first.text("refresh_token") ||
		second.text("refresh_token") == "" || second.text("scope") != "openid" {
		t.Fatalf("refresh: %s", second.raw)
	}
	if got := x.userinfo("Bearer " + second.text("access_token")); got.body["email"] != nil {
		t.Errorf("the narrowed token tells more: %s", got.raw)
	}
	for name, row := range map[string]struct{ basic, edit, want string }{
		"a wider scope":     {"basic:s3cret", "scope=openid admin", "invalid_scope"},
		"another client":    {"raw:a+b%41c", "x=", "invalid_grant"},
		"an unknown token":  {"basic:s3cret", "refresh_token=x", "invalid_grant"},
		"no token":          {"basic:s3cret", "-refresh_token", "invalid_request"},
		"an access token":   {"basic:s3cret", "refresh_token=" + first.text("access_token"), "invalid_grant"},
		"a malformed scope": {"basic:s3cret", "scope= openid", "invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			form := renewal(second.text("refresh_token"), row.edit)
			x.wantError(x.post("/token", row.basic, form), http.StatusBadRequest, row.want)
		})
	}
	third := x.post("/token", "basic:s3cret", renewal(second.text("refresh_token")))
	if third.text("scope") != "openid profile email" {
		t.Errorf("without scope: %s", third.raw)
	}
	// Reuse of an old token revokes all that came from the grant.
	x.wantError(x.post("/token", "basic:s3cret", renewal(first.text("refresh_token"))),
		400, "invalid_grant")
	x.wantError(x.post("/token", "basic:s3cret", renewal(third.text("refresh_token"))),
		400, "invalid_grant")
	if x.works(third.text("access_token")) {
		t.Error("the newest access token still works")
	}
}

func TestRevocation(t *testing.T) {
	x := newTester(t)
	revoke := func(basic, token string) answer {
		t.Helper()
		return x.post("/revoke", basic, url.Values{"token": {token}, "token_type_hint": {"x"}})
	}
	first := x.redeem()
	x.wantError(revoke("basic:wrong", first.text("access_token")), 401, "invalid_client")
	x.wantError(revoke("raw:a+b%41c", first.text("access_token")), 400, "invalid_grant")
	x.wantError(revoke("raw:a+b%41c", first.text("refresh_token")), 400, "invalid_grant")
	x.wantError(revoke("basic:s3cret", ""), 400, "invalid_request")
	if !x.works(first.text("access_token")) {
		t.Fatal("a refused revocation revoked")
	}
	if a := revoke("basic:s3cret", first.text("access_token")); a.status != 200 || a.raw != "" {
		t.Errorf("answered %d %q", a.status, a.raw)
	}
	if x.works(first.text("access_token")) {
		t.Error("the access token still works")
	}
	second := x.post("/token", "basic:s3cret", renewal(first.text("refresh_token")))
	if a := revoke("basic:s3cret", second.text("refresh_token")); a.status != 200 {
		t.Errorf("answered %s", a.raw)
	}
	if x.works(second.text("access_token")) {
		t.Error("the access token outlives its grant")
	}
	x.wantError(x.post("/token", "basic:s3cret", renewal(second.text("refresh_token"))),
		400, "invalid_grant")
	if a := revoke("basic:s3cret", "unknown"); a.status != 200 {
		t.Errorf("an unknown token was answered %s", a.raw)
	}
	if got := x.srv.Requests(authserver.Revocation); len(got) != 7 ||
		got[0].ClientSecret != "wrong" || got[0].Form.Get("token") != first.text("access_token") {
		t.Errorf("recorded %d revocations", len(got))
	}
}
