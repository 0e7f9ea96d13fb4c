package authserver

import (
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"example.com/authcode/internal/wire"
)

// maxRequestObject is how long a request object may be good for (FAPI 2.0 Message Signing section
// 5.3.1).
const maxRequestObject = time.Hour

// unseal returns the parameters in a request object (RFC 9101 section 6). Without one, and with
// one of a client that has no keys, it returns form as it is.
func (s *Server) unseal(form url.Values, pushed bool) (params url.Values,
	object bool, fault string) {
	s.mu.Lock()
	client := s.state.clients[form.Get("client_id")]
	s.mu.Unlock()
	if !form.Has("request") || len(client.Keys) == 0 {
		return form, false, ""
	}
	if repeated(form) != "" {
		return nil, false, "A parameter is repeated beside the request object (request)."
	}
	t, ok := parseJWT(form.Get("request"))
	if !ok || !t.signedBy(client.Keys) {
		return nil, false, "The request object (request) is not signed by the client."
	}
	if fault = s.checkObject(t, client.ID); fault != "" {
		return nil, false, "The request object (request) is refused: " + fault + "."
	}
	if params, ok = t.params(); !ok {
		return nil, false, "The request object (request) has a parameter that cannot be read."
	}
	for name := range form {
		// RFC 9126 section 3: all parameters are in the object. RFC 9101 section 5: elsewhere they
		// may stand beside it as well; one that says something else is an attack or a mistake.
		same := !pushed && slices.Equal(form[name], params[name])
		if name != "request" && name != "client_id" && !same {
			return nil, false, "A parameter (" + name + ") stands beside the request object (request)."
		}
	}
	return params, true, ""
}

// checkObject says what is wrong with the claims of a request object of client.
func (s *Server) checkObject(t clientJWT, client string) (fault string) {
	aud, ok := wire.Text(t.claims["aud"])
	_, hasRequest := t.claims["request"]
	_, hasURI := t.claims["request_uri"]
	fault = t.checkDates(maxRequestObject)
	starts, _ := t.date("nbf")
	switch {
	case textOf(t.header, "typ") != "oauth-authz-req+jwt": // RFC 9101 section 10.8
		return "typ is not oauth-authz-req+jwt"
	case textOf(t.claims, "iss") != client:
		return "iss is not the client id"
	case textOf(t.claims, "client_id") != client:
		return "client_id is not the one beside the object"
	case !ok || aud != s.URL:
		return "aud is not the issuer"
	case textOf(t.claims, "sub") == client:
		return "sub is the client id, as in a client assertion" // RFC 9101 section 10.8
	case hasRequest || hasURI:
		return "there is another request in it" // RFC 9101 section 4
	case fault != "":
		return fault
	case starts.Before(time.Now().Add(-maxRequestObject)):
		return "nbf is missing or more than an hour ago"
	}
	return ""
}

// params turns the claims of a request object into parameters (RFC 9101 section 4): texts as they
// are, numbers and JSON as they stand, an array of texts in resource as one parameter each.
func (t clientJWT) params() (params url.Values, ok bool) {
	params = url.Values{}
	for name, raw := range t.claims {
		switch name {
		case "iss", "aud", "exp", "nbf", "iat", "jti":
			continue // of the JWT
		}
		text, isText := wire.Text(raw)
		list, isList := wire.Strings(raw)
		switch {
		case isText:
			params[name] = []string{text}
		case isList && name == "resource" && len(list) > 0:
			params[name] = list
		case raw == "null" || raw == "true" || raw == "false" || !json.Valid([]byte(raw)):
			return nil, false
		default:
			params[name] = []string{string(raw)}
		}
	}
	return params, true
}

// checkSealed refuses a request that had to be a request object and is none.
func (s *Server) checkSealed(req authRequest) *failure {
	if (s.mustSign || req.client.RequireSignedRequest) && !req.object {
		return refuse("invalid_request", "the request has to be a signed request object")
	}
	return nil
}
