package authserver

import "net/http"

// Nonces says which nonces the server demands in DPoP proofs (RFC 9449 sections
// 8 and 9).
type Nonces int

// The kinds of demands.
const (
	NoNonces       Nonces = iota // none: a nonce in a proof is ignored
	FixedNonces                  // one, sent only with a demand; see [Server.RotateNonces]
	RotatingNonces               // a new one with every answer, which replaces the one before
)

// nonceBook holds the nonce of one role of the server. Server.mu guards it.
type nonceBook struct {
	mode    Nonces
	current string
}

// SetNonces chooses the nonces of the authorization server, at [PAR], [Token]
// and [Refresh], and those of the resources, at [UserInfo] and [Resource]. They
// differ, as they would on two hosts. A new server has NoNonces.
func (s *Server) SetNonces(authorizationServer, resources Nonces) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serverNonces = nonceBook{authorizationServer, randomText()}
	s.resourceNonces = nonceBook{resources, randomText()}
}

// RotateNonces replaces the nonces, so that those that clients know are no
// longer accepted. The new ones are sent with the next demand.
func (s *Server) RotateNonces() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serverNonces.current = randomText()
	s.resourceNonces.current = randomText()
}

// nonces returns the book for a place. The caller holds s.mu.
func (s *Server) nonces(at Place) *nonceBook {
	switch at {
	case PAR, Token, Refresh:
		return &s.serverNonces
	case UserInfo, Resource:
		return &s.resourceNonces
	}
	return new(nonceBook)
}

func (b *nonceBook) accept(nonce string) bool { return b.mode == NoNonces || nonce == b.current }

// addNonce adds the nonce for the next proof to an answer (RFC 9449 section
// 8.2).
func (s *Server) addNonce(rep *reply, at Place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	// RFC 9449 section 8.2: a server may renew its nonce with any answer. A
	// client that keeps the old one has its next request refused.
	b := s.nonces(at)
	switch {
	case b.mode == RotatingNonces:
		b.current = randomText()
	case b.mode == NoNonces || !rep.demand:
		return
	}
	rep.header.Set("DPoP-Nonce", b.current)
}

// DemandNonce replaces the answer with use_dpop_nonce, whatever nonce the proof
// has. The status is 400 at the authorization server and 401 at a resource.
// Each of nonces becomes a header DPoP-Nonce of its own. Two headers are a
// fault, and so is none. A client must not repeat its request for ever.
func DemandNonce(nonces ...string) Fault {
	return Fault{demand: func() []string { return nonces }}
}

// DemandFreshNonce is like [DemandNonce], with another well-formed nonce every
// time.
func DemandFreshNonce() Fault {
	return Fault{demand: func() []string { return []string{randomText()} }}
}

// nonceDemand is the answer that asks for a nonce.
func (s *Server) nonceDemand(at Place, nonces []string) *reply {
	refusal := refuse("use_dpop_nonce", "the proof needs the nonce in DPoP-Nonce")
	if at == UserInfo || at == Resource {
		refusal.status = http.StatusUnauthorized
		refusal.challenge = s.dpopChallenge(refusal.code)
	}
	rep := refusal.reply()
	rep.header["Dpop-Nonce"] = nonces
	return rep
}
