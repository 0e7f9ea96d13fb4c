package clientauth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"example.com/authcode"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/urls"
)

const (
	hs256     = "HS256"
	minSecret = 32 // bytes: RFC 7518 section 3.2
)

// hmacKey signs JWTs with a client secret.
type hmacKey struct {
	secret secret.Value[string]
	header string // encoded, with the dot behind it
	fault  error
}

func newHMACKey(value, typ string) *hmacKey {
	header, _ := json.Marshal(map[string]string{"alg": hs256, "typ": typ}) // strings: it cannot fail
	k := &hmacKey{
		secret: secret.Hide(value),
		header: base64.RawURLEncoding.EncodeToString(header) + ".",
	}
	switch {
	case urls.HasControl(value):
		k.fault = errors.New("the secret has a control character: remove it " +
			"(often a newline at the end)")
	case len(value) < minSecret:
		k.fault = errors.New("the secret has fewer than 32 bytes, which is too short for HS256: " +
			"ask the provider for a longer one, or use authcode.Secret")
	}
	return k
}

// sign returns claims as a JWT, as [keyring.sign] does.
func (k *hmacKey) sign(
	_ context.Context, claims []byte, conn *authcode.Connection,
) (string, error) {
	admitted := conn.Config.Algorithms
	switch {
	case k.fault != nil: // authcode.New lists it, too
		return "", misused("client_auth.key", k.fault.Error())
	case admitted != nil && !slices.Contains(admitted, hs256):
		return "", misused("client_auth.key",
			"Config.Algorithms does not allow HS256: use PrivateKeyJWT")
	}
	text := base64.RawURLEncoding.AppendEncode([]byte(k.header), claims)
	mac := hmac.New(sha256.New, []byte(k.secret.Reveal()))
	mac.Write(text)
	return string(base64.RawURLEncoding.AppendEncode(append(text, '.'), mac.Sum(nil))), nil
}
