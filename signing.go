package authcode

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/wire"
)

// MessageSigning protects what the browser carries (FAPI 2.0 Message Signing);
// package clientauth makes one. The zero MessageSigning protects nothing.
type MessageSigning struct {
	redacted

	// SignRequest returns the parameters of an authorization request as a
	// signed request object (JAR, RFC 9101). If nil, requests are plain.
	SignRequest func(ctx context.Context, conn *Connection, params url.Values) (string, error)

	SignedResponses bool     // demands signed responses (JARM) for [Provider.Verify]
	Algorithms      []string // sign requests; nil if not known beforehand
	Err             error    // what a constructor found wrong with its arguments
}

// typeResponse is the media type of a signed authorization response (JARM),
// without "application/".
const typeResponse = "oauth-authz-resp+jwt"

// signRequest replaces the authorization request query by a signed request
// object (RFC 9101 section 5.1).
func (c *Client) signRequest(
	ctx context.Context, ep *resolvedEndpoints, query string,
) (string, error) {
	// The request object has all parameters. What stays outside, the browser
	// could change.
	params, _ := url.ParseQuery(query) // authQuery has encoded it
	conn := ep.connection()
	object, err := c.cfg.MessageSigning.SignRequest(ctx, &conn, maps.Clone(params))
	if err != nil {
		return "", seamError(ctx, err, Configuration, "messages", "Config.MessageSigning failed")
	}
	if err := c.checkRequestObject(object, params); err != nil {
		return "", err
	}
	if ep.push {
		return c.referenceQuery("request", object), nil
	}
	// RFC 9101 section 5 allows more beside the object. OpenID Connect Core
	// section 6.1 demands these two, and servers insist on them. They are equal
	// to those inside, so the browser gains nothing by changing them.
	query = c.referenceQuery("request", object)
	for _, name := range []string{"response_type", "scope"} {
		if params.Has(name) {
			query += "&" + name + "=" + url.QueryEscape(params.Get(name))
		}
	}
	return query, nil
}

// checkRequestObject checks what SignRequest made of params. The function may
// come from the app.
func (c *Client) checkRequestObject(object string, params url.Values) error {
	header, claims, ok := decodeJWT(object)
	alg, _ := header.Text("alg")
	// RFC 9101 section 5: a request object must be signed. An unsigned one
	// would lose the protection without any notice.
	if !ok || alg == "" || alg == "none" {
		return errorf(Configuration, "messages.object",
			"Config.MessageSigning returned a request object that is not a signed JWT: "+
				"make SignRequest sign it")
	}
	// The algorithm may be known only now, for example when a key is rotated
	// while the app runs.
	if allowed := c.cfg.Algorithms; allowed != nil && !jws.Allows(allowed, alg) {
		return errorf(Configuration, "messages.key", "the request object is signed with an "+
			"algorithm that Config.Algorithms does not allow: use one of %s",
			strings.Join(allowed, ", "))
	}
	for name := range params {
		// RFC 9101 section 6.3: the server uses what is inside only. Without
		// state or code_challenge there, the login would not be protected.
		if text, _ := claims.Text(name); isReserved(name) && text != params.Get(name) {
			return errorf(Configuration, "messages.claims", "Config.MessageSigning returned a "+
				"request object without %s, or with another value: sign all parameters as they are", name)
		}
	}
	return nil
}

// openResponse returns the parameters inside a signed authorization response.
func (c *Client) openResponse(ctx context.Context, params url.Values) (url.Values, error) {
	switch {
	case !c.cfg.MessageSigning.SignedResponses:
		return nil, errorf(Malformed, "response", "the response is signed, but Config.MessageSigning"+
			" asks for plain ones: set SignedResponses, or check the client's registration")
	case !params.Has("response"):
		// An attacker who strips the signature must not get further than one
		// who breaks it.
		return nil, errorf(Malformed, "response", "the response is plain, but Config.MessageSigning"+
			" demands signed ones: check that the provider supports JARM")
	}
	ep, err := c.resolve(ctx)
	if err != nil {
		return nil, err
	}
	// Check this before Verify, which the app may have wrapped or replaced.
	if c.cfg.Provider.Algorithms != nil {
		if err := c.checkAlgorithm(Forged, "response", params.Get("response")); err != nil {
			return nil, err
		}
	}
	conn := ep.connection()
	claims, err := c.cfg.Provider.Verify(ctx, &conn, typeResponse, params.Get("response"))
	if err != nil {
		return nil, seamError(ctx, err, Forged, "response.verify",
			"Provider.Verify refused the signed response")
	}
	return responseParams(claims)
}

// responseParams turns the claims of a signed response into the parameters of a
// plain one, so that both pass the same checks. Parameters beside the signed
// response are ignored: nobody has signed them.
func responseParams(claims map[string]any) (url.Values, error) {
	params := make(url.Values, len(claims))
	for name, claim := range claims {
		switch value, isText := claim.(string); {
		case isText:
			params.Set(name, value)
		case name == "code" || name == "state" || name == "error" || name == "iss":
			// If these were dropped like other claims, the checks below would
			// take a parameter that is wrong for one that is missing.
			return nil, errorf(Malformed, "response.claim", "a parameter of the signed response "+
				"is not a string: report it to the provider")
		}
	}
	return params, nil
}

