package try

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

const (
	defaultAddr = "127.0.0.1:8080"
	demoName    = "demo"
)

// options is what the flags and the environment say.
type options struct {
	addr, baseURL, tlsCert, tlsKey, caFile string
	demo, json                             bool
	cookieKeys                             keyList

	name, issuer, clientID, clientSecret, authStyle, scopes, loginParams string
	endpoints
	security
	rawBasic, requireIss, formPost, userinfo bool

	presets []credentials // those that the environment has credentials for

	given map[string]bool // what was set, on the command line or in the environment
	notes []string        // what to tell the operator
}

// endpoints are the URLs of a provider that are given one by one.
type endpoints struct {
	authURL, tokenURL, revocationURL, userinfoURL string
}

// keyList collects the values of -cookie-key. They are judged later, in [options.keys]: package
// flag repeats a value that Set refuses, and a key must not be printed.
type keyList []string

func (k *keyList) String() string { return "" }

func (k *keyList) Set(value string) error {
	*k = append(*k, strings.Split(value, ",")...)
	return nil
}

// parseOptions reads flags, and for each flag that is not given its environment variable. It
// returns [flag.ErrHelp] after printing the help to out.
func parseOptions(args []string, getenv func(string) string, out io.Writer) (*options, error) {
	o := &options{given: map[string]bool{}}
	flags := flag.NewFlagSet("try", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // the caller prints the one line that matters
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

func (o *options) register(f *flag.FlagSet) {
	f.StringVar(&o.addr, "addr", defaultAddr,
		"listen on this `address`, host:port; default "+defaultAddr+", or a free port if that is taken")
	f.StringVar(&o.baseURL, "base-url", "",
		"external `URL` of this app, without a path; default http(s)://localhost:PORT")
	f.StringVar(&o.tlsCert, "tls-cert", "", "serve https with this certificate `file` (PEM)")
	f.StringVar(&o.tlsKey, "tls-key", "", "the certificate's key `file` (PEM)")
	f.Var(&o.cookieKeys, "cookie-key", "`key` that seals login cookies: 32 bytes in hex or "+
		"base64; repeat it or separate by commas to rotate, the first seals; on localhost random "+
		"by default")
	f.BoolVar(&o.demo, "demo", false,
		"offer the embedded test server too; implied when there is no other provider")
	f.BoolVar(&o.json, "json", false, "print what happens as JSON objects, one a line, and the log too")
	o.registerProvider(f)
}

func (o *options) registerProvider(f *flag.FlagSet) {
	f.StringVar(&o.name, "name", "provider", "`name` of the provider: a-z, 0-9 and -")
	f.StringVar(&o.issuer, "issuer", "", "issuer `URL` of an OpenID provider; at the first login "+
		"its metadata is looked up, and the endpoints unless -auth-url and -token-url are given")
	f.StringVar(&o.authURL, "auth-url", "", "authorization endpoint `URL`")
	f.StringVar(&o.tokenURL, "token-url", "", "token endpoint `URL`")
	f.StringVar(&o.revocationURL, "revocation-url", "", "revocation endpoint `URL`")
	f.StringVar(&o.userinfoURL, "userinfo-url", "",
		"`URL` that answers with JSON about the person, called with the token; with -issuer it "+
			"is looked up")
	f.BoolVar(&o.userinfo, "userinfo", true,
		"with -issuer: add what the userinfo endpoint says to the identity of the ID token")
	f.StringVar(&o.clientID, "client-id", "", "client `id` at the provider")
	f.StringVar(&o.clientSecret, "client-secret", "",
		"client `secret`; better in the environment, where ps does not show it; empty for a "+
			"public client")
	f.StringVar(&o.authStyle, "auth-style", "", "where the secret goes: basic, body or none; "+
		"default what the metadata of -issuer says, else basic; none without a secret")
	f.BoolVar(&o.rawBasic, "raw-basic", false, "with basic: do not form-encode id and secret")
	f.BoolVar(&o.requireIss, "require-iss", false, "refuse an answer without iss (RFC 9207)")
	f.StringVar(&o.scopes, "scopes", "", "`scopes` to ask for, separated by spaces; default "+
		"\"openid profile email\" with -issuer, else none; without openid nobody says who signed in")
	f.BoolVar(&o.formPost, "form-post", false, "have the answer posted as a form; needs https")
	f.StringVar(&o.loginParams, "login-params", "",
		"further parameters of the login, as a `query`: prompt=consent&audience=api")
	f.StringVar(&o.caFile, "ca-file", "", "trust this CA `file` (PEM) for the provider, too")
	o.security.register(f)
}

func envName(flagName string) string {
	return "AUTHCODE_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

func printHelp(flags *flag.FlagSet, out io.Writer) {
	fmt.Fprint(out, `authcode try [options]

runs a small web app that signs people in with package authcode, and shows what protected the
login. Without options it brings its own server, on loopback, and needs nothing else. With
-fapi security it does the same under the FAPI 2.0 Security Profile.

At a real provider, register the redirect URI that it prints at the start, which is
BASE-URL/auth/NAME/callback. To sign out there too, register the same with signed-out,
backchannel-logout and frontchannel-logout in place of callback.

Each option is also an environment variable; the option wins.

`)
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(out, "  -%s %s  [%s]\n    \t%s\n", f.Name, value, envName(f.Name), usage)
	})
	fmt.Fprint(out, "\nA provider with credentials in the environment gets a button of its own:\n\n")
	for _, p := range presets {
		fmt.Fprintf(out, "  %-11s %s\n", p.title, strings.Join(p.variables(), " "))
	}
}

// configured reports whether the flags describe a provider.
func (o *options) configured() bool { return o.issuer != "" || o.authURL != "" || o.tokenURL != "" }

// check refuses combinations that cannot work. What package authcode checks is left to it.
func (o *options) check() error {
	if err := o.checkProvider(); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(o.addr); err != nil {
		return fmt.Errorf("-addr %q is not host:port: write localhost:8080", o.addr)
	}
	switch {
	case strings.Contains(o.issuer, "/.well-known/"):
		return errors.New("-issuer is the address of its metadata: leave /.well-known/ and what " +
			"follows away")
	case o.issuer != "" && !isSafe(o.issuer):
		return errors.New("-issuer is not an https URL, nor http on localhost")
	case (o.authURL == "") != (o.tokenURL == ""):
		return errors.New("give both -auth-url and -token-url, or only -issuer")
	case o.configured() && o.clientID == "":
		return errors.New("-client-id is missing: register this app at the provider to get one")
	case o.demo && o.configured() && o.name == demoName:
		return fmt.Errorf("-name %s is taken by the embedded server of -demo", demoName)
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

// checkProvider refuses flags about a provider where there is none. The embedded server
// takes those that need no credentials.
func (o *options) checkProvider() error {
	defer o.settle()
	if o.configured() {
		return nil
	}
	for _, name := range []string{"client-id", "client-secret", "auth-style", "scopes", "name",
		"par-url",
		"revocation-url", "userinfo-url", "userinfo", "raw-basic", "require-iss", "form-post",
		"login-params",
		"client-key", "client-key-id", "client-key-alg", "client-audience", "client-cert",
		"client-cert-key"} {
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

func (o *options) checkBaseURL() error {
	u, err := url.Parse(o.baseURL)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.User != nil:
		return errors.New("-base-url is not an absolute http or https URL")
	case strings.TrimSuffix(o.baseURL, "/") != u.Scheme+"://"+u.Host:
		return errors.New("-base-url has more than scheme, host and port: paths are not supported")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return errors.New("-base-url must be https, or http on localhost: cookies are readable " +
			"by anybody on the way otherwise")
	case len(o.cookieKeys) == 0 && !isLoopback(u.Hostname()):
		return errors.New("-cookie-key is missing: a random one is for localhost only (openssl " +
			"rand -hex 32 makes one)")
	}
	return nil
}

// isSafe reports whether nobody on the way can change what address answers.
func isSafe(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname())
}

// isLoopback matches the hosts that package authcode accepts for http.
func isLoopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// keys decodes the cookie keys. Errors count them and never repeat one.
func (o *options) keys() ([][]byte, error) {
	var keys [][]byte
	for i, text := range o.cookieKeys {
		key, ok := decodeKey(strings.TrimSpace(text))
		if !ok {
			return nil, fmt.Errorf("-cookie-key: key %d is not 32 bytes in hex or base64 "+
				"(openssl rand -hex 32 makes one)", i+1)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

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
