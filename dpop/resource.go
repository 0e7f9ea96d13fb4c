package dpop

import (
	"io"
	"net/http"
	"net/http/httptrace"

	"example.com/authcode/internal/web"
	"golang.org/x/oauth2"
)

// RoundTrip implements [authcode.Binding]: it sends a copy of r with the header Authorization of scheme DPoP and a
// proof (RFC 9449 section 7). If the server answers 401 and demands a nonce that it names, the request is
// repeated, once; not if it has a body without GetBody. The first answer is then read, up to 64 KiB, and closed.
// Otherwise the answer comes back as it is.
func (b *Binding) RoundTrip(base http.RoundTripper, r *http.Request, token *oauth2.Token, name string) (*http.Response, error) {
	s := sending{binding: b, base: base, request: r, token: token.AccessToken}
	var err error
	if s.key, err = b.keys.find(name); err == nil {
		s.target, err = newTarget(resourceServer, r)
	}
	if err != nil {
		closeBody(r.Body)
		return nil, err
	}
	s.target.tokenHash = hash64(token.AccessToken)
	resp, again, err := s.once(r.Body)
	if err != nil || !again {
		return resp, err
	}
	body := r.Body
	if body != nil && body != http.NoBody {
		if r.GetBody == nil {
			return resp, nil
		}
		if body, err = r.GetBody(); err != nil {
			return resp, nil
		}
	}
	if resp.Body != nil {
		io.CopyN(io.Discard, resp.Body, maxError) // so that the connection can be used again
		resp.Body.Close()
	}
	resp, _, err = s.once(body)
	return resp, err
}

// sending is a request to a resource server.
type sending struct {
	binding *Binding
	base    http.RoundTripper
	request *http.Request
	token   string
	key     *key
	target  target
}

// once sends the request with a new proof, and reports whether the server demands another nonce.
func (s *sending) once(body io.ReadCloser) (resp *http.Response, again bool, err error) {
	proof, err := s.binding.prove(s.key, s.target)
	if err != nil {
		closeBody(body)
		return nil, false, err
	}
	var out *http.Request
	ctx := s.request.Context()
	if _, ok := s.base.(*http.Transport); ok {
		ctx = httptrace.WithClientTrace(ctx, s.renewing(&out))
	}
	out = s.request.Clone(ctx)
	out.Body = body
	if out.Header == nil {
		out.Header = make(http.Header, 2)
	}
	web.SetHeader(out.Header, "Authorization", "DPoP "+s.token)
	web.SetHeader(out.Header, "DPoP", proof)
	resp, err = s.base.RoundTrip(out)
	if err != nil || resp == nil {
		return resp, false, err
	}
	nonce, ok := s.binding.learn(s.target.server, resp)
	again = ok && resp.StatusCode == http.StatusUnauthorized && nonce != nonceIn(out.Header.Get("DPoP")) &&
		asksNonce(resp.Header.Values("WWW-Authenticate"))
	return resp, again, nil
}

// renewing gives a request that net/http sends again by itself a proof of its own, since a server may have
// seen the first: it repeats what was lost with a connection, or with a stream that an HTTP/2 server refused.
// A hook is the only place to learn of that. It is called when the connection to send by is known, by the
// goroutine that will send and after the try before has ended. Of other kinds of RoundTripper
// that is not known; they get no hook.
func (s *sending) renewing(out **http.Request) *httptrace.ClientTrace {
	before := false
	return &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
		if before {
			if proof, err := s.binding.prove(s.key, s.target); err == nil {
				web.SetHeader((*out).Header, "DPoP", proof)
			}
		}
		before = true
	}}
}

func closeBody(body io.ReadCloser) {
	if body != nil {
		body.Close() // as RoundTripper promises
	}
}
