package test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

const challenge = `Basic realm="x", DPoP algs="ES256", error="use_dpop_nonce"`

// demands are answers of an API to a request with a bound token.
var demands = []struct {
	claim     string
	body      func() io.Reader
	status    int
	challenge string
	nonce     string
	tries     int
}{
	{"without a body", noBody, 401, challenge, "n", 2},
	{"a body that can be sent again", func() io.Reader { return strings.NewReader("x") },
		401, challenge, "n", 2},
	{"a body that cannot", func() io.Reader { return io.NopCloser(strings.NewReader("x")) },
		401, challenge, "n", 1},
	{"no nonce", noBody, 401, challenge, "", 1},
	{"another status", noBody, 400, challenge, "n", 1},
	{"another error", noBody, 401, `DPoP error="invalid_token"`, "n", 1},
	{"a challenge for another scheme", noBody, 401, `Bearer error="use_dpop_nonce"`, "n", 1},
	{"a challenge that is not one", noBody, 401, `="use_dpop_nonce"`, "n", 1},
}

func noBody() io.Reader { return nil }

// TestAPIDemandsNonce: a request to an API is sent once more with a fresh
// proof, if its body can be sent again and the API names a nonce.
func TestAPIDemandsNonce(t *testing.T) {
	for _, row := range demands {
		t.Run(row.claim, func(t *testing.T) {
			b := &keyBinding{key: "k", tokenType: "DPoP"}
			header := []string{"WWW-Authenticate", row.challenge}
			if row.nonce != "" {
				header = append(header, "DPoP-Nonce", row.nonce)
			}
			p := world.Answering(row.status, "", header...)
			c := world.Client(t, p, func(c *config) { c.Binding = b.seam() })
			api := apiClient(t, c, &oauth2.Token{AccessToken: "at-1"}, apiURL)
			resp, err := api.Post(apiURL+"/x", "text/plain", row.body())
			if err != nil || resp.StatusCode != row.status {
				t.Fatalf("got %v, %v", resp, err)
			}
			p.WantRequests(t, row.tries)
			for _, r := range p.Requests() {
				if r.Form.Has("x") != (row.body() != nil) {
					t.Errorf("the API got the body %v", r.Form)
				}
			}
			if len(b.proofs) != row.tries {
				t.Errorf("proofs %q, want %d", b.proofs, row.tries)
			}
		})
	}
}

// TestProviderDemandsNonce: a token request is sent once more only if the
// refusal is one of RFC 9449 section 8, and names one nonce.
func TestProviderDemandsNonce(t *testing.T) {
	for _, row := range []struct {
		claim  string
		status int
		nonces []string
		tries  int
	}{
		{"400 with a nonce", 400, []string{"n"}, 2},
		{"401 with a nonce", 401, []string{"n"}, 2},
		{"another status", 403, []string{"n"}, 1},
		{"a broken server", 500, []string{"n"}, 1},
		{"success", 200, []string{"n"}, 1},
		{"no nonce", 400, nil, 1},
		{"two nonces", 400, []string{"n", "m"}, 1},
	} {
		t.Run(row.claim, func(t *testing.T) {
			b := &keyBinding{key: "k", tokenType: "DPoP"}
			p := &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
				resp := world.Reply(row.status, `{"error":"use_dpop_nonce"}`)
				resp.Header["Dpop-Nonce"] = row.nonces
				return resp, nil
			}}
			c := world.Client(t, p, func(c *config) { c.Binding = b.seam() })
			if _, err := world.Begin(t, c, nil).Exchange(c); err == nil {
				t.Error("the refusal was accepted")
			}
			p.WantRequests(t, row.tries)
		})
	}
}
