package oidc

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.com/authcode"
)

func hasWords(text string) bool {
	_, words, ok := strings.Cut(text, ": ")
	return ok && strings.Count(words, " ") > 2 && !strings.HasSuffix(words, "): ") && !strings.Contains(words, "*")
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
	checks := regexp.MustCompile(`"((?:config|discovery|jwks|callback|id_token|userinfo|refresh|logout_token|logout|initiate|response|introspection)\.[a-z_]+)"`)
	found := checks.FindAllStringSubmatch(code.String(), -1)
	if len(found) < 30 {
		t.Fatalf("found only %d checks", len(found))
	}
	for _, check := range found {
		if got := failed(authcode.BadAnswer, check[1], nil).Error(); !hasWords(got) {
			t.Errorf("%s says %q", check[1], got)
		}
	}
	rules := regexp.MustCompile(`(?:name|v\.name) ?\+ ?"(\.[a-z_]+)"`).FindAllStringSubmatch(code.String(), -1)
	for _, rule := range rules {
		for document := range documents {
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
