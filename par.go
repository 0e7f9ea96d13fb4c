package authcode

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode/internal/form"
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

// parPause is how long logins go on without a PAR endpoint that does not work.
const parPause = 10 * time.Minute

// knownPAR is what is known of a PAR endpoint that the provider names.
type knownPAR struct {
	url   string
	works bool      // it has taken a request of this Client
	until time.Time // if it does not work: when the next login tries it again
}

// pushOrNot pushes the authorization request query and returns what takes its
// place. It returns query itself if the PAR endpoint does not work and nothing
// demands it.
func (c *Client) pushOrNot(
	ctx context.Context, ep *resolvedEndpoints, query, key string,
) (string, error) {
	// Some providers advertise PAR for a plan or a product that the app does not
	// have. PAR adds nothing that such a login relies on: state and PKCE protect
	// it. A request that the app signs was meant for PAR, so it stays there.
	isOptional := !ep.RequirePAR && c.cfg.MessageSigning.SignRequest == nil
	now := c.cfg.Clock.Now()
	known := c.knownPAR.Load()
	isKnown := known != nil && known.url == ep.PARURL
	if isOptional && isKnown && now.Before(known.until) {
		return query, nil
	}
	pushed, err := c.push(ctx, ep, query, key)
	own, isOwn := errors.AsType[*Error](err)
	switch {
	case err == nil && !(isKnown && known.works):
		c.knownPAR.CompareAndSwap(known, &knownPAR{url: ep.PARURL, works: true})
		return pushed, nil
	case !isOptional || !isOwn || !own.parUnusable:
		return pushed, err
	// A firewall in front of the provider may have refused what a stranger has
	// put into this login, such as a login_hint. Nobody must be able to turn
	// PAR off for all the others.
	case isKnown && known.works:
		c.logOmittedPAR(ctx, own, "did not take a request, so this login goes on without it")
		return query, nil
	}
	// Of several logins at once, one writes the line.
	found := &knownPAR{url: ep.PARURL, until: now.Add(parPause)}
	if c.knownPAR.CompareAndSwap(known, found) {
		c.logOmittedPAR(ctx, own, "does not work, so logins go on without it for ten minutes")
	}
	return query, nil
}

// logOmittedPAR tells operators that PAR is left out, and why.
func (c *Client) logOmittedPAR(ctx context.Context, cause error, what string) {
	done := c.completeError(cause).(*Error) // it always returns one
	logOf(done).WarnContext(ctx, "authcode: the PAR endpoint "+what)
}

// isUnusablePAR reports whether a refusal says that there is no PAR for this
// app, rather than what is wrong with this request.
func isUnusablePAR(status int, code string) bool {
	switch status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusInternalServerError, http.StatusNotImplemented:
	default:
		// Too many requests (429) and a server that is down for a while (503)
		// will pass. Other statuses are about the request.
		return false
	}
	// A framework's page for a missing path has a code, too, such as "Not
	// Found". A registered one shows that PAR works, and so do those that RFC
	// 6749 and its extensions name alike.
	switch code {
	case "", "access_denied", "server_error":
		return true
	}
	return registeredCode(code) != code && !strings.HasPrefix(code, "invalid_")
}

// parCure says which field helps if pushed requests do not work.
func parCure(isRequired bool) string {
	if isRequired {
		return "Provider.RequirePAR, package fapi or the provider's metadata demands pushed " +
			"requests, so check PARURL and what the app is registered for"
	}
	return "set Config.DisablePAR if the app can do without pushed requests"
}

// isRequestCode reports whether code is about the authorization request as a
// whole, or about a request object in it (RFC 9101 section 7).
func isRequestCode(code string) bool {
	switch code {
	case "invalid_request", "invalid_request_object", "invalid_request_uri",
		"request_not_supported", "request_uri_not_supported":
		return true
	}
	return false
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
		return "", oddPushAnswer(ep, "request_uri", "the answer has no usable request_uri")
	}
	// A reference that ends at once would send the person to an error page of
	// the provider, where nobody could explain it.
	if until, _ := expiry(obj, time.Now()); time.Until(until) < time.Second/2 {
		return "", oddPushAnswer(ep, "expires_in",
			"expires_in is not a number of seconds of at least 1")
	}
	return c.referenceQuery("request_uri", uri), nil
}

// oddPushAnswer is for an answer of success that lacks what a push needs.
func oddPushAnswer(ep *resolvedEndpoints, rule, detail string) error {
	e := errorf(BadAnswer, parRequest.check(rule),
		"%s: report it to the provider; %s", detail, parCure(ep.RequirePAR))
	e.parUnusable = true
	return e
}

// referenceQuery returns an authorization request that consists of a pushed or
// signed one.
func (c *Client) referenceQuery(name, value string) string {
	// RFC 9101 section 5, RFC 9126 section 4: client_id stays beside it. All
	// parameters that count are inside, where the browser cannot change them.
	return form.Encode(url.Values{c.cfg.Provider.ClientIDParam: {c.cfg.ClientID}, name: {value}})
}
