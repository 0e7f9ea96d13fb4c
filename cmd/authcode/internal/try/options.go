package try

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"example.com/authcode/internal/urls"
)

const (
	defaultAddr = "127.0.0.1:8080"
	demoName    = "demo"
)

// options holds the values of the flags, from the command line or the
// environment.
type options struct {
	addr, baseURL, tlsCert, tlsKey, caFile string
	demo, json                             bool
	cookieKeys                             keyList

	name, issuer, clientID, clientSecret, authStyle, scopes, loginParams string
	endpoints
	security
	rawBasic, requireIss, formPost, userinfo bool

	presets []credentials // those for which the environment has credentials

	given map[string]bool // the flags that were set, also by the environment
	notes []string        // lines for the operator
}

// endpoints are the addresses of a provider that are given one by one.
type endpoints struct {
	authURL, tokenURL, revocationURL, userinfoURL string
}

// keyList collects the values of -cookie-key. They are checked later, in
// [options.keys]. Package flag would print a value that Set refuses, and a key
// must not be printed.
type keyList []string

func (k *keyList) String() string { return "" }

func (k *keyList) Set(value string) error {
	*k = append(*k, strings.Split(value, ",")...)
	return nil
}

// parseOptions reads the flags. For each flag that is not given, it reads the
// environment variable. It returns [flag.ErrHelp] after it has printed the help
// to out.
func parseOptions(args []string, getenv func(string) string, out io.Writer) (*options, error) {
	o := &options{given: map[string]bool{}}
	flags := flag.NewFlagSet("try", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // or flag would print the whole help after an error
	o.register(flags)
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		printHelp(flags, out)
		return nil, err
	} else if err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q: options start with -", flags.Arg(0))
	}
	// Visit calls only for flags that are on the command line. They take
	// precedence over the environment.
	flags.Visit(func(f *flag.Flag) { o.given[f.Name] = true })
	var failed error
	flags.VisitAll(func(f *flag.Flag) {
		value := getenv(envName(f.Name))
		if o.given[f.Name] || value == "" || failed != nil {
			return
		}
		o.given[f.Name] = true
		if err := f.Value.Set(value); err != nil {
			failed = fmt.Errorf("%s: %w", envName(f.Name), err)
		}
	})
	if failed != nil {
		return nil, failed
	}
	var err error
	if o.presets, err = fromEnvironment(getenv); err != nil {
		return nil, err
	}
	return o, o.check()
}

// configured reports whether the flags describe a provider.
func (o *options) configured() bool { return o.issuer != "" || o.authURL != "" || o.tokenURL != "" }

// check refuses combinations that cannot work. It leaves out what package
// authcode checks anyway.
func (o *options) check() error {
	if err := o.checkProvider(); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(o.addr); err != nil {
		return fmt.Errorf("-addr %q is not host:port: write localhost:8080", o.addr)
	}
	switch {
	case strings.Contains(o.issuer, "/.well-known/"):
		return errors.New("-issuer is the address of the metadata: leave out /.well-known/ and " +
			"what follows")
	case o.issuer != "" && !isSafe(o.issuer):
		return errors.New("-issuer must be an https URL, or http on localhost")
	case (o.authURL == "") != (o.tokenURL == ""):
		return errors.New("give both -auth-url and -token-url, or only -issuer")
	case o.configured() && o.clientID == "":
		return errors.New("-client-id is missing: register this app at the provider to get one")
	case o.demo && o.configured() && o.name == demoName:
		return fmt.Errorf("-name %s is taken by the embedded server of -demo: choose another",
			demoName)
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return errors.New("give both -tls-cert and -tls-key")
	}
	if _, err := o.style(); err != nil {
		return err
	}
	if _, err := o.params(); err != nil {
		return err
	}
	if f := o.securityFaults(); len(f) > 0 {
		return errors.New(strings.Join(f, "; "))
	}
	if _, err := o.keys(); err != nil {
		return err
	}
	if o.baseURL == "" {
		return nil
	}
	return o.checkBaseURL()
}

// checkProvider refuses flags about a provider if no provider is given. The
// embedded server accepts those that need no credentials.
func (o *options) checkProvider() error {
	defer o.fillDefaults()
	if o.configured() {
		return nil
	}
	for _, name := range []string{"client-id", "client-secret", "auth-style", "scopes", "name",
		"par-url", "revocation-url", "userinfo-url", "userinfo", "raw-basic", "require-iss",
		"form-post", "login-params", "algorithms", "client-key", "client-key-id", "client-key-alg",
		"client-audience", "client-cert", "client-cert-key"} {
		if o.given[name] {
			return fmt.Errorf("-%s needs a provider: give -issuer, or -auth-url and -token-url", name)
		}
	}
	o.demo = o.demo || len(o.presets) == 0
	for _, name := range []string{"client-auth", "bind", "dpop-key", "par", "sign-requests",
		"signed-responses", "fapi",
		"acr-values", "max-age", "resource", "authorization-details", "introspect"} {
		if o.given[name] && !o.demo {
			return fmt.Errorf("-%s needs a provider: give -issuer, or -auth-url and -token-url, "+
				"or -demo", name)
		}
	}
	return nil
}

// checkBaseURL looks at -base-url, from which the redirect URIs are made.
func (o *options) checkBaseURL() error {
	u, err := url.Parse(o.baseURL)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.User != nil:
		return errors.New("-base-url must be an absolute http or https URL")
	case strings.TrimSuffix(o.baseURL, "/") != u.Scheme+"://"+u.Host:
		return errors.New("-base-url has more than scheme, host and port: leave out the rest, " +
			"since paths are not supported")
	case u.Scheme == "http" && !urls.IsBrowserLoopback(u.Hostname()):
		return errors.New("-base-url must be https, or http on localhost: otherwise anybody on " +
			"the network path can read the cookies")
	case len(o.cookieKeys) == 0 && !urls.IsBrowserLoopback(u.Hostname()):
		return errors.New("-cookie-key is missing, which is needed unless the app is on " +
			"localhost: make one with openssl rand -hex 32")
	}
	return nil
}

// isSafe reports whether nobody on the network path can change what address
// answers.
func isSafe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && urls.IsLoopback(u.Hostname())
}

// keys decodes the cookie keys. Its errors say which key is wrong by number,
// and never repeat a key.
func (o *options) keys() ([][]byte, error) {
	var keys [][]byte
	for i, text := range o.cookieKeys {
		key, ok := decodeKey(strings.TrimSpace(text))
		if !ok {
			return nil, fmt.Errorf("-cookie-key: key %d is not 32 bytes in hex or base64: "+
				"make one with openssl rand -hex 32", i+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// decodeKey decodes a key of 32 bytes. The encodings cannot be mixed up: 32
// bytes have 64 characters in hex, and 43 or 44 in base64.
func decodeKey(text string) ([]byte, bool) {
	for _, decode := range []func(string) ([]byte, error){
		hex.DecodeString,
		base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	} {
		if key, err := decode(text); err == nil && len(key) == 32 {
			return key, true
		}
	}
	return nil, false
}
