// Package urls has the rules about URLs that the packages of this module share.
package urls

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Check accepts https URLs, and http on loopback, without user information or fragment. It
// returns what is wrong with raw, in words that begin with field and do not quote raw; nil if nothing is.
func Check(field, raw string) []string {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return []string{field + " is empty"}
	case HasControl(raw):
		return []string{field + " has a control character: is there a newline at its end?"}
	case strings.ContainsFunc(raw, IsNotURLChar):
		return []string{field + " has a space or a non-ASCII character: percent-encode it"}
	case err == nil && u.Opaque != "" || err == nil && u.Scheme == "":
		return []string{field + " must be an absolute URL: begin it with https:// (http:// on loopback)"}
	case err != nil || len(u.Port()) > 5:
		return []string{field + " is not a URL"}
	case u.User != nil:
		return []string{field + " has user information: credentials belong in Config.ClientAuth"}
	case u.Hostname() == "":
		return []string{field + " has no host: it must be an absolute URL"}
	case strings.Contains(raw, "#"):
		return []string{field + " has a fragment: remove it (RFC 6749 section 3.1)"}
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	}
	return []string{field + " must be https; http is for loopback hosts only"}
}

// CheckLink checks a URL that pages link: a local path or an absolute http(s) URL.
func CheckLink(field, link string) []string {
	if link == "" || LocalPath(link) == link {
		return nil
	}
	u, err := url.Parse(link)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return []string{field + " is neither a local path such as /login nor an absolute http(s) URL"}
	}
	return nil
}

// IsLoopback reports whether host, without a port, is localhost, *.localhost, 127.0.0.0/8 or ::1.
func IsLoopback(host string) bool {
	host = strings.ToLower(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.IsLoopback() && !ip.Is4In6()
}

// IsNotURLChar holds for spaces, control and non-ASCII characters.
func IsNotURLChar(r rune) bool { return r <= ' ' || r >= 0x7f }

// HasControl reports whether s has an ASCII control character.
func HasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

// Origin returns scheme, host and port (RFC 6454), with the default port written out. A host beyond ASCII
// has none: lower-casing it may make another host of it ("İ" becomes "i").
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

const maxPath = 512 // bytes

// LocalPath returns path if a browser that is sent there stays on this origin, else "/". The rule
// is the WHATWG URL standard's: a browser drops tabs and newlines anywhere, reads "\" as "/", and takes
// what follows two slashes for a host.
func LocalPath(path string) string {
	switch {
	case len(path) > maxPath, !strings.HasPrefix(path, "/"), HasControl(path):
		return "/"
	case len(path) > 1 && (path[1] == '/' || path[1] == '\\'), strings.HasSuffix(path, " "):
		return "/"
	}
	// "/.//host" stays here too, but as "//host", which whoever cleans or copies the path takes
	// for a host. Dot segments and double slashes are welcome apart from each other.
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

func isDots(segment string) bool {
	if len(segment) > len("%2e%2e") {
		return false
	}
	dots := strings.ReplaceAll(strings.ToLower(segment), "%2e", ".")
	return dots == "." || dots == ".."
}
