package dpop_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
)

// sentProofs makes r report each DPoP header as it is written to a connection.
func sentProofs(t *testing.T, r *http.Request) (*http.Request, func() []*proof) {
	var mu sync.Mutex
	var sent []*proof
	trace := &httptrace.ClientTrace{WroteHeaderField: func(name string, values []string) {
		if !strings.EqualFold(name, "DPoP") {
			return
		}
		p, err := parseProof(values[0])
		if err != nil || len(values) != 1 {
			t.Error(values, err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, p)
	}}
	return r.WithContext(httptrace.WithClientTrace(r.Context(), trace)), func() []*proof {
		mu.Lock()
		defer mu.Unlock()
		return sent
	}
}

func wantDistinct(t *testing.T, proofs []*proof, n int) {
	t.Helper()
	seen := make(map[string]bool)
	for _, p := range proofs {
		seen[p.ID] = true
	}
	if len(proofs) != n || len(seen) != n {
		t.Errorf("%d proofs with %d ids were sent, want %d", len(proofs), len(seen), n)
	}
}

// lossy is a server that closes the connection of the second request without an answer. Others get back their body.
func lossy(t *testing.T) (srv *httptest.Server, count *atomic.Int32) {
	count = new(atomic.Int32)
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if count.Add(1) == 2 { // on the connection of the first
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			conn.Close()
			return
		}
		w.Write(body)
	}))
	t.Cleanup(srv.Close)
	return srv, count
}

// repeatable is a request that net/http repeats, and what it sent as its proofs. These are there when its connection is
// idle again: net/http repeats only what was lost with a connection that had been used before.
func repeatable(t *testing.T, method, target string) (*http.Request, func() []*proof) {
	r, _ := http.NewRequest(method, target, strings.NewReader("text"))
	r.Header.Set("Idempotency-Key", "k") // which net/http takes for leave to repeat a POST
	idle := make(chan struct{}, 1)
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{
		PutIdleConn: func(error) { idle <- struct{}{} },
	})
	r, sent := sentProofs(t, withToken(r.WithContext(ctx), "at"))
	return r, func() []*proof { <-idle; return sent() }
}

// TestLostConnection: net/http repeats a request that was lost with an idle connection, and each try has a proof
// of its own. The server may have seen both. So it is below a RoundTripper that hands the request on.
func TestLostConnection(t *testing.T) {
	around := map[string]func(http.RoundTripper) http.RoundTripper{
		"net/http alone": func(rt http.RoundTripper) http.RoundTripper { return rt },
		"embedded":       func(rt http.RoundTripper) http.RoundTripper { return struct{ http.RoundTripper }{rt} },
		"with another context": func(rt http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				return rt.RoundTrip(r.WithContext(context.WithValue(r.Context(), someKey{}, 1)))
			})
		},
		"on another goroutine": func(rt http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (resp *http.Response, err error) {
				done := make(chan struct{})
				go func() {
					defer close(done)
					resp, err = rt.RoundTrip(r)
				}()
				<-done
				return resp, err
			})
		},
	}
	for claim, wrap := range around {
		for _, method := range []string{"GET", "POST"} {
			t.Run(claim, func(t *testing.T) {
				srv, n := lossy(t)
				b := dpop.New(newKey(t))
				for _, want := range []int{1, 2} {
					r, sent := repeatable(t, method, srv.URL)
					resp, err := send(b, wrap(srv.Client().Transport), "", r)
					wantAnswer(t, resp, err, 200, "text")
					wantDistinct(t, sent(), want)
				}
				if n.Load() != 3 {
					t.Errorf("%s: the server saw %d requests", method, n.Load())
				}
			})
		}
	}
}

type someKey struct{}

// tracing is a RoundTripper like those of tracing libraries: it sends a copy of the request, and looks at what it got
// while that is under way.
type tracing struct{ base http.RoundTripper }

