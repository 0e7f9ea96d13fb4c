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
// section 2), as far as this package and the root use it.
type metadata struct {
	endpoints   authcode.Endpoints
	keysURL     string
	userInfoURL string // like logoutURL: empty if missing or unusable, which harms who needs it only
	logoutURL   string
	tokenAlgs   []jose.SignatureAlgorithm
	infoAlgs    []jose.SignatureAlgorithm
	keys        *cached[*keySet]

	userInfoAlias   string // for a token that is bound to a certificate
	introspectURL   string
	introspectAlias string
	responseAlgs    []jose.SignatureAlgorithm // of authorization responses
	introspectAlgs  []jose.SignatureAlgorithm
}

// loadMetadata fetches and reads the document. The keys of old stay if they are at the same place.
func (i *Issuer) loadMetadata(ctx context.Context, client *http.Client, old *metadata) (*metadata, *authcode.Error) {
	doc, err := i.fetchMetadata(ctx, client)
	if err != nil {
		return nil, err
	}
	m, err := i.parseMetadata(doc.body)
	if err != nil {
		return nil, err
	}
	if old != nil && old.keysURL == m.keysURL {
		m.keys = old.keys
	}
	return m, nil
}

func (i *Issuer) fetchMetadata(ctx context.Context, client *http.Client) (doc *document, err *authcode.Error) {
	for _, url := range i.metadataURLs() {
		doc, err = fetch(ctx, by(client), "discovery", url, maxDocument)
		if err == nil || err.Check != "discovery.missing" {
			break
		}
	}
	return doc, err
}

// metadataURLs are the places where the document may be, in order.
func (i *Issuer) metadataURLs() []string {
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

func (i *Issuer) parseMetadata(body []byte) (*metadata, *authcode.Error) {
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
	mtls := r.object("mtls_endpoint_aliases")
	m := &metadata{
		endpoints: authcode.Endpoints{
			AuthURL:       r.endpoint("authorization_endpoint"),
			TokenURL:      r.endpoint("token_endpoint"),
			RevocationURL: r.endpoint("revocation_endpoint"),
			// RFC 9207 section 3. A template's iss is compared by Identify.
			RequireIss: obj["authorization_response_iss_parameter_supported"] == "true" && !i.isTemplate(),
			AuthStyle:  authStyle(r.texts("token_endpoint_auth_methods_supported")),
			PARURL:     r.endpoint("pushed_authorization_request_endpoint"),
			RequirePAR: obj["require_pushed_authorization_requests"] == "true",
			MTLS: authcode.Aliases{
				TokenURL:      mtls.endpoint("token_endpoint"),
				RevocationURL: mtls.endpoint("revocation_endpoint"),
				PARURL:        mtls.endpoint("pushed_authorization_request_endpoint"),
			},
		},
		keysURL:     r.endpoint("jwks_uri"),
		userInfoURL: r.endpoint("userinfo_endpoint"),
		logoutURL:   r.endpoint("end_session_endpoint"),
		keys:        newKeys(),

		userInfoAlias:   mtls.endpoint("userinfo_endpoint"),
		introspectURL:   r.endpoint("introspection_endpoint"),
		introspectAlias: mtls.endpoint("introspection_endpoint"),
	}
	i.readAlgorithms(m, r)
	methods := r.texts("code_challenge_methods_supported")
	if r.bad || mtls.bad {
		return nil, failed(authcode.BadAnswer, "discovery.form", nil)
	}
	_, isOpenID := obj["id_token_signing_alg_values_supported"]
	if check := i.unusable(m, methods, isOpenID); check != "" {
		return nil, failed(authcode.BadAnswer, check, nil)
	}
	return m, nil
}

// readAlgorithms reads who is signed with what. Where there is no list, what holds for ID tokens holds.
func (i *Issuer) readAlgorithms(m *metadata, r *reader) {
	m.tokenAlgs = i.pinned(r.texts("id_token_signing_alg_values_supported"))
	for name, algs := range map[string]*[]jose.SignatureAlgorithm{
		"userinfo_signing_alg_values_supported":      &m.infoAlgs,
		"authorization_signing_alg_values_supported": &m.responseAlgs,
		"introspection_signing_alg_values_supported": &m.introspectAlgs,
	} {
		*algs = m.tokenAlgs
		if _, listed := r.obj[name]; listed {
			*algs = i.pinned(r.texts(name))
		}
	}
}

// unusable names the check of what no login can do with or without. Such a document must not take the
// place of a good one for an hour. methods are those of PKCE. Who issues no ID tokens needs no keys.
func (i *Issuer) unusable(m *metadata, methods []string, isOpenID bool) (check string) {
	switch {
	// A missing list says nothing, and S256 is sent all the same. A list without S256 is a server
	// that would ignore the challenge, or wants the verifier in clear.
	case len(methods) > 0 && !slices.Contains(methods, "S256"):
		return "discovery.pkce"
	case m.endpoints.AuthURL == "" || m.endpoints.TokenURL == "":
		return "discovery.endpoints"
	case m.keysURL == "" && isOpenID:
		return "jwks.endpoint"
	case i.userInfo && m.userInfoURL == "":
		return "userinfo.endpoint"
	}
	return ""
}

// reader reads members whose types the standards fix. Missing ones and null are empty.
type reader struct {
	obj   wire.Object
	plain bool // http on loopback is fine
	bad   bool
}

func (r *reader) text(name string) string {
	s, ok := r.obj.Text(name)
	r.bad = r.bad || !ok
	return s
}

// object reads a member that is an object.
func (r *reader) object(name string) *reader {
	raw, present := r.obj[name]
	if !present || raw == "null" {
		return &reader{plain: r.plain}
	}
	obj, err := wire.ParseObject([]byte(raw))
	return &reader{obj: obj, plain: r.plain, bad: err != nil}
}

// endpoint reads a URL, empty if it is unusable; see isEndpoint. A provider elsewhere has no
// business on the app's own host: what listens on loopback often trusts whoever can reach it.
func (r *reader) endpoint(name string) string {
	if s := r.text(name); isEndpoint(s) && (r.plain || !isPlain(s)) {
		return s
	}
	return ""
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
	return oauth2.AuthStyleAutoDetect // the root package takes it for Basic
}

// pinned returns the algorithms that a token may be signed with: those of the app's choice, else
// what the provider advertises and we support, else RS256, which OpenID Connect Core section 3.1.3.7
// makes the default.
func (i *Issuer) pinned(advertised []string) []jose.SignatureAlgorithm {
	if len(i.algorithms) > 0 {
		return i.algorithms
	}
	if algs := known(advertised); len(algs) > 0 {
		return algs
	}
	return []jose.SignatureAlgorithm{jose.RS256}
}
