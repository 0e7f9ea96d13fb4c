package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// read returns a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// modules are the folders of the nested modules.
func modules(t *testing.T) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git"):
			return filepath.SkipDir
		case d.Name() == "go.mod" && path != filepath.Join("..", "go.mod"):
			dirs = append(dirs, strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../"))
		}
		return nil
	})
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no nested modules: %v", err)
	}
	return dirs
}

// moduleLists are where a file lists the nested modules.
var moduleLists = []struct{ file, list string }{
	{".github/dependabot.yml", `gomod\n    directories: \[/, (.*)\]`},
	{".github/workflows/ci.yml", `govulncheck, (?s:.*?) dir: \[\., (.*?)\]`},
	{".github/workflows/ci.yml", `golangci-lint/v2(?s:.*?)for dir in \. (.*?); do`},
	{".ci/run", `nested="(.*)"`},
	{"Makefile", `for dir in \. (.*?); do`},
}

// TestModulesAreListed: a module that CI, Dependabot or `make rename` forgets
// stays with vulnerable dependencies, or with the wrong path.
func TestModulesAreListed(t *testing.T) {
	for _, l := range moduleLists {
		list := regexp.MustCompile(l.list).FindStringSubmatch(read(t, l.file))
		if list == nil {
			t.Errorf("%s has no list of modules like %s", l.file, l.list)
			continue
		}
		wantSame(t, l.file, regexp.MustCompile(`\w[\w/]*`).FindAllString(list[1], -1), modules(t))
	}
	for _, dir := range modules(t) {
		if !strings.Contains(read(t, "RELEASING.md"), "`"+dir+"`") {
			t.Errorf("RELEASING.md does not say whether %s has a tag", dir)
		}
	}
}

// TestActionsArePinned: a tag of an action can be moved to other code.
func TestActionsArePinned(t *testing.T) {
	pinned := regexp.MustCompile(`^[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
	files, err := filepath.Glob("../.github/workflows/*.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflows: %v", err)
	}
	for _, file := range files {
		text := read(t, strings.TrimPrefix(filepath.ToSlash(file), "../"))
		for line := range strings.Lines(text) {
			_, action, uses := strings.Cut(strings.TrimSpace(line), "uses: ")
			if uses && !pinned.MatchString(action) {
				t.Errorf("%s: %s is not pinned by a commit with its version", file, action)
			}
		}
		if strings.Count(text, "permissions:") != 1 || !strings.Contains(text, "\npermissions:\n  contents: read\n") {
			t.Errorf("%s: the token may do more than read", file)
		}
	}
}

// TestPagesFit: the README stays short, and its lines and the text of all pages
// fit a screen. Elsewhere, code and rows of tables may be longer: a row cannot be
// wrapped.
func TestPagesFit(t *testing.T) {
	readme := read(t, "README.md")
	if n := strings.Count(readme, "\n"); n > 200 {
		t.Errorf("the README has %d lines, want 200 at most", n)
	}
	if n := len(strings.Fields(readme)); n > 1400 {
		t.Errorf("the README has %d words, want 1,400 at most", n)
	}
	for _, page := range pagesAt(t, "../*.md", "../docs/*.md") {
		name := strings.TrimPrefix(filepath.ToSlash(page), "../")
		number, isCode := 0, false
		for line := range strings.Lines(read(t, name)) {
			number++
			isCode = isCode != strings.HasPrefix(line, "```")
			mayBeLong := name != "README.md" && (isCode || strings.HasPrefix(line, "|"))
			if n := utf8.RuneCountInString(strings.TrimRight(line, "\r\n")); n > 120 && !mayBeLong {
				t.Errorf("%s:%d has %d columns, want 120 at most", name, number, n)
			}
		}
	}
}
