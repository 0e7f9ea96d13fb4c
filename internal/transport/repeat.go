package transport

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// NewPost makes a POST request that is sent again if the server did not process
// it, at most twice. RFC 9113 section 8.7 says when that is certain: a stream
// that the server refuses, and one beyond the last that its GOAWAY names. A
// busy server closes its HTTP/2 connections that way all the time, and without
// a repeat the logins under way would be lost. net/http does the first repeat,
// [RoundTrip] the second.
//
// A RoundTripper may change neither target nor header. NewPost copies target, in
// case that one does.
func NewPost(ctx context.Context, target *url.URL, header http.Header, body string) *http.Request {
	// Every login makes one of these, so all parts share an allocation.
	p := &post{target: *target, text: body}
	// RFC 3986 section 6.2.3: "host:" has the default port, and servers compare
	// the Host header without the colon.
	p.target.Host = strings.TrimSuffix(target.Host, ":")
	p.trace.GotConn = p.countConnection
	p.Context = httptrace.WithClientTrace(ctx, &p.trace)
	p.body.Reset(body)
	r := &http.Request{
		Method: http.MethodPost, URL: &p.target, Host: p.target.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		// net/http knows this type of body, and sends it in one packet with the
		// header.
		Body: io.NopCloser(&p.body), ContentLength: int64(len(body)), GetBody: p.getBody,
	}
	return r.WithContext(p)
}

// post is the context of one request, and counts how often it was sent.
type post struct {
	context.Context
	target url.URL
	text   string
	body   strings.Reader
	trace  httptrace.ClientTrace

	// Connections are counted and not only calls of GetBody, of which one
	// repeat may take two. A RoundTripper that reports no connections is
	// bounded by calls.
	sends, calls atomic.Int32
	refused      atomic.Bool // net/http wanted to repeat it once more
	last         atomic.Bool // RoundTrip repeats it
	ended        atomic.Bool // RoundTrip has the body for that
}

type postKey struct{}

// Value implements [context.Context].
func (p *post) Value(key any) any {
	if key == (postKey{}) {
		return p
	}
	return p.Context.Value(key)
}

func (p *post) countConnection(httptrace.GotConnInfo) { p.sends.Add(1) }

// getBody is for http.Request.GetBody.
func (p *post) getBody() (io.ReadCloser, error) {
	if !p.mayRepeat() {
		return nil, errors.New("the request was sent too often")
	}
	return io.NopCloser(strings.NewReader(p.text)), nil
}

// mayRepeat reports whether the caller of GetBody may send the request again.
// Without a bound, net/http would repeat a request as long as a server goes on
// refusing it.
func (p *post) mayRepeat() bool {
	if p.last.Load() {
		return !p.ended.Swap(true)
	}
	ok := p.sends.Load() < 2 && p.calls.Add(1) <= 4
	p.refused.Store(!ok)
	return ok
}

// RoundTrip sends r with t. If r was made by [NewPost] and the server has
// refused it twice unprocessed, RoundTrip sends it on a connection of its own.
// The connections of t may be about to end like the ones before: with nginx and
// a hundred requests at a time, one in a thousand met three of these in a row.
func RoundTrip(t *http.Transport, r *http.Request) (*http.Response, error) {
	p, ok := r.Context().Value(postKey{}).(*post)
	if !ok || r.GetBody == nil {
		return t.RoundTrip(r)
	}
	// Only what net/http asks for counts. It asks for the body if the request
	// was not processed; the app's own wrapper may have other reasons.
	p.refused.Store(false)
	resp, err := t.RoundTrip(r)
	if err == nil || !p.refused.Load() || p.last.Swap(true) {
		return resp, err
	}
	again := r.WithContext(r.Context()) // a copy
	if again.Body, _ = r.GetBody(); again.Body == nil {
		return nil, err
	}
	again.GetBody = nil // this is the last time
	own := Clone(t)
	own.DisableKeepAlives = true // its connection ends with the answer
	return own.RoundTrip(again)
}

// Clone returns a copy of t that shares no connection with it.
func Clone(t *http.Transport) *http.Transport {
	t = t.Clone()
	// The entry for HTTP/2 would lead to the connections of the original.
	if t.TLSNextProto["h2"] != nil {
		t.TLSNextProto, t.ForceAttemptHTTP2 = nil, true
	}
	// The copy of a transport that has spoken HTTP/2 still offers h2 to
	// servers. Without this it would then not understand their answers.
	if cfg := t.TLSClientConfig; cfg != nil && slices.Contains(cfg.NextProtos, "h2") {
		t.ForceAttemptHTTP2 = true
	}
	return t
}
