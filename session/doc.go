// Package session keeps people signed in: on every instance of an app, for as
// long as the login lasts.
//
//	sessions, err := session.New(session.Config{Keys: [][]byte{key}, LoginURL: "/login"})
//	…
//	client.Mount(mux, sessions.SignIn(client))
//	mux.Handle("GET /account", sessions.Require(http.HandlerFunc(account)))
//	mux.Handle("POST /logout", sessions.SignOut())
//
// The handler account finds the [Session] with [FromContext]: who signed in, a
// live token, an HTTP client for the provider's API. An app that has sessions
// already leaves this package out and uses package grant alone.
//
// # What a session is
//
// A session belongs to one browser. The cookie has a random id and nothing else.
// The record in the store has the hash of the id, and points to a grant, which
// package grant keeps alive. The session ends with Config.Lifetime, Config.IdleTimeout, the claim
// session_expiry of the newest ID token (IPSIE), or the grant, whichever comes
// first.
//
// # Several instances
//
// Instances share Config.Store. Without it, sessions are in the memory of one
// process. A session that one instance ends has ended for all of them with the
// next request. No request that is under way brings it back, because only a
// sign-in creates a record. A request costs one operation of the store.
//
// When a provider signs a person out, call [Sessions.End]. It leaves a mark in
// the store for a quarter of an hour, which refuses logins that began before.
//
// # Security
//
// Records are sealed as in package grant: a copy of the store signs nobody in
// and names nobody. The cookie is HttpOnly, Lax and of one host. On https it has a
// prefix that neither a script nor a sibling subdomain can write. Two cookies of
// that name sign nobody in. Each sign-in has a new id and ends the browser's
// former session. A sign-out that another site posts is refused. Protect the app's own
// forms with [http.CrossOriginProtection].
//
// # Errors
//
// Errors are an [*authcode.Error], or wrap one beside the error of the Store.
// Failures of a sign-in go to [authcode.Client.Refuse], others to
// Config.OnError. If the Store is down, requests are answered with status 503,
// and the sessions are there afterwards. If no key opens a session, the person
// signs in again. docs/checks.md has each Check.
package session
