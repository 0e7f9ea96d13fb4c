package test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// proofHeader is a JOSE header of a proof with this type and algorithm.
func proofHeader(typ, alg string) string { return `{"typ":"` + typ + `","alg":"` + alg + `"}` }

// proofs are the DPoP headers of a request, under their names.
var proofs = []struct {
	claim  string
	header http.Header
	check  string // empty: sent
}{
	{"a proof", http.Header{"DPoP": {world.Proof(1)}}, ""},
	{"no proof", nil, "binding.proof"},
	{"no value", http.Header{"Dpop": {}}, "binding.proof"},
	{"two proofs", http.Header{"Dpop": {world.Proof(1), world.Proof(2)}}, "binding.proof"},
	{"two spellings", http.Header{"Dpop": {world.Proof(1)}, "dPoP": {world.Proof(2)}},
		"binding.proof"},
	{"two proofs in one field", http.Header{"Dpop": {world.Proof(1) + ", " + world.Proof(2)}},
		"binding.proof"},
	{"an empty proof", http.Header{"Dpop": {""}}, "binding.proof"},
	{"text", http.Header{"Dpop": {"proof"}}, "binding.proof"},
	{"an unsigned JWT", jwtProof(proofHeader("dpop+jwt", "ES256"), "unsigned"), "binding.proof"},
	{"another JWT", jwtProof(proofHeader("JWT", "ES256")), "binding.proof"},
	{"claims that are not JSON",
		http.Header{"Dpop": {world.JWT(proofHeader("dpop+jwt", "ES256"), `x`)}}, "binding.proof"},
	{"no type", jwtProof(`{"alg":"ES256"}`), "binding.proof"},
	{"two types", jwtProof(`{"typ":"JWT","typ":"dpop+jwt","alg":"ES256"}`), "binding.proof"},
	{"no algorithm", jwtProof(`{"typ":"dpop+jwt"}`), "binding.alg"},
	{"none", jwtProof(proofHeader("dpop+jwt", "none")), "binding.alg"},
	{"HMAC", jwtProof(proofHeader("dpop+jwt", "HS256")), "binding.alg"},
	{"RS256 where it is not allowed", jwtProof(proofHeader("dpop+jwt", "RS256")), "binding.alg"},
	{"RS256 where it is allowed", jwtProof(proofHeader("dpop+jwt", "RS256")), ""},
}

func jwtProof(header string, unsigned ...string) http.Header {
	proof := world.JWT(header, `{}`)
	if len(unsigned) > 0 {
		proof = proof[:strings.LastIndexByte(proof, '.')+1]
	}
	return http.Header{"Dpop": {proof}}
}

// bindingTransport is the type of Binding.Transport.
type bindingTransport = func(
	*authcode.Connection, http.RoundTripper, string) (http.RoundTripper, error)

// adding is a Binding whose Transport adds these headers.
func adding(header http.Header) bindingTransport {
	return func(_ *authcode.Connection, base http.RoundTripper, _ string) (http.RoundTripper, error) {
		return world.RoundTrip(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			for name, values := range header {
				r.Header[name] = values
			}
			return base.RoundTrip(r)
		}), nil
	}
}

// boundBy is a Client whose tokens are bound by transport, and its provider.
func boundBy(
	t *testing.T, transport bindingTransport, changes ...func(*config),
) (*world.Provider, *authcode.Client) {
	p := world.Answering(200, `{"access_token":"at-1","token_type":"DPoP","expires_in":60,`+
		`"request_uri":"urn:x:1"}`)
	return p, world.Client(t, p, append(changes, func(c *config) {
		c.Binding = authcode.Binding{TokenType: "DPoP", Transport: transport}
	})...)
}

