package authserver

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// pushOptions are those of [OfferPAR], [RequirePAR] and [PARLifetime].
type pushOptions struct {
	offered, required bool
	lifetime          time.Duration
}

// pushedPrefix begins the request_uri of a pushed request (RFC 9126 section 2.2).
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// par is the pushed authorization request endpoint (RFC 9126 section 2).
func (s *Server) par(w http.ResponseWriter, r *http.Request) {
	_, _, form, body, refusal := s.backChannel(r, func(url.Values) Place { return PAR })
	s.answer(w, r, PAR, body, func([]Fault) *reply {
		if refusal != nil {
			return refusal.reply()
		}
		req, refusal := s.push(r, form)
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

// push checks a request as the authorization endpoint would, where a refusal does less harm. That
// client_id, if it is there, names the authenticated client has been checked, and identify needs
// it.
func (s *Server) push(r *http.Request, form url.Values) (req authRequest, refusal *failure) {
	if form.Has("request_uri") {
		return req, refuse("invalid_request", "request_uri in a pushed request") // section 2.1
	}
	form = maps.Clone(form) // the record keeps its own
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		form.Del(name)
	}
	form, object, fault := s.unseal(form, true)
	if fault != "" {
		return req, refuse("invalid_request_object", fault)
	}
	if req, fault = s.identify(form); fault != "" {
		return req, refuse("invalid_request", fault)
	}
	req.object = object
	if refusal = req.parse(form); refusal != nil {
		return req, refusal
	}
	if refusal = s.checkSealed(req); refusal != nil {
		return req, refusal
	}
	// RFC 9449 section 10.1: a proof says the same as dpop_jkt.
	jkt, refusal := s.proofAtServer(r, PAR)
	if refusal == nil && jkt != "" && req.jkt != "" && jkt != req.jkt {
		refusal = refuse("invalid_dpop_proof", "dpop_jkt is another key's")
	}
	if jkt != "" {
		req.jkt = jkt
	}
	return req, refusal
}

// pull finds a pushed request. It works once, for its client, with nothing beside it.
func (s *Server) pull(form url.Values) (req authRequest, fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	uri := form.Get("request_uri")
	p, ok := s.state.pushed[uri]
	switch {
	case repeated(form) != "" || len(form) != 2 || !form.Has("client_id"):
		return req, "A pushed request takes client_id and request_uri and nothing else."
	case !ok:
		return req, "The pushed request (request_uri) is unknown, or used already."
	case p.request.client.ID != form.Get("client_id"):
		return req, "The pushed request (request_uri) belongs to another client."
	}
	delete(s.state.pushed, uri)
	if !s.now().Before(p.expires) {
		return req, "The pushed request (request_uri) has expired."
	}
	return p.request, ""
}

// offersPAR reports whether discovery tells about the endpoint; the caller holds s.mu.
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
