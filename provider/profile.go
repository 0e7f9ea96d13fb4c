package provider

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

const timeout = 10 * time.Second

// profile says how to read a person's profile at a provider without usable ID
// tokens. It makes one request to [authcode.Endpoints.UserInfoURL] with the
// access token, and turns the answer into an [authcode.Identity]. The fields
// name places in the answer by paths such as "data.user.open_id".
type profile struct {
	origin string            // Identity.Issuer: the origin of the provider, or a preset's base
	token  string            // the origin of TokenURL; see withProfile
	method string            // if empty, GET
	header map[string]string // further headers
	inBody bool              // the access token is in the body, beside the client ID
	json   string            // if set, the body of the request

	// answer names the members of the token answer that say who signed in. If
	// set, there is no request: the profile consists of these members.
	answer []string

	whoami  string   // if set, the person's name is there; see named
	id      string   // the path of a text or a whole number
	team    string   // if set, the path of the team's id, which goes before the user's
	name    []string // alternatives; the first found is used; "a b" joins two paths
	picture string   // a path, or a URL with paths in braces

	// email and verified go together. Without the provider's own word on
	// whether an address is verified, there is no address in the Identity: an
	// attacker could type in the address of somebody else. The address stays in
	// Identity.Claims, for an app that takes the risk. Of several paths in
	// verified, all must say so.
	email, verified string
	emails          *emailList // where the addresses need a request of their own

	nonce bool // if the ID token has a nonce, it must be the one of this login
}

// withProfile returns p with the people that r reads. It notes which origins
// belong together, so that an app cannot move some URLs of a preset and send
// the tokens of its own server to the former one.
func withProfile(p authcode.Provider, r profile) authcode.Provider {
	for _, u := range append([]string{
		p.Issuer, p.AuthURL, p.TokenURL, p.RevocationURL, p.UserInfoURL,
	}, p.Servers...) {
		if o := originOf(u); o != "" && !slices.Contains(p.Origins, o) {
			p.Origins = append(p.Origins, o)
		}
	}
	r.token = originOf(p.TokenURL)
	p.Identity = r.identify
	return p
}

// originOf returns the origin of a URL as it is usually written, or "".
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + strings.ToLower(u.Host)
}

// issuer returns Identity.Issuer. It is another one if the app has moved the
// preset to another installation, or if another data center has the account:
// number 7 there is another person.
func (p profile) issuer(resp *authcode.TokenResponse) string {
	// Not the URL of MTLS, which is an alias of the same installation.
	tokenURL := resp.Config.Provider.TokenURL
	if resp.Config.Provider.Metadata != nil || resp.Config.Provider.ServerParam != "" {
		tokenURL = resp.Endpoints.TokenURL
	}
	if o := originOf(tokenURL); o != p.token {
		return o
	}
	return p.origin
}

// identify is [authcode.Provider.Identity]. The profile is about the person who
// has just signed in: the access token came directly from the provider, for a
// code that this client redeemed. An access token that came through the browser
// would prove nothing, since any other app could have obtained it.
func (p profile) identify(
	ctx context.Context, resp *authcode.TokenResponse,
) (*authcode.Identity, error) {
	// A refresh does not change who the person is.
	if resp.Previous != nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if p.nonce && !hasNonce(resp) {
		return nil, refuse(authcode.IdentityRefused, "id_token.nonce")
	}
	obj, err := p.fetch(ctx, resp)
	if err != nil {
		return nil, err
	}
	id := &authcode.Identity{Issuer: p.issuer(resp), Claims: make(map[string]any, len(obj))}
	if id.Subject = p.subject(obj); id.Subject == "" {
		return nil, refuse(authcode.IdentityRefused, "profile.id")
	}
	for name, raw := range obj {
		id.Claims[name], _ = wire.Any(raw)
	}
	id.Name, id.Picture = fullName(obj, p.name), pictureURL(obj, p.picture)
	// Only a JSON boolean says whether the address is verified. Some providers
	// send null, or a text.
	if verified, known := flags(obj, p.verified); known {
		id.Email, id.EmailVerified = address(at(obj, p.email), verified)
	}
	if p.emails != nil {
		err = p.primaryEmail(ctx, resp, id)
	}
	return id, err
}

// at returns the value at path, or "" if there is none. It reads each object on
// the way as strictly as the whole, so that a repeated name is never resolved
// by chance.
func at(obj wire.Object, path string) wire.Raw {
	name, rest, deeper := strings.Cut(path, ".")
	raw := obj[name]
	if !deeper {
		return raw
	}
	inner, err := wire.ParseObject([]byte(raw))
	if err != nil {
		return ""
	}
	return at(inner, rest)
}

// subject returns a user's id as text: a text as it is, and a whole number with
// all its digits. It returns "" if raw is not a usable id.
func subject(raw wire.Raw) string {
	id, isText := wire.Text(raw)
	if !isText {
		if id = string(raw); !consists(id, digits) {
			return ""
		}
	}
	// A program that has no id sends 0, and then everybody would be the same
	// user.
	if id == "0" || !wire.IsSubject(id) {
		return ""
	}
	return id
}

// subject returns the user's id in obj, with that of the team if p has one.
func (p profile) subject(obj wire.Object) string {
	id := subject(at(obj, p.id))
	if p.team == "" || id == "" {
		return id
	}
	return teamKey(subject(at(obj, p.team)), id)
}

// flag reads whether a provider has verified an address. known is false if the
// provider does not say so with a JSON boolean.
func flag(raw wire.Raw) (verified, known bool) {
	return raw == "true", raw == "true" || raw == "false"
}

// flags reads the flags at paths. The address is verified if all are true, and
// nothing is known without any path, or if one of them is unknown.
func flags(obj wire.Object, paths string) (verified, known bool) {
	verified, known = true, paths != ""
	for path := range strings.FieldsSeq(paths) {
		isTrue, isThere := flag(at(obj, path))
		verified, known = verified && isTrue, known && isThere
	}
	return verified, known
}

// address returns an e-mail address and whether it is verified. Without an
// address nothing is verified.
func address(raw wire.Raw, verified bool) (string, bool) {
	text, _ := wire.Text(raw)
	return text, verified && text != ""
}

// fullName returns the first of the alternatives that is there. An alternative
// is one or more paths, whose texts are joined.
func fullName(obj wire.Object, alternatives []string) string {
	for _, paths := range alternatives {
		var parts []string
		for path := range strings.FieldsSeq(paths) {
			if text, _ := wire.Text(at(obj, path)); text != "" {
				parts = append(parts, text)
			}
		}
		if len(parts) > 0 {
			return strings.Join(parts, " ")
		}
	}
	return ""
}

// pictureURL reads a URL at a path, or builds one from a pattern with paths in
// braces. It returns "" if a part is missing. It escapes each part, so that a
// person's id cannot lead to another place.
func pictureURL(obj wire.Object, pattern string) string {
	before, rest, built := strings.Cut(pattern, "{")
	if !built {
		text, _ := wire.Text(at(obj, pattern))
		return text
	}
	path, after, _ := strings.Cut(rest, "}")
	part, _ := wire.Text(at(obj, path))
	if part == "" {
		return ""
	}
	if strings.Contains(after, "{") {
		if after = pictureURL(obj, after); after == "" {
			return ""
		}
	}
	return before + url.PathEscape(part) + after
}
