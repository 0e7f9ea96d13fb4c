package oidc

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"time"

	"example.com/authcode"
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
func fetch(ctx context.Context, client *http.Client, name, url, bearer string, limit int) (*document, *authcode.Error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, &authcode.Error{Reason: authcode.BadAnswer, Check: name + ".endpoint"}
	}
	// A JWKS may be application/jwk-set+json (RFC 7517 section 8.5), and a signed userinfo is a JWT.
	req.Header.Set("Accept", "application/json, application/jwt;q=0.9, */*;q=0.1")
	if bearer != "" { // RFC 6750 section 2.1: the header, never the query
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	// The transport itself, as in the root package: nothing here can follow a redirect.
	resp, err := transport(client).RoundTrip(req)
	if err != nil || resp == nil || resp.Body == nil {
		return nil, transportFailure(ctx, name, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, statusFailure(name, resp.StatusCode)
	}
	var body bytes.Buffer
	body.Grow(min(max(int(resp.ContentLength), 0), limit) + bytes.MinRead)
	_, err = body.ReadFrom(io.LimitReader(resp.Body, int64(limit)+1))
	// net/http reports a body that ends as the deadline fires as whole: the context knows better.
	if err != nil || ctx.Err() != nil {
		return nil, transportFailure(ctx, name, err)
	}
	if body.Len() > limit {
		return nil, &authcode.Error{Reason: authcode.BadAnswer, Check: name + ".size"}
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return &document{kind, body.Bytes()}, nil
}

func statusFailure(name string, status int) *authcode.Error {
	switch {
	case status >= 300 && status < 400:
		return &authcode.Error{Reason: authcode.Redirected, Check: name + ".redirect"}
	case status == http.StatusNotFound:
		return &authcode.Error{Reason: authcode.BadAnswer, Check: name + ".missing"}
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		return &authcode.Error{Reason: authcode.Overloaded, Check: name + ".status", RetryAfter: retryPause}
	}
	return &authcode.Error{Reason: authcode.BadAnswer, Check: name + ".status"}
}

// transportFailure keeps nothing of err's text, which may repeat what a server sent.
func transportFailure(ctx context.Context, name string, err error) *authcode.Error {
	var network net.Error
	switch {
	case ctx.Err() != nil:
		return ended(ctx, name)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return &authcode.Error{Reason: authcode.Timeout, Check: name + ".timeout"}
	}
	return &authcode.Error{Reason: authcode.Unreachable, Check: name + ".unreachable"}
}

func transport(client *http.Client) http.RoundTripper {
	if client == nil || client.Transport == nil {
		return http.DefaultTransport
	}
	return client.Transport
}

// newHTTPClient is for handlers that the app gives no client.
func newHTTPClient() *http.Client {
	dialer := net.Dialer{Timeout: budget, KeepAlive: 30 * time.Second}
	return &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    budget,
		ResponseHeaderTimeout:  budget,
		MaxResponseHeaderBytes: 64 << 10,
	}}
}
