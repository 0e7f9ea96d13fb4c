package test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestLinks: what the pages of this repository link to within it is there, with
// the heading.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(\s*([^)\s]+)(?:\s[^)]*)?\)|(?:src|srcset)="([^"]+)"`)
	pages := pagesAt(t, "../docs/*.md")
	linked := make(map[string]bool)
	for _, page := range append(pages, pagesAt(t, "../*.md", "../.github/*.md")...) {
		for _, m := range link.FindAllStringSubmatch(prose(t, page), -1) {
			target := m[1] + m[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			path := page
			if file != "" {
				path = filepath.Join(filepath.Dir(page), file)
			}
			linked[path] = true
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s, which is not there", page, target)
			} else if anchor != "" && !hasHeading(prose(t, path), anchor) {
				t.Errorf("%s links to %s, and there is no such heading", page, target)
			}
		}
	}
	for _, page := range pages {
		if !linked[page] {
			t.Errorf("no page links to %s", page)
		}
	}
}

// TestNamedPages: a page that the code, a form or a page names by its path is
// there.
func TestNamedPages(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`\bdocs/[\w-]+\.md\b|\b(?:README|SECURITY|CHANGELOG|CONTRIBUTING|RELEASING|CODE_OF_CONDUCT)\.md\b`)
	count := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == ".git" || strings.HasPrefix(d.Name(), "snippets-")) {
			return filepath.SkipDir
		}
		if !slices.Contains([]string{".go", ".md", ".yml", ".txt", ".html"}, filepath.Ext(path)) {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, page := range named.FindAllString(string(text), -1) {
			count++
			if _, err := os.Stat(filepath.Join("..", page)); err != nil {
				t.Errorf("%s names %s, which is not there", path, page)
			}
		}
		return nil
	})
	if err != nil || count < 40 {
		t.Errorf("%d pages are named, %v", count, err)
	}
}

// pagesAt returns the files that each of these patterns matches.
func pagesAt(t *testing.T, patterns ...string) (pages []string) {
	t.Helper()
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("no pages at %s: %v", pattern, err)
		}
		pages = append(pages, found...)
	}
	return pages
}

// prose is a page without its code.
func prose(t *testing.T, page string) string {
	t.Helper()
	b, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return regexp.MustCompile("(?s)```.*?```").ReplaceAllString(string(b), "")
}

// hasHeading reports whether a page has a heading with this anchor, as GitHub
// makes it.
func hasHeading(page, anchor string) bool {
	for line := range strings.Lines(page) {
		text := strings.TrimSpace(strings.TrimLeft(line, "#"))
		if !strings.HasPrefix(line, "#") {
			continue
		}
		made := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(text), "")
		if strings.ReplaceAll(made, " ", "-") == anchor {
			return true
		}
	}
	return false
}
