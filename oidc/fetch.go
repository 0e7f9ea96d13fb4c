package oidc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"

	"example.com/authcode"
	"example.com/authcode/internal/headers"
)

// maxAnswer bounds each answer, in bytes after decompression, so that a small
// compressed one cannot fill the memory. A JWKS of a hundred keys with their
// certificates fits.
const maxAnswer = 256 << 10

// answer is an HTTP answer. If its status is not 200, the other fields are
// empty.
type answer struct {
	status    int // 0: no answer
	mediaType string
	body      []byte
}

// sender sends a request and follows no redirect. It may add an access token.
type sender func(*http.Request) (*http.Response, error)

// fetchFirst gets the first of urls that does not answer 404. name is the first
// part of its Checks.
func fetchFirst(
	ctx context.Context, send sender, name string, urls []string,
) (a answer, err error) {
	for _, url := range urls {
		// Only 404 says that the document is somewhere else. After any other
		// failure, a login would depend on which URL happens to work today.
		a, err = fetch(ctx, send, name, url)
		if err == nil || a.status != http.StatusNotFound {
			break
		}
	}
	return a, err
}

// fetch gets url, which must answer 200 with at most maxAnswer bytes.
func fetch(ctx context.Context, send sender, name, url string) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, newError(authcode.BadAnswer, name+".endpoint", nil)
	}
	// A JWKS may be application/jwk-set+json (RFC 7517 section 8.5), and a
	// signed userinfo answer is application/jwt.
	req.Header.Set("Accept", "application/json, application/jwt;q=0.9, */*;q=0.1")
	resp, err := send(req)
	// The app may have replaced the transport. One that breaks the contract of
	// http.RoundTripper must not make this package panic.
	if err != nil || resp == nil || resp.Body == nil {
		return answer{}, transportError(ctx, name, err)
	}
	defer resp.Body.Close()
	resp.Request = req // a relative Location needs it
	return readAnswer(ctx, resp, name)
}

// readAnswer reads an answer, which must have status 200 and at most maxAnswer
// bytes.
func readAnswer(ctx context.Context, resp *http.Response, name string) (answer, error) {
	a := answer{status: resp.StatusCode}
	if a.status != http.StatusOK {
		return a, statusError(name, resp)
	}
	if resp.ContentLength > maxAnswer {
		return a, newError(authcode.BadAnswer, name+".size", nil) // it need not be read
	}
	var body bytes.Buffer
	// Reserve the memory once, because growing in steps copies the body.
	// Content-Length is -1 if it is not known.
	body.Grow(int(max(resp.ContentLength, 0)) + bytes.MinRead)
	// One byte more than the limit tells a body that is too long from one that just
	// fits.
	_, err := body.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	// net/http can report a clean end of a body that the deadline cut off. Half
	// of a key set might still parse, so ask the context as well.
	if err != nil || ctx.Err() != nil {
		return a, transportError(ctx, name, err)
	}
	if body.Len() > maxAnswer {
		return a, newError(authcode.BadAnswer, name+".size", nil)
	}
	// Many servers send JSON as text/plain or as octet-stream. The type is only
	// asked for where it decides, and a malformed one is like none.
	a.mediaType, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	a.body = body.Bytes()
	return a, nil
}

func statusError(name string, resp *http.Response) error {
	switch status := resp.StatusCode; {
	// The server that the redirect leads to would choose the keys. An access
	// token that is sent along would reach that server, too.
	case status >= 300 && status < 400:
		return redirected(name, resp)
	case status == http.StatusNotFound:
		return newError(authcode.BadAnswer, name+".missing", nil)
	// RFC 9110 section 10.2.3, RFC 6585 section 4: the server says when to come
	// back.
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		err := newError(authcode.Overloaded, name+".status", nil)
		err.RetryAfter = headers.RetryAfter(resp.Header.Get("Retry-After"))
		return err
	}
	return newError(authcode.BadAnswer, name+".status", nil)
}

// transportError classifies an error that ended a request.
func transportError(ctx context.Context, name string, err error) error {
	network, ok := errors.AsType[net.Error](err)
	switch {
	// Ask the context first: the layers below report its end in many forms,
	// some of which look like a fault of the network.
	case ctx.Err() != nil:
		return contextError(ctx, name)
	case errors.Is(err, context.DeadlineExceeded), ok && network.Timeout():
		return newError(authcode.Timeout, name+".timeout", nil)
	}
	// The transports of this module refuse some requests themselves: without a
	// certificate, or with http under FAPI. Their text helps the app more than
	// "unreachable".
	own, ok := errors.AsType[*authcode.Error](err)
	if ok && own != nil && own.Reason == authcode.Configuration {
		return own
	}
	// newError drops the text of err, which may repeat what a server sent.
	return newError(authcode.Unreachable, name+".unreachable", err)
}

// contextError explains why ctx has ended.
func contextError(ctx context.Context, name string) error {
	// A person who closes the page is not a fault of the provider. So the two
	// have different reasons.
	if errors.Is(ctx.Err(), context.Canceled) {
		return newError(authcode.Canceled, name+".canceled", nil)
	}
	return newError(authcode.Timeout, name+".timeout", nil)
}
