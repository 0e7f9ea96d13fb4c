package fapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/jws"
)

// Profile is a set of rules for clients.
type Profile int

const (
	// Security is the FAPI 2.0 Security Profile (section 5.3.3 is about
	// clients).
	Security Profile = iota

	// MessageSigning is Security with signed authorization requests and
	// responses (FAPI 2.0 Message Signing, sections 5.3 and 5.4). Signed
	// introspection is oidc.IntrospectSigned.
	MessageSigning
)

// algorithms are those of FAPI 2.0 Security Profile section 5.4.1.
var algorithms = []string{"PS256", "ES256", "EdDSA"}

// New returns a Client under the profile. cfg is a Config as for
// [authcode.New], with a ClientAuth of package clientauth and a Binding of
// package dpop or clientauth. With [MessageSigning], it also needs
// Config.MessageSigning: clientauth.SignRequests, with SignedResponses set to
// true. New does no I/O. Its error is an [*authcode.Error] with Reason
// Configuration. Faults lists all faults, those that authcode.New finds
// included.
func New(profile Profile, cfg authcode.Config) (*authcode.Client, error) {
	r := rules{profile: profile, cfg: &cfg}
	if profile != Security && profile != MessageSigning {
		r.refuse("the profile is neither Security nor MessageSigning: pass one of them")
	}
	r.checkEndpoints()
	r.checkClientAuth()
	r.checkBinding()
	r.narrowAlgorithms()
	r.checkMessageSigning()
	r.hardenTransport()
	// Section 5.3.2.2 obliges the provider to support both, so a client may
	// rely on them. A pushed request cannot be changed in the browser (RFC
	// 9126). iss prevents that one provider's code is sent to another (RFC
	// 9207).
	cfg.Provider.RequirePAR, cfg.Provider.RequireIss = true, true
	client, err := authcode.New(cfg)
	if len(r.faults) == 0 {
		return client, err
	}
	// One error for everything, so that an operator can correct it all at once.
	if own, ok := errors.AsType[*authcode.Error](err); ok {
		r.faults = append(r.faults, own.Faults...)
	}
	return nil, &authcode.Error{
		Reason: authcode.Configuration, Check: "config", Faults: r.faults,
	}
}

// rules holds a Config to a profile, and changes what must be changed. It
// decides by the facts in the Config, and never by which type or function made
// a part. At every login, package authcode checks that the parts do what their
// facts say.
type rules struct {
	profile Profile
	cfg     *authcode.Config
	faults  []string
}

func (r *rules) refuse(format string, args ...any) {
	fault := fmt.Sprintf("FAPI 2.0: "+format, args...)
	if !slices.Contains(r.faults, fault) {
		r.faults = append(r.faults, fault)
	}
}

// checkEndpoints: section 5.2.1, everything is sent over TLS.
func (r *rules) checkEndpoints() {
	if r.cfg.Provider.Issuer == "" {
		r.refuse("Provider.Issuer is empty: set it, since iss and the audience of what " +
			"the app signs are compared with it")
	}
	if len(r.cfg.InsecureInnerOrigins) > 0 {
		r.refuse("Config.InsecureInnerOrigins is set: remove it, since requests over http are " +
			"forbidden, also inside")
	}
	// If the RedirectURL is https, package authcode admits no other endpoints,
	// also in metadata.
	for _, field := range [][2]string{
		{"Config.RedirectURL", r.cfg.RedirectURL},
		{"Config.LoginURL", r.cfg.LoginURL}, {"Config.HomeURL", r.cfg.HomeURL},
	} {
		// A local path, such as /login, has the scheme of the RedirectURL.
		if field[1] != "" && !isSecure(field[1]) && !strings.HasPrefix(field[1], "/") {
			r.refuse("%s must be https, on loopback too", field[0])
		}
	}
}

func isSecure(raw string) bool { return len(raw) > 8 && strings.EqualFold(raw[:8], "https://") }

// checkClientAuth: section 5.3.3.1, private_key_jwt or mutual TLS. A secret
// that both sides know can leak from either.
func (r *rules) checkClientAuth() {
	switch auth := &r.cfg.ClientAuth; auth.Method {
	case "private_key_jwt":
		// Section 5.3.3.1: aud is the issuer, as one string. An assertion for
		// another audience can be presented at another server (CVE-2025-27370):
		// clientauth.TokenURLAudience describes the attack.
		if auth.Audience != "issuer" {
			r.refuse("Config.ClientAuth has an audience that is not the issuer: " +
				"drop the option TokenURLAudience or EndpointAudience")
		}
	case "tls_client_auth", "self_signed_tls_client_auth":
	default:
		r.refuse("Config.ClientAuth must be clientauth.PrivateKeyJWT or clientauth.MutualTLS")
		// authcode.New would advise how to correct it, or to use a secret. But it
		// has to be replaced, whatever else is wrong with it.
		*auth = authcode.ClientAuth{
			Authenticate: func(context.Context, *authcode.TokenRequest) error { return nil },
		}
	}
}

// checkBinding: section 5.3.3.1 too, tokens are bound by DPoP or mutual TLS, so
// that a stolen one is of no use.
func (r *rules) checkBinding() {
	b := &r.cfg.Binding
	// With DPoP, package authcode checks that each request has a proof, and that
	// there is a Transport to make them.
	if !strings.EqualFold(b.TokenType, "DPoP") && !b.Certificate {
		r.refuse("Config.Binding must be dpop.New, dpop.PerSession or " +
			"clientauth.CertificateBound: bearer tokens are forbidden")
	}
}

// narrowAlgorithms limits the algorithms to those that the profile allows.
// Package authcode hands Config.Algorithms to every part that signs or
// verifies, and checks the outcome.
func (r *rules) narrowAlgorithms() {
	cfg := r.cfg
	r.narrow("Config.Algorithms has", &cfg.Algorithms)
	r.narrow("Provider.Algorithms has", &cfg.Provider.Algorithms)
	r.narrow("Config.ClientAuth signs with", &cfg.ClientAuth.Algorithms)
	r.narrow("Config.Binding signs with", &cfg.Binding.Algorithms)
	r.narrow("Config.MessageSigning signs with", &cfg.MessageSigning.Algorithms)
	if cfg.Algorithms == nil {
		cfg.Algorithms = algorithms
	}
}

// narrow refuses the names in list that the profile does not admit. It removes
// them, so that authcode.New does not refuse them again. An empty list stays
// empty: authcode.New says so.
func (r *rules) narrow(what string, list *[]string) {
	var admitted []string
	for _, alg := range *list {
		if jws.Allows(algorithms, alg) {
			admitted = append(admitted, alg)
			continue
		}
		r.refuse("%s %q: use PS256, ES256 or EdDSA", what, alg)
	}
	if len(*list) > 0 {
		*list = admitted
	}
}

// checkMessageSigning: FAPI 2.0 Message Signing, sections 5.3.2 and 5.4.2.
func (r *rules) checkMessageSigning() {
	m := &r.cfg.MessageSigning
	if r.profile != MessageSigning {
		return
	}
	if m.SignRequest == nil {
		r.refuse("Config.MessageSigning must be clientauth.SignRequests(key): " +
			"requests have to be signed")
	}
	if !m.SignedResponses {
		r.refuse("Config.MessageSigning takes plain responses: set SignedResponses to true")
	}
}
