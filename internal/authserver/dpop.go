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

// proofAlgorithms are those of DPoP proofs: those of FAPI 2.0 (Security Profile section 5.4.1).
var proofAlgorithms = []string{"PS256", "ES256", "EdDSA"}

// proofWindow is how old a proof may be, or how far ahead.
const proofWindow = time.Minute

// proofFault is what is wrong with a proof: an error code of RFC 9449 section 12.2, and words.
type proofFault struct{ code, words string }

// proof checks the DPoP proof of a request (RFC 9449 section 4.3) and returns the thumbprint of its
// key; "" if there is no proof. access is the access token beside it; "" at the token and PAR
// endpoints.
func (s *Server) proof(r *http.Request, at Place, access string) (jkt string, fault *proofFault) {
	headers := r.Header.Values("DPoP")
	if len(headers) == 0 {
		return "", nil
	}
	t, ok := parseJWT(headers[0])
	if len(headers) > 1 || !ok {
		return "", &proofFault{"invalid_dpop_proof", "it is not one JWT"}
	}
	key, ok := t.proofKey()
	if !ok {
		return "", &proofFault{"invalid_dpop_proof", "it is not signed by the public key in jwk"}
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
	// Used up also where the nonce is wrong: a repeated request needs a proof of its own.
	if !s.useOnce("proof", textOf(t.claims, "jti")) {
		return "", &proofFault{"invalid_dpop_proof", "jti has been used already"}
	}
	if !s.nonces(at).accept(textOf(t.claims, "nonce")) {
		return "", &proofFault{"use_dpop_nonce", "the proof needs the nonce in DPoP-Nonce"}
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

// proofKey returns the public key in the header of a proof if it has signed the proof. parseJWT has
// refused private ones: go-jose does.
func (t clientJWT) proofKey() (key jose.JSONWebKey, ok bool) {
	if json.Unmarshal([]byte(t.header["jwk"]), &key) != nil {
		return key, false
	}
	own := Key{Public: key.Key, Algorithm: t.alg()}
	return key, slices.Contains(proofAlgorithms, t.alg()) && own.complete() == "" && t.verify(key.Key)
}

// checkProof says what is wrong with the header and the claims of a proof.
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
	case textOf(t.claims, "htu") != endpointOf(r): // without query and fragment: RFC 9449 section 4.2
		return "htu is not the URL without query and fragment"
	case !dated || age > proofWindow || age < -proofWindow:
		return "iat is missing, too old or in the future"
	case access != "" && textOf(t.claims, "ath") != tokenHash(access):
		return "ath is not the hash of the access token"
	}
	return ""
}

// tokenHash is ath (RFC 9449 section 4.2).
func tokenHash(access string) string {
	sum := sha256.Sum256([]byte(access))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// proofAtServer checks the proof of a request to the authorization server.
func (s *Server) proofAtServer(r *http.Request, at Place) (jkt string, refusal *failure) {
	jkt, fault := s.proof(r, at, "")
	if fault != nil {
		return "", refuse(fault.code, fault.words) // RFC 9449 section 5: status 400
	}
	return jkt, nil
}

// bind finds out what the tokens for a token request are bound to, and refuses what the client's
// registration refuses.
func (s *Server) bind(r *http.Request, at Place, client ClientRegistration) (bound binding,
	refusal *failure) {
	if bound.jkt, refusal = s.proofAtServer(r, at); refusal != nil {
		return bound, refusal
	}
	if client.RequireDPoP && bound.jkt == "" {
		return bound, refuse("invalid_request", "the client needs a DPoP proof") // RFC 9449 section 5.2
	}
	if client.CertificateBound {
		bound.x5t = thumbprintOf(r)
		if bound.x5t == "" {
			return bound, refuse("invalid_request", "the client needs a certificate")
		}
	}
	return bound, nil
}

// dpopChallenge is the WWW-Authenticate of a refused proof or DPoP-bound token (RFC 9449 section
// 7.1).
func dpopChallenge(code string) string {
	challenge := `DPoP algs="` + strings.Join(proofAlgorithms, " ") + `"`
	if code != "" {
		challenge += `, error="` + code + `"`
	}
	return challenge
}
