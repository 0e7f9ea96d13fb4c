package try

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// register defines the flags.
func (o *options) register(f *flag.FlagSet) {
	f.StringVar(&o.addr, "addr", defaultAddr,
		"listen on this `address`, host:port; default: "+defaultAddr+
			", or a free port if that is taken")
	f.StringVar(&o.baseURL, "base-url", "",
		"external `URL` of this app, without a path; default: http(s)://localhost:PORT")
	f.StringVar(&o.tlsCert, "tls-cert", "", "serve https with this certificate `file` (PEM)")
	f.StringVar(&o.tlsKey, "tls-key", "", "private key `file` of -tls-cert (PEM)")
	f.Var(&o.cookieKeys, "cookie-key", "`key` that seals login cookies: 32 bytes in hex or "+
		"base64; to rotate, repeat the flag or separate by commas, the new key first; default "+
		"on localhost: a random key")
	f.BoolVar(&o.demo, "demo", false,
		"also offer the embedded test server; it is always offered if there is no other provider")
	f.BoolVar(&o.json, "json", false,
		"print events and the log as JSON objects, one per line")
	o.registerProvider(f)
}

// registerProvider defines the flags that describe a provider.
func (o *options) registerProvider(f *flag.FlagSet) {
	f.StringVar(&o.name, "name", "provider", "`name` of the provider: a-z, 0-9 and -")
	f.StringVar(&o.issuer, "issuer", "", "issuer `URL` of an OpenID provider; the first login "+
		"looks up its metadata, and its endpoints unless -auth-url and -token-url are given")
	f.StringVar(&o.authURL, "auth-url", "", "authorization endpoint `URL`")
	f.StringVar(&o.tokenURL, "token-url", "", "token endpoint `URL`")
	f.StringVar(&o.revocationURL, "revocation-url", "", "revocation endpoint `URL`")
	f.StringVar(&o.userinfoURL, "userinfo-url", "",
		"`URL` of an API that answers with JSON about the person; with -issuer it is looked up")
	f.BoolVar(&o.userinfo, "userinfo", true,
		"with -issuer: also ask the userinfo endpoint about the person")
	f.StringVar(&o.clientID, "client-id", "", "client `id` at the provider")
	f.StringVar(&o.clientSecret, "client-secret", "",
		"client `secret`; better in the environment, where ps does not show it; empty for a "+
			"public client")
	f.StringVar(&o.authStyle, "auth-style", "", "where the secret is sent: basic, body or none; "+
		"default: according to the metadata of -issuer, else basic; none without a secret")
	f.BoolVar(&o.rawBasic, "raw-basic", false,
		"with -auth-style basic: do not form-encode id and secret")
	f.BoolVar(&o.requireIss, "require-iss", false, "refuse a response without iss (RFC 9207)")
	f.StringVar(&o.scopes, "scopes", "", "`scopes` to ask for, separated by spaces; default: "+
		"\"openid profile email\" with -issuer, else none; without openid, the provider does "+
		"not say who signed in")
	f.BoolVar(&o.formPost, "form-post", false,
		"have the provider post its response as a form; needs https")
	f.StringVar(&o.loginParams, "login-params", "",
		"further parameters of the login as a `query`, such as prompt=consent&audience=api")
	f.StringVar(&o.caFile, "ca-file", "",
		"also trust the authorities in this `file` (PEM) for the provider")
	o.security.register(f)
}

func envName(flagName string) string {
	return "AUTHCODE_" + strings.ToUpper(strings.ReplaceAll(flagName, "-", "_"))
}

func printHelp(flags *flag.FlagSet, out io.Writer) {
	fmt.Fprint(out, `authcode try [options]

runs a small web app that signs people in with package authcode, and shows what protected the
login. Without options it starts a server of its own on loopback, and needs nothing else. With
-fapi security it does the same under the FAPI 2.0 Security Profile.

At a real provider, register the redirect URI that the app prints when it starts:
BASE-URL/auth/NAME/callback. For sign-out, also register the addresses with signed-out,
backchannel-logout and frontchannel-logout in place of callback.

Each option can also be set by the environment variable in brackets. The option takes precedence.

`)
	flags.VisitAll(func(f *flag.Flag) {
		value, usage := flag.UnquoteUsage(f)
		fmt.Fprintf(out, "  -%s %s  [%s]\n    \t%s\n", f.Name, value, envName(f.Name), usage)
	})
	fmt.Fprint(out, "\nThe app also offers each of these providers whose variables are set:\n\n")
	for _, p := range presets {
		fmt.Fprintf(out, "  %-11s %s\n", p.title, strings.Join(p.variables(), " "))
	}
}
