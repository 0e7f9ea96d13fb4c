package interop

import (
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
	"github.com/chromedp/chromedp"
)

// hostile are beginnings of return paths that a host name follows. They play on what the
// WHATWG URL standard makes of a Location header: "\" is "/", tab, CR and LF are dropped
// anywhere, controls and spaces at both ends, a scheme may stand before a relative path, dot
// segments are resolved; and on what other software decodes, folds or cleans.
var hostile = []string{
	"//", `/\`, `\/`, `\\`, "///", `//\`, `/\/`, `\\\`, "////", `/\\`,
	"http://", "http:", "http:/", "http:///", `http:\\`, `http:\`, "https://", "https:",
	"HTTP://", "ht\ttp://",
	"javascript:location='//'+'", "data:text/html,//", "blob:http://", "about://", "file://",
	"view-source:http://", "ws://",
	"/\t/", "/\n/", "/\r/", "\t//", "\n//", " //", "\x00//", "\x1f//", "\x0b//", "/\x00/",
	"/\x0b/", "/\x7f/",
	"/ /", "//\t", "/\t\\", "/\n\\", "\t/\t/\t", "\u00a0//", "/\u00a0/", "\ufeff//", "/\ufeff/",
	"\u200b//", "/\u200b/", "/\u2028/",
	"/.//", "/..//", `/./\`, "/a/..//", `/a/../\`, "/%2e//", "/%2e%2e//", "/a/%2E%2E//",
	"/.\t.//", `/.\/`, "/.%2e//", "/a/b/../..//", "/a//..//",
	"/%5c", "/%5C%5C", "/%2f", "/%2F%2F", "/%2f%2f", "/%09/", "/%0d%0aLocation:%20http://",
	"/\r\nLocation: http://", "/%00/",
	"/\uff0f", "/\u2215", "/\u2044", "/\u29f8", "\uff0f\uff0f", "/\ufe68", "/\uff3c", "/\u2f4f",
	"/@", "/:80@", "/a:b@", "@", ".", "..//", "../..//", "./..//", "?//", "#//", "?http://",
	";//", "/;//", "/;@", "/?//", "/#//", "/a?/../\\", "/?\\",
	"/\xff/", "/\xc0\xaf", "/\xe0\x80\xaf", "\xff//", "/\xc2/", "",
}

// lookalikes hide the host behind what looks like this app's own.
var lookalikes = []string{
	"127.0.0.1@", "127.0.0.1:80@", "localhost%40", `127.0.0.1\@`, "127.0.0.1#@", "127.0.0.1?@", "[::1]@",
}

func hostilePaths(t *testing.T) (paths []string) {
	t.Helper()
	for _, before := range hostile {
		paths = append(paths, before+"evil.test/x")
	}
	for _, before := range []string{"//", `/\`, "http://", "/\t/"} {
		for _, user := range lookalikes {
			paths = append(paths, before+user+"evil.test/x")
		}
	}
	return append(paths, fuzzed(t)...)
}

// fuzzed returns the inputs that the fuzz target of package test keeps.
func fuzzed(t *testing.T) (paths []string) {
	t.Helper()
	files, err := filepath.Glob("../test/testdata/fuzz/FuzzReturnTo/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no inputs of FuzzReturnTo: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			literal, ok := strings.CutPrefix(strings.TrimSpace(line), "string(")
			if !ok {
				continue
			}
			path, err := strconv.Unquote(strings.TrimSuffix(literal, ")"))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			paths = append(paths, path)
		}
	}
	return paths
}

// Whatever return path comes in, Chromium stays on the app's origin, and on the way asks
// nobody but the app and the provider.
func TestReturnPathStaysOnOrigin(t *testing.T) {
	b := openTab(t)
	srv := authserver.NewServer()
	t.Cleanup(srv.Close)
	a := serveApp(t, false, srv.Config)
	followed, paths := 0, hostilePaths(t)
	for _, path := range paths {
		err := b.try(chromedp.Navigate(a.url + "/login?" + url.Values{"next": {path}}.Encode()))
		at, here := strings.CutPrefix(b.address(), a.url)
		// A path of "//host" is still here, but a link with a copy of it leads away.
		if err != nil || !here || !strings.HasPrefix(at, "/") || strings.HasPrefix(at, "//") {
			t.Errorf("%q led to %s (%v)", path, b.address(), err)
		}
		got := a.outcome()
		if got.login == nil {
			t.Fatalf("%q: no login: %v", path, got.err)
		}
		if got.login.ReturnTo != "/" {
			followed++
		}
	}
	for _, m := range b.all("") {
		if at := m.origin(); at != a.url && at != srv.URL {
			t.Errorf("Chromium asked %s", at)
		}
	}
	if followed == 0 || followed == len(paths) {
		t.Errorf("of %d paths %d were followed, want some and not all", len(paths), followed)
	}
}

// Good paths arrive byte for byte, with query and fragment.
func TestReturnPathSurvives(t *testing.T) {
	b := openTab(t)
	srv := authserver.NewServer()
	t.Cleanup(srv.Close)
	a := serveApp(t, false, srv.Config)
	for _, path := range []string{
		"/", "/?", "/a", "/a/", "/a//b", "/a%2Fb", "/a%2fb?c=%20+d&c=e&&=#f/g?h", "/?next=https://other.test/%3Fa",
		"/a;b=c/d@e:80", "/~(a)!$&'*,=", "/%C3%BC?%C3%BC#%C3%BC", "/a?b=//c", "/a#//b",
	} {
		b.open(a.url + "/login?" + url.Values{"next": {path}}.Encode())
		if at := b.address(); at != a.url+path {
			t.Errorf("%q arrived as %s", path, at)
		}
	}
}
