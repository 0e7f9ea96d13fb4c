package authcode

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/mtls"
	"example.com/authcode/internal/urls"
)

// distinct removes repeated faults. One value may fill several fields of a
// Config, such as a key that signs both assertions and proofs, and each field
// reports its Err.
func distinct(faults []string) (list []string) {
	for _, f := range faults {
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

// setDefaults fills in the defaults of a Config that has no faults, and copies
// its slices and maps.
func (cfg *Config) setDefaults() {
	p := &cfg.Provider
	// nil, not empty: an empty list is a fault, since it would allow nothing.
	if p.Algorithms == nil {
		p.Algorithms = cfg.Algorithms
	}
	// The app still holds these slices and maps. Without copies, a change to
	// one would race with logins and could bypass the checks of New.
	cfg.Scopes, p.Scopes = slices.Clone(cfg.Scopes), slices.Clone(p.Scopes)
	// nil asks for the default. An empty list asks for no scopes at all.
	if cfg.Scopes == nil {
		cfg.Scopes = p.Scopes
	}
	p.Origins, p.EndsGrant = slices.Clone(p.Origins), slices.Clone(p.EndsGrant)
	p.Servers = slices.Clone(p.Servers)
	cfg.Algorithms, p.Algorithms = slices.Clone(cfg.Algorithms), slices.Clone(p.Algorithms)
	p.AuthParams, p.MTLS = maps.Clone(p.AuthParams), cloneEndpoints(p.MTLS)
	cfg.InsecureInnerOrigins = maps.Clone(cfg.InsecureInnerOrigins)
	p.ScopeSep = cmp.Or(p.ScopeSep, " ")
	p.ClientIDParam = cmp.Or(p.ClientIDParam, "client_id")
	if issuer := p.Issuer; issuer != "" && p.IsIssuer == nil {
		// RFC 9207 section 2.4: simple string comparison (RFC 3986 section
		// 6.2.1). Normalizing first could make two issuers equal.
		p.IsIssuer = func(iss string) bool { return iss == issuer }
	}
	// A worker has no pages, and does not know those of the app.
	if !cfg.isWorker() {
		cfg.HomeURL = cmp.Or(cfg.HomeURL, "/")
		cfg.LoginURL = cmp.Or(cfg.LoginURL, cfg.HomeURL)
	}
	cfg.ReturnToParam = cmp.Or(cfg.ReturnToParam, "next")
	cfg.Observe = safeObserve(cfg.Observe)
	cfg.Binding.TokenType = cmp.Or(cfg.Binding.TokenType, "Bearer")
}

// faults lists everything that is wrong with cfg.
func (cfg *Config) faults() []string {
	// With a RedirectURL that is not a URL, it is unknown whether http is allowed.
	onHTTPS := cfg.isWorker() || strings.HasPrefix(strings.ToLower(cfg.RedirectURL), "https:")
	f := cfg.Provider.faults(onHTTPS)
	f = append(f, cfg.clientIDFaults()...)
	// With Metadata the endpoints are not known yet: resolve checks them later.
	if cfg.Provider.Metadata == nil {
		f = append(f, parFaults("Provider.", cfg.Provider.Endpoints)...)
	}
	if !cfg.isWorker() {
		f = append(f, cfg.redirectFaults()...)
	}
	f = append(f, cfg.seamFaults()...)
	f = append(f, cfg.certificateFaults()...)
	f = append(f, cfg.innerFaults()...)
	f = append(f, cfg.algorithmFaults()...)
	f = append(f, scopeFaults("Config.Scopes", cfg.Scopes, cfg.Provider.ScopeSep)...)
	if !cfg.isWorker() {
		f = append(f, cookieKeyFaults(cfg.CookieKeys)...)
	}
	// Error pages link to these two. A "javascript:" URL would run a script
	// there.
	f = append(f, urls.CheckLink("Config.LoginURL", cfg.LoginURL)...)
	f = append(f, cfg.loopFaults()...)
	// In a link with a state or a code, a return path would look like an answer.
	if cfg.ReturnToParam != "" && !isFreeParam(cfg.ReturnToParam) {
		f = append(f, "Config.ReturnToParam is a parameter of the protocol, or not a parameter "+
			"name: use another name, or leave it empty for \"next\"")
	}
	return append(f, urls.CheckLink("Config.HomeURL", cfg.HomeURL)...)
}

// clientIDFaults checks ClientID.
func (cfg *Config) clientIDFaults() (f []string) {
	switch {
	case cfg.ClientID == "":
		f = append(f, "Config.ClientID is empty: set it to the client ID from the provider")
	case hasStrayChars(cfg.ClientID):
		f = append(f, "Config.ClientID"+strayCharsFault)
	case cfg.Provider.RawBasic && strings.Contains(cfg.ClientID, ":"):
		// RFC 7617 section 2: a user-id cannot contain a colon, because the
		// first colon ends it. The server would read a part of the id as the
		// secret.
		f = append(f, "Config.ClientID has a colon, which Provider.RawBasic cannot send: "+
			"set Provider.RawBasic to false")
	}
	return f
}

// redirectFaults checks RedirectURL.
func (cfg *Config) redirectFaults() []string {
	// RFC 9700 section 2.6: an authorization response must not travel over
	// unencrypted connections, except to native apps on loopback.
	if cfg.RedirectURL == "" {
		return []string{"Config.RedirectURL is empty: set it to the callback URL that is registered " +
			"at the provider, such as https://app.example/callback, or leave all fields of the " +
			"login empty for a worker: see Config"}
	}
	f := urls.CheckPage("Config.RedirectURL", cfg.RedirectURL)
	// The provider adds its own parameters to this URL. With another code or
	// state in it, every callback would have repeated parameters.
	f = append(f, queryFaults("Config.RedirectURL", cfg.RedirectURL, func(key string) bool {
		return isReserved(key) || cfg.Provider.FormPost && key == answerParam
	})...)
	// Browsers send a cookie with a cross-site POST only if it is
	// SameSite=None, and they reject such a cookie unless it is Secure.
	if cfg.Provider.FormPost && isPlain(cfg.RedirectURL) {
		f = append(f, "Config.RedirectURL must be https with Provider.FormPost, because the "+
			"cookie needs SameSite=None; Secure: use https, or set Provider.FormPost to false")
	}
	return f
}

// seamFaults lists what the constructors of the parts found wrong with their
// arguments, and which parts lack something that they need.
func (cfg *Config) seamFaults() (f []string) {
	p := &cfg.Provider
	for _, err := range []error{
		p.Err, cfg.ClientAuth.Err, cfg.Binding.Err, cfg.MessageSigning.Err,
	} {
		f = append(f, faultsOf(err)...)
	}
	f = append(f, cfg.identityFaults()...)
	// There is no default: a forgotten secret must not turn the app into a
	// public client without notice.
	if cfg.ClientAuth.Authenticate == nil && cfg.ClientAuth.Err == nil {
		f = append(f, "Config.ClientAuth is empty: use authcode.Secret, "+
			"or authcode.Public for an app without a secret")
	}
	f = append(f, cfg.secretFaults()...)
	// TokenType becomes a part of the Authorization header. A space or newline
	// in it would change the header.
	if !isTokenType(cfg.Binding.TokenType) {
		f = append(f, "Config.Binding.TokenType is not the name of an authentication scheme: "+
			"use letters, digits and hyphens, such as DPoP")
	}
	// A server that gets no proof issues bearer tokens (RFC 9449 section 5).
	if b := &cfg.Binding; b.isDPoP() && b.Transport == nil {
		f = append(f, "Config.Binding.Transport is nil, but the TokenType DPoP needs proofs: "+
			"use dpop.New or dpop.PerSession")
	}
	signing := &cfg.MessageSigning
	// RFC 9101 section 4: the audience of a request object is the server's
	// issuer identifier. JARM compares the iss of a response with it.
	if (signing.SignRequest != nil || signing.SignedResponses) && p.Issuer == "" {
		f = append(f, "Provider.Issuer is empty, but Config.MessageSigning needs it for signed "+
			"requests and responses: set it to the provider's issuer identifier")
	}
	if signing.SignedResponses && p.Verify == nil {
		f = append(f, "Config.MessageSigning.SignedResponses needs Provider.Verify: "+
			"use oidc.Provider")
	}
	return f
}

// faultsOf lists what a constructor found wrong with its arguments.
func faultsOf(err error) []string {
	if err == nil {
		return nil
	}
	// Take the faults out of an *Error, so that the text of New has the prefix
	// "authcode: " only once per line.
	if own, ok := errors.AsType[*Error](err); ok && own != nil {
		if len(own.Faults) > 0 {
			return own.Faults
		}
		return []string{cmp.Or(own.detail, wordless)}
	}
	return []string{cmp.Or(err.Error(), wordless)}
}

// wordless is the fault to report for an Err of the app with an empty text.
const wordless = "Provider, ClientAuth, Binding or MessageSigning has an Err without a text: " +
	"make its constructor say what is wrong"

// isTokenType reports whether s is the name of an authentication scheme (RFC
// 9110 section 11.1) or empty. It allows only the letters, digits and hyphens
// that registered schemes consist of.
func isTokenType(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return !headers.IsAlphanumeric(r) && r != '-'
	})
}

