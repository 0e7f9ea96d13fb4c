package oidc

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

// verifier checks the signature of one JWT (RFC 7519) of the provider's.
type verifier struct {
	name      string // begins the check of every error: id_token, logout_token, userinfo
	algs      []jose.SignatureAlgorithm
	meta      *metadata
	client    *http.Client
	allowance *allowance // on whose behalf keys are fetched
}

// jwt is a verified JWT.
type jwt struct {
	wire.Object // the claims
	alg         jose.SignatureAlgorithm
	typ         string
	signer      *key
}

// verify returns the claims of text if one of the provider's keys signed it with one of the
// pinned algorithms. There is no way around the signature.
func (v *verifier) verify(ctx context.Context, text string) (*jwt, *authcode.Error) {
	signed, err := v.parse(text)
	if err != nil {
		return nil, err
	}
	payload, signer, err := v.checkSignature(ctx, signed)
	if err != nil {
		return nil, err
	}
	claims, bad := wire.ParseObject(payload)
	if bad != nil {
		return nil, refused(v.name + ".form")
	}
	header := &signed.Signatures[0].Protected
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return &jwt{claims, jose.SignatureAlgorithm(header.Algorithm), typ, signer}, nil
}

func (v *verifier) parse(text string) (*jose.JSONWebSignature, *authcode.Error) {
	if !isCompact(text) {
		return nil, refused(v.name + ".form")
	}
	signed, err := jose.ParseSignedCompact(text, v.algs)
	var algorithm *jose.ErrUnexpectedSignatureAlgorithm
	if errors.As(err, &algorithm) {
		return nil, refused(v.name + ".alg")
	}
	if err != nil || len(signed.Signatures) != 1 {
		return nil, refused(v.name + ".form")
	}
	// RFC 7515 section 4.1.11: what is critical must be understood, and we understand nothing. (go-jose
	// knows b64, which changes what is signed.)
	if _, critical := signed.Signatures[0].Protected.ExtraHeaders["crit"]; critical {
		return nil, refused(v.name + ".form")
	}
	return signed, nil
}

// isCompact holds for three parts of base64url (RFC 7515 section 3.1). Go's decoder would skip
// newlines; five parts are an encrypted token, for which the app has no key.
func isCompact(s string) bool {
	dots := 0
	for n := range len(s) {
		switch c := s[n]; {
		case c == '.':
			dots++
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return dots == 2
}

// checkSignature tries the known keys, and then those that the provider has now: it may have begun
// to use a new one, or another under the old name.
func (v *verifier) checkSignature(ctx context.Context, signed *jose.JSONWebSignature) ([]byte, *key, *authcode.Error) {
	if v.meta.keysURL == "" {
		return nil, nil, failed(authcode.BadAnswer, "jwks.endpoint", nil)
	}
	load := func(ctx context.Context) (*keySet, *authcode.Error) {
		return loadKeys(ctx, v.client, v.meta.keysURL)
	}
	keys := v.meta.keys
	set, err := keys.get(ctx, load, v.allowance)
	if err != nil {
		return nil, nil, err
	}
	payload, signer, check := v.tryKeys(set, signed)
	// Twice: a load that somebody else had under way may be older than the key.
	for joined, tries := true, 0; check != "" && joined && tries < 2; tries++ {
		var ok bool
		joined, ok, err = keys.renew(ctx, load, v.allowance)
		if err != nil && (ctx.Err() != nil || check == "jwks.key") {
			return nil, nil, err
		}
		if !ok {
			break // the keys we have are the ones that count
		}
		payload, signer, check = v.tryKeys(keys.last(), signed)
	}
	if check != "" {
		return nil, nil, refused(check)
	}
	return payload, signer, nil
}

// tryKeys returns the payload and the key that signed it, or the check that failed.
func (v *verifier) tryKeys(set *keySet, signed *jose.JSONWebSignature) ([]byte, *key, string) {
	header := &signed.Signatures[0].Protected
	check := "jwks.key"
	for k := range set.fitting(header.KeyID, jose.SignatureAlgorithm(header.Algorithm)) {
		if payload, err := signed.Verify(k.public); err == nil {
			return payload, k, ""
		}
		check = v.name + ".signature"
	}
	return nil, nil, check
}

// hasType reports whether the header's typ leaves open, or says, that the JWT is of the given kind. Any
// other kind says so with a typ of its own (RFC 8725 section 3.11).
func (t *jwt) hasType(kind string) bool {
	typ := strings.TrimPrefix(strings.ToLower(t.typ), "application/")
	return !strings.HasSuffix(typ, "+jwt") || typ == kind
}
