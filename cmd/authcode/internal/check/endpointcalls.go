package check

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"

	"example.com/authcode/internal/transport"
)

// answer is the answer of an endpoint to an empty request.
type answer struct {
	Endpoint string `json:"endpoint"` // the member that names it
	Says     string `json:"says"`     // the status, or why there was no answer
	alias    bool   // the endpoint is for apps with a certificate
	silent   bool   // there is no such endpoint
	method   string
	*reply
}

// aliasPrefix begins the names of endpoints for apps with a certificate.
const aliasPrefix = "mtls_endpoint_aliases."

// called are the endpoints that a check calls, with the method that apps (POST)
// or browsers (GET) use.
var called = []struct{ name, method string }{
	{"authorization_endpoint", http.MethodGet},
	{"token_endpoint", http.MethodPost},
	{"pushed_authorization_request_endpoint", http.MethodPost},
	{"introspection_endpoint", http.MethodPost},
	{"revocation_endpoint", http.MethodPost},
}

// callEndpoints sends one empty request, without any credential, to each
// endpoint. A working endpoint refuses the request. One that does not exist
// answers with a status such as 404, or not at all. The requests run at the
// same time, so that one slow endpoint does not delay the others.
func (c *checker) callEndpoints(ctx context.Context) {
	var addresses []string
	add := func(m *metadata, alias bool, prefix string) {
		for _, endpoint := range called {
			address := m.texts[endpoint.name]
			// Browsers never use the aliases (RFC 8705 section 5).
			if address == "" || !c.mayCall(address) || alias && endpoint.method == http.MethodGet {
				continue
			}
			addresses = append(addresses, address)
			c.answers = append(c.answers, answer{Endpoint: prefix + endpoint.name,
				method: endpoint.method, alias: alias})
		}
	}
	add(c.meta, false, "")
	if c.meta.aliases != nil {
		add(c.meta.aliases, true, aliasPrefix)
	}
	var wait sync.WaitGroup
	for i := range c.answers {
		wait.Go(func() {
			c.answers[i].reply = c.client.do(ctx, c.answers[i].method, addresses[i],
				maxReply)
		})
	}
	wait.Wait()
	for i := range c.answers {
		c.answers[i].Says = c.answers[i].summary()
		c.checkAnswer(&c.answers[i], addresses[i])
	}
}

// checkAnswer says what is wrong with the answer of an endpoint. Any refusal of
// the request shows that the endpoint exists.
func (c *checker) checkAnswer(a *answer, address string) {
	at := a.Endpoint + " (" + show(address) + ")"
	switch {
	// This program has no certificate to show. So a broken handshake at an
	// alias is what a good server does.
	case a.err != nil && a.alias && !isNobodyThere(a.err):
		// Many servers drop a connection without a certificate, and give no
		// reason.
		a.Says = "it demands a certificate"
	case a.err != nil && isCertificateFault(a.err):
		c.wrong("endpoint.certificate", "%s cannot be trusted: %s. Apps refuse to connect to it.",
			at, a.summary())
	case a.err != nil:
		a.silent = true
		c.wrong("endpoint.silent", "%s is advertised, but gives no answer: %s.%s", at, a.summary(),
			silentCure(a.Endpoint))
	case a.redirects() && a.method == http.MethodPost:
		// Following would send a code or a secret to a place of somebody else's
		// choosing.
		c.wrong("endpoint.redirect", "%s answers %s and leads to %s. Apps follow no redirect "+
			"there: the provider has to name the final address in the document.", at,
			a.summary(), showLocation(a.location))
	case a.status == http.StatusNotFound, a.status == http.StatusGone,
		a.status == http.StatusMethodNotAllowed,
		a.status == http.StatusNotImplemented:
		a.silent = true
		c.wrong("endpoint.silent", "%s is advertised, but answers %s to %s: there is no such "+
			"endpoint.%s", at, a.summary(), a.method, silentCure(a.Endpoint))
	case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable:
		c.note("endpoint.busy", "%s answers %s: it is busy. Run the check again later.", at, a.summary())
	case a.status >= 500:
		c.wrong("endpoint.broken", "%s answers %s to an empty request. It should say what is "+
			"missing: report it to the provider.", at, a.summary())
	}
}

// silentCure says what to do about an endpoint that does not exist. PAR is the
// only one that package authcode uses without being told to.
func silentCure(endpoint string) string {
	if endpoint == "pushed_authorization_request_endpoint" {
		return " Package authcode would push every login there. Ask the provider to correct it, " +
			"and set Config.DisablePAR until then."
	}
	return ""
}

// isNobodyThere reports whether there was no connection, for another reason
// than a missing client certificate.
func isNobodyThere(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return isCertificateFault(err) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial" ||
		isPlainAnswer(err)
}

// checkTLS looks at the connection over which the document came (BCP 195).
func (c *checker) checkTLS(d *document) {
	if d.tls == nil || c.hasGoodTLS(d) {
		return
	}
	c.wrong("tls.suite", "the connection to the server uses %s with %s, which BCP 195 (RFC 9325 "+
		"section 4.2) does not recommend. The provider has to enable a better one.",
		tls.VersionName(d.tls.Version), tls.CipherSuiteName(d.tls.CipherSuite))
}

// hasGoodTLS reports whether the document came over TLS as BCP 195 recommends
// it. All cipher suites of TLS 1.3 are good.
func (c *checker) hasGoodTLS(d *document) bool {
	return d.tls != nil && (d.tls.Version >= tls.VersionTLS13 ||
		d.tls.Version == tls.VersionTLS12 && transport.AreStrong([]uint16{d.tls.CipherSuite}))
}
