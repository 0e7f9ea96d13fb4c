package check

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, "ISSUER is missing"},
		{[]string{"-bogus", "https://op.example"}, "flag provided but not defined: -bogus"},
		{[]string{"https://op.example", "https://other.example"}, "want one ISSUER"},
		{[]string{"op.example"}, "ISSUER must be an absolute URL"},
		{[]string{"ftp://op.example"}, "ISSUER must be an absolute URL"},
		{[]string{"https://"}, "ISSUER must be an absolute URL"},
		{[]string{"https://me:secret@op.example"}, "leave it out"},
		{[]string{"https://op.example?x=1"}, "has a query or a fragment"},
		{[]string{"https://op.example#x"}, "has a query or a fragment"},
		{[]string{"https://op.example/\x1b[2J"}, "percent-encode it"},
		{[]string{"https://op.example", "-metadata-url", "/x"},
			"-metadata-url must be an absolute URL"},
		{[]string{"https://op.example", "-ca-file", "missing.pem"}, "-ca-file: "},
		{[]string{"https://op.example", "-ca-file", "check.go"}, "no certificate in check.go"},
		{[]string{"https://op.example", "-client-auth", "smoke"}, "-client-auth must be one of secret"},
		{[]string{"https://op.example", "-fapi", "basic"}, "-fapi must be security or message-signing"},
		{[]string{"https://op.example", "-fapi", "security", "-client-auth", "secret"},
			"-fapi needs -client-auth private_key_jwt or tls"},
	} {
		var stdout, stderr bytes.Buffer
		if status := Run(t.Context(), test.args, &stdout, &stderr); status != 2 ||
			!strings.Contains(stderr.String(), test.want) || stdout.Len() > 0 {
			t.Errorf("%q: status %d, %s", test.args, status, &stderr)
		}
		if strings.ContainsRune(stderr.String(), '\x1b') ||
			strings.Contains(stderr.String(), "secret@") {
			t.Errorf("%q is repeated: %q", test.args, &stderr)
		}
	}
	var stdout bytes.Buffer
	if status := Run(t.Context(), []string{"-help"}, &stdout, io.Discard); status != 0 ||
		!strings.Contains(stdout.String(), "-metadata-url") {
		t.Errorf("-help: status %d, %s", status, &stdout)
	}
}

// TestFlagsStandAnywhere: before and after the issuer.
func TestFlagsStandAnywhere(t *testing.T) {
	s := newSite(t)
	for _, args := range [][]string{{"-json", s.URL, "-ca-file", s.caFile},
		{"-ca-file", s.caFile, "-json", s.URL}, {s.URL, "-json", "-ca-file", s.caFile}} {
		var stdout bytes.Buffer
		if status := Run(t.Context(), args, &stdout, io.Discard); status != 0 ||
			!strings.HasPrefix(stdout.String(), "{") {
			t.Errorf("%v: status %d", args, status)
		}
	}
}

// TestMetadataURL: the document is read there and nowhere else.
func TestMetadataURL(t *testing.T) {
	s := newSite(t, func(s *site) {
		s.handlers["/elsewhere"] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write(encode(s.doc))
		}
	})
	got := s.check(t, "SITE", "-metadata-url", "SITE/elsewhere")
	if got.status != 0 || slices.Contains(s.asked(), "GET "+openIDPlace) ||
		!strings.Contains(got.report.Program, "oidc.MetadataURL(") {
		t.Errorf("status %d, asked %v, program %s", got.status, s.asked(), got.report.Program)
	}
}

// TestTheOtherPlace: a server that has its document where RFC 8414 puts it, behind an
// issuer with a path.
func TestTheOtherPlace(t *testing.T) {
	s := newSite(t, func(s *site) {
		s.doc["issuer"] = s.URL + "/tenant"
		s.handlers[oauthPlace+"/tenant"] = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Write(encode(s.doc))
		}
	})
	if got := s.check(t, "SITE/tenant"); got.status != 0 {
		t.Errorf("status %d: %s", got.status, got.text)
	}
	want := []string{"https://op.example/a/b/.well-known/openid-configuration",
		"https://op.example/.well-known/oauth-authorization-server/a/b"}
	if got := metadataPlaces("https://op.example/a/b/"); !slices.Equal(got, want) {
		t.Errorf("places are %v", got)
	}
}

// notes are what is no fault, and worth a word.
func TestNotes(t *testing.T) {
	for _, test := range []struct {
		id     string
		change func(*site)
	}{
		{"pkce.unlisted", without("code_challenge_methods_supported")},
		{"pkce.plain", with("code_challenge_methods_supported", []string{"S256", "plain"})},
		{"iss.missing", without("authorization_response_iss_parameter_supported")},
		{"request.signed", with("require_signed_request_object", true)},
		{"par.required", with("require_pushed_authorization_requests", true)},
		{"alg.none", with("id_token_signing_alg_values_supported", []string{"ES256", "none"})},
		{"alg.unlisted", without("id_token_signing_alg_values_supported")},
		{"alg.keys", with("authorization_signing_alg_values_supported", []string{"ES256", "ES384"})},
		{"keys.unnamed", holding(publicKey(""), publicKey("k2"))},
		{"endpoint.busy", answering("/token", 429)},
		{"member.response_types", without("response_types_supported")},
	} {
		got := newSite(t, test.change).check(t)
		if got.status != 0 || !slices.Equal(ids(got.report.Notes), []string{test.id}) {
			t.Errorf("status %d, notes %v, want %s; problems %v", got.status, ids(got.report.Notes),
				test.id, got.report.Problems)
		}
	}
}

