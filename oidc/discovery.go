package oidc

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/urls"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// metadataLifetime is short enough to notice that a provider has moved an
// endpoint, and long enough to cost it few requests.
const metadataLifetime = time.Hour

// metadata is what this module uses of a provider's metadata document (OpenID
// Connect Discovery section 3, RFC 8414 section 2). It is never changed after
// it was parsed, so many goroutines may read it.
type metadata struct {
	endpoints   authcode.Endpoints
	badUserInfo bool // there is a userinfo_endpoint, but it is not usable
}

// newMetadata describes the document. It is loaded when it is needed.
func (i *issuer) newMetadata(conn *authcode.Connection) *document[*metadata] {
	inner := conn.Config.InsecureInnerOrigins
	d := &document[*metadata]{
		name: "discovery", urls: i.metadataURLs(),
		transport: conn.Transport, lifetime: metadataLifetime, owner: &conn.Config,
	}
	d.parse = func(body []byte) (*metadata, error) {
		m, err := i.parseMetadata(body, inner)
		if err != nil {
			return nil, err
		}
		return m, m.checkAgainst(d.latest())
	}
	return d
}

// checkAgainst refuses a document that lacks a URL which the one before had.
// before may be nil.
func (m *metadata) checkAgainst(before *metadata) error {
	// A provider that is being repaired or attacked may serve half a document.
	// It must not take a good one's place for an hour.
	switch {
	case before == nil:
	case m.endpoints.JWKSURL == "" && before.endpoints.JWKSURL != "":
		return newError(authcode.BadAnswer, "jwks.endpoint", nil)
	case m.endpoints.UserInfoURL == "" && before.endpoints.UserInfoURL != "":
		return newError(authcode.BadAnswer, "userinfo.endpoint", nil)
	}
	return nil
}

