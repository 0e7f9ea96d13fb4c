package authserver_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testkey"
)

// TestMain does what package testmain does, but for one thing: there is one key
// fewer than TestKeysAreNotShared needs, so that a server makes one.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	authserver.LendRSAKeys(testkey.RSA(), testkey.RSA(), testkey.RSA())
	m.Run()
}

const (
	redirectURI = "https://app.example/callback?from=authtest"

	// RFC 7636 appendix B.
	vectorVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	vectorChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// tester drives one server with plain net/http.
type tester struct {
	*testing.T
	srv  *authserver.Server
	http *http.Client
	base string // where the requests go: srv.URL, unless a test says otherwise
}

// newTester starts a server with a client for each authentication method: basic, raw, post
// and public.
func newTester(t *testing.T, opts ...authserver.Option) *tester {
	t.Helper()
	srv := authserver.NewServer(opts...)
	t.Cleanup(srv.Close)
	for _, reg := range []authserver.ClientRegistration{
		{ID: "basic", Secret: "s3cret", AuthMethod: authserver.Basic},
		{ID: "raw", Secret: "a+b%41c", AuthMethod: authserver.Basic, RawBasic: true},
		{ID: "post", Secret: "s3cret", AuthMethod: authserver.Post},
		{ID: "public", AuthMethod: authserver.None},
		{ID: "odd:ä +%", Secret: "p:ö +%&=", AuthMethod: authserver.Basic},
	} {
		reg.RedirectURIs = []string{redirectURI}
		srv.Register(reg)
	}
	client := srv.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	return &tester{t, srv, client, srv.URL}
}

// change edits parameters: "name=value" sets, "name+=value" repeats, "-name" removes.
func change(form url.Values, edits ...string) url.Values {
	for _, edit := range edits {
		name, value, _ := strings.Cut(edit, "=")
		switch {
		case strings.HasPrefix(edit, "-"):
			form.Del(edit[1:])
		case strings.HasSuffix(name, "+"):
			form.Add(strings.TrimSuffix(name, "+"), value)
		default:
			form.Set(name, value)
		}
	}
	return form
}

func authParams(edits ...string) url.Values {
	return change(url.Values{
		"response_type": {"code"}, "client_id": {"basic"}, "redirect_uri": {redirectURI},
		"scope": {"openid profile email"}, "state": {"st&te ="}, "nonce": {"n0nce"},
		"code_challenge": {vectorChallenge}, "code_challenge_method": {"S256"},
	}, edits...)
}

// authorize sends an authorization request and returns the answer and its body.
func (t *tester) authorize(edits ...string) (*http.Response, string) {
	t.Helper()
	resp, err := t.http.Get(t.srv.URL + "/authorize?" + authParams(edits...).Encode())
	return t.read(resp, err)
}

func (t *tester) read(resp *http.Response, err error) (*http.Response, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// response returns the parameters of the authorization response in a redirect.
func (t *tester) response(resp *http.Response) url.Values {
	t.Helper()
	target := resp.Header.Get("Location")
	if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(target, redirectURI+"&") {
		t.Fatalf("answered %s to %q, want a 303 to the redirect URI", resp.Status, target)
	}
	params, err := url.ParseQuery(strings.TrimPrefix(target, redirectURI+"&"))
	if err != nil {
		t.Fatal(err)
	}
	return params
}

func (t *tester) code(edits ...string) string {
	t.Helper()
	resp, _ := t.authorize(edits...)
	code := t.response(resp).Get("code")
	if code == "" {
		t.Fatalf("no code in %s", resp.Header.Get("Location"))
	}
	return code
}

// answer is what a JSON endpoint said.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) text(name string) string {
	s, _ := a.body[name].(string)
	return s
}

// post sends a form with the Basic credentials "id:secret" as they stand; without, if empty.
func (t *tester) post(path, basic string, form url.Values) answer {
	t.Helper()
	req := t.request(path, form.Encode())
	if basic != "" {
		id, secret, _ := strings.Cut(basic, ":")
		req.SetBasicAuth(id, secret)
	}
	return t.do(req)
}

func (t *tester) request(path, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, t.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

func (t *tester) do(req *http.Request) answer {
	t.Helper()
	resp, body := t.read(t.http.Do(req))
	a := answer{status: resp.StatusCode, header: resp.Header, raw: body}
	if strings.HasPrefix(body, "{") {
		if err := json.Unmarshal([]byte(body), &a.body); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
	}
	return a
}

func redemption(code string, edits ...string) url.Values {
	return change(url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {redirectURI}, "code_verifier": {vectorVerifier},
	}, edits...)
}

func renewal(token string, edits ...string) url.Values {
	return change(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, edits...)
}

// redeem gets tokens for a fresh code, or fails the test.
func (t *tester) redeem(edits ...string) answer {
	t.Helper()
	a := t.post("/token", "basic:s3cret", redemption(t.code(edits...)))
	if a.status != http.StatusOK {
		t.Fatalf("the code was refused: %s", a.raw)
	}
	return a
}

func (t *tester) userinfo(authorization ...string) answer {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, t.base+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Authorization"] = authorization
	return t.do(req)
}

func (t *tester) works(access string) bool {
	t.Helper()
	return t.userinfo("Bearer "+access).status == http.StatusOK
}

// wantError checks an OAuth error of a JSON endpoint.
func (t *tester) wantError(a answer, status int, code string) {
	t.Helper()
	if a.status != status || a.text("error") != code {
		t.Errorf("answered %d %s, want %d %s", a.status, a.raw, status, code)
	}
}
