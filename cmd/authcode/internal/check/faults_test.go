package check

import (
	"bytes"
	"crypto/fips140"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func TestNothingIsWrong(t *testing.T) {
	s := newSite(t)
	got := s.check(t)
	if got.status != 0 || len(got.report.Problems) > 0 || len(got.report.Notes) > 0 {
		t.Errorf("status %d, problems %v, notes %v", got.status, got.report.Problems, got.report.Notes)
	}
	if len(got.report.Lacks.Security)+len(got.report.Lacks.MessageSigning) > 0 {
		t.Errorf("it lacks %v", got.report.Lacks)
	}
	if !strings.Contains(got.text, "NOTHING LOOKS WRONG") || got.report.Program == "" {
		t.Errorf("the text is %s", got.text)
	}
}

// faults are documents and servers with one fault each, and what is said of it.
var faults = []struct {
	name   string
	change func(*site)
	args   []string // if nil, the issuer
	id     string   // of the only problem
	want   string   // in its text
}{
	// The place of the document.
	{"no document", answering(openIDPlace, 404), nil, "document.missing",
		"name that address with -metadata-url"},
	{"a redirect in front of it", answering(openIDPlace, 301, "Location",
		"https://other.example/metadata"), nil,
		"document.redirect", "leads to https://other.example/metadata"},
	{"a redirect to nowhere", answering(openIDPlace, 302), nil, "document.redirect", "no Location"},
	{"a server error", answering(openIDPlace, 500), nil, "document.status",
		"500 Internal Server Error"},
	{"no access", answering(openIDPlace, 403), nil, "document.status", "403 Forbidden"},
	{"an empty document", answering(openIDPlace, 200, "Content-Type", "text/html"), nil,
		"document.form", `came as "text/html"`},
	{"a repeated member", answeringText(openIDPlace, `{"issuer":"a","issuer":"b"}`), nil,
		"document.form", "distinct member names"},
	{"a list", answeringText(openIDPlace, `[]`), nil, "document.form", "not a JSON object"},
	{"a huge document", answeringText(openIDPlace, `{"x":"`+strings.Repeat("x", maxDocument)+`"}`),
		nil, "document.size", "256 KiB"},
	{"another media type", asType("text/plain"), nil, "document.type", `served as "text/plain"`},
	{"a broken first place", both(answering(openIDPlace, 403), secondPlace), nil, "document.status",
		"oidc.MetadataURL"},
	{"two documents that differ", secondDocument("token_endpoint", "/other"), nil,
		"document.contradiction", "in token_endpoint"},

	// The issuer.
	{"a metadata URL as issuer", nothing, []string{"SITE" + openIDPlace}, "issuer.metadata_url",
		"not an issuer"},
	{"a slash too many", nothing, []string{"SITE/"}, "issuer.slash", "by the slash at the end"},
	{"a slash too few", with("issuer", "SITE/"), nil, "issuer.slash", "by the slash at the end"},
	{"another case", upperCase, nil, "issuer.case", "by upper and lower case"},
	{"another issuer", with("issuer", "https://127.0.0.1/other"), nil, "issuer.differs",
		"run: authcode check https://127.0.0.1/other"},
	{"another issuer at -metadata-url", with("issuer", "https://127.0.0.1/other"),
		[]string{"SITE", "-metadata-url", "SITE" + openIDPlace},
		"issuer.differs", "authcode check https://127.0.0.1/other -metadata-url"},
	{"no issuer", without("issuer"), nil, "issuer.missing", "does not name its issuer"},

	// Members.
	{"a text for a list", with("scopes_supported", "openid"), nil, "member.malformed",
		"scopes_supported is malformed: it must be a list of texts"},
	{"a number for a flag", with("backchannel_logout_supported", 1), nil, "member.malformed",
		"it must be true or false"},
	{"a flag as text", with("backchannel_logout_supported", "true"), nil, "member.malformed",
		"it must be true or false"},
	{"a relative endpoint", with("userinfo_endpoint", "/userinfo"), nil, "member.malformed",
		"it must be an absolute URL"},
	{"an endpoint with a fragment", with("userinfo_endpoint", "SITE/userinfo#x"), nil,
		"member.malformed", "without fragment"},
	{"a list of numbers", with("claims_supported", []int{1}), nil, "member.malformed",
		"it must be a list of texts"},
	{"aliases that are a list", with("mtls_endpoint_aliases", []string{"x"}), nil,
		"member.malformed", "it must be an object"},
	{"an alias that is no URL", both(certified, with("mtls_endpoint_aliases",
		map[string]any{"token_endpoint": 1})), nil,
		"member.malformed", "mtls_endpoint_aliases.token_endpoint is malformed"},
	{"an empty list", with("acr_values_supported", []string{}), nil, "member.empty",
		"acr_values_supported is an empty list"},
	{"no token endpoint", without("token_endpoint"), nil, "member.missing",
		"token_endpoint is missing"},
	{"no authorization endpoint", without("authorization_endpoint"), nil, "member.missing",
		"authorization_endpoint is missing"},
	{"PAR required without endpoint", both(without("pushed_authorization_request_endpoint"),
		with("require_pushed_authorization_requests", true)),
		nil, "par.missing", "only accepts pushed authorization requests"},

	// Where the endpoints are, and whether they answer.
	{"an http endpoint", with("userinfo_endpoint", "http://127.0.0.1:1/userinfo"), nil,
		"endpoint.http", "anybody on the network path"},
	{"an endpoint on another host", with("userinfo_endpoint", "https://other.example/userinfo"),
		nil, "endpoint.host", "at the host other.example"},
	{"PAR that is not there", answering("/par", 404), nil, "endpoint.silent",
		"answers 404 Not Found to POST"},
	{"PAR by another method", answering("/par", 405), nil, "endpoint.silent", "set Config.DisablePAR"},
	{"PAR where nobody listens", with("pushed_authorization_request_endpoint",
		"https://127.0.0.1:1/par"), nil,
		"endpoint.silent", "nothing accepts connections there"},
	{"PAR that drops connections", dropping("/par"), nil, "endpoint.silent", "the connection broke"},
	{"a token endpoint that redirects", answering("/token", 308, "Location",
		"https://other.example/token"), nil,
		"endpoint.redirect", "leads to https://other.example/token"},
	{"a token endpoint that breaks", answering("/token", 502), nil, "endpoint.broken",
		"502 Bad Gateway"},
	{"an authorization endpoint that is not there", answering("/authorize", 404), nil,
		"endpoint.silent", "404 Not Found to GET"},
	{"an alias that is not there", both(certified, with("mtls_endpoint_aliases",
		map[string]any{"token_endpoint": "https://127.0.0.1:1/token"})),
		nil, "endpoint.silent", "mtls_endpoint_aliases.token_endpoint"},

	// The login.
	{"no code", with("response_types_supported", []string{"id_token"}), nil, "response_type.code",
		"does not list code"},
	{"no code grant", with("grant_types_supported", []string{"implicit"}), nil, "grant.code",
		"does not list authorization_code"},
	{"no query", with("response_modes_supported", []string{"form_post", "jwt"}), nil,
		"response_mode.query", "set Provider.FormPost"},
	{"plain PKCE alone", with("code_challenge_methods_supported", []string{"plain"}), nil,
		"pkce.s256", "for PKCE the server lists plain, but not S256"},
	{"unknown client authentication", with("token_endpoint_auth_methods_supported",
		[]string{"smoke_signals"}), nil,
		"client_auth.unknown", "smoke_signals"},
	{"assertions without algorithms", without("token_endpoint_auth_signing_alg_values_supported"), nil,
		"client_auth.algorithms", "does not say how assertions may be signed"},
	{"unsigned assertions", with("token_endpoint_auth_signing_alg_values_supported",
		[]string{"ES256", "none"}), nil,
		"client_auth.none", "proves nothing"},
	{"aliases for nothing", with("mtls_endpoint_aliases", map[string]any{}), nil, "mtls.useless",
		"RFC 8705"},
	{"proofs by HMAC", with("dpop_signing_alg_values_supported", []string{"ES256", "HS256"}), nil,
		"dpop.hmac", "signed with a private key"},
	{"unsigned proofs", with("dpop_signing_alg_values_supported", []string{"ES256", "none"}), nil,
		"dpop.none", "must be signed"},

	// Algorithms and keys.
	{"an algorithm without key", with("id_token_signing_alg_values_supported",
		[]string{"ES256", "RS256"}), nil,
		"alg.keys", "says that it signs with RS256, but its key set has no key for that"},
	{"HMAC alone", with("id_token_signing_alg_values_supported", []string{"HS256"}), nil,
		"alg.unsupported", "which package oidc does not support"},
	{"no jwks_uri", without("jwks_uri"), nil, "keys.missing", "logins that have to say who signs in " +
		"fail. Logins for a token alone work"},
	{"no jwks_uri, and no ID tokens", without("jwks_uri", "id_token_signing_alg_values_supported",
		"subject_types_supported"), nil, "keys.missing", "introspection fail, and other logins work"},
	{"keys that are not there", answering("/keys", 404), nil, "keys.status", "404 Not Found"},
	{"keys behind a redirect", answering("/keys", 302, "Location", "/keys2"), nil, "keys.redirect",
		"leads to /keys2"},
	{"keys where nobody listens", with("jwks_uri", "https://127.0.0.1:1/keys"), nil,
		"keys.unreachable", "nothing accepts connections"},
	{"keys that are none", answeringText("/keys", `{"keys":{}}`), nil, "keys.form", "array named keys"},
	{"huge keys", answeringText("/keys", `{"x":"`+strings.Repeat("x", maxKeySet)+`"}`), nil,
		"keys.size", "1024 KiB"},
	{"a private key", holding(jose.JSONWebKey{Key: signingKey(), KeyID: "k1"}), nil, "keys.private",
		"Anybody can sign as this server"},
	{"two keys of one name", holding(publicKey("k1"), publicKey("k1")), nil, "keys.repeated",
		`kid "k1"`},
	{"a weak key", holding(publicKey("k1"), weakKey()), nil, "keys.weak", "fewer than 2048 bits"},
}

func TestFaults(t *testing.T) {
	for _, test := range faults {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := newSite(t, test.change).check(t, test.args...)
			if found := ids(got.report.Problems); got.status != 1 ||
				!slices.Equal(found, []string{test.id}) {
				t.Errorf("status %d, problems %v, want %s: %s", got.status, found, test.id,
					texts(got.report.Problems))
			}
			if !strings.Contains(texts(got.report.Problems), test.want) {
				t.Errorf("the text is %q, want %q in it", texts(got.report.Problems), test.want)
			}
			if !strings.Contains(got.text, "["+test.id+"]") {
				t.Errorf("people are not told: %s", got.text)
			}
		})
	}
}

