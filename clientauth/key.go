package clientauth

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"

	"example.com/authcode"
	"example.com/authcode/internal/jws"
)

// Key is a private key that signs for the app. It prints and marshals without the key, whatever the verb,
// but for a Key in an unexported field of a struct of the app's, where package fmt asks no method.
type Key struct {
	// Signer is an *rsa.PrivateKey of 2048 bits or more, an *ecdsa.PrivateKey on P-256, an
	// ed25519.PrivateKey, or a key of one of these kinds that lives in a KMS or HSM. It has to be safe for
	// concurrent use.
	Signer crypto.Signer

	// Algorithm is RS256, PS256, ES256 or EdDSA. If empty, PS256 for RSA, ES256 for P-256 and
	// EdDSA for Ed25519: RS256 has to be asked for, and FAPI 2.0 forbids it.
	Algorithm string

	// ID is the key's kid in the JWKS that the provider has of the app. If empty, none is sent, and the
	// provider tries the app's keys.
	ID string
}

// Format prints k without its signer, whatever the verb.
func (k Key) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "clientauth.Key{Algorithm: %q, ID: %q, Signer: REDACTED}", k.Algorithm, k.ID)
}

// MarshalText returns what Format prints, so that encoders print nothing else.
func (k Key) MarshalText() ([]byte, error) { return fmt.Append(nil, k), nil }

func (k Key) key(context.Context) (Key, error) { return k, nil }

// Keys is where signing keys come from: a [Key], or [RotatingKeys].
type Keys interface {
	key(context.Context) (Key, error)
}

type rotatingKeys func(context.Context) (Key, error)

func (f rotatingKeys) key(ctx context.Context) (Key, error) { return f(ctx) }

// RotatingKeys asks current for the key of each signature, on many goroutines, with the context of the
// request that it is for. A key that it returns again is not prepared again. Publish a new key before it
// signs, and leave the old one published until no JWT of its is valid: a minute for [PrivateKeyJWT], five
// for [SignRequests]. The text of an error that it returns is not kept.
func RotatingKeys(current func(context.Context) (Key, error)) Keys { return rotatingKeys(current) }

// signing signs claims as a JWT: with the current one of some keys, or with a secret.
type signing interface {
	sign(ctx context.Context, claims []byte) (string, error)
	validate() error
	restrict(allowed []string) signing
}

// keyring signs with the current key.
type keyring struct {
	keys    func(context.Context) (Key, error) // a function: whoever prints by reflection sees no key
	fixed   bool
	typ     string
	check   string   // begins the Check of errors
	allowed []string // algorithms; nil: all
	last    atomic.Pointer[prepared]
}

const noKeys = "there is no key: pass a Key, or RotatingKeys with a function"

// prepared is a checked key with its header.
type prepared struct {
	key Key
	*jws.Signer
}

func newKeyring(keys Keys, typ, check string) *keyring {
	k := &keyring{typ: typ, check: check}
	if f, rotates := keys.(rotatingKeys); keys != nil && (!rotates || f != nil) {
		k.keys, k.fixed = keys.key, !rotates
	}
	return k
}

func (k *keyring) sign(ctx context.Context, claims []byte) (string, error) {
	if k.keys == nil {
		return "", misused(k.check+".key", noKeys)
	}
	key, err := k.keys(ctx)
	if err != nil {
		return "", k.failed(ctx, ".keys", "the function of RotatingKeys failed", err)
	}
	p := k.last.Load()
	if p == nil || !p.key.same(key) {
		if p, err = k.prepare(key); err != nil {
			return "", misused(k.check+".key", err.Error())
		}
		k.last.Store(p)
	}
	jwt, err := p.Sign(claims)
	if err != nil {
		return "", k.failed(ctx, ".sign", "Key.Signer failed", err)
	}
	return jwt, nil
}

// failed explains an error of the app's own code. An [*authcode.Error] says enough, and of the context's end
// the caller knows more.
func (k *keyring) failed(ctx context.Context, check, detail string, err error) error {
	var own *authcode.Error
	if ctx.Err() != nil || errors.As(err, &own) {
		return err
	}
	return authcode.NewError(authcode.Configuration, k.check+check, detail, err)
}

func (k *keyring) prepare(key Key) (*prepared, error) {
	alg, err := jws.Check(key.Signer, key.Algorithm)
	if err != nil {
		return nil, errors.New("Key: " + err.Error())
	}
	if k.allowed != nil && !slices.Contains(k.allowed, alg) {
		return nil, errors.New("Key.Algorithm is " + alg + ": want one of " + strings.Join(k.allowed, ", "))
	}
	header := map[string]any{"typ": k.typ}
	if key.ID != "" {
		header["kid"] = key.ID
	}
	signer, err := jws.New(key.Signer, alg, header)
	if err != nil {
		return nil, err
	}
	return &prepared{key, signer}, nil
}

func (k *keyring) validate() error {
	switch {
	case k.keys == nil:
		return errors.New(noKeys)
	case !k.fixed:
		return nil
	}
	key, _ := k.keys(context.Background())
	_, err := k.prepare(key)
	return err
}

func (k *keyring) restrict(allowed []string) signing { return k.restricted(allowed) }

func (k *keyring) restricted(allowed []string) *keyring {
	return &keyring{keys: k.keys, fixed: k.fixed, typ: k.typ, check: k.check, allowed: both(k.allowed, allowed)}
}

// both returns what is in both lists, where nil stands for everything; never nil.
func both(before, allowed []string) []string {
	out := []string{}
	for _, alg := range allowed {
		if before == nil || slices.Contains(before, alg) {
			out = append(out, alg)
		}
	}
	return out
}

// same reports whether k and other sign alike.
func (k Key) same(other Key) bool {
	if k.Algorithm != other.Algorithm || k.ID != other.ID {
		return false
	}
	if a, ok := k.Signer.(ed25519.PrivateKey); ok {
		b, ok := other.Signer.(ed25519.PrivateKey)
		return ok && a.Equal(b)
	}
	// == panics for what cannot be compared.
	return reflect.ValueOf(other.Signer).Comparable() && k.Signer == other.Signer
}

// misused is an error of the app's own, by the rule that it broke.
func misused(check, detail string) *authcode.Error {
	return authcode.NewError(authcode.Configuration, check, detail, nil)
}
