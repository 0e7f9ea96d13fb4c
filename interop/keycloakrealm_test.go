package interop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"example.com/authcode/clientauth"
)

// The realm of the tests, with a space in its name, and the one person in it.
const keycloakName, keycloakAccount, keycloakPassword = "acme staff", "alice", "wonder land+1"

// keycloakSecret is of every client that has one.
const keycloakSecret = `s:e+c r%e%2Bt&=/?"# and 32 bytes for HS256`

// keycloakRealm is what the realm file and the tests share.
type keycloakRealm struct {
	key         crypto.Signer   // signs for every client
	certificate tls.Certificate // of every client that has one

	// bell is a server of the tests that Keycloak knows the address of:
	// logouts reach the handler that is in answer.
	bell   *httptest.Server
	answer atomic.Pointer[http.Handler]
}

// ServeHTTP answers the logout requests of Keycloak.
func (k *keycloakRealm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h := k.answer.Load(); h != nil {
		(*h).ServeHTTP(w, r)
	}
}

// newRealm makes the keys of the clients, and the realm file.
func (k *keycloakRealm) newRealm() ([]byte, error) {
	authority, err := runCertificate()
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	k.key = key
	of := template("keycloak client", x509.ExtKeyUsageClientAuth)
	k.certificate, err = authority.issue(of, key)
	if err != nil {
		return nil, err
	}
	jwks, err := clientauth.PublicJWKS(clientauth.Key{Signer: key})
	if err != nil {
		return nil, err
	}
	k.bell = httptest.NewServer(k)
	whenDone(k.bell.Close)
	var clients []any
	for _, row := range keycloakClients {
		clients = append(clients, row.registration(k, string(jwks)))
	}
	return json.Marshal(map[string]any{
		"realm": keycloakName, "enabled": true, "clients": clients,
		"users": []any{keycloakPerson("of alice")},
	})
}

// keycloakPerson is alice in Keycloak's own words.
func keycloakPerson(lastName string) map[string]any {
	return map[string]any{
		"username": keycloakAccount, "enabled": true, "email": "alice@example.test",
		"emailVerified": true, "firstName": "Name", "lastName": lastName,
		"credentials": []any{map[string]any{"type": "password", "value": keycloakPassword}},
	}
}

// registration is the client in Keycloak's own words.
func (c keycloakClient) registration(k *keycloakRealm, jwks string) map[string]any {
	attributes := map[string]string{
		"pkce.code.challenge.method": "S256",
		// Keycloak reads what it needs for the client's authenticator.
		"use.jwks.string": "true", "jwks.string": jwks,
		"x509.subjectdn":                      "CN=keycloak client,O=authcode interop",
		"x509.allow.regex.pattern.comparison": "false",
	}
	for name, value := range c.attributes {
		attributes[name] = value
	}
	if c.name == keycloakLeaver {
		attributes["backchannel.logout.url"] = k.bell.URL
		attributes["backchannel.logout.session.required"] = "true"
		attributes["post.logout.redirect.uris"] = "+"
	}
	// The apps of the tests are at ports that nobody knows yet.
	redirect := "https://localhost:*"
	if c.name == keycloakElsewhere {
		redirect = "https://app.example/callback"
	}
	return map[string]any{
		"clientId": c.name, "clientAuthenticatorType": c.authenticator, "secret": keycloakSecret,
		"redirectUris": []string{redirect},
		// Without it, a client may not ask what its own token is.
		"protocolMappers": []any{map[string]any{
			"name": "audience", "protocol": "openid-connect",
			"protocolMapper": "oidc-audience-mapper",
			"config": map[string]string{
				"included.client.audience": c.name, "access.token.claim": "true",
				"introspection.token.claim": "true",
			},
		}},
		"attributes": attributes, "consentRequired": c.asks,
	}
}
