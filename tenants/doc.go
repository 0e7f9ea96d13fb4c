// Package tenants signs people in with any number of providers, which the app
// learns about while it runs: each customer brings one.
//
//	registry, err := tenants.New(tenants.Config{
//		Load:        load, // reads a tenant's configuration from a table
//		CookieKeys:  [][]byte{key},
//		RedirectURL: "https://app.example/callback",
//	})
//	…
//	mux.Handle("/login/{tenant}", registry.LoginHandler(key))
//	mux.Handle("/callback", registry.CallbackHandler(sessions.SignIn(registry)))
//
// A tenant is a key of the app's: a UUID, a host name, a slug, any text up to
// 255 bytes. It is compared byte for byte. docs/tenants.md has a whole program.
//
// # The life of a tenant
//
// A tenant is loaded at its first login, once for all who wait, and again after
// Config.RenewAfter or [Registry.Forget]. A login ends with the Config that it
// began with, if this instance still has it; elsewhere, and if the provider has
// changed, the person is asked to start again. A tenant that cannot be loaded
// fails alone. One that takes long to load again keeps its former Config
// meanwhile. What was used least recently is dropped from memory. When a tenant
// was removed ([ErrNotFound]), the sessions of its people end with their next
// request.
//
// # Security
//
// The login cookies are the registry's: its keys seal them, and its name is in
// theirs. The tenant stands inside, and is read from there alone, never from the
// callback. A cookie of one tenant finishes no login of another.
//
// A customer's provider may be hostile to the others (RFC 9700 section 4.4). So a
// tenant either has a provider that puts iss into each answer (RFC 9207), which
// is then demanded, or a redirect URL of its own, where no other tenant's answer
// is accepted. A tenant with neither is refused, and the error says so.
//
// Take an issuer from a customer, and make the Provider with package oidc:
// endpoints that a customer types in could name somebody else's issuer. What was
// loaded from a provider is shared by tenants with the same issuer, metadata URL
// and Transport, and by no others.
//
// One-time use holds over all tenants of a registry.
//
// # People
//
// A person is (issuer, subject), of one tenant: two tenants may have one issuer.
// [authcode.Login.Client] and package session say which tenant it was. A session
// of package session belongs to the tenant that made it: see Config.Tenant there.
//
// # Errors
//
// Errors are an [*authcode.Error]. Those of a tenant go to Config.OnError, like
// the others, with its key in Tenant. Pages never show a key, and log lines only
// a key that Load has confirmed.
package tenants
