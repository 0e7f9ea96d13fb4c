package authserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// token is the token endpoint (RFC 6749 section 3.2).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	at, c, form, body, refusal := s.backChannel(r, func(form url.Values) Place {
		if form.Get("grant_type") == "refresh_token" {
			return Refresh
		}
		return Token
	})
	s.answer(w, r, at, body, func(faults []Fault) *reply {
		if refusal != nil {
			return refusal.reply()
		}
		bound, refusal := s.bind(r, at, c.client)
		if refusal != nil {
			return refusal.reply()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		var rep *reply
		switch form.Get("grant_type") {
		case "authorization_code":
			rep, refusal = s.redeem(c.client, form, bound)
		case "refresh_token":
			rep, refusal = s.renew(c.client, form, bound, faults)
		case "":
			refusal = refuse("invalid_request", "grant_type is missing")
		default:
			refusal = refuse("unsupported_grant_type", "")
		}
		if refusal != nil {
			return refusal.reply()
		}
		return rep
	})
}

// redeem turns a code into tokens (RFC 6749 section 4.1.3); the caller holds s.mu.
func (s *Server) redeem(client ClientRegistration, form url.Values, bound binding) (*reply,
	*failure) {
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		if form.Get(name) == "" {
			return nil, refuse("invalid_request", name+" is missing")
		}
	}
	verifier := form.Get("code_verifier")
	if len(verifier) < 43 || len(verifier) > 128 || !onlyURLSafe(verifier, "-._~") {
		return nil, refuse("invalid_request", "code_verifier is malformed") // RFC 7636 section 4.1
	}
	c, ok := s.state.codes[form.Get("code")]
	if !ok {
		return nil, refuse("invalid_grant", "the code is unknown")
	}
	if c.used {
		// RFC 6749 section 4.1.2: one of the two users stole it.
		c.grant.revoked = true
		return nil, refuse("invalid_grant", "the code is used already")
	}
	if c.grant.client != client.ID {
		return nil, refuse("invalid_grant", "the code belongs to another client")
	}
	c.used = true // also if it fails below: a verifier cannot be guessed
	switch {
	case !s.now().Before(c.expires):
		return nil, refuse("invalid_grant", "the code has expired")
	case c.redirectURI != form.Get("redirect_uri"):
		return nil, refuse("invalid_grant", "redirect_uri is not that of the authorization request")
	case c.challenge != oauth2.S256ChallengeFromVerifier(verifier): // RFC 7636 section 4.6
		return nil, refuse("invalid_grant", "code_verifier does not match")
	case c.jkt != "" && c.jkt != bound.jkt: // RFC 9449 section 10
		return nil, refuse("invalid_grant", "the code is bound to another key")
	}
	rep, refusal := s.tokens(c.grant, form, c.grant.scopes, c.grant.nonce, bound)
	if refusal == nil {
		rep.fields = append(rep.fields, member("refresh_token", s.issueRefresh(c.grant, bound)))
	}
	return rep, refusal
}

// renew turns a refresh token into new tokens (RFC 6749 section 6); the caller holds s.mu.
func (s *Server) renew(client ClientRegistration, form url.Values, bound binding,
	faults []Fault) (*reply, *failure) {
	if form.Get("refresh_token") == "" {
		return nil, refuse("invalid_request", "refresh_token is missing")
	}
	t, ok := s.state.refresh[form.Get("refresh_token")]
	switch {
	case !ok || t.grant.revoked:
		return nil, refuse("invalid_grant", "the refresh token is unknown or revoked")
	case t.grant.client != client.ID:
		return nil, refuse("invalid_grant", "the refresh token belongs to another client")
	case t.used:
		// RFC 9700 section 4.14.2: whoever was first, the grant is not safe any more.
		t.grant.revoked = true
		return nil, refuse("invalid_grant", "the refresh token is used already")
	case !t.bound.holds(bound):
		return nil, refuse("invalid_grant", "the refresh token is bound to another key")
	}
	scopes, ok := parseScope(form.Get("scope"))
	if !ok || slices.ContainsFunc(scopes, func(scope string) bool {
		return !slices.Contains(t.grant.scopes, scope)
	}) {
		return nil, refuse("invalid_scope", "more than was granted")
	}
	if len(scopes) == 0 {
		scopes = t.grant.scopes
	}
	// OpenID Connect Core section 12.2: no nonce in the ID token of a refresh.
	rep, refusal := s.tokens(t.grant, form, scopes, "", bound)
	if refusal != nil {
		return nil, refusal
	}
	if !slices.ContainsFunc(faults, func(f Fault) bool { return f.noRotation }) {
		t.used = true
		rep.fields = append(rep.fields, member("refresh_token", s.issueRefresh(t.grant, bound)))
	}
	return rep, nil
}

// tokens is a token answer without refresh token (RFC 6749 section 5.1), for as much of g as form
// asks for; the caller holds s.mu.
func (s *Server) tokens(g *grant, form url.Values, scopes []string, nonce string,
	bound binding) (*reply, *failure) {
	resources, details, refusal := g.narrow(form)
	if refusal != nil {
		return nil, refusal
	}
	access := s.issueAccess(accessToken{
		grant: g, scopes: scopes, resources: resources, details: details, bound: bound,
	})
	rep := newReply(
		member("access_token", access),
		member("token_type", bound.tokenType()),
		member("expires_in", int(tokenLifetime.Seconds())),
		member("scope", strings.Join(scopes, " ")),
	)
	if details != "" { // RFC 9396 section 7
		rep.fields = append(rep.fields, member("authorization_details", wire.Raw(details)))
	}
	if slices.Contains(scopes, "openid") {
		rep.fields = append(rep.fields, member("id_token", s.idToken(g, nonce, access)))
	}
	return rep, nil
}

// revoke is the revocation endpoint (RFC 7009).
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	_, c, form, body, refusal := s.backChannel(r, func(url.Values) Place { return Revocation })
	s.answer(w, r, Revocation, body, func([]Fault) *reply {
		if refusal == nil && form.Get("token") == "" {
			refusal = refuse("invalid_request", "token is missing")
		}
		if refusal == nil {
			refusal = s.forget(c.client, form.Get("token"))
		}
		if refusal != nil {
			return refusal.reply()
		}
		return newReply()
	})
}

// forget revokes token. RFC 7009 section 2.1: a refresh token takes its grant's access tokens
// along; section 2.2: an unknown token is a success.
func (s *Server) forget(client ClientRegistration, token string) *failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.state.refresh[token]; ok {
		if t.grant.client != client.ID {
			return refuse("invalid_grant", "the token belongs to another client")
		}
		t.grant.revoked = true
	}
	if t, ok := s.state.access[token]; ok {
		if t.grant.client != client.ID {
			return refuse("invalid_grant", "the token belongs to another client")
		}
		delete(s.state.access, token)
	}
	return nil
}
