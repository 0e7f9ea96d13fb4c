package headers_test

import (
	"net/http"
	"testing"

	"example.com/authcode/internal/headers"
)

// FuzzCookie: Cookie finds what net/http finds.
func FuzzCookie(f *testing.F) {
	for _, line := range []string{
		"", "a=1", "b=2; a=1", "a=1;a=2", " a = 1 ; b", "a=\"1\"", "a=\"1", "a=\"", "a=1\\2", "a=é",
		"a=1=2==", "a", "a;", ";;a=1;", "aa=1", "ba=1", "a\t=1\t", "\r\na=1", "a=1 2", "a=\x7f",
		"a=\"1\";a=\"2", "A=1", "a= 1", "a=", "a=\"\"", "a=1,2",
	} {
		f.Add(line, line)
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		// net/http reads no header with more than 3,000 cookies.
		if len(first)+len(second) > 3000 {
			return
		}
		r := &http.Request{Header: http.Header{"Cookie": {first, second}}}
		for _, name := range []string{"a", "__Host-a"} {
			found := r.CookiesNamed(name)
			value, count := headers.Cookie(r, name)
			if count != len(found) || count > 0 && value != found[0].Value {
				t.Errorf("Cookie(%q, %q; %q) = %q, %d; net/http finds %v", first, second, name, value, count,
					found)
			}
		}
	})
}
