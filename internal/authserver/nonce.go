package authserver

import "net/http"

// Nonces says what nonces the server wants in DPoP proofs (RFC 9449 sections 8 and 9).
type Nonces int

// The ways with nonces.
const (
	NoNonces       Nonces = iota // none: a nonce in a proof is not looked at
	FixedNonces                  // one, which is sent with a demand alone; see [Server.RotateNonces]
	RotatingNonces               // a new one with every answer; the one before is worth nothing
)

// nonceBook is what one role of the server remembers about nonces. Server.mu guards it.
type nonceBook struct {
	mode    Nonces
	current string
}

// SetNonces chooses the nonces of the authorization server, which are for [PAR], [Token] and
// [Refresh], and those of the resources, for [UserInfo] and [Resource]. They differ, as they would
// on two hosts. A new server has NoNonces.
func (s *Server) SetNonces(authorizationServer, resources Nonces) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serverNonces = nonceBook{authorizationServer, randomText()}
	s.resourceNonces = nonceBook{resources, randomText()}
}

// RotateNonces makes the nonces that clients know worthless. The new ones come with the next
// demand.
func (s *Server) RotateNonces() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serverNonces.current = randomText()
	s.resourceNonces.current = randomText()
}

// nonces returns the book for at; the caller holds s.mu.
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

// announce adds the nonce for the next proof to an answer (RFC 9449 section 8.2).
func (s *Server) announce(rep *reply, at Place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.nonces(at)
	switch {
	case b.mode == RotatingNonces:
		b.current = randomText()
	case b.mode == NoNonces || !rep.demand:
		return
	}
	rep.header.Set("DPoP-Nonce", b.current)
}

// DemandNonce stands in for the answer: use_dpop_nonce, with status 400 at the authorization server
// and 401 at a resource, however good the nonce in the proof is. Each of nonces becomes a header
// DPoP-Nonce of its own: two of them are a fault, none is one as well, and so may be their values.
// A client must not go on for ever.
func DemandNonce(nonces ...string) Fault {
	return Fault{demand: func() []string { return nonces }}
}

// DemandFreshNonce is [DemandNonce] with another good-looking nonce every time.
func DemandFreshNonce() Fault {
	return Fault{demand: func() []string { return []string{randomText()} }}
}

// nonceDemand is the answer that asks for a nonce.
func nonceDemand(at Place, nonces []string) *reply {
	refusal := refuse("use_dpop_nonce", "the proof needs the nonce in DPoP-Nonce")
	if at == UserInfo || at == Resource {
		refusal.status = http.StatusUnauthorized
		refusal.challenge = dpopChallenge(refusal.code)
	}
	rep := refusal.reply()
	rep.header["Dpop-Nonce"] = nonces
	return rep
}
