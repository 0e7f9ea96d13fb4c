package provider

import (
	"context"
	"net/url"
	"strings"
	"time"
	"unicode"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

const (
	maxSubject = 255 // characters, as for sub in OpenID Connect Core section 2
	timeout    = 10 * time.Second
)

// profile says how to read the profile of a person at a provider whose ID tokens are missing or
// unusable: one request to [authcode.Endpoints.UserInfoURL] with the access token, and a map from
// the answer to an [authcode.Identity]. Places in the answer are paths such as
// "data.user.open_id".
type profile struct {
	origin string            // Identity.Issuer: the origin of the provider
	method string            // if empty, GET
	header map[string]string // further headers

	id      string   // the path of a text or a whole number
	name    []string // the first that is there counts; paths with a space between them are joined
	picture string   // a path, or a URL with paths in braces

	// email and verified go together: without the provider's own word on an address there is none
	// in the Identity. It stays in Identity.Claims, for an app that takes the risk.
	email, verified string
	emails          *emailList // where the addresses have a request of their own

	nonce bool // an ID token that comes along and has a nonce must have this login's
}

// identify is [authcode.Provider.Identity]. The access token belongs to the person who has just
// signed in: it came by the back channel from the provider itself, for a code that this client
// redeemed. A refresh does not change who that is, so it asks for no profile.
func (p profile) identify(ctx context.Context, resp *authcode.TokenResponse) (*authcode.Identity, error) {
	if resp.Previous != nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if p.nonce && !ofThisLogin(resp) {
		return nil, refuse(authcode.IdentityRefused, "id_token.nonce")
	}
	obj, err := p.fetch(ctx, resp)
	if err != nil {
		return nil, err
	}
	id := &authcode.Identity{Issuer: p.origin, Claims: make(map[string]any, len(obj))}
	if id.Subject = subject(at(obj, p.id)); id.Subject == "" {
		return nil, refuse(authcode.IdentityRefused, "profile.id")
	}
	for name, raw := range obj {
		id.Claims[name], _ = wire.Any(raw)
	}
	id.Name, id.Picture = fullName(obj, p.name), pictureURL(obj, p.picture)
	if verified, known := flag(at(obj, p.verified)); known && p.verified != "" {
		id.Email, id.EmailVerified = address(at(obj, p.email), verified)
	}
	if p.emails != nil {
		err = p.primaryEmail(ctx, resp, id)
	}
	return id, err
}

// at returns the value at path, "" if there is none. Each object on the way is read as strictly
// as the whole.
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

// subject returns a user's id as text, "" if raw is not a usable one: a text as it is, a whole
// number with all its digits. Zero is what a program sends that has no id, and many databases
// ignore a space at the end of a key.
func subject(raw wire.Raw) string {
	id, isText := wire.Text(raw)
	if !isText {
		if id = string(raw); !consists(id, digits) {
			return ""
		}
	}
	if id == "0" || len(id) > maxSubject || id != strings.TrimSpace(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return ""
	}
	return id
}

// flag reads whether a provider has verified an address; known is false if the provider does not
// say.
func flag(raw wire.Raw) (verified, known bool) { return raw == "true", raw == "true" || raw == "false" }

func address(raw wire.Raw, verified bool) (string, bool) {
	text, _ := wire.Text(raw)
	return text, verified && text != ""
}

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

// pictureURL reads a URL, or builds one from its parts. It is empty if a part is missing.
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
