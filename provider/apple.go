package provider

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"example.com/authcode/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"
)

const (
	appleIssuer   = "https://appleid.apple.com"
	secretLife    = time.Hour // Apple allows six months; a shorter life is a smaller loss
	secretRenewal = 10 * time.Minute
)

// Apple is Sign in with Apple, for a Services ID. Use it with [AppleSecret]. A person's name comes with
// the first sign-in only: keep it. It is what the browser sent, as a person may have typed it.
//
//   - issuer, endpoints, revocation, client_secret_post: appleid.apple.com/.well-known/openid-configuration
//   - form_post: response_modes_supported, same place
//   - email_verified as text or boolean, quoted from Apple's pages:
//     github.com/nextauthjs/next-auth, packages/core/src/providers/apple.ts
//   - the scopes name and email need form_post, quoted from Apple's server: developer.apple.com/forums/thread/704197
//   - user, a JSON text in the form, at the first sign-in only: developer.apple.com/forums/thread/127677, which
//     quotes "Incorporating Sign in with Apple into Other Platforms"
//   - refresh tokens: always; no parameter
//   - unconfirmed: the members of user (name.firstName, name.lastName; seen in other clients)
//   - unconfirmed: PKCE (undocumented; unknown parameters are taken to be ignored)
func Apple() authcode.Provider {
	p := oidc.Provider(appleIssuer, oidc.StringEmailVerified())
	p.Name, p.AuthStyle, p.FormPost = "apple", oauth2.AuthStyleInParams, true
	p.Scopes = []string{"openid", "name", "email"}
	p.Identity = adjusted{p.Identity, firstSignIn}
	return p
}

// firstSignIn adds the name of the form field user. The e-mail address beside it is ignored: the
// ID token has the one that Apple vouches for, and the form went through the browser.
func firstSignIn(id *authcode.Identity, answer *authcode.Answer) {
	user, err := wire.ParseObject([]byte(answer.Callback.Get("user")))
	if err == nil && id.Name == "" {
		id.Name = fullName(user, []string{"name.firstName name.lastName"})
	}
}

// AppleSecret returns client authentication with the client secret that Apple wants: a JWT signed with
// the app's key (ES256), made in memory for an hour at a time and renewed before it ends. keyPEM is
// the .p8 file that Apple gave out for keyID. It prints and marshals as REDACTED, and is safe for
// concurrent use.
//
// Claims, header and the limit of six months: developer.apple.com, "Creating a client secret", by way of
// github.com/imbaggaarm/go-signin-with-apple and other clients.
func AppleSecret(teamID, keyID string, keyPEM []byte) (authcode.ClientAuth, error) {
	key, err := parseKey(keyPEM)
	switch {
	case teamID == "":
		return nil, errors.New("provider: AppleSecret: teamID is empty")
	case keyID == "":
		return nil, errors.New("provider: AppleSecret: keyID is empty")
	case err != nil:
		return nil, err
	}
	signer, err := jose.NewSigner(jose.SigningKey{
		Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: keyID},
	}, nil)
	if err != nil {
		return nil, errors.New("provider: AppleSecret: the key cannot sign ES256")
	}
	m := &minter{teamID: teamID, signer: signer, minted: make(map[string]minted)}
	return appleSecret{secret: m.secret}, nil
}

// parseKey reads a PKCS #8 file. No error of it quotes the file.
func parseKey(file []byte) (*ecdsa.PrivateKey, error) {
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, errors.New("provider: AppleSecret: keyPEM is not PEM: pass the content of the .p8 file")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("provider: AppleSecret: keyPEM is not a P-256 key in PKCS #8: pass the .p8 file as it is")
	}
	return key, nil
}

// appleSecret holds the key inside a function: no verb of fmt and no encoder can reach into one.
type appleSecret struct {
	redacted
	secret func(clientID string, now time.Time) (string, error)
}

// Authenticate implements [authcode.ClientAuth].
func (a appleSecret) Authenticate(_ context.Context, req *authcode.BackChannelRequest) error {
	secret, err := a.secret(req.ClientID, time.Now())
	if err != nil {
		return refuse(authcode.Configuration, "client_auth.apple")
	}
	req.Form.Set(req.ClientIDParam, req.ClientID)
	req.Form.Set("client_secret", secret)
	return nil
}

// minter makes client secrets, one per client id: a key may serve several Services IDs.
type minter struct {
	teamID string
	signer jose.Signer

	mu     sync.Mutex
	minted map[string]minted
}

type minted struct {
	secret  string
	expires time.Time
}

func (m *minter) secret(clientID string, now time.Time) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if last := m.minted[clientID]; now.Before(last.expires.Add(-secretRenewal)) {
		return last.secret, nil
	}
	expires := now.Add(secretLife)
	claims, err := json.Marshal(map[string]any{
		"iss": m.teamID, "sub": clientID, "aud": appleIssuer, "iat": now.Unix(), "exp": expires.Unix(),
	})
	if err != nil {
		return "", err
	}
	signed, err := m.signer.Sign(claims)
	if err != nil {
		return "", err
	}
	secret, err := signed.CompactSerialize()
	if err == nil {
		m.minted[clientID] = minted{secret, expires}
	}
	return secret, err
}
