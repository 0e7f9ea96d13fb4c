// Package testkey has RSA keys for tests. Making a key takes a tenth of a second,
// and reading one takes a thousandth of that. Everybody knows these keys, so only
// tests may trust them.
package testkey

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"sync"
)

// file has the keys that no test has had yet, in PEM. Their label keeps tools
// that search for leaked keys quiet. mu guards file.
//
//go:embed rsa.pem
var file []byte

var mu sync.Mutex

// RSA returns a key with 2,048 bits. No two calls in one process return the same
// one: when the file has no more, RSA makes it. It may be called by many
// goroutines. It panics on an error.
func RSA() *rsa.PrivateKey {
	key, err := next()
	if err != nil {
		panic("testkey: " + err.Error())
	}
	return key
}

func next() (*rsa.PrivateKey, error) {
	mu.Lock()
	defer mu.Unlock()
	block, rest := pem.Decode(file)
	if block == nil {
		return rsa.GenerateKey(rand.Reader, 2048)
	}
	file = rest
	return x509.ParsePKCS1PrivateKey(block.Bytes)
}
