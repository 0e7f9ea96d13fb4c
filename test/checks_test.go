package test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// checkTable is the page about every Check.
const checkTable = "../docs/checks.md"

const checkHead = `# Every Check, and what to do

An ` + "`*authcode.Error`" + ` has a Reason, which says who can act (see the README), and a Check, which names the
rule that was broken. Checks are stable. Error pages and log lines show both. This page is made from the code
by ` + "`UPDATE_CHECKS=1 go test -run TestChecks ./test`" + `. A ` + "`*`" + ` stands for the kind of document or request, such as
` + "`id_token`" + ` or ` + "`jwks`" + `, @ for the setting that has its URL, and … for a detail. Where there is no Reason, the
kind decides: what is wrong with an ID token is ` + "`identity_refused`" + `, with a response or a logout token ` + "`forged`" + `
or ` + "`malformed`" + `, with metadata or an answer ` + "`bad_answer`" + `, with a key or a certificate of the app ` + "`configuration`" + `.

| Check | Reason | What is wrong, and what to do |
|---|---|---|
`

// TestChecks: docs/checks.md has every Check with its text, as the code has it.
func TestChecks(t *testing.T) {
	found := make(checks)
	for _, dir := range []string{"..", "../oidc", "../provider", "../clientauth", "../dpop", "../fapi"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if !strings.HasSuffix(name, "_test.go") {
				found.read(t, name)
			}
		}
	}
	for _, row := range composed {
		for _, check := range strings.Fields(row.checks) {
			found.add(check, row.reason, row.text)
		}
	}
	got := checkHead + found.rows()
	if os.Getenv("UPDATE_CHECKS") != "" {
		if err := os.WriteFile(checkTable, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(checkTable)
	if err != nil || got != string(want) {
		t.Errorf("%s is not what the code says (%v): if the change is meant, run "+
			"UPDATE_CHECKS=1 go test -run TestChecks ./test", checkTable, err)
	}
	if len(found) < 150 {
		t.Errorf("only %d Checks were found: have the functions that make errors other names?", len(found))
	}
	for check, c := range found {
		if len(c.texts) == 0 && len(c.reasons) > 0 {
			t.Errorf("%s has no text", check)
		}
	}
}

// TestChecksAreComplete: docs/checks.md has each Check that a test expects.
func TestChecksAreComplete(t *testing.T) {
	table, err := os.ReadFile(checkTable)
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(string(table), -1)
	// These are an app's own, from functions that the tests give to a Client.
	own := regexp.MustCompile(`^(app\..*|own\..*|kms\..*|discovery\.busy|metadata\.down)$`)
	known := func(check string) bool {
		if own.MatchString(check) {
			return true
		}
		_, rule, _ := strings.Cut(check, ".")
		return slices.ContainsFunc(rows, func(row []string) bool {
			return row[1] == check || row[1] == "*."+rule
		})
	}
	expected := regexp.MustCompile(`authcode\.[A-Z]\w+,\s+"([a-z_]+\.[a-z_]+|iss)"`)
	for _, dir := range []string{".", "..", "../oidc", "../provider", "../clientauth", "../dpop", "../fapi"} {
		files, err := filepath.Glob(dir + "/*_test.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range expected.FindAllStringSubmatch(string(text), -1) {
				if !known(found[1]) {
					t.Errorf("%s expects %s, which %s lacks: add it to composed", name, found[1], checkTable)
				}
			}
		}
	}
}

// checks are the Checks of the code, by name.
type checks map[string]*checkFacts

type checkFacts struct{ reasons, texts []string }

func (c checks) add(check, reason, text string) {
	if !isCheck.MatchString(check) {
		return
	}
	if c[check] == nil {
		c[check] = &checkFacts{}
	}
	f := c[check]
	if reason != "" && !slices.Contains(f.reasons, reason) {
		f.reasons = append(f.reasons, reason)
	}
	if text == "RefreshResource: …" {
		text = "" // composed has it
	}
	if text == "…" {
		text = "the Error's text says what is wrong and what to do"
	}
	text += advice[check]
	if text != "" && !slices.Contains(f.texts, text) {
		f.texts = append(f.texts, text)
	}
}

// composed are the Checks whose names the code puts together.
var composed = []struct{ checks, reason, text string }{
	{"answer.empty par.empty", "BadAnswer", "the answer has no body: check the endpoint's URL"},
	{"answer.form par.form", "BadAnswer", "the answer is not a JSON object or a form: check the endpoint's URL"},
	{"par.request_uri par.expires_in", "BadAnswer", "the answer has no usable request_uri or expires_in: report it " +
		"to the provider; set Config.DisablePAR if the app can do without pushed requests"},
	{"client_auth.keys messages.keys", "Configuration",
		"the function of RotatingKeys returned an error: make it return the current key"},
	{"client_auth.sign messages.sign", "Configuration", "Key.Signer returned an error when it was to sign: " +
		"check the key, and the KMS or HSM that holds it"},
	{"param.max_age", "Configuration", "use one whole number of seconds, once"},
	{"param.resource", "Configuration", "use absolute URIs without fragment"},
	{"param.authorization_details", "Configuration", "use one JSON array of objects, each with a type, once"},
}

// advice is what to do about the Checks whose Reason depends on what the provider
// answered. The Error's text has the part that fits.
var advice = map[string]string{
	"answer.error": "<br>`grant_rejected`: the code or the refresh token has expired, was used or was revoked, " +
		"so the person starts again; if every login fails, check Config.RedirectURL and the endpoints" + later,
	"par.error": later,
	"authorization.error": "<br>`denied`: the person or the provider said no; nothing to do" +
		"<br>`interaction_required`: start a login without prompt=none" +
		"<br>`configuration`: check the app's registration, its scopes and its parameters" + later,
}

const later = "<br>`overloaded`, `bad_answer`: try again later, and report it to the provider if it happens again"

var (
	isCheck  = regexp.MustCompile(`^([a-z_*]+\.[a-z_*]+|config|binding|scopes|endpoint|metadata|messages|client_auth|response|identity|used_states|iss)$`)
	isReason = regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	verb     = regexp.MustCompile(`%[a-z]`)
)

// rows are those of the table, sorted.
func (c checks) rows() string {
	var b strings.Builder
	for _, check := range slices.Sorted(maps.Keys(c)) {
		f := c[check]
		if len(f.texts) == 0 {
			continue
		}
		slices.Sort(f.reasons)
		slices.Sort(f.texts)
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", check, snake(strings.Join(f.reasons, ", ")),
			strings.ReplaceAll(strings.Join(f.texts, "<br>"), "|", "\\|"))
	}
	return b.String()
}

// snake spells the names of reasons as errors do.
func snake(names string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(names, "${1}_$2"))
}

// read finds what the file makes errors of: calls with a Check and a text, Errors
// that are written out, and maps of texts by Check.
func (c checks) read(t *testing.T, name string) {
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range file.Decls {
		readConstants(decl)
	}
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

// constants are the texts that have a name. Only errors use them here, so one map
// does for all packages.
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
	"notAdmitted": "NotAdmitted",
}

func (c checks) readCall(call *ast.CallExpr) {
	name := nameOf(call.Fun)
	switch name {
	case "errorf", "NewError", "newError", "configError", "misused", "identityError", "notAdmitted",
		"refuse", "seamError":
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
	if check == "config" || check == "metadata.endpoints" || check == "config.preset" {
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
