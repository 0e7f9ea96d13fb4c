package oidc

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

const metadataLifetime = time.Hour

// metadata is a provider's metadata document (OpenID Connect Discovery section 3, RFC 8414
// section 2), as far as this package and the root use it. A URL that is missing or unusable is
// empty: that harms only who needs it.
type metadata struct {
	endpoints authcode.Endpoints
	lists     map[string][]jose.SignatureAlgorithm // who is signed with what, by the name of the member
}

// The members that list the algorithms of what the provider signs.
const (
	tokenAlgorithms         = "id_token_signing_alg_values_supported"
	userInfoAlgorithms      = "userinfo_signing_alg_values_supported"
	responseAlgorithms      = "authorization_signing_alg_values_supported"
	introspectionAlgorithms = "introspection_signing_alg_values_supported"
)

// loadMetadata fetches and reads the document.
func (i *issuer) loadMetadata(ctx context.Context, transport http.RoundTripper) (*metadata, error) {
	var doc document
	var err error
	for _, url := range i.metadataURLs() {
		doc, err = fetch(ctx, transport.RoundTrip, "discovery", url, maxDocument)
		if err == nil || doc.status != http.StatusNotFound {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	return i.parseMetadata(doc.body)
}

// metadataURLs are the places where the document may be, in order.
func (i *issuer) metadataURLs() []string {
	if i.metadataURL != "" {
		return []string{i.metadataURL}
	}
	// OpenID Connect Discovery section 4: a terminating slash is removed before appending. RFC 8414
	// section 3: the well-known part goes between host and path.
	base := strings.TrimSuffix(i.issuer, "/")
	scheme, rest, _ := strings.Cut(base, "://")
	host, path, hasPath := strings.Cut(rest, "/")
	if hasPath {
		path = "/" + path
	}
	return []string{
		base + "/.well-known/openid-configuration",
		scheme + "://" + host + "/.well-known/oauth-authorization-server" + path,
	}
}

func (i *issuer) parseMetadata(body []byte) (*metadata, error) {
	obj, bad := wire.ParseObject(body)
	if bad != nil {
		return nil, failed(authcode.BadAnswer, "discovery.form", nil)
	}
	// OpenID Connect Discovery section 4.3, RFC 8414 section 3.3: identical, or the document describes
	// somebody else, whom an attacker may have chosen.
	if iss, ok := wire.Text(obj["issuer"]); !ok || iss != i.issuer {
		return nil, failed(authcode.BadAnswer, "discovery.issuer", nil)
	}
	r := &reader{obj: obj, plain: isPlain(i.issuer)}
	m := &metadata{endpoints: r.endpoints(), lists: r.lists()}
	m.endpoints.AuthStyle = authStyle(r.texts("token_endpoint_auth_methods_supported"))
	m.endpoints.RequireIss = obj["authorization_response_iss_parameter_supported"] == "true" // RFC 9207 section 3
	m.endpoints.RequirePAR = obj["require_pushed_authorization_requests"] == "true"          // RFC 9126 section 5
	if aliases := r.object("mtls_endpoint_aliases"); aliases != nil {
		mtls := aliases.endpoints()
		m.endpoints.MTLS = &mtls
		r.bad = r.bad || aliases.bad
	}
	methods := r.texts("code_challenge_methods_supported")
	if r.bad {
		return nil, failed(authcode.BadAnswer, "discovery.form", nil)
	}
	_, isOpenID := obj[tokenAlgorithms]
	if check := i.unusable(m, methods, isOpenID); check != "" {
		return nil, failed(authcode.BadAnswer, check, nil)
	}
	return m, nil
}

// unusable names the Check of a document that no login can use. Such a document must not take the
// place of a good one for an hour. methods are those of PKCE. A server that issues no ID tokens needs
// no keys.
func (i *issuer) unusable(m *metadata, methods []string, isOpenID bool) (check string) {
	switch {
	// A missing list says nothing, and S256 is sent all the same. A list without S256 means a server
	// that would ignore the challenge, or that wants the verifier in clear.
	case len(methods) > 0 && !slices.Contains(methods, "S256"):
		return "discovery.pkce"
	case m.endpoints.AuthURL == "" || m.endpoints.TokenURL == "":
		return "discovery.endpoints"
	case m.endpoints.JWKSURL == "" && isOpenID:
		return "jwks.endpoint"
	case i.userInfo && m.endpoints.UserInfoURL == "":
		return "userinfo.endpoint"
	}
	return ""
}

// reader reads members whose types the standards fix. Missing ones and null are empty.
type reader struct {
	obj   wire.Object
	plain bool // http on loopback is fine
	bad   bool // a member had another type
}

func (r *reader) text(name string) string {
	s, ok := r.obj.Text(name)
	r.bad = r.bad || !ok
	return s
}

// object reads a member that is an object; nil if there is none.
func (r *reader) object(name string) *reader {
	raw, present := r.obj[name]
	if !present || raw == "null" {
		return nil
	}
	obj, err := wire.ParseObject([]byte(raw))
	return &reader{obj: obj, plain: r.plain, bad: err != nil}
}

// endpoints reads the URLs of a document, or of its mtls_endpoint_aliases.
func (r *reader) endpoints() authcode.Endpoints {
	return authcode.Endpoints{
		AuthURL:          r.endpoint("authorization_endpoint"),
		TokenURL:         r.endpoint("token_endpoint"),
		RevocationURL:    r.endpoint("revocation_endpoint"),
		PARURL:           r.endpoint("pushed_authorization_request_endpoint"),
		UserInfoURL:      r.endpoint("userinfo_endpoint"),
		IntrospectionURL: r.endpoint("introspection_endpoint"),
		EndSessionURL:    r.endpoint("end_session_endpoint"),
		JWKSURL:          r.endpoint("jwks_uri"),
	}
}

// endpoint reads a URL, empty if it is unusable: see isEndpoint. A provider elsewhere must not send
// requests to the app's own host: what listens on loopback often trusts whoever can reach it.
func (r *reader) endpoint(name string) string {
	if s := r.text(name); isEndpoint(s) && (r.plain || !isPlain(s)) {
		return s
	}
	return ""
}

// lists reads which algorithms the provider signs with.
func (r *reader) lists() map[string][]jose.SignatureAlgorithm {
	lists := make(map[string][]jose.SignatureAlgorithm)
	for _, name := range []string{tokenAlgorithms, userInfoAlgorithms, responseAlgorithms, introspectionAlgorithms} {
		if _, listed := r.obj[name]; listed {
			lists[name] = known(r.texts(name))
		}
	}
	return lists
}

func (r *reader) texts(name string) []string {
	raw, present := r.obj[name]
	if !present || raw == "null" {
		return nil
	}
	list, ok := wire.Strings(raw)
	r.bad = r.bad || !ok
	return list
}

// authStyle chooses between the two ways a secret can go. OpenID Connect Discovery section 3: Basic if
// nothing is said.
func authStyle(methods []string) oauth2.AuthStyle {
	switch {
	case slices.Contains(methods, "client_secret_basic"):
		return oauth2.AuthStyleInHeader
	case slices.Contains(methods, "client_secret_post"):
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleAutoDetect // for the root package this means Basic
}

// supported are the algorithms that a provider may sign with. There is no "none", and no HMAC: its
// key would be the client secret, or, if the check can be fooled, the provider's public key.
var supported = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// known returns those of names that are supported.
func known(names []string) (algorithms []jose.SignatureAlgorithm) {
	for _, name := range names {
		if alg := jose.SignatureAlgorithm(name); slices.Contains(supported, alg) {
			algorithms = append(algorithms, alg)
		}
	}
	return algorithms
}

// algorithms returns what the metadata advertises in the named list and we support, or else what it
// advertises for ID tokens. If it advertises nothing, RS256: OpenID Connect Core section 3.1.3.7
// makes it the default.
func (m *metadata) algorithms(list string) []jose.SignatureAlgorithm {
	algs, listed := m.lists[list]
	if !listed {
		algs = m.lists[tokenAlgorithms]
	}
	if len(algs) == 0 {
		return []jose.SignatureAlgorithm{jose.RS256}
	}
	return algs
}
