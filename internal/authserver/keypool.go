package authserver

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
)

// keyPool keeps RSA keys that are not in use. It may be used by many
// goroutines.
type keyPool struct {
	mu   sync.Mutex
	idle []*rsa.PrivateKey
}

// rsaKeys belongs to the process, although this module has no other variables
// that change: making a key takes a tenth of a second of computing, and a test
// program starts a server for every test. A server holds its keys until it is
// closed, also those that it has withdrawn. So no two servers that run at the
// same time have the same key.
var rsaKeys keyPool

// LendRSAKeys has servers that start later sign with these keys, each with one
// of its own, before they make any. A test program gives it keys that are made
// already: see package testkey.
func LendRSAKeys(keys ...*rsa.PrivateKey) {
	for _, key := range keys {
		rsaKeys.put(key)
	}
}

// take returns a key with 2,048 bits, which nobody else has until it is put
// back.
func (p *keyPool) take() (*rsa.PrivateKey, error) {
	if key := p.takeIdle(); key != nil {
		return key, nil
	}
	return rsa.GenerateKey(rand.Reader, 2048)
}

func (p *keyPool) takeIdle() (key *rsa.PrivateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := len(p.idle) - 1; last >= 0 {
		key, p.idle = p.idle[last], p.idle[:last]
	}
	return key
}

// put takes back a key that its holder does not sign with any more.
func (p *keyPool) put(key *rsa.PrivateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, key)
}
