package test

import (
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"
)

// html is what a page says.
type html struct {
	title, heading, text, small, style string
	links                              map[string]string // by id

	open []string // elements
}

// welcome are the elements of a page. None of them runs or loads anything.
var welcome = []string{
	"html", "head", "meta", "title", "style", "body", "main", "h1", "p", "nav", "a", "small",
}

// parsePage reads a page and checks that its elements are balanced and none of
// them active.
func parsePage(t *testing.T, page string) *html {
	t.Helper()
	if !strings.HasPrefix(page, "<!DOCTYPE html>\n<html lang=\"en\">") {
		t.Errorf("the page begins %q", page[:min(40, len(page))])
	}
	p := &html{links: make(map[string]string)}
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	for {
		token, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in %s", err, page)
		}
		switch e := token.(type) {
		case xml.StartElement:
			p.begin(t, e)
		case xml.EndElement:
			if len(p.open) == 0 || p.open[len(p.open)-1] != e.Name.Local {
				t.Fatalf("</%s> closes %v", e.Name.Local, p.open)
			}
			p.open = p.open[:len(p.open)-1]
		case xml.CharData:
			p.add(string(e))
		}
	}
	if len(p.open) > 0 {
		t.Errorf("%v stay open", p.open)
	}
	return p
}

func (p *html) begin(t *testing.T, e xml.StartElement) {
	t.Helper()
	if !slices.Contains(welcome, e.Name.Local) {
		t.Errorf("the page has a <%s>", e.Name.Local)
	}
	attrs := make(map[string]string)
	for _, a := range e.Attr {
		attrs[a.Name.Local] = a.Value
		if strings.HasPrefix(a.Name.Local, "on") ||
			slices.Contains([]string{"src", "style", "action"}, a.Name.Local) {
			t.Errorf("<%s> has %s", e.Name.Local, a.Name.Local)
		}
	}
	if e.Name.Local == "a" {
		p.links[attrs["id"]] = attrs["href"]
	}
	if e.Name.Local != "meta" { // which has no end
		p.open = append(p.open, e.Name.Local)
	}
}

func (p *html) add(text string) {
	if len(p.open) == 0 {
		return
	}
	switch p.open[len(p.open)-1] {
	case "title":
		p.title += text
	case "h1":
		p.heading += text
	case "p":
		p.text += text
	case "small":
		p.small += text
	case "style":
		p.style += text
	}
}
