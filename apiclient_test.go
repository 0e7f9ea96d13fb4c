package authcode_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

func hAPIClient(t *testing.T, p *hProvider, origins ...string) *http.Client {
	t.Helper()
	token := &oauth2.Token{AccessToken: "at-0", Expiry: time.Now().Add(time.Hour)}
	api, err := hNew(t, p).TokenSource(token, nil).APIClient(origins...)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// TestAPIClientOrigins: which requests carry the token.
func TestAPIClientOrigins(t *testing.T) {
	rows := []struct {
		claim, origin, target string
		token                 bool
	}{
		{"the origin has it", "https://api.example", "https://api.example/user?x=1", true},
		{"so has the origin with its default port", "https://api.example", "https://api.example:443/", true},
		{"and an origin listed with it", "https://api.example:443/", "https://api.example/", true},
		{"in any case", "https://API.example", "https://api.EXAMPLE/", true},
		{"on another port", "https://api.example:8443", "https://api.example:8443/", true},
		{"over http on loopback", "http://localhost:9000", "http://localhost:9000/", true},
		{"at an IPv6 address", "http://[::1]:9000", "http://[::1]:9000/", true},
		{"another port has not", "https://api.example", "https://api.example:8443/", false},
		{"another scheme has not", "https://api.example", "http://api.example/", false},
		{"another scheme on the same port has not", "https://api.example", "http://api.example:443/", false},
		{"a subdomain has not", "https://api.example", "https://x.api.example/", false},
		{"a longer name has not", "https://api.example", "https://api.example.evil.example/", false},
		{"a name in user information has not", "https://api.example", "https://api.example@evil.example/", false},
		{"a name and a port in user information have not", "https://api.example", "https://api.example:443@evil.example/", false},
		{"a trailing dot has not", "https://api.example", "https://api.example./", false},
		{"another written form of the port has not", "https://api.example", "https://api.example:0443/", false},
		{"a name in the path has not", "https://api.example", "https://evil.example/https://api.example", false},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := &hProvider{}
			resp, err := hAPIClient(t, p, "https://first.example", row.origin).Get(row.target)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			r := p.seen()[0]
			if got := r.Header.Get("Authorization"); row.token && got != "Bearer at-0" || strings.Contains(got, "at-0") != row.token {
				t.Errorf("Authorization is %q", got)
			}
			if strings.Contains(r.URL.String(), "at-0") {
				t.Errorf("the token stands in %s", r.URL)
			}
		})
	}
}

// TestAPIClientRedirects: each hop is judged by itself.
func TestAPIClientRedirects(t *testing.T) {
	rows := []struct{ claim, from, to, want string }{
		{"a redirect on the origin has the token", "https://api.example/a", "https://api.example/b", "Bearer at-0"},
		{"a redirect to another origin goes without", "https://api.example/a", "https://evil.example/", ""},
		{"a redirect to a subdomain goes without", "https://api.example/a", "https://x.api.example/", ""},
		{"a redirect to http goes without", "https://api.example/a", "http://api.example/", ""},
		{"a redirect from elsewhere to the origin has it", "https://other.example/", "https://api.example/b", "Bearer at-0"},
	}
	for _, row := range rows {
		for _, status := range []int{302, 307} {
			t.Run(row.claim, func(t *testing.T) {
				p := &hProvider{answer: func(r *hRequest) (*http.Response, error) {
					if r.URL.String() == row.from {
						return hReply(status, "", "Location", row.to), nil
					}
					return hReply(200, "ok"), nil
				}}
				r, err := http.NewRequest("POST", row.from, strings.NewReader("a=b"))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := hAPIClient(t, p, "https://api.example").Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if got := p.seen()[1].Header.Get("Authorization"); got != row.want {
					t.Errorf("Authorization is %q, want %q", got, row.want)
				}
				if r.Header.Get("Authorization") != "" {
					t.Error("the caller's request was changed")
				}
			})
		}
	}
}

func TestAPIClientRefusesOrigins(t *testing.T) {
	for claim, origins := range map[string][]string{
		"no origin": nil, "an empty origin": {""}, "a path": {"https://api.example/v1"}, "a query": {"https://api.example?a"},
		"a fragment": {"https://api.example#a"}, "user information": {"https://u@api.example"}, "http": {"http://api.example"},
		"a bare name": {"api.example"}, "a pattern's scheme": {"*://api.example"}, "one bad origin of two": {"https://api.example", "http://evil.example"},
	} {
		t.Run(claim+" is refused", func(t *testing.T) {
			api, err := hNew(t, &hProvider{}).TokenSource(nil, nil).APIClient(origins...)
			hWantError(t, err, authcode.Configuration, "api.origin")
			if api != nil {
				t.Error("got a client")
			}
		})
	}
}

// TestAPIClientWithoutAToken: the request is not sent, its body is closed, the reason is kept.
func TestAPIClientWithoutAToken(t *testing.T) {
	p := hAnswering(400, `{"error":"invalid_grant"}`)
	api, err := hNew(t, p).TokenSource(hExpired(), nil).APIClient("https://api.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []*hClosing{nil, {Reader: strings.NewReader("a=b")}} {
		r, err := http.NewRequest("POST", "https://api.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if body != nil {
			r.Body = body
		}
		_, err = api.Do(r)
		if !errors.Is(err, authcode.GrantRejected) {
			t.Errorf("got %v", err)
		}
		if body != nil && !body.closed {
			t.Error("the request's body was not closed")
		}
	}
	p.wantRequests(t, 1) // the refresh
}

// TestAPIClientSendsBodies: the body of an authorized request arrives whole.
func TestAPIClientSendsBodies(t *testing.T) {
	p := &hProvider{answer: func(r *hRequest) (*http.Response, error) { return hReply(200, r.form.Encode()), nil }}
	resp, err := hAPIClient(t, p, "https://api.example").Post("https://api.example/", "application/x-www-form-urlencoded", strings.NewReader("a=b"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "a=b" {
		t.Errorf("the API saw %q, %v", body, err)
	}
}
