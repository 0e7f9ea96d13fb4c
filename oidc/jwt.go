package oidc

import (
	"context"
	"errors"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"github.com/go-jose/go-jose/v4"
)

// kind is a kind of JWT (RFC 7519) that providers sign.
type kind struct {
	name   string          // begins the Checks of its errors
	typ    string          // its media type without "application/"; empty: it has none of its own
	list   string          // the member of the metadata that lists its algorithms
	by     purpose         // on whose behalf keys are fetched
	reason authcode.Reason // of a broken rule

	needsAzp bool // with several audiences it has to say to whom it was given
	needsIat bool // it has to be dated
}

// The kinds. Anybody can post a logout token and send a response to the callback, so these have key
// fetches of their own to use up.
var (
	idToken = kind{name: "id_token", typ: "id+jwt", list: tokenAlgorithms, by: forLogins,
		reason: authcode.IdentityRefused, needsAzp: true, needsIat: true}
	userInfo = kind{name: "userinfo", list: userInfoAlgorithms, by: forLogins,
		reason: authcode.IdentityRefused}
	logoutToken = kind{name: "logout_token", typ: "logout+jwt", list: tokenAlgorithms, by: forHandlers,
		reason: authcode.IdentityRefused, needsIat: true}
	response = kind{name: "response", typ: "oauth-authz-resp+jwt", list: responseAlgorithms, by: forResponses,
		reason: authcode.Forged} // JARM section 2.1 asks for exp alone
	introspection = kind{name: "introspection", typ: "token-introspection+jwt", list: introspectionAlgorithms, by: forLogins,
		reason: authcode.IdentityRefused}
)

// refuse makes the error of a broken rule.
func (k kind) refuse(rule string) error { return failed(k.reason, k.name+rule, nil) }

// jwt is a JWT whose signature is good.
type jwt struct {
	kind
	wire.Object // the claims
	alg         jose.SignatureAlgorithm
	typ         string
	signer      *key
}

// verifier checks the signature of one JWT.
type verifier struct {
	kind
	issuer *issuer
	conn   *authcode.Connection
	algs   []jose.SignatureAlgorithm
	keyURL string
}

// open returns the claims of text if one of the provider's keys signed it with one of the admitted
// algorithms: those that conn pins, or else those of the metadata. There is no way around the signature.
func (i *issuer) open(ctx context.Context, conn *authcode.Connection, k kind, text string) (*jwt, error) {
	pins := conn.Config.Provider.Algorithms
	v := &verifier{k, i, conn, known(pins), conn.Endpoints.JWKSURL}
	if len(pins) == 0 || v.keyURL == "" {
		m, err := i.metadata(ctx, conn, k.by)
		if err != nil {
			return nil, err
		}
		if len(pins) == 0 {
			v.algs = m.algorithms(k.list)
		}
		if v.keyURL == "" {
			v.keyURL = m.endpoints.JWKSURL
		}
	}
	return v.verify(ctx, text)
}

func (v *verifier) verify(ctx context.Context, text string) (*jwt, error) {
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
		return nil, v.refuse(".form")
	}
	header := &signed.Signatures[0].Protected
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return &jwt{v.kind, claims, jose.SignatureAlgorithm(header.Algorithm), typ, signer}, nil
}

func (v *verifier) parse(text string) (*jose.JSONWebSignature, error) {
	if !isCompact(text) {
		return nil, v.refuse(".form")
	}
	if len(v.algs) == 0 { // none of the pinned ones is supported
		return nil, v.refuse(".alg")
	}
	signed, err := jose.ParseSignedCompact(text, v.algs)
	var algorithm *jose.ErrUnexpectedSignatureAlgorithm
	if errors.As(err, &algorithm) {
		return nil, v.refuse(".alg")
	}
	if err != nil || len(signed.Signatures) != 1 {
		return nil, v.refuse(".form")
	}
	// RFC 7515 section 4.1.11: what is critical must be understood, and we understand nothing. (go-jose
	// knows b64, which changes what is signed.)
	if _, critical := signed.Signatures[0].Protected.ExtraHeaders["crit"]; critical {
		return nil, v.refuse(".form")
	}
	return signed, nil
}

// isCompact holds for three parts of base64url (RFC 7515 section 3.1). Go's decoder would skip
// newlines. Five parts are an encrypted token, for which the app has no key.
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

// trial is what became of trying the provider's keys on a signature.
type trial int

const (
	noKey      trial = iota // no key fits the kid and the algorithm
	badKeys                 // keys fit, and none of them made the signature
	keyMatched              // one made it
)

// checkSignature tries the known keys, and then those that the provider has now: it may have begun
// to use a new key, or another key under the old name.
func (v *verifier) checkSignature(ctx context.Context, signed *jose.JSONWebSignature) ([]byte, *key, error) {
	if v.keyURL == "" {
		return nil, nil, failed(authcode.BadAnswer, "jwks.endpoint", nil)
	}
	load := func(ctx context.Context) (*keySet, error) { return loadKeys(ctx, v.conn.Transport, v.keyURL) }
	c := v.issuer.cacheOf(v.conn)
	keys, by := c.keySets.get(v.keyURL, newKeys), &c.allowances[v.by]
	set, err := keys.get(ctx, load, by)
	if err != nil {
		return nil, nil, err
	}
	payload, signer, outcome := tryKeys(set, signed)
	// Twice: a load that somebody else had running may be older than the key.
	for joined, tries := true, 0; outcome != keyMatched && joined && tries < 2; tries++ {
		var ok bool
		joined, ok, err = keys.renew(ctx, load, by)
		if err != nil && (ctx.Err() != nil || outcome == noKey) {
			return nil, nil, err
		}
		if !ok {
			break // the keys we have are the ones that count
		}
		payload, signer, outcome = tryKeys(keys.last(), signed)
	}
	switch outcome {
	case noKey:
		return nil, nil, failed(v.reason, "jwks.key", nil)
	case badKeys:
		return nil, nil, v.refuse(".signature")
	}
	return payload, signer, nil
}

// tryKeys returns the payload and the key that signed it.
func tryKeys(set *keySet, signed *jose.JSONWebSignature) ([]byte, *key, trial) {
	header := &signed.Signatures[0].Protected
	outcome := noKey
	for k := range set.fitting(header.KeyID, jose.SignatureAlgorithm(header.Algorithm)) {
		if payload, err := signed.Verify(k.public); err == nil {
			return payload, k, keyMatched
		}
		outcome = badKeys
	}
	return nil, nil, outcome
}

// mediaType is the header's typ in its short form (RFC 7515 section 4.1.9).
func (t *jwt) mediaType() string { return strings.TrimPrefix(strings.ToLower(t.typ), "application/") }

// hasType reports whether the header's typ leaves open, or says, that the JWT is of its kind. A JWT
// of any other kind says so with a typ of its own (RFC 8725 section 3.11).
func (t *jwt) hasType() bool {
	typ := t.mediaType()
	return !strings.HasSuffix(typ, "+jwt") || typ == t.kind.typ
}
