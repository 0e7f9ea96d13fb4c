package authserver

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"example.com/authcode/internal/wire"
)

// Audience is what the aud of a client assertion has to be. Servers differ.
type Audience int

// The audiences. All but the last are a string: whoever accepts an array, or another server's
// address in it, lets that server use the assertion here.
const (
	AudienceIssuer        Audience = iota // the issuer identifier (draft-ietf-oauth-rfc7523bis)
	AudienceTokenEndpoint                 // the URL of the token endpoint (RFC 7523 section 3)
	AudienceEndpoint                      // the URL that was called (RFC 9126 section 2)
	AudienceAny                           // any of them, also as one of an array
)

// assertionType is the only value of client_assertion_type (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxAssertion is how far ahead an assertion's exp may be.
const maxAssertion = 5 * time.Minute

// assertion authenticates a client by a JWT (RFC 7523 section 3).
func (s *Server) assertion(r *http.Request, form url.Values) (c credentials, refusal *failure) {
	t, ok := parseJWT(form.Get("client_assertion"))
	if !ok {
		return c, badAssertion("it is no JWT, or has an algorithm that is not accepted")
	}
	c.method = PrivateKeyJWT
	if t.alg() == "HS256" {
		c.method = SecretJWT
	}
	c.id, _ = t.claims.Text("sub")
	s.mu.Lock()
	defer s.mu.Unlock()
	client, ok := s.state.clients[c.id]
	if !ok || client.AuthMethod != c.method {
		return c, badAssertion("sub is no client that is registered for its algorithm")
	}
	c.client = client
	if fault := s.checkAssertion(t, client, form, endpointOf(r)); fault != "" {
		return c, badAssertion(fault)
	}
	return c, nil
}

// checkAssertion says what is wrong with an assertion; the caller holds s.mu.
func (s *Server) checkAssertion(t clientJWT, client ClientRegistration, form url.Values,
	endpoint string) (fault string) {
	signed := t.signedBy(client.Keys)
	if client.AuthMethod == SecretJWT {
		signed = t.verify([]byte(client.Secret))
	}
	typ, id := textOf(t.header, "typ"), textOf(t.claims, "jti")
	if !signed {
		return "the signature is wrong"
	}
	fault = t.checkDates(maxAssertion)
	switch {
	case form.Get("client_assertion_type") != assertionType:
		return "client_assertion_type is wrong"
	case form.Has("client_id") && form.Get("client_id") != client.ID:
		return "sub and client_id differ" // RFC 7521 section 4.2
	case !slices.Contains([]string{"", "JWT", "client-authentication+jwt"}, typ):
		return "typ is that of another kind of token"
	case textOf(t.claims, "iss") != client.ID:
		return "iss is not the client id"
	case !client.AssertionAudience.accepts(t.claims["aud"], s.audiences(client, endpoint)):
		return "aud is not what the registration asks for"
	case fault != "":
		return fault
	case id == "" || id == "\x00":
		return "jti is missing"
	case !s.useOnce("assertion of "+client.ID, id):
		return "jti has been used already"
	}
	return ""
}

// audiences are the good values of aud for a client.
func (s *Server) audiences(client ClientRegistration, endpoint string) []string {
	tokenEndpoints := []string{s.URL + "/token"}
	if s.MTLSURL != "" {
		tokenEndpoints = append(tokenEndpoints, s.MTLSURL+"/token")
	}
	switch client.AssertionAudience {
	case AudienceIssuer:
		return []string{s.URL}
	case AudienceTokenEndpoint:
		return tokenEndpoints
	case AudienceEndpoint:
		return []string{endpoint}
	}
	return append(tokenEndpoints, s.URL, endpoint)
}

func (a Audience) accepts(aud wire.Raw, good []string) bool {
	if text, ok := wire.Text(aud); ok {
		return slices.Contains(good, text)
	}
	list, ok := wire.Strings(aud)
	return ok && a == AudienceAny && slices.ContainsFunc(list, func(text string) bool {
		return slices.Contains(good, text)
	})
}

func (a Audience) known() bool { return AudienceIssuer <= a && a <= AudienceAny }

func badAssertion(fault string) *failure {
	refusal := unknownClient()
	refusal.description = fmt.Sprintf("client_assertion: %s", fault)
	return refusal
}
