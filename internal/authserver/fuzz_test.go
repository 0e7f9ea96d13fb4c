package authserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
)

// newFuzzServer has a FAPI client named client, whose key nobody keeps.
func newFuzzServer(f *testing.F) (*authserver.Server, *http.Client) {
	f.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	srv := authserver.NewServer()
	f.Cleanup(srv.Close)
	reg := authserver.FAPIClient("client", "https://app.example/callback",
		authserver.Key{Public: key.Public()})
	reg.RequireDPoP = false
	srv.Register(reg)
	browser := srv.Client()
	browser.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	return srv, browser
}

// FuzzClientJWT: what nobody signed is neither an assertion nor a proof nor a
// request object, and none of it makes the server fail.
func FuzzClientJWT(f *testing.F) {
	srv, browser := newFuzzServer(f)
	f.Add("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJjbGllbnQiLCJzdWIiOiJjbGllbnQifQ.AAAA")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		form := url.Values{
			"grant_type": {"authorization_code"}, "code": {"c"}, "client_id": {"client"},
			"client_assertion": {token}, "client_assertion_type": {assertionType},
			"request": {token},
		}
		for _, path := range []string{"/token", "/par"} {
			req, err := http.NewRequest("POST", srv.URL+path, strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if !strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' }) {
				req.Header.Set("DPoP", token)
			}
			resp, err := browser.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode < 400 || resp.StatusCode >= 500 {
				t.Fatalf("%s answers %s", path, resp.Status)
			}
		}
		seen := authserver.Request{Form: form, Header: http.Header{"Dpop": {token}}}
		for _, jwt := range []authserver.JWT{seen.Assertion(), seen.Proof(), seen.RequestObject()} {
			if _, err := json.Marshal(jwt); err != nil {
				t.Fatalf("%q is read as what cannot be written: %v", token, err)
			}
		}
	})
}
