package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

var (
	keyBytes = bytes.Repeat([]byte("0123456789abcde\xff"), 2)
	hexKey   = hex.EncodeToString(keyBytes)
	endsArgs = []string{"-auth-url", "https://op.example/a", "-token-url", "https://op.example/t", "-client-id", "me"}
)

// with returns the options of a provider with further arguments.
func with(args ...string) []string { return append(slices.Clone(endsArgs), args...) }

func environment(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

func TestBadOptionsAreExplained(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		env  map[string]string
		want string
	}{
		{"an unknown flag", []string{"-bogus"}, nil, "flag provided but not defined: -bogus"},
		{"an argument that is no flag", []string{"serve"}, nil, `unexpected argument "serve"`},
		{"only one endpoint", []string{"-auth-url", "https://op.example/a", "-client-id", "me"}, nil,
			"give both -auth-url and -token-url"},
		{"no client id", []string{"-issuer", "https://op.example"}, nil, "-client-id is missing"},
		{"a client id without a provider", []string{"-client-id", "me"}, nil, "-client-id needs a provider"},
		{"a secret without a provider", nil, map[string]string{"AUTHCODE_CLIENT_SECRET": "s"},
			"-client-secret needs a provider"},
		{"an unknown style", with("-auth-style", "header"), nil, `-auth-style is "header", want basic, body or none`},
		{"basic without a secret", with("-auth-style", "basic"), nil, "needs a secret: set AUTHCODE_CLIENT_SECRET"},
		{"none with a secret", with("-auth-style", "none", "-client-secret", "s"), nil, "-auth-style none contradicts"},
		{"a short key", with("-cookie-key", "abcd"), nil, "key 1 is not 32 bytes"},
		{"a short second key", with("-cookie-key", hexKey+",abcd"), nil, "key 2 is not 32 bytes"},
		{"the demo's name", with("-demo", "-name", "demo"), nil, "-name demo is taken"},
		{"a certificate without a key", []string{"-tls-cert", "c.pem"}, nil, "both -tls-cert and -tls-key"},
		{"a base URL with a path", []string{"-base-url", "https://app.example/x"}, nil, "paths are not supported"},
		{"a base URL with a query", []string{"-base-url", "https://app.example?x"}, nil, "paths are not supported"},
		{"a base URL without a scheme", []string{"-base-url", "app.example"}, nil, "not an absolute http or https URL"},
		{"plain http on a public host", []string{"-base-url", "http://app.example"}, nil, "-base-url must be https"},
		{"no key on a public host", []string{"-base-url", "https://app.example"}, nil, "-cookie-key is missing"},
		{"a broken query", with("-login-params", "a=%zz"), nil, "-login-params is not a query"},
		{"a repeated login parameter", with("-login-params", "a=1&a=2"), nil, `has "a" more than once`},
		{"a bad boolean in the environment", nil, map[string]string{"AUTHCODE_DEMO": "perhaps"}, "AUTHCODE_DEMO: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseOptions(test.args, environment(test.env), io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestErrorsKeepSecrets(t *testing.T) {
	for _, args := range [][]string{
		with("-cookie-key", "canary"), with("-client-secret", "canary", "-auth-style", "none"),
		with("-client-secret", "canary", "-cookie-key", "0"),
	} {
		if _, err := parseOptions(args, environment(nil), io.Discard); err == nil {
			t.Errorf("%v: no error", args)
		} else if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestAFlagWinsOverTheEnvironment(t *testing.T) {
	env := map[string]string{
		"AUTHCODE_CLIENT_ID": "env-id", "AUTHCODE_AUTH_URL": "https://env.example/a",
		"AUTHCODE_TOKEN_URL": "https://env.example/t", "AUTHCODE_COOKIE_KEY": "not a key",
		"AUTHCODE_FORM_POST": "true", "AUTHCODE_SCOPES": "",
	}
	o, err := parseOptions([]string{"-client-id", "flag-id", "-cookie-key", hexKey}, environment(env), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.clientID != "flag-id" || o.authURL != "https://env.example/a" || !o.formPost {
		t.Errorf("client id %q, auth URL %q, form post %v", o.clientID, o.authURL, o.formPost)
	}
	if keys, err := o.keys(); err != nil || len(keys) != 1 {
		t.Errorf("%d keys, error %v; want the flag's key alone", len(keys), err)
	}
}

func TestKeysInEveryNotation(t *testing.T) {
	for _, text := range []string{
		hexKey, strings.ToUpper(hexKey),
		base64.StdEncoding.EncodeToString(keyBytes), base64.RawStdEncoding.EncodeToString(keyBytes),
		base64.URLEncoding.EncodeToString(keyBytes), base64.RawURLEncoding.EncodeToString(keyBytes),
	} {
		o := options{cookieKeys: keyList{text}}
		if keys, err := o.keys(); err != nil || !bytes.Equal(keys[0], keyBytes) {
			t.Errorf("%s is read as %x, error %v", text, keys, err)
		}
	}
}

func TestDefaults(t *testing.T) {
	o, err := parseOptions(nil, environment(nil), io.Discard)
	if err != nil || !o.demo || o.configured() {
		t.Fatalf("without options: demo %v, configured %v, error %v", o.demo, o.configured(), err)
	}
	if got := o.base(8080); got != "http://localhost:8080" {
		t.Errorf("base URL is %s", got)
	}
	for _, test := range []struct {
		args   []string
		style  oauth2.AuthStyle
		scopes string
	}{
		{with(), oauth2.AuthStyleInHeader, ""},
		{with("-client-secret", "s", "-auth-style", "body"), oauth2.AuthStyleInParams, ""},
		{with("-issuer", "https://op.example"), oauth2.AuthStyleInHeader, "openid profile email"},
		{with("-issuer", "https://op.example", "-scopes", ""), oauth2.AuthStyleInHeader, ""},
		{with("-scopes", " a  b "), oauth2.AuthStyleInHeader, "a b"},
	} {
		o, err := parseOptions(test.args, environment(nil), io.Discard)
		if err != nil {
			t.Fatalf("%v: %v", test.args, err)
		}
		style, _ := o.style()
		if scopes := strings.Join(o.scopeList(), " "); style != test.style || scopes != test.scopes || o.demo {
			t.Errorf("%v: style %v, scopes %q, demo %v", test.args, style, scopes, o.demo)
		}
	}
}

func TestHelpNamesEveryVariable(t *testing.T) {
	var out strings.Builder
	if _, err := parseOptions([]string{"-help"}, environment(nil), &out); !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("error is %v", err)
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	new(options).register(flags)
	flags.VisitAll(func(f *flag.Flag) {
		if !strings.Contains(out.String(), "  -"+f.Name+" ") || !strings.Contains(out.String(), "["+envName(f.Name)+"]") {
			t.Errorf("the help does not explain -%s", f.Name)
		}
	})
	if got := envName("client-secret"); got != "AUTHCODE_CLIENT_SECRET" {
		t.Errorf("the variable of -client-secret is %s", got)
	}
}

// discoverFrom looks up the endpoints at a server that answers with document, in which ISSUER is
// the server's URL.
func discoverFrom(t *testing.T, status int, document string) (*options, error) {
	var server *httptest.Server
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/.well-known/openid-configuration" {
			t.Errorf("unexpected request for %s", r.URL.Path)
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		io.WriteString(w, strings.ReplaceAll(document, "ISSUER", server.URL))
	}))
	defer server.Close()
	client, err := providerClient("")
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	o := &options{issuer: server.URL, endpoints: endpoints{userinfoURL: "https://given.example"}}
	return o, o.discover(t.Context(), client)
}

func TestDiscovery(t *testing.T) {
	o, err := discoverFrom(t, 200, `{"issuer":"ISSUER","authorization_endpoint":"ISSUER/a",
		"token_endpoint":"ISSUER/t","revocation_endpoint":"ISSUER/r","userinfo_endpoint":"ISSUER/u",
		"authorization_response_iss_parameter_supported":true}`)
	want := endpoints{o.issuer + "/a", o.issuer + "/t", o.issuer + "/r", "https://given.example"}
	if err != nil || o.endpoints != want || !o.requireIss {
		t.Errorf("endpoints %+v, require iss %v, error %v", o.endpoints, o.requireIss, err)
	}
	for _, test := range []struct {
		name, document, want string
		status               int
	}{
		{"another issuer", `{"issuer":"ISSUER/"}`, "byte for byte", 200},
		{"a document without endpoints", `{"issuer":"ISSUER"}`, "names no endpoints", 200},
		{"an error page", `{"issuer":"ISSUER"}`, "answered 404", 404},
		{"a redirect", ``, "answered 302", 302},
		{"HTML", `<html>`, "not a JSON document", 200},
		{"a huge document", `{"issuer":"ISSUER"}` + strings.Repeat(" ", discoverLimit), "at most 256 KiB", 200},
	} {
		t.Run(test.name+" is refused", func(t *testing.T) {
			if _, err := discoverFrom(t, test.status, test.document); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestDiscoveryNeedsHTTPS(t *testing.T) {
	for _, issuer := range []string{"http://op.example", "op.example", "ftp://localhost", "https://", "http://127.0.0.1.op.example"} {
		o := &options{issuer: issuer}
		if err := o.discover(t.Context(), http.DefaultClient); err == nil || !strings.Contains(err.Error(), "not an https URL") {
			t.Errorf("issuer %q: error is %v", issuer, err)
		}
	}
}

func TestPortTaken(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o := &options{addr: taken.Addr().String()}
	listener, err := o.listen()
	if err != nil || len(o.notes) != 1 || !strings.Contains(o.notes[0], o.addr+" is taken") {
		t.Fatalf("the default address does not give way: %v", err)
	}
	listener.Close()
	o = &options{addr: taken.Addr().String(), given: map[string]bool{"addr": true}}
	if _, err := o.listen(); err == nil || !strings.Contains(err.Error(), "-addr: ") {
		t.Errorf("an address that was asked for: error is %v", err)
	}
}

func TestStartFails(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{with("-ca-file", "missing.pem"), "-ca-file: "},
		{with("-ca-file", "config.go"), "no certificate in config.go"},
		{with("-name", "Not Good"), "Provider.Name"},
		{with("-form-post"), "RedirectURL must be https"},
		{with("-login-params", "state=x"), "state"},
		{[]string{"-tls-cert", "missing.pem", "-tls-key", "missing.pem"}, "missing.pem"},
	} {
		var stderr strings.Builder
		args := append(test.args, "-addr", "127.0.0.1:0")
		status := run(context.Background(), args, environment(nil), io.Discard, &stderr)
		if status != 1 || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("%v: status %d, %s", test.args, status, &stderr)
		}
	}
}
