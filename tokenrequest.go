package authcode

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"example.com/authcode/internal/form"
	"example.com/authcode/internal/transport"
	"example.com/authcode/internal/wire"
)

// maxAnswer bounds a provider's answer, in bytes after decompression. An honest
// answer is far shorter.
const maxAnswer = 256 << 10

// requestTimeout bounds all of Exchange, and each later request. A person gives
// up after some seconds, and a server that hangs must not pile up goroutines.
const requestTimeout = 10 * time.Second

// requestKind says what a POST asks for. What a refusal means depends on it.
type requestKind int

const (
	codeRequest       requestKind = iota // RFC 6749 section 4.1.3
	refreshRequest                       // RFC 6749 section 6
	parRequest                           // RFC 9126 section 2.1
	revocationRequest                    // RFC 7009 section 2.1
	otherRequest                         // from PostForm
)

// check returns the Check for a rule about the answer.
func (k requestKind) check(rule string) string {
	if k == parRequest {
		return "par." + rule
	}
	return "answer." + rule
}

// reply is the provider's answer to one POST.
type reply struct {
	kind   requestKind
	status int
	header http.Header
	body   []byte
	sent   *TokenRequest
}

// isSuccess reports whether the status is one of success (2xx).
func (rep *reply) isSuccess() bool { return rep.status >= 200 && rep.status < 300 }

// PostForm posts form to the token, PAR, revocation or introspection endpoint
// of [Client.Connection], with client authentication; other endpoints are
// refused with [Configuration], as are the token and PAR endpoints if requests
// to them need a proof or a signature. accept is the Accept header. The caller closes
// the body. The request ends with ctx. Its error is an [*Error].
func (c *Client) PostForm(
	ctx context.Context, endpoint, accept string, form url.Values,
) (*http.Response, error) {
	ep, err := c.resolve(ctx)
	if err != nil {
		return nil, c.completeError(err)
	}
	// Another server could use the credentials to act as this app. So an app
	// cannot send them anywhere by mistake.
	known := []string{ep.TokenURL, ep.PARURL, ep.RevocationURL, ep.IntrospectionURL}
	// One of the provider's own takes no form.
	isOwn := c.cfg.Provider.Revocation.Read != nil && endpoint == ep.RevocationURL
	if endpoint == "" || isOwn || !slices.Contains(known, endpoint) {
		return nil, c.completeError(errorf(Configuration, "endpoint",
			"PostForm sends credentials to the provider's own endpoints only: "+
				"use a URL from Client.Connection"))
	}
	// This request gets no proof and is not signed. A token or a login without
	// them would not have the protection that the Config promises.
	bound, signed := c.cfg.Binding.Transport != nil, c.cfg.MessageSigning.SignRequest != nil
	if bound && endpoint == ep.TokenURL || (bound || signed) && endpoint == ep.PARURL {
		return nil, c.completeError(errorf(Configuration, "endpoint.binding",
			"PostForm neither proves a key nor signs a request, which the Config demands: "+
				"use the Client's other methods"))
	}
	req := c.newTokenRequest(ep, endpoint, maps.Clone(form))
	resp, _, err := c.send(ctx, c.authTransport(), otherRequest, req, accept)
	if err != nil {
		return nil, c.completeError(err)
	}
	return resp, nil
}

// newTokenRequest makes a request without client authentication, which send
// adds.
func (c *Client) newTokenRequest(
	ep *resolvedEndpoints, endpoint string, form url.Values,
) *TokenRequest {
	if form == nil {
		form = make(url.Values, 4)
	}
	// One allocation holds both.
	both := &struct {
		req  TokenRequest
		conn Connection
	}{conn: ep.connection()}
	both.req = TokenRequest{
		Connection: &both.conn, URL: endpoint, Form: form, Header: make(http.Header, 4),
	}
	if endpoint == ep.TokenURL {
		both.req.target = ep.token
	}
	return &both.req
}

// request is postForm, of which Config.Observe is told.
func (c *Client) request(
	ctx context.Context, ep *resolvedEndpoints, endpoint string,
	kind requestKind, key string, form url.Values,
) (obj wire.Object, err error) {
	op := KindTokenRequest
	if kind == parRequest {
		op = KindPush
	}
	err = c.observed(ctx, op, func(ctx context.Context) (err error) {
		obj, err = c.postForm(ctx, ep, endpoint, kind, key, form)
		return err
	})
	return obj, err
}

