package provider

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"net/url"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
)

// TestAppleSecretUnsigned: a key that cannot sign sends no secret. AppleSecret
// refuses keys of this curve.
func TestAppleSecretUnsigned(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	m := &minter{teamID: "T", keyID: "K", key: secret.Hide(key), minted: make(map[string]minted)}
	r := &authcode.TokenRequest{Connection: new(authcode.Connection), Form: url.Values{}}
	r.Config.ClientID, r.Config.Provider.ClientIDParam = "c", "client_id"
	err = m.authenticate(t.Context(), r)
	e, ok := errors.AsType[*authcode.Error](err)
	if !ok || e.Check != "client_auth.apple" || len(r.Form) > 0 || len(m.minted) > 0 {
		t.Errorf("got %v, %d secrets, the form has %d fields", err, len(m.minted), len(r.Form))
	}
}
