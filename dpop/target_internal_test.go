package dpop

import (
	"bufio"
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// asSeen is the URL of a request without its query, as the server that reads it sees it; "" if net/http does not
// send it.
func asSeen(t testing.TB, r *http.Request) (method, target string) {
	t.Helper()
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		return "", ""
	}
	seen, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		return "", ""
	}
	path, _, _ := strings.Cut(seen.RequestURI, "?")
	return seen.Method, r.URL.Scheme + "://" + seen.Host + path
}

// targets are requests with the URL that their proof has to name.
var targets = []struct {
	claim, method, target, host string
	want                        string // "" is refused
}{
	{"a URL", "GET", "https://api.example/a/b", "", "https://api.example/a/b"},
	{"without query and fragment", "GET", "https://api.example/a?x=/y?z#f", "", "https://api.example/a"},
	{"with an empty query", "GET", "https://api.example/a?", "", "https://api.example/a"},
	{"an empty path is a slash", "GET", "https://api.example", "", "https://api.example/"},
	{"also before a query", "GET", "https://api.example?x", "", "https://api.example/"},
	{"an end slash stays", "GET", "https://api.example/a/", "", "https://api.example/a/"},
	{"escapes stay as they are", "GET", "https://api.example/a%2Fb%2fc%7e%41", "", "https://api.example/a%2Fb%2fc%7e%41"},
	{"a question mark in the path stays", "GET", "https://api.example/a%3Fb", "", "https://api.example/a%3Fb"},
	{"dots and slashes stay", "GET", "https://api.example//a/../b/./", "", "https://api.example//a/../b/./"},
	{"what net/http escapes is escaped", "GET", "https://api.example/ä b", "", "https://api.example/%C3%A4%20b"},
	{"a default port stays", "GET", "https://api.example:443/", "", "https://api.example:443/"},
	{"another port stays", "GET", "http://localhost:8080/", "", "http://localhost:8080/"},
	{"upper case stays", "GET", "https://API.Example/A", "", "https://API.Example/A"},
	{"user information is left out", "GET", "https://u:p@api.example/", "", "https://api.example/"},
	{"an address", "GET", "https://[::1]:8443/", "", "https://[::1]:8443/"},
	{"the Host that is sent counts", "GET", "https://10.0.0.1:8443/a", "api.example", "https://api.example/a"},
	{"no method is GET", "", "https://api.example/", "", "https://api.example/"},
	{"any method stays as it is", "pAtCh", "https://api.example/", "", "https://api.example/"},
	{"a host beyond ASCII is refused", "GET", "https://ä.example/", "", ""},
	{"a zone is refused", "GET", "https://[fe80::1%25en0]/", "", ""},
	{"an invalid Host is refused", "GET", "https://api.example/", "evil/..", ""},
	{"a Host with a query is refused", "GET", "https://api.example/", "evil?", ""},
	{"a Host with user information is refused", "GET", "https://api.example/", "u@evil", ""},
	{"a Host with a line break is refused", "GET", "https://api.example/", "a\r\nb", ""},
	{"a Host with a quote is refused", "GET", "https://api.example/", `a"b`, ""},
}

// TestTarget: htm and htu are what the server sees.
func TestTarget(t *testing.T) {
	for _, row := range targets {
		t.Run(row.claim, func(t *testing.T) {
			r, err := http.NewRequest("GET", row.target, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Method = row.method
			if row.host != "" {
				r.Host = row.host
			}
			got, err := newTarget(r)
			if got.url != row.want || (err != nil) != (row.want == "") {
				t.Fatalf("got %q, %v, want %q", got.url, err, row.want)
			}
			if err != nil {
				return
			}
			if method, seen := asSeen(t, r); got.url != seen || got.method != method {
				t.Errorf("%s %s, but the server sees %s %s", got.method, got.url, method, seen)
			}
		})
	}
}

// TestTargetOfURL: URLs made by hand.
func TestTargetOfURL(t *testing.T) {
	rows := []struct {
		claim string
		url   url.URL
		want  string
	}{
		{"an opaque path", url.URL{Scheme: "https", Host: "api.example", Opaque: "/a%2Fb", RawQuery: "q"}, "https://api.example/a%2Fb"},
		{"an opaque path with a query", url.URL{Scheme: "https", Host: "api.example", Opaque: "/a?q"}, "https://api.example/a"},
		{"an opaque URL", url.URL{Scheme: "https", Host: "api.example", Opaque: "//other.example/a"}, ""},
		{"a path without a slash", url.URL{Scheme: "https", Host: "api.example", Path: "a"}, ""},
		{"all of a server", url.URL{Scheme: "https", Host: "api.example", Path: "*"}, ""},
		{"no host", url.URL{Scheme: "https", Path: "/a"}, ""},
		{"an opaque space", url.URL{Scheme: "https", Host: "api.example", Opaque: "/a b"}, ""},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			got, err := newTarget(&http.Request{URL: &row.url})
			if got.url != row.want || (err != nil) != (row.want == "") {
				t.Errorf("got %q, %v, want %q", got.url, err, row.want)
			}
		})
	}
}

// FuzzTarget: whatever a proof names is what the server sees.
func FuzzTarget(f *testing.F) {
	for _, raw := range []string{"https://api.example/a%2Fb?x#y", "http://H:80", "https://[::1]/", "https://a//b/..", "https://ä/"} {
		f.Add(raw, "")
		f.Add(raw, "Other.example:443")
	}
	f.Fuzz(func(t *testing.T, raw, host string) {
		r, err := http.NewRequest("GET", raw, nil)
		if err != nil {
			return
		}
		if host != "" {
			r.Host = host
		}
		got, err := newTarget(r)
		if err != nil {
			return
		}
		if strings.ContainsAny(got.url, "?# \r\n\"") {
			t.Errorf("htu is %q", got.url)
		}
		if _, seen := asSeen(t, r); seen != "" && got.url != seen {
			t.Errorf("htu is %q, the server sees %q", got.url, seen)
		}
	})
}