// algorithmFaults compares the algorithms that the parts declare with
// Config.Algorithms. What the parts do not declare is checked in each JWT.
func (cfg *Config) algorithmFaults() (f []string) {
	f = append(f, algorithmNameFaults("Config.Algorithms", cfg.Algorithms)...)
	// OpenID Connect Core section 3.1.3.7: the client secret is the key of HS256.
	// Beside another algorithm, a public key could pass for the secret (RFC 8725
	// section 2.1).
	if !slices.Equal(cfg.Provider.Algorithms, []string{"HS256"}) {
		f = append(f, algorithmNameFaults("Provider.Algorithms", cfg.Provider.Algorithms)...)
	}
	if len(cfg.Algorithms) == 0 {
		return f // an empty list is a fault already
	}
	for _, part := range []struct {
		field string
		names []string
	}{
		{"Provider.Algorithms", cfg.Provider.Algorithms},
		{"Config.ClientAuth", cfg.ClientAuth.Algorithms},
		{"Config.Binding", cfg.Binding.Algorithms},
		{"Config.MessageSigning", cfg.MessageSigning.Algorithms},
	} {
		// A later check would refuse what a key with another algorithm has
		// signed. Say so at start, not at the first login.
		for _, alg := range part.names {
			if !jws.Allows(cfg.Algorithms, alg) {
				f = append(f, fmt.Sprintf("%s uses the algorithm %s, which Config.Algorithms "+
					"does not allow: use one of %s", part.field, alg, strings.Join(cfg.Algorithms, ", ")))
			}
		}
	}
	return f
}

func algorithmNameFaults(field string, names []string) (f []string) {
	// An empty list, unlike nil, would allow nothing: every login would fail.
	if names != nil && len(names) == 0 {
		f = append(f, field+" is empty: leave it nil, or list algorithms such as ES256")
	}
	for _, alg := range names {
		if !isAlgorithm(alg) {
			f = append(f, fmt.Sprintf("%s has %q: use names such as RS256, PS256, ES256 or EdDSA; "+
				"none is never allowed, and HMAC only as oidc.HS256 sets it, alone", field, alg))
		}
	}
	return f
}

// isAlgorithm reports whether name is a supported algorithm for digital
// signatures (RFC 7518 section 3.1, RFC 8037 section 3.1, RFC 9864 section 2.2).
func isAlgorithm(name string) bool {
	switch name {
	// RFC 8725 section 3.2: "none" proves nothing. HMAC is missing too. Its key
	// would be the client secret or, if a verifier confuses algorithms, the
	// provider's public key, which anybody can fetch (RFC 8725 section 2.1).
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
		jws.EdDSA, jws.Ed25519:
		return true
	}
	return false
}

// checkAlgorithm refuses a JWT of the provider whose header names an algorithm
// that Provider.Algorithms does not allow. kind names the document and begins
// the Check.
func (c *Client) checkAlgorithm(reason Reason, kind, jwt string) error {
	// The functions of the Provider verify the signature. This check does not
	// depend on them, so a wrapper or a function of the app's own cannot lose
	// it.
	allowed := c.cfg.Provider.Algorithms
	encoded, _, _ := strings.Cut(jwt, ".")
	var header wire.Object
	// Anybody can send a response to the callback, so its size is checked
	// before anything is decoded.
	ok := wire.IsCompactJWS(jwt)
	if ok {
		header, ok = decodeJWTPart(encoded)
	}
	if !ok {
		return errorf(reason, kind+".form", "the JWT (%s) is too long, or not in the compact form of "+
			"a signed JWT: ask the provider to sign it and not to encrypt it", kind)
	}
	// RFC 8725 section 3.1: the app, not the header, decides which algorithms
	// are allowed.
	if alg, _ := header.Text("alg"); !jws.Allows(allowed, alg) {
		return errorf(reason, kind+".alg", "the JWT (%s) is signed with %s, which is not allowed: "+
			"register the client for one of %s, or change Provider.Algorithms or Config.Algorithms",
			kind, wire.AlgorithmName(alg), strings.Join(allowed, ", "))
	}
	return nil
}

// decodeJWT returns header and claims of a JWT in compact form (RFC 7515
// section 7.1). It does not verify the signature.
func decodeJWT(text string) (header, claims wire.Object, ok bool) {
	first, rest, _ := strings.Cut(text, ".")
	second, third, _ := strings.Cut(rest, ".")
	// The third part of an unsigned JWT is empty (RFC 7519 section 6.1).
	if third == "" || strings.Contains(third, ".") {
		return nil, nil, false
	}
	header, headerOK := decodeJWTPart(first)
	claims, claimsOK := decodeJWTPart(second)
	return header, claims, headerOK && claimsOK
}

func decodeJWTPart(encoded string) (wire.Object, bool) {
	// RFC 7515 section 2: base64url, without padding.
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return nil, false
	}
	// Package wire refuses repeated members. encoding/json would use the last
	// of two "alg" here, while the verifier might use the first one.
	obj, err := wire.ParseObject(text)
	return obj, err == nil
}
