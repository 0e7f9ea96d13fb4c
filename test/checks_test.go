package test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// checkTable is the page about every Check.
const checkTable = "../docs/checks.md"

const checkHead = `# Every Check, and what to do

An ` + "`*authcode.Error`" + ` has a Reason, which says who can act ([errors.md](errors.md)), and a Check, which names the
rule that was broken. Checks are stable. Error pages and log lines show both. This page is made from the code
by ` + "`UPDATE_CHECKS=1 go test -run TestChecks ./test`" + `. A ` + "`*`" + ` stands for the kind of document or request, such as
` + "`id_token`" + ` or ` + "`jwks`" + `, @ for the setting that has its URL, and … for a detail. If a row has no Reason, the
kind decides: an ID token gives ` + "`identity_refused`" + `, a response or a logout token ` + "`forged`" + ` or
` + "`malformed`" + `, metadata or another answer ` + "`bad_answer`" + `, a key or a certificate of the app ` + "`configuration`" + `.

| Check | Reason | What is wrong, and what to do |
|---|---|---|
`

// TestChecks: docs/checks.md has every Check with the text that the code has.
func TestChecks(t *testing.T) {
	found := make(checks)
	for _, dir := range []string{"..", "../oidc", "../provider", "../clientauth", "../dpop", "../fapi", "../grant", "../session", "../tenants"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		found.readPackage(t, files)
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
	for _, dir := range []string{
		".", "..", "../oidc", "../provider", "../clientauth", "../dpop", "../fapi", "../grant", "../session", "../tenants",
	} {
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
	if strings.HasSuffix(text, ": …") {
		text = "" // it names a field, and composed says what is wrong with it
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
	{"answer.configuration par.configuration", "Configuration", "the provider refused the request for what the " +
		"app is or asks: the Error's text names the field to check"},
	{"answer.form par.form", "BadAnswer", "the answer is not a JSON object or a form: check the endpoint's URL"},
	{"par.request_uri par.expires_in", "BadAnswer", "the answer has no usable request_uri or expires_in: report it " +
		"to the provider; set Config.DisablePAR if the app can do without pushed requests"},
	{"client_auth.keys messages.keys", "Configuration",
		"the function of RotatingKeys returned an error: make it return the current key"},
	{"client_auth.sign messages.sign", "Configuration", "Key.Signer returned an error when it was to sign: " +
		"check the key, and the KMS or HSM that holds it"},
	{"grant.option", "Configuration", "grant.Resource has no URI, or grant.Scopes no scopes: name what the token is for"},
	{"grant.panic", "Configuration", "a function of the grant.Config panicked: correct it"},
	{"session.config", "Configuration", "a field of session.Config is missing or wrong: the Error's Faults say which"},
	{"tenants.config", "Configuration", "a field of tenants.Config is missing or wrong: the Error's Faults say which"},
	{"tenants.panic", "Configuration", "the function tenants.Config.Load panicked: correct it"},
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
