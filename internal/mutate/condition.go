package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
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
	var found []*condition
	add := func(list ...ast.Expr) {
		for _, e := range list {
			at, end := files.Position(e.Pos()), files.Position(e.End()).Offset
			text := strings.Join(strings.Fields(string(source[at.Offset:end])), " ")
			found = append(found, &condition{position: at, start: at.Offset, end: end, text: text})
		}
	}
	walk(file, nil, add)
	return found, nil
}

// walk calls add with the conditions that refuse in n, a part of a function of
// this type.
func walk(n ast.Node, function *ast.FuncType, add func(...ast.Expr)) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			walk(n.Body, n.Type, add)
			return false
		case *ast.FuncLit:
			walk(n.Body, n.Type, add)
			return false
		case *ast.IfStmt:
			if refuses(n.Body, function) {
				add(operands(n.Cond)...)
			}
		case *ast.SwitchStmt:
			for _, s := range n.Body.List {
				c := s.(*ast.CaseClause)
				if n.Tag == nil && refuses(&ast.BlockStmt{List: c.Body}, function) {
					for _, e := range c.List {
						add(operands(e)...)
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
func refuses(body *ast.BlockStmt, function *ast.FuncType) bool {
	last, only := "", false // of the results
	if r := function.Results; r != nil {
		last, only = types.ExprString(r.List[len(r.List)-1].Type), len(r.List) == 1
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
			value := types.ExprString(n.Results[len(n.Results)-1])
			fault := strings.HasSuffix(last, "rror") ||
				only && (last == "string" || last == "[]string")
			found = found || last == "bool" && value == "false" ||
				fault && !isEmpty.MatchString(value)
		case *ast.AssignStmt:
			value := types.ExprString(n.Rhs[len(n.Rhs)-1])
			for _, to := range n.Lhs {
				found = found || isFault.MatchString(types.ExprString(to)) && !isEmpty.MatchString(value)
			}
			found = found || last == "[]string" && strings.HasPrefix(value, "append(")
		case *ast.CallExpr:
			found = found || isRefusal.MatchString(types.ExprString(n.Fun))
		}
		return true
	})
	return found
}
