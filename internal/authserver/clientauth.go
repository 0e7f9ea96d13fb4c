package authserver

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
)

// credentials is what a request says about its client.
type credentials struct {
	method     AuthMethod // empty if there is none, more than one, or a malformed one
	id, secret string
	client     ClientRegistration
}

// authenticate finds out which client sent a request. It accepts exactly one
// method of authentication (RFC 6749 section 2.3), which must be the registered
// one. If a server accepted any method, an attacker could choose the weakest.
func (s *Server) authenticate(r *http.Request, form url.Values) (credentials, *failure) {
	headers := r.Header.Values("Authorization")
	var c credentials
	switch {
	// RFC 6749 section 2.3: one method per request. Two parts of a server might
	// otherwise authenticate two different clients.
	case len(headers)+len(form["client_secret"])+len(form["client_assertion"]) > 1:
		return c, refuse("invalid_request", "more than one client authentication")
	case len(headers) == 1:
		return s.basicAuth(r, form)
	case form.Has("client_assertion") || form.Has("client_assertion_type"):
		return s.assertion(r, form)
	case form.Has("client_secret"):
		c = credentials{method: Post, id: form.Get("client_id"), secret: form.Get("client_secret")}
	case form.Get("client_id") != "":
		c = credentials{method: None, id: form.Get("client_id")}
	default:
		return c, unknownClient()
	}
	s.mu.Lock()
	c.client = s.state.clients[c.id]
	s.mu.Unlock()
	// RFC 8705 section 2: with a certificate, the request itself has nothing
	// but the client id. So far it looks like a request of a public client.
	switch c.client.AuthMethod {
	case TLSClientAuth, SelfSignedTLS:
		if c.method == None && hasCertificateOf(r, c.client) {
			c.method = c.client.AuthMethod
		}
	}
	return c, c.check()
}

// basicAuth reads an Authorization header. It decodes id and secret as a form
// (RFC 6749 section 2.3.1), unless the raw id belongs to a client that is
// registered with RawBasic.
func (s *Server) basicAuth(r *http.Request, form url.Values) (credentials, *failure) {
	rawID, rawSecret, ok := r.BasicAuth()
	if !ok {
		return credentials{}, unknownClient()
	}
	c := credentials{method: Basic, id: rawID, secret: rawSecret}
	s.mu.Lock()
	raw, isRaw := s.state.clients[rawID]
	s.mu.Unlock()
	if isRaw && raw.RawBasic {
		c.client = raw
		return c, c.checkBody(form)
	}
	id, idErr := url.QueryUnescape(rawID)
	secret, secretErr := url.QueryUnescape(rawSecret)
	if idErr != nil || secretErr != nil || !isFormEncoded(rawID+rawSecret) {
		return c, unknownClient()
	}
	c.id, c.secret = id, secret
	s.mu.Lock()
	c.client = s.state.clients[id]
	s.mu.Unlock()
	// The raw id was not this client's, so the client encodes where it must
	// not.
	if c.client.RawBasic {
		return c, unknownClient()
	}
	return c, c.checkBody(form)
}

// isFormEncoded reports whether s can be the output of a form encoder. Decoders
// accept much more. Without this check, a client that does not encode would be
// noticed only once a secret contains a "+".
func isFormEncoded(s string) bool { return onlyURLSafe(s, "-_.*~+%") }

// checkBody refuses a client_id in the body that differs from the authenticated
// one: two parts of a server might each believe another of them.
func (c credentials) checkBody(form url.Values) *failure {
	if form.Has("client_id") && form.Get("client_id") != c.id {
		return refuse("invalid_request", "client_id and the authenticated client differ")
	}
	return c.check()
}

// check compares the method and the secret with the registration.
func (c credentials) check() *failure {
	if c.method == TLSClientAuth || c.method == SelfSignedTLS {
		return nil // authenticate has checked the certificate
	}
	// In constant time: otherwise the time of the answer tells how many bytes
	// of a guessed secret are right.
	same := subtle.ConstantTimeCompare([]byte(c.secret), []byte(c.client.Secret)) == 1
	if c.client.ID == "" || c.client.AuthMethod != c.method || !same {
		return unknownClient()
	}
	return nil
}

const basicChallenge = `Basic realm="authtest"`

// unknownClient is the answer to every failed authentication (RFC 6749 section
// 5.2). It is the same for all of them, so that nobody can find out which
// clients exist.
func unknownClient() *failure {
	return &failure{
		status: http.StatusUnauthorized, code: "invalid_client",
		description: "client authentication failed", challenge: basicChallenge,
	}
}

// clientRequest reads a request that a client sends to the server directly: to
// the token, PAR, revocation or introspection endpoint. It records the request,
// authenticates the client, and checks what the endpoints have in common.
func (s *Server) clientRequest(r *http.Request, place func(url.Values) Place) (
	at Place, c credentials, form url.Values, body []byte, refusal *failure) {
	form, body, fault := readForm(r)
	c, refusal = s.authenticate(r, form)
	at = place(form)
	s.record(Request{
		Place: at, Method: r.Method, Header: r.Header.Clone(), Form: form,
		ClientAuth: c.method, ClientID: c.id, ClientSecret: c.secret,
		Certificate: thumbprintOf(r),
	})
	mediaType, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch {
	case r.Method != http.MethodPost:
		refusal = wrongMethod("POST")
	case fault != "":
		refusal = refuse("invalid_request", fault)
	case strings.TrimSpace(strings.ToLower(mediaType)) != "application/x-www-form-urlencoded":
		refusal = refuse("invalid_request", "the content type is not application/x-www-form-urlencoded")
	case r.URL.RawQuery != "":
		// RFC 6749 section 2.3.1: the parameters must not be in the URI, which
		// ends up in logs.
		refusal = refuse("invalid_request", "there are parameters in the query")
	case repeated(form) != "":
		refusal = refuse("invalid_request", "a parameter is repeated") // section 3.2
	}
	return at, c, form, body, refusal
}
