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

// distinct drops repeats: one part may stand in several places of a Config.
func distinct(faults []string) (list []string) {
	for _, f := range faults {
		if !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	return list
}

// complete fills in the defaults of a Config that has passed the checks, and copies its slices and maps.
func (cfg *Config) complete() {
	p := &cfg.Provider
	if cfg.Scopes == nil {
		cfg.Scopes = p.Scopes
	}
	if p.Algorithms == nil {
		p.Algorithms = cfg.Algorithms
	}
	cfg.Scopes, p.Scopes = slices.Clone(cfg.Scopes), slices.Clone(p.Scopes)
	cfg.Algorithms, p.Algorithms = slices.Clone(cfg.Algorithms), slices.Clone(p.Algorithms)
	p.AuthParams = maps.Clone(p.AuthParams)
	p.ScopeSep = cmp.Or(p.ScopeSep, " ")
	p.ClientIDParam = cmp.Or(p.ClientIDParam, "client_id")
	if issuer := p.Issuer; issuer != "" && p.IsIssuer == nil {
		p.IsIssuer = func(iss string) bool { return iss == issuer }
	}
	cfg.HomeURL = cmp.Or(cfg.HomeURL, "/")
	cfg.LoginURL = cmp.Or(cfg.LoginURL, cfg.HomeURL)
	cfg.Binding.TokenType = cmp.Or(cfg.Binding.TokenType, "Bearer")
}

// faults lists all that is wrong with cfg.
func (cfg *Config) faults() []string {
	f := cfg.Provider.faults()
	f = append(f, cfg.clientFaults()...)
	if cfg.Provider.Metadata == nil {
		f = append(f, parFaults("Provider.", cfg.Provider.Endpoints)...)
	}
	f = append(f, urls.Check("Config.RedirectURL", cfg.RedirectURL)...)
	f = append(f, queryFaults("Config.RedirectURL", cfg.RedirectURL, reserved)...)
	if cfg.Provider.FormPost && strings.HasPrefix(strings.ToLower(cfg.RedirectURL), "http:") {
		f = append(f, "Config.RedirectURL must be https: with Provider.FormPost the cookie needs SameSite=None; Secure")
	}
	f = append(f, cfg.seamFaults()...)
	f = append(f, cfg.certificateFaults()...)
	f = append(f, cfg.algorithmFaults()...)
	f = append(f, scopeFaults("Config.Scopes", cfg.Scopes, cfg.Provider.ScopeSep)...)
	f = append(f, keyFaults(cfg.CookieKeys)...)
	f = append(f, urls.CheckLink("Config.LoginURL", cfg.LoginURL)...)
	return append(f, urls.CheckLink("Config.HomeURL", cfg.HomeURL)...)
}

func (cfg *Config) clientFaults() (f []string) {
	switch {
	case cfg.ClientID == "":
		f = append(f, "Config.ClientID is empty: set it to the id that the provider gave the app")
	case isUntidy(cfg.ClientID):
		f = append(f, "Config.ClientID"+untidy)
	case cfg.Provider.RawBasic && strings.Contains(cfg.ClientID, ":"):
		f = append(f, "Config.ClientID has a colon, which Provider.RawBasic cannot carry")
	}
	return f
}

// seamFaults lists the faults that the constructors of the parts found in their arguments, and parts
// that lack what they need.
func (cfg *Config) seamFaults() (f []string) {
	p := &cfg.Provider
	f = append(f, faultsOf(p.Err)...)
	f = append(f, faultsOf(cfg.ClientAuth.Err)...)
	f = append(f, faultsOf(cfg.Binding.Err)...)
	f = append(f, faultsOf(cfg.MessageSigning.Err)...)
	if cfg.ClientAuth.Authenticate == nil && cfg.ClientAuth.Err == nil {
		f = append(f, "Config.ClientAuth is empty: use authcode.Secret, or authcode.Public for an app without a secret")
	}
	if !isTokenType(cfg.Binding.TokenType) {
		f = append(f, "Config.Binding.TokenType is not the name of an authentication scheme such as DPoP")
	}
	signing := &cfg.MessageSigning
	if (signing.SignRequest != nil || signing.SignedResponses) && p.Issuer == "" {
		f = append(f, "Provider.Issuer is empty: signed requests and responses name it")
	}
	if signing.SignedResponses && p.Verify == nil {
		f = append(f, "Config.MessageSigning.SignedResponses needs Provider.Verify: use oidc.Provider")
	}
	return f
}

// faultsOf lists what a constructor found wrong with its arguments.
func faultsOf(err error) []string {
	if err == nil {
		return nil
	}
	if own := (*Error)(nil); errors.As(err, &own) && own != nil {
		if len(own.Faults) > 0 {
			return own.Faults
		}
		return []string{own.detail}
	}
	return []string{err.Error()}
}

// isTokenType holds for an authentication scheme (RFC 9110 section 11.1), or nothing.
func isTokenType(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !headers.IsAlphanumeric(r) && r != '-' })
}

