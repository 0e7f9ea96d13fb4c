package fapi

import (
	"crypto/tls"
	"errors"
	"net/http"
	"slices"

	"example.com/authcode"
	"example.com/authcode/internal/transport"
)

// transport holds the app's transport to section 5.2.1.
func (r *rules) transport() {
	t := r.cfg.Transport
	if t == nil {
		t = transport.New()
	} else {
		t = t.Clone()
	}
	if err := makeStrict(t); err != nil {
		r.refuse("Config.Transport %v", err)
	}
	r.cfg.Transport = t
	wrap := r.cfg.Wrap
	r.cfg.Wrap = func(rt http.RoundTripper) http.RoundTripper {
		if wrap != nil {
			rt = wrap(rt)
		}
		if rt == nil {
			return nil // New says so
		}
		return secureOnly{rt}
	}
}

// secureOnly sends requests over https only: those of the login and its metadata, and those to APIs.
type secureOnly struct{ next http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (s secureOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		if r.Body != nil {
			r.Body.Close() // as RoundTripper promises
		}
		return nil, authcode.NewError(authcode.Configuration, "fapi.http", "the profile forbids http, on loopback too", nil)
	}
	return s.next.RoundTrip(r)
}

func makeStrict(t *http.Transport) error {
	//lint:ignore SA1019 DialTLS is deprecated, and http.Transport still calls it
	if t.DialTLSContext != nil || t.DialTLS != nil {
		return errors.New("has DialTLSContext or DialTLS, which may verify nothing: use DialContext and TLSClientConfig")
	}
	own, err := strictTLS(t.TLSClientConfig)
	if err != nil {
		return err
	}
	t.TLSClientConfig = own
	if t.TLSNextProto["h2"] != nil {
		t.TLSNextProto, t.ForceAttemptHTTP2 = nil, true // its entry leads to the original's own connections
	}
	// A copy of a transport that speaks HTTP/2 offers that to servers, but has to be told to speak it.
	t.ForceAttemptHTTP2 = t.ForceAttemptHTTP2 || slices.Contains(own.NextProtos, "h2")
	return nil
}

func strictTLS(c *tls.Config) (*tls.Config, error) {
	own := &tls.Config{}
	if c != nil {
		own = c.Clone()
	}
	if own.InsecureSkipVerify {
		return nil, errors.New("skips the verification of certificates: set TLSClientConfig.RootCAs instead")
	}
	if own.MinVersion != 0 && own.MinVersion < tls.VersionTLS12 {
		return nil, errors.New("allows TLS before 1.2")
	}
	own.MinVersion = max(own.MinVersion, tls.VersionTLS12)
	if own.CipherSuites == nil {
		own.CipherSuites = transport.Suites
	}
	if !transport.AreStrong(own.CipherSuites) {
		return nil, errors.New("has cipher suites that BCP 195 does not recommend for TLS 1.2")
	}
	return own, nil
}
