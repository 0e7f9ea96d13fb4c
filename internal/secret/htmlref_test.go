package secret

import (
	"fmt"
	"html"
	"strings"
	"testing"
)

// TestUnescapeHTML: what stands for ASCII is decoded as package html does.
func TestUnescapeHTML(t *testing.T) {
	texts := []string{
		"", "plain", "&", "&;", "a&b", "&&amp;", "&#", "&#;", "&#x", "&#xg;", "&#-43;", "&unknown;",
		"&amp;#43;", "&amp;amp;", "&#38;amp;", "&ampx", "&ltx", "&period", "&PLUS;", "&#1114112;",
		"client&#x5f;secret&#61;a&plus;b&sol;c&equals;", "&#00000043;", "&#x0002B;", "&#X2b", "&#233;",
	}
	for _, r := range namedReferences {
		texts = append(texts, "&"+r.name, "a&"+r.name+"b", "&"+strings.TrimSuffix(r.name, ";")+" ")
	}
	for c := 10; c < 128; c++ {
		texts = append(texts, fmt.Sprintf("&#%d;&#x%x;&#X%X&#%d", c, c, c, c))
	}
	for _, text := range texts {
		if got, want := unescapeHTML(text), html.UnescapeString(text); got != want {
			t.Errorf("%q: got %q, package html has %q", text, got, want)
		}
	}
	// Package html makes something of an overflow and of nothing. It leaves a single digit at the
	// end of the text alone, but browsers do not.
	if got := unescapeHTML("&#99999999999;&#x;&#9"); got != "&#99999999999;&#x;\t" {
		t.Errorf("got %q", got)
	}
}

// TestScrubKeepsUTF8: what is not UTF-8 is dropped, also what cutting has split.
func TestScrubKeepsUTF8(t *testing.T) {
	long := strings.Repeat("x", maxText-1)
	for text, want := range map[string]string{"a\xffb\xc3": "ab", "é": "é", long + "é": long} {
		if got := Scrub(text, nil); got != want {
			t.Errorf("%q became %q", text, got)
		}
	}
}