// certificateFaults looks at the client certificate and at who is to see it.
func (cfg *Config) certificateFaults() (f []string) {
	isCredential := cfg.ClientAuth.showsCertificate()
	if cfg.Certificate == nil {
		if isCredential {
			f = append(f, "Config.Certificate is nil: it is the credential of Config.ClientAuth")
		}
		if cfg.Binding.Certificate {
			f = append(f, "Config.Certificate is nil: Config.Binding binds tokens to it")
		}
		return f
	}
	if !isCredential && !cfg.Binding.Certificate {
		f = append(f, "Config.Certificate is used for nothing: set ClientAuth to clientauth.MutualTLS(), or Binding to "+
			"clientauth.CertificateBound()")
	}
	if err := mtls.CheckBase(cfg.Transport); err != nil {
		f = append(f, "Config.Transport "+err.Error())
	}
	// A function that would have to wait for the certificate returns an error now, and is not judged.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if cert, err := cfg.Certificate(ctx); err == nil {
		if err := mtls.CheckCertificate(cert, time.Now()); err != nil {
			f = append(f, "Config.Certificate: "+err.Error())
		}
	}
	return f
}

// algorithmFaults holds all that signs to Config.Algorithms, as far as the parts say what they use.
func (cfg *Config) algorithmFaults() (f []string) {
	for _, list := range []struct {
		field string
		names []string
	}{{"Config.Algorithms", cfg.Algorithms}, {"Provider.Algorithms", cfg.Provider.Algorithms}} {
		if list.names != nil && len(list.names) == 0 {
			f = append(f, list.field+" is empty: leave it nil, or name algorithms such as ES256")
		}
		for _, alg := range list.names {
			if !isAlgorithm(alg) {
				f = append(f, fmt.Sprintf("%s has %q: want names such as RS256, PS256, ES256 or EdDSA; none and HMAC are never admitted",
					list.field, alg))
			}
		}
	}
	if cfg.Algorithms == nil {
		return f
	}
	for _, part := range []struct {
		field string
		names []string
	}{
		{"Provider.Algorithms", cfg.Provider.Algorithms},
		{"Config.ClientAuth", cfg.ClientAuth.Algorithms},
		{"Config.Binding", cfg.Binding.Algorithms},
		{"Config.MessageSigning", cfg.MessageSigning.Algorithms},
	} {
		for _, alg := range part.names {
			if !slices.Contains(cfg.Algorithms, alg) {
				f = append(f, fmt.Sprintf("%s uses the algorithm %s, which Config.Algorithms does not admit: want one of %s",
					part.field, alg, strings.Join(cfg.Algorithms, ", ")))
			}
		}
	}
	return f
}

// isAlgorithm holds for the algorithms of digital signatures that are supported (RFC 7518 section 3.1,
// RFC 8037 section 3.1). An HMAC's key would be the client secret or, where a check is fooled, the
// provider's public key.
func isAlgorithm(name string) bool {
	switch name {
	case "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA":
		return true
	}
	return false
}

const untidy = " has a control character, or white space at an end: is there a newline at its end?"

func isUntidy(s string) bool { return urls.HasControl(s) || strings.TrimSpace(s) != s }

func keyFaults(keys [][]byte) (f []string) {
	if len(keys) == 0 {
		return []string{"Config.CookieKeys is empty: it needs one key of 32 or more random bytes"}
	}
	for i, key := range keys {
		switch {
		case len(key) < 32:
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] has %d bytes, want 32 or more", i, len(key)))
		case bytes.Count(key, key[:1]) == len(key):
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] repeats a single byte: use random bytes", i))
		case slices.ContainsFunc(keys[:i], func(k []byte) bool { return bytes.Equal(k, key) }):
			f = append(f, fmt.Sprintf("Config.CookieKeys[%d] repeats an earlier key: remove it", i))
		}
	}
	return f
}
