// Package session keeps people signed in: on every instance of an app, for as
// long as the login lasts.
//
//	sessions, err := session.New(session.Config{Keys: [][]byte{key}, LoginURL: "/login"})
//	…
//	client.Mount(mux, sessions.SignIn(client))
//	mux.Handle("GET /account", sessions.Require(account))
//	mux.Handle("POST /logout", sessions.SignOut())
//
// The handler account finds the [Session] with [FromContext]: who signed in, a
// live token, an HTTP client for the provider's API. An app that has sessions
// already leaves this package out and uses package grant alone.
//
// # What a session is
//
// A session is a browser's. Its record has the hash of a random id, and points
// to a grant, which package grant keeps alive; the cookie has the id and nothing
// else. The session ends with Config.Lifetime, Config.IdleTimeout, the claim
// session_expiry of the newest ID token (IPSIE), or the grant, whichever comes
// first.
//
// # Several instances
//
// Instances share a [grant.Store], which is in memory unless Config.Store is
// set. What one instance ends has ended for all of them with the next request,
// and no request that is under way brings it back: only a sign-in creates a
// record. A request costs one operation of the store.
//
// A provider ends sessions with [Sessions.End]. It leaves a mark for a quarter
// of an hour, so that a login which began before does not come back as a
// session.
//
// # Security
//
// Records are sealed as in package grant: a copy of the store signs nobody in
// and names nobody. The cookie is HttpOnly, Lax and of one host, on https with a
// prefix that neither a script nor a sibling subdomain can write; two cookies of
// that name sign nobody in. Each sign-in has a new id and ends the browser's
// former session. Sign-outs of other sites are refused. Protect the app's own
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
