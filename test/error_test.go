package test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

var (
	wrongHost = x509.HostnameError{
		Certificate: &x509.Certificate{DNSNames: []string{"canary\nlevel=INFO"}},
		Host:        "provider.example",
	}
	refusedConnection = &net.OpError{
		Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED),
	}
)

// causes are errors of a transport.
var causes = []struct {
	claim  string
	err    error
	says   string
	cause  any // a pointer for errors.As; nil: there is none
	reason authcode.Reason
}{
	{"a name that does not resolve", &net.DNSError{Err: "canary", Name: "canary.internal"},
		"could not be resolved", new(*net.DNSError), authcode.Unreachable},
	{"a refused connection", refusedConnection, "connection refused", new(*net.OpError),
		authcode.Unreachable},
	{"a broken connection", &net.OpError{Op: "canary", Err: errors.New("canary")},
		"the connection failed", new(*net.OpError), authcode.Unreachable},
	{"a certificate of an unknown authority",
		&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
		"Config.Transport", new(*tls.CertificateVerificationError), authcode.Unreachable},
	{"a certificate for another host", &tls.CertificateVerificationError{Err: wrongHost},
		"another host", new(*tls.CertificateVerificationError), authcode.Unreachable},
	{"a certificate that is invalid otherwise",
		&tls.CertificateVerificationError{Err: errors.New("canary")},
		"not valid", new(*tls.CertificateVerificationError), authcode.Unreachable},
	{"an error of another kind", fmt.Errorf("canary: %w", errors.New("canary")),
		"no usable answer", nil, authcode.Unreachable},
	{"a lookup that ran out of time, and does not say so", &net.DNSError{Err: "canary",
		Name: "canary.internal", UnwrapErr: context.DeadlineExceeded}, "in time", nil,
		authcode.Timeout},
	{"a timeout of the transport's own", os.ErrDeadlineExceeded, "in time", nil,
		authcode.Timeout},
}

// TestCauses: an operator learns what kind of failure it was, a caller may test
// for it, and the text has nothing that the transport or the server said.
func TestCauses(t *testing.T) {
	for _, row := range causes {
		t.Run(row.claim, func(t *testing.T) {
			err := world.Refresh(t, &world.Provider{
				Answer: func(*world.Request) (*http.Response, error) {
					return nil, fmt.Errorf("canary: %w", row.err)
				},
			})
			if !errors.Is(err, row.reason) || !strings.Contains(err.Error(), row.says) ||
				strings.Contains(err.Error(), "canary") {
				t.Errorf("got %q, want %s and %q", err, row.reason, row.says)
			}
			if row.cause != nil && !errors.As(err, row.cause) {
				t.Errorf("%T is not among the causes", row.cause)
			}
		})
	}
}

// TestNewError: a seam's words are printed, and of the cause only what is known
// to be harmless.
func TestNewError(t *testing.T) {
	dns := &net.DNSError{Err: "canary", Name: "canary.internal"}
	err := authcode.NewError(authcode.Unreachable, "jwks.unreachable", "no keys", dns)
	want := "authcode: unreachable (jwks.unreachable): no keys: " +
		"the host name could not be resolved: check its spelling, and DNS"
	if got := err.Error(); got != want {
		t.Errorf("got %q", got)
	}
	if !errors.Is(err, authcode.Unreachable) || !errors.As(err, new(*net.DNSError)) {
		t.Error("reason or cause is lost")
	}
	err = authcode.NewError(authcode.NotAdmitted, "id_token.hd", "another domain",
		errors.New("canary"))
	if err.Unwrap() != nil || strings.Contains(err.Error(), "canary") ||
		err.Reason.Status() != 403 {
		t.Errorf("got %q, status %d", err, err.Reason.Status())
	}
}
