package test

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// unusableName matches the names that Windows cannot have
// (https://learn.microsoft.com/windows/win32/fileio/naming-a-file). The go
// command refuses a module that has one.
var unusableName = regexp.MustCompile(
	`(?i)^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$|[<>:"|?*\\\x00-\x1f]|.[. ]$`)

// TestFileNames: every system can check the repository out, and the go command
// can fetch the module.
func TestFileNames(t *testing.T) {
	for _, name := range []string{"nul", "AUX.go", "com1", "a:b", "a?", "a."} {
		if !unusableName.MatchString(name) {
			t.Errorf("%q is accepted", name)
		}
	}
	seen := map[string]string{}
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == ".git" || d.Name() == "node_modules" {
			return skipped(d, err)
		}
		if unusableName.MatchString(d.Name()) {
			t.Errorf("%s: Windows has no such name", path)
		}
		lower := strings.ToLower(path)
		if other, twice := seen[lower]; twice {
			t.Errorf("%s and %s differ only in case", other, path)
		}
		seen[lower] = path
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) < 100 {
		t.Errorf("only %d files were found", len(seen))
	}
}

// skipped leaves out a folder. In a work tree, .git is a file.
func skipped(d fs.DirEntry, err error) error {
	if err == nil && d.IsDir() {
		return fs.SkipDir
	}
	return err
}