func (t tracing) RoundTrip(r *http.Request) (*http.Response, error) {
	copied := r.Clone(context.WithValue(r.Context(), someKey{}, 1))
	copied.Header.Set("Traceparent", "00-1-1-01")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for seen := 0; seen >= 0; {
			for name := range r.Header {
				if name != "Dpop" {
					seen += len(r.Header.Get(name))
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	return t.base.RoundTrip(copied)
}

// TestCopiedRequest: below a RoundTripper that sends a copy, net/http can only repeat the proof. Nothing races with it, and
// nothing else changes.
func TestCopiedRequest(t *testing.T) {
	srv, n := lossy(t)
	b := dpop.New(newKey(t))
	for _, want := range []int{1, 2} {
		r, sent := repeatable(t, "GET", srv.URL)
		resp, err := send(b, tracing{srv.Client().Transport}, "", r)
		wantAnswer(t, resp, err, 200, "text")
		if list := sent(); len(list) != want || list[0].ID != list[len(list)-1].ID {
			t.Errorf("%d proofs were sent, want one %d times", len(list), want)
		}
	}
	if n.Load() != 3 {
		t.Errorf("the server saw %d requests", n.Load())
	}
}

// TestLateHook: a try that begins after RoundTrip has returned changes nothing: the request is the caller's again.
func TestLateHook(t *testing.T) {
	var late func(httptrace.GotConnInfo)
	base := roundTrip(func(r *http.Request) (*http.Response, error) {
		late = httptrace.ContextClientTrace(r.Context()).GotConn
		late(httptrace.GotConnInfo{})
		resp := answer(200, nil)
		resp.Request = r
		return resp, nil
	})
	r, _ := http.NewRequest("GET", "https://api.example/", nil)
	resp, err := send(dpop.New(newKey(t)), base, "", withToken(r, "at"))
	if err != nil {
		t.Fatal(err)
	}
	before := proofOf(t, resp.Request).ID
	late(httptrace.GotConnInfo{})
	if after := proofOf(t, resp.Request).ID; after != before {
		t.Error("the proof was changed")
	}
}

// TestRepeatedWithNonce: a proof that is renewed has the nonce of its time, and that is the one that the answer is
// compared with.
func TestRepeatedWithNonce(t *testing.T) {
	b := dpop.New(newKey(t))
	var nonces []string
	base := roundTrip(func(r *http.Request) (*http.Response, error) {
		hook := httptrace.ContextClientTrace(r.Context()).GotConn
		hook(httptrace.GotConnInfo{})
		nonces = append(nonces, proofOf(t, r).Nonce)
		proofFor(t, b, tokenURL, http.Header{"Dpop-Nonce": {"n1"}}) // meanwhile
		hook(httptrace.GotConnInfo{})
		nonces = append(nonces, proofOf(t, r).Nonce)
		return answer(400, http.Header{"Dpop-Nonce": {"n1"}}), nil
	})
	r, _ := http.NewRequest("POST", tokenURL, nil)
	resp, err := send(b, base, "", r)
	if err != nil || len(nonces) != 2 || nonces[0] != "" || nonces[1] != "n1" || resp.Header.Get("DPoP-Nonce") != "" {
		t.Errorf("nonces %q, %v, %v", nonces, resp, err)
	}
}

// TestRefusedStream: net/http repeats what an HTTP/2 server refuses, and each try has a proof of its own.
func TestRefusedStream(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.TLS = &tls.Config{NextProtos: []string{"h2"}}
	srv.Config.TLSNextProto = map[string]func(*http.Server, *tls.Conn, http.Handler){
		"h2": func(_ *http.Server, conn *tls.Conn, _ http.Handler) { refuseFirstStream(conn) },
	}
	srv.StartTLS()
	defer srv.Close()
	for _, body := range []io.Reader{nil, strings.NewReader("text")} {
		base := srv.Client().Transport.(*http.Transport).Clone()
		base.ForceAttemptHTTP2 = true
		r, _ := http.NewRequest("POST", srv.URL+"/a?b", body)
		r, sent := sentProofs(t, r)
		resp, err := send(dpop.New(newKey(t)), base, "", withToken(r, "at"))
		wantAnswer(t, resp, err, 200, "")
		if resp.ProtoMajor != 2 {
			t.Errorf("the protocol is %s", resp.Proto)
		}
		wantDistinct(t, sent(), 2)
		base.CloseIdleConnections()
	}
}

// refuseFirstStream is the least that an HTTP/2 server can be (RFC 9113 section 4.1): it resets the first stream
// and answers each other with status 200.
func refuseFirstStream(conn net.Conn) {
	const data, headers, reset, settings, refused, ack, endHeaders, endStream = 0, 1, 3, 4, 7, 1, 4, 1
	write := func(kind, flags byte, stream uint32, payload ...byte) {
		frame := []byte{0, 0, byte(len(payload)), kind, flags}
		conn.Write(append(binary.BigEndian.AppendUint32(frame, stream), payload...))
	}
	io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
	write(settings, 0, 0)
	first := true
	for {
		var frame [9]byte
		if _, err := io.ReadFull(conn, frame[:]); err != nil {
			return
		}
		kind, flags, stream := frame[3], frame[4], binary.BigEndian.Uint32(frame[5:])
		io.CopyN(io.Discard, conn, int64(frame[0])<<16|int64(frame[1])<<8|int64(frame[2]))
		switch {
		case kind == settings && flags&ack == 0:
			write(settings, ack, 0)
		case kind == headers && first:
			first = false
			write(reset, 0, stream, 0, 0, 0, refused)
		case (kind == headers || kind == data) && flags&endStream != 0 && stream > 1:
			write(headers, endHeaders|endStream, stream, 0x88) // :status 200 (RFC 7541 appendix A)
		}
	}
}

// TestOtherTransports: one that copies the request is no obstacle, and one that repeats the request itself gets a new proof
// for each try, if it uses net/http.
func TestOtherTransports(t *testing.T) {
	w := newWorld(t)
	w.rs.demand = "n"
	b := dpop.New(newKey(t))
	token := w.mustLogin(t, w.client(t, b))
	copying := func(rt http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) { return rt.RoundTrip(r.Clone(r.Context())) })
	}
	repeating := func(rt http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			if resp, err := rt.RoundTrip(r); err == nil {
				resp.Body.Close()
			}
			return rt.RoundTrip(r)
		})
	}
	for claim, wrap := range map[string]func(http.RoundTripper) http.RoundTripper{"copying": copying, "repeating": repeating} {
		t.Run(claim, func(t *testing.T) {
			api := w.api(t, w.client(t, b, func(cfg *authcode.Config) { cfg.Wrap = wrap }), token)
			resp, err := api.Get(w.URL + "/api/")
			wantAnswer(t, resp, err, 200, "hello ")
		})
	}
}
