package authserver

import (
	"net/http"
	"slices"
)

// discovery serves the server's metadata (OpenID Connect Discovery section 3,
// RFC 8414 section 2). One document serves both.
func (s *Server) discovery(w http.ResponseWriter, r *http.Request) {
	s.record(requestAt(Discovery, r))
	s.serveReply(w, r, Discovery, nil, func([]Fault) *reply {
		// A client that is registered later can change this.
		s.mu.Lock()
		offersPAR := s.offersPAR()
		s.mu.Unlock()
		fields := append(s.endpointMetadata(), s.signatureMetadata()...)
		if offersPAR { // RFC 9126 section 5
			fields = append(fields,
				member("pushed_authorization_request_endpoint", s.URL+"/par"),
				member("require_pushed_authorization_requests", s.pushed.required))
		}
		if s.MTLSURL != "" { // RFC 8705 section 5
			fields = append(fields, member("mtls_endpoint_aliases", s.aliases(offersPAR)))
		}
		return newReply(fields...)
	})
}

// aliases are the endpoints at the listener that asks for certificates. A
// browser never sees that listener: it would ask people which certificate to
// show.
func (s *Server) aliases(offersPAR bool) map[string]string {
	aliases := map[string]string{
		"token_endpoint":         s.MTLSURL + "/token",
		"revocation_endpoint":    s.MTLSURL + "/revoke",
		"introspection_endpoint": s.MTLSURL + "/introspect",
		"userinfo_endpoint":      s.MTLSURL + "/userinfo",
	}
	if offersPAR {
		aliases["pushed_authorization_request_endpoint"] = s.MTLSURL + "/par"
	}
	return aliases
}

// endpointMetadata says where the endpoints are and what they take.
func (s *Server) endpointMetadata() []field {
	methods := s.authMethods()
	return []field{
		member("issuer", s.URL),
		member("authorization_endpoint", s.URL+"/authorize"),
		member("token_endpoint", s.URL+"/token"),
		member("userinfo_endpoint", s.URL+"/userinfo"),
		member("revocation_endpoint", s.URL+"/revoke"),
		member("introspection_endpoint", s.URL+"/introspect"),
		member("jwks_uri", s.URL+"/jwks"),
		member("end_session_endpoint", s.URL+"/logout"),
		member("scopes_supported", []string{"openid", "profile", "email"}),
		member("response_types_supported", []string{"code"}),
		member("response_modes_supported",
			[]string{"query", "form_post", "jwt", "query.jwt", "form_post.jwt"}),
		member("grant_types_supported", []string{"authorization_code", "refresh_token"}),
		member("subject_types_supported", []string{"public"}),
		member("token_endpoint_auth_methods_supported", methods),
		member("revocation_endpoint_auth_methods_supported", methods),
		member("introspection_endpoint_auth_methods_supported", without(methods, None)),
		member("code_challenge_methods_supported", []string{"S256"}),
		member("prompt_values_supported", []string{"none", "login", "consent", "select_account"}),
		member("claims_supported",
			[]string{"sub", "name", "picture", "email", "email_verified", "acr", "auth_time"}),
		member("authorization_response_iss_parameter_supported", true),
		member("tls_client_certificate_bound_access_tokens", s.takesCertificates()),
	}
}

// signatureMetadata says who may sign what, and with which algorithms.
func (s *Server) signatureMetadata() []field {
	assertions := append([]string{"HS256"}, s.named(clientAlgorithms)...)
	own := []string{s.alg}
	return []field{
		member("id_token_signing_alg_values_supported", own),
		member("authorization_signing_alg_values_supported", own), // JARM section 4
		member("introspection_signing_alg_values_supported", own), // RFC 9701 section 7
		member("token_endpoint_auth_signing_alg_values_supported", assertions),
		member("revocation_endpoint_auth_signing_alg_values_supported", assertions),
		member("introspection_endpoint_auth_signing_alg_values_supported", assertions),
		member("request_object_signing_alg_values_supported", s.named(clientAlgorithms)),
		member("dpop_signing_alg_values_supported", s.named(proofAlgorithms)),
		member("request_parameter_supported", true),
		// False says that a client cannot host its request object at a URL of
		// its own. The request_uri of a pushed request (RFC 9126) is something
		// else.
		member("request_uri_parameter_supported", false),
		member("require_signed_request_object", s.mustSign),
	}
}

// takesCertificates reports whether any listener asks for client certificates.
func (s *Server) takesCertificates() bool { return s.MTLSURL != "" || s.askMain }

// authMethods returns the methods that a client can use at this server.
func (s *Server) authMethods() []AuthMethod {
	if s.takesCertificates() {
		return authMethods
	}
	return without(authMethods, TLSClientAuth, SelfSignedTLS)
}

func without(methods []AuthMethod, drop ...AuthMethod) []AuthMethod {
	return slices.DeleteFunc(slices.Clone(methods), func(m AuthMethod) bool {
		return slices.Contains(drop, m)
	})
}
