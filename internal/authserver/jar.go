package authserver

import (
	"encoding/json"
	"net/url"
	"slices"
	"time"

	"example.com/authcode/internal/wire"
)

// maxRequestObject is the longest lifetime of a request object (FAPI 2.0
// Message Signing section 5.3.1).
const maxRequestObject = time.Hour

// readRequestObject returns the parameters in a request object (RFC 9101
// section 6). If there is no request object, or if its client has no keys, it
// returns form as it is.
func (s *Server) readRequestObject(form url.Values, pushed bool) (params url.Values,
	object bool, fault string) {
	// RFC 9101 section 5: client_id stands beside the object, so that the
	// server knows whose keys to use.
	s.mu.Lock()
	client := s.state.clients[form.Get("client_id")]
	s.mu.Unlock()
	if !form.Has("request") || len(client.Keys) == 0 {
		return form, false, ""
	}
	if repeated(form) != "" {
		return nil, false, "A parameter is repeated beside the request object (request)."
	}
	t, ok := s.parseJWT(form.Get("request"))
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
		// RFC 9126 section 3: in a pushed request, all parameters are in the
		// object. RFC 9101 section 5: elsewhere they may also stand beside it.
		// A parameter with another value there is an attack or a mistake.
		same := !pushed && slices.Equal(form[name], params[name])
		if name != "request" && name != "client_id" && !same {
			return nil, false, "A parameter (" + name + ") stands beside the request object (request)."
		}
	}
	return params, true, ""
}

// checkObject says what is wrong with the claims of a request object from
// client.
func (s *Server) checkObject(t clientJWT, client string) (fault string) {
	aud, ok := wire.Text(t.claims["aud"])
	_, hasRequest := t.claims["request"]
	_, hasURI := t.claims["request_uri"]
	fault = t.checkDates(maxRequestObject)
	starts, _ := t.date("nbf")
	switch {
	// RFC 9101 section 10.8: typ keeps another JWT of the client from passing
	// for a request object.
	case textOf(t.header, "typ") != "oauth-authz-req+jwt":
		return "typ is not oauth-authz-req+jwt"
	case textOf(t.claims, "iss") != client:
		return "iss is not the client id"
	case textOf(t.claims, "client_id") != client:
		return "client_id is not the one beside the object"
	// One string: a server in a list could use the object here.
	case !ok || aud != s.URL:
		return "aud is not the issuer"
	case textOf(t.claims, "sub") == client:
		// RFC 9101 section 10.8: the server could otherwise send the object to
		// its own token endpoint and pass for the client.
		return "sub is the client id, as in a client assertion"
	case hasRequest || hasURI:
		return "it contains another request" // RFC 9101 section 4
	case fault != "":
		return fault
	case starts.Before(time.Now().Add(-maxRequestObject)):
		return "nbf is missing or more than an hour ago"
	}
	return ""
}

// params turns the claims of a request object into parameters (RFC 9101 section
// 4). A text stays as it is. A number or an object becomes its JSON. An array
// of texts in resource becomes one parameter for each text.
func (t clientJWT) params() (params url.Values, ok bool) {
	params = url.Values{}
	for name, raw := range t.claims {
		switch name {
		case "iss", "aud", "exp", "nbf", "iat", "jti":
			continue // these are about the JWT and not parameters
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

// requireRequestObject refuses a plain request if the server or the client's
// registration demands a request object. Otherwise an attacker could leave out
// the signature (RFC 9101 section 10.5).
func (s *Server) requireRequestObject(req authRequest) *failure {
	if (s.mustSign || req.client.RequireSignedRequest) && !req.object {
		return refuse("invalid_request", "this client must send a signed request object")
	}
	return nil
}
