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
	at, c, form, body, refusal := s.clientRequest(r, func(form url.Values) Place {
		if form.Get("grant_type") == "refresh_token" {
			return Refresh
		}
		return Token
	})
	s.serveReply(w, r, at, body, func(faults []Fault) *reply {
		if refusal != nil {
			return refusal.reply()
		}
		// A proof is used up here, also if the code turns out to be wrong.
		bound, refusal := s.bindTokens(r, at, c.client)
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
			rep, refusal = s.refreshTokens(c.client, form, bound, faults)
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

// redeem exchanges a code for tokens (RFC 6749 section 4.1.3). The caller holds
// s.mu.
func (s *Server) redeem(client ClientRegistration, form url.Values, bound binding) (*reply,
	*failure) {
	if refusal := checkCodeRequest(form); refusal != nil {
		return nil, refusal
	}
	c, ok := s.state.codes[form.Get("code")]
	if !ok {
		return nil, refuse("invalid_grant", "the code is unknown")
	}
	if c.used {
		// RFC 6749 section 4.1.2: two clients have the code, so one of them has
		// stolen it. Nobody knows which one, so all tokens are revoked.
		c.grant.revoked = true
		return nil, refuse("invalid_grant", "the code has been used already")
	}
	// RFC 6749 section 4.1.3: another client might have intercepted the code.
	if c.grant.client != client.ID {
		return nil, refuse("invalid_grant", "the code belongs to another client")
	}
	// Also if a check below fails. Otherwise an attacker with a stolen code
	// could try many verifiers.
	c.used = true
	switch {
	case !s.now().Before(c.expires):
		return nil, refuse("invalid_grant", "the code has expired")
	case c.redirectURI != form.Get("redirect_uri"):
		return nil, refuse("invalid_grant", "redirect_uri differs from the authorization request")
	// RFC 7636 section 4.6: only the app that began the login has the verifier.
	case c.challenge != oauth2.S256ChallengeFromVerifier(form.Get("code_verifier")):
		return nil, refuse("invalid_grant", "code_verifier does not match")
	// RFC 9449 section 10: the authorization request has named the key.
	case c.jkt != "" && c.jkt != bound.jkt:
		return nil, refuse("invalid_grant", "the code is bound to another key")
	}
	rep, refusal := s.tokenReply(c.grant, form, c.grant.scopes, c.grant.nonce, bound)
	if refusal == nil {
		rep.fields = append(rep.fields, member("refresh_token", s.issueRefresh(c.grant, bound)))
	}
	return rep, refusal
}

// checkCodeRequest checks the form of a token request with a code. RFC 6749
// section 4.1.3 demands redirect_uri, and RFC 7636 section 4.1 says what a
// verifier looks like.
func checkCodeRequest(form url.Values) *failure {
	for _, name := range []string{"code", "redirect_uri", "code_verifier"} {
		if form.Get(name) == "" {
			return refuse("invalid_request", name+" is missing")
		}
	}
	verifier := form.Get("code_verifier")
	if len(verifier) < 43 || len(verifier) > 128 || !onlyURLSafe(verifier, "-._~") {
		return refuse("invalid_request", "code_verifier is malformed")
	}
	return nil
}

// refreshTokens exchanges a refresh token for new tokens (RFC 6749 section 6).
// The caller holds s.mu.
func (s *Server) refreshTokens(client ClientRegistration, form url.Values, bound binding,
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
		// RFC 9700 section 4.14.2: two clients have it, and one has stolen it.
		t.grant.revoked = true
		return nil, refuse("invalid_grant", "the refresh token has been used already")
	case !t.bound.holds(bound):
		return nil, refuse("invalid_grant", "the refresh token is bound to another key")
	}
	// RFC 6749 section 6: a refresh may ask for fewer scopes, never for more.
	scopes, ok := parseScope(form.Get("scope"))
	if !ok || slices.ContainsFunc(scopes, func(scope string) bool {
		return !slices.Contains(t.grant.scopes, scope)
	}) {
		return nil, refuse("invalid_scope", "more than was granted")
	}
	if len(scopes) == 0 {
		scopes = t.grant.scopes
	}
	// OpenID Connect Core section 12.2: the ID token of a refresh should have
	// no nonce.
	rep, refusal := s.tokenReply(t.grant, form, scopes, "", bound)
	if refusal != nil {
		return nil, refusal
	}
	if !slices.ContainsFunc(faults, func(f Fault) bool { return f.noRotation }) {
		t.used = true
		rep.fields = append(rep.fields, member("refresh_token", s.issueRefresh(t.grant, bound)))
	}
	return rep, nil
}

// tokenReply makes a token response without a refresh token (RFC 6749 section
// 5.1). The tokens are for the part of g that form asks for. The caller holds
// s.mu.
func (s *Server) tokenReply(g *grant, form url.Values, scopes []string, nonce string,
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
	_, c, form, body, refusal := s.clientRequest(r, func(url.Values) Place { return Revocation })
	s.serveReply(w, r, Revocation, body, func([]Fault) *reply {
		if refusal == nil && form.Get("token") == "" {
			refusal = refuse("invalid_request", "token is missing")
		}
		if refusal == nil {
			refusal = s.revokeToken(c.client, form.Get("token"))
		}
		if refusal != nil {
			return refusal.reply()
		}
		return newReply()
	})
}

// revokeToken revokes a token. With a refresh token, the access tokens of its
// grant are revoked as well (RFC 7009 section 2.1). An unknown token is not an
// error (section 2.2): what the client wants is already the case.
func (s *Server) revokeToken(client ClientRegistration, token string) *failure {
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
