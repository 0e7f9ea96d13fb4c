package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// exported are the exported names of the packages that apps import: "grant.New",
// "grant.Config", and without the package "Config.Store" and "Grant.Token".
type exported map[string]bool

func (e exported) readPackage(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob("../" + dir + "/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(dir, err)
	}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		e[file.Name.Name] = true
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				e.addFunc(file.Name.Name, d)
			case *ast.GenDecl:
				e.addDecl(file.Name.Name, d)
			}
		}
	}
}

func (e exported) addFunc(pkg string, f *ast.FuncDecl) {
	if f.Recv == nil {
		e[pkg+"."+f.Name.Name] = true
		return
	}
	of := f.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		e[name.Name+"."+f.Name.Name] = true
	}
}

func (e exported) addDecl(pkg string, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		switch s := spec.(type) {
		case *ast.ValueSpec:
			for _, name := range s.Names {
				e[pkg+"."+name.Name] = true
			}
		case *ast.TypeSpec:
			e[pkg+"."+s.Name.Name] = true
			e[s.Name.Name] = s.Name.IsExported()
			e.addMembers(s)
		}
	}
}

// addMembers adds the fields of a struct and the methods of an interface.
func (e exported) addMembers(s *ast.TypeSpec) {
	var fields *ast.FieldList
	switch of := s.Type.(type) {
	case *ast.StructType:
		fields = of.Fields
	case *ast.InterfaceType:
		fields = of.Methods
	default:
		return
	}
	for _, field := range fields.List {
		for _, name := range field.Names {
			e[s.Name.Name+"."+name.Name] = true
			if s.Name.Name == "Endpoints" { // which Provider embeds
				e["Provider."+name.Name] = true
			}
		}
	}
}

// TestNamesOnPages: what a page calls by its name in Go has that name. The
// snippets are compiled; this is about the text and the tables.
func TestNamesOnPages(t *testing.T) {
	t.Parallel()
	known := make(exported)
	for _, dir := range []string{
		".", "oidc", "provider", "clientauth", "dpop", "fapi", "grant", "grant/sqlstore", "grant/storetest", "session",
		"tenants", "authtest", "redisstore", "otelauthcode",
	} {
		known.readPackage(t, dir)
	}
	name := regexp.MustCompile(`\b([A-Za-z]\w*)\.([A-Z]\w*)`)
	checked := 0
	for _, page := range pagesAt(t, "../*.md", "../docs/*.md") {
		for _, span := range code(prose(t, page)) {
			for _, m := range name.FindAllStringSubmatch(span, -1) {
				if !known[m[1]] {
					continue // of the standard library, or of the reader
				}
				checked++
				if !known[m[0]] {
					t.Errorf("%s has `%s`: there is no %s", page, span, m[0])
				}
			}
		}
	}
	if checked < 200 {
		t.Errorf("the pages have only %d names", checked)
	}
}
