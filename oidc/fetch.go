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

const (
	maxDocument = 256 << 10 // bytes of a metadata or userinfo answer, after decompression
	maxKeys     = 1 << 20   // bytes of a JWKS
)

// document is an answer of the provider's. Of one that is not a success there is the status only.
type document struct {
	status int    // 0: no answer
	kind   string // media type
	body   []byte
}

// sender sends a request without following redirects.
type sender func(*http.Request) (*http.Response, error)

// fetch gets url, which must answer 200 with at most limit bytes; no redirect is followed.
// name begins the Check of every error.
func fetch(ctx context.Context, do sender, name, url string, limit int) (document, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return document{}, failed(authcode.BadAnswer, name+".endpoint", nil)
	}
	// A JWKS may be application/jwk-set+json (RFC 7517 section 8.5), and a signed userinfo is a JWT.
	req.Header.Set("Accept", "application/json, application/jwt;q=0.9, */*;q=0.1")
	resp, err := do(req)
	if err != nil || resp == nil || resp.Body == nil {
		return document{}, transportFailure(ctx, name, err)
	}
	defer resp.Body.Close()
	return read(ctx, resp, name, limit)
}

// read reads an answer, which must have status 200 and at most limit bytes.
func read(ctx context.Context, resp *http.Response, name string, limit int) (document, error) {
	doc := document{status: resp.StatusCode}
	if doc.status != http.StatusOK {
		return doc, statusFailure(name, resp)
	}
	var body bytes.Buffer
	body.Grow(min(max(int(resp.ContentLength), 0), limit) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(resp.Body, int64(limit)+1))
	// net/http reports a body that ends as the deadline fires as whole: the context knows better.
	if err != nil || ctx.Err() != nil {
		return doc, transportFailure(ctx, name, err)
	}
	if body.Len() > limit {
		return doc, failed(authcode.BadAnswer, name+".size", nil)
	}
	doc.kind, _, _ = mime.ParseMediaType(resp.Header.Get("Content-Type"))
	doc.body = body.Bytes()
	return doc, nil
}

func statusFailure(name string, resp *http.Response) error {
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400:
		return failed(authcode.BadAnswer, name+".redirect", nil)
	case status == http.StatusNotFound:
		return failed(authcode.BadAnswer, name+".missing", nil)
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		err := failed(authcode.Overloaded, name+".status", nil)
		err.RetryAfter = headers.RetryAfter(resp.Header.Get("Retry-After"))
		return err
	}
	return failed(authcode.BadAnswer, name+".status", nil)
}

// transportFailure keeps nothing of err's text, which may repeat what a server sent.
func transportFailure(ctx context.Context, name string, err error) error {
	var network net.Error
	switch {
	case ctx.Err() != nil:
		return ended(ctx, name)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return failed(authcode.Timeout, name+".timeout", nil)
	}
	if own := (*authcode.Error)(nil); errors.As(err, &own) && own != nil && own.Reason == authcode.Configuration {
		return own // of a transport that holds the app to a rule of its own
	}
	return failed(authcode.Unreachable, name+".unreachable", err)
}
