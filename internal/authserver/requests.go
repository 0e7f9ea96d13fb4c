package authserver

import (
	"io"
	"net/http"
	"net/url"
	"slices"
)

// Request is a request that the server received.
type Request struct {
	// Place is where the request arrived: [Authorization], [PAR], [Token],
	// [Refresh], [Revocation], [Introspection], [UserInfo], [Resource],
	// [Discovery], [JWKS] or [EndSession]. A token request with any other
	// grant_type counts as Token.
	Place Place

	Method string
	Header http.Header

	// Form holds the parameters. At Authorization and EndSession these are the
	// parameters of query and body, elsewhere only those of the body.
	Form url.Values

	// ClientAuth is the method by which the client authenticated. It is empty
	// if there was none or more than one.
	ClientAuth AuthMethod

	// Certificate is the thumbprint (x5t#S256, see [Thumbprint]) of the client
	// certificate that was shown. It is empty if there was none.
	Certificate string

	// ClientID and ClientSecret are the credentials as the server understood
	// them.
	ClientID, ClientSecret string
}

// Requests returns the requests that arrived at the given places, the oldest
// first. Without arguments it returns all. The caller owns the result.
func (s *Server) Requests(at ...Place) []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Request
	for _, req := range s.seen {
		if len(at) > 0 && !slices.Contains(at, req.Place) {
			continue
		}
		req.Header = req.Header.Clone()
		form := make(url.Values, len(req.Form))
		for name, values := range req.Form {
			form[name] = slices.Clone(values)
		}
		req.Form = form
		out = append(out, req)
	}
	return out
}

// TokenRequests returns the requests that arrived at the token endpoint, of
// whatever grant_type.
func (s *Server) TokenRequests() []Request { return s.Requests(Token, Refresh) }

// Forget drops what [Server.Requests] and [Server.Issued] return. The codes and
// tokens stay valid.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.issued = nil, nil
}

// Issued returns every code, access token, refresh token and ID token that the
// server made, including those that a fault kept from being sent. A test
// searches responses and logs for them.
func (s *Server) Issued() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.issued)
}

func (s *Server) record(req Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, req)
}

// maxBody is more than any honest request needs.
const maxBody = 256 << 10

// readForm reads the body as a form. It returns the parameters even if it
// refuses them, so that they are recorded.
func readForm(r *http.Request) (form url.Values, body []byte, fault string) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return url.Values{}, body, "the body is too long or broken"
	}
	form, err = url.ParseQuery(string(body))
	if err != nil {
		return form, body, "the body is not a form"
	}
	return form, body, ""
}

// repeated returns the name of a parameter that occurs more than once, which
// RFC 6749 sections 3.1 and 3.2 forbid: two programs could take different
// values. Only resource may be repeated (RFC 8707 section 2).
func repeated(form url.Values) string {
	for name, values := range form {
		if len(values) > 1 && name != "resource" {
			return name
		}
	}
	return ""
}
