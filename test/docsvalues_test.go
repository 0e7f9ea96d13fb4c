package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/authcode"
)

// constantsOf returns the values of the string constants of a type, by their order
// in the code.
func constantsOf(t *testing.T, dir, name string) (values []string) {
	t.Helper()
	files, err := filepath.Glob("../" + dir + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.CONST {
				values = append(values, valuesOf(d, name)...)
			}
		}
	}
	if len(values) < 4 {
		t.Fatalf("%s has only the values %q of %s", dir, values, name)
	}
	return values
}

// valuesOf returns the values of the constants of a type in one declaration.
func valuesOf(d *ast.GenDecl, name string) (values []string) {
	for _, spec := range d.Specs {
		s := spec.(*ast.ValueSpec)
		if of, ok := s.Type.(*ast.Ident); !ok || of.Name != name {
			continue
		}
		for _, v := range s.Values {
			value, _ := strconv.Unquote(v.(*ast.BasicLit).Value)
			values = append(values, value)
		}
	}
	return values
}

// code returns what stands in backquotes in a text.
func code(text string) (found []string) {
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

// tables returns the cells of all rows of a page.
func tables(t *testing.T, page string) (rows [][]string) {
	t.Helper()
	for line := range strings.Lines(read(t, page)) {
		if cells := strings.Split(strings.TrimSpace(line), "|"); len(cells) > 3 {
			rows = append(rows, cells[1:len(cells)-1])
		}
	}
	return rows
}

// TestValuesOnPages: a page that lists the values of a type has all of them, and
// no other.
func TestValuesOnPages(t *testing.T) {
	for _, row := range []struct{ page, cell, dir, name string }{
		{"docs/metrics.md", "`error.type`", ".", "Reason"},
		{"docs/metrics.md", "`authcode.operation.name`", ".", "Kind"},
		{"docs/metrics.md", "`authcode.grant.renewal.outcome`", "grant", "Outcome"},
		{"docs/metrics.md", "`authcode.session.event`", "session", "Kind"},
		{"docs/metrics.md", "`authcode.session.end.reason`", "session", "Why"},
	} {
		want := constantsOf(t, row.dir, row.name)
		if row.name == "Reason" { // these two are not failures, and _OTHER is no Reason
			want = append(want, "_OTHER")
			want = slices.DeleteFunc(want, func(v string) bool { return v == "prefetch" || v == "continued" })
		}
		found := false
		for _, cells := range tables(t, row.page) {
			if strings.TrimSpace(cells[0]) == row.cell {
				found = true
				wantSame(t, row.page+", "+row.cell, code(cells[1]), want)
			}
		}
		if !found {
			t.Errorf("%s has no row %s", row.page, row.cell)
		}
	}
	var outcomes []string
	_, watched, _ := strings.Cut(read(t, "docs/grants.md"), "\n## What an operator watches\n")
	for _, m := range regexp.MustCompile("(?m)^\\| (`[^|]+) \\|").FindAllStringSubmatch(watched, -1) {
		outcomes = append(outcomes, code(m[1])...)
	}
	wantSame(t, "docs/grants.md", outcomes, constantsOf(t, "grant", "Outcome"))
}

func wantSame(t *testing.T, where string, got, want []string) {
	t.Helper()
	got, want = slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))
	if !slices.Equal(got, want) {
		t.Errorf("%s has %q, the code has %q", where, got, want)
	}
}

// TestReasonsOnPage: docs/errors.md has each Reason with its status.
func TestReasonsOnPage(t *testing.T) {
	var got []string
	for _, cells := range tables(t, "docs/errors.md") {
		status, err := strconv.Atoi(strings.TrimSpace(cells[1]))
		if err != nil {
			continue // the head
		}
		reasons, _, _ := strings.Cut(cells[0], "(")
		for _, reason := range code(reasons) {
			got = append(got, reason)
			if want := authcode.Reason(reason).Status(); status != want {
				t.Errorf("docs/errors.md gives %s the status %d, the code %d", reason, status, want)
			}
		}
	}
	wantSame(t, "docs/errors.md", got, constantsOf(t, ".", "Reason"))
}
