package fapi

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/oidc"
	"golang.org/x/oauth2"
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
	if profile != Security && profile != MessageSigning {
		r.refuse("the profile is neither Security nor MessageSigning")
	}
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
	for _, field := range [][2]string{{"Provider.Issuer", p.Issuer}, {"Config.RedirectURL", r.cfg.RedirectURL},
		{"Config.LoginURL", r.cfg.LoginURL}, {"Config.HomeURL", r.cfg.HomeURL}} {
		if field[1] != "" && !isSecure(field[1]) && !strings.HasPrefix(field[1], "/") {
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
	case *dpop.Binding: // it knows no other algorithms than ours
		if b != nil {
			r.cfg.Binding = bound{b}
			return
		}
	case *clientauth.MTLS:
		if b != nil {
			r.cfg.Binding = certified{bound{b}, b}
			return
		}
	}
	r.cfg.Binding = nil
	r.refuse("Config.Binding must be dpop.New, dpop.PerSession or clientauth.MutualTLS: bearer tokens are forbidden")
}

// bound is a Binding that sends tokens over https only.
type bound struct{ authcode.Binding }

// RoundTrip implements [authcode.Binding].
func (b bound) RoundTrip(base http.RoundTripper, r *http.Request, t *oauth2.Token, key string) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		if r.Body != nil {
			r.Body.Close() // as RoundTripper promises
		}
		return nil, authcode.NewError(authcode.Configuration, "fapi.http", "the profile forbids http for APIs, on loopback too", nil)
	}
	return b.Binding.RoundTrip(base, r, t, key)
}

// Validate asks the Binding itself.
func (b bound) Validate() error { return b.Binding.(interface{ Validate() error }).Validate() }

// certified has the transport of its certificate too.
type certified struct {
	bound
	own *clientauth.MTLS
}

// Transport is what the root package asks a Binding for that shows a certificate.
func (c certified) Transport() http.RoundTripper { return c.own.Transport() }

func (r *rules) identity() {
	switch id := r.cfg.Provider.Identity.(type) {
	case *oidc.Issuer:
		r.cfg.Provider.Identity = r.restrict(id)
	case pinned: // an Issuer inside a type of the app's
		if !id.Pinned(algorithms...) {
			r.refuse("Provider.Identity hides an oidc.Issuer without oidc.Algorithms(PS256, ES256, EdDSA)")
		}
	}
}

type pinned interface {
	Pinned(algorithms ...string) bool
}

func (r *rules) messages() {
	switch m := r.cfg.Messages.(type) {
	case *clientauth.RequestSigner:
		if m != nil {
			r.cfg.Messages = r.signer(m)
			return
		}
		r.cfg.Messages = nil
	case interface {
		Restrict(...string) authcode.Messages
	}: // oidc.Issuer.SignedResponses
		r.cfg.Messages = m.Restrict(algorithms...)
	case nil:
	default:
		r.refuse("Config.Messages must be of package clientauth or oidc")
	}
	if r.profile == MessageSigning {
		r.refuse("Config.Messages must be clientauth.SignRequests(key).WithResponses(issuer)")
	}
}

func (r *rules) signer(s *clientauth.RequestSigner) authcode.Messages {
	if r.profile == MessageSigning && !s.Signed() {
		r.refuse("Config.Messages takes plain responses: add WithResponses(issuer)")
	}
	s = s.Restrict(algorithms...)
	switch v := s.Responses().(type) {
	case *oidc.Issuer:
		if v != nil && v.Provider().Issuer != r.cfg.Provider.Issuer {
			r.refuse("Config.Messages: WithResponses has another issuer than Provider.Issuer")
		}
		return s.WithResponses(r.restrict(v))
	case nil:
	default:
		if p, ok := v.(pinned); !ok || !p.Pinned(algorithms...) {
			r.refuse("Config.Messages: WithResponses must have an oidc.Issuer")
		}
	}
	return s
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
