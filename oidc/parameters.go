package oidc

import (
	"io"
	"mime"
	"net/http"
	"net/url"

	"example.com/authcode"
)

// maxParameters bounds a request's parameters, in bytes. A logout token is the
// longest of them.
const maxParameters = 64 << 10

// parameters reads the query of a GET or the form of a POST. name is the first
// part of its Checks.
func parameters(r *http.Request, name string) (url.Values, error) {
	params, ok := url.Values(nil), true
	// The query of a POST is ignored. Otherwise it would be unclear which of
	// two values counts, and a link could add parameters to a form.
	if r.Method == http.MethodPost {
		params, ok = readForm(r)
	} else {
		// r.URL.Query would drop what it cannot parse and go on. Then this
		// check and a proxy's might see different parameters.
		var err error
		params, err = url.ParseQuery(r.URL.RawQuery)
		ok = err == nil && len(r.URL.RawQuery) <= maxParameters
	}
	if !ok {
		return nil, newError(authcode.Malformed, name+".form", nil)
	}
	// RFC 6749 section 3.1: no parameter more than once. Parsers disagree about
	// which of two counts.
	for _, values := range params {
		if len(values) != 1 {
			return nil, newError(authcode.Malformed, name+".repeated", nil)
		}
	}
	return params, nil
}

func readForm(r *http.Request) (url.Values, bool) {
	// OpenID Connect Back-Channel Logout section 2.5, OpenID Connect Core
	// section 4: a POST has a form in this encoding. Anything else is not from
	// a provider.
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, false
	}
	// A middleware has read the body already. PostForm has only its parameters,
	// while r.Form would mix in those of the query.
	if r.PostForm != nil {
		return r.PostForm, true
	}
	// Anybody can post here, so do not read more than a good request can have.
	body, err := io.ReadAll(io.LimitReader(r.Body, maxParameters+1))
	if err != nil || len(body) > maxParameters {
		return nil, false
	}
	params, err := url.ParseQuery(string(body))
	return params, err == nil
}
