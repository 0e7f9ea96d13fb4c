package authserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode/internal/wire"
)

const introspectionType = "application/token-introspection+jwt"

// introspect is the introspection endpoint (RFC 7662). Its answer is signed if
// the client asks for that (RFC 9701).
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	_, c, form, body, refusal := s.clientRequest(r, func(url.Values) Place { return Introspection })
	s.serveReply(w, r, Introspection, body, func(faults []Fault) *reply {
		if refusal == nil && c.client.AuthMethod == None {
			// RFC 7662 section 2.1: otherwise anybody could try tokens here.
			refusal = unknownClient()
		}
		if refusal == nil && form.Get("token") == "" {
			refusal = refuse("invalid_request", "token is missing")
		}
		if refusal != nil {
			return refusal.reply()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		rep := newReply(s.introspection(c.client, form.Get("token"))...)
		signed := strings.Contains(strings.Join(r.Header.Values("Accept"), ","), introspectionType)
		if slices.ContainsFunc(faults, isSigned) || signed && !slices.ContainsFunc(faults, isPlain) {
			rep.seal = func(fields []field) string { return s.introspectionJWT(c.client, fields) }
			rep.header.Set("Content-Type", introspectionType)
		}
		return rep
	})
}

// introspection returns what client may know about a token (RFC 7662 section
// 2.2). The caller holds s.mu.
func (s *Server) introspection(client ClientRegistration, text string) []field {
	t, kind := s.findToken(text)
	// Section 2.2: nothing else may be said. A token of another client and one
	// that does not exist look the same.
	g := t.grant
	if g == nil || g.client != client.ID && !client.ResourceServer {
		return []field{member("active", false)}
	}
	fields := []field{
		member("active", true), member("iss", s.URL), member("client_id", g.client),
		member("sub", g.user.Subject), member("scope", strings.Join(t.scopes, " ")),
		member("auth_time", g.authTime),
	}
	if kind != "" {
		fields = append(fields, member("token_type", kind), member("iat", t.issued.Unix()),
			member("exp", t.expires.Unix()))
	}
	if g.acr != "" {
		fields = append(fields, member("acr", g.acr)) // RFC 9470 section 6.2
	}
	if len(t.resources) > 0 {
		fields = append(fields, member("aud", t.resources))
	}
	if t.details != "" {
		fields = append(fields, member("authorization_details", wire.Raw(t.details)))
	}
	if cnf := t.bound.confirmation(); len(cnf) > 0 {
		fields = append(fields, member("cnf", cnf))
	}
	return fields
}

// findToken returns the access token with this text and its token_type, or what
// a refresh token with this text stands for (section 2.1), which has no
// token_type. It returns the zero token if there is none. The caller holds
// s.mu.
func (s *Server) findToken(text string) (t accessToken, tokenType string) {
	if t, ok := s.validAccess(text); ok {
		return t, t.bound.tokenType()
	}
	r := s.state.refresh[text]
	if r == nil || r.used || r.grant.revoked {
		return accessToken{}, ""
	}
	return accessToken{
		grant: r.grant, bound: r.bound,
		scopes: r.grant.scopes, resources: r.grant.resources, details: r.grant.details,
	}, ""
}

// confirmation returns the members of cnf (RFC 7800 section 3.1, RFC 9449
// section 6.2, RFC 8705 section 3.2). A resource server compares them with the
// key and the certificate of the request.
func (b binding) confirmation() map[string]string {
	cnf := map[string]string{}
	if b.jkt != "" {
		cnf["jkt"] = b.jkt
	}
	if b.x5t != "" {
		cnf["x5t#S256"] = b.x5t
	}
	return cnf
}

// introspectionJWT makes a signed answer for client (RFC 9701 section 5).
func (s *Server) introspectionJWT(client ClientRegistration, fields []field) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims := []field{
		member("iss", s.URL), member("aud", client.ID), member("iat", s.now().Unix()),
		{"token_introspection", string(object(fields))},
	}
	faults := s.visitLocked(IntrospectionJWT)
	return s.signed(client.ID, "token-introspection+jwt", applyEdits(claims, faults), faults)
}
