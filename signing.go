package authcode

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// MessageSigning protects what the browser carries (FAPI 2.0 Message Signing): it signs authorization
// requests (JAR, RFC 9101) and demands signed responses (JARM). Package clientauth has one. A copy with
// another SignRequest around the first is a MessageSigning too. In the zero value both are plain.
type MessageSigning struct {
	redacted

	// SignRequest returns the request object for the parameters of an authorization request. An error
	// that is no [*Error] becomes [Configuration]. If nil, requests are plain.
	SignRequest func(ctx context.Context, conn *Connection, params url.Values) (string, error)

	// SignedResponses refuses a response that is not signed. [Provider.Verify] opens it. If
	// false, a signed response is refused.
	SignedResponses bool

	// Algorithms are the algorithms that sign requests, as far as they are known. If nil, there are
	// none, or they are known only when something is signed.
	Algorithms []string

	// Err is what is wrong with the arguments of the function that made this value. [New] lists it.
	Err error
}

// typeResponse is the media type of a signed authorization response, without "application/" (JARM).
const typeResponse = "oauth-authz-resp+jwt"

// signRequest returns the authorization request query as a signed one (RFC 9101 section 5.1).
func (c *Client) signRequest(ctx context.Context, ends *resolved, query string) (string, error) {
	params, _ := url.ParseQuery(query)
	conn := *ends.conn
	object, err := c.cfg.MessageSigning.SignRequest(ctx, &conn, params)
	if err != nil {
		return "", asFailure(ctx, err, Configuration, "messages", "Config.MessageSigning failed")
	}
	header, _, ok := openJWT(object)
	alg, _ := header.Text("alg")
	if !ok || alg == "" || alg == "none" {
		return "", fail(Configuration, "messages.object", "Config.MessageSigning returned a request object that is not a signed JWT")
	}
	if admitted := c.cfg.Algorithms; admitted != nil && !slices.Contains(admitted, alg) {
		return "", fail(Configuration, "messages.key", "the request object is signed with an algorithm that Config.Algorithms does not admit: "+
			"want one of %s", strings.Join(admitted, ", "))
	}
	return c.reference("request", object), nil
}

// openResponse returns the parameters of an authorization response. What stands beside a signed response
// is ignored, and a signed response that was not asked for is refused.
func (c *Client) openResponse(ctx context.Context, params url.Values) (url.Values, error) {
	switch {
	case !c.cfg.MessageSigning.SignedResponses:
		return nil, fail(Malformed, "response", "the response is signed, and Config.MessageSigning asks for plain ones")
	case !params.Has("response"):
		return nil, fail(Malformed, "response", "the response is plain, and Config.MessageSigning demands signed ones")
	}
	ends, err := c.resolve(ctx)
	if err != nil {
		return nil, err
	}
	if c.cfg.Provider.Algorithms != nil {
		if err := c.checkAlgorithm(Forged, "response", params.Get("response")); err != nil {
			return nil, err
		}
	}
	conn := *ends.conn
	claims, err := c.cfg.Provider.Verify(ctx, &conn, typeResponse, params.Get("response"))
	if err != nil {
		return nil, asFailure(ctx, err, Forged, "response.verify", "the signed response was refused")
	}
	params = make(url.Values, len(claims))
	for name, claim := range claims {
		switch value, isText := claim.(string); {
		case isText:
			params.Set(name, value)
		case name == "code" || name == "state" || name == "error" || name == "iss":
			return nil, fail(Malformed, "response.claim", "the signed response has a parameter that is not a string")
		}
	}
	return params, nil
}

// checkAlgorithm looks at the header of a JWT that the provider signed: an algorithm that is not admitted is
// refused, whatever the functions of the Provider look at. what names the document and begins the Check.
func (c *Client) checkAlgorithm(reason Reason, what, text string) error {
	admitted := c.cfg.Provider.Algorithms
	encoded, _, _ := strings.Cut(text, ".")
	header, ok := openPart(encoded)
	if !ok || strings.Count(text, ".") != 2 {
		return fail(reason, what+".form", "the JWT (%s) is not a signed one in compact form", what)
	}
	if alg, _ := header.Text("alg"); !slices.Contains(admitted, alg) {
		return fail(reason, what+".alg", "the JWT (%s) is signed with an algorithm that is not admitted: want one of %s",
			what, strings.Join(admitted, ", "))
	}
	return nil
}