// metadataURLs returns the places where the document may be, in order.
func (i *issuer) metadataURLs() []string {
	// Wherever the document comes from, its issuer is checked.
	if i.metadataURL != "" {
		return []string{i.metadataURL}
	}
	// OpenID Connect Discovery section 4: remove a final slash, then append the
	// well-known path. RFC 8414 section 3: insert it between host and path. The
	// first is what OpenID providers serve, and most of them serve only that.
	base := strings.TrimSuffix(i.identifier, "/")
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

// parseMetadata reads the document. inner is Config.InsecureInnerOrigins.
func (i *issuer) parseMetadata(body []byte, inner map[string]string) (*metadata, error) {
	// ParseObject refuses a member that is repeated. With two issuers or two
	// token endpoints, the check and the request could use different ones.
	obj, bad := wire.ParseObject(body)
	if bad != nil {
		return nil, newError(authcode.BadAnswer, "discovery.form", nil)
	}
	// OpenID Connect Discovery section 4.3, RFC 8414 section 3.3: the issuer
	// must be identical. Otherwise the document describes another server,
	// perhaps an attacker's, and the app would send its code and secret there.
	if iss, _ := wire.Text(obj["issuer"]); iss != i.identifier {
		return nil, i.otherIssuer(iss)
	}
	r := &memberReader{obj: obj, allowHTTP: isHTTP(i.identifier), inner: inner}
	m := &metadata{endpoints: r.endpoints()}
	// A member that only some apps use, and that has the wrong type, is like a
	// missing one: the other apps must not fail because of it.
	styles, _ := wire.Strings(obj["token_endpoint_auth_methods_supported"])
	m.endpoints.AuthStyle = authStyle(styles)
	// RFC 9207 section 3: the provider promises iss in every callback. Then the
	// root package refuses one without it, which an attacker may have removed.
	m.endpoints.RequireIss = obj["authorization_response_iss_parameter_supported"] == "true"
	// RFC 9126 section 5: the provider accepts pushed requests only.
	m.endpoints.RequirePAR = obj["require_pushed_authorization_requests"] == "true"
	proofs, _ := wire.Strings(obj["dpop_signing_alg_values_supported"])
	m.endpoints.DPoPAlgorithms = proofAlgorithms(proofs)
	m.endpoints.Ed25519 = prefersEd25519(obj)
	m.endpoints.MTLS = r.aliases()
	// Every login uses PKCE. If a list that cannot be read were ignored, so would
	// be one without S256.
	methods, ok := wire.Strings(obj["code_challenge_methods_supported"])
	if !ok && !isMissing(obj, "code_challenge_methods_supported") {
		return nil, newError(authcode.BadAnswer, "discovery.form", nil)
	}
	if check := unusable(m, methods); check != "" {
		return nil, newError(authcode.BadAnswer, check, nil)
	}
	m.badUserInfo = m.endpoints.UserInfoURL == "" && !isMissing(obj, "userinfo_endpoint")
	return m, nil
}

// isMissing reports whether obj has nothing under name. Some servers write null
// or an empty text where they have nothing to say.
func isMissing(obj wire.Object, name string) bool {
	raw, present := obj[name]
	return !present || raw == "null" || raw == `""`
}

// memberReader reads the URLs of a document, or of its mtls_endpoint_aliases.
type memberReader struct {
	obj       wire.Object
	allowHTTP bool              // on loopback
	inner     map[string]string // Config.InsecureInnerOrigins
}

// endpoints reads all of them.
func (r *memberReader) endpoints() authcode.Endpoints {
	return authcode.Endpoints{
		// Browsers visit these two, and no browser reaches an inner origin.
		AuthURL:          r.endpoint("authorization_endpoint", nil),
		EndSessionURL:    r.endpoint("end_session_endpoint", nil),
		TokenURL:         r.endpoint("token_endpoint", r.inner),
		RevocationURL:    r.endpoint("revocation_endpoint", r.inner),
		PARURL:           r.endpoint("pushed_authorization_request_endpoint", r.inner),
		UserInfoURL:      r.endpoint("userinfo_endpoint", r.inner),
		IntrospectionURL: r.endpoint("introspection_endpoint", r.inner),
		JWKSURL:          r.endpoint("jwks_uri", r.inner),
	}
}

// aliases reads where a client goes that shows a certificate (RFC 8705 section
// 5).
func (r *memberReader) aliases() *authcode.Endpoints {
	obj, err := wire.ParseObject([]byte(r.obj["mtls_endpoint_aliases"]))
	if err != nil {
		return nil // like a missing member
	}
	// The URLs in it follow the rules of the document that contains it.
	mtls := (&memberReader{obj, r.allowHTTP, r.inner}).endpoints()
	return &mtls
}

// endpoint reads a URL. One that is not usable, or not even a text, is empty,
// like a missing one: it matters only to an app that needs it.
func (r *memberReader) endpoint(name string, inner map[string]string) string {
	url, _ := r.obj.Text(name)
	// A provider elsewhere must not send requests to the app's own host:
	// servers on loopback often trust everybody who can reach them. Over plain
	// http anybody on the network path could read the code and replace the
	// keys.
	outer := urls.Outer(inner, url)
	if isEndpoint(outer) && (r.allowHTTP || !isHTTP(outer)) {
		return strings.Clone(url) // a part of it would keep the whole document in memory
	}
	return ""
}

// isEndpoint reports whether s is a URL that the root package accepts as well:
// https, or http on loopback, with a host, without user information and
// fragment.
func isEndpoint(s string) bool { return len(urls.Check("", s)) == 0 }

// isHTTP reports whether the URL s is http, as in a development setup.
func isHTTP(s string) bool {
	// A scheme ignores case (RFC 3986 section 3.1).
	return strings.EqualFold(s[:min(len(s), 5)], "http:")
}

// authStyle chooses how a client secret is sent.
func authStyle(methods []string) oauth2.AuthStyle {
	// RFC 6749 section 2.3.1: Basic is what every server must support, and the
	// form is not recommended. So prefer Basic if the provider lists both.
	switch {
	case slices.Contains(methods, "client_secret_basic"):
		return oauth2.AuthStyleInHeader
	case slices.Contains(methods, "client_secret_post"):
		return oauth2.AuthStyleInParams
	}
	// OpenID Connect Discovery section 3: without a list, Basic. For the root
	// package that is what AuthStyleAutoDetect means: it never probes.
	return oauth2.AuthStyleAutoDetect
}

// proofAlgorithms returns Endpoints.DPoPAlgorithms of a provider that lists names.
func proofAlgorithms(names []string) string {
	// RFC 9449 section 5.1: the list is how a provider says that it supports
	// DPoP. One that does not have it takes no proofs, with few exceptions
	// (github.com/wso2/product-is/issues/23372).
	var known []string
	for _, alg := range supportedAlgorithms(names) {
		if !slices.Contains(known, string(alg)) {
			known = append(known, string(alg))
		}
	}
	return strings.Clone(cmp.Or(strings.Join(known, " "), "none")) // see memberReader.endpoint
}

// unusable returns the Check that m fails if no login could use it, else "".
// methods are the PKCE methods that the provider lists.
func unusable(m *metadata, methods []string) (check string) {
	// Find this out now. If such a document were accepted, it would replace a
	// good one for an hour. What only some logins need, such as jwks_uri, is
	// missed where it is needed.
	switch {
	// A missing list says nothing, and S256 is sent all the same. But a list
	// without S256 means a server that ignores the challenge, or that knows
	// only plain, which shows the verifier in the URL.
	case len(methods) > 0 && !slices.Contains(methods, "S256"):
		return "discovery.pkce"
	// RFC 8414 section 2: both are required for the authorization code grant.
	case m.endpoints.AuthURL == "" || m.endpoints.TokenURL == "":
		return "discovery.endpoints"
	}
	return ""
}
