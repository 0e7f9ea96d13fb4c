package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// landing is where a browser ends up that is given a Location header.
type landing struct {
	origin string // "" if the location is not a URL, or not that of a site
	path   string // percent-encoding left as it is
}

// land resolves location against https://app.example/auth/callback as browsers
// do: the basic URL parser of https://url.spec.whatwg.org, its states for
// special schemes. It is written from the standard and shares nothing with the
// package, whose rule it judges.
func land(location string) landing {
	in := strings.TrimFunc(location, func(r rune) bool { return r <= ' ' }) // C0 control or space
	in = strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(in)
	scheme, rest, absolute := cutScheme(in)
	switch {
	case !absolute:
		return relative(in)
	case scheme == "https":
		// Special relative or authority state: only two real slashes make it
		// absolute here.
		if strings.HasPrefix(rest, "//") {
			return authority(scheme, rest)
		}
		return relative(rest)
	case scheme == "http" || scheme == "ws" || scheme == "wss" || scheme == "ftp":
		return authority(scheme, rest)
	}
	return landing{} // file, javascript, data, …: no origin of a site
}

// cutScheme is the scheme start state and the scheme state.
func cutScheme(in string) (scheme, rest string, ok bool) {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
	for i := range len(in) {
		switch c := in[i]; {
		case c == ':' && i > 0:
			return strings.ToLower(in[:i]), in[i+1:], true
		case letter(c), i > 0 && (c >= '0' && c <= '9' || strings.IndexByte("+-.", c) >= 0):
		default:
			return "", in, false
		}
	}
	return "", in, false
}

func isSlash(in string, i int) bool { return i < len(in) && (in[i] == '/' || in[i] == '\\') }

// relative is the relative state and the relative slash state, with the app as
// base.
func relative(in string) landing {
	switch {
	case isSlash(in, 0) && isSlash(in, 1):
		return authority("https", in)
	case isSlash(in, 0):
		return landing{world.AppURL, resolve(nil, in[1:])}
	case in == "" || in[0] == '?' || in[0] == '#':
		return landing{world.AppURL, "/auth/callback"}
	}
	return landing{world.AppURL, resolve([]string{"auth"}, in)}
}

// authority is the special authority ignore slashes state and those for the
// authority.
func authority(scheme, in string) landing {
	in = strings.TrimLeft(in, `/\`)
	end := strings.IndexAny(in, `/\?#`)
	if end < 0 {
		end = len(in)
	}
	host := strings.ToLower(in[strings.LastIndexByte(in[:end], '@')+1 : end])
	if scheme == "https" {
		host = strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":")
	}
	if host == "" {
		return landing{}
	}
	rest := in[end:]
	if isSlash(rest, 0) {
		rest = rest[1:]
	}
	return landing{scheme + "://" + host, resolve(nil, rest)}
}

// resolve is the path state: it adds the segments of in to those of path.
func resolve(path []string, in string) string {
	if end := strings.IndexAny(in, "?#"); end >= 0 {
		in = in[:end]
	}
	segments := strings.Split(strings.ReplaceAll(in, `\`, "/"), "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch strings.ReplaceAll(strings.ToLower(s), "%2e", ".") {
		case "..":
			path = path[:max(len(path)-1, 0)]
			if last {
				path = append(path, "")
			}
		case ".":
			if last {
				path = append(path, "")
			}
		default:
			path = append(path, s)
		}
	}
	return "/" + strings.Join(path, "/")
}

// landings are locations, and where a browser lands that is sent there.
var landings = []struct{ location, origin, path string }{
	{"//x", "https://x", "/"},
	{`\\x\hello`, "https://x", "/hello"},
	{`/\/x`, "https://x", "/"},
	{"///x", "https://x", "/"},
	{"/\t/x", "https://x", "/"},
	{"\x01//x", "https://x", "/"},
	{"http:foo.com", "http://foo.com", "/"},
	{`https:\\x`, "https://x", "/"},
	{`https:/\x`, "https://x", "/"},
	{"//app.example@evil", "https://evil", "/"},
	{"//app.example:8443/x", "https://app.example:8443", "/x"},
	{"javascript:alert(1)", "", ""},
	{"a+:b", "", ""},
	{"//", "", ""},
	{"https:foo", world.AppURL, "/auth/foo"},
	{"https:/x", world.AppURL, "/x"},
	{"https:", world.AppURL, "/auth/callback"},
	{"https", world.AppURL, "/auth/https"},
	{"+a:b", world.AppURL, "/auth/+a:b"},
	{"1:b", world.AppURL, "/auth/1:b"},
	{"https://u:p@APP.example:443/x", world.AppURL, "/x"},
	{"\u00a0//x", world.AppURL, "/auth/\u00a0//x"},
	{"/.//x", world.AppURL, "//x"},
	{"..//x", world.AppURL, "//x"},
	{"/%2e%2E//x", world.AppURL, "//x"},
	{"/a/.%2e/..//b", world.AppURL, "//b"},
	{"/a/./b/../c?d//..#e", world.AppURL, "/a/c"},
	{`/a\..\..\b`, world.AppURL, "/b"},
	{"/a/..", world.AppURL, "/"},
	{"/a/.", world.AppURL, "/a/"},
	{" /a ", world.AppURL, "/a"},
	{"?q", world.AppURL, "/auth/callback"},
	{"", world.AppURL, "/auth/callback"},
}

// TestLand: the parser that judges knows an attack when it sees one. The
// expectations are a browser's.
func TestLand(t *testing.T) {
	for _, c := range landings {
		if got := land(c.location); got != (landing{c.origin, c.path}) {
			t.Errorf("%q: got %q, want %q", c.location, got, landing{c.origin, c.path})
		}
	}
}

// plainPath is what nobody can object to: letters and digits, single slashes,
// no dot segments.
var plainPath = regexp.MustCompile(
	`^(/[A-Za-z0-9_-]+)+/?(\?[A-Za-z0-9=&/?._-]*)?(#[A-Za-z0-9=/?._-]*)?$`)

// FuzzReturnTo: whatever return path comes in, a browser stays on the app's
// origin, and what is not turned into "/" arrives byte for byte. The seeds are
// files, which the interop module replays in Chromium.
func FuzzReturnTo(f *testing.F) {
	app := newFuzzApp(f, nil)
	f.Fuzz(func(t *testing.T, path string) {
		want := []string{"/", path}
		if len(path) <= 512 && plainPath.MatchString(path) {
			want = want[1:]
		}
		login := app.begin(t, authcode.ReturnTo(path))
		got := app.query(login, "code=c&state="+login.state)
		if got.err != nil {
			t.Fatal(got.err)
		}
		if !slices.Contains(want, got.login.ReturnTo) {
			t.Errorf("%q: the login returns to %q", path, got.login.ReturnTo)
		}
		rec := redirected(path) // an app may have set ReturnTo itself
		location := rec.Result().Header["Location"]
		if len(location) != 1 || !slices.Contains(want, location[0]) {
			t.Fatalf("%q: redirected to %q", path, location)
		}
		at := land(location[0])
		if at.origin != world.AppURL || !strings.HasPrefix(at.path, "/") ||
			strings.HasPrefix(at.path, "//") {
			t.Errorf("%q: redirected to %q, which is %q", path, location, at)
		}
	})
}