// postForm posts form to the token or PAR endpoint, with a proof if tokens are
// bound to a key. It returns the members of a successful answer, with the name
// of the key that it proved.
func (c *Client) postForm(
	ctx context.Context, ep *resolvedEndpoints, endpoint string,
	kind requestKind, key string, form url.Values,
) (wire.Object, error) {
	// The certificate and the proof are independent: an app may use both.
	via, bound := c.authTransport(), c.cfg.Binding.Transport != nil
	if bound {
		conn := ep.connection()
		var err error
		if via, key, err = c.proofTransport(ctx, &conn, via, kind, key); err != nil {
			return nil, err
		}
	}
	for again := false; ; again = true {
		req := c.newTokenRequest(ep, endpoint, form)
		// It may be sent twice, and each needs an assertion of its own: a
		// server may accept one only once (RFC 7523 section 3, jti).
		if bound {
			req.Form = maps.Clone(form)
		}
		rep, err := c.post(ctx, via, kind, req)
		if err != nil {
			return nil, err
		}
		// Parse before looking at the status: the body of a refusal says why.
		obj, parseErr := rep.parse()
		// RFC 9449 section 8: the server names a nonce and expects the request
		// again. Try once only, or a server could keep the app busy forever.
		if bound && !again && demandsNonce(rep, obj) {
			continue
		}
		if !rep.isSuccess() || parseErr == nil && rep.hasError(obj) {
			return nil, rep.refusal(obj)
		}
		if parseErr == nil {
			setOwnMembers(obj, key, form)
		}
		return obj, parseErr
	}
}

// post sends req and reads the whole answer, which Provider.TokenBody may
// translate.
func (c *Client) post(
	ctx context.Context, via http.RoundTripper, kind requestKind, req *TokenRequest,
) (*reply, error) {
	// GitHub answers with a form unless the request asks for JSON.
	resp, sent, err := c.send(ctx, via, kind, req, "application/json")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	rep, err := readReply(ctx, kind, resp, sent)
	if err != nil {
		return nil, err
	}
	return rep, c.translate(ctx, rep)
}

// sendNow adds client authentication to req and posts it once. The caller closes
// the body of the response.
func (c *Client) sendNow(
	ctx context.Context, via http.RoundTripper, kind requestKind, req *TokenRequest, accept string,
) (*http.Response, *TokenRequest, error) {
	// Authenticate here, for each try: an assertion is valid once, and a secret
	// or key may have been rotated in the meantime.
	endpoint := req.URL
	if err := c.authenticate(ctx, req); err != nil {
		return nil, nil, err
	}
	// New has checked this URL, and the cookie's digest stands for it.
	if req.URL != endpoint {
		return nil, nil, errorf(Configuration, "client_auth.url", "Config.ClientAuth changed "+
			"TokenRequest.URL: change the endpoint in Config.Provider instead")
	}
	target := req.target
	if target == nil {
		target, _ = url.Parse(req.URL) // resolve has checked it
	}
	// Authenticate may have set Header to nil.
	if req.Header == nil {
		req.Header = make(http.Header, 2)
	}
	values := []string{"application/x-www-form-urlencoded", accept} // one allocation for both
	req.Header["Content-Type"], req.Header["Accept"] = values[0:1:1], values[1:2:2]
	r := transport.NewPost(ctx, target, req.Header, form.Encode(req.Form))
	// Not an http.Client: it would follow a redirect (307) and send code,
	// verifier and secret to wherever the server points. A RoundTripper follows
	// none.
	resp, err := roundTrip(via, r)
	if err == nil && resp.StatusCode >= 200 {
		return resp, req, nil
	}
	return nil, nil, unusableResponse(ctx, kind, resp, err)
}

// unusableResponse closes and explains what RoundTrip returned, if that is not
// a final response.
func unusableResponse(ctx context.Context, kind requestKind, resp *http.Response, err error) error {
	// Status 101 hands the connection over. The end of ctx would no longer
	// close it.
	if resp != nil && resp.Body != nil {
		resp.Body.Close()
	}
	if err == nil && resp != nil {
		return errorf(BadAnswer, kind.check("status"),
			"the answer is not a final response: check whether a proxy changes it")
	}
	return transportError(ctx, err)
}

// readReply reads the whole answer, up to maxAnswer.
func readReply(
	ctx context.Context, kind requestKind, resp *http.Response, sent *TokenRequest,
) (*reply, error) {
	if resp.ContentLength > maxAnswer {
		return nil, tooLong(kind) // it need not be read
	}
	// Without a limit, one answer could fill the memory, also a small one that
	// is compressed.
	rep := &limitedReply{
		reply{kind, resp.StatusCode, resp.Header, nil, sent},
		io.LimitedReader{R: resp.Body, N: maxAnswer + 1},
	}
	err := rep.read(resp.ContentLength)
	// net/http reports a body as whole if it ends just when the deadline fires.
	// So ask the context, too.
	if err != nil || ctx.Err() != nil {
		return nil, transportError(ctx, err)
	}
	if len(rep.body) > maxAnswer {
		return nil, tooLong(kind)
	}
	return &rep.reply, nil
}

func tooLong(kind requestKind) error {
	return errorf(BadAnswer, kind.check("size"),
		"the answer has more than %d bytes: check the endpoint's URL", maxAnswer)
}

// limitedReply makes one allocation of a reply and of what reads its body.
type limitedReply struct {
	reply
	limited io.LimitedReader
}

// read reads the body, which has that many bytes, or an unknown number if it is
// negative. It does what io.ReadAll does, with one allocation for a known length.
func (rep *limitedReply) read(length int64) error {
	body := make([]byte, 0, max(length, 511)+1)
	for {
		n, err := rep.limited.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case err == io.EOF:
			rep.body = body
			return nil
		case err != nil:
			return err
		case len(body) == cap(body):
			body = slices.Grow(body, 1)
		}
	}
}
