package fapi

import (
	"crypto/tls"
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
	faults := transportFaults(t)
	for _, fault := range faults {
		r.refuse("Config.Transport %s", fault)
	}
	// Package authcode would list some of these faults again.
	if r.cfg.Transport = nil; len(faults) == 0 {
		harden(t)
		r.cfg.Transport = t
	}
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

// transportFaults says what in t is weaker than the profile allows, and what to
// do. Faults are refused, not corrected: the app believes that it needs the
// setting.
func transportFaults(t *http.Transport) (f []string) {
	//lint:ignore SA1019 DialTLS is deprecated, and http.Transport still calls it
	if t.DialTLSContext != nil || t.DialTLS != nil {
		// http.Transport would then ignore TLSClientConfig.
		f = append(f, "has DialTLSContext or DialTLS, which may verify nothing: "+
			"use DialContext and TLSClientConfig")
	}
	if t.TLSClientConfig == nil {
		return f
	}
	return append(f, tlsFaults(t.TLSClientConfig)...)
}

// tlsFaults compares c with section 5.2.1, which means BCP 195 (RFC 9325).
func tlsFaults(c *tls.Config) (f []string) {
	for _, weakness := range []struct {
		isThere bool
		fault   string
	}{
		// Without verification anybody on the network path can pose as the
		// provider. What VerifyConnection may check instead cannot be seen from
		// here.
		{c.InsecureSkipVerify, "has InsecureSkipVerify, which lets anybody pose as the provider: " +
			"set TLSClientConfig.RootCAs instead"},
		// Every server would be held to this one name (RFC 9325 section 7.1 demands
		// the name in the URL).
		{c.ServerName != "", "has TLSClientConfig.ServerName, so anybody with a certificate for that " +
			"name can pose as any server: remove it, and use DialContext to reach another address"},
		// A clock that is behind accepts certificates that have expired.
		{c.Time != nil, "has TLSClientConfig.Time, by which certificates that have expired could be " +
			"accepted: remove it"},
		// RFC 8446 appendix C.1: keys are as good as the random numbers.
		{c.Rand != nil, "has TLSClientConfig.Rand, which decides whether keys can be guessed: remove it"},
		{c.KeyLogWriter != nil, "has TLSClientConfig.KeyLogWriter, so anybody who reads that log can " +
			"decrypt every connection: remove it"},
		{isOld(c.MinVersion), "allows TLS before 1.2: drop TLSClientConfig.MinVersion"},
		{isOld(c.MaxVersion), "has a TLSClientConfig.MaxVersion below TLS 1.2: remove it"},
		// With TLS 1.2, only the suites that BCP 195 recommends.
		{!transport.AreStrong(c.CipherSuites), "has cipher suites that BCP 195 does not recommend " +
			"for TLS 1.2: drop TLSClientConfig.CipherSuites"},
	} {
		if weakness.isThere {
			f = append(f, weakness.fault)
		}
	}
	return f
}

// isOld reports whether version, if it is set, is before TLS 1.2.
func isOld(version uint16) bool { return version != 0 && version < tls.VersionTLS12 }

// harden changes t, which has no faults.
func harden(t *http.Transport) {
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = new(tls.Config)
	}
	own := t.TLSClientConfig // a copy already, like t
	own.MinVersion = max(own.MinVersion, tls.VersionTLS12)
	// Go's own default has more suites.
	if own.CipherSuites == nil {
		own.CipherSuites = transport.Suites
	}
	// A resumed session was verified by the transport that began it (RFC 8446
	// section 2.2), which may trust other authorities. So share no sessions.
	if own.ClientSessionCache != nil {
		own.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	}
	// The entry for HTTP/2 would lead to the connections of the original, which
	// were made under other rules.
	if t.TLSNextProto["h2"] != nil {
		t.TLSNextProto, t.ForceAttemptHTTP2 = nil, true
	}
	// The copy of a transport that has used HTTP/2 still offers h2 to servers.
	// Without this setting it could not read their answers.
	t.ForceAttemptHTTP2 = t.ForceAttemptHTTP2 || slices.Contains(own.NextProtos, "h2")
}
