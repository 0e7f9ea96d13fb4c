// Package logincost measures what a login with an ID token costs beside logins
// that are written with x/oauth2, go-oidc and securecookie, and with zitadel's
// relying party. It holds tests only, and needs neither a server nor a browser.
package logincost
