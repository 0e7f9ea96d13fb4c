package authserver

import (
	"slices"
	"time"
)

// responseLifetime is how long a signed authorization response is good (JARM section 2.1 recommends
// at most ten minutes).
const responseLifetime = 10 * time.Minute

// seal returns the parameters of an authorization response as they are sent: signed where the
// client has asked for it (JARM section 2), unless faults of Authorization say otherwise.
func (s *Server) seal(req authRequest, params []field, faults []Fault) []field {
	has := func(test func(Fault) bool) bool { return slices.ContainsFunc(faults, test) }
	switch {
	case has(isPlain), !req.signed && !has(isSigned):
		return params
	case has(isBeside):
		return append(params, field{"response", s.signedResponse(req, params)})
	}
	return []field{{"response", s.signedResponse(req, params)}}
}

// signedResponse is the JWT of a response (JARM section 2.1). iss is a claim of every JWT, so RFC
// 9207 adds nothing to it.
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
	return s.signed("JWT", edited(fields, faults), faults)
}

// Plain sends an answer unsigned where the client has asked for a signed one. At [Authorization]
// and [Introspection].
func Plain() Fault { return Fault{plain: true} }

// PlainBeside sends the parameters plain beside the signed response. A client has to
// look at the signed ones alone. With Drop("state") at [JARM], the state stands outside alone. At
// [Authorization].
func PlainBeside() Fault { return Fault{beside: true} }

// Signed sends an answer signed where the client has asked for a plain one. At [Authorization] and
// [Introspection].
func Signed() Fault { return Fault{signed: true} }

func isPlain(f Fault) bool  { return f.plain }
func isBeside(f Fault) bool { return f.beside }
func isSigned(f Fault) bool { return f.signed }
