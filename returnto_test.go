package authcode_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
)

// returnPaths says of each path whether it is kept byte for byte; if not, it becomes "/".
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
	{"bytes that are no UTF-8 are kept", "/a\xff\xfe", true},
	{"a space inside is kept", "/a b", true},
	{"512 bytes are kept", "/" + strings.Repeat("a", 511), true},

	{"513 bytes are refused", "/" + strings.Repeat("a", 512), false},
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

// The three ways a return path takes judge it alike, and a browser stays with the app.
func TestReturnPathIsLocal(t *testing.T) {
	c := hNew(t, &hProvider{})
	for _, row := range returnPaths {
		t.Run(row.claim, func(t *testing.T) {
			want := "/"
			if row.kept {
				want = row.path
			}
			if got := hStart(t, c, nil, authcode.ReturnTo(row.path)).finish(t, c).ReturnTo; got != want {
				t.Errorf("ReturnTo(%q): got %q", row.path, got)
			}
			r := hGet("https://app.example/login?next=" + url.QueryEscape(row.path))
			if got := hStart(t, c, r, authcode.ReturnToParam("next")).finish(t, c).ReturnTo; got != want {
				t.Errorf("ReturnToParam with %q: got %q", row.path, got)
			}
			rec := httptest.NewRecorder()
			(&authcode.Login{ReturnTo: row.path}).Redirect(rec, hGet("https://app.example/auth/callback"))
			location := rec.Result().Header["Location"]
			if rec.Code != 303 || len(location) != 1 || location[0] != want {
				t.Fatalf("Redirect to %q: status %d, %q", row.path, rec.Code, location)
			}
			if at := land(location[0]); at.origin != appOrigin || strings.HasPrefix(at.path, "//") {
				t.Errorf("%q leads to %q", row.path, at)
			}
		})
	}
}

// A path on the wire is what Redirect was given: no handler, no cleaning comes between.
func TestReturnPathOnTheWire(t *testing.T) {
	for _, row := range returnPaths {
		if !row.kept {
			continue
		}
		var head strings.Builder
		rec := httptest.NewRecorder()
		(&authcode.Login{ReturnTo: row.path}).Redirect(rec, hGet("https://app.example/auth/callback"))
		if err := rec.Result().Header.Write(&head); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains("\r\n"+head.String(), "\r\nLocation: "+row.path+"\r\n") {
			t.Errorf("%s: %q is not in %q", row.claim, row.path, head.String())
		}
	}
}
