package authserver

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// presented is an access token that came with a request, and was good.
type presented struct {
	accessToken
	scheme string // as the client wrote it
}

// protected checks the access token of a request to a resource. It takes it from the Authorization
// header only (RFC 6750 section 2.1), by the scheme that the token demands, and with proof of the
// key or the certificate that it is bound to (RFC 9449 section 7, RFC 8705 section 3).
func (s *Server) protected(r *http.Request, at Place) (p presented, refusal *failure) {
	scheme, text, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	dpop := strings.EqualFold(scheme, "DPoP")
	if !dpop && !strings.EqualFold(scheme, "Bearer") {
		// RFC 6750 section 3.1: no error code.
		return p, unauthorized("invalid_token", `Bearer realm="authtest"`)
	}
	s.mu.Lock()
	t, ok := s.live(text)
	s.mu.Unlock()
	invalid := unauthorized("invalid_token", `Bearer realm="authtest", error="invalid_token"`)
	if dpop || t.bound.jkt != "" {
		invalid.challenge = dpopChallenge("invalid_token")
	}
	switch {
	case !ok || len(r.Header.Values("Authorization")) != 1:
		return p, invalid
	case dpop != (t.bound.jkt != ""):
		return p, invalid // RFC 9449 section 7.2: a bound token is no bearer token
	case t.bound.x5t != "" && t.bound.x5t != thumbprintOf(r):
		return p, invalid
	}
	if dpop {
		jkt, fault := s.proof(r, at, text)
		switch {
		case fault != nil:
			return p, unauthorized(fault.code, dpopChallenge(fault.code))
		case jkt != t.bound.jkt:
			return p, invalid
		}
	}
	return presented{t, scheme}, nil
}

func unauthorized(code, challenge string) *failure {
	return &failure{status: http.StatusUnauthorized, code: code, challenge: challenge}
}

// userinfo serves the claims about the person (OpenID Connect Core section 5.3).
func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	s.record(requestAt(UserInfo, r))
	s.answer(w, r, UserInfo, nil, func(faults []Fault) *reply {
		if r.Method != http.MethodGet && r.Method != http.MethodPost {
			return wrongMethod("GET, POST").reply()
		}
		t, refusal := s.protected(r, UserInfo)
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
		if slices.ContainsFunc(faults, asJWT) {
			fields = append(fields, member("iss", s.URL), member("aud", t.grant.client))
		}
		return newReply(fields...)
	})
}

// resource is a small protected API: /resource and all below it, with any method. It tells what it
// saw.
func (s *Server) resource(w http.ResponseWriter, r *http.Request) {
	s.record(requestAt(Resource, r))
	s.answer(w, r, Resource, nil, func([]Fault) *reply {
		t, refusal := s.protected(r, Resource)
		if refusal == nil {
			refusal = s.checkRights(t)
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

// checkRights refuses a token for another resource (RFC 8707 section 2.2), and one of a login that
// is not good enough (RFC 9470 section 3).
func (s *Server) checkRights(t presented) *failure {
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
	challenge := scheme + ` error="` + code + `", error_description="sign in again, and better"`
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

// stepUp is what SetStepUp asks for.
type stepUp struct {
	acr    string
	maxAge time.Duration
}

// SetStepUp makes [Resource] refuse tokens of a login whose acr is none of acrValues, which a space
// separates, or that is older than maxAge, with the challenge of RFC 9470. An empty acrValues or a
// maxAge of 0 asks for nothing. The acr of a login is the first of the acr_values that the app has
// asked for.
func (s *Server) SetStepUp(acrValues string, maxAge time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stepUp = stepUp{acrValues, maxAge}
}

// requestAt is the record of a request without a form.
func requestAt(at Place, r *http.Request) Request {
	return Request{
		Place: at, Method: r.Method, Header: r.Header.Clone(), Form: url.Values{},
		Certificate: thumbprintOf(r),
	}
}
