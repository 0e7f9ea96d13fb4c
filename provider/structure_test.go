package provider_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

const maxPreset = 15 // lines of a preset

// source is the package without its tests.
func source(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	set := token.NewFileSet()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return set, files
}

// presets are the exported functions that return an authcode.Provider alone.
func presets(files []*ast.File) (found []*ast.FuncDecl) {
	for _, file := range files {
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !f.Name.IsExported() || f.Type.Results == nil || len(f.Type.Results.List) != 1 {
				continue
			}
			result, ok := f.Type.Results.List[0].Type.(*ast.SelectorExpr)
			if ok && result.Sel.Name == "Provider" {
				found = append(found, f)
			}
		}
	}
	return found
}

// TestPresetsAreData: a preset is short, says where its facts are from, decides nothing, and is
// signed in with by TestPresets.
func TestPresetsAreData(t *testing.T) {
	set, files := source(t)
	var listed []string
	for _, r := range rows() {
		listed = append(listed, r.fn)
	}
	var names []string
	for _, f := range presets(files) {
		names = append(names, f.Name.Name)
		if lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; lines > maxPreset {
			t.Errorf("%s has %d lines, at most %d are allowed", f.Name.Name, lines, maxPreset)
		}
		doc := f.Doc.Text()
		sources := strings.Contains(doc, "\n  - ") || strings.Contains(f.Name.Name, "Tenant") // see Microsoft
		if !strings.HasPrefix(doc, f.Name.Name+" is ") || !sources {
			t.Errorf("%s: no list of facts and their sources", f.Name.Name)
		}
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.FuncLit, *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
				t.Errorf("%s decides or does something: a quirk is a field or a shared function", f.Name.Name)
			}
			return true
		})
	}
	slices.Sort(names)
	slices.Sort(listed)
	if len(names) < 28 || !slices.Equal(names, listed) {
		t.Errorf("presets %q\nrows %q", names, listed)
	}
}

// TestNothingTwice: no two functions, methods or function literals do the same.
func TestNothingTwice(t *testing.T) {
	set, files := source(t)
	for _, d := range duplicates(set, files) {
		t.Error(d)
	}
	twice := `package p
		type a struct{ n int }
		type b struct{ n int }
		func (x a) get(k int) int { if k > 1 { return x.n }; return k }
		func (y b) take(j int) int { if j > 1 { return y.n }; return j }
		var f = func(s string) string { return trim(s, "#") }
		func g(text string) string { return trim(text, "#") }
		func h(text string) string { return trim(text, "%") }`
	file, err := parser.ParseFile(set, "twice.go", twice, 0)
	if err != nil {
		t.Fatal(err)
	}
	if found := duplicates(set, []*ast.File{file}); len(found) != 2 {
		t.Errorf("found %q, want two pairs", found)
	}
}

// duplicates compares bodies, whatever their variables are called.
func duplicates(set *token.FileSet, files []*ast.File) (found []string) {
	seen := make(map[string]token.Pos)
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			var body *ast.BlockStmt
			switch f := n.(type) {
			case *ast.FuncDecl:
				body = f.Body
			case *ast.FuncLit:
				body = f.Body
			}
			if body == nil {
				return true
			}
			text := anonymous(set, body, variables(n))
			if first, again := seen[text]; again {
				found = append(found, fmt.Sprintf("%v does the same as %v", set.Position(n.Pos()), set.Position(first)))
			}
			seen[text] = n.Pos()
			return true
		})
	}
	return found
}

// variables are the names that a function declares: parameters, results and locals.
func variables(function ast.Node) map[string]bool {
	names := make(map[string]bool)
	declare := func(list ...ast.Expr) {
		for _, e := range list {
			if id, ok := e.(*ast.Ident); ok && id.Name != "_" {
				names[id.Name] = true
			}
		}
	}
	ast.Inspect(function, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				declare(name)
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				declare(name)
			}
		case *ast.RangeStmt:
			declare(n.Key, n.Value)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				declare(n.Lhs...)
			}
		}
		return true
	})
	return names
}

// anonymous prints body with its variables numbered. It leaves body as it was.
func anonymous(set *token.FileSet, body *ast.BlockStmt, variables map[string]bool) string {
	numbers, renamed := make(map[string]string), make(map[*ast.Ident]string)
	var rename func(n ast.Node) bool
	rename = func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok { // a field or method keeps its name
			ast.Inspect(s.X, rename)
			return false
		}
		id, ok := n.(*ast.Ident)
		if !ok || !variables[id.Name] || renamed[id] != "" {
			return true
		}
		if numbers[id.Name] == "" {
			numbers[id.Name] = fmt.Sprintf("v%d", len(numbers))
		}
		renamed[id], id.Name = id.Name, numbers[id.Name]
		return true
	}
	ast.Inspect(body, rename)
	var out bytes.Buffer
	err := printer.Fprint(&out, set, body)
	for id, name := range renamed {
		id.Name = name
	}
	if err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(out.String()), " ")
}
