// Package interop signs in for real: packages authcode and oidc against oidc-provider, a certified
// OpenID Provider on Node, dex and zitadel's OpenID Provider library, both in the process of the
// tests, and the example in Chromium; packages fapi, clientauth and dpop against oidc-provider under
// FAPI 2.0, over mutual TLS with certificates made on the spot. It is a module of its own, so that
// users of authcode download neither servers nor a browser driver nor an HTML parser.
//
// It holds tests only. They need Node and Chromium, skip without them and say how to install
// them; with CI=true they fail instead. Screenshots are written to the folder screenshots.
package interop
