package clientauth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
)

const (
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 section 2.2
	assertionLifetime = 60                                                       // seconds
	minSecret         = 32                                                       // bytes: RFC 7518 section 3.2
)

// Assertion is client authentication by a signed JWT (RFC 7523 section 2.2): see [PrivateKeyJWT] and
// [SecretJWT]. It never changes, is safe for concurrent use, and prints and marshals without keys and secrets.
type Assertion struct {
	name     string // of its constructor
	signing  signing
	audience audience
}

type audience int

const (
	issuerAudience audience = iota
	tokenURLAudience
	endpointAudience
)

var audienceNames = [...]string{"issuer", "token endpoint", "endpoint"}

type options struct {
	audience audience
	typ      string
}

// Option changes the assertions of [PrivateKeyJWT] and [SecretJWT].
type Option func(*options)

// TokenURLAudience names the provider's token endpoint as the audience, in requests to its other endpoints
// too. It is for a provider that refuses its issuer identifier there, as RFC 7523 allowed.
//
// Without it, the issuer is the audience, as one plain string (RFC 10070 section 4, FAPI 2.0). The attack
// (CVE-2025-27370, CVE-2025-27371): an app that knows several providers looks their endpoints up. A malicious
// one advertises a token endpoint that is another's, and an endpoint for pushed requests of its own. An
// assertion that is sent there names the other as its audience, and the attacker signs in there as the
// app. An issuer cannot be advertised falsely, since discovery compares it. With this option, trust every
// provider that the key is registered with as much as the most important one, or give each a key of its own.
func TokenURLAudience() Option { return func(o *options) { o.audience = tokenURLAudience } }

// EndpointAudience names the endpoint that is called as the audience. It is for a provider that wants
// that, although RFC 10070 forbids it. The attack that [TokenURLAudience] describes fails here, since an
// assertion is sent to nobody but whom it names.
func EndpointAudience() Option { return func(o *options) { o.audience = endpointAudience } }

// Type sets the JWT's typ. Without it, "client-authentication+jwt" (RFC 10070 section 4), which some
// providers demand, where the audience is the issuer; and "JWT", which older ones expect, where it
// is not. Type("JWT") is for a provider that accepts the issuer and nothing but "JWT".
func Type(typ string) Option { return func(o *options) { o.typ = typ } }

func newOptions(opts []Option) options {
	var o options
	for _, apply := range opts {
		apply(&o)
	}
	switch {
	case o.typ != "":
	case o.audience == issuerAudience:
		o.typ = "client-authentication+jwt"
	default:
		o.typ = "JWT"
	}
	return o
}

// PrivateKeyJWT authenticates the app with assertions that a private key signs: private_key_jwt (OpenID
// Connect Core section 9). keys is a [Key], or [RotatingKeys]. Each request has an assertion of its own, with
// iss and sub the client id, aud the issuer, a random jti, iat, and exp a minute later. There is no nbf: it adds
// nothing to so short a life, and would make a clock that is a second slow refuse. The client id stands
// beside it.
func PrivateKeyJWT(keys Keys, opts ...Option) *Assertion {
	o := newOptions(opts)
	return &Assertion{"PrivateKeyJWT", newKeyring(keys, o.typ, "client_auth"), o.audience}
}

// SecretJWT authenticates the app with assertions under a client secret of 32 bytes or more, by HS256:
// client_secret_jwt (OpenID Connect Core section 9). They are like those of [PrivateKeyJWT]; FAPI 2.0
// forbids them.
func SecretJWT(secret string, opts ...Option) *Assertion {
	o := newOptions(opts)
	header, _ := json.Marshal(map[string]string{"alg": hs256, "typ": o.typ}) // of strings it cannot fail
	signing := hmacKey{
		reveal: func() string { return secret },
		header: base64.RawURLEncoding.EncodeToString(header) + ".",
	}
	return &Assertion{"SecretJWT", signing, o.audience}
}

