package oidc_test

import (
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/provider"
)

// TestPresets: the presets of OpenID providers, also those that change the identity, have all that the handlers and
// functions of this package need; those of other providers do not.
func TestPresets(t *testing.T) {
	p := newMemOP("RS256")
	for name, preset := range map[string]authcode.Provider{
		"Apple": provider.Apple(), "Microsoft": provider.MicrosoftAnyTenant(), "Google": provider.Google(), "Twitch": provider.Twitch(),
	} {
		if preset.Verify == nil || preset.Metadata == nil || preset.Identity == nil || preset.Issuer == "" && preset.IsIssuer == nil {
			t.Errorf("%s lacks something: %+v", name, preset)
		}
		// This package's: it knows the other types, and asks before it loads anything.
		_, err := preset.Verify(t.Context(), p.conn(preset), "at+jwt", "")
		wantError(t, err, authcode.Configuration, "verify.typ")
	}
	if github := provider.GitHub(); github.Verify != nil {
		t.Error("GitHub signs messages")
	}
	own := oidc.Provider(memIssuer)
	own.Metadata = nil // with endpoints of its own
	_, err := own.Verify(t.Context(), p.conn(own), "at+jwt", "")
	wantError(t, err, authcode.Configuration, "verify.typ")
}
