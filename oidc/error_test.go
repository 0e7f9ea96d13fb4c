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
	return ok && strings.Count(words, " ") > 2 && !strings.HasSuffix(words, "): ") && !strings.ContainsAny(words, "*@")
}

// ofSomeKinds are the rules that only some kinds of JWT have, with their names.
var ofSomeKinds = map[string][]string{
	".nonce": {idToken.name, logoutToken.name}, ".auth_time": {idToken.name}, ".at_hash": {idToken.name},
	".jti": {logoutToken.name}, ".events": {logoutToken.name}, ".claim": {introspection.name, response.name},
	".sub": {idToken.name, userInfo.name, logoutToken.name},
}

// sources is the code of the package, without the texts.
func sources(t *testing.T) string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "checks.go" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	return code.String()
}

// TestCheckTexts: every check that the code names has a text for operators, and every text is used.
func TestCheckTexts(t *testing.T) {
	code := sources(t)
	checks := regexp.MustCompile(`"((?:config|discovery|jwks|callback|id_token|userinfo|refresh|logout_token|logout|initiate|response|introspection|verify)\.[a-z_]+)"`)
	found := checks.FindAllStringSubmatch(code, -1)
	if len(found) < 30 {
		t.Fatalf("found only %d checks", len(found))
	}
	for _, check := range found {
		if got := newError(authcode.BadAnswer, check[1], nil).Error(); !hasWords(got) {
			t.Errorf("%s says %q", check[1], got)
		}
	}
	rules := regexp.MustCompile(`(?:name ?\+ ?|refuse(?:Answer)?\()"(\.[a-z_]+)"`).FindAllStringSubmatch(code, -1)
	if len(rules) < 30 {
		t.Fatalf("found only %d rules", len(rules))
	}
	for _, rule := range rules {
		names := ofSomeKinds[rule[1]]
		if names == nil {
			names = slices.Collect(maps.Keys(subjects))
		}
		for _, name := range names {
			if got := newError(authcode.BadAnswer, name+rule[1], nil).Error(); !hasWords(got) {
				t.Errorf("%s%s says %q", name, rule[1], got)
			}
		}
	}
	for check := range checkTexts {
		rule, general := strings.CutPrefix(check, "*")
		if !strings.Contains(code, `"`+check+`"`) && !(general && strings.Contains(code, rule+`"`)) &&
			!strings.Contains(code, `"`+check[strings.Index(check, "."):]+`"`) {
			t.Errorf("the text for %s is never used", check)
		}
	}
}
