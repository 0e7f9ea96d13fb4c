package transport

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
)

// TestExplain: the cause that says most is named, and no other text is repeated.
func TestExplain(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "canary", Err: err} }
	for says, err := range map[string]error{
		"refused the TLS connection":       dial(tls.AlertError(42)),
		"could not be resolved":            dial(&net.DNSError{Err: "canary", Name: "canary"}),
		"certificate is not valid":         dial(&tls.CertificateVerificationError{Err: errors.New("canary")}),
		"failed: " + syscall.EPIPE.Error(): dial(syscall.EPIPE),
		": the connection failed":          dial(errors.New("canary")),
	} {
		words, cause := Explain(err)
		if !strings.Contains(words, says) || strings.Contains(words, "canary") || cause == nil {
			t.Errorf("%v: %q, %v; want %q", err, words, cause, says)
		}
	}
	if words, cause := Explain(errors.New("canary")); words != "" || cause != nil {
		t.Errorf("an unknown error: %q, %v", words, cause)
	}
}
