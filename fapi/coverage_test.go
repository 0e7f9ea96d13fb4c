package fapi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// tables are all rows of this package.
func tables() map[string][]row {
	return map[string][]row{
		"response": responseRows(), "par": parRows(setup{}), "nonces": nonceRows(), "token": tokenRows(), "id token": idTokenRows(),
		"jarm": jarmRows(), "userinfo": userInfoRows(withUserInfo), "signed userinfo": signedUserInfoRows(withUserInfo),
		"introspection": introspectionRows(setup{}), "signed introspection": signedIntrospectionRows(), "revocation": revocationRows(),
		"api": apiRows(), "metadata": metadataRows(), "keys": keyRows(setup{}, authcode.IdentityRefused, authserver.Token),
		"transport": transportRows(), "audiences": audienceRows(), "certificates": certificateRows(), "suite": suiteRows(),
	}
}

// elsewhere are switches that have their rows in another package.
var elsewhere = map[string]string{
	"EndSession": "package oidc: signing out is no part of the profiles",
}

// TestEverySwitchHasARow: a new place or fault of authserver needs one here.
func TestEverySwitchHasARow(t *testing.T) {
	places, faults := switches(t)
	if len(places) < 14 || len(faults) < 40 {
		t.Fatalf("authserver has %d places and %d faults: are they found?", len(places), len(faults))
	}
	seen := make(map[authserver.Place]int)
	for _, rows := range tables() {
		for _, r := range rows {
			seen[r.at]++
		}
	}
	for name, value := range places {
		if (seen[value] > 0) == (elsewhere[name] != "") {
			t.Errorf("place %s has %d rows; elsewhere: %q", name, seen[value], elsewhere[name])
		}
	}
	used := namesInTables(t)
	for _, name := range faults {
		if used[name] == (elsewhere[name] != "") {
			t.Errorf("fault %s: used here: %t; elsewhere: %q", name, used[name], elsewhere[name])
		}
	}
	for name := range elsewhere {
		if _, ok := places[name]; !ok && !slices.Contains(faults, name) {
			t.Errorf("authserver has no %s", name)
		}
	}
}

// TestRows: a row's name is its own, and whoever is refused has a reason.
func TestRows(t *testing.T) {
	refused := make(map[string]bool)
	for table, rows := range tables() {
		names := make(map[string]bool)
		for _, r := range rows {
			if names[r.name] {
				t.Errorf("%s: two rows have the name %q", table, r.name)
			}
			if names[r.name] = true; r.check != "" && r.reason == "" {
				t.Errorf("%s: %q has no reason", table, r.name)
			}
			refused[r.check] = true
		}
	}
	for name, r := range suiteRefusals {
		if !slices.ContainsFunc(authserver.FAPI2ClientTests(clientID), func(c authserver.ClientTest) bool { return c.Name == name }) {
			t.Errorf("the suite has no %s", name)
		}
		delete(refused, r.check)
	}
	if len(refused) < 50 {
		t.Errorf("the tables know %d checks beside the suite's: %v", len(refused), slices.Sorted(maps.Keys(refused)))
	}
}

// switches reads authserver: its places with their values, and the functions that make faults.
func switches(t *testing.T) (places map[string]authserver.Place, faults []string) {
	places = make(map[string]authserver.Place)
	for _, file := range parseFiles(t, "../internal/authserver/*.go") {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() && isResult(d, "Fault") {
					faults = append(faults, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok && isNamed(v.Type, "Place") {
						text := v.Values[0].(*ast.BasicLit).Value
						places[v.Names[0].Name] = authserver.Place(strings.Trim(text, `"`))
					}
				}
			}
		}
	}
	return places, faults
}

func isResult(d *ast.FuncDecl, name string) bool {
	return d.Type.Results != nil && len(d.Type.Results.List) == 1 && isNamed(d.Type.Results.List[0].Type, name)
}

func isNamed(expr ast.Expr, name string) bool {
	id, ok := expr.(*ast.Ident)
	return ok && id.Name == name
}

// namesInTables are the names of authserver that the files with tables use.
func namesInTables(t *testing.T) map[string]bool {
	used := make(map[string]bool)
	for _, file := range parseFiles(t, "hostile?*_test.go") {
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && isNamed(s.X, "authserver") {
				used[s.Sel.Name] = true
			}
			return true
		})
	}
	return used
}

func parseFiles(t *testing.T, pattern string) (files []*ast.File) {
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasPrefix(pattern, "..") && strings.HasSuffix(name, "_test.go") || name == "hostile_test.go" {
			continue // tests of authserver, and what is not a table
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}