// Authenticate implements [authcode.ClientAuth]. Its Checks are client_auth.audience, for a provider
// without the issuer or endpoint that is to be the audience; client_auth.key, for a key or secret that is
// weak or not allowed; client_auth.keys and client_auth.sign, for a function or a signer that fails.
func (a *Assertion) Authenticate(ctx context.Context, req *authcode.BackChannelRequest) error {
	aud := [...]string{req.Issuer, req.TokenURL, req.Endpoint}[a.audience]
	if aud == "" {
		return misused("client_auth.audience", "the provider has no "+audienceNames[a.audience]+
			": set Provider.Issuer, or see TokenURLAudience")
	}
	now := time.Now().Unix()
	claims, err := json.Marshal(assertionClaims{
		Issuer: req.ClientID, Subject: req.ClientID, Audience: aud, ID: rand.Text(), IssuedAt: now, Expires: now + assertionLifetime,
	})
	if err != nil {
		return err
	}
	jwt, err := a.signing.sign(ctx, claims)
	if err != nil {
		return err
	}
	req.Form.Set(req.ClientIDParam, req.ClientID)
	req.Form.Set("client_assertion_type", assertionType)
	req.Form.Set("client_assertion", jwt)
	return nil
}

// assertionClaims are those of RFC 7523 section 3.
type assertionClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"` // 130 random bits
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// Restrict returns a copy that signs with these algorithms only: RS256, PS256, ES256, EdDSA, HS256. Another
// one is an error of Validate, and where keys rotate, of each request that it would sign.
func (a *Assertion) Restrict(algorithms ...string) *Assertion {
	if a == nil || a.signing == nil {
		return a // Validate says so
	}
	return &Assertion{a.name, a.signing.restrict(algorithms), a.audience}
}

// IssuerAudience reports whether the issuer, and nothing that a provider advertises, is the audience.
func (a *Assertion) IssuerAudience() bool { return a.audience == issuerAudience }

// Validate returns what is wrong with the key or the secret, and how to repair it. A rotating key is
// looked at when it is used.
func (a *Assertion) Validate() error {
	if a == nil || a.signing == nil {
		return errors.New("the Assertion is nil or empty: use PrivateKeyJWT")
	}
	if err := a.signing.validate(); err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	return nil
}

// Format prints a without keys and secrets, whatever the verb.
func (a Assertion) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "clientauth.%s(REDACTED)", a.name) }

// MarshalText returns what Format prints, so that encoders print nothing else.
func (a Assertion) MarshalText() ([]byte, error) { return fmt.Append(nil, a), nil }

const hs256 = "HS256"

// hmacKey signs with a secret, held in a function, so that nothing that prints by reflection reaches it.
type hmacKey struct {
	reveal    func() string
	header    string // encoded, with the dot behind it
	forbidden bool
}

func (k hmacKey) sign(_ context.Context, claims []byte) (string, error) {
	if err := k.validate(); err != nil {
		return "", misused("client_auth.key", err.Error())
	}
	text := base64.RawURLEncoding.AppendEncode([]byte(k.header), claims)
	mac := hmac.New(sha256.New, []byte(k.reveal()))
	mac.Write(text)
	return string(base64.RawURLEncoding.AppendEncode(append(text, '.'), mac.Sum(nil))), nil
}

func (k hmacKey) validate() error {
	secret := k.reveal()
	switch {
	case k.forbidden:
		return errors.New("HS256 is not allowed here: use PrivateKeyJWT")
	case strings.ContainsFunc(secret, isControl):
		return errors.New("the secret has a control character: is there a newline at its end?")
	case len(secret) < minSecret:
		return errors.New("the secret has fewer than 32 bytes, which is too short for HS256: ask the provider for a longer one, " +
			"or use authcode.Secret")
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f }

func (k hmacKey) restrict(allowed []string) signing {
	k.forbidden = k.forbidden || !slices.Contains(allowed, hs256)
	return k
}
