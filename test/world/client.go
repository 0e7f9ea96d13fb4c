package world

import (
	"bytes"
	"testing"

	"example.com/authcode"
)

// What Config says, and what a Provider in memory answers if it is told
// nothing.
const (
	Issuer        = "https://provider.example"
	AuthURL       = Issuer + "/authorize"
	TokenURL      = Issuer + "/token"
	RevocationURL = Issuer + "/revoke"
	PARURL        = Issuer + "/par"
	AppURL        = "https://app.example"
	LoginURL      = AppURL + "/auth/x"
	RedirectURL   = AppURL + "/auth/x/callback"
	ClientSecret  = "s3cret"
	TokenJSON     = `{"access_token":"at-1","token_type":"Bearer","expires_in":3600,` +
		`"refresh_token":"rt-1"}`
	Pushed = `{"request_uri":"urn:x:1","expires_in":60}` // answers a pushed request
)

// Config is a valid configuration for p, changed: a confidential client of the
// provider x, whose people start at /auth/x.
func Config(p *Provider, changes ...func(*authcode.Config)) authcode.Config {
	cfg := authcode.Config{
		Provider: authcode.Provider{Name: "x", Issuer: Issuer, Endpoints: Endpoints()},
		ClientID: "client", ClientAuth: authcode.Secret(ClientSecret), RedirectURL: RedirectURL,
		CookieKeys: [][]byte{Key('k')}, LoginURL: "/auth/x", HomeURL: "/home",
		Wrap: Through(p),
	}
	for _, change := range changes {
		change(&cfg)
	}
	return cfg
}

// Endpoints are those of Config.
func Endpoints() authcode.Endpoints {
	return authcode.Endpoints{AuthURL: AuthURL, TokenURL: TokenURL, RevocationURL: RevocationURL}
}

// Client is a Client of Config.
func Client(t testing.TB, p *Provider, changes ...func(*authcode.Config)) *authcode.Client {
	t.Helper()
	c, err := authcode.New(Config(p, changes...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Pushing makes a Client push its authorization requests (RFC 9126).
func Pushing(c *authcode.Config) { c.Provider.PARURL = PARURL }

// Key is a good cookie key, another one for each letter.
func Key(letter byte) []byte { return append(bytes.Repeat([]byte{letter}, 31), '.') }
