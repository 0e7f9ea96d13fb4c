package dpop_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
)

const tokenURL = "https://as.example/token"

// transport is a base that answers from memory.
type transport func(*http.Request) *http.Response

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	return f(r), nil
}

// roundTrip is a function as a base.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, h http.Header) *http.Response {
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("body"))}
}

// watched is a body that knows how far it was read and whether it was closed.
type watched struct {
	io.Reader
	read   int
	closed int
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += n
	return n, err
}

func (b *watched) Close() error { b.closed++; return nil }

// withToken makes r a request to an API, as package authcode does.
func withToken(r *http.Request, token string) *http.Request {
	r.Header.Set("Authorization", "DPoP "+token)
	return r
}

// send sends r once, proven by the named key.
func send(b authcode.Binding, base http.RoundTripper, key string, r *http.Request) (*http.Response, error) {
	rt, err := b.Transport(new(authcode.Connection), base, key)
	if err != nil {
		return nil, err
	}
	return rt.RoundTrip(r)
}

// proofOf is the proof in r.
func proofOf(t testing.TB, r *http.Request) *proof {
	t.Helper()
	p, err := parseProof(r.Header.Get("DPoP"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// proofFor is the proof of a POST to endpoint, by a key of any name, which the server answers with h.
func proofFor(t testing.TB, b authcode.Binding, endpoint string, h http.Header) (p *proof) {
	t.Helper()
	r, _ := http.NewRequest("POST", endpoint, strings.NewReader("code=x"))
	base := transport(func(r *http.Request) *http.Response {
		p = proofOf(t, r)
		return answer(200, h)
	})
	if _, err := send(b, base, "", r); err != nil {
		t.Fatal(err)
	}
	return p
}

// newClient is a Client whose requests all go to rt.
func newClient(t testing.TB, b authcode.Binding, rt http.RoundTripper) *authcode.Client {
	t.Helper()
	c, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{Name: "x", Endpoints: authcode.Endpoints{AuthURL: "https://as.example/authorize", TokenURL: tokenURL}},
		ClientID: "client", ClientAuth: authcode.Secret("s3cret"), RedirectURL: "https://app.example/callback",
		CookieKeys: [][]byte{randomBytes(32)}, Binding: b,
		Wrap: func(http.RoundTripper) http.RoundTripper { return rt },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// newAPI is what carries the requests of an APIClient for https://api.example, with a token that is bound to the
// named key.
func newAPI(t testing.TB, b authcode.Binding, rt http.RoundTripper, key string) http.RoundTripper {
	t.Helper()
	token := bearer("at").WithExtra(map[string]any{"authcode.key": key})
	api, err := newClient(t, b, rt).TokenSource(token, nil).APIClient("https://api.example")
	if err != nil {
		t.Fatal(err)
	}
	return api.Transport
}
