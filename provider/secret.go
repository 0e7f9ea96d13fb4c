package provider

import (
	"context"
	"strings"
	"unicode"

	"example.com/authcode"
)

// redacted makes a ClientAuth print and marshal as REDACTED.
type redacted struct{}

func (redacted) String() string               { return "REDACTED" }
func (redacted) GoString() string             { return "provider.Secret(REDACTED)" }
func (redacted) MarshalText() ([]byte, error) { return []byte("REDACTED"), nil }

// InsecureLinkedInSecret returns client authentication for [LinkedIn]: a client secret, without the PKCE verifier
// in the token request. LinkedIn answers a confidential app that sends one with 401 invalid_client
// (github.com/UsefulSoftwareCo/executor/issues/2087, github.com/teamhanko/hanko/pull/2405).
//
// What is lost: LinkedIn does not tie the code to this app's login. A stolen code still needs
// the secret, and a code slipped into another person's callback still meets the state and its cookie;
// what remains is an attacker who can read the responses of LinkedIn or of this app.
func InsecureLinkedInSecret(value string) authcode.ClientAuth {
	secret := authcode.Secret(value)
	if value == "" || strings.ContainsFunc(value, unicode.IsControl) {
		return secret // authcode.New knows this type and says what is wrong with it
	}
	return noVerifier{ClientAuth: secret}
}

type noVerifier struct {
	redacted
	authcode.ClientAuth
}

// Authenticate implements [authcode.ClientAuth].
func (n noVerifier) Authenticate(ctx context.Context, req *authcode.BackChannelRequest) error {
	req.Form.Del("code_verifier")
	return n.ClientAuth.Authenticate(ctx, req)
}
