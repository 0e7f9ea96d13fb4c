package oidc

import (
	"context"
	"net/http"
	"reflect"
	"slices"
	"sync"

	"example.com/authcode"
)

const (
	// maxTransports bounds what one issuer keeps. Usually there is one
	// transport for each Client. If an app used more Clients than this in turn,
	// each login would load the documents anew.
	maxTransports = 256

	// maxKeySets bounds the key sets of one transport. There is more than one
	// only if Clients with the same transport disagree about the JWKS URL, or
	// after the provider has moved it.
	maxKeySets = 4
)

// documents holds what was loaded from a provider through one transport.
type documents struct {
	transport  http.RoundTripper // carries no token and shows no certificate
	metadata   *document[*metadata]
	keySets    boundedMap[string, *document[*keySet]] // by URL
	allowances [3]allowance                           // by purpose
}

// purpose says what a document is loaded for: a login, or a JWT that anybody
// can send.
type purpose int

// Each purpose has an allowance of its own. Anybody can post a logout token or
// call the callback. If logins shared their allowance, a stranger could use up
// the key fetches that the next login needs.
const (
	forLogins    purpose = iota // tokens that came straight from the provider
	forHandlers                 // logout tokens
	forResponses                // signed authorization responses
)

// documentsFor returns what was loaded through the transport of conn.
func (i *issuer) documentsFor(conn *authcode.Connection) (*documents, error) {
	// An app on https takes no provider over http, on loopback too: services
	// there often trust every caller. The root package cannot see the URL of
	// the metadata, and an app on http may have filled the cache.
	if !isHTTP(conn.Config.RedirectURL) && (isHTTP(i.identifier) || isHTTP(i.metadataURL)) {
		return nil, newError(authcode.Configuration, "discovery.http", nil)
	}
	// The issuer is in these functions, too. An app that has changed the field
	// expects that its new server is asked.
	if named := conn.Config.Provider.Issuer; named != "" && named != i.identifier {
		return nil, newError(authcode.Configuration, "discovery.moved", nil)
	}
	// The Transport of a Client can always be compared, but the app may have
	// put another one into the Connection. A map panics if its key cannot be
	// compared. Without the cache, everybody who posts a logout token could
	// make the app load everything anew.
	if !isTransport(conn.Transport) {
		return nil, configError("config.transport")
	}
	load := func() *documents {
		d := &documents{transport: conn.Transport, metadata: i.newMetadata(conn)}
		d.keySets.max = maxKeySets
		return d
	}
	// Package tenants makes a Provider anew for each tenant, and whenever it
	// loads one again. They share what all that decides is the same for.
	if in := conn.Config.Realm; in != nil {
		key := loadedFrom{i.identifier, i.metadataURL, conn.Transport}
		return in.Documents.GetOrPut(key, func() any { return load() }).(*documents), nil
	}
	// One cache for all transports would let a Client that trusts a private CA,
	// or a test's fake transport, decide which keys the others accept.
	return i.loaded.get(conn.Transport, load), nil
}

// loadedFrom is all that decides what is loaded. The transport decides who is
// trusted, and which addresses are dialled.
type loadedFrom struct {
	identifier, metadataURL string
	transport               http.RoundTripper
}

// isTransport reports whether t can send requests and be the key of a map.
func isTransport(t http.RoundTripper) bool {
	v := reflect.ValueOf(t)
	return v.Comparable() && !(v.Kind() == reflect.Pointer && v.IsNil())
}

// boundedMap holds at most max values. To make room, it drops the one that was
// used least recently. It is safe for concurrent use. Set max before the first
// use.
type boundedMap[K comparable, V any] struct {
	max int

	mu     sync.Mutex
	values map[K]V
	order  []K // the one that was used least recently first
}

// get returns the value of key, which it creates if there is none.
func (m *boundedMap[K, V]) get(key K, create func() V) V {
	// One lock around everything: two goroutines that both created a value
	// would load the same document twice.
	m.mu.Lock()
	defer m.mu.Unlock()
	if v, ok := m.values[key]; ok {
		m.touch(key)
		return v
	}
	// An app that makes a Client for each request must not fill the memory. A
	// login that uses the dropped value keeps it, and the next one loads anew.
	if len(m.order) >= m.max {
		delete(m.values, m.order[0])
		m.order = slices.Delete(m.order, 0, 1)
	}
	if m.values == nil {
		m.values = make(map[K]V)
	}
	v := create()
	m.values[key] = v
	m.order = append(m.order, key)
	return v
}

// touch makes key the one that was used last. The caller holds m.mu.
func (m *boundedMap[K, V]) touch(key K) {
	at := slices.Index(m.order, key)
	m.order = append(slices.Delete(m.order, at, at+1), key)
}

// keysURL returns the jwks_uri of the metadata. It is empty if there is none
// that is usable.
func (d *documents) keysURL(ctx context.Context, by *allowance) (string, error) {
	m, err := d.metadata.get(ctx, by)
	if err != nil {
		return "", err
	}
	// RFC 8414 section 2: jwks_uri is optional, and a login without identity
	// needs none. This JWT does. So ask again, because the provider may have
	// completed its metadata in the meantime.
	if m.endpoints.JWKSURL == "" {
		if _, _, err = d.metadata.renew(ctx, by); err != nil {
			return "", err
		}
		m = d.metadata.latest()
	}
	return m.endpoints.JWKSURL, nil
}
