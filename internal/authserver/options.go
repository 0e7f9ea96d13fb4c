package authserver

import (
	"crypto/tls"
	"fmt"
	"slices"
	"time"
)

// Option changes a new server.
type Option interface{ apply(*options) }

type option func(*options)

func (f option) apply(o *options) { f(o) }

type options struct {
	addr     string
	users    []User
	alg      string
	mtls     bool
	askMain  bool
	pushed   pushOptions
	mustSign bool
	renamed  bool // Ed25519Name

	codeLifetime time.Duration

	cert tls.Certificate // without Leaf: one that is made for the server
}

// newOptions applies opts. It panics if they contradict each other: a test that
// asks for the impossible must not seem to pass.
func newOptions(secure bool, opts []Option) options {
	o := options{addr: "127.0.0.1:0", users: defaultUsers(), alg: "ES256"}
	o.pushed.lifetime, o.codeLifetime = time.Minute, time.Minute
	for _, opt := range opts {
		opt.apply(&o)
	}
	switch {
	case len(o.users) == 0:
		panic("authserver: Users needs at least one user: leave the option out for the default ones")
	case !slices.Contains(serverAlgorithms, o.alg):
		panic(fmt.Sprintf("authserver: Algorithm(%q): want one of %v", o.alg, serverAlgorithms))
	case !secure && (o.mtls || o.askMain):
		panic("authserver: MutualTLS and AskCertificates need NewTLSServer")
	case o.pushed.lifetime < time.Second:
		panic("authserver: PARLifetime is less than a second: expires_in has whole seconds")
	}
	return o
}

// Listen makes the server listen on a fixed loopback address, such as
// "localhost:9000" or "127.0.0.1:0". Its host becomes the host of [Server.URL].
// Port 0 stands for a free port. Without this option, the server listens on
// "127.0.0.1:0".
func Listen(addr string) Option { return option(func(o *options) { o.addr = addr }) }

// Users replaces the people who can sign in. The first one signs in unless
// [Server.SetUser] or a login_hint says otherwise. Without this option there
// are alice, bob and carol. The e-mail address of carol is not verified.
func Users(users ...User) Option {
	return option(func(o *options) { o.users = append([]User(nil), users...) })
}

// Algorithm chooses how the server signs ID tokens and all other JWTs: "ES256",
// which is the default, "RS256", "PS256" or "EdDSA" (with Ed25519).
func Algorithm(alg string) Option { return option(func(o *options) { o.alg = alg }) }

// Ed25519Name makes the server list and accept the name Ed25519 (RFC 9864) in
// what clients sign, and refuse EdDSA. Without this option, it is the reverse.
func Ed25519Name() Option { return option(func(o *options) { o.renamed = true }) }

// OfferPAR advertises the endpoint for pushed authorization requests (RFC 9126)
// in the metadata and in [Server.Provider]. Without this option, and without a
// client that is registered with RequirePAR, the endpoint works too, but is not
// advertised.
func OfferPAR() Option { return option(func(o *options) { o.pushed.offered = true }) }

// RequirePAR refuses every authorization request that has not been pushed. It
// includes [OfferPAR].
func RequirePAR() Option {
	return option(func(o *options) { o.pushed.offered, o.pushed.required = true, true })
}

// PARLifetime sets how long a pushed request can be used (expires_in). Without
// this option, it is a minute.
func PARLifetime(d time.Duration) Option {
	return option(func(o *options) { o.pushed.lifetime = d })
}

// RequireSignedRequest refuses every authorization request without a request
// object (RFC 9101 section 10.5).
func RequireSignedRequest() Option { return option(func(o *options) { o.mustSign = true }) }

// Certificate makes a server of [NewTLSServer] show cert, whose Leaf is set, so
// that a browser that trusts it shows the server's pages.
func Certificate(cert tls.Certificate) Option {
	return option(func(o *options) { o.cert = cert })
}

// CodeLifetime is how long a code can be redeemed. Without it, a minute.
func CodeLifetime(d time.Duration) Option {
	return option(func(o *options) { o.codeLifetime = d })
}
