package authserver

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Redirect replaces the answer with a redirect to url, with this status (302,
// 307, …).
func Redirect(status int, url string) Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Location", url)
		w.WriteHeader(status)
	}}
}

// Answer replaces the answer with any status, content type and body. If the
// content type is empty, none is sent.
func Answer(status int, contentType, body string) Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		// A nil value keeps net/http from guessing a content type.
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}}
}

// HTMLError replaces the answer with status 500 and the HTML page of a web
// server.
func HTMLError() Fault {
	return Answer(http.StatusInternalServerError, "text/html",
		"<html><head><title>500</title></head><body><h1>Internal Server Error</h1></body></html>")
}

// Busy replaces the answer with status 429 or 503. retryAfter is the header
// Retry-After, in seconds or as a date. If it is empty, there is no such
// header.
func Busy(status int, retryAfter string) Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		http.Error(w, "try again later", status)
	}}
}

// EchoJSON replaces the answer with status 400 and the error invalid_request.
// Its error_description is the whole request, with the Authorization header and
// the body. A client that logs the description logs its own secrets.
func EchoJSON() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, r *http.Request, body []byte) {
		text, _ := json.Marshal(dump(r, body)) // a string always marshals
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_request","error_description":%s}`, text)
	}}
}

// EchoText replaces the answer with status 400 and the whole request as plain
// text, with the Authorization header and the body.
func EchoText() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, r *http.Request, body []byte) {
		http.Error(w, dump(r, body), http.StatusBadRequest)
	}}
}

// dump returns the whole request as text, with its secrets.
func dump(r *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", r.Method, r.RequestURI, r.Proto)
	r.Header.Write(&b)
	b.WriteString("\r\n")
	b.Write(body)
	return b.String()
}

// Silent replaces the answer with silence: the request is read, and nothing is
// ever sent.
func Silent() Fault {
	return Fault{whole: func(s *Server, _ http.ResponseWriter, r *http.Request, _ []byte) {
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
	}}
}

// Reset replaces the answer with a reset of the connection.
func Reset() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		raw := conn
		if secure, ok := conn.(*tls.Conn); ok {
			raw = secure.NetConn() // closing TLS would send a proper end of the connection
		}
		if tcp, ok := raw.(*net.TCPConn); ok {
			tcp.SetLinger(0) // close sends RST
		}
		raw.Close()
	}}
}

// tokenStart begins a token response whose access token does not end.
const tokenStart = `{"token_type":"Bearer","access_token":"`

// Big replaces the answer with a well-formed token response of 10 MB.
func Big() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		if writeRepeatedly(w, tokenStart, filler, 10_000_000/len(filler)) {
			io.WriteString(w, `"}`)
		}
	}}
}

// Padded sends the correct JSON object with one more member in front, which is
// n bytes long. Nothing but the size of the answer is wrong.
func Padded(n int) Fault {
	return Fault{shape: func(a *reply) {
		a.send = func(_ *Server, w http.ResponseWriter, _ *http.Request, status int, body []byte) {
			w.WriteHeader(status)
			if writeRepeatedly(w, `{"padding":"`, filler, n/len(filler)) {
				io.WriteString(w, strings.Repeat("A", n%len(filler))+`",`)
				w.Write(body[1:])
			}
		}
	}}
}

// Endless replaces the answer with a token response that never ends.
func Endless() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		writeRepeatedly(w, tokenStart, filler, -1)
	}}
}

// GzipBomb replaces the answer with 1 MB of gzip that inflates to a token
// response of 1 GB. It is sent even if the client did not ask for gzip.
func GzipBomb() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		// RFC 1952 section 2.2: a gzip file is a series of members. So one
		// member is compressed, and sent a hundred times.
		writeRepeatedly(w, gzipped(tokenStart), gzipped(strings.Repeat("A", 10_000_000)), 100)
	}}
}

var filler = strings.Repeat("A", 10_000)

// gzipped returns one gzip member that inflates to text.
func gzipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

// writeRepeatedly writes start, and then piece n times. If n is negative, it
// writes until the reader or the server has gone. It reports whether everything
// was written.
func writeRepeatedly(w http.ResponseWriter, start, piece string, n int) bool {
	io.WriteString(w, start)
	for i := 0; i != n; i++ {
		if _, err := io.WriteString(w, piece); err != nil {
			return false
		}
	}
	return true
}

// sendSlowly sends one byte per second, and the first one at once.
func sendSlowly(s *Server, w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.WriteHeader(status)
	flush := http.NewResponseController(w)
	for i := range body {
		w.Write(body[i : i+1])
		if flush.Flush() != nil || !s.pause(r.Context(), time.Second) {
			return
		}
	}
}

// sendHalf announces the whole body and sends half of it. net/http then closes
// the connection.
func sendHalf(_ *Server, w http.ResponseWriter, _ *http.Request, status int, body []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	w.Write(body[:len(body)/2])
}
