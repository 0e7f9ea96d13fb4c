package authcode_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImports holds the root to its few dependencies: the standard library, golang.org/x/oauth2,
// gorilla/securecookie, and this module's internal packages, which bring nothing else along.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	const module = "example.com/authcode"
	seen := make(map[string]bool)
	for path := range strings.FieldsSeq(string(out)) {
		seen[path] = true
		switch {
		case path == module, strings.HasPrefix(path, module+"/internal/"):
		case path == "golang.org/x/oauth2", strings.HasPrefix(path, "golang.org/x/oauth2/"):
		case path == "github.com/gorilla/securecookie":
		default:
			t.Errorf("the root package depends on %s", path)
		}
	}
	for _, path := range []string{module, "golang.org/x/oauth2", "github.com/gorilla/securecookie"} {
		if !seen[path] {
			t.Errorf("go list does not name %s: is this the root package?", path)
		}
	}
}
