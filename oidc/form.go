package oidc

import (
	"io"
	"mime"
	"net/http"
	"net/url"

	"example.com/authcode"
)

const maxForm = 64 << 10 // bytes of a request's parameters; a logout token is among them

// parameters reads a request's parameters: the query of a GET, or the body of a POST, whose
// query is ignored. name begins the Check of every error.
func parameters(r *http.Request, name string) (url.Values, error) {
	params, ok := url.Values(nil), true
	if r.Method == http.MethodPost {
		params, ok = form(r)
	} else {
		var err error
		params, err = url.ParseQuery(r.URL.RawQuery)
		ok = err == nil && len(r.URL.RawQuery) <= maxForm
	}
	if !ok {
		return nil, failed(authcode.Malformed, name+".form", nil)
	}
	for _, values := range params {
		if len(values) != 1 { // parsers disagree about which of two counts
			return nil, failed(authcode.Malformed, name+".repeated", nil)
		}
	}
	return params, nil
}

func form(r *http.Request) (url.Values, bool) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, false
	}
	if r.PostForm != nil { // a middleware has read the body already
		return r.PostForm, true
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	if err != nil || len(body) > maxForm {
		return nil, false
	}
	params, err := url.ParseQuery(string(body))
	return params, err == nil
}
