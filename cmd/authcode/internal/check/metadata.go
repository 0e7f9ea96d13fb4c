package check

import (
	"encoding/json"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"example.com/authcode/internal/wire"
)

// kind is the type that a standard demands of a member, in words for a message.
type kind string

const (
	isURL    kind = "an absolute URL without fragment"
	isText   kind = "a text"
	isList   kind = "a list of texts"
	isBool   kind = "true or false"
	isObject kind = "an object"
)

const (
	discovery = "OpenID Connect Discovery section 3"
	rfc8414   = "RFC 8414 section 2"

	backChannel  = "OpenID Connect Back-Channel Logout section 2.1"
	frontChannel = "OpenID Connect Front-Channel Logout section 3"
)

// members are the members that a check reads, with their types and the standard
// that defines them.
var members = map[string]struct {
	kind   kind
	source string
}{
	"issuer": {isText, rfc8414}, "authorization_endpoint": {isURL, rfc8414},
	"token_endpoint": {isURL, rfc8414},
	"jwks_uri":       {isURL, rfc8414}, "registration_endpoint": {isURL, rfc8414},
	"scopes_supported":         {isList, rfc8414},
	"response_types_supported": {isList, rfc8414}, "response_modes_supported": {isList, rfc8414},
	"grant_types_supported": {isList, rfc8414}, "code_challenge_methods_supported": {isList, rfc8414},
	"revocation_endpoint": {isURL, rfc8414}, "introspection_endpoint": {isURL, rfc8414},
	"token_endpoint_auth_methods_supported":                    {isList, rfc8414},
	"token_endpoint_auth_signing_alg_values_supported":         {isList, rfc8414},
	"revocation_endpoint_auth_methods_supported":               {isList, rfc8414},
	"revocation_endpoint_auth_signing_alg_values_supported":    {isList, rfc8414},
	"introspection_endpoint_auth_methods_supported":            {isList, rfc8414},
	"introspection_endpoint_auth_signing_alg_values_supported": {isList, rfc8414},
	"signed_metadata": {isText, rfc8414},

	"userinfo_endpoint": {isURL, discovery}, "claims_supported": {isList, discovery},
	"acr_values_supported":                        {isList, discovery},
	"subject_types_supported":                     {isList, discovery},
	"id_token_signing_alg_values_supported":       {isList, discovery},
	"userinfo_signing_alg_values_supported":       {isList, discovery},
	"request_object_signing_alg_values_supported": {isList, discovery},
	"request_parameter_supported":                 {isBool, discovery},
	"request_uri_parameter_supported":             {isBool, discovery},
	"claims_parameter_supported":                  {isBool, discovery},
	"prompt_values_supported":                     {isList, "OpenID Prompt Create section 4.2"},

	"pushed_authorization_request_endpoint":          {isURL, "RFC 9126 section 5"},
	"require_pushed_authorization_requests":          {isBool, "RFC 9126 section 5"},
	"authorization_response_iss_parameter_supported": {isBool, "RFC 9207 section 3"},
	"dpop_signing_alg_values_supported":              {isList, "RFC 9449 section 5.1"},
	"tls_client_certificate_bound_access_tokens":     {isBool, "RFC 8705 section 3.3"},
	"mtls_endpoint_aliases":                          {isObject, "RFC 8705 section 5"},
	"require_signed_request_object":                  {isBool, "RFC 9101 section 10.5"},
	"authorization_details_types_supported":          {isList, "RFC 9396 section 10"},
	"authorization_signing_alg_values_supported":     {isList, "JARM section 4"},
	"introspection_signing_alg_values_supported":     {isList, "RFC 9701 section 7"},

	"end_session_endpoint":                  {isURL, "OpenID Connect RP-Initiated Logout section 2.1"},
	"backchannel_logout_supported":          {isBool, backChannel},
	"backchannel_logout_session_supported":  {isBool, backChannel},
	"frontchannel_logout_supported":         {isBool, frontChannel},
	"frontchannel_logout_session_supported": {isBool, frontChannel},
	"check_session_iframe":                  {isURL, "OpenID Connect Session Management section 3.3"},
}

