package try

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"golang.org/x/oauth2"
)

var (
	keyBytes = bytes.Repeat([]byte("0123456789abcde\xff"), 2)
	hexKey   = hex.EncodeToString(keyBytes)
	endsArgs = []string{"-auth-url", "https://op.example/a", "-token-url", "https://op.example/t",
		"-client-id", "me"}
)

// with returns the options of a provider with further arguments.
func with(args ...string) []string { return append(slices.Clone(endsArgs), args...) }

func environment(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

var badOptions = []struct {
	name string
	args []string
	env  map[string]string
	want string
}{
	{"algorithms of nobody", []string{"-algorithms", "ES256"}, nil, "-algorithms needs a provider"},
	{"an unknown flag", []string{"-bogus"}, nil, "flag provided but not defined: -bogus"},
	{"an argument that is no flag", []string{"serve"}, nil, `unexpected argument "serve"`},
	{"only one endpoint", []string{"-auth-url", "https://op.example/a", "-client-id", "me"}, nil,
		"give both -auth-url and -token-url"},
	{"no client id", []string{"-issuer", "https://op.example"}, nil, "-client-id is missing"},
	{"a client id without a provider", []string{"-client-id", "me"}, nil,
		"-client-id needs a provider"},
	{"a secret without a provider", nil, map[string]string{"AUTHCODE_CLIENT_SECRET": "s"},
		"-client-secret needs a provider"},
	{"an unknown style", with("-auth-style", "header"), nil,
		`-auth-style is "header": want basic, body or none`},
	{"basic without a secret", with("-auth-style", "basic"), nil,
		"needs a secret: set AUTHCODE_CLIENT_SECRET"},
	{"none with a secret", with("-auth-style", "none", "-client-secret", "s"), nil,
		"-auth-style none contradicts"},
	{"a short key", with("-cookie-key", "abcd"), nil, "key 1 is not 32 bytes"},
	{"a short second key", with("-cookie-key", hexKey+",abcd"), nil, "key 2 is not 32 bytes"},
	{"the demo's name", with("-demo", "-name", "demo"), nil, "-name demo is taken"},
	{"a certificate without a key", []string{"-tls-cert", "c.pem"}, nil,
		"both -tls-cert and -tls-key"},
	{"a base URL with a path", []string{"-base-url", "https://app.example/x"}, nil,
		"paths are not supported"},
	{"a base URL with a query", []string{"-base-url", "https://app.example?x"}, nil,
		"paths are not supported"},
	{"a base URL without a scheme", []string{"-base-url", "app.example"}, nil,
		"must be an absolute http or https URL"},
	{"plain http on a public host", []string{"-base-url", "http://app.example"}, nil,
		"-base-url must be https"},
	{"no key on a public host", []string{"-base-url", "https://app.example"}, nil,
		"-cookie-key is missing"},
	{"a broken query", with("-login-params", "a=%zz"), nil, "-login-params must be a query"},
	{"a repeated login parameter", with("-login-params", "a=1&a=2"), nil, `has "a" more than once`},
	{"a port alone", []string{"-addr", "8080"}, nil,
		`-addr "8080" is not host:port: write localhost:8080`},
	{"an issuer's metadata",
		[]string{"-issuer", "https://op.example/.well-known/openid-configuration", "-client-id",
			"a"}, nil, "leave out /.well-known/"},
	{"a bad boolean in the environment", nil, map[string]string{"AUTHCODE_DEMO": "perhaps"},
		"AUTHCODE_DEMO: "},
}

func TestBadOptionsAreExplained(t *testing.T) {
	for _, test := range badOptions {
		t.Run(test.name, func(t *testing.T) {
			_, err := parseOptions(test.args, environment(test.env), io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestAnIssuerNeedsHTTPS(t *testing.T) {
	for _, issuer := range []string{"http://op.example", "op.example", "ftp://localhost",
		"https://", "http://127.0.0.1.op.example", "http://op.localhost"} {
		_, err := parseOptions([]string{"-issuer", issuer, "-client-id", "me"}, environment(nil),
			io.Discard)
		if err == nil || !strings.Contains(err.Error(), "-issuer must be an https URL") {
			t.Errorf("issuer %q: error is %v", issuer, err)
		}
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
	o, err := parseOptions([]string{"-client-id", "flag-id", "-cookie-key", hexKey},
		environment(env), io.Discard)
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

var defaults = []struct {
	args       []string
	style      oauth2.AuthStyle
	scopes     string
	looksUp    bool
	identifies bool
}{
	{with(), 0, "", false, false},
	{with("-client-secret", "s", "-auth-style", "body"), oauth2.AuthStyleInParams, "", false,
		false},
	{with("-client-secret", "s", "-auth-style", "basic"), oauth2.AuthStyleInHeader, "", false,
		false},
	{with("-issuer", "https://op.example"), 0, "openid profile email", false, true},
	{with("-issuer", "https://op.example", "-scopes", ""), 0, "", false, false},
	{with("-scopes", " a  b "), 0, "a b", false, false},
	{[]string{"-issuer", "https://op.example", "-client-id", "me"}, 0, "openid profile email",
		true, true},
	{[]string{"-issuer", "https://op.example", "-client-id", "me", "-scopes", "read"}, 0,
		"read", true, false},
}

func TestDefaults(t *testing.T) {
	o, err := parseOptions(nil, environment(nil), io.Discard)
	if err != nil || !o.demo || o.configured() {
		t.Fatalf("without options: demo %v, configured %v, error %v", o.demo, o.configured(), err)
	}
	if got := o.base(8080); got != "http://localhost:8080" {
		t.Errorf("base URL is %s", got)
	}
	for addr, want := range map[string]string{"127.0.0.1:1": "http://127.0.0.1:1",
		"[::1]:1":         "http://[::1]:1",
		"app.localhost:1": "http://app.localhost:1", ":1": "http://localhost:1",
		"0.0.0.0:1": "http://localhost:1"} {
		o, err := parseOptions([]string{"-addr", addr}, environment(nil), io.Discard)
		if err != nil || o.base(1) != want {
			t.Errorf("-addr %s: %v, want %s", addr, err, want)
		}
	}
	for _, test := range defaults {
		o, err := parseOptions(test.args, environment(nil), io.Discard)
		if err != nil {
			t.Fatalf("%v: %v", test.args, err)
		}
		p, err := o.provider()
		if err != nil || p.AuthStyle != test.style || strings.Join(p.Scopes, " ") != test.scopes ||
			o.demo ||
			(p.Metadata != nil) != test.looksUp || (p.Identity != nil) != test.identifies {
			t.Errorf("%v: style %v, scopes %q, metadata %v, identity %v, demo %v, error %v",
				test.args, p.AuthStyle,
				p.Scopes, p.Metadata != nil, p.Identity != nil, o.demo, err)
		}
	}
}

func TestHelpNamesEveryVariable(t *testing.T) {
	var out strings.Builder
	if _, err := parseOptions([]string{"-help"}, environment(nil), &out); !errors.Is(err,
		flag.ErrHelp) {
		t.Fatalf("error is %v", err)
	}
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	new(options).register(flags)
	flags.VisitAll(func(f *flag.Flag) {
		if !strings.Contains(out.String(), "  -"+f.Name+" ") ||
			!strings.Contains(out.String(), "["+envName(f.Name)+"]") {
			t.Errorf("the help does not explain -%s", f.Name)
		}
	})
	if got := envName("client-secret"); got != "AUTHCODE_CLIENT_SECRET" {
		t.Errorf("the variable of -client-secret is %s", got)
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
	if err != nil || len(o.notes) != 1 || !strings.Contains(o.notes[0], o.addr+" is not free") {
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
		{with("-ca-file", "options.go"), "no certificate in options.go"},
		{with("-name", "Not Good"), "(by -name)"},
		{with("-form-post"), "(by -base-url, -tls-cert and -tls-key)"},
		{with("-login-params", "state=x"), "(by -login-params)"},
		{[]string{"-tls-cert", "missing.pem", "-tls-key", "missing.pem"}, "missing.pem"},
	} {
		var stderr strings.Builder
		args := append(test.args, "-addr", "127.0.0.1:0")
		status := Run(context.Background(), args, environment(nil), io.Discard, &stderr)
		if status != 1 || !strings.Contains(stderr.String(), test.want) {
			t.Errorf("%v: status %d, %s", test.args, status, &stderr)
		}
	}
}

// TestAlgorithmsAreThoseOfTheProvider: without the flag nothing is pinned.
func TestAlgorithmsAreThoseOfTheProvider(t *testing.T) {
	for flag, want := range map[string][]string{
		"": nil, "ES256": {"ES256"}, "ES256,PS256": {"ES256", "PS256"}, "ES256, PS256": {"ES256", "PS256"},
	} {
		o, err := parseOptions(issuerArgs("-algorithms", flag), environment(nil), io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := o.provider(); err != nil || !slices.Equal(p.Algorithms, want) {
			t.Errorf("%q: %q, %v, want %q", flag, p.Algorithms, err, want)
		}
	}
}
