package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
)

// readPackage finds what the files make errors of: calls with a Check and a text,
// Errors that are written out, and maps of texts by Check.
func (c checks) readPackage(t *testing.T, names []string) {
	clear(constants)
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			readConstants(decl)
		}
		files = append(files, file)
	}
	for _, file := range files {
		c.read(file)
	}
}

func (c checks) read(file *ast.File) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CaseClause:
			c.readAssignments(n.Body)
		case *ast.CallExpr:
			c.readCall(n)
		case *ast.CompositeLit:
			c.readLiteral(n)
		}
		return true
	})
}

// constants are the texts that have a name in the package that is read.
var constants = make(map[string]string)

func readConstants(decl ast.Decl) {
	group, ok := decl.(*ast.GenDecl)
	if !ok || group.Tok != token.CONST {
		return
	}
	for _, spec := range group.Specs {
		value := spec.(*ast.ValueSpec)
		if name := value.Names[0].Name; len(value.Values) == 1 && !ast.IsExported(name) { // not a Reason
			if text, ok := textOf(value.Values[0]); ok {
				constants[name] = text
			}
		}
	}
}

// readAssignments is for an error that is changed after it was made.
func (c checks) readAssignments(body []ast.Stmt) {
	check, text := "", "…"
	for _, statement := range body {
		assign, ok := statement.(*ast.AssignStmt)
		if !ok {
			continue
		}
		value, _ := textOf(assign.Rhs[0])
		switch nameOf(assign.Lhs[0]) {
		case "Check":
			check = value
		case "detail":
			text = value
		}
	}
	for _, one := range strings.Split(check, " ") {
		c.add(one, "", text)
	}
}

// byFunction are the reasons of functions that make errors of one kind.
var byFunction = map[string]string{
	"configError": "Configuration", "misused": "Configuration", "identityError": "IdentityRefused",
	"notAdmitted": "NotAdmitted", "asError": "Configuration", "later": "Overloaded", "left": "Canceled",
}

func (c checks) readCall(call *ast.CallExpr) {
	name := nameOf(call.Fun)
	switch name {
	case "errorf", "NewError", "newError", "configError", "misused", "identityError", "notAdmitted",
		"refuse", "seamError", "later", "left", "asError":
	default:
		return
	}
	reason, check, text := byFunction[name], "", ""
	for _, arg := range call.Args {
		named := nameOf(arg)
		switch value, ok := textOf(arg); {
		case ok && check == "":
			check = value
		case ok && text == "":
			text = value
		case isReason.MatchString(named) && reason == "":
			reason = named
		}
	}
	for _, one := range strings.Split(check, " ") {
		c.add(one, reason, text)
	}
}

func (c checks) readLiteral(lit *ast.CompositeLit) {
	var reason, check, text string
	for _, element := range lit.Elts {
		pair, ok := element.(*ast.KeyValueExpr)
		if !ok {
			continue
		}
		value, isText := textOf(pair.Value)
		if key, ok := textOf(pair.Key); ok && isText { // a map of texts
			c.add(key, "", value)
		}
		switch nameOf(pair.Key) {
		case "Reason":
			reason = nameOf(pair.Value)
		case "Check":
			check = value
		case "detail":
			text = value
		}
	}
	if check == "config" || check == "metadata.endpoints" || check == "config.preset" || check == "grant.config" {
		text = "the Config, or the provider's metadata, has faults: Error.Faults lists each one and its cure"
	}
	c.add(check, reason, text)
}

// nameOf is the last name in an expression.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// textOf is a text that the code puts together from constants, with … for the
// rest, or the Checks of requests that share their rules.
func textOf(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.Ident:
		text, ok := constants[e.Name]
		return text, ok
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return verb.ReplaceAllString(text, "…"), err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, ok := textOf(e.X)
		right, also := textOf(e.Y)
		switch {
		case ok && also:
			return left + right, true
		case ok:
			return left + "…", true
		case also && strings.HasPrefix(right, "."):
			return "*" + right, true
		}
		return right, also
	case *ast.CallExpr:
		if len(e.Args) > 0 && nameOf(e.Fun) == "check" {
			rule, ok := textOf(e.Args[0])
			return "answer." + rule + " par." + rule, ok
		}
	}
	return "", false
}
