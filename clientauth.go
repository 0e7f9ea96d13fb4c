package authcode

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"golang.org/x/oauth2"
)

// ClientAuth says how the app proves to the provider who it is. [Secret] and [Public]
// are built in; package clientauth has more. One with a method Transport() http.RoundTripper (mutual
// TLS) has all requests to token, PAR and revocation endpoint carried by that, and no others.
type ClientAuth interface {
	// Authenticate adds exactly one method of client authentication (RFC 6749 section 2.3)
	// to req: to its Form or to its Header. It is called once for every request to the token,
	// PAR and revocation endpoints, by many goroutines.
	Authenticate(ctx context.Context, req *BackChannelRequest) error
}

// certified is what shows a certificate: a ClientAuth, a Binding or one value that is both.
type certified interface{ Transport() http.RoundTripper }

// BackChannelRequest is a POST to the provider that awaits client authentication.
type BackChannelRequest struct {
	Endpoint  string // the URL that will be called
	TokenURL  string // the provider's token endpoint
	Issuer    string
	ClientID  string
	AuthStyle oauth2.AuthStyle // InHeader or InParams, never zero
	RawBasic  bool

	ClientIDParam string // "client_id" or the provider's own name for it
	Form          url.Values
	Header        http.Header

	Key string // the name that Config.Binding gave its key; its Prove may change it
}

// Format prints r without its secrets, whatever the verb.
func (r BackChannelRequest) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "authcode.BackChannelRequest{Endpoint: %q, secrets: REDACTED}", r.Endpoint)
}

// MarshalText returns what Format prints, so that encoders print nothing else.
func (r BackChannelRequest) MarshalText() ([]byte, error) { return fmt.Append(nil, r), nil }

// secret holds a client secret inside a function: no verb of fmt and no encoder that works
// by reflection can reach into one, whatever it is nested in.
type secret struct{ reveal func() string }

// Secret returns client authentication with a client secret, by HTTP Basic or in the
// request body as [Provider.AuthStyle] says. It prints and marshals as REDACTED.
// [New] refuses an empty secret and one with control characters.
func Secret(value string) ClientAuth { return secret{func() string { return value }} }

func (s secret) String() string               { return "REDACTED" }
func (s secret) GoString() string             { return "authcode.Secret(REDACTED)" }
func (s secret) MarshalText() ([]byte, error) { return []byte("REDACTED"), nil }

// Authenticate implements [ClientAuth] (RFC 6749 section 2.3.1).
func (s secret) Authenticate(_ context.Context, req *BackChannelRequest) error {
	if req.AuthStyle == oauth2.AuthStyleInParams {
		req.Form.Set(req.ClientIDParam, req.ClientID)
		req.Form.Set("client_secret", s.reveal())
		return nil
	}
	id, password := req.ClientID, s.reveal()
	if !req.RawBasic {
		// RFC 6749 section 2.3.1: both are encoded as application/x-www-form-urlencoded first.
		id, password = url.QueryEscape(id), url.QueryEscape(password)
	}
	r := http.Request{Header: req.Header}
	r.SetBasicAuth(id, password)
	return nil
}

type public struct{}

// Public returns client authentication for an app without a secret: the client id is
// sent in the body, and PKCE alone ties the code to this app (RFC 6749 section 2.1).
func Public() ClientAuth { return public{} }

func (public) String() string { return "authcode.Public()" }

// Authenticate implements [ClientAuth] (RFC 6749 section 3.2.1).
func (public) Authenticate(_ context.Context, req *BackChannelRequest) error {
	req.Form.Set(req.ClientIDParam, req.ClientID)
	return nil
}
