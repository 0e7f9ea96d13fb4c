package headers

import "strings"

// Challenge is one of WWW-Authenticate (RFC 9110 section 11.6.1).
type Challenge struct {
	Scheme string
	Params map[string]string // by lower-case name
}

// ParseChallenges splits one field; nil if that is not possible. A comma may stand between two challenges or
// two parameters of one, and servers forget it; what comes next tells: a name with "=" behind it is a
// parameter.
func ParseChallenges(s string) (list []Challenge) {
	for s = strings.TrimLeft(s, ", \t"); s != ""; s = strings.TrimLeft(s, ", \t") {
		name, rest := cutToken(s)
		value, isParam := strings.CutPrefix(strings.TrimLeft(rest, " \t"), "=")
		switch {
		case name == "":
			return nil
		case !isParam:
			list = append(list, Challenge{name, make(map[string]string)})
			s = skipToken68(rest)
			continue
		case len(list) == 0:
			return nil
		}
		value, after, ok := cutValue(strings.TrimLeft(value, " \t"))
		if !ok {
			return nil
		}
		params := list[len(list)-1].Params
		name = strings.ToLower(name)
		if _, repeated := params[name]; repeated {
			return nil
		}
		params[name] = value
		s = after
	}
	return list
}

// skipToken68 skips what some schemes have instead of parameters, such as the base64 of Negotiate. It ends the
// challenge, unlike the name of a parameter.
func skipToken68(s string) string {
	begin := strings.TrimLeft(s, " \t")
	end := strings.TrimLeft(strings.TrimLeftFunc(begin, isToken68), "=")
	after := strings.TrimLeft(end, " \t")
	if len(begin) < len(s) && (after == "" || after[0] == ',') {
		return after
	}
	return s
}

// cutValue takes a token or a quoted string (RFC 9110 section 5.6.4) off the front of s.
func cutValue(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		value, rest = cutToken(s)
		return value, rest, value != ""
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], true
		case c == '\\' && i+1 < len(s):
			i++
		case c < ' ' && c != '\t', c == 0x7f:
			return "", "", false
		}
		b.WriteByte(s[i])
	}
	return "", "", false
}

func cutToken(s string) (token, rest string) {
	rest = strings.TrimLeftFunc(s, isTokenChar)
	return s[:len(s)-len(rest)], rest
}

// IsAlphanumeric holds for ASCII letters and digits.
func IsAlphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// isTokenChar holds for tchar (RFC 9110 section 5.6.2).
func isTokenChar(r rune) bool { return IsAlphanumeric(r) || strings.ContainsRune("!#$%&'*+-.^_`|~", r) }

func isToken68(r rune) bool { return IsAlphanumeric(r) || strings.ContainsRune("-._~+/", r) }
