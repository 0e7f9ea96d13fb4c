package authserver

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Redirect stands in for the answer: a redirect with this status (302, 307, …) to url.
func Redirect(status int, url string) Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Location", url)
		w.WriteHeader(status)
	}}
}

// Answer stands in for the answer: any status, content type and body. An empty content
// type sends none.
func Answer(status int, contentType, body string) Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header()["Content-Type"] = nil // or net/http would guess one
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}}
}

// HTMLError stands in for the answer: status 500 with a web server's HTML page.
func HTMLError() Fault {
	return Answer(http.StatusInternalServerError, "text/html",
		"<html><head><title>500</title></head><body><h1>Internal Server Error</h1></body></html>")
}

// Busy stands in for the answer: status 429 or 503 with a Retry-After header, in seconds or as a
// date; if retryAfter is empty, without.
func Busy(status int, retryAfter string) Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		if retryAfter != "" {
			w.Header().Set("Retry-After", retryAfter)
		}
		http.Error(w, "try again later", status)
	}}
}

// EchoJSON stands in for the answer: status 400 with error invalid_request and the whole
// request, its Authorization header and body included, as error_description.
func EchoJSON() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, r *http.Request, body []byte) {
		text, _ := json.Marshal(dump(r, body)) // a string always marshals
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"invalid_request","error_description":%s}`, text)
	}}
}

// EchoText stands in for the answer: status 400 with the whole request, its Authorization header
// and body included, as plain text.
func EchoText() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, r *http.Request, body []byte) {
		http.Error(w, dump(r, body), http.StatusBadRequest)
	}}
}

func dump(r *http.Request, body []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", r.Method, r.RequestURI, r.Proto)
	r.Header.Write(&b)
	b.WriteString("\r\n")
	b.Write(body)
	return b.String()
}

// Silent stands in for the answer: the request is read and nothing is ever sent.
func Silent() Fault {
	return Fault{whole: func(s *Server, _ http.ResponseWriter, r *http.Request, _ []byte) {
		select {
		case <-r.Context().Done():
		case <-s.done:
		}
	}}
}

// Reset stands in for the answer: the connection is reset.
func Reset() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		raw := conn
		if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
			raw = secure.NetConn() // below TLS, which would say goodbye
		}
		if tcp, ok := raw.(*net.TCPConn); ok {
			tcp.SetLinger(0) // close sends RST
		}
		raw.Close()
	}}
}

const tokenStart = `{"token_type":"Bearer","access_token":"`

// Big stands in for the answer: a well-formed token answer of 10 MB.
func Big() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		if pour(w, tokenStart, fill, 10_000_000/len(fill)) {
			io.WriteString(w, `"}`)
		}
	}}
}

// Padded sends the correct JSON object with one more member, which is n bytes long and comes
// first: nothing but its size is wrong with it.
func Padded(n int) Fault {
	return Fault{shape: func(a *reply) {
		a.send = func(_ *Server, w http.ResponseWriter, _ *http.Request, status int, body []byte) {
			w.WriteHeader(status)
			if pour(w, `{"padding":"`, fill, n/len(fill)) {
				io.WriteString(w, strings.Repeat("A", n%len(fill))+`",`)
				w.Write(body[1:])
			}
		}
	}}
}

// Endless stands in for the answer: a token answer that never ends.
func Endless() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		pour(w, tokenStart, fill, -1)
	}}
}

// GzipBomb stands in for the answer: 1 MB of gzip that inflates to a token answer of 1 GB. It is
// sent whether the client asked for gzip or not.
func GzipBomb() Fault {
	return Fault{whole: func(_ *Server, w http.ResponseWriter, _ *http.Request, _ []byte) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		// RFC 1952 section 2.2: a file is a series of members, so one is enough to compress.
		pour(w, squeeze(tokenStart), squeeze(strings.Repeat("A", 10_000_000)), 100)
	}}
}

var fill = strings.Repeat("A", 10_000)

func squeeze(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, text)
	z.Close()
	return b.String()
}

// pour writes start and then piece n times; if n is negative, until the reader or the server is
// gone. It reports whether all was written.
func pour(w http.ResponseWriter, start, piece string, n int) bool {
	io.WriteString(w, start)
	for i := 0; i != n; i++ {
		if _, err := io.WriteString(w, piece); err != nil {
			return false
		}
	}
	return true
}

// sendSlowly sends one byte a second, the first at once.
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

// sendHalf announces the whole body and sends half: net/http then closes the connection.
func sendHalf(_ *Server, w http.ResponseWriter, _ *http.Request, status int, body []byte) {
	w.Header().Set("Content-Length", fmt.Sprint(len(body)))
	w.WriteHeader(status)
	w.Write(body[:len(body)/2])
}