// certificateFaults checks the client certificate and what it is used for.
func (cfg *Config) certificateFaults() (f []string) {
	isCredential := cfg.ClientAuth.usesCertificate()
	if cfg.Certificate == nil {
		if isCredential {
			f = append(f, "Config.Certificate is nil, but it is the credential of "+
				"Config.ClientAuth: set it, or use another ClientAuth")
		}
		if cfg.Binding.Certificate {
			f = append(f, "Config.Certificate is nil, but Config.Binding binds tokens to it: "+
				"set it, or use another Binding")
		}
		return f
	}
	// An unused certificate shows that the operator expects a protection that
	// the other fields do not give.
	if !isCredential && !cfg.Binding.Certificate {
		f = append(f, "Config.Certificate is used for nothing: set ClientAuth to "+
			"clientauth.MutualTLS(), or Binding to clientauth.CertificateBound(), or remove it")
	}
	// Some settings of a transport would keep the certificate from the server,
	// or let anybody pose as the server.
	if err := mtls.CheckBase(cfg.Transport); err != nil {
		f = append(f, "Config.Transport "+err.Error())
	}
	// New does no I/O. The context has ended, so a function that has to wait
	// for its certificate returns an error. That is no fault: the first
	// handshake checks the certificate.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if cert, err := cfg.Certificate(ctx); err == nil {
		if err := mtls.CheckCertificate(cert, time.Now()); err != nil {
			f = append(f, "Config.Certificate: "+err.Error())
		}
	}
	return f
}

