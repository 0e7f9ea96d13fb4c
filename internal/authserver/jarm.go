package authserver

import (
	"slices"
	"time"
)

// responseLifetime is how long a signed authorization response is valid (JARM
// section 2.1 recommends ten minutes at most).
const responseLifetime = 10 * time.Minute

// signIfAsked returns the parameters of an authorization response as they are
// sent. They are signed if the client has asked for that (JARM section 2),
// unless a fault at Authorization says otherwise.
func (s *Server) signIfAsked(req authRequest, params []field, faults []Fault) []field {
	has := func(test func(Fault) bool) bool { return slices.ContainsFunc(faults, test) }
	switch {
	case has(isPlain), !req.signed && !has(isSigned):
		return params
	case has(isBeside):
		return append(params, field{"response", s.signedResponse(req, params)})
	}
	return []field{{"response", s.signedResponse(req, params)}}
}

// signedResponse makes the JWT of a response (JARM section 2.1). It always has
// the claim iss, so the parameter iss of RFC 9207 is left out.
func (s *Server) signedResponse(req authRequest, params []field) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	fields := []field{
		member("iss", s.URL),
		member("aud", req.client.ID),
		member("exp", s.now().Add(responseLifetime).Unix()),
	}
	for _, p := range params {
		if p.name != "iss" {
			fields = append(fields, member(p.name, p.value))
		}
	}
	faults := s.visitLocked(JARM)
	return s.signed(req.client.ID, "JWT", applyEdits(fields, faults), faults)
}

// Plain sends an unsigned answer to a client that has asked for a signed one.
// At [Authorization] and [Introspection].
func Plain() Fault { return Fault{plain: true} }

// PlainBeside sends the plain parameters beside the signed response. A client
// must only look at the signed ones. With Drop("state") at [JARM], only the
// plain parameters have a state. At [Authorization].
func PlainBeside() Fault { return Fault{beside: true} }

// Signed sends a signed answer to a client that has asked for a plain one. At
// [Authorization] and [Introspection].
func Signed() Fault { return Fault{signed: true} }

func isPlain(f Fault) bool  { return f.plain }
func isBeside(f Fault) bool { return f.beside }
func isSigned(f Fault) bool { return f.signed }
