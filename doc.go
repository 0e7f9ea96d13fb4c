// Package authcode signs users in to server-side web apps with the OAuth 2.0
// authorization code grant (RFC 6749 section 4.1): "Log in with X".
//
//	client, err := authcode.New(authcode.Config{…})
//	client.Mount(mux, http.HandlerFunc(welcome))
//
// The handler welcome gets the [Login] from [FromContext], starts the app's own
// session and ends with [Login.Redirect]. Mount puts [Client.LoginHandler] and
// [Client.CallbackHandler] on an [http.ServeMux]; other routers mount the two
// themselves. Frameworks with other handlers call [Client.AuthCodeURL] and
// [Client.Exchange] instead.
//
// # Security
//
// Every login has a random state and an S256 code challenge (RFC 7636), sealed
// in its own cookie, so several tabs can sign in at once. [Client.Exchange]
// checks the whole callback before it changes anything, sends a code once and
// follows no redirect. No option turns any of this off. SECURITY.md says what
// is guaranteed, what is trusted and what is out of scope.
//
// Nothing that this package prints, logs or shows contains a secret: values
// with secrets print and marshal as REDACTED. There are two exceptions.
// [Login.Token] has x/oauth2's type, which prints its secrets. And package fmt
// bypasses the methods of a Config, Login or TokenRequest in an unexported
// field, or behind a pointer and printed with a verb that pointers do not have.
// Keep the Client.
//
// # Errors
//
// Every error is an [*Error], except from an app's own function. Its [Reason]
// says what to do: errors.Is(err, authcode.Denied). Its Check names the rule
// that failed. The handlers show [ErrorPage] or call [Config.OnError]. A failed
// login never restarts by itself.
//
// # Extending
//
// [Provider] is data. [ClientAuth], [Binding] and [MessageSigning] are structs
// of functions and facts: to wrap one, copy it and replace a function. If a
// constructor gets bad arguments, it says so in the field Err, which [New]
// reports. Each function gets a [Connection] with the rules of the Config, and
// the Client checks what it returns. A foreign error, which is not an [*Error],
// becomes [Configuration] unless the field says otherwise. Package authtest is
// an authorization server for an app's tests.
//
// # Compatibility
//
// The exported API and the names of reasons and checks follow Go's rules for
// modules. A release can open the login cookies of the one before it. It may
// refuse a Config that turned out to be unsafe.
package authcode
