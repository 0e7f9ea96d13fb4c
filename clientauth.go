package authcode

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// ClientAuth says how the app proves to the provider who it is. [Secret] and [Public]
// are built in; package clientauth has more. A copy with another Authenticate around the first is a
// ClientAuth too; the other fields are facts about it, which others decide by.
type ClientAuth struct {
	redacted

	// Method is the registered name of the method (OpenID Connect Core section 9, RFC 8705 section 2):
	// "none", "client_secret_jwt", "private_key_jwt", "tls_client_auth",
	// "self_signed_tls_client_auth"; or "client_secret", which is client_secret_basic or
	// client_secret_post by [Endpoints.AuthStyle]. With one of the two TLS methods the credential is
	// [Config.Certificate]. If empty, nothing is known of the method.
	Method string

	// Audience is whom an assertion is for: "issuer", "token_endpoint", or "endpoint" for the one
	// that is called. If empty, there is no assertion, or its audience is not known.
	Audience string

	// Algorithms are the algorithms that sign assertions, as far as they are known. If nil, there are
	// none, or they are known only when something is signed.
	Algorithms []string

	// Authenticate adds exactly one method of client authentication (RFC 6749 section 2.3)
	// to the request: to its Form or to its Header. It is called once for every request to the token,
	// PAR, revocation and introspection endpoints, by many goroutines. An error that is no [*Error]
	// becomes [Configuration]. What it has added is checked: one method, the one that Method
	// names, and an assertion whose algorithm is admitted and whose audience is Audience.
	Authenticate func(context.Context, *TokenRequest) error

	// Err is what is wrong with the arguments of the function that made this value. [New] lists it.
	Err error
}

// TokenRequest is a POST to the provider that needs client authentication: a token request (RFC 6749
// section 4.1.3), or one to the PAR, revocation or introspection endpoint. It prints and marshals as
// REDACTED.
type TokenRequest struct {
	redacted
	*Connection
	URL    string // the endpoint that is called
	Form   url.Values
	Header http.Header
}

// Secret returns client authentication with a client secret, by HTTP Basic or in the
// request body as [Endpoints.AuthStyle] says (RFC 6749 section 2.3.1). [New] refuses an empty secret and
// one with control characters.
func Secret(value string) ClientAuth {
	auth := ClientAuth{Method: "client_secret"}
	switch {
	case strings.TrimSpace(value) == "":
		auth.Err = errors.New("Config.ClientAuth is an empty Secret: set it, or use authcode.Public for an app without one")
	case isUntidy(value):
		auth.Err = errors.New("Config.ClientAuth" + untidy)
	}
	hidden := secret.Hide(value)
	auth.Authenticate = func(_ context.Context, req *TokenRequest) error {
		p := &req.Config.Provider
		id, password := req.Config.ClientID, hidden.Reveal()
		if req.Endpoints.AuthStyle == oauth2.AuthStyleInParams {
			req.Form.Set(p.ClientIDParam, id)
			req.Form.Set("client_secret", password)
			return nil
		}
		if !p.RawBasic {
			// RFC 6749 section 2.3.1: both are encoded as application/x-www-form-urlencoded first.
			id, password = url.QueryEscape(id), url.QueryEscape(password)
		}
		r := http.Request{Header: req.Header}
		r.SetBasicAuth(id, password)
		return nil
	}
	return auth
}

// Public returns client authentication for an app without a secret: the client id is
// sent in the body, and PKCE alone ties the code to this app (RFC 6749 sections 2.1 and 3.2.1).
func Public() ClientAuth {
	return ClientAuth{Method: "none", Authenticate: func(_ context.Context, req *TokenRequest) error {
		req.Form.Set(req.Config.Provider.ClientIDParam, req.Config.ClientID)
		return nil
	}}
}

// showsCertificate reports whether Config.Certificate is the credential (RFC 8705 section 2).
func (a *ClientAuth) showsCertificate() bool {
	return a.Method == "tls_client_auth" || a.Method == "self_signed_tls_client_auth"
}

// authenticate adds the client authentication to req and checks what was added: the facts of a
// ClientAuth and what it does may come from different hands.
func (c *Client) authenticate(ctx context.Context, req *TokenRequest) error {
	auth := &c.cfg.ClientAuth
	if err := auth.Authenticate(ctx, req); err != nil {
		return asFailure(ctx, err, Configuration, "client_auth", "Config.ClientAuth failed")
	}
	byAssertion := req.Form.Has("client_assertion")
	methods := len(req.Form["client_secret"]) + len(req.Form["client_assertion"])
	for name, values := range req.Header {
		if strings.EqualFold(name, "Authorization") {
			methods += len(values)
		}
	}
	want := 1
	switch auth.Method {
	case "none", "tls_client_auth", "self_signed_tls_client_auth":
		want = 0
	case "private_key_jwt", "client_secret_jwt":
		if !byAssertion {
			return fail(Configuration, "client_auth.method", "Config.ClientAuth has the Method %s and added no client assertion", auth.Method)
		}
	case "client_secret":
		if byAssertion {
			return fail(Configuration, "client_auth.method", "Config.ClientAuth has the Method client_secret and added a client assertion")
		}
	default:
		want = min(methods, 1)
	}
	if methods != want {
		// RFC 6749 section 2.3: a client must not use more than one method in a request.
		return fail(Configuration, "client_auth.method", "Config.ClientAuth added %d methods of client authentication, want %d", methods, want)
	}
	if byAssertion {
		return c.checkAssertion(req)
	}
	return nil
}

// checkAssertion looks at the assertion that is about to be sent. Its audience decides who could
// use it, were it intercepted or handed on (CVE-2025-27370).
func (c *Client) checkAssertion(req *TokenRequest) error {
	header, claims, ok := openJWT(req.Form.Get("client_assertion"))
	alg, _ := header.Text("alg")
	if !ok || alg == "" || alg == "none" {
		return fail(Configuration, "client_auth.assertion", "Config.ClientAuth added a client assertion that is not a signed JWT")
	}
	if admitted := c.cfg.Algorithms; admitted != nil && !slices.Contains(admitted, alg) {
		return fail(Configuration, "client_auth.key", "the client assertion is signed with an algorithm that Config.Algorithms does not admit: "+
			"want one of %s", strings.Join(admitted, ", "))
	}
	want := map[string]string{
		"issuer":         c.cfg.Provider.Issuer,
		"token_endpoint": req.Endpoints.TokenURL,
		"endpoint":       req.URL,
	}
	if fact := c.cfg.ClientAuth.Audience; fact != "" {
		if aud, ok := claims.Text("aud"); !ok || aud == "" || aud != want[fact] {
			return fail(Configuration, "client_auth.audience", "the client assertion has another audience than ClientAuth.Audience says")
		}
	}
	return nil
}

// openJWT reads header and claims of a JWT in compact form (RFC 7515 section 7.1), without verifying it.
func openJWT(text string) (header, claims wire.Object, ok bool) {
	first, rest, _ := strings.Cut(text, ".")
	second, third, _ := strings.Cut(rest, ".")
	if second == "" || third == "" || strings.Contains(third, ".") {
		return nil, nil, false
	}
	header, ok = openPart(first)
	if !ok {
		return nil, nil, false
	}
	claims, ok = openPart(second)
	return header, claims, ok
}

func openPart(encoded string) (wire.Object, bool) {
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return nil, false
	}
	obj, err := wire.ParseObject(text)
	return obj, err == nil
}
