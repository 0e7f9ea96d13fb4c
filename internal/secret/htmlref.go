package secret

import (
	"strconv"
	"strings"
)

// namedReferences are the names that HTML has for characters of ASCII (HTML
// Living Standard section 13.5). The last ones are valid without a semicolon,
// and so stand behind the same names with one.
var namedReferences = [...]struct{ name, text string }{
	{"Tab;", "\t"}, {"NewLine;", "\n"}, {"excl;", "!"}, {"quot;", `"`}, {"QUOT;", `"`},
	{"num;", "#"}, {"dollar;", "$"}, {"percnt;", "%"}, {"amp;", "&"}, {"AMP;", "&"},
	{"apos;", "'"}, {"lpar;", "("}, {"rpar;", ")"}, {"ast;", "*"}, {"midast;", "*"},
	{"plus;", "+"}, {"comma;", ","}, {"period;", "."}, {"sol;", "/"}, {"colon;", ":"},
	{"semi;", ";"}, {"lt;", "<"}, {"LT;", "<"}, {"equals;", "="}, {"gt;", ">"}, {"GT;", ">"},
	{"quest;", "?"}, {"commat;", "@"}, {"lsqb;", "["}, {"lbrack;", "["}, {"bsol;", `\`},
	{"rsqb;", "]"}, {"rbrack;", "]"}, {"Hat;", "^"}, {"lowbar;", "_"}, {"UnderBar;", "_"},
	{"grave;", "`"}, {"DiacriticalGrave;", "`"}, {"fjlig;", "fj"}, {"lcub;", "{"}, {"lbrace;", "{"},
	{"verbar;", "|"}, {"vert;", "|"}, {"VerticalLine;", "|"}, {"rcub;", "}"}, {"rbrace;", "}"},
	{"quot", `"`}, {"QUOT", `"`}, {"amp", "&"}, {"AMP", "&"},
	{"lt", "<"}, {"LT", "<"}, {"gt", ">"}, {"GT", ">"},
}

// unescapeHTML decodes the character references of HTML that name a number or a
// character of ASCII. Secrets, codes and tokens have no others (RFC 6749
// appendix A). Package html also knows two thousand names beyond ASCII, which
// would add 70 kB to every app.
func unescapeHTML(text string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, "&")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		decoded, rest, ok := cutReference(after)
		if !ok {
			decoded, rest = "&", after
		}
		b.WriteString(decoded)
		text = rest
	}
}

// cutReference decodes the reference at the beginning of s, which stands behind
// an ampersand.
func cutReference(s string) (decoded, rest string, ok bool) {
	if number, isNumber := strings.CutPrefix(s, "#"); isNumber {
		return cutNumber(number)
	}
	for _, r := range namedReferences {
		if rest, ok := strings.CutPrefix(s, r.name); ok {
			return r.text, rest, true
		}
	}
	return "", "", false
}

// cutNumber decodes a number in decimal, or in hexadecimal with an x in front.
// Browsers need no semicolon behind it.
func cutNumber(s string) (decoded, rest string, ok bool) {
	digits, base := "0123456789", 10
	if s != "" && s[0]|' ' == 'x' {
		digits, base, s = "0123456789abcdefABCDEF", 16, s[1:]
	}
	rest = strings.TrimLeft(s, digits)
	code, err := strconv.ParseUint(s[:len(s)-len(rest)], base, 31)
	if err != nil {
		return "", "", false
	}
	// A number that is not a character's becomes U+FFFD.
	return string(rune(code)), strings.TrimPrefix(rest, ";"), true
}
