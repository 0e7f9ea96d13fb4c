// Package grant keeps tokens alive for all instances of an app.
//
// A grant is what a provider gave for one person: a refresh token, access
// tokens, scopes, an ID token, an [authcode.Identity]. Save it after the login,
// and store its ID with the app's session or account:
//
//	id, err := grants.Save(ctx, client, login)
//
// From then on any instance or worker gets a valid token:
//
//	g, err := grants.Open(ctx, id)
//	token, err := g.Token(ctx)
//
// # Several instances
//
// Providers that replace refresh tokens take a second use of one for a theft,
// and end the grant. So one instance renews at a time, and the others wait for
// its result. There is no lock service: the [Store] compares and swaps. Every
// instance calls [Grants.Run], which takes up renewals that were interrupted.
//
// # The life of a renewal
//
// A record has a content, with a version, and a lease. The states of a record,
// and what leads from one to the next:
//
//	idle       nobody renews it
//	             token expired or ageing: take the lease, by compare and swap
//	             on the version                                    -> leased
//	leased     one holder, for three seconds
//	             work with the record that taking the lease returned
//	             too little of the lease is left: extend it first
//	             send the refresh token, once                      -> sent
//	             the app's Config.Clients failed                   -> waiting
//	sent       Tries and Since in the record say that the token may be spent
//	             every second: extend the lease, for twenty seconds at most
//	             answer, to be checked: save it as pending         -> leased
//	             answer, checked: save it, give up the lease       -> idle
//	             the refresh token is refused: read again.
//	               It is still the current one: delete the record  -> ended
//	               Another one is there: go on with that           -> idle
//	             any other failure                                 -> waiting
//	             the holder dies or is stopped: the lease runs out -> abandoned
//	waiting    nobody may take the lease for 1 s, doubling to 60 s, or for the
//	           time that the provider asks for
//	             somebody asks, or Run                             -> leased
//	abandoned  the next one who asks, or Run, within about two seconds:
//	             wait half a second for a save that was held up, then take the
//	             lease and send once more                          -> leased
//
// A save needs the refresh token that was sent to be the current one. It does
// not need the lease: a late holder saves as long as nobody has replaced the
// token. One that was overtaken drops its answer. While the store is away, a
// save is tried again without end. If the record was deleted, the holder revokes
// what it got; only [Grants.Save] creates records.
//
// A refresh token is sent twice only if the first answer has not arrived: the
// holder died, was stopped for longer than its lease, or got a time-out or a
// server error. If the provider accepts a refresh token again for some seconds,
// no grant is lost then. A strict one ends the grants whose renewal was under way.
//
// # Time
//
// All time is the store's, so the clocks of the instances may differ. A renewal
// waits up to fifteen seconds. Time in which the process was stopped does not
// count: when it wakes up, the answer may be in its socket. For the same reason,
// the ResponseHeaderTimeout of an [authcode.Config].Transport of your own should
// be 90 s or more.
//
// # Security
//
// Records are sealed with AES-256-GCM, with a key of their own, and bound to
// their ID and version. IDs are stored as hashes, persons as keyed digests. A
// stolen table reveals no token and no person, and an edited, swapped or mixed
// record does not open. A whole older row that is put back looks like the newest
// one: its refresh token may be spent, and then the next renewal ends the grant.
//
// # Errors
//
// Every error is an [*authcode.Error], or wraps one beside the error of the
// Store. If Final is set, the grant has ended: the person has to sign in again.
// docs/checks.md has each Check.
package grant
