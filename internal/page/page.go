// Package page writes the small pages that people see when something has gone
// wrong.
package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync"

	"example.com/authcode/internal/headers"
)

// source is the page, with names in braces for what Write fills in.
//
// It is not an html/template. The reflection in that package adds 2.3 MB to
// every app, for two texts, two links and a line for the help desk.
//
//go:embed page.html
var source string

// Page is one page. Every text is escaped.
type Page struct {
	Title, Text string
	Links       []Link // the first one looks like the main button
	Help        string // what to mention when asking for help
}

// Link is a link of a page. It is left out if its URL is empty. The caller has
// checked that the URL is not one that runs a script.
type Link struct{ ID, URL, Text string }

// Policy is the page's Content-Security-Policy: its own style and nothing else.
// If a text could ever add a script, browsers would not run it.
var Policy = sync.OnceValue(func() string {
	// The hash is computed, so that a changed page.html cannot lose its style.
	_, style, _ := strings.Cut(source, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// Write writes p as HTML.
func (p *Page) Write(w io.Writer) {
	var links strings.Builder
	for _, l := range p.Links {
		if l.URL != "" {
			links.WriteString(`<a id="` + l.ID + `" href="` + Escape(escapeLink(l.URL)) +
				`">` + Escape(l.Text) + `</a>`)
		}
	}
	// The Replacer makes one pass, so it does not fill in a name in braces
	// inside a value.
	strings.NewReplacer(
		"{title}", Escape(p.Title), "{text}", Escape(p.Text),
		"{links}", links.String(), "{help}", Escape(p.Help),
	).WriteString(w, source)
}

// Escape escapes text for HTML like [html.EscapeString]. Package html would add
// its table of two thousand names to every app.
func Escape(text string) string {
	return strings.NewReplacer("&", "&amp;", "'", "&#39;", "<", "&lt;", ">", "&gt;", `"`, "&#34;").
		Replace(text)
}

// escapeLink percent-encodes every byte that a URL must not have (RFC 3986
// section 2), and single quotes and parentheses.
func escapeLink(link string) string {
	// A quote could end the attribute, and browsers treat a backslash as a
	// slash. The rest of a URL keeps its meaning.
	var b strings.Builder
	for i := range len(link) {
		c := link[i]
		if headers.IsAlphanumeric(rune(c)) || strings.IndexByte("-._~:/?#[]@!$&*+,;=%", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}
