package authserver

import (
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// proofAlgorithms are the algorithms that the server accepts in DPoP proofs:
// those of FAPI 2.0 (Security Profile section 5.4.1).
var proofAlgorithms = []string{"PS256", "ES256", "EdDSA"}

// proofWindow is how old a proof may be, or how far ahead.
const proofWindow = time.Minute

// proofFault says what is wrong with a proof, by an error code of RFC 9449
// section 12.2 and in words.
type proofFault struct{ code, words string }

// verifyProof checks the DPoP proof of a request (RFC 9449 section 4.3). It
// returns the thumbprint of its key, or "" if there is no proof. access is the
// access token beside it, which is "" at the token and PAR endpoints.
func (s *Server) verifyProof(
	r *http.Request, at Place, access string,
) (jkt string, fault *proofFault) {
	// RFC 9449 section 4.3, number 1: exactly one header.
	headers := r.Header.Values("DPoP")
	if len(headers) == 0 {
		return "", nil
	}
	t, ok := s.parseJWT(headers[0])
	if len(headers) > 1 || !ok {
		return "", &proofFault{"invalid_dpop_proof", "the header DPoP is not exactly one JWT"}
	}
	key, ok := t.proofKey()
	if !ok {
		return "", &proofFault{"invalid_dpop_proof", "the proof is not signed by the key in jwk"}
	}
	if words := t.checkProof(r, access); words != "" {
		return "", &proofFault{"invalid_dpop_proof", words}
	}
	sum, err := key.Thumbprint(crypto.SHA256) // RFC 7638
	if err != nil {
		return "", &proofFault{"invalid_dpop_proof", "jwk has no thumbprint"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// The jti counts as used even if the nonce is wrong, so that a client which
	// repeats the request has to make a new proof.
	if !s.useOnce("proof", textOf(t.claims, "jti")) {
		return "", &proofFault{"invalid_dpop_proof", "jti has been used already"}
	}
	if !s.nonces(at).accept(textOf(t.claims, "nonce")) {
		return "", &proofFault{"use_dpop_nonce", "the proof needs the nonce in DPoP-Nonce"}
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// proofKey returns the public key in the header of a proof, if that key has
// signed the proof. A private key has been refused before, in parseJWT, by
// go-jose (RFC 9449 section 4.3, number 7).
func (t clientJWT) proofKey() (key jose.JSONWebKey, ok bool) {
	if json.Unmarshal([]byte(t.header["jwk"]), &key) != nil {
		return key, false
	}
	own := Key{Public: key.Key, Algorithm: t.alg()}
	return key, slices.Contains(proofAlgorithms, t.alg()) && own.complete() == "" && t.verify(key.Key)
}

// checkProof says what is wrong with the header and the claims of a proof. Each
// check keeps a stolen proof from being of use elsewhere: for another method,
// at another URL, later, or with another token.
func (t clientJWT) checkProof(r *http.Request, access string) (words string) {
	id := textOf(t.claims, "jti")
	issued, dated := t.date("iat")
	age := time.Since(issued)
	switch {
	case textOf(t.header, "typ") != "dpop+jwt":
		return "typ is not dpop+jwt"
	case id == "" || id == "\x00":
		return "jti is missing"
	case textOf(t.claims, "htm") != r.Method:
		return "htm is not the method"
	// RFC 9449 section 4.2: without query and fragment. Real servers compare
	// byte for byte, and so does this one.
	case textOf(t.claims, "htu") != endpointOf(r):
		return "htu is not the URL without query and fragment"
	case !dated || age > proofWindow || age < -proofWindow:
		return "iat is missing, too old or in the future"
	case access != "" && textOf(t.claims, "ath") != tokenHash(access):
		return "ath is not the hash of the access token"
	}
	return ""
}

// tokenHash returns the ath of an access token (RFC 9449 section 4.2).
func tokenHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// verifyProofAtServer checks the proof of a request to the authorization
// server.
func (s *Server) verifyProofAtServer(r *http.Request, at Place) (jkt string, refusal *failure) {
	jkt, fault := s.verifyProof(r, at, "")
	if fault != nil {
		return "", refuse(fault.code, fault.words) // RFC 9449 section 5: status 400
	}
	return jkt, nil
}

// bindTokens finds out to which key and certificate the tokens of a token
// request are bound. It refuses the request if the client's registration
// demands more.
func (s *Server) bindTokens(r *http.Request, at Place, client ClientRegistration) (bound binding,
	refusal *failure) {
	if bound.jkt, refusal = s.verifyProofAtServer(r, at); refusal != nil {
		return bound, refusal
	}
	if client.RequireDPoP && bound.jkt == "" {
		// RFC 9449 section 5.2: dpop_bound_access_tokens.
		return bound, refuse("invalid_request", "this client must send a DPoP proof")
	}
	if client.CertificateBound {
		bound.x5t = thumbprintOf(r)
		if bound.x5t == "" {
			return bound, refuse("invalid_request", "this client must show a certificate")
		}
	}
	return bound, nil
}

// dpopChallenge returns the WWW-Authenticate for a refused proof or a refused
// token that is bound by DPoP (RFC 9449 section 7.1).
func (s *Server) dpopChallenge(code string) string {
	challenge := `DPoP algs="` + strings.Join(s.named(proofAlgorithms), " ") + `"`
	if code != "" {
		challenge += `, error="` + code + `"`
	}
	return challenge
}