// TestTLSFaults: a certificate that nobody can trust, and a cipher suite that is out of date.
func TestTLSFaults(t *testing.T) {
	s := newSite(t)
	got := run(t, s.URL)
	if got.status != 1 || !slices.Equal(ids(got.report.Problems), []string{"document.certificate"}) ||
		!strings.Contains(texts(got.report.Problems), "name its certificate with -ca-file") {
		t.Errorf("an unknown authority: status %d, %s", got.status, got.text)
	}
	old := newSite(t, func(s *site) {
		s.TLS = &tls.Config{MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}}
	})
	got = old.check(t)
	if fips140.Enforced() { // then Go does not connect
		if !slices.Equal(ids(got.report.Problems), []string{"document.unreachable"}) {
			t.Errorf("a CBC suite in FIPS 140-only mode: %v", got.report.Problems)
		}
	} else if !slices.Equal(ids(got.report.Problems), []string{"tls.suite"}) ||
		!slices.Equal(ids(got.report.Lacks.Security), []string{"tls"}) {
		t.Errorf("a CBC suite: %v", got.report.Problems)
	}
	older := newSite(t, func(s *site) {
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS10,
			MaxVersion: tls.VersionTLS11}
	})
	got = older.check(t)
	if !slices.Equal(ids(got.report.Problems), []string{"document.unreachable"}) ||
		!strings.Contains(texts(got.report.Problems), "tls: ") {
		t.Errorf("TLS 1.1: %v", got.report.Problems)
	}
}

