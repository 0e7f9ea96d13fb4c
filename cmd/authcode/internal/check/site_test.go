package check

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"example.com/authcode/internal/authserver"
	"example.com/authcode/internal/testmain"
	"github.com/go-jose/go-jose/v4"
)

func TestMain(m *testing.M) { testmain.Run(m) }

// site is a server over TLS with a document, keys and endpoints that a test changes.
type site struct {
	*httptest.Server
	doc      map[string]any              // the metadata
	keys     []any                       // the key set
	handlers map[string]http.HandlerFunc // by path; others refuse what they are sent
	caFile   string

	mu   sync.Mutex
	seen []string // "METHOD /path" of each request
}

var signingKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
})

func publicKey(id string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: signingKey().Public(), KeyID: id, Algorithm: "ES256", Use: "sig"}
}

// newSite starts a server with which nothing is wrong, and which lacks nothing.
func newSite(t *testing.T, changes ...func(*site)) *site {
	t.Helper()
	s := &site{keys: []any{publicKey("k1")}, handlers: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewUnstartedServer(s)
	s.TLS = authserver.ServerTLS()
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.URL = "https://" + s.Listener.Addr().String()
	s.doc = s.goodDocument()
	for _, change := range changes {
		change(s)
	}
	s.URL = ""
	s.StartTLS()
	t.Cleanup(s.Close)
	s.caFile = writePEM(t, s.Certificate())
	return s
}

func (s *site) goodDocument() map[string]any {
	algorithms := []string{"ES256"}
	return map[string]any{
		"issuer":                                         s.URL,
		"authorization_endpoint":                         s.URL + "/authorize",
		"token_endpoint":                                 s.URL + "/token",
		"pushed_authorization_request_endpoint":          s.URL + "/par",
		"introspection_endpoint":                         s.URL + "/introspect",
		"userinfo_endpoint":                              s.URL + "/userinfo",
		"jwks_uri":                                       s.URL + "/keys",
		"end_session_endpoint":                           s.URL + "/logout",
		"scopes_supported":                               []string{"openid", "profile", "email"},
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query", "jwt"},
		"grant_types_supported":                          []string{"authorization_code"},
		"subject_types_supported":                        []string{"public"},
		"code_challenge_methods_supported":               []string{"S256"},
		"authorization_response_iss_parameter_supported": true,
		"token_endpoint_auth_methods_supported": []string{"client_secret_post",
			"private_key_jwt"},
		"token_endpoint_auth_signing_alg_values_supported": algorithms,
		"id_token_signing_alg_values_supported":            algorithms,
		"dpop_signing_alg_values_supported":                algorithms,
		"request_object_signing_alg_values_supported":      algorithms,
		"authorization_signing_alg_values_supported":       algorithms,
		"introspection_signing_alg_values_supported":       algorithms,
	}
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.seen = append(s.seen, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	if handler := s.handlers[r.URL.Path]; handler != nil {
		handler(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == openIDPlace:
		json.NewEncoder(w).Encode(s.doc)
	case r.URL.Path == "/keys":
		json.NewEncoder(w).Encode(map[string]any{"keys": s.keys})
	case strings.Contains(r.URL.Path, "/.well-known/"):
		w.WriteHeader(http.StatusNotFound)
	default:
		w.WriteHeader(http.StatusBadRequest)
		io.WriteString(w, `{"error":"invalid_request"}`)
	}
}

// asked returns the requests so far, in alphabetical order.
func (s *site) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(slices.Values(s.seen))
}

// outcome is what a run of the command has printed.
type outcome struct {
	status int
	report *report
	text   string // for people
}

// check runs the command twice, for programs and for people. In an argument, SITE stands
// for the URL of s. The first argument is the issuer.
func (s *site) check(t *testing.T, args ...string) outcome {
	t.Helper()
	if len(args) == 0 {
		args = []string{"SITE"}
	}
	args = append(slices.Clone(args), "-ca-file", s.caFile)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "SITE", s.URL)
	}
	return run(t, args...)
}

func run(t *testing.T, args ...string) outcome {
	t.Helper()
	var text, asJSON, stderr bytes.Buffer
	o := outcome{report: new(report)}
	o.status = Run(t.Context(), args, &text, &stderr)
	if status := Run(t.Context(), append(args, "-json"), &asJSON, &stderr); status != o.status ||
		stderr.Len() > 0 {
		t.Fatalf("%v: status %d, with -json %d: %s", args, o.status, status, &stderr)
	}
	if err := json.Unmarshal(asJSON.Bytes(), o.report); err != nil {
		t.Fatalf("%v: %v in %s", args, err, &asJSON)
	}
	o.text = text.String()
	for _, output := range []string{o.text, asJSON.String()} {
		if i := strings.IndexFunc(output, func(r rune) bool {
			return r != '\n' && r != '\t' &&
				(r < ' ' || r >= 0x7f)
		}); i >= 0 {
			t.Errorf("%v: the output has %q", args, output[i:i+4])
		}
	}
	return o
}

func ids(findings []finding) []string {
	all := []string{}
	for _, f := range findings {
		all = append(all, f.ID)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func texts(findings []finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Text)
	}
	return strings.Join(all, "\n")
}

func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
