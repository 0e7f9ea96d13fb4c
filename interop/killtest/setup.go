// Package killtest has what the kill test of package grant shares with the
// processes that it kills. The test is in the files killtest_*_test.go above.
package killtest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"net/http"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sys/unix"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"example.com/authcode/grant"
)

// SetupVariable has the Setup of an instance as JSON. AheadVariable says by how
// many seconds its wall clock is ahead; only a build with the test's overlay of
// package time reads it.
const (
	SetupVariable = "AUTHCODE_KILLTEST"
	AheadVariable = "AUTHCODE_KILLTEST_AHEAD"
)

// Headers of the requests of an instance.
const (
	InstanceHeader = "Killtest-Instance"
	PersonHeader   = "Killtest-Person"
)

// Setup says what an instance does.
type Setup struct {
	Name     string // the instance's, another one after each start
	Worker   bool   // it goes through all people, and nobody asks it
	People   int
	Provider string // its URL
	Store    string // a name in stores
	DSN      string
}

// Line is what an instance reports on its standard output, as JSON. Times are
// nanoseconds of [Now].
type Line struct {
	Kind string
	From int64 `json:",omitempty"`
	At   int64
	Text string    `json:",omitempty"` // the result of a call, an outcome, an error
	Key  grant.Key `json:",omitzero"`
}

// Kinds of lines.
const (
	Called  = "call"    // a call of Token, from From to At
	Starved = "starved" // the process did not run from From to At
	Failed  = "store"   // an operation of the store failed or took long
	Changed = "swap"    // an operation of the store that changes a record, for traces
	Saved   = "saved"   // the store has a new content for Key
	Seen    = "seen"    // an outcome that the grants have observed
)

// Now is a clock that all processes share. It does not stand still for a process
// that is stopped.
func Now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		panic(err)
	}
	return t.Nano()
}

// Kinds are those of the people's clients: a person has the kind with the
// person's number, modulo their number.
var Kinds = []string{"strict", "reuse", "strict-dpop", "reuse-dpop"}

// KindOf returns the client of a person.
func KindOf(person int) string { return Kinds[person%len(Kinds)] }

// TokenType returns the type of a kind's access tokens.
func TokenType(kind string) string {
	if strings.HasSuffix(kind, "dpop") {
		return "DPoP"
	}
	return "Bearer"
}

// Issuer is in the identities of people.
const Issuer = "https://provider.example"

// Clients returns the Clients of one instance, by kind.
func Clients(provider, instance string) (map[string]*authcode.Client, error) {
	signer, err := key()
	if err != nil {
		return nil, err
	}
	all := make(map[string]*authcode.Client)
	for _, kind := range Kinds {
		cfg := authcode.Config{
			Provider: authcode.Provider{Name: kind, Endpoints: authcode.Endpoints{
				AuthURL: provider + "/authorize", TokenURL: provider + "/token",
				RevocationURL: provider + "/revoke",
			}},
			ClientID: kind, ClientAuth: authcode.Public(), Scopes: []string{},
			RedirectURL: "http://localhost/callback", CookieKeys: [][]byte{Secret},
			Transport: transport(),
			Wrap:      func(next http.RoundTripper) http.RoundTripper { return named{next, instance} },
		}
		// These check whose each new token is. So a renewal saves twice.
		if TokenType(kind) == "DPoP" {
			cfg.Binding = dpop.New(signer)
			cfg.Provider.Identity = identity
		}
		if all[kind], err = authcode.New(cfg); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Secret is the key of the app.
var Secret = bytes.Repeat([]byte("killtest"), 4)

// key is the app's key for DPoP.
func key() (crypto.Signer, error) { return ecdsa.ParseRawPrivateKey(elliptic.P256(), Secret) }

// transport is the default one, but for keeping more connections.
func transport() *http.Transport {
	return &http.Transport{
		ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: 30 * time.Second,
	}
}

// named says in each request which instance it comes from.
type named struct {
	next     http.RoundTripper
	instance string
}

func (n named) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set(InstanceHeader, n.instance)
	return n.next.RoundTrip(r)
}

// identity reads whose a token is.
func identity(_ context.Context, r *authcode.TokenResponse) (*authcode.Identity, error) {
	subject := Subject(r.Token)
	if subject == "" {
		return nil, errors.New("the access token names nobody")
	}
	return &authcode.Identity{Issuer: Issuer, Subject: subject}, nil
}

// Subject returns the person that an access token of the test's provider names.
func Subject(t *oauth2.Token) string {
	_, rest, _ := strings.Cut(t.AccessToken, ".")
	subject, _, _ := strings.Cut(rest, ".")
	return subject
}

// Grants returns grants in a store.
func Grants(
	store grant.Store, clients map[string]*authcode.Client, observe func(context.Context, grant.Event),
) (*grant.Grants, error) {
	var list []*authcode.Client
	for _, kind := range Kinds {
		list = append(list, clients[kind])
	}
	return grant.New(grant.Config{
		Store: store, Keys: [][]byte{Secret}, Clients: grant.Clients(list...), Observe: observe,
	})
}
