// Package urls holds the rules about URLs that the packages of this module
// share.
package urls

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Check accepts the URL of a server that the app sends requests to: https, or
// http on loopback (see [IsLoopback]), without user information and fragment.
// It returns nil, or what is wrong with raw. The words begin with field, and do
// not quote raw: somebody may have put a secret there.
func Check(field, raw string) []string { return check(field, raw, IsLoopback) }

// CheckPage is [Check] for a URL of the app's own, which only browsers visit.
// Its http may also be on *.localhost (see [IsBrowserLoopback]).
func CheckPage(field, raw string) []string { return check(field, raw, IsBrowserLoopback) }

func check(field, raw string, isLoopback func(host string) bool) []string {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return []string{field + " is empty: set it"}
	case HasControl(raw):
		return []string{field + " has a control character: remove it (often a newline at the end)"}
	// Browsers and servers compare the ASCII form (RFC 5890 section 2.3.2.1).
	case err == nil && strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > 0x7e }):
		return []string{field + " has a host with non-ASCII letters: write it as xn--…, " +
			"as a browser's address bar shows it after copying"}
	case strings.ContainsFunc(raw, IsNotURLChar):
		return []string{field + " has a space or a non-ASCII character: percent-encode it"}
	case err == nil && u.Opaque != "" || err == nil && u.Scheme == "":
		return []string{field + " must be an absolute URL: begin it with https:// (http:// on loopback)"}
	case err != nil || len(u.Port()) > 5:
		return []string{field + " is not a URL: check its host, port and percent-encoding"}
	case u.User != nil:
		return []string{field + " has user information: credentials belong in Config.ClientAuth"}
	case u.Hostname() == "":
		return []string{field + " has no host: it must be an absolute URL"}
	case strings.Contains(raw, "#"):
		return []string{field + " has a fragment: remove it (RFC 6749 section 3.1)"}
	case u.Scheme == "https", u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	// RFC 6749 section 10.8: over http anybody on the network path could read
	// codes and tokens. On loopback the traffic does not leave the machine.
	return []string{field + " must be https; http is for loopback " +
		"(localhost, 127.0.0.0/8, ::1) only"}
}

// CheckLink checks a URL that pages link to: a local path, or an absolute http
// or https URL. Anything else might be a javascript: URL.
func CheckLink(field, link string) []string {
	// LocalPath returns a path unchanged exactly if it is local.
	if link == "" || LocalPath(link) == link {
		return nil
	}
	u, err := url.Parse(link)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return []string{field + " is neither a local path such as /login nor an absolute http(s) URL"}
	}
	return nil
}

// IsLoopback reports whether host, without a port, is localhost, 127.0.0.0/8 or
// ::1.
func IsLoopback(host string) bool {
	// RFC 6761 section 6.3 also reserves *.localhost, but Go asks DNS for such a
	// name, and sends a request for it to the proxy of the environment, with the
	// client secret in it.
	if strings.EqualFold(host, "localhost") {
		return true
	}
	// Systems disagree about zones and about IPv4 addresses in IPv6.
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.IsLoopback() && !ip.Is4In6()
}

// IsBrowserLoopback also accepts *.localhost, which browsers resolve to
// loopback without asking DNS.
func IsBrowserLoopback(host string) bool {
	return IsLoopback(host) || strings.HasSuffix(strings.ToLower(host), ".localhost")
}

// IsNotURLChar reports whether r is a space, a control or a non-ASCII
// character. None of these stands in a URL (RFC 3986 section 2).
func IsNotURLChar(r rune) bool { return r <= ' ' || r >= 0x7f }

// HasControl reports whether s has an ASCII control character. Such a character
// can end a header line or hide text on a terminal.
func HasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// Origin returns scheme, host and port (RFC 6454 section 4), with the default
// port written out. It returns "" for a host beyond ASCII, because lower case
// may turn that into another host ("İ" becomes "i").
func Origin(u *url.URL) string {
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// OriginOf is [Origin] of the text of a URL. It returns "" if raw is none.
func OriginOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return Origin(u)
}

// Outer returns raw with the outer origin in the place of its inner one, if
// inner, which maps inner to outer origins, has it; else raw.
func Outer(inner map[string]string, raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	origin := Origin(u)
	for from, to := range inner {
		if outer, err := url.Parse(to); err == nil && OriginOf(from) == origin {
			u.Scheme, u.Host = outer.Scheme, outer.Host
			return u.String()
		}
	}
	return raw
}

// MaxPath bounds a local path, in bytes. It is for links and Location headers:
// what a login keeps of a path has to fit into its cookie, too.
const MaxPath = 4096

// LocalPath returns path if a browser that is sent there stays on this origin,
// and "/" otherwise. An attacker could otherwise use a login link to send
// people to a site of their own (an open redirect). Browsers follow the WHATWG
// URL standard: they drop tabs and newlines anywhere, read "\" as "/", and take
// what follows two slashes for a host.
func LocalPath(path string) string {
	switch {
	case len(path) > MaxPath, !strings.HasPrefix(path, "/"), HasControl(path):
		return "/"
	// Browsers drop spaces at the end, so the path would not survive as it is.
	case len(path) > 1 && (path[1] == '/' || path[1] == '\\'), strings.HasSuffix(path, " "):
		return "/"
	}
	// A browser resolves "/.//host" to the path "//host" on this origin. Code
	// that cleans or copies that path would take "host" for a host. So dot
	// segments and double slashes are refused together, and accepted apart.
	end := strings.IndexAny(path, "?#")
	if end < 0 {
		end = len(path)
	}
	segments := strings.Split(strings.ReplaceAll(path[1:end], `\`, "/"), "/")
	if slices.ContainsFunc(segments, isDots) && slices.Contains(segments[:len(segments)-1], "") {
		return "/"
	}
	return path
}

// isDots reports whether segment is "." or "..", also percent-encoded: browsers
// resolve "%2e" like a dot.
func isDots(segment string) bool {
	dots := strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")
	return dots == "." || dots == ".."
}
