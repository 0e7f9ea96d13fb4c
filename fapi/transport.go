package fapi

import (
	"crypto/tls"
	"errors"
	"net/http"
	"slices"

	"example.com/authcode"
	"example.com/authcode/internal/transport"
)

// hardenTransport holds the app's transport to section 5.2.1: TLS 1.2 or later,
// certificates verified, the cipher suites of BCP 195.
func (r *rules) hardenTransport() {
	t := r.cfg.Transport
	if t == nil {
		t = transport.New()
	} else {
		t = t.Clone()
	}
	if err := harden(t); err != nil {
		r.refuse("Config.Transport %v", err)
	}
	r.cfg.Transport = t
	wrap := r.cfg.Wrap
	r.cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper {
		if wrap != nil {
			rt = wrap(rt)
		}
		if rt == nil {
			return nil // authcode.New reports it
		}
		// Outside of the app's own wrapper, so that no request gets past this.
		return httpsOnly{rt}
	}
}

// httpsOnly sends requests over https only. It sees the requests of the login,
// those for metadata and those to APIs.
type httpsOnly struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (h httpsOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		// A RoundTripper closes the body, also if it fails.
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, authcode.NewError(authcode.Configuration, "fapi.http",
			"the profile forbids http, on loopback too: use an https URL", nil)
	}
	return h.next.RoundTrip(r)
}

// harden changes t, or says why it cannot be used.
func harden(t *http.Transport) error {
	//lint:ignore SA1019 DialTLS is deprecated, and http.Transport still calls it
	if t.DialTLSContext != nil || t.DialTLS != nil {
		// http.Transport would then ignore TLSClientConfig.
		return errors.New("has DialTLSContext or DialTLS, which may verify nothing: " +
			"use DialContext and TLSClientConfig")
	}
	own, err := hardenTLS(t.TLSClientConfig)
	if err != nil {
		return err
	}
	t.TLSClientConfig = own
	// The entry for HTTP/2 would lead to the connections of the original, which
	// were made under other rules.
	if t.TLSNextProto["h2"] != nil {
		t.TLSNextProto, t.ForceAttemptHTTP2 = nil, true
	}
	// The copy of a transport that has spoken HTTP/2 still offers h2 to
	// servers. Without this it would then not understand their answers.
	t.ForceAttemptHTTP2 = t.ForceAttemptHTTP2 || slices.Contains(own.NextProtos, "h2")
	return nil
}

// hardenTLS returns a copy of c that keeps to BCP 195 (RFC 9325).
func hardenTLS(c *tls.Config) (*tls.Config, error) {
	own := &tls.Config{}
	if c != nil {
		own = c.Clone()
	}
	// Without verification anybody on the way can pose as the provider. What
	// VerifyConnection may check instead cannot be seen from here.
	if own.InsecureSkipVerify {
		return nil, errors.New("skips the verification of certificates: " +
			"set TLSClientConfig.RootCAs instead")
	}
	// An explicit older version is refused, not raised: the app believes that
	// it needs it.
	if own.MinVersion != 0 && own.MinVersion < tls.VersionTLS12 {
		return nil, errors.New("allows TLS before 1.2: drop TLSClientConfig.MinVersion")
	}
	own.MinVersion = max(own.MinVersion, tls.VersionTLS12)
	// Section 5.2.1: with TLS 1.2, only the suites that BCP 195 recommends.
	// Go's own default has more.
	if own.CipherSuites == nil {
		own.CipherSuites = transport.Suites
	}
	if !transport.AreStrong(own.CipherSuites) {
		return nil, errors.New("has cipher suites that BCP 195 does not recommend for TLS 1.2: " +
			"drop TLSClientConfig.CipherSuites")
	}
	return own, nil
}
