package authcode

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/urls"
	"golang.org/x/oauth2"
)

// ClientAuth proves the app's identity to the provider: [Secret], [Public] or
// package clientauth. All fields but Authenticate are facts about it.
type ClientAuth struct {
	redacted

	// Method is "client_secret" (see [Endpoints.AuthStyle]), "none",
	// "private_key_jwt" or "client_secret_jwt" (OpenID Connect Core section 9),
	// or "tls_client_auth" or "self_signed_tls_client_auth" (RFC 8705 section
	// 2), which use [Config.Certificate]. If empty, it is not known.
	Method string

	// Audience is the audience of assertions: "issuer", "token_endpoint", or
	// "endpoint" for the one that is called, both with an outer origin in the
	// place of one of [Config.InsecureInnerOrigins]. If empty, it is not known.
	Audience string

	// SecretKind names the constructor of a client secret that is more than a
	// text, such as "provider.AppleSecret". If empty, it is a plain [Secret].
	SecretKind string

	Algorithms []string // sign assertions; nil if not known beforehand

	// Authenticate adds one method of client authentication to the Form or
	// Header of each token, PAR, revocation and introspection request, on many
	// goroutines. The Client checks that it matches the other fields.
	Authenticate func(context.Context, *TokenRequest) error

	Err error // what a constructor found wrong with its arguments
}

// TokenRequest is a POST that needs client authentication: to the token, PAR,
// revocation or introspection endpoint. It prints and marshals as REDACTED.
type TokenRequest struct {
	redacted
	*Connection
	URL    string // the endpoint that is called
	Form   url.Values
	Header http.Header
	target *url.URL // URL, if it is parsed already
}

// Secret returns client authentication with a client secret (RFC 6749 section
// 2.3.1). [New] refuses an empty secret and one with control characters.
func Secret(value string) ClientAuth {
	auth := ClientAuth{Method: "client_secret"}
	switch {
	case strings.TrimSpace(value) == "":
		// An unset environment variable would otherwise make every login fail
		// with the provider's invalid_client.
		auth.Err = errors.New("Config.ClientAuth is an empty Secret: set it, " +
			"or use authcode.Public for an app without one")
	case hasStrayChars(value):
		auth.Err = errors.New("Config.ClientAuth" + strayCharsFault)
	}
	// Only functions hold the secret: package fmt cannot look into them,
	// however a ClientAuth is printed.
	hidden, fault := secret.Hide(value), auth.Err
	basic := basicHeader(value)
	auth.Authenticate = func(_ context.Context, req *TokenRequest) error {
		// An app may use this function without the other fields.
		if fault != nil {
			return errorf(Configuration, "client_auth", "%v", fault)
		}
		p := &req.Config.Provider
		id, password := req.Config.ClientID, hidden.Reveal()
		// No probing: x/oauth2 tries Basic, then the body, and so sends code
		// and secret twice after any error.
		if req.Endpoints.AuthStyle == oauth2.AuthStyleInParams {
			req.Form.Set(p.ClientIDParam, id)
			req.Form.Set("client_secret", password)
			return nil
		}
		req.Header["Authorization"] = []string{basic(id, p.RawBasic)}
		return nil
	}
	return auth
}

// basicHeader returns a function that makes the header of HTTP Basic (RFC 7617)
// for a client ID. It keeps the last one, as nearly all requests need the same.
func basicHeader(password string) func(id string, raw bool) string {
	type made struct {
		id     string
		raw    bool
		header string
	}
	var last atomic.Pointer[made]
	return func(id string, raw bool) string {
		if m := last.Load(); m != nil && m.id == id && m.raw == raw {
			return m.header
		}
		user, pass := id, password
		if !raw {
			// RFC 6749 section 2.3.1: both are encoded as
			// application/x-www-form-urlencoded first.
			user, pass = url.QueryEscape(user), url.QueryEscape(pass)
		}
		r := http.Request{Header: make(http.Header)}
		r.SetBasicAuth(user, pass)
		m := &made{id, raw, r.Header.Get("Authorization")}
		last.Store(m)
		return m.header
	}
}

// Public returns client authentication for an app without a secret (RFC 6749
// section 3.2.1). Only PKCE ties a code to the app.
func Public() ClientAuth {
	authenticate := func(_ context.Context, req *TokenRequest) error {
		// RFC 6749 section 3.2.1: so the server can refuse a code that it
		// issued to another client.
		req.Form.Set(req.Config.Provider.ClientIDParam, req.Config.ClientID)
		return nil
	}
	return ClientAuth{Method: "none", Authenticate: authenticate}
}

// secretFaults reports a client secret that the provider refuses in any login.
func (cfg *Config) secretFaults() []string {
	want, auth := cfg.Provider.SecretKind, &cfg.ClientAuth
	// Only the kind is compared: a ClientAuth of another method, such as Public
	// for a native app, has no client secret.
	if want == "" || auth.Method != "client_secret" || auth.SecretKind == want {
		return nil
	}
	return []string{"Config.ClientAuth has a client secret that this provider refuses: use " + want +
		", or change Provider.SecretKind if the provider takes other secrets"}
}

