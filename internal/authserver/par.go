package authserver

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// pushOptions are set by [OfferPAR], [RequirePAR] and [PARLifetime].
type pushOptions struct {
	offered, required bool
	lifetime          time.Duration
}

// pushedPrefix begins the request_uri of a pushed request (RFC 9126 section
// 2.2).
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// par is the pushed authorization request endpoint (RFC 9126 section 2).
func (s *Server) par(w http.ResponseWriter, r *http.Request) {
	_, _, form, body, refusal := s.clientRequest(r, func(url.Values) Place { return PAR })
	s.serveReply(w, r, PAR, body, func([]Fault) *reply {
		if refusal != nil {
			return refusal.reply()
		}
		req, refusal := s.checkPushed(r, form)
		if refusal != nil {
			return refusal.reply()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		uri := pushedPrefix + randomText()
		s.state.pushed[uri] = pending{request: req, expires: s.now().Add(s.pushed.lifetime)}
		s.issued = append(s.issued, uri)
		rep := newReply(
			member("request_uri", uri),
			member("expires_in", int(s.pushed.lifetime.Seconds())),
		)
		rep.status = http.StatusCreated
		return rep
	})
}

// checkPushed checks a pushed request as the authorization endpoint would (RFC
// 9126 section 2.1, number 2). clientRequest has checked that client_id, if
// there is one, names the authenticated client.
func (s *Server) checkPushed(r *http.Request, form url.Values) (req authRequest, refusal *failure) {
	if form.Has("request_uri") {
		// Section 2.1: request_uri must not be pushed.
		return req, refuse("invalid_request", "there is a request_uri in a pushed request")
	}
	// The credentials are no parameters of the authorization request. The copy
	// leaves the recorded request as it is.
	form = maps.Clone(form)
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		form.Del(name)
	}
	form, object, fault := s.readRequestObject(form, true)
	if fault != "" {
		return req, refuse("invalid_request_object", fault)
	}
	if req, fault = s.identifyClient(form); fault != "" {
		return req, refuse("invalid_request", fault)
	}
	req.object = object
	if refusal = req.parse(form); refusal != nil {
		return req, refusal
	}
	if refusal = s.requireRequestObject(req); refusal != nil {
		return req, refusal
	}
	// RFC 9449 section 10.1: a proof has the same effect as dpop_jkt. If there
	// are both, they must name the same key.
	jkt, refusal := s.verifyProofAtServer(r, PAR)
	if refusal == nil && jkt != "" && req.jkt != "" && jkt != req.jkt {
		refusal = refuse("invalid_dpop_proof", "dpop_jkt and the proof name different keys")
	}
	if jkt != "" {
		req.jkt = jkt
	}
	return req, refusal
}

// takePushed finds a pushed request. It can be used once, by its client, and
// without further parameters (RFC 9126 section 4): what is in the browser's
// address must not change what was pushed.
func (s *Server) takePushed(form url.Values) (req authRequest, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uri := form.Get("request_uri")
	p, ok := s.state.pushed[uri]
	switch {
	case repeated(form) != "" || len(form) != 2 || !form.Has("client_id"):
		return req, "A pushed request takes only client_id and request_uri."
	case !ok:
		return req, "The pushed request (request_uri) is unknown, or has been used already."
	case p.request.client.ID != form.Get("client_id"):
		return req, "The pushed request (request_uri) belongs to another client."
	}
	delete(s.state.pushed, uri)
	if !s.now().Before(p.expires) {
		return req, "The pushed request (request_uri) has expired."
	}
	return p.request, ""
}

// offersPAR reports whether the metadata advertises the endpoint. The caller
// holds s.mu.
func (s *Server) offersPAR() bool {
	if s.pushed.offered {
		return true
	}
	ids := make([]string, 0, len(s.state.clients))
	for id := range s.state.clients {
		ids = append(ids, id)
	}
	return slices.ContainsFunc(ids, func(id string) bool { return s.state.clients[id].RequirePAR })
}
