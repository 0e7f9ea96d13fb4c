package fapi_test

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/fapi"
)

var (
	rs256       = clientauth.Key{Signer: rsaKey, Algorithm: "RS256"}
	noClientJWT = "FAPI 2.0: Config.ClientAuth must be clientauth.PrivateKeyJWT or clientauth.MutualTLS"
)

// messages are all faults of a Config: one for each thing to correct.
var messages = []struct {
	claim  string
	change func(*authcode.Config)
	want   []string
}{
	{"no client authentication", func(c *authcode.Config) { c.ClientAuth = authcode.ClientAuth{} },
		[]string{noClientJWT}},
	{"an empty secret", func(c *authcode.Config) { c.ClientAuth = authcode.Secret("") },
		[]string{noClientJWT}},
	{"a JWT by a short secret", func(c *authcode.Config) { c.ClientAuth = clientauth.SecretJWT("short") },
		[]string{noClientJWT}},
	{"RS256 everywhere", func(c *authcode.Config) {
		c.ClientAuth, c.MessageSigning = clientauth.PrivateKeyJWT(rs256), signs(rs256)
		c.Binding.Algorithms = []string{"RS256", "ES256", "RS256"}
		c.Provider.Algorithms = []string{"RS256"}
	}, []string{
		`FAPI 2.0: Provider.Algorithms has "RS256": use PS256, ES256 or EdDSA`,
		`FAPI 2.0: Config.ClientAuth signs with "RS256": use PS256, ES256 or EdDSA`,
		`FAPI 2.0: Config.Binding signs with "RS256": use PS256, ES256 or EdDSA`,
		`FAPI 2.0: Config.MessageSigning signs with "RS256": use PS256, ES256 or EdDSA`,
	}},
	{"RS256 alone", func(c *authcode.Config) { c.Algorithms = []string{"RS256"} },
		[]string{`FAPI 2.0: Config.Algorithms has "RS256": use PS256, ES256 or EdDSA`}},
	{"RS256 beside another", func(c *authcode.Config) { c.Algorithms = []string{"ES256", "RS256"} },
		[]string{`FAPI 2.0: Config.Algorithms has "RS256": use PS256, ES256 or EdDSA`,
			"Config.MessageSigning uses the algorithm PS256, which Config.Algorithms does not allow: " +
				"use one of ES256"}},
	{"TLS by a function", func(c *authcode.Config) {
		c.Transport = &http.Transport{DialTLS: func(string, string) (net.Conn, error) { return nil, nil },
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS10}}
	}, []string{
		"FAPI 2.0: Config.Transport has DialTLSContext or DialTLS, which may verify nothing: " +
			"use DialContext and TLSClientConfig",
		"FAPI 2.0: Config.Transport allows TLS before 1.2: drop TLSClientConfig.MinVersion"}},
}

func TestMessages(t *testing.T) {
	for _, row := range messages {
		t.Run(row.claim, func(t *testing.T) {
			_, err := fapi.New(fapi.MessageSigning, good(row.change))
			var fault *authcode.Error
			if !errors.As(err, &fault) || !slices.Equal(fault.Faults, row.want) {
				t.Errorf("got\n%v, want\n%q", err, row.want)
			}
		})
	}
}
