package fapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/internal/web"
	"example.com/authcode/oidc"
)

// Profile is a set of rules for clients.
type Profile int

const (
	// Security is the FAPI 2.0 Security Profile (section 5.3.3 is about clients).
	Security Profile = iota

	// MessageSigning is Security with signed authorization requests and responses (FAPI 2.0 Message
	// Signing, sections 5.3 and 5.4). Signed introspection is oidc.Introspection's Signed.
	MessageSigning
)

// algorithms are those of FAPI 2.0 Security Profile section 5.4.1.
var algorithms = []string{"PS256", "ES256", "EdDSA"}

// New returns a Client under the profile. cfg is a Config as for [authcode.New] with a ClientAuth of package
// clientauth, and a Binding of package dpop or clientauth; with MessageSigning also Messages:
// clientauth.SignRequests(…).WithResponses(issuer). An [oidc.Issuer] in cfg is copied, with other pinned
// algorithms, so what it has loaded is not shared with the original. New does no I/O. Its error is an
// [*authcode.Error] with Reason Configuration that lists all faults, those of authcode.New included.
func New(profile Profile, cfg authcode.Config) (*authcode.Client, error) {
	r := rules{profile: profile, cfg: &cfg}
	r.endpoints()
	r.clientAuth()
	r.binding()
	r.identity()
	r.messages()
	r.transport()
	cfg.PAR, cfg.Provider.RequireIss = authcode.Always, true
	client, err := authcode.New(cfg)
	if err != nil {
		r.faults = append(r.faults, strings.TrimPrefix(err.Error(), "authcode: "))
	}
	if len(r.faults) > 0 {
		return nil, authcode.NewError(authcode.Configuration, "config", strings.Join(r.faults, "\nauthcode: "), nil)
	}
	return client, nil
}

// rules holds a Config to a profile, and changes what has to be changed.
type rules struct {
	profile Profile
	cfg     *authcode.Config
	issuers map[*oidc.Issuer]*oidc.Issuer // restricted copies
	faults  []string
}

func (r *rules) refuse(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf("FAPI 2.0: "+format, args...))
}

func (r *rules) endpoints() {
	p := &r.cfg.Provider
	if p.Issuer == "" {
		r.refuse("Provider.Issuer is empty: iss, and the audience of what the app signs, are compared with it")
	}
	if p.Metadata != nil {
		p.Metadata = secured{r.restricted(p.Metadata)}
	} else if fault := insecure(p.AuthURL, p.TokenURL, p.PARURL, p.RevocationURL, p.MTLS); fault != "" {
		r.refuse("Provider has %s", fault)
	}
	for _, field := range [][2]string{{"Provider.Issuer", p.Issuer}, {"Config.RedirectURL", r.cfg.RedirectURL}} {
		if field[1] != "" && !isSecure(field[1]) {
			r.refuse("%s must be https, on loopback too", field[0])
		}
	}
}

func insecure(auth, token, par, revocation string, mtls authcode.Aliases) string {
	for _, raw := range []string{auth, token, par, revocation, mtls.TokenURL, mtls.PARURL, mtls.RevocationURL} {
		if raw != "" && !isSecure(raw) {
			return "an endpoint that is not https, on loopback too"
		}
	}
	return ""
}

func isSecure(raw string) bool { return len(raw) > 8 && strings.EqualFold(raw[:8], "https://") }

// secured is Metadata that is held to the profile.
type secured struct{ authcode.Metadata }

// Load implements [authcode.Metadata].
func (s secured) Load(ctx context.Context, client *http.Client) (authcode.Endpoints, error) {
	e, err := s.Metadata.Load(ctx, client)
	if err != nil {
		return e, err
	}
	if fault := insecure(e.AuthURL, e.TokenURL, e.PARURL, e.RevocationURL, e.MTLS); fault != "" {
		return authcode.Endpoints{}, authcode.NewError(authcode.BadAnswer, "fapi.metadata", "the metadata has "+fault, nil)
	}
	return e, nil
}

// Validate asks the Metadata itself.
func (s secured) Validate() error {
	if own, ok := s.Metadata.(interface{ Validate() error }); ok {
		return own.Validate()
	}
	return nil
}

