package oidc

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
)

func hasWords(text string) bool {
	_, words, ok := strings.Cut(text, ": ")
	return ok && strings.Count(words, " ") > 2 && !strings.HasSuffix(words, "): ") && !strings.Contains(words, "*")
}

// ofOneKind are the rules that only some kinds of JWT have, with the names of these.
var ofOneKind = map[string][]string{
	".nonce": {idToken.name, logoutToken.name}, ".auth_time": {idToken.name}, ".at_hash": {idToken.name},
	".jti": {logoutToken.name}, ".events": {logoutToken.name}, ".claim": {introspection.name, response.name},
}

// TestWords: every check that the code names has words for an operator, and all words are used.
func TestWords(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "words.go" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	checks := regexp.MustCompile(`"((?:config|discovery|jwks|callback|id_token|userinfo|refresh|logout_token|logout|initiate|response|introspection|verify)\.[a-z_]+)"`)
	found := checks.FindAllStringSubmatch(code.String(), -1)
	if len(found) < 30 {
		t.Fatalf("found only %d checks", len(found))
	}
	for _, check := range found {
		if got := failed(authcode.BadAnswer, check[1], nil).Error(); !hasWords(got) {
			t.Errorf("%s says %q", check[1], got)
		}
	}
	rules := regexp.MustCompile(`(?:name ?\+ ?|refuse\()"(\.[a-z_]+)"`).FindAllStringSubmatch(code.String(), -1)
	if len(rules) < 30 {
		t.Fatalf("found only %d rules", len(rules))
	}
	for _, rule := range rules {
		about := ofOneKind[rule[1]]
		if about == nil {
			about = slices.Collect(maps.Keys(documents))
		}
		for _, document := range about {
			if got := failed(authcode.BadAnswer, document+rule[1], nil).Error(); !hasWords(got) {
				t.Errorf("%s%s says %q", document, rule[1], got)
			}
		}
	}
	for check := range explained {
		rule, general := strings.CutPrefix(check, "*")
		if !strings.Contains(code.String(), `"`+check+`"`) && !(general && strings.Contains(code.String(), rule+`"`)) &&
			!strings.Contains(code.String(), `"`+check[strings.Index(check, "."):]+`"`) {
			t.Errorf("the words for %s are never used", check)
		}
	}
}
