// Package interop signs in for real: package authcode against oidc-provider, a certified OpenID
// Provider on Node, and its example in Chromium. It is a module of its own, so that users of
// authcode download neither a browser driver nor an HTML parser.
//
// It holds tests only. They need Node and Chromium, skip without them and say how to install
// them; with CI=true they fail instead. Screenshots are written to the folder screenshots.
package interop
