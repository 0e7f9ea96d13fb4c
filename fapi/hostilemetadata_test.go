package fapi_test

import (
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// TestHostileMetadata: documents that a login needs. A browser is sent nowhere before they are good.
func TestHostileMetadata(t *testing.T) { run(t, metadataRows()) }

func metadataRows() []row {
	set, drop := authserver.Set, authserver.Drop
	refused, accepted := rowsAt(authserver.Discovery, setup{})
	bad := func(name, check string, faults ...authserver.Fault) row {
		return refused(name, authcode.BadAnswer, check, faults...)
	}
	plain := `"http://localhost/` + word + `"`
	return []row{
		bad("another issuer", "discovery.issuer", set("issuer", `"https://`+word+`.example"`)),
		bad("no issuer", "discovery.issuer", drop("issuer")),
		bad("two issuers", "discovery.form", authserver.Repeat("issuer", `"https://`+word+`.example"`)),
		bad("no token endpoint", "discovery.endpoints", drop("token_endpoint")),
		bad("http for tokens", "discovery.endpoints", set("token_endpoint", plain)),
		bad("http for the browser", "discovery.endpoints", set("authorization_endpoint", plain)),
		bad("no pushed requests", "metadata.endpoints", drop("pushed_authorization_request_endpoint")),
		bad("http for pushed requests", "metadata.endpoints", set("pushed_authorization_request_endpoint", plain)),
		bad("no keys", "jwks.endpoint", drop("jwks_uri")),
		bad("http for keys", "jwks.endpoint", set("jwks_uri", plain)),
		bad("PKCE without S256", "discovery.pkce", set("code_challenge_methods_supported", `["plain"]`)),
		bad("an endpoint that is a number", "discovery.form", set("pushed_authorization_request_endpoint", "1")),
		bad("aliases that are a list", "discovery.form", set("mtls_endpoint_aliases", "[]")),
		bad("an alias that is a number", "discovery.form", set("mtls_endpoint_aliases", `{"token_endpoint":1}`)),
		accepted("pushed requests that need not be", set("require_pushed_authorization_requests", "false")),
		accepted("RS256 is advertised too", set("id_token_signing_alg_values_supported", `["RS256","ES256"]`)),
		accepted("algorithms are not advertised", drop("id_token_signing_alg_values_supported")),
		accepted("other responses are advertised", set("authorization_signing_alg_values_supported", `["none"]`)),
	}
}

// TestHostileKeys: the provider's JWKS.
func TestHostileKeys(t *testing.T) {
	run(t, keyRows(setup{}, authcode.IdentityRefused, authserver.Token))
	run(t, under(keyRows(signing, authcode.Forged, authserver.Authorization), "signed response", func(*setup) {}))
}

func keyRows(in setup, reason authcode.Reason, until authserver.Place) []row {
	set := authserver.Set
	refused, accepted := rowsAt(authserver.JWKS, in)
	rows := []row{
		refused("no keys", reason, "jwks.key", set("keys", "[]")),
		refused("keys for encryption", reason, "jwks.key", authserver.EachKey(set("use", `"enc"`))),
		refused("keys for another algorithm", reason, "jwks.key", authserver.EachKey(set("alg", `"RS256"`))),
		refused("another kid", reason, "jwks.key", authserver.EachKey(set("kid", `"`+word+`"`))),
		refused("keys that are an object", authcode.BadAnswer, "jwks.form", set("keys", "{}")),
		refused("no list of keys", authcode.BadAnswer, "jwks.form", authserver.Drop("keys")),
		refused("two lists of keys", authcode.BadAnswer, "jwks.form", authserver.Repeat("keys", "[]")),
		accepted("keys without kid", authserver.EachKey(authserver.Drop("kid"))),
	}
	for i := range rows {
		rows[i].until = until
	}
	for _, kind := range []string{"secp256k1", "Ed25519", "X25519", "encryption", "symmetric", "unknown", "broken", "null", "twin"} {
		rows = append(rows, accepted("a key more: "+kind, authserver.OddKey(kind)))
	}
	return rows
}
