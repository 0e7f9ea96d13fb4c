package check

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"example.com/authcode/internal/transport"
)

// The limits keep a slow or hostile server from holding this program up, or
// from filling its memory.
const (
	totalTime   = time.Minute      // of a whole check
	requestTime = 10 * time.Second // of each request

	maxDocument = 256 << 10 // bytes of a metadata document, the limit of package oidc
	maxKeySet   = 1 << 20   // bytes of a key set, the limit of package oidc
	maxReply    = 64 << 10  // bytes of any other answer
)

// client sends the requests of a check. It follows no redirect and keeps no
// cookies. Its requests carry no credentials.
type client struct{ transport *http.Transport }

// newClient returns a client that trusts the system's authorities and those in
// caFile, unless that is empty.
func newClient(caFile string) (*client, error) {
	base := transport.New()
	base.ResponseHeaderTimeout = requestTime
	if caFile == "" {
		return &client{base}, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("-ca-file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // this machine has no authorities of its own
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("-ca-file: there is no certificate in %s: name a PEM file", caFile)
	}
	base.TLSClientConfig = &tls.Config{RootCAs: pool}
	return &client{base}, nil
}

// reply is the answer to a request, or why there was none.
type reply struct {
	status    int // 0: there was no answer
	location  string
	mediaType string
	body      []byte
	tooLong   bool // the body was longer than the limit
	tls       *tls.ConnectionState
	err       error
}

// get reads at most limit bytes from address.
func (c *client) get(ctx context.Context, address string, limit int) *reply {
	return c.do(ctx, http.MethodGet, address, limit)
}

// do sends a request, with an empty form if method is POST, and reads at most
// limit bytes.
func (c *client) do(ctx context.Context, method, address string, limit int) *reply {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return &reply{err: err}
	}
	req.Header.Set("User-Agent", "authcode-check")
	req.Header.Set("Accept", "application/json, */*;q=0.1")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	// Unlike an http.Client, a transport follows no redirect.
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return &reply{err: err}
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	_, err = body.ReadFrom(io.LimitReader(resp.Body, int64(limit)+1))
	if err == nil {
		// net/http can report a body as complete that was cut off by the
		// deadline.
		err = ctx.Err()
	}
	mediaType, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	r := &reply{
		status: resp.StatusCode, location: resp.Header.Get("Location"), mediaType: mediaType,
		tls: resp.TLS, err: err, tooLong: body.Len() > limit,
	}
	r.body = body.Bytes()[:min(body.Len(), limit)]
	return r
}

// redirects reports whether the answer leads elsewhere.
func (r *reply) redirects() bool { return r.err == nil && r.status/100 == 3 }

// summary describes the status of an answer, or says why there is none.
func (r *reply) summary() string {
	if r.err != nil {
		return describe(r.err)
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", r.status, http.StatusText(r.status)))
}

// describe says in our own words why there was no answer. The text of such an
// error may contain what a server sent.
func describe(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var timeout net.Error
	switch {
	case isCertificateFault(err):
		return describeCertificate(err)
	case errors.As(err, &dns):
		return "its host name cannot be resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "it did not answer in time"
	case isPlainAnswer(err):
		return "it answers in http, not https"
	case errors.Is(err, context.Canceled):
		return "the check was interrupted"
	case errors.As(err, &op) && op.Op == "remote error":
		return "it refused the TLS connection (" + quote(op.Err.Error()) + ")"
	case errors.As(err, &op) && op.Op == "dial":
		return "nothing accepts connections there"
	case strings.HasPrefix(err.Error(), "tls: "):
		return "the TLS connection failed (" + quote(err.Error()) + ")"
	}
	return "the connection broke before the answer was complete"
}

// isPlainAnswer reports whether the server answered in http where TLS was
// expected.
func isPlainAnswer(err error) bool {
	var record tls.RecordHeaderError
	return errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/"
}

// isCertificateFault reports whether the server's certificate was refused.
func isCertificateFault(err error) bool {
	var fault *tls.CertificateVerificationError
	return errors.As(err, &fault)
}

// describeCertificate says in our own words why a certificate was refused.
func describeCertificate(err error) string {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return "its certificate comes from an authority that this machine does not know (if the " +
			"authority is your own, name its certificate with -ca-file)"
	case errors.As(err, &host):
		return "its certificate is for another host (check the address)"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "its certificate has expired or is not valid yet (check this machine's clock)"
	}
	return "its certificate is not valid"
}
