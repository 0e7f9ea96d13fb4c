package clientauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"time"

	"example.com/authcode"
)

const requestLifetime = 300 // seconds; FAPI 2.0 Message Signing section 5.3.1 allows an hour

// SignRequests signs each authorization request (JAR, RFC 9101): its parameters
// become the claims of a JWT, which goes to the provider through the browser
// or, where requests are pushed, directly. keys is a [Key], or [RotatingKeys].
// The JWT has typ oauth-authz-req+jwt, iss is the client id, aud is the issuer,
// jti is random, iat and nbf are now, and exp is five minutes later. It has no
// sub, so it cannot pass for a client assertion (RFC 9101 section 10.8).
//
// max_age becomes a number, and authorization_details (RFC 9396 section 3) and
// claims (OpenID Connect Core section 6.1) become the JSON that they hold. A
// parameter with several values becomes an array.
//
// Responses are plain unless SignedResponses of the result is set to true.
func SignRequests(keys Keys) authcode.MessageSigning {
	k := newKeyring(keys, "oauth-authz-req+jwt", "messages")
	return authcode.MessageSigning{
		SignRequest: requestSigner{k}.sign,
		Algorithms:  slices.Clone(k.algorithms),
		Err:         faultOf("SignRequests", k.fault),
	}
}

type requestSigner struct{ keys *keyring }

func (s requestSigner) sign(
	ctx context.Context, conn *authcode.Connection, params url.Values,
) (string, error) {
	issuer := conn.Config.Provider.Issuer
	if issuer == "" {
		return "", misused("messages.audience", "the provider has no issuer, which is "+
			"the audience of the request object: set Provider.Issuer")
	}
	claims, bad := requestClaims(params)
	if bad != "" {
		return "", misused("messages.params", "a request object cannot have the parameter "+bad+
			", or this value of it: change it in Provider.AuthParams or authcode.Param")
	}
	// FAPI 2.0 Message Signing section 5.3.1: nbf and exp bound the time in
	// which a request object that leaks can be used.
	now := time.Now().Unix()
	claims["iss"], claims["aud"], claims["jti"] = params.Get("client_id"), issuer, rand.Text()
	claims["iat"], claims["nbf"], claims["exp"] = now, now, now+requestLifetime
	text, err := json.Marshal(claims)
	if err != nil {
		return "", misused("messages.params",
			"authorization_details or claims is not valid JSON: correct the parameter")
	}
	return s.keys.sign(ctx, text, conn)
}

// requestClaims returns params as claims (RFC 9101 section 4), or the name of a
// parameter that a request object cannot have.
func requestClaims(params url.Values) (claims map[string]any, bad string) {
	if params.Get("client_id") == "" {
		return nil, "client_id"
	}
	claims = make(map[string]any, len(params)+6)
	for name, values := range params {
		switch name {
		case "request", "request_uri": // RFC 9101 section 4: never inside a request object
			return nil, name
		case "iss", "sub", "aud", "exp", "nbf", "iat", "jti":
			// They say who signed what for whom. With a sub, the request would
			// be a client assertion.
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