// clientAuth: FAPI 2.0 Security Profile section 5.3.3.1, private_key_jwt or mutual TLS.
func (r *rules) clientAuth() {
	switch auth := r.cfg.ClientAuth.(type) {
	case *clientauth.Assertion:
		if auth == nil {
			r.cfg.ClientAuth = nil // New would ask it what is wrong
			break
		}
		if !auth.IssuerAudience() {
			r.refuse("Config.ClientAuth has another audience than the issuer: drop the option")
		}
		r.cfg.ClientAuth = auth.Restrict(algorithms...)
		return
	case *clientauth.MTLS:
		if auth != nil {
			return
		}
		r.cfg.ClientAuth = nil
	}
	r.refuse("Config.ClientAuth must be clientauth.PrivateKeyJWT or clientauth.MutualTLS")
}

// binding: section 5.3.3.1 too, tokens are bound by DPoP or mutual TLS.
func (r *rules) binding() {
	switch b := r.cfg.Binding.(type) {
	case *dpop.Binding:
		if b != nil {
			return // it knows no other algorithms than ours
		}
	case *clientauth.MTLS:
		if b != nil {
			return
		}
	}
	r.cfg.Binding = nil
	r.refuse("Config.Binding must be dpop.New, dpop.PerSession or clientauth.MutualTLS: bearer tokens are forbidden")
}

func (r *rules) identity() {
	if issuer, ok := r.cfg.Provider.Identity.(*oidc.Issuer); ok {
		r.cfg.Provider.Identity = r.restrict(issuer)
	}
}

func (r *rules) messages() {
	signer, ok := r.cfg.Messages.(*clientauth.RequestSigner)
	switch {
	case ok && signer != nil:
		if r.profile == MessageSigning && !signer.Signed() {
			r.refuse("Config.Messages takes plain responses: add WithResponses(issuer)")
		}
		signer = signer.Restrict(algorithms...)
		if issuer, ok := signer.Responses().(*oidc.Issuer); ok {
			signer = signer.WithResponses(r.restrict(issuer))
		}
		r.cfg.Messages = signer
	case r.profile == MessageSigning:
		r.refuse("Config.Messages must be clientauth.SignRequests(key).WithResponses(issuer)")
	case r.cfg.Messages != nil:
		if m, ok := r.cfg.Messages.(interface {
			Restrict(...string) authcode.Messages
		}); ok {
			r.cfg.Messages = m.Restrict(algorithms...)
		}
	}
}

// restricted is m, as a copy with the profile's algorithms if it is an Issuer.
func (r *rules) restricted(m authcode.Metadata) authcode.Metadata {
	if issuer, ok := m.(*oidc.Issuer); ok {
		return r.restrict(issuer)
	}
	return m
}

// restrict returns one copy for each Issuer, however many places of the Config it has.
func (r *rules) restrict(issuer *oidc.Issuer) *oidc.Issuer {
	if r.issuers == nil {
		r.issuers = make(map[*oidc.Issuer]*oidc.Issuer)
	}
	if r.issuers[issuer] == nil {
		r.issuers[issuer] = issuer.Restrict(algorithms...)
	}
	return r.issuers[issuer]
}

// transport holds the app's transport to section 5.2.1. One that hides its TLS settings is the app's own affair.
func (r *rules) transport() {
	client := http.Client{}
	if r.cfg.HTTPClient != nil {
		client = *r.cfg.HTTPClient
	}
	if client.Transport == nil {
		client.Transport = web.NewTransport()
	}
	if t, ok := client.Transport.(*http.Transport); ok {
		own, err := strictTLS(t.TLSClientConfig)
		if err != nil {
			r.refuse("Config.HTTPClient %v", err)
		}
		t = t.Clone()
		t.TLSClientConfig = own
		client.Transport = t
	}
	r.cfg.HTTPClient = &client
}

func strictTLS(c *tls.Config) (*tls.Config, error) {
	own := &tls.Config{}
	if c != nil {
		own = c.Clone()
	}
	if own.InsecureSkipVerify {
		return nil, errors.New("skips the verification of certificates")
	}
	if own.MinVersion != 0 && own.MinVersion < tls.VersionTLS12 {
		return nil, errors.New("allows TLS before 1.2")
	}
	own.MinVersion = max(own.MinVersion, tls.VersionTLS12)
	if own.CipherSuites == nil {
		own.CipherSuites = web.Suites
	}
	if !web.AreStrong(own.CipherSuites) {
		return nil, errors.New("has cipher suites that BCP 195 does not recommend for TLS 1.2")
	}
	return own, nil
}
