package headers

import "strings"

// Challenge is one challenge of WWW-Authenticate (RFC 9110 section 11.6.1).
type Challenge struct {
	Scheme string
	Params map[string]string // by lower-case name
}

// ParseChallenges parses the value of one WWW-Authenticate header. It returns
// nil if the value is malformed. In the grammar a comma separates two
// challenges as well as two parameters of one challenge, and some servers leave
// it out. So the parser decides by what follows a name: a name with "=" behind
// it is a parameter, any other name begins a challenge.
func ParseChallenges(s string) (list []Challenge) {
	// RFC 9110 section 5.6.1: empty elements of a list are skipped.
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
		case len(list) == 0: // a parameter without a scheme before it
			return nil
		}
		value, after, ok := cutValue(strings.TrimLeft(value, " \t"))
		if !ok {
			return nil
		}
		params := list[len(list)-1].Params
		name = strings.ToLower(name)
		// RFC 9110 section 11.2: a name occurs once per challenge. With two
		// values, another program might act on the one that we ignore.
		if _, repeated := params[name]; repeated {
			return nil
		}
		params[name] = value
		s = after
	}
	return list
}

// skipToken68 skips the token68 that some schemes have in place of parameters,
// such as the base64 of Negotiate. A token68 ends the challenge: a comma or the
// end of the value follows. That distinguishes it from a parameter's name.
func skipToken68(s string) string {
	begin := strings.TrimLeft(s, " \t")
	end := strings.TrimLeft(strings.TrimLeftFunc(begin, isToken68), "=")
	after := strings.TrimLeft(end, " \t")
	if len(begin) < len(s) && (after == "" || after[0] == ',') {
		return after
	}
	return s
}

// cutValue takes a token or a quoted string (RFC 9110 section 5.6.4) off the
// front of s.
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
		case c == '\\' && i+1 < len(s): // a quoted pair: take the next byte as it is
			i++
		case c < ' ' && c != '\t', c == 0x7f:
			return "", "", false
		}
		b.WriteByte(s[i])
	}
	return "", "", false // the closing quote is missing
}

func cutToken(s string) (token, rest string) {
	rest = strings.TrimLeftFunc(s, isTokenChar)
	return s[:len(s)-len(rest)], rest
}

// IsAlphanumeric reports whether r is an ASCII letter or digit.
func IsAlphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

// isTokenChar reports whether r is a tchar (RFC 9110 section 5.6.2).
func isTokenChar(r rune) bool {
	return IsAlphanumeric(r) || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// isToken68 reports whether r can stand in a token68 before its final "=" (RFC
// 9110 section 11.2).
func isToken68(r rune) bool { return IsAlphanumeric(r) || strings.ContainsRune("-._~+/", r) }
