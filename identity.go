package authcode

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// Identifier turns a token answer into an [Identity]. Identify is called once per login, by
// many goroutines. An error refuses the login; an [*Error] passes through unchanged,
// any other error becomes [IdentityRefused], and its text is not kept.
type Identifier interface {
	Identify(ctx context.Context, answer *Answer) (*Identity, error)
}

// RefreshChecker is an [Identifier] that also looks at refreshed tokens. An error refuses the
// new token, under the same rules as an error of Identify.
type RefreshChecker interface {
	// CheckRefresh is called by [Client.Refresh] and by a [TokenSource] after each refresh; old is
	// the token that was refreshed, answer.Token the new one. Nonce is empty and MaxAge negative.
	CheckRefresh(ctx context.Context, old *oauth2.Token, answer *Answer) error
}

// Answer is what an [Identifier] may look at.
type Answer struct {
	Token    *oauth2.Token // every member of the token answer is in Token.Extra
	ClientID string
	Issuer   string        // Provider.Issuer
	Nonce    string        // the nonce sent with this login; empty: none was sent
	MaxAge   time.Duration // the max_age sent with this login; negative: none was sent
	Callback url.Values    // the parameters of the callback
	HTTP     *http.Client  // follows no redirects, keeps no cookies
	MTLS     bool          // Do shows a certificate: mtls_endpoint_aliases count (RFC 8705 section 5)

	client *Client
}

// Do sends r with the token, as bearer or as [Config.Binding] has it. No redirect is followed.
func (a *Answer) Do(r *http.Request) (*http.Response, error) {
	c := a.client
	if c == nil { // an Answer of a test's own making
		c = &Client{http: backChannel(a.HTTP)}
	}
	return c.withToken(r, a.Token)
}

// Format prints a without its secrets, whatever the verb.
func (a Answer) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "authcode.Answer{Issuer: %q, secrets: REDACTED}", a.Issuer)
}

// MarshalText returns what Format prints, so that encoders print nothing else.
func (a Answer) MarshalText() ([]byte, error) { return fmt.Append(nil, a), nil }

// Identity says who signed in. The key of a user is (Issuer, Subject), never the e-mail
// address.
type Identity struct {
	Issuer  string
	Subject string

	// Email is present only together with what the provider says of it.
	Email         string
	EmailVerified bool

	Name    string
	Picture string

	// Claims holds all that the provider said, numbers as json.Number.
	Claims map[string]any
}

// identify asks the provider's Identifier. A provider that has one never yields a login without
// an identity.
func (c *Client) identify(ctx context.Context, a *attempt, token *oauth2.Token, params url.Values) (*Identity, *Error) {
	p := &c.cfg.Provider
	if p.Identity == nil {
		return nil, nil
	}
	answer := c.newAnswer(token)
	answer.MaxAge, answer.Callback = time.Duration(a.maxAge)*time.Second, params
	if asksOpenID(a.scopes) {
		answer.Nonce = a.verifier.nonce()
	}
	id, err := p.Identity.Identify(ctx, answer)
	if err != nil {
		return nil, asFailure(ctx, err, IdentityRefused, "identity", "who signed in could not be established")
	}
	if id == nil || id.Issuer == "" || id.Subject == "" {
		return nil, fail(IdentityRefused, "identity.subject", "the identity has no issuer or no subject")
	}
	return id, nil
}

func (c *Client) newAnswer(token *oauth2.Token) *Answer {
	_, mtls := c.cfg.Binding.(certified)
	return &Answer{Token: token, ClientID: c.cfg.ClientID, Issuer: c.cfg.Provider.Issuer, MaxAge: -1,
		HTTP: c.clientCopy(), MTLS: mtls, client: c}
}
