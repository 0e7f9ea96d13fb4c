package oidc

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// responses are Messages that leave requests plain.
type responses struct{ *Issuer }

// SignRequest implements [authcode.Messages].
func (responses) SignRequest(context.Context, string, url.Values) (string, error) { return "", nil }

// Restrict is [Issuer.Restrict].
func (r responses) Restrict(algorithms ...string) authcode.Messages {
	return r.Issuer.Restrict(algorithms...).SignedResponses()
}

// SignedResponses returns what [authcode.Config.Messages] needs for signed authorization responses (JARM)
// alone. Package clientauth has signed requests, and both together.
func (i *Issuer) SignedResponses() authcode.Messages { return responses{i} }

// Signed reports that responses have to be signed; see [authcode.Messages].
func (i *Issuer) Signed() bool { return true }

// VerifyResponse checks a signed authorization response for the client with this id (JARM section 2.4):
// signature, iss, aud, exp, and nbf and iat where they are there. It returns the claims that are texts, as
// the parameters of the response. Its error is an [*authcode.Error], whose Check begins with "response".
func (i *Issuer) VerifyResponse(ctx context.Context, client *http.Client, clientID, response string) (url.Values, error) {
	t, err := i.verifyResponse(ctx, client, clientID, response)
	if err != nil {
		if err.Reason == authcode.IdentityRefused { // anybody can write a callback
			err = failed(authcode.Forged, err.Check, nil)
		}
		return nil, err
	}
	params := make(url.Values, len(t.Object))
	for name := range t.Object {
		if value, ok := wire.Text(t.Object[name]); ok {
			params.Set(name, value)
		} else if name == "code" || name == "state" || name == "error" {
			return nil, failed(authcode.Malformed, "response.claim", nil)
		}
	}
	return params, nil
}

func (i *Issuer) verifyResponse(ctx context.Context, client *http.Client, clientID, response string) (*jwt, *authcode.Error) {
	m, err := i.metadata(ctx, client, &i.logins)
	if err != nil {
		return nil, err
	}
	// Anybody can write a response, so these have key fetches of their own to use up.
	v := &verifier{"response", m.responseAlgs, m, client, &i.responses}
	t, err := v.verify(ctx, response)
	if err != nil {
		return nil, err
	}
	if !t.hasType("oauth-authz-resp+jwt") {
		return nil, refused("response.typ")
	}
	if err := i.checkIssuer(t, "response"); err != nil {
		return nil, err
	}
	if err := i.checkAudience(t, "response", clientID); err != nil {
		return nil, err
	}
	if _, dated := t.Object["iat"]; !dated {
		t.Object["iat"] = "0" // JARM section 2.1 asks for exp alone
	}
	return t, checkTimes(t, "response", seconds(time.Now()))
}