const strayCharsFault = " has a control character, or white space at its start or end: " +
	"remove it; often it is a newline from a file"

// hasStrayChars reports whether s has characters that a file or an environment
// variable easily adds, and that no registered ID or secret has. The provider
// would only answer invalid_client, which does not point at them.
func hasStrayChars(s string) bool { return urls.HasControl(s) || strings.TrimSpace(s) != s }

// cookieKeyFaults checks CookieKeys. It prints no key, and nothing about its
// bytes.
func cookieKeyFaults(keys [][]byte) (f []string) {
	if len(keys) == 0 {
		return []string{"Config.CookieKeys is empty: add a key of 32 or more random bytes, " +
			"such as those of \"openssl rand -hex 32\", or leave all fields of the login empty " +
			"for a worker: see Config"}
	}
	for i, key := range keys {
		switch {
		// 32 bytes are 256 bits of entropy if they are random. HKDF derives
		// keys of any length, but it adds no entropy to a short or guessable
		// key.
		case len(key) < 32:
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] has %d bytes, want 32 or more: "+
				"use random bytes, such as those of \"openssl rand -hex 32\"", i, len(key)))
		// A key of zeros is what a forgotten call of rand.Read leaves behind.
		// With it, anybody could forge login cookies.
		case bytes.Count(key, key[:1]) == len(key):
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] repeats a single byte: "+
				"use random bytes", i))
		// This is often a rotation that added the old key again instead of a
		// new one.
		case slices.ContainsFunc(keys[:i], func(k []byte) bool { return bytes.Equal(k, key) }):
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] repeats an earlier key: remove it", i))
		}
	}
	return f
}
