package try

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
)

// issuerArgs are the options of a provider that is looked up, with further ones.
func issuerArgs(args ...string) []string {
	return append([]string{"-issuer", "https://op.example", "-client-id", "me"}, args...)
}

var (
	keyArgs  = []string{"-client-key", "k.pem"}
	certArgs = []string{"-client-cert", "c.pem", "-client-cert-key", "k.pem"}
)

// longSecret is long enough for client_secret_jwt.
var longSecret = strings.Repeat("canary", 8)

// combinations cannot work. Where a value is wrong it is canary, and is not repeated.
var combinations = []struct {
	name string
	args []string
	want string
}{
	{"an unknown method", issuerArgs("-client-auth", "canary"),
		"-client-auth must be one of secret, none, private_key_jwt"},
	{"an unknown binding", issuerArgs("-bind", "canary"), "-bind must be one of none, dpop, tls"},
	{"an unknown push", issuerArgs("-par", "canary"), "-par must be one of auto, always, required"},
	{"an unknown profile", issuerArgs("-fapi", "canary"), "-fapi must be one of security, message-signing"},
	{"an unknown algorithm", issuerArgs("-client-key", "k.pem", "-client-key-alg", "canary"),
		"-client-key-alg must be one of RS256"},
	{"an unknown audience", issuerArgs("-client-audience", "canary"),
		"-client-audience must be one of issuer"},
	{"a key without a provider", keyArgs, "-client-key needs a provider"},
	{"a certificate without a provider", certArgs, "-client-cert needs a provider"},
	{"a push address without a provider", []string{"-par-url", "https://op.example/par"},
		"-par-url needs a provider"},
	{"secret without one", issuerArgs("-client-auth", "secret"),
		"needs a secret: set AUTHCODE_CLIENT_SECRET"},
	{"a short secret", issuerArgs("-client-auth", "client_secret_jwt", "-client-secret", "canary"),
		"a secret of 32 bytes or more"},
	{"private_key_jwt without key", issuerArgs("-client-auth", "private_key_jwt"), "needs -client-key"},
	{"tls without certificate", issuerArgs("-client-auth", "tls"),
		"need -client-cert and -client-cert-key"},
	{"bound without certificate", issuerArgs("-bind", "tls"), "need -client-cert and -client-cert-key"},
	{"half a certificate", issuerArgs("-client-cert", "c.pem"),
		"both -client-cert and -client-cert-key"},
	{"signing without key", issuerArgs("-sign-requests"), "-sign-requests needs -client-key"},
	{"secret or key", issuerArgs("-client-secret", longSecret, "-client-key", "k.pem"),
		"choose one with -client-auth"},
	{"a secret and none", issuerArgs("-client-secret", longSecret, "-client-auth", "none"),
		"-client-secret is not used with -client-auth none"},
	{"a secret and a certificate", issuerArgs(append(certArgs, "-client-secret", longSecret,
		"-client-auth", "tls")...),
		"-client-secret is not used with -client-auth tls"},
	{"an idle key", issuerArgs("-client-key", "k.pem", "-client-auth", "none"),
		"-client-key is not used"},
	{"an idle certificate", issuerArgs(append(certArgs, "-client-auth", "none")...),
		"-client-cert is not used"},
	{"a style of no secret", issuerArgs("-client-key", "k.pem", "-auth-style", "none"),
		"-auth-style says where a secret is sent"},
	{"a key id without key", issuerArgs("-client-key-id", "k"), "need -client-key"},
	{"an audience of nothing", issuerArgs("-client-audience", "endpoint"),
		"-client-audience needs -client-auth"},
	{"an idle proof key", issuerArgs("-dpop-key", "k.pem"), "-dpop-key needs -bind dpop"},
	{"an assertion for nobody", with(keyArgs...), "needs -issuer, which is the audience of its assertions"},
	{"a certificate over http", append([]string{"-issuer", "http://localhost:9", "-client-id",
		"me"}, certArgs...), "need https: over http no certificate"},
	{"a push to nowhere", with("-par", "always"), "-par always needs -par-url"},
	{"two push addresses", issuerArgs("-par-url", "https://op.example/par"),
		"with -issuer alone it is looked up"},
	{"signed responses of nobody", with("-signed-responses"), "need -issuer"},
	{"introspection at nobody", with("-introspect"), "need -issuer"},
	{"an invalid age", issuerArgs("-max-age", "1h"), "-max-age must be a whole number"},
	{"a relative resource", issuerArgs("-resource", "/api"), "-resource must be an absolute URI"},
	{"a resource with fragment", issuerArgs("-resource", "https://a.example https://b.example/#x"),
		"-resource must be an absolute URI"},
	{"details that are none", issuerArgs("-authorization-details", `{"type":"canary"}`),
		"must be a JSON array"},
	{"details without type", issuerArgs("-authorization-details", `[{"kind":"canary"}]`),
		"an object with a type"},
	{"acr_values twice", issuerArgs("-acr-values", "a", "-login-params", "acr_values=b"),
		"-login-params sets acr_values"},
	{"FAPI with a secret", issuerArgs("-fapi", "security", "-client-secret", longSecret),
		"-fapi needs -client-auth private_key_jwt"},
	{"FAPI with bearer tokens", issuerArgs(append(keyArgs, "-fapi", "security", "-bind",
		"none")...), "forbids bearer tokens"},
	{"FAPI without push", issuerArgs(append(keyArgs, "-fapi", "security", "-par", "auto")...),
		"pushes every authorization request"},
	{"FAPI with RS256", issuerArgs(append(keyArgs, "-fapi", "security", "-client-key-alg",
		"RS256")...), "-fapi forbids RS256"},
	{"FAPI with another audience", issuerArgs(append(keyArgs, "-fapi", "security",
		"-client-audience", "token-url")...), "for the issuer"},
	{"FAPI over http", []string{"-fapi", "security", "-base-url", "http://localhost:1"},
		"https for this app"},
	{"FAPI at an http provider", append([]string{"-issuer", "http://localhost:9", "-client-id",
		"me", "-fapi", "security"}, keyArgs...),
		"https for the provider"},
	{"FAPI without issuer", with(append(certArgs, "-fapi", "security", "-par-url",
		"https://op.example/par")...), "-fapi needs -issuer"},
	{"unsigned message signing", issuerArgs(append(keyArgs, "-fapi", "message-signing",
		"-signed-responses=false")...),
		"signs requests and responses"},
}

