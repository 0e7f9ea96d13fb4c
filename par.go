package authcode

import (
	"context"
	"net/url"
	"strings"
	"time"

	"example.com/authcode/internal/urls"
)

// parFaults: who insists on pushed requests needs an endpoint for them.
func parFaults(prefix string, e Endpoints) []string {
	if e.RequirePAR && e.PARURL == "" {
		return []string{prefix + "PARURL is empty (pushed_authorization_request_endpoint), and requests have to be pushed: " +
			"is it the right provider?"}
	}
	return nil
}

// push hands an authorization request to the provider (RFC 9126 section 2.1). The browser then carries
// only a reference to it, which is good for one use, at once.
func (c *Client) push(ctx context.Context, ends *resolved, query, key string) (string, error) {
	form, _ := url.ParseQuery(query)
	obj, err := c.request(ctx, ends, ends.PARURL, pushed, key, form)
	if err != nil {
		return "", err
	}
	uri, ok := obj.Text("request_uri")
	if !ok || uri == "" || len(uri) > 1<<10 || strings.ContainsFunc(uri, urls.IsNotURLChar) {
		return "", fail(BadAnswer, "par.request_uri", "no usable request_uri in the answer")
	}
	if until, ok := expiry(obj, time.Now()); !ok || time.Until(until) < time.Second/2 {
		return "", fail(BadAnswer, "par.expires_in", "expires_in is not a number of seconds, one or more")
	}
	return c.reference("request_uri", uri), nil
}

// reference is an authorization request that consists of a pushed or signed one.
func (c *Client) reference(name, value string) string {
	return url.Values{c.cfg.Provider.ClientIDParam: {c.cfg.ClientID}, name: {value}}.Encode()
}
