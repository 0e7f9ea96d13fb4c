package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

// kind is a kind of JWT (RFC 7519) that providers sign.
type kind struct {
	name    string          // the first part of its Checks
	typ     string          // its media type without "application/"; empty: it has none
	purpose purpose         // on whose behalf its keys are loaded
	reason  authcode.Reason // for refusing one

	requireAzp bool // if it has several audiences
	requireIat bool
	omitsExp   bool // exp may be missing: iat is required, and its age is limited
	byHMAC     bool // HS256 is for this kind, too
}

// The kinds. The key fetches for a JWT that anybody can send are counted
// separately from those of logins.
var (
	// OpenID Connect Core section 2 requires iat. Section 3.1.3.7 recommends
	// azp for several audiences.
	idToken = kind{
		name: "id_token", typ: "id+jwt", purpose: forLogins,
		reason: authcode.IdentityRefused, requireAzp: true, requireIat: true, byHMAC: true,
	}
	// Core section 5.3.2 requires no claim but sub.
	userInfo = kind{
		name: "userinfo", purpose: forLogins,
		reason: authcode.IdentityRefused,
	}
	// Back-Channel Logout section 2.4: signed by the same keys and algorithms
	// as ID tokens, and iat is required. Drafts before 2022 had no exp, and Ory
	// Hydra, LemonLDAP::NG and Glewlwyd still send none. A token without it ends
	// at logoutLifetime, too.
	logoutToken = kind{
		name: "logout_token", typ: "logout+jwt", purpose: forHandlers,
		reason: authcode.IdentityRefused, requireIat: true, omitsExp: true, byHMAC: true,
	}
	// JARM section 2.1 requires exp, but not iat.
	response = kind{
		name: "response", typ: "oauth-authz-resp+jwt",
		purpose: forResponses, reason: authcode.Forged,
	}
	// verifyIntrospection checks iat itself, more strictly.
	introspection = kind{
		name: "introspection", typ: "token-introspection+jwt",
		purpose: forLogins, reason: authcode.IdentityRefused,
	}
)

// refuse makes the error for a JWT that breaks a rule.
//
//go:noinline
func (k kind) refuse(rule string) error { return newError(k.reason, k.name+rule, nil) }

// refuseClaims makes the error for a signed payload that cannot be read.
// repeated is the claim that has two values, empty if none has.
func (k kind) refuseClaims(repeated string) error {
	if repeated == "" {
		return k.refuse(".form")
	}
	// Of two values, this package could check one and the app could use the
	// other. The provider has signed both, so nobody has forged them.
	reason := k.reason
	if reason == authcode.Forged {
		reason = authcode.Malformed
	}
	text := fmt.Sprintf("%s has two values for %s: report it to the provider",
		subjects[k.name].name, wire.ClaimName(repeated))
	return authcode.NewError(reason, k.name+".repeated", text, nil)
}

// refuseAlgorithm makes the error for a JWT whose header has seen as its alg.
func refuseAlgorithm[A ~string](k kind, seen string, admitted []A) error {
	var names []string
	for _, alg := range admitted {
		if name := string(alg); wire.AlgorithmName(name) == name {
			names = append(names, name)
		}
	}
	// These names are all that an operator has to find the cause. The header
	// may have been written by anybody, so a name that is not registered is not
	// repeated.
	text := fmt.Sprintf("%s is signed with %s, which is not admitted: register the client for %s, "+
		"or set Provider.Algorithms or Config.Algorithms",
		subjects[k.name].name, wire.AlgorithmName(seen), strings.Join(names, " or "))
	return authcode.NewError(k.reason, k.name+".alg", text, nil)
}

// jwt is a JWT whose signature was verified, and what its claims are compared
// with.
type jwt struct {
	kind
	wire.Object // the claims
	alg         jose.SignatureAlgorithm
	typ         string // as in the header
	signer      *key

	isRefreshed bool // it is an ID token from a refresh

	issuer   *issuer
	clientID string
	now      float64 // seconds since 1970
}

// refuseAnswer makes the error for a JWT that was made for another login, or
// about nobody.
func (t *jwt) refuseAnswer(rule string) error {
	err := newError(t.reason, t.name+rule, nil)
	// OpenID Connect Core section 12.2: iss, sub, aud, azp and nonce of a new
	// ID token are those of the first one. If they are not, trying again cannot
	// help, and the old refresh token may be used up. So the person has to sign
	// in again. A fault of a key, a clock or an algorithm may pass.
	err.Final = t.isRefreshed
	return err
}

