package check

import (
	"fmt"
	"strings"
)

// group is a paragraph about what a server offers.
type group struct {
	title string
	rows  [][2]string // a label and the member that it is about
}

var groups = []group{
	{"Endpoints", [][2]string{
		{"authorization", "authorization_endpoint"}, {"token", "token_endpoint"},
		{"pushed requests (PAR)", "pushed_authorization_request_endpoint"},
		{"userinfo", "userinfo_endpoint"},
		{"introspection", "introspection_endpoint"}, {"revocation", "revocation_endpoint"},
		{"logout", "end_session_endpoint"}, {"session iframe", "check_session_iframe"},
		{"registration", "registration_endpoint"}, {"key set", "jwks_uri"},
	}},
	{"Signing in", [][2]string{
		{"response types", "response_types_supported"}, {"response modes", "response_modes_supported"},
		{"grants", "grant_types_supported"}, {"PKCE", "code_challenge_methods_supported"},
		{"iss in responses", "authorization_response_iss_parameter_supported"},
		{"PAR required", "require_pushed_authorization_requests"},
		{"levels (acr)", "acr_values_supported"},
		{"prompt", "prompt_values_supported"}, {"subject types", "subject_types_supported"},
		{"rights (RFC 9396)", "authorization_details_types_supported"},
	}},
	{"Client authentication", [][2]string{
		{"token", "token_endpoint_auth_methods_supported"},
		{"  signed by", "token_endpoint_auth_signing_alg_values_supported"},
		{"introspection", "introspection_endpoint_auth_methods_supported"},
		{"  signed by", "introspection_endpoint_auth_signing_alg_values_supported"},
		{"revocation", "revocation_endpoint_auth_methods_supported"},
		{"  signed by", "revocation_endpoint_auth_signing_alg_values_supported"},
	}},
	{"What binds a token", [][2]string{
		{"to a key (DPoP)", "dpop_signing_alg_values_supported"},
		{"to a certificate", "tls_client_certificate_bound_access_tokens"},
	}},
	{"Signatures", [][2]string{
		{"ID tokens", "id_token_signing_alg_values_supported"},
		{"userinfo", "userinfo_signing_alg_values_supported"},
		{"requests (JAR)", "request_object_signing_alg_values_supported"},
		{"  required", "require_signed_request_object"}, {"  by value", "request_parameter_supported"},
		{"  by reference", "request_uri_parameter_supported"},
		{"responses (JARM)", "authorization_signing_alg_values_supported"},
		{"introspection", "introspection_signing_alg_values_supported"},
	}},
	{"Signing out", [][2]string{
		{"by the app", "end_session_endpoint"}, {"back-channel", "backchannel_logout_supported"},
		{"  with sid", "backchannel_logout_session_supported"},
		{"front-channel", "frontchannel_logout_supported"},
		{"  with sid", "frontchannel_logout_session_supported"},
	}},
	{"What an app may ask for", [][2]string{
		{"scopes", "scopes_supported"}, {"claims", "claims_supported"},
		{"claims parameter", "claims_parameter_supported"},
	}},
}

// text returns the value of a member for people. It returns "" if the member is
// missing.
func (m *metadata) text(name string) string {
	switch v := m.value(name).(type) {
	case string:
		return show(v)
	case []string:
		return list(v)
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	}
	// RFC 8414 section 2: only this member has a default that matters here.
	if name == "token_endpoint_auth_methods_supported" {
		return "client_secret_basic (nothing is listed, and this is the default)"
	}
	return ""
}

// offers returns the members of the document by name, for JSON.
func (m *metadata) offers() map[string]any {
	all := map[string]any{}
	for name := range members {
		if v := m.value(name); v != nil {
			all[name] = v
		}
	}
	if m.aliases != nil {
		all["mtls_endpoint_aliases"] = m.aliases.offers()
	}
	return all
}

// printOffers writes the paragraphs.
func (r *report) printOffers(out *strings.Builder) {
	for _, g := range groups {
		r.printGroup(out, g, r.meta, "")
		if g.title == "Endpoints" && r.meta.aliases != nil {
			r.printGroup(out, group{"Endpoints for apps with a certificate (mTLS)", g.rows},
				r.meta.aliases, aliasPrefix)
		}
	}
	if len(r.Keys) > 0 {
		fmt.Fprint(out, "\n  Keys\n")
	}
	for _, k := range r.Keys {
		line := showWords(k.Kind)
		if k.ID != "" {
			line += ", kid " + show(k.ID)
		}
		if k.Algorithm != "" {
			line += ", alg " + show(k.Algorithm)
		}
		if k.Unusable != "" {
			line += " (not used: " + k.Unusable + ")"
		}
		fmt.Fprintf(out, "    %s\n", wrap(line, 6, width))
	}
	if len(r.meta.unknown) > 0 {
		fmt.Fprintf(out, "\n  Not looked at\n    %s\n", wrap(list(r.meta.unknown), 4, width))
	}
}

// printGroup writes one paragraph about m. The answers of its endpoints are
// filed under prefix and their names.
func (r *report) printGroup(out *strings.Builder, g group, m *metadata, prefix string) {
	const label = 22 // columns
	heading := "\n  " + g.title + "\n"
	for _, row := range g.rows {
		text := m.text(row[1])
		if text == "" {
			continue
		}
		if says := r.answerOf(prefix + row[1]); says != "" && strings.HasPrefix(g.title, "Endpoints") {
			text += " (" + says + ")"
		}
		fmt.Fprintf(out, "%s    %-*s %s\n", heading, label, row[0], wrap(text, 4+label+1, width))
		heading = ""
	}
}

// answerOf returns the answer of an endpoint in words. It returns "" if the
// endpoint was not called.
func (r *report) answerOf(endpoint string) string {
	for _, a := range r.Answers {
		if a.Endpoint == endpoint {
			return a.Says
		}
	}
	return ""
}

// showWords is like show, for a text of several words.
func showWords(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		words[i] = show(w)
	}
	return strings.Join(words, " ")
}
