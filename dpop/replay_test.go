package dpop_test

import (
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

// TestLostConnection: net/http repeats a request that was lost with an idle connection, and each try has a proof
// of its own. The server may have seen both.
func TestLostConnection(t *testing.T) {
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if n.Add(1) == 2 { // on the connection of the first
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
	defer srv.Close()
	for _, method := range []string{"GET", "POST"} {
		n.Store(0)
		b := dpop.New(newKey(t))
		for i, want := range []int{1, 2} {
			r, _ := http.NewRequest(method, srv.URL, strings.NewReader("text"))
			r.Header.Set("Idempotency-Key", "k") // which net/http takes for leave to repeat a POST
			r, sent := sentProofs(t, r)
			resp, err := b.RoundTrip(srv.Client().Transport, r, bearer("at"), "")
			wantAnswer(t, resp, err, 200, "text")
			wantDistinct(t, sent(), want)
			if i == 1 && n.Load() != 3 {
				t.Errorf("%s: the server saw %d requests", method, n.Load())
			}
		}
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
		resp, err := dpop.New(newKey(t)).RoundTrip(base, r, bearer("at"), "")
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

// TestOtherTransports: one that copies the request is no obstacle, and one that repeats it by itself is not helped.
func TestOtherTransports(t *testing.T) {
	w := newWorld(t)
	w.rs.demand = "n"
	b := dpop.New(newKey(t))
	token := w.mustLogin(t, w.client(t, b))
	base := wrapped{w.Client().Transport}
	r, _ := http.NewRequest("GET", w.URL+"/api/", nil)
	resp, err := b.RoundTrip(base, r, token, token.Extra("authcode.key").(string))
	wantAnswer(t, resp, err, 200, "hello ")
}

type wrapped struct{ http.RoundTripper }

func (w wrapped) RoundTrip(r *http.Request) (*http.Response, error) {
	if httptrace.ContextClientTrace(r.Context()) != nil {
		panic("a hook in a transport that may call it at any time")
	}
	return w.RoundTripper.RoundTrip(r.Clone(r.Context()))
}
