package fapi

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"example.com/authcode"
)

// Profile is a set of rules for clients.
type Profile int

const (
	// Security is the FAPI 2.0 Security Profile (section 5.3.3 is about clients).
	Security Profile = iota

	// MessageSigning is Security with signed authorization requests and responses (FAPI 2.0 Message
	// Signing, sections 5.3 and 5.4). Signed introspection is oidc.IntrospectSigned.
	MessageSigning
)

// algorithms are those of FAPI 2.0 Security Profile section 5.4.1.
var algorithms = []string{"PS256", "ES256", "EdDSA"}

// New returns a Client under the profile. cfg is a Config as for [authcode.New] with a ClientAuth of package
// clientauth, and a Binding of package dpop or clientauth; with MessageSigning also Config.MessageSigning:
// clientauth.SignRequests(…) with SignedResponses. New does no I/O. Its error is an [*authcode.Error] with
// Reason Configuration whose Faults lists all faults, those of authcode.New included.
func New(profile Profile, cfg authcode.Config) (*authcode.Client, error) {
	r := rules{profile: profile, cfg: &cfg}
	if profile != Security && profile != MessageSigning {
		r.refuse("the profile is neither Security nor MessageSigning")
	}
	r.endpoints()
	r.clientAuth()
	r.binding()
	r.algorithms()
	r.messages()
	r.transport()
	cfg.Provider.RequirePAR, cfg.Provider.RequireIss = true, true
	client, err := authcode.New(cfg)
	if own := (*authcode.Error)(nil); errors.As(err, &own) {
		r.faults = append(r.faults, own.Faults...)
	}
	if err != nil || len(r.faults) > 0 {
		return nil, &authcode.Error{Reason: authcode.Configuration, Check: "config", Faults: r.faults}
	}
	return client, nil
}

// rules holds a Config to a profile, and changes what has to be changed. It decides by the facts that
// stand in the Config, never by what type or function made a part: authcode checks at every login that
// the parts do what their facts say.
type rules struct {
	profile Profile
	cfg     *authcode.Config
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
	if load := p.Metadata; load != nil {
		p.Metadata = func(ctx context.Context, conn *authcode.Connection) (authcode.Endpoints, error) {
			return secured(load(ctx, conn))
		}
	} else if fault := insecure(&p.Endpoints); fault != "" {
		r.refuse("Provider has %s", fault)
	}
	for _, field := range [][2]string{{"Provider.Issuer", p.Issuer}, {"Config.RedirectURL", r.cfg.RedirectURL},
		{"Config.LoginURL", r.cfg.LoginURL}, {"Config.HomeURL", r.cfg.HomeURL}} {
		if field[1] != "" && !isSecure(field[1]) && !strings.HasPrefix(field[1], "/") {
			r.refuse("%s must be https, on loopback too", field[0])
		}
	}
}

// secured refuses metadata with an endpoint that the profile forbids.
func secured(e authcode.Endpoints, err error) (authcode.Endpoints, error) {
	if err != nil {
		return e, err
	}
	if fault := insecure(&e); fault != "" {
		return authcode.Endpoints{}, authcode.NewError(authcode.BadAnswer, "fapi.metadata", "the metadata has "+fault, nil)
	}
	return e, nil
}

// insecure says what is wrong with the URLs of e, "" if nothing is.
func insecure(e *authcode.Endpoints) string {
	for _, raw := range []string{
		e.AuthURL, e.TokenURL, e.RevocationURL, e.PARURL, e.UserInfoURL, e.IntrospectionURL, e.EndSessionURL, e.JWKSURL,
	} {
		if raw != "" && !isSecure(raw) {
			return "an endpoint that is not https, on loopback too"
		}
	}
	if e.MTLS != nil {
		return insecure(e.MTLS)
	}
	return ""
}

func isSecure(raw string) bool { return len(raw) > 8 && strings.EqualFold(raw[:8], "https://") }

// clientAuth: FAPI 2.0 Security Profile section 5.3.3.1, private_key_jwt or mutual TLS.
func (r *rules) clientAuth() {
	switch auth := &r.cfg.ClientAuth; auth.Method {
	case "private_key_jwt":
		if auth.Audience != "issuer" {
			r.refuse("Config.ClientAuth has another audience than the issuer: drop the option")
		}
	case "tls_client_auth", "self_signed_tls_client_auth":
	default:
		r.refuse("Config.ClientAuth must be clientauth.PrivateKeyJWT or clientauth.MutualTLS")
	}
}

// binding: section 5.3.3.1 too, tokens are bound by DPoP or mutual TLS.
func (r *rules) binding() {
	b := &r.cfg.Binding
	isDPoP := b.TokenType == "DPoP" && b.Transport != nil
	if !isDPoP && !b.Certificate {
		r.refuse("Config.Binding must be dpop.New, dpop.PerSession or clientauth.CertificateBound: bearer tokens are forbidden")
	}
}

// algorithms narrows what the app admits to what the profile admits. The Config hands them to every part that
// signs or verifies, and authcode checks the outcome.
func (r *rules) algorithms() {
	admitted := algorithms
	if own := r.cfg.Algorithms; own != nil {
		admitted = []string{}
		for _, alg := range own {
			if !slices.Contains(algorithms, alg) {
				r.refuse("Config.Algorithms has %q: want PS256, ES256 or EdDSA", alg)
				continue
			}
			admitted = append(admitted, alg)
		}
	}
	r.cfg.Algorithms = admitted
}

func (r *rules) messages() {
	m := &r.cfg.MessageSigning
	if r.profile != MessageSigning {
		return
	}
	if m.SignRequest == nil {
		r.refuse("Config.MessageSigning must be clientauth.SignRequests(key): requests have to be signed")
	}
	if !m.SignedResponses {
		r.refuse("Config.MessageSigning takes plain responses: set SignedResponses")
	}
}
