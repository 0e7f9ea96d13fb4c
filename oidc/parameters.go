package oidc

import (
	"net/http"
	"net/url"

	"example.com/authcode"
	"example.com/authcode/internal/form"
)

// maxParameters bounds a request's parameters, in bytes. A logout token is the
// longest of them.
const maxParameters = 64 << 10

// parameters reads the query of a GET or the form of a POST. name is the first
// part of its Checks.
func parameters(w http.ResponseWriter, r *http.Request, name string) (url.Values, error) {
	var params url.Values
	var err error
	// The query of a POST is ignored. Otherwise it would be unclear which of
	// two values is meant, and a link could add parameters to a form.
	if r.Method == http.MethodPost {
		// OpenID Connect Back-Channel Logout section 2.5, OpenID Connect Core
		// section 4: a POST has a form in its body.
		params, err = form.Read(w, r, maxParameters, loadTimeout)
	} else {
		params, err = form.Parse(r.URL.RawQuery, maxParameters)
	}
	if err != nil {
		return nil, newError(authcode.Malformed, name+".form", nil)
	}
	// RFC 6749 section 3.1: no parameter more than once. Parsers disagree about
	// which of two to use.
	for _, values := range params {
		if len(values) != 1 {
			return nil, newError(authcode.Malformed, name+".repeated", nil)
		}
	}
	return params, nil
}
