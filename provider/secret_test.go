package provider_test

import (
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/provider"
)

// secretKinds are client secrets that a preset takes, and others.
var secretKinds = []struct {
	claim  string
	preset func() authcode.Provider
	auth   authcode.ClientAuth
	cure   string // if empty, New takes it
}{
	{"LinkedIn refuses a plain Secret", provider.LinkedIn, authcode.Secret("s"),
		"use provider.InsecureLinkedInSecret"},
	{"LinkedIn takes its own", provider.LinkedIn, provider.InsecureLinkedInSecret("s"), ""},
	{"LinkedIn takes a native app", provider.LinkedIn, authcode.Public(), ""},
	{"LinkedIn refuses Apple's", provider.LinkedIn, newAppleKey().secret(),
		"use provider.InsecureLinkedInSecret"},
	{"Apple refuses a plain Secret", provider.Apple, authcode.Secret("s"), "use provider.AppleSecret"},
	{"Apple refuses LinkedIn's", provider.Apple, provider.InsecureLinkedInSecret("s"),
		"use provider.AppleSecret"},
	{"Apple takes its own", provider.Apple, newAppleKey().secret(), ""},
	{"others take a plain Secret", provider.GitHub, authcode.Secret("s"), ""},
	{"a copy with another name keeps the rule", renamed, authcode.Secret("s"),
		"use provider.InsecureLinkedInSecret"},
	{"an app may lift the rule", lifted, authcode.Secret("s"), ""},
}

func renamed() authcode.Provider {
	p := provider.LinkedIn()
	p.Name = "work"
	return p
}

func lifted() authcode.Provider {
	p := provider.LinkedIn()
	p.SecretKind = ""
	return p
}

// TestSecretKind: New refuses a client secret with which no login can work.
func TestSecretKind(t *testing.T) {
	for _, row := range secretKinds {
		t.Run(row.claim, func(t *testing.T) {
			_, err := newClient(row.preset(), func(cfg *authcode.Config) { cfg.ClientAuth = row.auth })
			switch {
			case row.cure == "" && err != nil:
				t.Error(err)
			case row.cure != "" && (err == nil || !strings.Contains(err.Error(), row.cure) ||
				!strings.Contains(err.Error(), "Config.ClientAuth")):
				t.Errorf("got %v, want %q", err, row.cure)
			}
		})
	}
}
