package authserver

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
)

// credentials is what a request says about its client.
type credentials struct {
	method     AuthMethod // empty: none, more than one or a broken one
	id, secret string
	client     ClientRegistration
}

// authenticate finds out which client sent a request. It accepts exactly one method of
// authentication (RFC 6749 section 2.3), the one registered for the client.
func (s *Server) authenticate(r *http.Request, form url.Values) (credentials, *failure) {
	headers := r.Header.Values("Authorization")
	var c credentials
	switch {
	case len(headers)+len(form["client_secret"])+len(form["client_assertion"]) > 1:
		return c, refuse("invalid_request", "more than one client authentication")
	case len(headers) == 1:
		return s.basic(r, form)
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
	switch c.client.AuthMethod {
	case TLSClientAuth, SelfSignedTLS:
		if c.method == None && certified(r, c.client) {
			c.method = c.client.AuthMethod
		}
	}
	return c, c.check()
}

// basic reads an Authorization header. The credentials are decoded as a form, unless the id, as
// it stands, is that of a client registered with RawBasic.
func (s *Server) basic(r *http.Request, form url.Values) (credentials, *failure) {
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
	if idErr != nil || secretErr != nil || !formEncoded(rawID+rawSecret) {
		return c, unknownClient()
	}
	c.id, c.secret = id, secret
	s.mu.Lock()
	c.client = s.state.clients[id]
	s.mu.Unlock()
	if c.client.RawBasic {
		return c, unknownClient()
	}
	return c, c.checkBody(form)
}

// formEncoded reports whether s can be the output of a form encoder. Decoders let much
// else pass, and a client that forgot to encode would go unnoticed until a secret has a "+".
func formEncoded(s string) bool { return onlyURLSafe(s, "-_.*~+%") }

// checkBody refuses a client_id in the body that is another than the authenticated one.
func (c credentials) checkBody(form url.Values) *failure {
	if form.Has("client_id") && form.Get("client_id") != c.id {
		return refuse("invalid_request", "client_id and the authenticated client differ")
	}
	return c.check()
}

func (c credentials) check() *failure {
	if c.method == TLSClientAuth || c.method == SelfSignedTLS {
		return nil
	}
	same := subtle.ConstantTimeCompare([]byte(c.secret), []byte(c.client.Secret)) == 1
	if c.client.ID == "" || c.client.AuthMethod != c.method || !same {
		return unknownClient()
	}
	return nil
}

const basicChallenge = `Basic realm="authtest"`

// unknownClient is the answer to every failed authentication (RFC 6749 section 5.2).
func unknownClient() *failure {
	return &failure{
		status: http.StatusUnauthorized, code: "invalid_client",
		description: "client authentication failed", challenge: basicChallenge,
	}
}

// backChannel checks what the token and the revocation endpoint have in common, records the
// request and authenticates the client.
func (s *Server) backChannel(r *http.Request, place func(url.Values) Place) (
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
		refusal = refuse("invalid_request", "the content type is not that of a form")
	case r.URL.RawQuery != "":
		// RFC 6749 section 2.3.1: the parameters must not be in the URI.
		refusal = refuse("invalid_request", "parameters in the query")
	case repeated(form) != "":
		refusal = refuse("invalid_request", "a parameter is repeated") // section 3.2
	}
	return at, c, form, body, refusal
}