// usesCertificate reports whether Config.Certificate is the credential (RFC
// 8705 section 2).
func (a *ClientAuth) usesCertificate() bool {
	return a.Method == "tls_client_auth" || a.Method == "self_signed_tls_client_auth"
}

// authenticate adds client authentication to req and checks the result.
func (c *Client) authenticate(ctx context.Context, req *TokenRequest) error {
	auth := &c.cfg.ClientAuth
	if err := auth.Authenticate(ctx, req); err != nil {
		return seamError(ctx, err, Configuration, "client_auth", "Config.ClientAuth failed")
	}
	// The other fields say what Authenticate does, but an app may have replaced
	// that function alone. So check what it really added.
	if err := auth.checkMethod(req); err != nil {
		return err
	}
	if req.Form.Has("client_assertion") {
		return c.checkAssertion(req)
	}
	return nil
}

// checkMethod compares the client authentication in req with a.Method.
func (a *ClientAuth) checkMethod(req *TokenRequest) error {
	byAssertion := req.Form.Has("client_assertion")
	methods := len(req.Form["client_secret"]) + len(req.Form["client_assertion"])
	for name, values := range req.Header {
		// A header set without http.Header.Set may have another spelling, and
		// servers read it all the same.
		if strings.EqualFold(name, "Authorization") {
			methods += len(values)
		}
	}
	want := 1
	switch a.Method {
	case "none", "tls_client_auth", "self_signed_tls_client_auth":
		want = 0 // the certificate is in the handshake, not in the request
	case "private_key_jwt", "client_secret_jwt":
		// A wrapper that sends the secret or nothing instead would lose what an
		// assertion protects: the key never leaves the app.
		if !byAssertion {
			return errorf(Configuration, "client_auth.method", "Config.ClientAuth has the Method "+
				"%s but added no client assertion: make Authenticate match Method", a.Method)
		}
	case "client_secret":
		if byAssertion {
			return errorf(Configuration, "client_auth.method", "Config.ClientAuth has the Method "+
				"client_secret but added a client assertion: make Authenticate match Method")
		}
	default:
		want = min(methods, 1) // nothing is known, so the app may be a public client
	}
	if methods != want {
		// RFC 6749 section 2.3: a client must not use more than one method in a
		// request. With two, the server chooses which one it checks.
		return errorf(Configuration, "client_auth.method", "Config.ClientAuth added %d methods of "+
			"client authentication, want %d: make Authenticate match Method", methods, want)
	}
	return nil
}

// checkAssertion checks the client assertion in req before it is sent.
func (c *Client) checkAssertion(req *TokenRequest) error {
	header, claims, ok := decodeJWT(req.Form.Get("client_assertion"))
	alg, _ := header.Text("alg")
	if !ok || alg == "" || alg == "none" {
		return errorf(Configuration, "client_auth.assertion", "Config.ClientAuth added a client "+
			"assertion that is not a signed JWT: make Authenticate sign it")
	}
	if allowed := c.cfg.Algorithms; allowed != nil && !jws.Allows(allowed, alg) {
		return errorf(Configuration, "client_auth.key", "the client assertion is signed with "+
			"an algorithm that Config.Algorithms does not allow: use one of %s",
			strings.Join(allowed, ", "))
	}
	// A provider is known by its outer origin, also inside.
	inner := c.cfg.InsecureInnerOrigins
	audiences := map[string]string{
		"issuer":         c.cfg.Provider.Issuer,
		"token_endpoint": urls.Outer(inner, req.Endpoints.TokenURL),
		"endpoint":       urls.Outer(inner, req.URL),
	}
	if fact := c.cfg.ClientAuth.Audience; fact != "" {
		// CVE-2025-27370: the audience decides which server accepts the
		// assertion. A malicious server could make a client sign an assertion
		// for an honest one and use it there. So the audience must be one
		// string, and this one.
		if aud, _ := claims.Text("aud"); aud == "" || aud != audiences[fact] {
			return errorf(Configuration, "client_auth.audience", "the audience of the client "+
				"assertion is not what ClientAuth.Audience says: make Authenticate and Audience agree")
		}
	}
	return nil
}

// authenticationHint tells an operator what was sent, and which field changes
// it. Most first logins fail here, and servers only answer invalid_client.
func (req *TokenRequest) authenticationHint() string {
	const first = "; check ClientID and the secret first, then "
	basic := req.Header.Get("Authorization") != ""
	switch {
	case basic && req.Config.Provider.RawBasic:
		return "credentials were sent by HTTP Basic as they are" + first +
			"Provider.AuthStyle and Provider.RawBasic"
	case basic:
		return "credentials were sent by HTTP Basic, form-encoded" + first +
			"Provider.AuthStyle and Provider.RawBasic"
	case req.Form.Has("client_secret"):
		return "credentials were sent in the body" + first + "Provider.AuthStyle"
	case req.Form.Has("client_assertion"):
		return "a client assertion was sent; check ClientID, the key and its kid, " +
			"and the audience (the issuer, or by an option clientauth.TokenURLAudience or EndpointAudience)"
	}
	return "no client secret was sent; check ClientID first, then Config.ClientAuth, " +
		"and whether the provider knows the certificate if there is one"
}
