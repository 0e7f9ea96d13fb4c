package test

import (
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// returnPaths says of each path whether it is kept byte for byte; if not, it
// becomes "/".
var returnPaths = []struct {
	claim, path string
	kept        bool
}{
	{"a path is kept", "/orders/2026", true},
	{"a slash at the end is kept", "/orders/", true},
	{"query and fragment are kept", "/orders?page=2&q=a%2Fb+c#open", true},
	{"an empty query and fragment are kept", "/a?#", true},
	{"a query at the root is kept", "/?next=https://evil.test/", true},
	{"slashes and dots in a query are kept", "/a?b=//c/..//d", true},
	{"slashes and dots in a fragment are kept", "/a#//b/..//c", true},
	{"a double slash inside is kept", "/a//b", true},
	{"dot segments are kept", "/a/./b/../c", true},
	{"dots in a name are kept beside a double slash", "/a..b/.c//d.", true},
	{"dot segments before one last slash are kept", "/a/../", true},
	{"a backslash inside is kept", `/a\b`, true},
	{"colons and at signs are kept", "/a:b@c", true},
	{"encoded slashes are kept", "/%2F%2fevil.test", true},
	{"encoded backslashes are kept", "/%5C%5cevil.test", true},
	{"encoded line breaks are kept", "/%0d%0aLocation:%20//evil.test", true},
	{"other scripts are kept", "/caf\u00e9?\u65e5\u672c#\u00df", true},
	{"slashes of other scripts are kept", "/\uff0fevil.test", true},
	{"a no-break space at the end is kept", "/a\u00a0", true},
	{"bytes that are not UTF-8 are kept", "/a\xff\xfe", true},
	{"a space inside is kept", "/a b", true},
	{"1,000 bytes are kept", "/" + strings.Repeat("a", 999), true},

	{"4,097 bytes are refused", "/" + strings.Repeat("a", 4096), false},
	{"nothing is refused", "", false},
	{"a relative path is refused", "orders", false},
	{"a relative path with dots is refused", "../orders", false},
	{"a query alone is refused", "?a", false},
	{"a fragment alone is refused", "#a", false},
	{"a host is refused", "//evil.test/x", false},
	{"the app's own host is refused", "//app.example/x", false},
	{"a host behind more slashes is refused", "////evil.test", false},
	{"a host by slash and backslash is refused", `/\evil.test`, false},
	{"a host by backslashes is refused", `\\evil.test`, false},
	{"a backslash at the start is refused", `\evil.test`, false},
	{"an absolute URL is refused", "https://evil.test/x", false},
	{"an absolute URL without slashes is refused", "http:evil.test", false},
	{"a script is refused", "javascript:alert(1)", false},
	{"a tab between slashes is refused", "/\t/evil.test", false},
	{"a line break between slashes is refused", "/\n/evil.test", false},
	{"a carriage return between slashes is refused", "/\r/evil.test", false},
	{"a header of its own is refused", "/a\r\nSet-Cookie: a=b", false},
	{"a control character at the start is refused", "\x1f//evil.test", false},
	{"a space at the start is refused", " //evil.test", false},
	{"a space at the end is refused", "/a ", false},
	{"a NUL is refused", "/a\x00", false},
	{"a delete is refused", "/a\x7f", false},
	{"a dot before a double slash is refused", "/.//evil.test", false},
	{"dots before a double slash are refused", "/a/..//evil.test", false},
	{"dots before a slash and a backslash are refused", `/..\/evil.test`, false},
	{"a tail of dots behind a double slash is refused", "/a//..", false},
	{"an encoded dot before a double slash is refused", "/%2e//evil.test", false},
	{"encoded dots before a double slash are refused", "/%2E%2e//evil.test", false},
	{"half-encoded dots before a double slash are refused", "/.%2E//evil.test", false},
	{"dots before a double slash and a query are refused", "/.//evil.test?a", false},
}

// came is the return path of a login that was started with these options.
func came(t *testing.T, c *authcode.Client, target string, opts ...authcode.AuthOption) string {
	t.Helper()
	return world.Begin(t, c, world.Get(target), opts...).Finish(t, c).ReturnTo
}

// next is a sign-in link with a return path.
func next(path string) string { return world.LoginURL + "?next=" + url.QueryEscape(path) }

// TestReturnPathIsLocal: the three ways a return path takes judge it alike, and
// a browser stays with the app.
func TestReturnPathIsLocal(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	for _, row := range returnPaths {
		t.Run(row.claim, func(t *testing.T) {
			want := "/"
			if row.kept {
				want = row.path
			}
			if got := came(t, c, world.LoginURL, authcode.ReturnTo(row.path)); got != want {
				t.Errorf("ReturnTo(%q): got %q", row.path, got)
			}
			if got := came(t, c, next(row.path)); got != want {
				t.Errorf("the parameter with %q: got %q", row.path, got)
			}
			rec := redirected(row.path)
			location := rec.Result().Header["Location"]
			if rec.Code != 303 || len(location) != 1 || location[0] != want {
				t.Fatalf("Redirect to %q: status %d, %q", row.path, rec.Code, location)
			}
			at := land(location[0])
			if at.origin != world.AppURL || strings.HasPrefix(at.path, "//") {
				t.Errorf("%q leads to %q", row.path, at)
			}
		})
	}
}

// redirected is what Redirect writes after a login with this return path.
func redirected(path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	(&authcode.Login{ReturnTo: path}).Redirect(rec, world.Get(world.AppURL+"/deep/in/here?x=1"))
	return rec
}

// TestReturnPathOnTheWire: a path on the wire is what Redirect was given. No
// handler and no cleaning comes between.
func TestReturnPathOnTheWire(t *testing.T) {
	for _, row := range returnPaths {
		if !row.kept {
			continue
		}
		var head strings.Builder
		if err := redirected(row.path).Result().Header.Write(&head); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains("\r\n"+head.String(), "\r\nLocation: "+row.path+"\r\n") {
			t.Errorf("%s: %q is not in %q", row.claim, row.path, head.String())
		}
	}
}

// edge is the longest return path that always fits.
var edge = "/" + strings.Repeat("p", 999)

// comingBack are return paths, and where Login.ReturnTo points.
var comingBack = []struct{ claim, path, want string }{
	{"a path comes back", "/cart", "/cart"},
	{"query and fragment come back byte for byte", "/a%2Fb/?q=1&next=//x#f",
		"/a%2Fb/?q=1&next=//x#f"},
	{"1,000 bytes come back", edge, edge},
	{"1,500 bytes become the root", edge + edge[:500], "/"},
	{"nothing becomes the root", "", "/"},
	{"another origin becomes the root", "https://evil.example/", "/"},
	{"a host becomes the root", "//evil.example", "/"},
	{"a host by backslash becomes the root", `/\evil.example`, "/"},
	{"a host behind a tab becomes the root", "/\t/evil.example", "/"},
	{"a host behind dots becomes the root", "/.//evil.example", "/"},
	{"a host behind encoded dots becomes the root", "/%2E//evil.example", "/"},
	{"a relative path becomes the root", "cart", "/"},
	{"a space at the end becomes the root", "/cart ", "/"},
	{"dots alone are welcome", "/a/../b", "/a/../b"},
	{"double slashes alone are welcome", "/a//b", "/a//b"},
}

// TestReturnPath: what the option is given, and where Login.ReturnTo points.
func TestReturnPath(t *testing.T) {
	c := world.Client(t, &world.Provider{})
	for _, row := range comingBack {
		t.Run(row.claim, func(t *testing.T) {
			if got := came(t, c, world.LoginURL, authcode.ReturnTo(row.path)); got != row.want {
				t.Errorf("ReturnTo: %q, want %q", got, row.want)
			}
			if got := came(t, c, next(row.path)); got != row.want {
				t.Errorf("the parameter: %q, want %q", got, row.want)
			}
		})
	}
	if got := came(t, c, world.LoginURL+"?other=/a"); got != "/" {
		t.Errorf("a missing parameter became %q", got)
	}
	if got := came(t, c, world.LoginURL+"?next=/a&next=/a"); got != "/" {
		t.Errorf("a repeated parameter became %q", got)
	}
	if got := came(t, c, next("/a"), authcode.ReturnTo("/b")); got != "/b" {
		t.Errorf("ReturnTo does not go first: %q", got)
	}
}

// goingOut are return paths that an app has set itself, and where Redirect
// goes.
var goingOut = []struct{ claim, to, want string }{
	{"a path goes out as it is", "/cart", "/cart"},
	{"double slashes, escapes, query and fragment stay", "/a//b%2F..%2f?q=a+b%20c&r=//x#f?g",
		"/a//b%2F..%2f?q=a+b%20c&r=//x#f?g"},
	{"dots stay", "/a/./b/../c", "/a/./b/../c"},
	{"a trailing slash stays", "/a/", "/a/"},
	{"bytes beyond ASCII stay", "/ä?ö", "/ä?ö"},
	{"nothing becomes the root", "", "/"},
	{"another origin becomes the root", "https://evil.example/", "/"},
	{"a host becomes the root", "//evil.example/", "/"},
	{"a backslash host becomes the root", `/\evil.example/`, "/"},
	{"a header break becomes the root", "/a\r\nSet-Cookie: a=b", "/"},
	{"a script becomes the root", "javascript:alert(1)", "/"},
}

// TestLoginRedirect: 303 to a path of this origin, byte for byte.
func TestLoginRedirect(t *testing.T) {
	for _, row := range goingOut {
		t.Run(row.claim, func(t *testing.T) {
			rec := redirected(row.to)
			got := rec.Header()["Location"]
			if rec.Code != 303 || len(got) != 1 || got[0] != row.want {
				t.Errorf("status %d to %q, want %q", rec.Code, got, row.want)
			}
			world.WantHeaders(t, rec.Header(), "no-referrer")
		})
	}
}

func TestValuesComeBack(t *testing.T) {
	rows := []struct {
		claim string
		opts  options
		want  map[string]string
	}{
		{"no values come back as none", nil, nil},
		{"values come back byte for byte",
			options{authcode.Value("a", "1;\x00\"é"), authcode.Value("b", "")},
			map[string]string{"a": "1;\x00\"é", "b": ""}},
		{"the later value of a key counts",
			options{authcode.Value("a", "1"), authcode.Value("a", "2")},
			map[string]string{"a": "2"}},
		{"512 bytes are welcome", options{authcode.Value("k", strings.Repeat("v", 511))},
			map[string]string{"k": strings.Repeat("v", 511)}},
	}
	c := world.Client(t, &world.Provider{})
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			got := world.Begin(t, c, nil, row.opts...).Finish(t, c).Values
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}
