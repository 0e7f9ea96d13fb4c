package authserver

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"example.com/authcode/internal/wire"
)

// Audience says which aud the server accepts in a client assertion. Real
// servers differ.
type Audience int

// The audiences. All but the last are a single string. A server that accepts an
// array, or the address of another server, lets that other server use the
// assertion here.
const (
	AudienceIssuer        Audience = iota // the issuer identifier (RFC 10070 section 4)
	AudienceTokenEndpoint                 // the URL of the token endpoint (RFC 7523 section 3)
	AudienceEndpoint                      // the URL that was called (RFC 9126 section 2)
	AudienceAny                           // any of them, also as one of an array
)

// assertionType is the only client_assertion_type (RFC 7523 section 2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// maxAssertion is how far ahead the exp of an assertion may be. RFC 7523
// section 3 lets a server refuse an unreasonably distant exp, since a leaked
// assertion can be used until then.
const maxAssertion = 5 * time.Minute

// assertion authenticates a client by a JWT (RFC 7523 section 3).
func (s *Server) assertion(r *http.Request, form url.Values) (c credentials, refusal *failure) {
	t, ok := s.parseJWT(form.Get("client_assertion"))
	if !ok {
		return c, badAssertion("it is not a JWT, or its algorithm is not accepted")
	}
	// The algorithm must fit the method that is registered for the client.
	// Otherwise an attacker could sign with HS256, and with the public key as
	// the secret.
	c.method = PrivateKeyJWT
	if t.alg() == "HS256" {
		c.method = SecretJWT
	}
	c.id, _ = t.claims.Text("sub")
	s.mu.Lock()
	defer s.mu.Unlock()
	client, ok := s.state.clients[c.id]
	if !ok || client.AuthMethod != c.method {
		return c, badAssertion("sub does not name a client that is registered for this algorithm")
	}
	c.client = client
	if fault := s.checkAssertion(t, client, form, endpointOf(r)); fault != "" {
		return c, badAssertion(fault)
	}
	return c, nil
}

// checkAssertion says what is wrong with an assertion. The caller holds s.mu.
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
	// RFC 8725 section 3.11: typ keeps another token of this client, such as a
	// DPoP proof or a request object, from passing for an assertion.
	case !slices.Contains([]string{"", "JWT", "client-authentication+jwt"}, typ):
		return "typ belongs to another kind of token"
	case textOf(t.claims, "iss") != client.ID:
		return "iss is not the client id"
	case !client.AssertionAudience.accepts(t.claims["aud"], s.audiences(client, endpoint)):
		return "aud is not the audience in the registration"
	case fault != "":
		return fault
	// RFC 7523 section 3 leaves jti optional. A strict server demands it, so
	// that nobody can use an assertion a second time.
	case id == "" || id == "\x00":
		return "jti is missing"
	case !s.useOnce("assertion of "+client.ID, id):
		return "jti has been used already"
	}
	return ""
}

// audiences returns the values of aud that are accepted from a client. endpoint
// is the URL that was called.
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

// accepts reports whether aud is one of the good values.
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

// badAssertion is the answer to a refused assertion. Unlike a real server, it
// says what is wrong, so that a failed test does.
func badAssertion(fault string) *failure {
	refusal := unknownClient()
	refusal.description = fmt.Sprintf("client_assertion: %s", fault)
	return refusal
}
