package test

import (
	"errors"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// adds is what a client authentication adds to a request.
type adds func(*authcode.TokenRequest)

func (add adds) auth() authcode.ClientAuth {
	return world.Authenticate(func(r *authcode.TokenRequest) error {
		add(r)
		return nil
	})
}

func addNothing(*authcode.TokenRequest)  {}
func addSecret(r *authcode.TokenRequest) { r.Form.Set("client_secret", "s") }
func addHeader(r *authcode.TokenRequest) { r.Header.Set("Authorization", "Basic x") }

func addTwoSecrets(r *authcode.TokenRequest) { r.Form["client_secret"] = []string{"a", "b"} }
func addTwoHeaders(r *authcode.TokenRequest) { r.Header["Authorization"] = []string{"a", "b"} }
func addOddHeader(r *authcode.TokenRequest)  { r.Header["authorization"] = []string{"a"} }

func addJWT(jwt string) adds {
	return func(r *authcode.TokenRequest) { r.Form.Set("client_assertion", jwt) }
}

// addES256 adds an assertion of an admitted algorithm with these claims.
func addES256(claims string) adds { return addJWT(world.JWT(`{"alg":"ES256"}`, claims)) }

func addAll(parts ...adds) adds {
	return func(r *authcode.TokenRequest) {
		for _, add := range parts {
			add(r)
		}
	}
}

const (
	forIssuer = `{"aud":"` + world.Issuer + `"}`
	forToken  = `{"aud":"` + world.TokenURL + `"}`
)

// outcomes are what a ClientAuth of a method and an audience may add. ES256 is
// the admitted algorithm.
var outcomes = []struct {
	claim, method, audience string
	add                     adds
	check                   string // empty: the request is sent
}{
	{"an own method with nothing", "", "", addNothing, ""},
	{"an own method with one", "", "", addHeader, ""},
	{"an own method with two", "", "", addAll(addHeader, addSecret), "client_auth.method"},
	{"three of them", "", "", addAll(addHeader, addSecret, addES256(forIssuer)),
		"client_auth.method"},
	{"a secret twice", "", "", addTwoSecrets, "client_auth.method"},
	{"two Authorization headers", "", "", addTwoHeaders, "client_auth.method"},
	{"an Authorization header in other letters", "", "", addAll(addSecret, addOddHeader),
		"client_auth.method"},
	{"a secret by Basic", "client_secret", "", addHeader, ""},
	{"a secret in the body", "client_secret", "", addSecret, ""},
	{"a secret that is not there", "client_secret", "", addNothing, "client_auth.method"},
	{"a secret that is an assertion", "client_secret", "", addES256(forIssuer),
		"client_auth.method"},
	{"none", "none", "", addNothing, ""},
	{"none with a secret", "none", "", addSecret, "client_auth.method"},
	{"a certificate's request with a secret", "none", "", addHeader, "client_auth.method"},
	{"an assertion", "private_key_jwt", "issuer", addES256(forIssuer), ""},
	{"an assertion that is not there", "private_key_jwt", "issuer", addNothing,
		"client_auth.method"},
	{"an assertion that is a secret", "private_key_jwt", "issuer", addSecret,
		"client_auth.method"},
	{"an assertion beside a secret", "private_key_jwt", "issuer",
		addAll(addES256(forIssuer), addSecret), "client_auth.method"},
	{"an algorithm that is not admitted", "private_key_jwt", "issuer",
		addJWT(world.JWT(`{"alg":"RS256"}`, forIssuer)), "client_auth.key"},
	{"no algorithm", "private_key_jwt", "issuer", addJWT(world.JWT(`{}`, forIssuer)),
		"client_auth.assertion"},
	{"the algorithm none", "private_key_jwt", "issuer", addJWT(world.JWT(`{"alg":"none"}`, `{}`)),
		"client_auth.assertion"},
	{"two algorithms", "private_key_jwt", "issuer",
		addJWT(world.JWT(`{"alg":"ES256","alg":"none"}`, `{}`)), "client_auth.assertion"},
	{"claims that are not JSON", "private_key_jwt", "",
		addJWT("eyJhbGciOiJFUzI1NiJ9.e30x.sig"), "client_auth.assertion"},
	{"a header with padding", "private_key_jwt", "",
		addJWT("eyJhbGciOiJFUzI1NiJ9=.e30.sig"), "client_auth.assertion"},
	{"four parts", "private_key_jwt", "", addJWT("eyJhbGciOiJFUzI1NiJ9.e30.sig.x"),
		"client_auth.assertion"},
	{"an empty audience for one of another kind", "private_key_jwt", "everybody",
		addES256(`{"aud":""}`), "client_auth.audience"},
	{"not a JWT", "private_key_jwt", "issuer", addJWT("x"), "client_auth.assertion"},
	{"another audience", "private_key_jwt", "issuer", addES256(`{"aud":"https://evil.example"}`),
		"client_auth.audience"},
	{"several audiences", "private_key_jwt", "issuer",
		addES256(`{"aud":["` + world.Issuer + `","https://evil.example"]}`),
		"client_auth.audience"},
	{"no audience", "private_key_jwt", "issuer", addES256(`{}`), "client_auth.audience"},
	{"an audience that is not known", "private_key_jwt", "", addES256(`{"aud":"x"}`), ""},
	{"the token endpoint, as it should be", "private_key_jwt", "token_endpoint",
		addES256(forToken), ""},
	{"the token endpoint for the issuer", "private_key_jwt", "issuer", addES256(forToken),
		"client_auth.audience"},
	{"the issuer for the endpoint", "private_key_jwt", "endpoint", addES256(forIssuer),
		"client_auth.audience"},
	{"an audience of another kind", "private_key_jwt", "everybody", addES256(forIssuer),
		"client_auth.audience"},
}

// TestClientAuthOutcome: the root checks what a ClientAuth has added, and
// believes no fact that does not hold.
func TestClientAuthOutcome(t *testing.T) {
	for _, row := range outcomes {
		t.Run(row.claim, func(t *testing.T) {
			p := &world.Provider{}
			c := world.Client(t, p, func(c *config) {
				c.ClientAuth, c.Algorithms = row.add.auth(), []string{"ES256"}
				c.ClientAuth.Method, c.ClientAuth.Audience = row.method, row.audience
			})
			_, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
			world.WantOutcome(t, err, authcode.Configuration, row.check)
			if row.check == "" {
				p.WantRequests(t, 1)
			} else {
				p.WantRequests(t, 0)
			}
		})
	}
}

// ownAuth are client authentications of an app's own.
var ownAuth = []struct {
	claim  string
	auth   func(*authcode.TokenRequest) error
	reason authcode.Reason // "": success
	check  string          // or, of a success, what the form has
}{
	{"a foreign error is hidden",
		func(*authcode.TokenRequest) error { return errors.New("canary") },
		authcode.Configuration, "client_auth"},
	{"a Prefetch is not accepted", func(*authcode.TokenRequest) error {
		return &authcode.Error{Reason: authcode.Prefetch, Check: "x"}
	}, authcode.Configuration, "client_auth"},
	{"an *Error passes through", func(*authcode.TokenRequest) error {
		return &authcode.Error{Reason: authcode.Unreachable, Check: "signer"}
	}, authcode.Unreachable, "signer"},
	{"an endpoint that is not a URL is not asked", func(r *authcode.TokenRequest) error {
		r.URL = "https://provider.example/%zz"
		return nil
	}, authcode.Configuration, "client_auth.url"},
	{"a header that is taken away does no harm", func(r *authcode.TokenRequest) error {
		r.Header = nil
		return nil
	}, "", "grant_type"},
	{"a replaced form is sent", func(r *authcode.TokenRequest) error {
		r.Form = map[string][]string{"a": {"b"}}
		return nil
	}, "", "a"},
}

// TestOwnClientAuth: what an app's own client authentication returns, and what
// it changes.
func TestOwnClientAuth(t *testing.T) {
	for _, row := range ownAuth {
		t.Run(row.claim, func(t *testing.T) {
			p := &world.Provider{}
			c := world.Client(t, p, func(c *config) {
				c.ClientAuth = world.Authenticate(row.auth)
			})
			_, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
			if row.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				sent := p.Requests()[0]
				if sent.Header.Get("Content-Type") != "application/x-www-form-urlencoded" ||
					!sent.Form.Has(row.check) {
					t.Errorf("sent %v, %v", sent.Header, sent.Form)
				}
				return
			}
			e := world.WantError(t, err, row.reason, row.check)
			if strings.Contains(e.Error(), "canary") {
				t.Errorf("a foreign text got out: %v", e)
			}
			p.WantRequests(t, 0)
		})
	}
}

// TestSeamsErrorIsItsOwn: an error value that a seam returns, and may share, is
// never written to.
func TestSeamsErrorIsItsOwn(t *testing.T) {
	own := &authcode.Error{Reason: authcode.Configuration, Check: "answer.of_the_seam"}
	c := world.Client(t, &world.Provider{}, world.Pushing, func(c *config) {
		c.ClientAuth = world.Authenticate(func(*authcode.TokenRequest) error { return own })
	})
	_, _, err := world.Start(c)
	if err == nil || own.Check != "answer.of_the_seam" || own.Provider != "" {
		t.Errorf("%v; the seam's error is now %+v", err, own.Check)
	}
}

// TestInvalidClientNamesTheAssertion: the error after invalid_client says what
// was sent, and what to look at.
func TestInvalidClientNamesTheAssertion(t *testing.T) {
	p := world.Answering(401, `{"error":"invalid_client"}`)
	c := world.Client(t, p, func(c *config) { c.ClientAuth = addES256(forIssuer).auth() })
	_, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
	e := world.WantError(t, err, authcode.Configuration, "answer.configuration")
	if !strings.Contains(e.Error(), "a client assertion was sent") {
		t.Errorf("the error says %q", e)
	}
}
