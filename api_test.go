package authcode_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestAPI compares the exported API with testdata/api.txt, so that a change
// shows in review. UPDATE_API=1 go test -run TestAPI . writes the file anew.
func TestAPI(t *testing.T) {
	const file = "testdata/api.txt"
	const update = "If the change is meant: UPDATE_API=1 go test -run TestAPI ."
	out, err := exec.Command("go", "doc", "-all", ".").Output()
	if err != nil {
		t.Fatalf("go doc: %v", err)
	}
	got := string(out)
	if os.Getenv("UPDATE_API") != "" {
		if err := os.WriteFile(file, out, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := string(b); got != want {
		g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Fatalf("%s:%d says\n%s\nbut the package says\n%s\n%s", file, i+1, w[i], g[i],
					update)
			}
		}
		t.Fatalf("%s has %d lines, the package's documentation has %d\n%s", file, len(w), len(g),
			update)
	}
}

// TestImports holds the root to its few dependencies: the standard library,
// golang.org/x/oauth2, gorilla/securecookie, and this module's internal
// packages, which bring nothing else along.
func TestImports(t *testing.T) {
	const format = "{{if not .Standard}}{{.ImportPath}}{{end}}"
	out, err := exec.Command("go", "list", "-deps", "-f", format, ".").Output()
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
	for _, path := range []string{module, "golang.org/x/oauth2",
		"github.com/gorilla/securecookie"} {
		if !seen[path] {
			t.Errorf("go list does not name %s: is this the root package?", path)
		}
	}
}