func TestCombinationsThatCannotWork(t *testing.T) {
	for _, test := range combinations {
		t.Run(test.name, func(t *testing.T) {
			var stderr strings.Builder
			ended, stop := context.WithCancel(t.Context())
			stop() // options that pass end at once
			status := Run(ended, test.args, environment(nil), io.Discard, &stderr)
			if status != 2 || !strings.Contains(stderr.String(), test.want) {
				t.Errorf("status %d: %s, want %q in it", status, &stderr, test.want)
			}
			if strings.Contains(stderr.String(), "canary") {
				t.Errorf("a value is repeated: %s", &stderr)
			}
		})
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	_, err := parseOptions(issuerArgs("-fapi", "security", "-bind", "none", "-max-age", "x"),
		environment(nil), io.Discard)
	for _, want := range []string{"-fapi needs -client-auth", "forbids bearer tokens", "-max-age"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}

func TestFlagsWithoutAnyProvider(t *testing.T) {
	env := environment(map[string]string{"GITHUB_CLIENT_ID": "a", "GITHUB_CLIENT_SECRET": "b"})
	if _, err := parseOptions([]string{"-bind", "dpop"}, env, io.Discard); err == nil ||
		!strings.Contains(err.Error(), "or -demo") {
		t.Errorf("the flag is about nothing: %v", err)
	}
	if _, err := parseOptions([]string{"-bind", "dpop", "-demo"}, env, io.Discard); err != nil {
		t.Error(err)
	}
}

func TestSecurityDefaults(t *testing.T) {
	for _, test := range []struct {
		args            []string
		auth, bind, par string
	}{
		{nil, bySecret, bindNothing, "auto"},
		{[]string{"-fapi", "security"}, byKey, bindDPoP, "always"},
		{issuerArgs(), byNothing, bindNothing, "auto"},
		{issuerArgs("-client-secret", "s"), bySecret, bindNothing, "auto"},
		{issuerArgs(keyArgs...), byKey, bindNothing, "auto"},
		{issuerArgs(certArgs...), byTLS, bindNothing, "auto"},
		{issuerArgs(append(keyArgs, "-fapi", "security")...), byKey, bindDPoP, "always"},
		{issuerArgs(append(certArgs, "-fapi", "security")...), byTLS, bindTLS, "always"},
		{issuerArgs(append(slices.Concat(keyArgs, certArgs), "-fapi", "security")...), byKey,
			bindTLS, "always"},
	} {
		o, err := parseOptions(test.args, environment(nil), io.Discard)
		if err != nil || o.clientAuth != test.auth || o.bind != test.bind || o.par != test.par {
			t.Errorf("%v: -client-auth %s -bind %s -par %s, error %v", test.args, o.clientAuth,
				o.bind, o.par, err)
		}
	}
	o, err := parseOptions([]string{"-fapi", "message-signing"}, environment(nil), io.Discard)
	if err != nil || !o.signRequests || !o.signedResponses {
		t.Errorf("message signing: %v", err)
	}
	if base := o.base(1); base != "https://localhost:1" {
		t.Errorf("the app is at %s", base)
	}
}
