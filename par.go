package authcode

import (
	"context"
	"net/url"
	"strings"
	"time"

	"example.com/authcode/internal/urls"
)

// parFaults reports a demand for pushed requests without an endpoint for them.
func parFaults(prefix string, e Endpoints) []string {
	// Falling back to a plain request would drop, without notice, a protection
	// that the app or the provider demands.
	if e.RequirePAR && e.PARURL == "" {
		return []string{prefix + "PARURL is empty (pushed_authorization_request_endpoint), but " +
			"RequirePAR demands pushed requests: set it, or check that this is the right provider"}
	}
	return nil
}

// push sends an authorization request to the provider (RFC 9126 section 2.1),
// and returns a query that refers to it. The browser does not see the request
// and cannot change it.
func (c *Client) push(
	ctx context.Context, ep *resolvedEndpoints, query, key string,
) (string, error) {
	form, _ := url.ParseQuery(query) // authQuery or signRequest has encoded it
	obj, err := c.request(ctx, ep, ep.PARURL, parRequest, key, form)
	if err != nil {
		return "", err
	}
	// RFC 9126 section 2.2: request_uri and expires_in must be present. The
	// reference goes into a URL, so it must not be long or contain spaces.
	uri, _ := obj.Text("request_uri")
	if uri == "" || len(uri) > 1<<10 || strings.ContainsFunc(uri, urls.IsNotURLChar) {
		return "", errorf(BadAnswer, "par.request_uri",
			"the answer has no usable request_uri: report it to the provider, "+
				"or set Config.DisablePAR")
	}
	// A reference that ends at once would send the person to an error page of
	// the provider, where nobody could explain it.
	if until, _ := expiry(obj, time.Now()); time.Until(until) < time.Second/2 {
		return "", errorf(BadAnswer, "par.expires_in",
			"expires_in is not a number of seconds of at least 1: report it to the provider, "+
				"or set Config.DisablePAR")
	}
	return c.referenceQuery("request_uri", uri), nil
}

// referenceQuery returns an authorization request that consists of a pushed or
// signed one.
func (c *Client) referenceQuery(name, value string) string {
	// RFC 9101 section 5, RFC 9126 section 4: client_id stays beside it. All
	// other parameters are inside, where the browser cannot change them.
	return url.Values{c.cfg.Provider.ClientIDParam: {c.cfg.ClientID}, name: {value}}.Encode()
}
