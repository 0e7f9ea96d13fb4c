package authcode_test

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
	"golang.org/x/oauth2"
)

// TestCauses: an operator learns what kind of failure it was, a caller may test for it, and no word of
// the transport or the server gets into the text.
func TestCauses(t *testing.T) {
	names := x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"canary\nlevel=INFO"}}, Host: "provider.example"}
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	rows := []struct {
		claim  string
		err    error
		says   string
		cause  any // a pointer for errors.As; nil: there is none
		reason authcode.Reason
	}{
		{"a name that does not resolve", &net.DNSError{Err: "canary", Name: "canary.internal"}, "could not be resolved", new(*net.DNSError), authcode.Unreachable},
		{"a refused connection", refused, "connection refused", new(*net.OpError), authcode.Unreachable},
		{"a broken connection", &net.OpError{Op: "canary", Err: errors.New("canary")}, "the connection failed", new(*net.OpError), authcode.Unreachable},
		{"a certificate of an unknown authority", &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}},
			"Config.Transport", new(*tls.CertificateVerificationError), authcode.Unreachable},
		{"a certificate for another host", &tls.CertificateVerificationError{Err: names},
			"another host", new(*tls.CertificateVerificationError), authcode.Unreachable},
		{"a certificate that is invalid otherwise", &tls.CertificateVerificationError{Err: errors.New("canary")},
			"not valid", new(*tls.CertificateVerificationError), authcode.Unreachable},
		{"an error of another kind", fmt.Errorf("canary: %w", errors.New("canary")), "no usable answer", nil, authcode.Unreachable},
		{"a timeout of the transport's own", os.ErrDeadlineExceeded, "in time", nil, authcode.Timeout},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := &hProvider{answer: func(*hRequest) (*http.Response, error) { return nil, fmt.Errorf("canary: %w", row.err) }}
			err := hRefresh(t, p)
			if !errors.Is(err, row.reason) || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %q, want %s and %q", err, row.reason, row.says)
			}
			if row.cause != nil && !errors.As(err, row.cause) {
				t.Errorf("%T is not among the causes", row.cause)
			}
		})
	}
}

// hAuth is client authentication of an app's own.
type hAuth func(*authcode.TokenRequest) error

func (a hAuth) seam() authcode.ClientAuth {
	return authcode.ClientAuth{Authenticate: func(_ context.Context, r *authcode.TokenRequest) error { return a(r) }}
}

// TestOwnClientAuth: what an app's own client authentication returns, and what it changes.
func TestOwnClientAuth(t *testing.T) {
	token := &oauth2.Token{RefreshToken: "rt"}
	rows := []struct {
		claim  string
		auth   hAuth
		reason authcode.Reason // "": success
		check  string          // or, of a success, what the form has
	}{
		{"a foreign error is hidden", func(*authcode.TokenRequest) error { return errors.New("canary") }, authcode.Configuration, "client_auth"},
		{"a Prefetch is no way out", func(*authcode.TokenRequest) error {
			return &authcode.Error{Reason: authcode.Prefetch, Check: "x"}
		}, authcode.Configuration, "client_auth"},
		{"an *Error passes through", func(*authcode.TokenRequest) error {
			return &authcode.Error{Reason: authcode.Unreachable, Check: "signer"}
		}, authcode.Unreachable, "signer"},
		{"a header that is taken away does no harm", func(r *authcode.TokenRequest) error { r.Header = nil; return nil }, "", "grant_type"},
		{"a replaced form is sent", func(r *authcode.TokenRequest) error { r.Form = map[string][]string{"a": {"b"}}; return nil }, "", "a"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			p := &hProvider{}
			c := hNew(t, p, func(c *authcode.Config) { c.ClientAuth = row.auth.seam() })
			_, err := c.Refresh(t.Context(), token)
			if row.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				sent := p.seen()[0]
				if sent.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || !sent.form.Has(row.check) {
					t.Errorf("sent %v, %v", sent.Header, sent.form)
				}
				return
			}
			if e := hWantError(t, err, row.reason, row.check); strings.Contains(e.Error(), "canary") {
				t.Errorf("a foreign text got out: %v", e)
			}
			p.wantRequests(t, 0)
		})
	}
}
