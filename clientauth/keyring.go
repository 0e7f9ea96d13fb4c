package clientauth

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"example.com/authcode"
	"example.com/authcode/internal/jws"
)

// keyring signs JWTs with the app's current key.
type keyring struct {
	source
	typ   string // of the JWTs
	check string // begins the Check of errors
	last  atomic.Pointer[prepared]

	// What is known when the keyring is made:
	algorithms []string // nil: the keys rotate, or there is a fault
	fault      error
}

// prepared is a checked key, ready to sign.
type prepared struct {
	key       Key
	algorithm string
	signer    *jws.Signer
}

func newKeyring(keys Keys, typ, check string) *keyring {
	k := &keyring{typ: typ, check: check}
	k.source = sourceOf(keys)
	switch {
	case k.current == nil:
		k.fault = errors.New("there is no key: pass a Key, or RotatingKeys with a function")
	case k.fixed:
		key, _ := k.current(context.Background()) // a fixed one never fails
		p, err := k.prepare(key)
		if err != nil {
			k.fault = err
			break
		}
		k.algorithms = []string{p.algorithm}
		k.last.Store(p)
	}
	return k
}

// sourceOf returns the source of keys, the zero source if there is none.
func sourceOf(keys Keys) (s source) {
	// Keys may be nil, a nil *Key, or an app's struct that embeds one of these.
	// The methods of this package are the only ones that can be called here,
	// and they panic for no other reason.
	defer func() { _ = recover() }()
	return keys.source()
}

// sign returns claims as a JWT, by the rules in conn. Fixed keys are checked by
// authcode.New already, rotating ones only here.
func (k *keyring) sign(
	ctx context.Context, claims []byte, conn *authcode.Connection,
) (string, error) {
	if k.fault != nil {
		return "", misused(k.check+".key", k.fault.Error())
	}
	// A fixed key comes back at once. For a rotating one, this calls the app.
	key, err := k.current(ctx)
	if err != nil {
		return "", k.failed(ctx, ".keys",
			"the function of RotatingKeys returned an error: make it return the current key", err)
	}
	p := k.last.Load()
	if p == nil || !p.key.same(key) {
		if p, err = k.prepare(key); err != nil {
			return "", misused(k.check+".key", err.Error())
		}
		k.last.Store(p)
	}
	// Package authcode checks the header of the signed JWT as well. This check
	// comes earlier and names the field to change.
	admitted := conn.Config.Algorithms
	if admitted != nil && !jws.Allows(admitted, p.algorithm) {
		return "", misused(k.check+".key",
			"Key.Algorithm is "+p.algorithm+": want one of "+strings.Join(admitted, ", "))
	}
	jwt, err := p.signerFor(conn).Sign(claims)
	if err != nil {
		return "", k.failed(ctx, ".sign", "Key.Signer returned an error when it was "+
			"to sign: check the key, and the KMS or HSM that holds it", err)
	}
	return jwt, nil
}

// signerFor returns the signer that uses the provider's name of the algorithm,
// unless the app has named it.
func (p *prepared) signerFor(conn *authcode.Connection) *jws.Signer {
	if conn.Endpoints.Ed25519 && p.key.Algorithm == "" {
		return p.signer.Renamed()
	}
	return p.signer
}

func (k *keyring) prepare(key Key) (*prepared, error) {
	alg, err := jws.Check(key.Signer, key.Algorithm)
	if err != nil {
		return nil, errors.New("Key.Signer: " + err.Error())
	}
	header := map[string]any{"typ": k.typ}
	if key.ID != "" {
		header["kid"] = key.ID
	}
	signer, err := jws.New(key.Signer, alg, header)
	return &prepared{key, alg, signer}, err
}

// failed explains an error of the app's own code. An [*authcode.Error] is
// returned as it is, and so is any error once the context has ended: the caller
// then knows more.
func (k *keyring) failed(ctx context.Context, check, detail string, err error) error {
	if _, ok := errors.AsType[*authcode.Error](err); ok || ctx.Err() != nil {
		return err
	}
	return authcode.NewError(authcode.Configuration, k.check+check, detail, err)
}

// misused is an error that the app has to repair. check names the rule that it
// broke.
func misused(check, detail string) error {
	return authcode.NewError(authcode.Configuration, check, detail, nil)
}
