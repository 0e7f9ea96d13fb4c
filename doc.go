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
// Nothing that this package prints, logs or shows holds a secret: not [Config], [Client], [Login],
// [TokenSource] or [Error], with any verb or encoder. The exceptions are [Login.Token], which is
// x/oauth2's type, and a Config, Login or BackChannelRequest inside a struct of the app's where package fmt asks no method: in
// an unexported field, or behind a pointer with a verb that is none for pointers. Keep the Client.
//
// # Errors
//
// Every error is an [*Error], but for those of an app's own function, which come back as they are. Its [Reason] says what to do and has one HTTP status; its Check
// names the rule that failed, for tests and logs:
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
// [Provider] is data. Who the app is ([ClientAuth]), where the endpoints are ([Metadata]), who the
// user is ([Identifier]), what binds tokens ([Binding]), what signs what the browser carries ([Messages]), what
// several instances share ([UsedStates]), how bytes travel ([Config.HTTPClient]) and what people see
// ([Config.OnError]) are the seams. A part with a method Validate() error is asked by [New].
//
// # Testing
//
// Package authtest is an authorization server in one line, strict by default and faulty on
// demand, with one call that signs a test's HTTP client in at the app.
//
// # Compatibility
//
// The names of reasons and checks, the cookie's format across one release, and the exported API are
// kept as Go modules promise. The Config of a future version may refuse what is found to be unsafe.
package authcode
