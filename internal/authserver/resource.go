package authserver

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// presentedToken is a valid access token that came with a request.
type presentedToken struct {
	accessToken
	scheme string // in the client's spelling
}

// checkToken checks the access token of a request to a resource. The token must
// be in the Authorization header (RFC 6750 section 2.1), with the scheme for
// its kind. If it is bound, the request must prove the possession of the key or
// the certificate (RFC 9449 section 7, RFC 8705 section 3).
func (s *Server) checkToken(r *http.Request, at Place) (p presentedToken, refusal *failure) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	dpop := strings.EqualFold(scheme, "DPoP")
	if !dpop && !strings.EqualFold(scheme, "Bearer") {
		// RFC 6750 section 3.1: without a token, the challenge has no error
		// code.
		return p, unauthorized("invalid_token", `Bearer realm="authtest"`)
	}
	s.mu.Lock()
	t, ok := s.validAccess(text)
	s.mu.Unlock()
	invalid := unauthorized("invalid_token", `Bearer realm="authtest", error="invalid_token"`)
	if dpop || t.bound.jkt != "" {
		invalid.challenge = s.dpopChallenge("invalid_token")
	}
	switch {
	case !ok || len(r.Header.Values("Authorization")) != 1:
		return p, invalid
	case dpop != (t.bound.jkt != ""):
		// RFC 9449 section 7.2: a bound token must not be accepted as a bearer
		// token. A thief could otherwise just leave out the proof.
		return p, invalid
	// RFC 8705 section 3: the certificate of this connection must be the one
	// that the token was issued under.
	case t.bound.x5t != "" && t.bound.x5t != thumbprintOf(r):
		return p, invalid
	}
	if dpop {
		jkt, fault := s.verifyProof(r, at, text)
		switch {
		case fault != nil:
			return p, unauthorized(fault.code, s.dpopChallenge(fault.code))
		// RFC 9449 section 4.3, number 12: a good proof by another key is of no
		// use.
		case jkt != t.bound.jkt:
			return p, invalid
		}
	}
	return presentedToken{t, scheme}, nil
}

// unauthorized makes the answer to a missing or refused token.
func unauthorized(code, challenge string) *failure {
	return &failure{status: http.StatusUnauthorized, code: code, challenge: challenge}
}

// userinfo serves the claims about the person (OpenID Connect Core section
// 5.3).
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	s.record(requestAt(UserInfo, r))
	s.serveReply(w, r, UserInfo, nil, func(faults []Fault) *reply {
		if r.Method != http.MethodGet && r.Method != http.MethodPost {
			return wrongMethod("GET, POST").reply()
		}
		t, refusal := s.checkToken(r, UserInfo)
		if refusal == nil && !slices.Contains(t.scopes, "openid") {
			refusal = &failure{
				status: http.StatusForbidden, code: "insufficient_scope",
				challenge: `Bearer realm="authtest", error="insufficient_scope", scope="openid"`,
			}
		}
		if refusal != nil {
			return refusal.reply()
		}
		fields := t.grant.user.claims(t.scopes)
		// OpenID Connect Core section 5.3.2: a signed answer has iss and aud.
		if slices.ContainsFunc(faults, asJWT) {
			fields = append(fields, member("iss", s.URL), member("aud", t.grant.client))
		}
		return newReply(fields...)
	})
}

// resource is a small protected API at /resource and below, for any method. Its
// answer says what the server saw.
func (s *Server) resource(w http.ResponseWriter, r *http.Request) {
	s.record(requestAt(Resource, r))
	s.serveReply(w, r, Resource, nil, func([]Fault) *reply {
		t, refusal := s.checkToken(r, Resource)
		if refusal == nil {
			refusal = s.checkTokenUse(t)
		}
		if refusal != nil {
			return refusal.reply()
		}
		bound := "none"
		switch {
		case t.bound.jkt != "" && t.bound.x5t != "":
			bound = "dpop+certificate"
		case t.bound.jkt != "":
			bound = "dpop"
		case t.bound.x5t != "":
			bound = "certificate"
		}
		return newReply(
			member("method", r.Method), member("scheme", t.scheme), member("binding", bound),
			member("sub", t.grant.user.Subject), member("client_id", t.grant.client),
			member("scope", strings.Join(t.scopes, " ")), member("acr", t.grant.acr),
			member("auth_time", t.grant.authTime),
		)
	})
}

// checkTokenUse refuses a token for another resource (RFC 8707 section 2.2),
// and a token from a login that is too old or too weak (RFC 9470 section 3).
func (s *Server) checkTokenUse(t presentedToken) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	scheme := t.bound.tokenType()
	if len(t.resources) > 0 && !slices.ContainsFunc(t.resources, s.isResource) {
		return unauthorized("invalid_token", scheme+` error="invalid_token"`)
	}
	levels, maxAge := strings.Fields(s.stepUp.acr), s.stepUp.maxAge
	old := maxAge > 0 && s.now().Sub(time.Unix(t.grant.authTime, 0)) > maxAge
	if !old && (len(levels) == 0 || slices.Contains(levels, t.grant.acr)) {
		return nil
	}
	const code = "insufficient_user_authentication"
	challenge := scheme + ` error="` + code + `", error_description="sign in again, by stronger means"`
	if len(levels) > 0 {
		challenge += fmt.Sprintf(`, acr_values="%s"`, s.stepUp.acr)
	}
	if maxAge > 0 {
		challenge += fmt.Sprintf(`, max_age="%d"`, int(maxAge.Seconds()))
	}
	return unauthorized(code, challenge)
}

func (s *Server) isResource(uri string) bool {
	return uri == s.URL+"/resource" || s.MTLSURL != "" && uri == s.MTLSURL+"/resource"
}

// stepUp is what SetStepUp demands.
type stepUp struct {
	acr    string
	maxAge time.Duration
}

// SetStepUp makes [Resource] demand a stronger or newer login, with the
// challenge of RFC 9470. It refuses a token if the acr of its login is not
// among acrValues, which are separated by spaces, or if the login is older than
// maxAge. An empty acrValues or a maxAge of 0 demands nothing. The acr of a
// login is the first of the acr_values that the app has asked for.
func (s *Server) SetStepUp(acrValues string, maxAge time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stepUp = stepUp{acrValues, maxAge}
}

// requestAt records a request without a form.
func requestAt(at Place, r *http.Request) Request {
	return Request{
		Place: at, Method: r.Method, Header: r.Header.Clone(), Form: url.Values{},
		Certificate: thumbprintOf(r),
	}
}
