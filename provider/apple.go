package provider

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"sync"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/jws"
	"example.com/authcode/internal/secret"
	"example.com/authcode/internal/wire"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
)

const (
	appleIssuer   = "https://appleid.apple.com"
	appleSecret   = "provider.AppleSecret"
	secretLife    = time.Hour // Apple allows six months; a shorter life is a smaller loss
	secretRenewal = 10 * time.Minute
)

// Apple is Sign in with Apple, for a Services ID. Use it with [AppleSecret]:
// [authcode.New] refuses a plain [authcode.Secret], since Apple's is a JWT that
// expires. If something else makes that JWT, set ClientAuth.SecretKind to
// "provider.AppleSecret".
//
// Apple sends a person's name only at the first sign-in, so keep it. The name
// comes through the browser and is not verified.
//
// Apple answers with a POST from its own site to the app's callback. So let a
// POST to the path of RedirectURL pass CSRF protection, such as
// http.CrossOriginProtection. The login's state protects it.
//
//   - issuer, endpoints, revocation, client_secret_post:
//     appleid.apple.com/.well-known/openid-configuration
//   - form_post: response_modes_supported, same place
//   - email_verified as text or boolean, quoted from Apple's pages:
//     github.com/nextauthjs/next-auth, packages/core/src/providers/apple.ts
//   - the scopes name and email need form_post, quoted from Apple's server:
//     developer.apple.com/forums/thread/704197
//   - user, a JSON text in the form, at the first sign-in only:
//     developer.apple.com/forums/thread/127677, which quotes "Incorporating
//     Sign in with Apple into Other Platforms"
//   - refresh tokens: always; no parameter:
//     developer.apple.com/documentation/signinwithapplerestapi/generate-and-validate-tokens,
//     developer.apple.com/forums/thread/656845
//   - unconfirmed: the members of user (name.firstName, name.lastName; seen in
//     other clients)
//   - unconfirmed: PKCE (undocumented; unknown parameters are assumed to be
//     ignored)
func Apple() authcode.Provider {
	p := oidc.Provider(appleIssuer, oidc.StringEmailVerified())
	p.Name, p.Title, p.AuthStyle, p.FormPost = "apple", "Apple", oauth2.AuthStyleInParams, true
	p.SecretKind = appleSecret
	p.Scopes = []string{"openid", "name", "email"}
	p.Identity = adjusted(p.Identity, firstSignIn)
	return p
}

// firstSignIn adds the name from the form field user. It ignores the e-mail
// address beside it: the form went through the browser, where it could be
// changed. The address that Apple vouches for is in the ID token.
func firstSignIn(id *authcode.Identity, resp *authcode.TokenResponse) {
	user, err := wire.ParseObject([]byte(resp.Callback.Get("user")))
	if err == nil && id.Name == "" {
		id.Name = fullName(user, []string{"name.firstName name.lastName"})
	}
}

// AppleSecret returns client authentication with a client secret as Apple
// demands it: a JWT signed with the app's key (ES256). It makes each secret in
// memory, for an hour, and renews it in time. keyPEM is the content of the .p8
// file that Apple issued for keyID. [authcode.New] lists what is wrong with the
// arguments. The result is safe for concurrent use and never prints the key.
//
// Claims, header and the limit of six months: developer.apple.com, "Creating a
// client secret", as quoted by github.com/imbaggaarm/go-signin-with-apple and
// other clients.
func AppleSecret(teamID, keyID string, keyPEM []byte) authcode.ClientAuth {
	key, fault := parseKey(keyPEM)
	m := &minter{teamID: teamID, keyID: keyID, key: secret.Hide(key), minted: make(map[string]minted)}
	m.err = argumentError(
		unless(teamID != "", "AppleSecret: teamID is empty: copy it from Apple's developer site"),
		unless(keyID != "", "AppleSecret: keyID is empty: copy it from Apple's developer site"),
		fault)
	return authcode.ClientAuth{
		Method:       "client_secret",
		SecretKind:   appleSecret,
		Algorithms:   []string{jws.ES256},
		Authenticate: m.authenticate,
		Err:          m.err,
	}
}

// parseKey reads a PKCS #8 file. The fault never quotes the file, which is a
// secret.
func parseKey(file []byte) (key *ecdsa.PrivateKey, fault string) {
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, "AppleSecret: keyPEM is not PEM: pass the content of the .p8 file"
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || key.Curve != elliptic.P256() {
		return nil, "AppleSecret: keyPEM is not a P-256 key in PKCS #8: pass the .p8 file as it is"
	}
	return key, ""
}

// minter makes client secrets, one for each client id: a key may serve several
// Services IDs.
type minter struct {
	teamID, keyID string
	key           secret.Value[*ecdsa.PrivateKey]
	err           error // what is wrong with the arguments

	mu     sync.Mutex
	minted map[string]minted
}

type minted struct {
	secret  secret.Value[string]
	expires time.Time
}

// authenticate is [authcode.ClientAuth.Authenticate].
func (m *minter) authenticate(_ context.Context, req *authcode.TokenRequest) error {
	if m.err != nil { // only if an app has cleared ClientAuth.Err
		return m.err
	}
	id := req.Config.ClientID
	current, err := m.current(id, time.Now())
	if err != nil {
		return refuse(authcode.Configuration, "client_auth.apple")
	}
	req.Form.Set(req.Config.Provider.ClientIDParam, id)
	req.Form.Set("client_secret", current.Reveal())
	return nil
}

// current returns the client secret for clientID. It makes a new one if the
// last one expires soon.
func (m *minter) current(clientID string, now time.Time) (secret.Value[string], error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	// The margin covers a request under way and a clock that differs.
	if last := m.minted[clientID]; now.Before(last.expires.Add(-secretRenewal)) {
		return last.secret, nil
	}
	expires := now.Add(secretLife)
	text, err := m.sign(map[string]any{
		"iss": m.teamID, "sub": clientID, "aud": appleIssuer, "iat": now.Unix(), "exp": expires.Unix(),
	})
	if err != nil {
		return secret.Value[string]{}, err
	}
	fresh := minted{secret.Hide(text), expires}
	m.minted[clientID] = fresh
	return fresh.secret, nil
}

func (m *minter) sign(claims map[string]any) (string, error) {
	signer, err := jws.New(m.key.Reveal(), jws.ES256, map[string]any{"kid": m.keyID})
	if err != nil {
		return "", err
	}
	payload, _ := json.Marshal(claims) // texts and numbers cannot fail
	return signer.Sign(payload)
}
