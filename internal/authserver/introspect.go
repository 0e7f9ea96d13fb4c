package authserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode/internal/wire"
)

const introspectionType = "application/token-introspection+jwt"

// introspect is the introspection endpoint (RFC 7662), with signed answers on request (RFC 9701).
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	_, c, form, body, refusal := s.backChannel(r, func(url.Values) Place { return Introspection })
	s.answer(w, r, Introspection, body, func(faults []Fault) *reply {
		if refusal == nil && c.client.AuthMethod == None {
			refusal = unknownClient() // RFC 7662 section 4: or anybody could try tokens
		}
		if refusal == nil && form.Get("token") == "" {
			refusal = refuse("invalid_request", "token is missing")
		}
		if refusal != nil {
			return refusal.reply()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		rep := newReply(s.describe(c.client, form.Get("token"))...)
		signed := strings.Contains(strings.Join(r.Header.Values("Accept"), ","), introspectionType)
		if slices.ContainsFunc(faults, isSigned) || signed && !slices.ContainsFunc(faults, isPlain) {
			rep.seal = func(fields []field) string { return s.introspectionJWT(c.client, fields) }
			rep.header.Set("Content-Type", introspectionType)
		}
		return rep
	})
}

// describe says what client may know about a token (RFC 7662 section 2.2); the caller holds s.mu.
func (s *Server) describe(client ClientRegistration, text string) []field {
	g, bound, kind := (*grant)(nil), binding{}, ""
	t, ok := s.live(text)
	again := s.state.refresh[text]
	switch {
	case ok:
		g, bound, kind = t.grant, t.bound, t.bound.tokenType()
	case again != nil && !again.used && !again.grant.revoked:
		g, bound = again.grant, again.bound
		t = accessToken{scopes: g.scopes, resources: g.resources, details: g.details}
	}
	if g == nil || g.client != client.ID && !client.ResourceServer {
		return []field{member("active", false)} // and nothing else: section 2.2
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
	if cnf := bound.confirmation(); len(cnf) > 0 {
		fields = append(fields, member("cnf", cnf))
	}
	return fields
}

// confirmation is cnf (RFC 7800 section 3.1, RFC 9449 section 6.2, RFC 8705 section 3.2).
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

// introspectionJWT is a signed answer for client (RFC 9701 section 5).
func (s *Server) introspectionJWT(client ClientRegistration, fields []field) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	claims := []field{
		member("iss", s.URL), member("aud", client.ID), member("iat", s.now().Unix()),
		{"token_introspection", string(object(fields))},
	}
	faults := s.visitLocked(IntrospectionJWT)
	return s.signed("token-introspection+jwt", edited(claims, faults), faults)
}