// TestAPlainServer: http is for development on this machine.
func TestAPlainServer(t *testing.T) {
	s := newSite(t)
	plain := httptest.NewServer(s)
	defer plain.Close()
	s.doc = (&site{Server: plain}).goodDocument()
	got := run(t, plain.URL)
	if got.status != 0 || !slices.Contains(ids(got.report.Notes), "issuer.plain") ||
		!slices.Contains(ids(got.report.Lacks.Security), "https") {
		t.Errorf("status %d, %s", got.status, got.text)
	}
	if got := run(t, strings.Replace(plain.URL, "http:", "https:",
		1)); !strings.Contains(texts(got.report.Problems), "answers in http") {
		t.Errorf("https where there is http: %v", got.report.Problems)
	}
}

// TestOnlyWhatItSaysItSends: the requests of a check, which carry nothing.
func TestOnlyWhatItSaysItSends(t *testing.T) {
	s := newSite(t, func(s *site) {
		for _, path := range []string{"/token", "/par", "/introspect"} {
			s.handlers[path] = func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if len(body) > 0 || r.Header.Get("Authorization") != "" ||
					r.Header.Get("Cookie") != "" {
					t.Errorf("%s was sent %q with %v", r.URL.Path, body, r.Header)
				}
				w.WriteHeader(http.StatusUnauthorized)
			}
		}
	})
	if status := Run(t.Context(), []string{s.URL, "-ca-file", s.caFile}, io.Discard,
		io.Discard); status != 0 {
		t.Errorf("status %d", status)
	}
	want := []string{"GET " + oauthPlace, "GET " + openIDPlace, "GET /authorize", "GET /keys",
		"POST /introspect", "POST /par", "POST /token"}
	if slices.Sort(want); !slices.Equal(s.asked(), want) {
		t.Errorf("it asked %v, want %v", s.asked(), want)
	}
}

func TestBoundedReads(t *testing.T) {
	var written int
	s := newSite(t, func(s *site) {
		s.handlers[openIDPlace] = func(w http.ResponseWriter, _ *http.Request) {
			for chunk := bytes.Repeat([]byte("x"), 64<<10); written < 64<<20; written += len(chunk) {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		}
	})
	Run(t.Context(), []string{s.URL, "-ca-file", s.caFile}, io.Discard, io.Discard)
	if s.Close(); written > 16<<20 {
		t.Errorf("%d bytes of an endless document were read", written)
	}
}
