package clientauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"example.com/authcode"
)

const requestLifetime = 300 // seconds; FAPI 2.0 Message Signing section 5.3.1 allows an hour

// ResponseVerifier opens signed authorization responses (JARM), as an [authcode.Messages] does.
type ResponseVerifier interface {
	VerifyResponse(ctx context.Context, client *http.Client, clientID, response string) (url.Values, error)
}

// RequestSigner signs authorization requests (JAR, RFC 9101): see [SignRequests]. It is an
// [authcode.Messages], never changes, is safe for concurrent use, and prints and marshals without its keys.
type RequestSigner struct {
	ring      *keyring
	responses ResponseVerifier
	verifies  bool
}

// SignRequests signs each authorization request: its parameters are the claims of a JWT, which goes to the
// provider by the browser or, where requests are pushed, without it. keys is a [Key], or [RotatingKeys]. The
// JWT has typ oauth-authz-req+jwt, iss the client id, aud the issuer, a random jti, iat and nbf now, and exp five
// minutes later. It has no sub, and so is no client assertion (RFC 9101 section 10.8).
func SignRequests(keys Keys) *RequestSigner {
	return &RequestSigner{ring: newKeyring(keys, "oauth-authz-req+jwt", "messages")}
}

// WithResponses returns a copy that demands signed responses, which v opens. Without it, responses
// are plain.
func (s *RequestSigner) WithResponses(v ResponseVerifier) *RequestSigner {
	return &RequestSigner{s.ring, v, true}
}

// Restrict returns a copy that signs with these algorithms only: see [Assertion.Restrict].
func (s *RequestSigner) Restrict(algorithms ...string) *RequestSigner {
	if s == nil || s.ring == nil {
		return s // Validate says so
	}
	return &RequestSigner{s.ring.restricted(algorithms), s.responses, s.verifies}
}

// SignRequest implements [authcode.Messages]. Numbers and JSON documents become what they are: max_age,
// authorization_details (RFC 9396 section 3), claims (OpenID Connect Core section 6.1). A parameter with several
// values becomes an array. Its Checks are messages.audience, for a provider without issuer, messages.params,
// for a parameter that no request object can have, and messages.key, messages.keys and messages.sign, as with
// [Assertion.Authenticate].
func (s *RequestSigner) SignRequest(ctx context.Context, issuer string, params url.Values) (string, error) {
	if issuer == "" {
		return "", misused("messages.audience", "the provider has no issuer: set Provider.Issuer")
	}
	claims, bad := requestClaims(params)
	if bad != "" {
		return "", misused("messages.params", "no request object can have this "+bad)
	}
	now := time.Now().Unix()
	claims["iss"], claims["aud"], claims["jti"] = params.Get("client_id"), issuer, rand.Text()
	claims["iat"], claims["nbf"], claims["exp"] = now, now, now+requestLifetime
	text, err := json.Marshal(claims)
	if err != nil {
		return "", misused("messages.params", "authorization_details or claims is no JSON")
	}
	return s.ring.sign(ctx, text)
}

// requestClaims is params as RFC 9101 section 4 has them, or the name of one that cannot be.
func requestClaims(params url.Values) (claims map[string]any, bad string) {
	if params.Get("client_id") == "" {
		return nil, "client_id"
	}
	claims = make(map[string]any, len(params)+6)
	for name, values := range params {
		switch name {
		case "request", "request_uri": // RFC 9101 section 4: never inside
			return nil, name
		case "iss", "sub", "aud", "exp", "nbf", "iat", "jti":
			// They say who signed what for whom. With a sub, the request would be a client assertion.
			return nil, name
		}
		if len(values) == 0 {
			continue
		}
		value, ok := requestClaim(name, values)
		if !ok {
			return nil, name
		}
		claims[name] = value
	}
	return claims, ""
}

func requestClaim(name string, values []string) (any, bool) {
	switch name {
	case "max_age":
		seconds, err := strconv.ParseUint(values[0], 10, 31)
		return seconds, err == nil && len(values) == 1
	case "authorization_details", "claims":
		return json.RawMessage(values[0]), len(values) == 1
	}
	if len(values) == 1 {
		return values[0], true
	}
	return values, true
}

// Signed implements [authcode.Messages]: whether responses have to be signed.
func (s *RequestSigner) Signed() bool { return s.verifies }

// VerifyResponse implements [authcode.Messages]. Without [RequestSigner.WithResponses] it refuses.
func (s *RequestSigner) VerifyResponse(ctx context.Context, client *http.Client, clientID, response string) (url.Values, error) {
	if s.responses == nil {
		return nil, authcode.NewError(authcode.Forged, "response.verify", "no signed response was asked for", nil)
	}
	return s.responses.VerifyResponse(ctx, client, clientID, response)
}

// Validate returns what is wrong with the key or the responses' verifier, and how to repair it. A rotating key
// is looked at when it is used.
func (s *RequestSigner) Validate() error {
	if s == nil || s.ring == nil {
		return errors.New("the RequestSigner is nil or empty: use SignRequests")
	}
	var faults []string
	if err := s.ring.validate(); err != nil {
		faults = append(faults, err.Error())
	}
	if s.verifies && s.responses == nil {
		faults = append(faults, "WithResponses has no verifier: pass one, or leave it out")
	}
	if v, ok := s.responses.(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			faults = append(faults, err.Error())
		}
	}
	if len(faults) > 0 {
		return errors.New("SignRequests: " + strings.Join(faults, "; "))
	}
	return nil
}

// Format prints s without its keys, whatever the verb.
func (s RequestSigner) Format(f fmt.State, _ rune) {
	fmt.Fprint(f, "clientauth.SignRequests(REDACTED)")
}

// MarshalText returns what Format prints, so that encoders print nothing else.
func (s RequestSigner) MarshalText() ([]byte, error) { return fmt.Append(nil, s), nil }
