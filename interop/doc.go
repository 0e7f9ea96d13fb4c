// Package interop signs in for real. Packages authcode and oidc sign in at
// oidc-provider, which is a certified OpenID Provider on Node, at Keycloak on
// Java, and at dex and zitadel's OpenID Provider library, which run in the
// process of the tests. Packages fapi, clientauth and dpop sign in at
// oidc-provider under FAPI 2.0 and at Keycloak, over mutual TLS with
// certificates that are made for each run. The command authcode is built:
// authcode try signs in with Chromium, and authcode check reads each server and
// writes a program that signs in there. Package grant/sqlstore keeps records in
// PostgreSQL, directly and through PgBouncer, in MariaDB and in SQLite. Module
// redisstore loses its Redis, and goes on with the replica that takes over. In
// TestKill, instances of an app with package grant are killed and stopped on
// each of these stores. It is a module of its own, so that users of authcode
// download neither servers nor drivers of databases and browsers nor an HTML
// parser.
//
// It holds tests only. They need Node, Chromium, Java, Maven, PostgreSQL,
// PgBouncer, MariaDB and Redis, skip without them and say how to install them;
// with CI=true they fail instead. Databases run on loopback with folders of
// their own. Keycloak is downloaded once (177 MB) and kept in the user's cache
// directory. Screenshots are written to the folder screenshots. Its go commands
// run with GOWORK=off, since go.work at the top is for the example and
// redisstore.
package interop