// open verifies the signature of a JWT and returns its claims. They are not
// checked yet.
func (i *issuer) open(
	ctx context.Context, conn *authcode.Connection, k kind, text string,
) (*jwt, error) {
	// There is no way around the signature: no option skips it, and every JWT
	// that this package accepts comes through here.
	docs, err := i.documentsFor(conn)
	if err != nil {
		return nil, err
	}
	var signed *jose.JSONWebSignature
	var payload []byte
	signer := new(key) // HS256 has no key that names an issuer
	if i.onlyHMAC {
		signed, payload, err = i.openHMAC(conn, k, text)
	} else {
		signed, payload, signer, err = docs.openByKeys(ctx, conn, k, text)
	}
	if err != nil {
		return nil, err
	}
	claims, repeated, bad := wire.ParseClaims(payload, true)
	if bad != nil {
		return nil, k.refuseClaims(repeated)
	}
	// Only the protected header is signed. The compact form has no other.
	header := &signed.Signatures[0].Protected
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return &jwt{
		kind: k, Object: claims, signer: signer, typ: typ,
		alg:    jose.SignatureAlgorithm(header.Algorithm),
		issuer: i, clientID: conn.Config.ClientID, now: seconds(conn.Config.Clock.Now()),
	}, nil
}

// openByKeys verifies a JWT that one of the provider's keys has signed.
func (d *documents) openByKeys(
	ctx context.Context, conn *authcode.Connection, k kind, text string,
) (*jose.JSONWebSignature, []byte, *key, error) {
	algs, keysURL, err := d.signingRules(ctx, conn, k)
	if err != nil {
		return nil, nil, nil, err
	}
	signed, err := k.parse(text, algs)
	if err != nil {
		return nil, nil, nil, err
	}
	payload, signer, err := k.verifySignature(ctx, d, keysURL, signed)
	return signed, payload, signer, err
}

// parse reads a JWS in compact form that is signed with one of algs.
func (k kind) parse(text string, algs []jose.SignatureAlgorithm) (*jose.JSONWebSignature, error) {
	if !wire.IsCompactJWS(text) {
		return nil, k.refuse(".form")
	}
	// RFC 8725 section 3.1: the caller chooses the algorithms, never the JWT.
	// If none of the app's is supported, go-jose would call the JWT malformed.
	if len(algs) == 0 {
		return nil, k.refuse(".alg")
	}
	signed, err := jose.ParseSignedCompact(text, algs)
	if unexpected, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok {
		return nil, refuseAlgorithm(k, string(unexpected.Got), algs)
	}
	// The compact form has one signature. A second one could be by anybody.
	if err != nil {
		return nil, k.refuse(".form")
	}
	// RFC 7515 section 4.1.11: refuse a critical extension that is not
	// understood. This package understands none. go-jose accepts b64, which
	// changes what the signature covers.
	if _, critical := signed.Signatures[0].Protected.ExtraHeaders["crit"]; critical {
		return nil, k.refuse(".form")
	}
	return signed, nil
}

// verifySignature returns the payload and the key that signed it.
func (k kind) verifySignature(
	ctx context.Context, docs *documents, keysURL string, signed *jose.JSONWebSignature,
) ([]byte, *key, error) {
	// Keys come from the JWKS alone. A key or a URL in the JWT's own header
	// (jwk, jku, x5c) proves nothing: its author chose it.
	if keysURL == "" {
		return nil, nil, newError(authcode.BadAnswer, "jwks.endpoint", nil)
	}
	// The keys are cached by URL. After the provider has moved its JWKS, the
	// keys of the old place must not be accepted any longer.
	keys, by := docs.keysAt(keysURL), &docs.allowances[k.purpose]
	set, err := keys.get(ctx, by)
	if err != nil {
		return nil, nil, err
	}
	payload, signer, result := set.verify(signed)
	if result != verified {
		payload, signer, result, err = verifyWithNewKeys(ctx, keys, by, signed, result)
		if err != nil {
			return nil, nil, err
		}
	}
	// The two have different cures. A missing key is often a rotation, while a
	// bad signature is a forgery or the wrong JWKS.
	switch result {
	case noKeyFits:
		return nil, nil, newError(k.reason, "jwks.key", nil)
	case badSignature:
		return nil, nil, k.refuse(".signature")
	}
	return payload, signer, nil
}
