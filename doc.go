// Package authcode signs users in to server-side web apps with the OAuth 2.0 authorization code
// grant (RFC 6749 section 4.1): "Log in with X". golang.org/x/oauth2 gives an app two URLs; this
// package is the login between them.
//
//	client, err := authcode.New(authcode.Config{…})
//	mux.Handle("/login", client.LoginHandler(authcode.ReturnToParam("next")))
//	mux.Handle("/callback", client.CallbackHandler(http.HandlerFunc(welcome)))
//
// The handler welcome gets the [Login] with [FromContext], starts the app's own session and ends
// with [Login.Redirect]. Routers and frameworks call [Client.AuthCodeURL] and [Client.Exchange],
// which the two handlers are made of.
//
// # Security
//
// Every login has a random state and an S256 code challenge (RFC 7636), kept in one encrypted and
// signed cookie of its own, so that tabs do not disturb each other. The callback is checked in
// full before anything changes, and a code is sent to the provider once, with one method of client
// authentication, without following redirects, within ten seconds. There is no switch that turns any of
// this off. What is guaranteed, what is trusted and what is out of scope stands in SECURITY.md.
//
// Nothing that this package prints, logs or shows holds a secret. [Config], [Client], [Login],
// [TokenSource] and what seams are handed print and marshal as REDACTED, and [Error] without the words of
// a server, with any verb or encoder. The exceptions are [Login.Token], which is
// x/oauth2's type, and a Config, Login or TokenRequest inside a struct of the app's where package fmt calls no method: in
// an unexported field, or behind a pointer with a verb that is not for pointers. Keep the Client.
//
// # Errors
//
// Every error is an [*Error], except those of an app's own function, which come back as they are. Its
// [Reason] says what to do and has one HTTP status; its Check names the rule that failed, for tests and
// logs; Final says that the person has to sign in again:
//
//	if errors.Is(err, authcode.Denied) { … }
//
// The handlers show [ErrorPage] or call [Config.OnError]. A failed login never starts again by
// itself: the page offers a link to [Config.LoginURL].
//
// # Concurrency
//
// A [Client] never changes after [New] and is safe for concurrent use, as is a [TokenSource]. There
// are no globals and no log output, and no goroutine but a TokenSource's refresh, which may outlive its
// caller by twenty seconds. What [New] is given it copies.
//
// # Extending
//
// [Provider] is data. The seams are structs of functions and facts, so a copy with another function around the
// first is a wrapper that loses nothing: who the app is ([ClientAuth]), what binds tokens ([Binding]), what
// signs what the browser carries ([MessageSigning]); where the endpoints are, who the user is and what the
// provider has signed ([Provider.Metadata], [Provider.Identity], [Provider.Verify]). How bytes travel is
// [Config.Transport] with [Config.Wrap] around it, what several instances share is [UsedStates], what people see
// is [Config.OnError]. Every seam is handed a [Connection] with the rules of the Config; what it returns is
// checked. A constructor keeps what is wrong with its arguments in the field Err, which New lists.
//
// # Testing
//
// Package authtest is an authorization server for an app's tests. One call takes an HTTP client
// through a whole login. Faults and a clock that a test moves show what else can happen.
//
// # Compatibility
//
// The names of reasons and checks, the cookie's format across one release, and the exported API are
// kept as Go modules promise. The Config of a future version may refuse what is found to be unsafe.
package authcode
