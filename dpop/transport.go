package dpop

import (
	"net/http"
	"net/http/httptrace"
	"sync"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/jws"
)

// transport adds a proof by one key to each request (RFC 9449 sections 5, 7 and
// 10.1), and learns the nonces of servers from their answers. It sends nothing
// twice: package authcode decides on that.
type transport struct {
	base   http.RoundTripper
	signer *jws.Signer
	nonces *nonces
}

// RoundTrip implements [http.RoundTripper]. It sends a copy of r.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	// RFC 9449 section 4.2: a proof is for one method and one URL, so each
	// request gets a new one.
	to, err := newTarget(r)
	p := provenRequest{transport: t, to: to}
	proof := ""
	if err == nil {
		proof, p.nonce, err = t.prove(to)
	}
	if err != nil {
		if r.Body != nil {
			r.Body.Close() // a RoundTripper closes it, also if it fails
		}
		return nil, err
	}
	// A trace that the app has put into the context still runs: httptrace calls
	// both.
	hook := &httptrace.ClientTrace{GotConn: p.gotConn}
	out := r.Clone(httptrace.WithClientTrace(r.Context(), hook))
	if out.Header == nil {
		out.Header = make(http.Header, 1)
	}
	// The app cannot add a proof of its own beside this one.
	headers.Set(out.Header, "DPoP", proof)
	p.header = out.Header["Dpop"]
	resp, err := t.base.RoundTrip(out)
	used := p.end()
	if err == nil && resp != nil {
		t.nonces.learn(to.server, resp, used)
	}
	return resp, err
}

// provenRequest is one request on its way. It gives a new proof to a request
// that net/http sends again by itself, since a server may have seen the first
// one: net/http repeats what was lost with a connection, and what an HTTP/2
// server refused. Only the hook GotConn tells of it. net/http calls the hook
// when the connection to send by is known, in the goroutine that sends, after
// the try before has ended.
//
// A RoundTripper around net/http's (for tracing, say) may send a copy of the
// request. A copy has headers of its own, which the hook does not reach: where
// net/http repeats it, it repeats the proof. And other goroutines may be
// reading the request that was copied. Therefore the hook writes to one element
// of a slice that belongs to this request alone, never to the map that holds
// it, and to nothing once RoundTrip has returned.
type provenRequest struct {
	transport *transport
	to        target

	mu     sync.Mutex
	header []string // the DPoP header of the request that was handed on
	nonce  string   // of the latest proof
	tried  bool
	ended  bool
}

func (p *provenRequest) gotConn(httptrace.GotConnInfo) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// RFC 9449 section 11.1: a server may refuse a jti that it has seen. If no
	// new proof can be made, the request goes out with the old one.
	if p.tried && !p.ended {
		if proof, nonce, err := p.transport.prove(p.to); err == nil {
			p.header[0], p.nonce = proof, nonce
		}
	}
	p.tried = true
}

// end returns the nonce of the latest proof. From now on the request belongs to
// the caller.
func (p *provenRequest) end() (nonce string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	return p.nonce
}
