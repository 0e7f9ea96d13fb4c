package interop

import (
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// snippetImports maps the package names that README snippets use to their paths.
var snippetImports = map[string]string{
	"authcode": "example.com/authcode", "authtest": "example.com/authcode/authtest",
	"chi": "github.com/go-chi/chi/v5", "fiber": "github.com/gofiber/fiber/v3", "adaptor": "github.com/gofiber/fiber/v3/middleware/adaptor",
	"lambda": "github.com/aws/aws-lambda-go/lambda", "httpadapter": "github.com/awslabs/aws-lambda-go-api-proxy/httpadapter",
	"gin": "github.com/gin-gonic/gin", "echo": "github.com/labstack/echo/v4",
	"clientauth": "example.com/authcode/clientauth", "dpop": "example.com/authcode/dpop", "fapi": "example.com/authcode/fapi",
	"provider": "example.com/authcode/provider", "oidc": "example.com/authcode/oidc",
	"grant": "example.com/authcode/grant", "otelauthcode": "example.com/authcode/otelauthcode", "prometheus": "github.com/prometheus/client_golang/prometheus", "session": "example.com/authcode/session", "sqlstore": "example.com/authcode/grant/sqlstore",
	"tenants": "example.com/authcode/tenants", "netip": "net/netip",
	"oauth2": "golang.org/x/oauth2", "endpoints": "golang.org/x/oauth2/endpoints",
	"context": "context", "crypto": "crypto", "cookiejar": "net/http/cookiejar", "expvar": "expvar", "fmt": "fmt", "http": "net/http", "httptest": "net/http/httptest",
	"errors": "errors", "io": "io", "json": "encoding/json", "log": "log", "os": "os", "strconv": "strconv", "slog": "log/slog", "sql": "database/sql", "testing": "testing",
	"time": "time", "tls": "crypto/tls", "url": "net/url", "x509": "crypto/x509",
}

// snippetNames are what the snippets take for granted: the reader's own names.
var snippetNames = map[string]string{
	"client": "var client *authcode.Client", "mux": "var mux *http.ServeMux", "key": "var key []byte", "cfg": "var cfg authcode.Config",
	"ids": "var ids, secrets map[string]string", "google": "var google, github authcode.Provider", "stored": "var stored []byte",
	"save": "var save func(context.Context, []byte) error", "failures": "var failures expvar.Map", "privateCA": "var privateCA []byte",
	"signer": "var signer crypto.Signer", "proofKey": "var proofKey, formerKey crypto.Signer", "cookieKey": "var cookieKey []byte",
	"requestKey": "var requestKey clientauth.Key",
	"currentKey": "var currentKey func(context.Context) (clientauth.Key, error)",
	"api":        "var api *http.Client", "accessToken": "var accessToken string", "ctx": "var ctx context.Context",
	"accountOf": "var accountOf func(issuer, subject string) (string, error)", "link": "var link func(account, issuer, subject string) error",
	"startSession": "var startSession func(http.ResponseWriter, *http.Request, *authcode.Identity)",
	"endSession":   "var endSession func(http.ResponseWriter, *http.Request) string",
	"grants":       "var grants *grant.Grants", "db": "var db *sql.DB", "renewals": "var renewals expvar.Map", "events": "var events expvar.Map",
	"grantOf": "var grantOf func(*http.Request) string", "keptGrants": "var keptGrants func(issuer, subject string) []string", "keepGrant": "var keepGrant func(http.ResponseWriter, *http.Request, string)",
	"configs": "var configs []authcode.Config", "clients": "var clients []*authcode.Client", "login": "var login *authcode.Login",
	"endSessions": "var endSessions func(ctx context.Context, issuer, subject, sid string) error",
	"r":           "var r *gin.Engine", "newApp": "var newApp func(authcode.Config) http.Handler", "welcome": "func welcome(http.ResponseWriter, *http.Request) {}",
	"registry": "var registry *tenants.Registry", "load": "var load func(context.Context, string) (authcode.Config, string, error)",
	"account": "func account(http.ResponseWriter, *http.Request) {}", "sessions": "var sessions *session.Sessions",
}

// readPages returns the README and the pages beside it.
func readPages(t *testing.T) []byte {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil || len(pages) < 4 {
		t.Fatal(pages, err)
	}
	var all []byte
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	return all
}

// TestReadmeSnippetsCompile formats and compiles every Go block of the README and of docs, each in a package of its own.
func TestReadmeSnippetsCompile(t *testing.T) {
	readme := readPages(t)
	dir, err := os.MkdirTemp(".", "snippets-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) < 12 {
		t.Fatalf("the README has %d Go blocks: is it still the README?", len(blocks))
	}
	for i, block := range blocks {
		if tidy, err := format.Source([]byte(block[1])); err != nil || string(tidy) != block[1] {
			t.Errorf("README: gofmt changes a block (%v):\n%s", err, tidy)
		}
		pkg := filepath.Join(dir, fmt.Sprintf("s%02d", i))
		if err := os.Mkdir(pkg, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(pkg, "snippet.go"), []byte(snippetFile(block[1])), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-gcflags=-e", "./"+dir+"/...")
	cmd.Env = append(os.Environ(), "GOWORK=off") // what the workspace of the repository holds is not this module
	out, err := cmd.CombinedOutput()
	if err == nil {
		return
	}
	// A fragment ends before it uses its last variables; all else is a mistake.
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "declared and not used") {
			t.Errorf("README: %s", line)
		}
	}
}

// snippetFile makes a Go file of a block: imports by the names it uses, the reader's names that
// it does not declare itself, and a function around statements.
func snippetFile(block string) string {
	if strings.HasPrefix(block, "package ") {
		return block
	}
	if !strings.HasPrefix(block, "func ") && !strings.HasPrefix(block, "type ") {
		block = "func _() {\n" + block + "}\n"
	}
	for name, declaration := range snippetNames {
		if regexp.MustCompile(`\b`+name+`\b`).MatchString(block) && !strings.Contains(block, "func "+name+"(") {
			block += declaration + "\n"
		}
	}
	return withImports("package snippet\n", block)
}

// withImports puts the imports of a text between a head and the text, by the names that it uses.
func withImports(head, block string) string {
	code := regexp.MustCompile(`//.*`).ReplaceAllString(block, "")
	for name, path := range snippetImports {
		if regexp.MustCompile(`(^|[^.\w"/])` + name + `\.[A-Z]`).MatchString(code) {
			head += fmt.Sprintf("import %q\n", path)
		}
	}
	return head + block
}
