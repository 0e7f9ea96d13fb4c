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

// answer is what an endpoint answers to an empty request.
type answer struct {
	Endpoint string `json:"endpoint"` // the member that names it
	Says     string `json:"says"`     // its status, or why there was no answer
	alias    bool   // it is for apps with a certificate
	silent   bool   // there is no such endpoint
	method   string
	*reply
}

// aliasPrefix begins the names of endpoints for apps with a certificate.
const aliasPrefix = "mtls_endpoint_aliases."

// called are the endpoints that are called: by apps with POST, and by browsers with GET.
var called = []struct{ name, method string }{
	{"authorization_endpoint", http.MethodGet},
	{"token_endpoint", http.MethodPost},
	{"pushed_authorization_request_endpoint", http.MethodPost},
	{"introspection_endpoint", http.MethodPost},
	{"revocation_endpoint", http.MethodPost},
}

// callEndpoints sends one empty request without any credential to each endpoint: a server
// that works refuses it, and an endpoint that is advertised without being there shows.
func (c *checker) callEndpoints(ctx context.Context) {
	var addresses []string
	add := func(m *metadata, alias bool, prefix string) {
		for _, endpoint := range called {
			address := m.texts[endpoint.name]
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
		c.answers[i].Says = c.answers[i].says()
		c.checkAnswer(&c.answers[i], addresses[i])
	}
}

// checkAnswer says what is wrong with the answer of an endpoint. Whatever refuses the
// request is one.
func (c *checker) checkAnswer(a *answer, address string) {
	at := a.Endpoint + " (" + show(address) + ")"
	switch {
	case a.err != nil && a.alias && !isNobodyThere(a.err):
		a.Says = "it wants a certificate" // many servers drop a connection without one
	case a.err != nil && isCertificateFault(a.err):
		c.wrong("endpoint.certificate", "%s cannot be trusted: %s.", at, a.says())
	case a.err != nil:
		a.silent = true
		c.wrong("endpoint.silent", "%s is advertised, and gives no answer: %s.%s", at, a.says(),
			silentCure(a.Endpoint))
	case a.redirects() && a.method == http.MethodPost:
		c.wrong("endpoint.redirect", "%s answers %s and leads to %s. What an app posts there is "+
			"not sent elsewhere: the document must name the place itself.", at, a.says(),
			showLocation(a.location))
	case a.status == http.StatusNotFound, a.status == http.StatusGone,
		a.status == http.StatusMethodNotAllowed,
		a.status == http.StatusNotImplemented:
		a.silent = true
		c.wrong("endpoint.silent", "%s is advertised, and answers %s to %s: there is no such "+
			"endpoint.%s", at, a.says(), a.method,
			silentCure(a.Endpoint))
	case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable:
		c.note("endpoint.busy", "%s answers %s: it is busy. Run the check again later.", at, a.says())
	case a.status >= 500:
		c.wrong("endpoint.broken", "%s answers %s to an empty request, where it should say what "+
			"is missing.", at, a.says())
	}
}

func silentCure(endpoint string) string {
	if endpoint == "pushed_authorization_request_endpoint" {
		return " Package authcode would push every login there: ask the provider to mend it, and " +
			"until then set Config.DisablePAR."
	}
	return ""
}

// isNobodyThere reports that no connection came about, for another reason than a missing
// client certificate.
func isNobodyThere(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	return isCertificateFault(err) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &dns) || errors.As(err, &op) && op.Op == "dial" ||
		isPlainAnswer(err)
}

// checkTLS looks at the connection that the document came by (BCP 195).
func (c *checker) checkTLS(d *document) {
	if d.tls == nil || c.hasGoodTLS(d) {
		return
	}
	c.wrong("tls.suite", "the connection to the server uses %s with %s, which BCP 195 (RFC 9325 "+
		"section 4.2) does not recommend.", tls.VersionName(d.tls.Version),
		tls.CipherSuiteName(d.tls.CipherSuite))
}

func (c *checker) hasGoodTLS(d *document) bool {
	return d.tls != nil && (d.tls.Version >= tls.VersionTLS13 ||
		d.tls.Version == tls.VersionTLS12 && transport.AreStrong([]uint16{d.tls.CipherSuite}))
}
