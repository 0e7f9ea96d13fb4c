package authcode_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestAPI compares the exported API with testdata/api.txt, so that a change shows in review.
// UPDATE_API=1 go test -run TestAPI . writes the file anew.
func TestAPI(t *testing.T) {
	const file = "testdata/api.txt"
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
				t.Fatalf("%s:%d says\n%s\nbut the package says\n%s\nIf the change is meant: UPDATE_API=1 go test -run TestAPI .", file, i+1, w[i], g[i])
			}
		}
		t.Fatalf("%s has %d lines, the package's documentation %d: UPDATE_API=1 go test -run TestAPI .", file, len(w), len(g))
	}
}