// TestLacks: what of FAPI 2.0 is missing when a member is.
func TestLacks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		want   string
		change func(*site)
	}{
		{"code", with("response_types_supported", []string{"id_token"})},
		{"grants", with("grant_types_supported", []string{"authorization_code", "password"})},
		{"par", without("pushed_authorization_request_endpoint")},
		{"pkce", without("code_challenge_methods_supported")},
		{"iss", without("authorization_response_iss_parameter_supported")},
		{"client-auth", with("token_endpoint_auth_methods_supported", []string{"client_secret_basic"})},
		{"client-auth-algorithms", with("token_endpoint_auth_signing_alg_values_supported",
			[]string{"RS256"})},
		{"binding", without("dpop_signing_alg_values_supported")},
		{"id-token-algorithms", with("id_token_signing_alg_values_supported", []string{"RS256"})},
		{"jar", without("request_object_signing_alg_values_supported")},
		{"jarm", without("authorization_signing_alg_values_supported")},
		{"jarm", with("response_modes_supported", []string{"query"})},
		{"introspection", without("introspection_signing_alg_values_supported")},
	} {
		got := newSite(t, test.change).check(t)
		lacks := append(ids(got.report.Lacks.Security), ids(got.report.Lacks.MessageSigning)...)
		if !slices.Equal(lacks, []string{test.want}) {
			t.Errorf("it lacks %v, want %s", lacks, test.want)
		}
		got = newSite(t, test.change).check(t, "SITE", "-fapi", "message-signing")
		if got.status != 1 || !slices.Contains(ids(got.report.Problems), "fapi."+test.want) {
			t.Errorf("with -fapi: status %d, problems %v, want fapi.%s", got.status,
				ids(got.report.Problems), test.want)
		}
	}
}

// TestAServerElsewhere must not make this program call something on this machine, and has
// to use https.
func TestAServerElsewhere(t *testing.T) {
	s := newSite(t)
	here := s.URL
	const issuer = "http://op.example"
	s.doc = map[string]any{
		"issuer": issuer, "authorization_endpoint": here + "/authorize",
		"token_endpoint": "http://op.example/token",
		"jwks_uri":       here + "/keys", "response_types_supported": []string{"code"},
	}
	c := &checker{client: new(client)}
	c.client.transport = &http.Transport{DialContext: func(ctx context.Context, network,
		_ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, listen(t, s))
	}}
	var err error
	if c.target, err = newTarget(issuer, ""); err != nil {
		t.Fatal(err)
	}
	r := c.run(t.Context())
	want := []string{"endpoint.http", "endpoint.local", "issuer.http"}
	if got := ids(r.Problems); !slices.Equal(got, want) || r.Program != "" {
		t.Errorf("problems %v, want %v", r.Problems, want)
	}
	for _, call := range s.asked() {
		if !strings.Contains(call, "/.well-known/") {
			t.Errorf("it was asked %s", call)
		}
	}
}

// listen serves handler over http until the test ends and returns its address.
func listen(t *testing.T, handler http.Handler) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

func TestASilentServer(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	s := newSite(t, func(s *site) {
		s.handlers["/par"] = func(http.ResponseWriter, *http.Request) { <-release }
	})
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var stdout bytes.Buffer
	if status := Run(ctx, []string{s.URL, "-ca-file", s.caFile}, &stdout, io.Discard); status != 1 ||
		!strings.Contains(strings.Join(strings.Fields(stdout.String()), " "),
			"gives no answer: it did not answer in time") {
		t.Errorf("status %d: %s", status, &stdout)
	}
}

func TestSameOwner(t *testing.T) {
	for _, test := range []struct {
		issuer, host string
		want         bool
	}{
		{"id.example.com", "id.example.com", true},
		{"id.example.com", "api.example.com", true},
		{"example.com", "api.example.com", true},
		{"id.example.com", "example.org", false},
		{"id.example.com", "id.example.com.evil.org", false},
		{"a.example.co.uk", "b.example.co.uk", true},
		{"a.co.uk", "b.co.uk", false},
		{"127.0.0.1", "127.0.0.2", false},
		{"127.0.0.1", "127.0.0.1", true},
		{"accounts.google.com", "oauth2.googleapis.com", true},
		{"google.example.com", "oauth2.googleapis.com", false},
		{"cognito-idp.eu-west-1.amazonaws.com", "x.auth.eu-west-1.amazoncognito.com", true},
		{"localhost", "evil.example", false},
	} {
		if got := sameOwner(test.issuer, test.host); got != test.want {
			t.Errorf("%s and %s: %v", test.issuer, test.host, got)
		}
	}
}
