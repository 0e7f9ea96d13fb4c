package provider_test

import (
	"regexp"
	"strings"
	"testing"
)

var (
	// address is where a document is: a host, then a path or the document's title. It has no scheme, so that
	// it differs from an endpoint or a claim.
	address = regexp.MustCompile(`\b[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(/\S|, ")`)
	withURL = regexp.MustCompile(`https?://\S+`)
	// again refers to a document that a fact above names.
	again = regexp.MustCompile(`(?i)\b(same (place|reference|manual)|first page|as above)\b`)
)

// hasSource says whether fact, an item of a preset's list, says where it is from. It starts with "unconfirmed:",
// or has the address of a document anywhere, or refers to a document of facts above. That is all a program can
// see: whether the document says so, and says all of it, is for the reader.
func hasSource(fact string, above []string) bool {
	if strings.HasPrefix(fact, "unconfirmed:") || address.MatchString(withURL.ReplaceAllString(fact, "")) {
		return true
	}
	text := withURL.ReplaceAllString(strings.Join(above, "\n"), "")
	return again.MatchString(fact) && address.MatchString(text)
}

// TestFactsNameTheirSource: no preset states a fact without its source, or the mark that there is none.
func TestFactsNameTheirSource(t *testing.T) {
	_, files := source(t)
	for _, f := range presets(files) {
		facts := newFacts(rows()[0], f.Doc.Text())
		for i, fact := range facts.list {
			if !hasSource(fact, facts.list[:i]) {
				t.Errorf("%s: %q has neither a source nor the mark \"unconfirmed:\"", f.Name.Name, fact)
			}
		}
	}
}

// TestHasSource: what counts as a source.
func TestHasSource(t *testing.T) {
	document := []string{"endpoints: docs.example.com/oauth"}
	for _, c := range []struct {
		claim, fact string
		above       []string
		want        bool
	}{
		{"nothing", "refresh tokens: always; no parameter", document, false},
		{"a page", "refresh tokens: always: docs.example.com/tokens", nil, true},
		{"a title", `scopes: help.example.com, "Scopes"`, nil, true},
		{"a host alone", "scopes: as example.com has them", nil, false},
		{"a file of a repository", "refusals: github.com/example/server, web/oauth.go", nil, true},
		{"a file of no repository", "refusals: web/oauth.go of its source", document, false},
		{"a claim that is a URL", "the claim https://example.com/team, next to sub", nil, false},
		{"a member of an answer", "the person below bot.owner.user", document, false},
		{"the mark", "unconfirmed: PKCE", nil, true},
		{"the mark for a part of it", "revocation: left out (unconfirmed: why)", document, false},
		{"a document above", "scopes: same place", document, true},
		{"no document above", "scopes: same place", []string{"unconfirmed: PKCE"}, false},
		{"an endpoint above", "scopes: same place", []string{"https://example.com/api is the profile's"}, false},
		{"the first one", `revocation: First page, "Logout"`, document, true},
	} {
		if got := hasSource(c.fact, c.above); got != c.want {
			t.Errorf("%s: got %v, want %v", c.claim, got, c.want)
		}
	}
}