// endpoints are the members that name an address to send something to, in the
// order in which they are printed.
var endpoints = []string{
	"authorization_endpoint", "token_endpoint", "pushed_authorization_request_endpoint",
	"userinfo_endpoint", "introspection_endpoint", "revocation_endpoint",
	"end_session_endpoint", "registration_endpoint", "check_session_iframe", "jwks_uri",
}

// metadata holds the members of a document that have the right types. A member
// of another type is treated as missing, and is listed in malformed.
type metadata struct {
	texts   map[string]string
	lists   map[string][]string
	flags   map[string]bool
	aliases *metadata // mtls_endpoint_aliases; nil if there are none

	malformed []string // names, in alphabetical order
	empty     []string // names of lists without element
	unknown   []string // names of members that a check does not read
}

// newMetadata sorts the members of a document by type.
func newMetadata(obj wire.Object) *metadata {
	m := &metadata{texts: map[string]string{}, lists: map[string][]string{}, flags: map[string]bool{}}
	for name, raw := range obj {
		what, known := members[name]
		switch {
		case !known:
			m.unknown = append(m.unknown, name)
		case raw == "null": // treated as missing: most servers mean that
		case !m.read(name, what.kind, raw):
			m.malformed = append(m.malformed, name)
		}
	}
	slices.Sort(m.malformed)
	slices.Sort(m.empty)
	slices.Sort(m.unknown)
	return m
}

// read keeps a member if it has the right type.
func (m *metadata) read(name string, want kind, raw wire.Raw) bool {
	switch want {
	case isURL, isText:
		text, ok := wire.Text(raw)
		if !ok || want == isURL && !isEndpoint(text) {
			return false
		}
		m.texts[name] = text
		return true
	case isList:
		texts, ok := wire.Strings(raw)
		if ok && len(texts) == 0 {
			m.empty = append(m.empty, name)
		} else if ok {
			m.lists[name] = texts
		}
		return ok
	case isBool:
		m.flags[name] = raw == "true"
		return raw == "true" || raw == "false"
	}
	obj, err := wire.ParseObject([]byte(raw))
	if err == nil {
		m.aliases = newMetadata(obj)
	}
	return err == nil
}

// isEndpoint also accepts http, which is reported as a separate problem.
func isEndpoint(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" &&
		u.User == nil && !strings.Contains(s, "#") && !strings.ContainsFunc(s, isNotVisible)
}

// has reports whether a list contains value.
func (m *metadata) has(list, value string) bool { return slices.Contains(m.lists[list], value) }

// isOpenID reports whether the server issues ID tokens. Both members are
// required of an OpenID provider, and one of them is missing at some.
func (m *metadata) isOpenID() bool {
	return len(m.lists["id_token_signing_alg_values_supported"]) > 0 ||
		len(m.lists["subject_types_supported"]) > 0
}

// authMethods returns the client authentication methods of the token endpoint.
// Without a list, it is client_secret_basic (RFC 8414 section 2).
func (m *metadata) authMethods() []string {
	if methods := m.lists["token_endpoint_auth_methods_supported"]; len(methods) > 0 {
		return methods
	}
	return []string{"client_secret_basic"}
}

// value returns a member for JSON, or nil if it is missing.
func (m *metadata) value(name string) any {
	if text, ok := m.texts[name]; ok {
		return text
	}
	if texts, ok := m.lists[name]; ok {
		return texts
	}
	if flag, ok := m.flags[name]; ok {
		return flag
	}
	return nil
}

// equalJSON compares two decoded values. Encoding sorts the names of objects.
func equalJSON(a, b any) bool {
	one, err := json.Marshal(a)
	two, alsoErr := json.Marshal(b)
	return err == nil && alsoErr == nil && reflect.DeepEqual(one, two)
}
