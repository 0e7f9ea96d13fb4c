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

// A server chooses many of the texts that this program prints. On a terminal, a
// control character can move the cursor, change the title or hide a line. A
// bidirectional character can reverse a host name. So only visible ASCII is
// printed as it is. Everything else is quoted.

const maxText = 300 // how many bytes of one text from a server are printed

// show returns s as it is if it is visible ASCII without spaces. Otherwise it
// returns s quoted.
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

// argument returns s as an argument to paste into a shell. The server chose s,
// and must not be able to choose a command as well.
func argument(s string) string {
	const harmless = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:/.-_~%"
	switch {
	case s == "", len(s) > maxText, strings.ContainsFunc(s, isNotVisible):
		return "ISSUER" // such a text could be a command: do not show it for pasting
	case strings.Trim(s, harmless) == "":
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// isNotVisible reports whether r is anything but visible ASCII.
func isNotVisible(r rune) bool { return r <= ' ' || r >= 0x7f }

// writeJSON writes v as indented JSON in ASCII. encoding/json would write DEL,
// the C1 control characters and the bidirectional characters as they are.
func writeJSON(w io.Writer, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // the output is not HTML, and people read it
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

// list joins texts from a server. If there are very many, it only says how many
// more there are.
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

// wrap breaks text between words at width. Every line but the first begins with
// indent spaces.
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
