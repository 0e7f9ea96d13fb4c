package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A server chooses the texts that this program prints. On a terminal a control character
// can move the cursor, change the title or hide a line, and a bidirectional one can turn a
// host name around. So only visible ASCII is printed as it is; everything else is quoted.

const maxText = 300 // bytes of one text of a server that are printed

// show returns s as it is if it is visible ASCII without spaces, and quoted otherwise.
func show(s string) string {
	if s != "" && len(s) <= maxText && strings.IndexFunc(s, isNotVisible) < 0 {
		return s
	}
	return quote(s)
}

// quote returns s in quotes, with everything but printable ASCII escaped.
func quote(s string) string {
	if len(s) <= maxText {
		return strconv.QuoteToASCII(s)
	}
	return strconv.QuoteToASCII(s[:maxText]) + fmt.Sprintf(" (and %d bytes more)", len(s)-maxText)
}

// argument returns s as an argument that somebody may paste into a shell.
func argument(s string) string {
	const harmless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/.-_~%"
	switch {
	case s == "", len(s) > maxText, strings.ContainsFunc(s, isNotVisible):
		return "ISSUER" // nobody should paste that
	case strings.Trim(s, harmless) == "":
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func isNotVisible(r rune) bool { return r <= ' ' || r >= 0x7f }

// writeJSON writes v as indented JSON in ASCII alone: package encoding/json leaves DEL,
// the C1 control characters and the bidirectional ones as they are.
func writeJSON(w io.Writer, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return err
	}
	var out strings.Builder
	for _, r := range text.String() {
		switch {
		case r < 0x7f:
			out.WriteRune(r)
		case r > 0xffff: // RFC 8259 section 7: a surrogate pair
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// list joins texts of a server. Beyond limit it only says how many there are.
func list(texts []string) string {
	const limit = 60
	shown := make([]string, 0, min(len(texts), limit))
	for _, s := range texts[:min(len(texts), limit)] {
		shown = append(shown, show(s))
	}
	if more := len(texts) - limit; more > 0 {
		shown = append(shown, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(shown, ", ")
}

// wrap breaks text between words at width and begins every line but the first with indent
// spaces.
func wrap(text string, indent, width int) string {
	var out strings.Builder
	column := indent
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			out.WriteString("\n" + strings.Repeat(" ", indent))
			column = indent
		default:
			out.WriteByte(' ')
			column++
		}
		out.WriteString(word)
		column += n
	}
	return out.String()
}
