package test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

const apiURL = "https://api.example"

// apiClient is an HTTP client with the token for these origins.
func apiClient(t *testing.T, c *authcode.Client, token *oauth2.Token, origins ...string) (
	api *http.Client) {
	t.Helper()
	api, err := c.TokenSource(token, nil).APIClient(origins...)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

// validToken is at-0 for another hour.
func validToken() *oauth2.Token {
	return &oauth2.Token{AccessToken: "at-0", Expiry: time.Now().Add(time.Hour)}
}

// apiOrigins are the origins of an API client, and targets of its requests.
var apiOrigins = []struct {
	claim, origin, target string
	token                 bool
}{
	{"the origin gets the token", "https://api.example", "https://api.example/user?x=1", true},
	{"so does the origin with its default port", "https://api.example",
		"https://api.example:443/", true},
	{"and an origin listed with it", "https://api.example:443/", "https://api.example/", true},
	{"in any case", "https://API.example", "https://api.EXAMPLE/", true},
	{"on another port", "https://api.example:8443", "https://api.example:8443/", true},
	{"over http on loopback", "http://localhost:9000", "http://localhost:9000/", true},
	{"at an IPv6 address", "http://[::1]:9000", "http://[::1]:9000/", true},
	{"another port does not", "https://api.example", "https://api.example:8443/", false},
	{"another scheme does not", "https://api.example", "http://api.example/", false},
	{"another scheme on the same port does not", "https://api.example",
		"http://api.example:443/", false},
	{"a subdomain does not", "https://api.example", "https://x.api.example/", false},
	{"a longer name does not", "https://api.example", "https://api.example.evil.example/",
		false},
	{"a name in user information does not", "https://api.example",
		"https://api.example@evil.example/", false},
	{"a name and a port in user information do not", "https://api.example",
		"https://api.example:443@evil.example/", false},
	{"a trailing dot does not", "https://api.example", "https://api.example./", false},
	{"another written form of the port does not", "https://api.example",
		"https://api.example:0443/", false},
	{"a name in the path does not", "https://api.example",
		"https://evil.example/https://api.example", false},
}

// TestAPIClientOrigins: which requests carry the token.
func TestAPIClientOrigins(t *testing.T) {
	for _, row := range apiOrigins {
		t.Run(row.claim, func(t *testing.T) {
			p := &world.Provider{}
			origins := []string{"https://first.example", row.origin}
			change := func(*config) {}
			if strings.HasPrefix(row.origin, "http:") {
				change = onLoopback
			}
			resp, err := apiClient(t, world.Client(t, p, change), validToken(), origins...).
				Get(row.target)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			r := p.Requests()[0]
			got := r.Header.Get("Authorization")
			if row.token && got != "Bearer at-0" || strings.Contains(got, "at-0") != row.token {
				t.Errorf("Authorization is %q", got)
			}
			if strings.Contains(r.URL.String(), "at-0") {
				t.Errorf("the URL shows the token: %s", r.URL)
			}
		})
	}
}

var apiRedirects = []struct{ claim, from, to, want string }{
	{"a redirect on the origin has the token", "https://api.example/a", "https://api.example/b",
		"Bearer at-0"},
	{"a redirect to another origin goes without", "https://api.example/a",
		"https://evil.example/", ""},
	{"a redirect to a subdomain goes without", "https://api.example/a",
		"https://x.api.example/", ""},
	{"a redirect to http goes without", "https://api.example/a", "http://api.example/", ""},
	{"a redirect from elsewhere to the origin has it", "https://other.example/",
		"https://api.example/b", "Bearer at-0"},
}

// TestAPIClientRedirects: each hop is judged by itself.
func TestAPIClientRedirects(t *testing.T) {
	for _, row := range apiRedirects {
		for _, status := range []int{302, 307} {
			t.Run(row.claim, func(t *testing.T) {
				p := &world.Provider{Answer: func(r *world.Request) (*http.Response, error) {
					if r.URL.String() == row.from {
						return world.Reply(status, "", "Location", row.to), nil
					}
					return world.Reply(200, "ok"), nil
				}}
				r, err := http.NewRequest("POST", row.from, strings.NewReader("a=b"))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := apiClient(t, world.Client(t, p), validToken(), apiURL).Do(r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				if got := p.Requests()[1].Header.Get("Authorization"); got != row.want {
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
		"no origin":             nil,
		"an empty origin":       {""},
		"a path":                {"https://api.example/v1"},
		"a query":               {"https://api.example?a"},
		"a fragment":            {"https://api.example#a"},
		"user information":      {"https://u@api.example"},
		"http":                  {"http://api.example"},
		"a bare name":           {"api.example"},
		"a pattern's scheme":    {"*://api.example"},
		"one bad origin of two": {"https://api.example", "http://evil.example"},
	} {
		t.Run(claim+" is refused", func(t *testing.T) {
			source := world.Client(t, &world.Provider{}).TokenSource(nil, nil)
			api, err := source.APIClient(origins...)
			world.WantError(t, err, authcode.Configuration, "api.origin")
			if api != nil {
				t.Error("got a client")
			}
		})
	}
}

// TestAPIClientWithoutAToken: the request is not sent, its body is closed, the
// reason is kept.
func TestAPIClientWithoutAToken(t *testing.T) {
	p := world.Answering(400, `{"error":"invalid_grant"}`)
	api := apiClient(t, world.Client(t, p), world.Expired(), apiURL)
	for _, body := range []*closing{nil, {Reader: strings.NewReader("a=b")}} {
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
	p.WantRequests(t, 1) // the refresh
}

// TestAPIClientSendsBodies: the body of an authorized request arrives whole.
func TestAPIClientSendsBodies(t *testing.T) {
	p := &world.Provider{Answer: func(r *world.Request) (*http.Response, error) {
		return world.Reply(200, r.Form.Encode()), nil
	}}
	resp, err := apiClient(t, world.Client(t, p), validToken(), apiURL).
		Post(apiURL+"/", formType, strings.NewReader("a=b"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "a=b" {
		t.Errorf("the API saw %q, %v", body, err)
	}
}

func TestAPIClientKeepsTheTokenFromLookalikes(t *testing.T) {
	token := &oauth2.Token{AccessToken: world.CanarySecret}
	seen := make(map[string]string)
	client := clientAt(t, "https://p.example",
		world.RoundTrip(func(r *http.Request) (*http.Response, error) {
			seen[r.URL.Host] = r.Header.Get("Authorization")
			return httptest.NewRecorder().Result(), nil
		}))
	api := apiClient(t, client, token, "https://api.github.com")
	for _, host := range []string{"api.github.com", "api.gİthub.com", "apı.github.com",
		"api.github.com.evil.example", "API.GITHUB.COM"} {
		req := &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: host, Path: "/"},
			Header: make(http.Header)}
		resp, err := api.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		own := strings.EqualFold(host, "api.github.com") && host[len(host)-1] < 0x80
		if want := map[bool]string{true: "Bearer " + world.CanarySecret}[own]; seen[host] != want {
			t.Errorf("%s saw %q, want %q", host, seen[host], want)
		}
		if req.Header.Get("Authorization") != "" {
			t.Error("the caller's request was changed")
		}
	}
	for _, bad := range []string{"https://api.gİthub.com", "https://api.example/path",
		"https://api.example?q", "http://api.example"} {
		_, err := client.TokenSource(token, nil).APIClient(bad)
		if !errors.Is(err, authcode.Configuration) {
			t.Errorf("APIClient(%q): %v, want configuration", bad, err)
		}
	}
}

// TestOneAuthorization: an Authorization header that the caller left in the
// request is not sent, in whatever letters.
func TestOneAuthorization(t *testing.T) {
	p := &world.Provider{}
	api := apiClient(t, world.Client(t, p), &oauth2.Token{AccessToken: "at-1"}, apiURL)
	r := httptest.NewRequest("GET", "https://api.example/me", nil)
	r.RequestURI = ""
	r.Header = http.Header{"authorization": {"Bearer canary"}, "AUTHORIZATION": {"Basic canary"},
		"Authorization": {"Bearer canary", "x"}}
	if _, err := api.Do(r); err != nil {
		t.Fatal(err)
	}
	sent := p.Requests()[0].Header
	if len(sent) != 1 || len(sent["Authorization"]) != 1 ||
		sent.Get("Authorization") != "Bearer at-1" {
		t.Errorf("sent %v", sent)
	}
	//lint:ignore SA1008 the test is about another spelling
	if r.Header["authorization"][0] != "Bearer canary" {
		t.Error("the caller's request was changed")
	}
}

// TestOnlyAProofIsMadeAgain: an API that demands a nonce from a bearer token is
// not asked again, since nothing would be different.
func TestOnlyAProofIsMadeAgain(t *testing.T) {
	p := &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
		return world.Reply(401, "", "DPoP-Nonce", "n",
			"WWW-Authenticate", `Bearer error="use_dpop_nonce"`), nil
	}}
	resp, err := apiClient(t, world.Client(t, p), validToken(), apiURL).Get(apiURL + "/me")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	p.WantRequests(t, 1)
}
