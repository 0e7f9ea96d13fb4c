package world

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Provider is a provider in memory: an http.RoundTripper that records each
// request and answers as it is told. It opens no socket. The zero value answers
// every request with [TokenJSON].
type Provider struct {
	// Answer makes the answers of all paths that On has not set. If nil, every
	// answer is TokenJSON. A test that changes it while requests are under way
	// uses On instead.
	Answer Answer

	mu       sync.Mutex
	requests []*Request
	paths    map[string]Answer
}

// Answer makes the answer to a request.
type Answer func(*Request) (*http.Response, error)

// Request is a request with its body read as a form.
type Request struct {
	*http.Request
	Form url.Values
}

// Answering returns a provider that gives every request the same answer, with
// header as pairs of name and value.
func Answering(status int, body string, header ...string) *Provider {
	return &Provider{Answer: Always(status, body, header...)}
}

// On makes one path answer otherwise from now on; nil takes that back.
func (p *Provider) On(path string, answer Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paths == nil {
		p.paths = make(map[string]Answer)
	}
	p.paths[path] = answer
}

// RoundTrip implements http.RoundTripper.
func (p *Provider) RoundTrip(r *http.Request) (*http.Response, error) {
	req := &Request{Request: r}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body.Close()
		if req.Form, err = url.ParseQuery(string(body)); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	p.requests = append(p.requests, req)
	answer := p.paths[r.URL.Path]
	p.mu.Unlock()
	if answer == nil {
		answer = p.Answer
	}
	if answer == nil {
		return Reply(200, TokenJSON), nil
	}
	return answer(req)
}

// Requests returns the requests that arrived at the given paths so far; without
// arguments, all.
func (p *Provider) Requests(paths ...string) []*Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(paths) == 0 {
		return slices.Clone(p.requests)
	}
	var found []*Request
	for _, r := range p.requests {
		if slices.Contains(paths, r.URL.Path) {
			found = append(found, r)
		}
	}
	return found
}

// WantRequests checks how many requests have arrived at the given paths;
// without paths, at all of them.
func (p *Provider) WantRequests(t testing.TB, n int, paths ...string) {
	t.Helper()
	if got := len(p.Requests(paths...)); got != n {
		t.Errorf("the provider saw %d requests %s, want %d", got, strings.Join(paths, " "), n)
	}
}

// Always is an Answer that is the same each time.
func Always(status int, body string, header ...string) Answer {
	return func(*Request) (*http.Response, error) { return Reply(status, body, header...), nil }
}

// Down is the Answer of a provider that cannot be reached.
func Down(*Request) (*http.Response, error) { return nil, errors.New("connection refused") }

// Reply is a response with header as pairs of name and value. Its content type
// is JSON unless header says otherwise.
func Reply(status int, body string, header ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// RoundTrip is a function as an http.RoundTripper.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Through returns a Config.Wrap that puts rt in place of the Client's
// transport.
func Through(rt http.RoundTripper) func(http.RoundTripper) http.RoundTripper {
	return func(http.RoundTripper) http.RoundTripper { return RoundTrip(rt.RoundTrip) }
}
