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
	"example.com/authcode/internal/web"
)

const (
	maxDocument = 256 << 10 // bytes of a metadata or userinfo answer, after decompression
	maxKeys     = 1 << 20   // bytes of a JWKS
)

// document is a successful answer.
type document struct {
	kind string // media type
	body []byte
}

// fetch gets url, which must answer 200 with at most limit bytes; no redirect is followed.
// name begins the check of every error.
func fetch(ctx context.Context, do sender, name, url string, limit int) (*document, *authcode.Error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, failed(authcode.BadAnswer, name+".endpoint", nil)
	}
	// A JWKS may be application/jwk-set+json (RFC 7517 section 8.5), and a signed userinfo is a JWT.
	req.Header.Set("Accept", "application/json, application/jwt;q=0.9, */*;q=0.1")
	return load(ctx, do, req, name, limit)
}

func load(ctx context.Context, do sender, req *http.Request, name string, limit int) (*document, *authcode.Error) {
	resp, err := do(req)
	if err != nil || resp == nil || resp.Body == nil {
		return nil, transportFailure(ctx, name, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusFailure(name, resp)
	}
	var body bytes.Buffer
	body.Grow(min(max(int(resp.ContentLength), 0), limit) + bytes.MinRead)
	_, err = body.ReadFrom(io.LimitReader(resp.Body, int64(limit)+1))
	// net/http reports a body that ends as the deadline fires as whole: the context knows better.
	if err != nil || ctx.Err() != nil {
		return nil, transportFailure(ctx, name, err)
	}
	if body.Len() > limit {
		return nil, failed(authcode.BadAnswer, name+".size", nil)
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return &document{kind, body.Bytes()}, nil
}

func statusFailure(name string, resp *http.Response) *authcode.Error {
	switch status := resp.StatusCode; {
	case status >= 300 && status < 400:
		return failed(authcode.Redirected, name+".redirect", nil)
	case status == http.StatusUnauthorized && name == "introspection": // RFC 7662 section 2.3
		return misused("introspection.unauthorized")
	case status == http.StatusNotFound:
		return failed(authcode.BadAnswer, name+".missing", nil)
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		err := failed(authcode.Overloaded, name+".status", nil)
		err.RetryAfter = web.RetryAfter(resp.Header.Get("Retry-After"))
		return err
	}
	return failed(authcode.BadAnswer, name+".status", nil)
}

// transportFailure keeps nothing of err's text, which may repeat what a server sent.
func transportFailure(ctx context.Context, name string, err error) *authcode.Error {
	var network net.Error
	switch {
	case ctx.Err() != nil:
		return ended(ctx, name)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return failed(authcode.Timeout, name+".timeout", nil)
	}
	return failed(authcode.Unreachable, name+".unreachable", err)
}

// sender sends a request without following redirects.
type sender func(*http.Request) (*http.Response, error)

// by sends with the transport of client itself, as the root package: nothing can follow a redirect.
func by(client *http.Client) sender {
	if client == nil || client.Transport == nil {
		return http.DefaultTransport.RoundTrip
	}
	return client.Transport.RoundTrip
}

// newHTTPClient is for handlers that the app gives no client.
func newHTTPClient() *http.Client { return &http.Client{Transport: web.NewTransport()} }
