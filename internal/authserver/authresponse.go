package authserver

import (
	"net/http"
	"slices"

	"golang.org/x/oauth2"
)

// respond sends the authorization response (RFC 6749 section 4.1.2): the
// refusal if there is one, and otherwise a code for user.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, req authRequest, user User,
	refusal *failure) {
	faults := s.visit(Authorization)
	if s.replaced(w, r, faults, nil) {
		return
	}
	for _, f := range slices.Backward(faults) {
		if f.fail != nil {
			refusal = f.fail // backward, so that the first fault counts
		}
	}
	var fields []field
	if refusal == nil {
		fields = append(fields, field{"code", s.approve(req, user, faults)})
	} else {
		fields = append(fields, field{"error", refusal.code})
		if refusal.description != "" {
			fields = append(fields, field{"error_description", refusal.description})
		}
	}
	for _, state := range req.state {
		fields = append(fields, field{"state", state})
	}
	// RFC 9207 section 2: error responses have iss as well. Without it, a
	// client could take the refusal of one server for that of another.
	fields = append(fields, field{"iss", s.URL})
	fields = applyEdits(s.signIfAsked(req, fields, faults), faults)
	if req.formPost {
		s.formPostPage(w, req.redirectURI, fields)
		return
	}
	redirect(w, req.redirectURI, fields)
}

// approve makes the code. With the fault [OtherUsersCode], it makes the code of
// another user's login.
func (s *Server) approve(req authRequest, user User, faults []Fault) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	challenge := req.challenge
	if slices.ContainsFunc(faults, func(f Fault) bool { return f.otherCode }) {
		challenge = oauth2.S256ChallengeFromVerifier(randomText())
		for _, other := range s.users {
			if other.Subject != user.Subject {
				user = other
				break
			}
		}
	}
	return s.issueCode(req, user, challenge)
}

// redirect sends fields in the query of uri and keeps what is there (RFC 6749
// section 3.1.2). The status is 303: with 307, a browser would post the
// person's password to the app (RFC 9700 section 4.12).
func redirect(w http.ResponseWriter, uri string, fields []field) {
	header := w.Header()
	header.Set("Location", withQuery(uri, fields))
	header.Set("Cache-Control", "no-store")
	header.Set("Referrer-Policy", "no-referrer")
	w.WriteHeader(http.StatusSeeOther)
}