// requestsOfBound are the requests that a bound Client makes.
var requestsOfBound = map[string]func(*testing.T, *authcode.Client) error{
	"push": func(_ *testing.T, c *authcode.Client) error {
		_, _, err := world.Start(c)
		return err
	},
	"refresh": func(t *testing.T, c *authcode.Client) error {
		_, err := c.Refresh(t.Context(), world.Expired())
		return err
	},
	"API": func(t *testing.T, c *authcode.Client) error {
		_, err := apiClient(t, c, &oauth2.Token{AccessToken: "at"}, apiURL).
			Post(apiURL+"/me", "text/plain", strings.NewReader("x"))
		var fault *url.Error
		if errors.As(err, &fault) {
			return fault.Err
		}
		return err
	},
}

// TestProof: with the token type DPoP, no request leaves without exactly one
// proof with an allowed algorithm, whatever Binding.Transport does.
func TestProof(t *testing.T) {
	for _, row := range proofs {
		for name, request := range requestsOfBound {
			t.Run(row.claim+", "+name, func(t *testing.T) {
				p, c := boundBy(t, adding(row.header), world.Pushing, func(c *config) {
					if row.check != "" {
						c.Algorithms = onlyES256
					}
				})
				err := request(t, c)
				world.WantOutcome(t, err, authcode.Configuration, row.check)
				p.WantRequests(t, map[bool]int{true: 1}[row.check == ""])
			})
		}
	}
}

// TestProofOfCode: the same for the code, without a push before it.
func TestProofOfCode(t *testing.T) {
	for _, row := range proofs {
		p, c := boundBy(t, adding(row.header))
		l := world.Begin(t, c, nil)
		_, err := l.Exchange(c)
		if strings.HasPrefix(row.claim, "RS256") {
			row.check = "" // without Config.Algorithms
		}
		world.WantOutcome(t, err, authcode.Configuration, row.check)
		p.WantRequests(t, map[bool]int{true: 1}[row.check == ""])
	}
}

// TestBindingKeepsToItsBase: an answer that did not come through base is
// refused, and so is a Transport that returns nothing.
func TestBindingKeepsToItsBase(t *testing.T) {
	own := &world.Provider{}
	for check, transport := range map[string]http.RoundTripper{
		"binding": nil, "binding.base": own,
	} {
		for name, request := range requestsOfBound {
			t.Run(check+", "+name, func(t *testing.T) {
				p, c := boundBy(t, func(*authcode.Connection, http.RoundTripper, string) (http.RoundTripper, error) {
					return transport, nil
				}, world.Pushing)
				world.WantError(t, request(t, c), authcode.Configuration, check)
				p.WantRequests(t, 0)
			})
		}
	}
}

// TestBaseIsTheSame: a Binding may keep what it has made for a base and a key.
func TestBaseIsTheSame(t *testing.T) {
	bases := make(map[http.RoundTripper]bool)
	_, c := boundBy(t, func(conn *authcode.Connection, base http.RoundTripper, key string) (http.RoundTripper, error) {
		bases[base] = true
		return adding(proofs[0].header)(conn, base, key)
	}, world.Pushing)
	for range 2 {
		for name, request := range requestsOfBound {
			if err := request(t, c); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if len(bases) != 1 {
		t.Errorf("Transport got %d bases, want 1", len(bases))
	}
}

// TestProofClosesTheBody: a RoundTripper closes it, also if it fails.
func TestProofClosesTheBody(t *testing.T) {
	_, c := boundBy(t, adding(nil))
	body := &closing{Reader: strings.NewReader("x")}
	api := apiClient(t, c, &oauth2.Token{AccessToken: "at"}, apiURL)
	if _, err := api.Post(apiURL, "text/plain", body); err == nil || !body.closed {
		t.Errorf("got %v, closed: %t", err, body.closed)
	}
}

// TestNoTransportForDPoP: tokens of the type DPoP need proofs.
func TestNoTransportForDPoP(t *testing.T) {
	for _, tokenType := range []string{"DPoP", "dpop"} {
		_, err := authcode.New(world.Config(&world.Provider{}, func(c *config) {
			c.Binding = authcode.Binding{TokenType: tokenType,
				Begin: func(context.Context) (string, url.Values, error) { return "", nil, nil }}
		}))
		if err == nil || !strings.Contains(err.Error(), "Config.Binding.Transport is nil") {
			t.Errorf("%s: %v", tokenType, err)
		}
	}
}
