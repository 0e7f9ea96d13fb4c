package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strings"
)

// condition is a condition that refuses.
type condition struct {
	id         int // from 1
	position   token.Position
	start, end int // offsets in the file
	text       string
	reached    bool // by a test that made it true
}

func (c *condition) String() string {
	text := c.position.String() + ": " + c.text
	if !c.reached {
		text += " (no test makes it true)"
	}
	return text
}

// find returns the conditions that refuse in a file.
func find(path string, source []byte) ([]*condition, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, source, 0)
	if err != nil {
		return nil, err
	}
	f := &finder{source: source, files: files}
	f.walk(file, nil)
	return f.found, nil
}

// finder finds the conditions that refuse in a file.
type finder struct {
	source []byte
	files  *token.FileSet
	found  []*condition
}

// text returns n as it stands in the file, with single spaces.
func (f *finder) text(n ast.Node) string {
	start, end := f.files.Position(n.Pos()).Offset, f.files.Position(n.End()).Offset
	return strings.Join(strings.Fields(string(f.source[start:end])), " ")
}

func (f *finder) add(list ...ast.Expr) {
	for _, e := range list {
		at, end := f.files.Position(e.Pos()), f.files.Position(e.End()).Offset
		f.found = append(f.found, &condition{position: at, start: at.Offset, end: end, text: f.text(e)})
	}
}

// walk adds the conditions that refuse in n, a part of a function of this type.
func (f *finder) walk(n ast.Node, function *ast.FuncType) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			f.walk(n.Body, n.Type)
			return false
		case *ast.FuncLit:
			f.walk(n.Body, n.Type)
			return false
		case *ast.IfStmt:
			if f.refuses(n.Body, function) {
				f.add(operands(n.Cond)...)
			}
		case *ast.SwitchStmt:
			for _, s := range n.Body.List {
				c := s.(*ast.CaseClause)
				if n.Tag == nil && f.refuses(&ast.BlockStmt{List: c.Body}, function) {
					for _, e := range c.List {
						f.add(operands(e)...)
					}
				}
			}
		}
		return true
	})
}

// operands returns the operands of ||, also those inside of && and parentheses.
func operands(e ast.Expr) []ast.Expr {
	var list []ast.Expr
	switch e := e.(type) {
	case *ast.ParenExpr:
		list = operands(e.X)
	case *ast.BinaryExpr:
		left, right := operands(e.X), operands(e.Y)
		if e.Op == token.LOR || e.Op == token.LAND && len(left) > 1 {
			list = append(list, left...)
		}
		if e.Op == token.LOR || e.Op == token.LAND && len(right) > 1 {
			list = append(list, right...)
		}
	}
	if len(list) > 1 {
		return list
	}
	return []ast.Expr{e}
}

var (
	isFault   = regexp.MustCompile(`(?i)(err|faults?|bad|malformed)$`)
	isRefusal = regexp.MustCompile(`^(.*\.)?(panic|[rR]efuse|addFault|WriteHeader)$`)
	isEmpty   = regexp.MustCompile(`^(nil|""|false)$`)
)

// refuses holds for a body that refuses, in a function of this type. Functions
// inside of the body do not count.
func (f *finder) refuses(body *ast.BlockStmt, function *ast.FuncType) bool {
	last, only := "", false // of the results
	if r := function.Results; r != nil {
		last, only = f.text(r.List[len(r.List)-1].Type), len(r.List) == 1
	}
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BranchStmt:
			found = found || n.Tok == token.CONTINUE
		case *ast.ReturnStmt:
			if len(n.Results) == 0 {
				break
			}
			value := f.text(n.Results[len(n.Results)-1])
			fault := strings.HasSuffix(last, "rror") ||
				only && (last == "string" || last == "[]string")
			found = found || last == "bool" && value == "false" ||
				fault && !isEmpty.MatchString(value)
		case *ast.AssignStmt:
			value := f.text(n.Rhs[len(n.Rhs)-1])
			for _, to := range n.Lhs {
				found = found || isFault.MatchString(f.text(to)) && !isEmpty.MatchString(value)
			}
			found = found || last == "[]string" && strings.HasPrefix(value, "append(")
		case *ast.CallExpr:
			found = found || isRefusal.MatchString(f.text(n.Fun))
		}
		return true
	})
	return found
}
