package authcode

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"example.com/authcode/internal/wire"
)

const (
	maxAnswer = 256 << 10 // bytes of a provider's answer, after decompression
	maxServer = 1 << 10   // bytes kept of each of the server's own error fields
)

// reply is a provider's answer to one POST.
type reply struct {
	status int
	header http.Header
	body   []byte
	sent   *BackChannelRequest
}

// send posts form to one of the provider's endpoints, authenticated, once. If the Binding asks for it
// (use_dpop_nonce, RFC 9449 section 8), once more, with all but the form made anew. The caller closes the
// response's body.
func (c *Client) send(ctx context.Context, ends *endpoints, endpoint, key string, form url.Values) (*http.Response, *BackChannelRequest, *Error) {
	p, binding := &c.cfg.Provider, c.cfg.Binding
	if endpoint != ends.TokenURL && endpoint != ends.PARURL {
		binding = nil
	}
	for again := false; ; again = true {
		sent := &BackChannelRequest{
			Endpoint: endpoint, TokenURL: ends.TokenURL, Issuer: p.Issuer, ClientID: c.cfg.ClientID,
			AuthStyle: ends.AuthStyle, RawBasic: p.RawBasic, ClientIDParam: p.ClientIDParam,
			Form: form, Header: make(http.Header, 4), Key: key,
		}
		if binding != nil {
			sent.Form = maps.Clone(form)
		}
		if err := c.cfg.ClientAuth.Authenticate(ctx, sent); err != nil {
			return nil, nil, asFailure(ctx, err, Configuration, "client_auth", "Config.ClientAuth failed")
		}
		if binding != nil {
			if err := binding.Prove(ctx, sent); err != nil {
				return nil, nil, asFailure(ctx, err, Configuration, "binding", "Config.Binding failed")
			}
		}
		resp, err := c.sendOnce(ctx, sent)
		if err != nil || binding == nil || !binding.Answered(sent, resp) || again {
			return resp, sent, err
		}
		resp.Body.Close()
	}
}

func (c *Client) sendOnce(ctx context.Context, sent *BackChannelRequest) (*http.Response, *Error) {
	body := sent.Form.Encode()
	// NopCloser hides the reader's kind, so that net/http cannot have the body again: over HTTP/2 it
	// would repeat a request whose stream the server resets, as often as it is reset.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, sent.Endpoint, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return nil, fail(Configuration, "endpoint", "the endpoint is not a URL")
	}
	req.ContentLength = int64(len(body))
	if req.Header = sent.Header; req.Header == nil {
		req.Header = make(http.Header, 2)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	// The transport itself, not an http.Client: a redirect would carry code, verifier and secret to
	// wherever the server points (307), and here nothing can follow one.
	resp, err := c.back.RoundTrip(req)
	switch {
	case err == nil && resp != nil && resp.Body != nil && resp.StatusCode >= 200:
		return resp, nil
	case resp != nil && resp.Body != nil:
		// 101 hands the connection over: the context would no longer end it.
		resp.Body.Close()
	}
	if err == nil && resp != nil {
		return nil, fail(BadAnswer, "answer.status", "the answer is no final response")
	}
	return nil, transportFailure(ctx, err)
}

// readReply reads the whole answer, up to a limit.
func readReply(ctx context.Context, resp *http.Response, sent *BackChannelRequest) (*reply, *Error) {
	var body bytes.Buffer
	body.Grow(int(min(max(resp.ContentLength, 0), maxAnswer)) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(resp.Body, maxAnswer+1))
	// net/http reports a body that ends as the deadline fires as whole: the context knows better.
	if err != nil || ctx.Err() != nil {
		return nil, transportFailure(ctx, err)
	}
	if body.Len() > maxAnswer {
		return nil, fail(BadAnswer, "answer.size", "the answer has more than %d bytes", maxAnswer)
	}
	return &reply{resp.StatusCode, resp.Header, body.Bytes(), sent}, nil
}

// request posts to the token or PAR endpoint and returns the members of a successful answer, with the
// name of the key that was proven. A grant that the provider refuses has the reason rejected.
func (c *Client) request(ctx context.Context, ends *endpoints, endpoint string, rejected Reason, key string, form url.Values) (wire.Object, *Error) {
	resp, sent, err := c.send(ctx, ends, endpoint, key, form)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	rep, err := readReply(ctx, resp, sent)
	if err != nil {
		return nil, err
	}
	obj, bad := rep.parse()
	ok := rep.status >= 200 && rep.status < 300
	if !ok || bad == nil && hasError(obj) {
		return nil, rep.refusal(obj, rejected)
	}
	if delete(obj, keyMember); sent.Key != "" && bad == nil {
		obj[keyMember] = quote(sent.Key)
	}
	return obj, bad
}

// secrets lists what the request carried and no answer may bring back out.
func (req *BackChannelRequest) secrets() []string {
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
func (req *BackChannelRequest) howAuthenticated() string {
	const first = "; check ClientID and the secret first, then "
	switch {
	case req.Header.Get("Authorization") != "" && req.RawBasic:
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
