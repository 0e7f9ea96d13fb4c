package authcode

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/authcode/internal/wire"
)

const (
	maxAnswer = 256 << 10 // bytes of a provider's answer, after decompression
	maxServer = 1 << 10   // bytes kept of each of the server's own error fields
)

const budget = 10 * time.Second // for the whole of Exchange, and for each later request

// reply is a provider's answer to one POST.
type reply struct {
	what   grant
	status int
	header http.Header
	body   []byte
	sent   *TokenRequest
}

// PostForm posts form to one of the provider's own endpoints that await client authentication, which are
// the token, PAR, revocation and introspection endpoints of [Client.Connection], and returns the answer, whose
// body the caller reads and closes. Client authentication is added, and [Config.Certificate] is shown. Any
// other endpoint is refused with [Configuration]: it must not see the credentials. accept is the Accept
// header. The request ends with ctx. Its error is an [*Error].
func (c *Client) PostForm(ctx context.Context, endpoint, accept string, form url.Values) (*http.Response, error) {
	ends, err := c.resolve(ctx)
	if err != nil {
		return nil, c.failed(err)
	}
	known := []string{ends.TokenURL, ends.PARURL, ends.RevocationURL, ends.IntrospectionURL}
	if endpoint == "" || !slices.Contains(known, endpoint) {
		return nil, c.failed(fail(Configuration, "endpoint", "the URL is none of the provider's endpoints for requests with client authentication"))
	}
	resp, _, err := c.send(ctx, c.authenticating(), otherGrant, c.newTokenRequest(ends, endpoint, maps.Clone(form)), accept)
	if err != nil {
		return nil, c.failed(err)
	}
	return resp, nil
}

func (c *Client) newTokenRequest(ends *resolved, endpoint string, form url.Values) *TokenRequest {
	if form == nil {
		form = make(url.Values, 4)
	}
	conn := *ends.conn // what a seam changes in it changes nobody else's
	return &TokenRequest{Connection: &conn, URL: endpoint, Form: form, Header: make(http.Header, 4)}
}

// send adds client authentication to req and posts it, once. The caller closes the response's body.
func (c *Client) send(ctx context.Context, via http.RoundTripper, what grant, req *TokenRequest, accept string) (*http.Response, *TokenRequest, error) {
	if err := c.authenticate(ctx, req); err != nil {
		return nil, nil, err
	}
	body := req.Form.Encode()
	// NopCloser hides the reader's kind, so that net/http cannot have the body again: over HTTP/2 it
	// would repeat a request whose stream the server resets, as often as it is reset.
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, req.URL, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return nil, nil, fail(Configuration, "endpoint", "the endpoint is not a URL")
	}
	r.ContentLength = int64(len(body))
	if r.Header = req.Header; r.Header == nil {
		r.Header = make(http.Header, 2)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", accept)
	// The transport itself, not an http.Client: a redirect would carry code, verifier and secret to
	// wherever the server points (307), and here nothing can follow one.
	resp, err := via.RoundTrip(r)
	switch {
	case err == nil && resp != nil && resp.Body != nil && resp.StatusCode >= 200:
		return resp, req, nil
	case resp != nil && resp.Body != nil:
		// 101 hands the connection over: the context would no longer end it.
		resp.Body.Close()
	}
	if err == nil && resp != nil {
		return nil, nil, fail(BadAnswer, what.check("status"), "the answer is not a final response")
	}
	return nil, nil, transportFailure(ctx, err)
}

// readReply reads the whole answer, up to a limit.
func readReply(ctx context.Context, what grant, resp *http.Response, sent *TokenRequest) (*reply, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(resp.ContentLength, 0), maxAnswer)) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	// net/http reports a body that ends as the deadline fires as whole: the context knows better.
	if err != nil || ctx.Err() != nil {
		return nil, transportFailure(ctx, err)
	}
	if body.Len() > maxAnswer {
		return nil, fail(BadAnswer, what.check("size"), "the answer has more than %d bytes", maxAnswer)
	}
	return &reply{what, resp.StatusCode, resp.Header, body.Bytes(), sent}, nil
}

// grant says what the provider may refuse in a request: the rules for telling why differ.
type grant int

const (
	codeGrant    grant = iota // RFC 6749 section 4.1.3
	refreshGrant              // RFC 6749 section 6
	pushed                    // no grant, but an authorization request (RFC 9126)
	revocation                // RFC 7009
	otherGrant                // whatever PostForm sends
)

// check names a rule about the answer, after the endpoint that gave it.
func (g grant) check(rule string) string {
	if g == pushed {
		return "par." + rule
	}
	return "answer." + rule
}

// request posts form to the token or PAR endpoint, with proof of the key of that name if tokens are
// bound to one, and returns the members of a successful answer, together with the name of the key that
// was proven.
func (c *Client) request(ctx context.Context, ends *resolved, endpoint string, what grant, key string, form url.Values) (wire.Object, error) {
	via, bound := c.authenticating(), c.cfg.Binding.Transport != nil
	if bound {
		var err error
		if via, key, err = c.proving(ctx, via, what, key); err != nil {
			return nil, err
		}
	}
	for again := false; ; again = true {
		req := c.newTokenRequest(ends, endpoint, form)
		if bound {
			req.Form = maps.Clone(form) // it may be sent again, authenticated anew
		}
		rep, err := c.post(ctx, via, what, req)
		if err != nil {
			return nil, err
		}
		obj, bad := rep.parse()
		if bound && !again && demandsNonce(rep, obj) {
			continue
		}
		ok := rep.status >= 200 && rep.status < 300
		if !ok || bad == nil && hasError(obj) {
			return nil, rep.refusal(obj)
		}
		if delete(obj, keyMember); key != "" && bad == nil {
			obj[keyMember] = quote(key)
		}
		return obj, bad
	}
}

func (c *Client) post(ctx context.Context, via http.RoundTripper, what grant, req *TokenRequest) (*reply, error) {
	resp, sent, err := c.send(ctx, via, what, req, "application/json")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	return readReply(ctx, what, resp, sent)
}

// secrets lists what the request carried and no answer may bring back out.
func (req *TokenRequest) secrets() []string {
	_, basic, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	list := []string{basic}
	if _, password, ok := (&http.Request{Header: req.Header}).BasicAuth(); ok {
		plain, _ := url.QueryUnescape(password)
		list = append(list, password, plain)
	}
	for _, name := range []string{"code", "code_verifier", "refresh_token", "token", "client_secret", "client_assertion",
		"state", "request"} {
		list = append(list, req.Form.Get(name))
	}
	return list
}

// howAuthenticated tells an operator what to look at: what was sent, and which field changes it.
func (req *TokenRequest) howAuthenticated() string {
	const first = "; check ClientID and the secret first, then "
	switch {
	case req.Header.Get("Authorization") != "" && req.Config.Provider.RawBasic:
		return "credentials were sent by HTTP Basic as they are" + first + "Provider.AuthStyle and Provider.RawBasic"
	case req.Header.Get("Authorization") != "":
		return "credentials were sent by HTTP Basic, form-encoded" + first + "Provider.AuthStyle and Provider.RawBasic"
	case req.Form.Has("client_secret"):
		return "credentials were sent in the body" + first + "Provider.AuthStyle"
	case req.Form.Has("client_assertion"):
		return "a client assertion was sent; check ClientID, its key and kid, and its audience (clientauth.TokenURLAudience)"
	}
	return "no client secret was sent; check ClientID first, then Config.ClientAuth, and whether the provider knows the certificate if there is one"
}
