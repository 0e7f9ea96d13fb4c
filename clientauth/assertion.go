package clientauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/urls"
)

// assertionType is the client_assertion_type of RFC 7523 section 2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

const assertionLifetime = 60 // seconds

// The audiences that an assertion can have, as [authcode.ClientAuth.Audience]
// names them.
const (
	issuerAudience   = "issuer"
	tokenURLAudience = "token_endpoint"
	endpointAudience = "endpoint"
)

type options struct{ audience, typ string }

// Option changes the assertions of [PrivateKeyJWT] and [SecretJWT]. A nil
// Option changes nothing.
type Option interface{ apply(*options) }

type option func(*options)

func (f option) apply(o *options) { f(o) }

// TokenURLAudience makes the provider's token endpoint the audience, in
// requests to its other endpoints too. It is for a provider that does not
// accept its issuer identifier there, as RFC 7523 allowed.
//
// Without it, the audience is the issuer, as one plain string (RFC 10070
// section 4, FAPI 2.0). The option makes an attack possible (CVE-2025-27370,
// CVE-2025-27371) on an app that signs in with several providers and looks
// their endpoints up. A malicious provider advertises the token endpoint of an
// honest one as its own, and an endpoint for pushed requests that it controls.
// The assertion that the app sends there names the honest provider as its
// audience, so the attacker can present it there and pass for the app. An
// issuer cannot be advertised falsely, since discovery compares it. With this
// option, trust every provider that the key is registered with as much as the
// most important one, or use a key for each.
func TokenURLAudience() Option { return option(func(o *options) { o.audience = tokenURLAudience }) }

// EndpointAudience makes the endpoint that is called the audience. It is for a
// provider that demands this, although RFC 10070 forbids it. The attack that
// [TokenURLAudience] describes fails here, since an assertion is sent only to
// the endpoint that it names.
func EndpointAudience() Option { return option(func(o *options) { o.audience = endpointAudience }) }

// Type sets the typ of the JWT. Without it, typ is "client-authentication+jwt"
// (RFC 10070 section 4), which some providers demand, where the audience is the
// issuer. Where it is not, typ is "JWT", which older providers expect.
// Type("JWT") is for a provider that accepts the issuer as audience and no typ
// but "JWT".
func Type(typ string) Option { return option(func(o *options) { o.typ = typ }) }

func newOptions(opts []Option) options {
	o := options{audience: issuerAudience}
	for _, opt := range opts {
		if opt != nil {
			opt.apply(&o)
		}
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

// PrivateKeyJWT authenticates the app with assertions signed by a private key:
// private_key_jwt (OpenID Connect Core section 9). keys is a [Key], or
// [RotatingKeys]. Each request has an assertion of its own: iss and sub are the
// client id, aud is the issuer, jti is random, iat is now, and exp is a minute
// later. There is no nbf: it adds nothing to so short a life, and a server
// whose clock is a second slow would refuse. The client id is sent beside the
// assertion.
//
// [authcode.New] refuses a key that cannot sign, and one whose algorithm is not
// among [authcode.Config.Algorithms]. A rotating key is checked whenever it
// signs.
func PrivateKeyJWT(keys Keys, opts ...Option) authcode.ClientAuth {
	o := newOptions(opts)
	k := newKeyring(keys, o.typ, "client_auth")
	return authcode.ClientAuth{
		Method:       "private_key_jwt",
		Audience:     o.audience,
		Algorithms:   slices.Clone(k.algorithms),
		Authenticate: assertion{k.sign, o.audience}.authenticate,
		Err:          faultOf("PrivateKeyJWT", k.fault),
	}
}

// SecretJWT authenticates the app with assertions that a client secret of 32
// bytes or more signs by HS256: client_secret_jwt (OpenID Connect Core section
// 9). They are otherwise like those of [PrivateKeyJWT]. FAPI 2.0 forbids them.
// [authcode.New] refuses a secret that is too short, or has a control
// character.
func SecretJWT(secret string, opts ...Option) authcode.ClientAuth {
	o := newOptions(opts)
	k := newHMACKey(secret, o.typ)
	return authcode.ClientAuth{
		Method:       "client_secret_jwt",
		Audience:     o.audience,
		Algorithms:   []string{hs256},
		Authenticate: assertion{k.sign, o.audience}.authenticate,
		Err:          faultOf("SecretJWT", k.fault),
	}
}

func faultOf(constructor string, fault error) error {
	if fault == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", constructor, fault)
}

// assertion authenticates by a signed JWT (RFC 7523 section 2.2).
type assertion struct {
	sign     func(context.Context, []byte, *authcode.Connection) (string, error)
	audience string
}

func (a assertion) authenticate(ctx context.Context, req *authcode.TokenRequest) error {
	aud := audienceOf(a.audience, req)
	if aud == "" {
		return misused("client_auth.audience", "the provider has no "+a.audience+", which is "+
			"the audience of the assertion: set Provider.Issuer, or use TokenURLAudience")
	}
	id, now := req.Config.ClientID, time.Now().Unix()
	// Texts and numbers can always be marshaled.
	claims, _ := json.Marshal(assertionClaims{
		Issuer: id, Subject: id, Audience: aud,
		ID: rand.Text(), IssuedAt: now, Expires: now + assertionLifetime,
	})
	jwt, err := a.sign(ctx, claims, req.Connection)
	if err != nil {
		return err
	}
	req.Form.Set(req.Config.Provider.ClientIDParam, id)
	req.Form.Set("client_assertion_type", assertionType)
	req.Form.Set("client_assertion", jwt)
	return nil
}

func audienceOf(audience string, req *authcode.TokenRequest) string {
	// Keycloak, whose metadata may name inner origins, takes only the outer ones
	// for an audience. They are what the provider is known by.
	inner := req.Config.InsecureInnerOrigins
	switch audience {
	case tokenURLAudience:
		return urls.Outer(inner, req.Endpoints.TokenURL)
	case endpointAudience:
		return urls.Outer(inner, req.URL)
	}
	return req.Config.Provider.Issuer
}

// assertionClaims are the claims of RFC 7523 section 3.
type assertionClaims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"` // 130 random bits
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}
