// Package form reads the forms that other parties post to the app: the
// callback of form_post, logout tokens, and logins that a portal starts. Anybody
// can send them, so a body that never ends must not hold a goroutine.
package form

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// What is wrong with a form. Read returns no other errors.
var (
	ErrType   = errors.New("the content type is not application/x-www-form-urlencoded")
	ErrSize   = errors.New("the form is too long")
	ErrBody   = errors.New("the body did not arrive")
	ErrSyntax = errors.New("the form is malformed")
)

// Read reads the form in the body of r: at most limit bytes, for at most
// budget or until r's context ends. It never lengthens a deadline of the
// server's. If the body has not been read to its end, the connection ends with
// this request.
func Read(
	w http.ResponseWriter, r *http.Request, limit int, budget time.Duration,
) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isForm := err == nil && kind == "application/x-www-form-urlencoded"
	// If a middleware has read the body already, PostForm has its parameters.
	// r.Form would mix in those of the query.
	switch {
	case r.PostForm != nil && !isForm:
		return nil, ErrType
	case r.PostForm != nil && len(Encode(r.PostForm)) > limit:
		return nil, ErrSize
	case r.PostForm != nil:
		return r.PostForm, nil
	case !isForm:
		// net/http would parse any other type as an empty form, without an
		// error.
		endBody(w)
		return nil, ErrType
	}
	text, err := readBody(w, r, limit, budget)
	if err != nil {
		return nil, err
	}
	return Parse(text, limit)
}

// Parse parses a query or a form, strictly.
func Parse(text string, limit int) (url.Values, error) {
	if len(text) > limit {
		return nil, ErrSize
	}
	// What url.ParseQuery does, with one allocation for all values.
	params := make(url.Values)
	values := make([]string, 0, 1+strings.Count(text, "&"))
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := unescape(rawName)
		value, bad := unescape(rawValue)
		// r.URL.Query would drop what it cannot parse and go on. Then this check
		// and a proxy's might see different parameters.
		if err != nil || bad != nil || strings.Contains(pair, ";") {
			return nil, ErrSyntax
		}
		if before, again := params[name]; again {
			params[name] = append(before, value)
			continue
		}
		values = append(values, value)
		params[name] = values[len(values)-1 : len(values) : len(values)]
	}
	return params, nil
}

// unescape is url.QueryUnescape, which looks at each character.
func unescape(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, nil
	}
	return url.QueryUnescape(s)
}

// readBody reads the whole body.
func readBody(
	w http.ResponseWriter, r *http.Request, limit int, budget time.Duration,
) (string, error) {
	ctx, cancel := context.WithTimeout(r.Context(), budget)
	defer cancel()
	// Nobody can ask a connection for its deadline. Setting one before the read
	// could lengthen http.Server.ReadTimeout or a middleware's, and clearing it
	// afterwards could revive a connection whose time is over. So touch it only
	// to end the read.
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		endBody(w)
	})
	// Read one byte more than allowed, to tell a long form from one that was
	// cut.
	var body bytes.Buffer
	_, err := body.ReadFrom(io.LimitReader(r.Body, int64(limit)+1))
	if !stop() {
		// The function may still be running, and net/http panics if w is used
		// after the handler has returned.
		<-ended
		return "", ErrBody
	}
	if err != nil || body.Len() > limit {
		endBody(w)
	}
	if err != nil {
		return "", ErrBody
	}
	return body.String(), nil
}

// endBody ends a body that nobody will read to its end.
func endBody(w http.ResponseWriter) {
	// After the handler, net/http drains what is left of the body. Without a
	// ReadTimeout it waits for ever. A deadline in the past ends that, and with
	// it the connection. A ResponseWriter without deadlines returns an error;
	// then only the server's ReadTimeout helps.
	http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0))
}
