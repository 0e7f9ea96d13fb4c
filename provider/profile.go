package provider

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"example.com/authcode"
	"example.com/authcode/internal/web"
	"example.com/authcode/internal/wire"
)

const (
	maxProfile = 256 << 10 // bytes of one answer, after decompression
	maxSubject = 255       // as OpenID Connect Core section 2 has it for sub
	timeout    = 10 * time.Second

	noPermission = "profile.permission"
)

// profile is the Identifier of providers whose ID tokens are missing or unusable: one request with
// the access token, and a map from the answer to an [authcode.Identity]. Places in the answer
// are paths such as "data.user.open_id".
type profile struct {
	origin string            // Identity.Issuer: the origin of the provider
	url    string            // where the profile is
	method string            // if empty, GET
	header map[string]string // further headers

	id      string   // the path of a text or a whole number
	name    []string // the first that is there counts; paths with a space between them are joined
	picture string   // a path, or a URL with paths in braces

	// email and verified go together: without the provider's own word on an address there is
	// none in the Identity. It stays in Identity.Claims, for an app that takes the risk.
	email, verified string
	emails          *emailList // where the addresses have a request of their own

	nonce bool // an ID token that comes along and has a nonce must have this login's
}

// Identify implements [authcode.Identifier]. Whoever holds the access token is who it was issued to:
// it came by the back channel from the provider itself, for a code that this client redeemed.
func (p profile) Identify(ctx context.Context, answer *authcode.Answer) (*authcode.Identity, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if p.nonce && !ofThisLogin(answer) {
		return nil, refuse(authcode.IdentityRefused, "id_token.nonce")
	}
	body, err := p.fetch(ctx, answer, p.method, p.url)
	if err != nil {
		return nil, err
	}
	obj, err := wire.ParseObject(body)
	if err != nil { // not kept: the checks are all that an error of this package says
		return nil, refuse(authcode.IdentityRefused, "profile.form")
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
		err = p.primaryEmail(ctx, answer, id)
	}
	return id, err
}

func refuse(reason authcode.Reason, check string) *authcode.Error {
	return authcode.NewError(reason, check, explained[check], nil)
}

// explained says to an operator what is wrong, and what to do.
var explained = map[string]string{
	"client_auth.apple":   "the key did not sign the client secret",
	"id_token.nonce":      "the ID token is of another login",
	"profile.emails":      "the list of e-mail addresses has not the form that the provider documents",
	"profile.form":        "the profile has not the form that the provider documents",
	"profile.id":          "the profile has no usable id",
	"profile.overloaded":  "the provider asks to wait",
	noPermission:          "the profile was refused: are the scopes those of the preset, and may the app have them?",
	"profile.redirect":    "the profile is behind a redirect, which is never followed",
	"profile.size":        "the profile is too large",
	"profile.status":      "the profile came with another status than 200",
	"profile.unreachable": "the profile could not be loaded",
	"profile.url":         "the profile's address is not a URL",
}

// fetch sends the access token to target and reads the whole answer. Redirects are not followed:
// the token is for this origin only.
func (p profile) fetch(ctx context.Context, answer *authcode.Answer, method, target string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return nil, refuse(authcode.Configuration, "profile.url")
	}
	for name, value := range p.header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "authcode") // GitHub and Reddit refuse requests without one
	resp, err := answer.Do(req)
	if err != nil {
		return nil, broken(ctx, err)
	}
	defer resp.Body.Close()
	if err := statusError(resp); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	_, err = body.ReadFrom(io.LimitReader(resp.Body, maxProfile+1))
	// net/http reports a body that ends as the deadline fires as whole: the context knows better.
	if err != nil || ctx.Err() != nil {
		return nil, broken(ctx, err)
	}
	if body.Len() > maxProfile {
		return nil, refuse(authcode.BadAnswer, "profile.size")
	}
	return body.Bytes(), nil
}

// broken explains a request without a whole answer. Of the error nothing is kept that may repeat what a server or
// a custom transport put there; one of a Binding's own passes.
func broken(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if own := (*authcode.Error)(nil); errors.As(err, &own) && own != nil {
		return own
	}
	return authcode.NewError(authcode.Unreachable, "profile.unreachable", explained["profile.unreachable"], err)
}

func statusError(resp *http.Response) error {
	switch status := resp.StatusCode; {
	case status == http.StatusOK:
		return nil
	case status >= 300 && status < 400:
		return refuse(authcode.Redirected, "profile.redirect")
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		e := refuse(authcode.Overloaded, "profile.overloaded")
		e.RetryAfter = web.RetryAfter(resp.Header.Get("Retry-After"))
		return e
	case status >= 500:
		return refuse(authcode.BadAnswer, "profile.status")
	case status == http.StatusForbidden, status == http.StatusNotFound: // GitHub hides what it forbids
		return refuse(authcode.IdentityRefused, noPermission)
	}
	return refuse(authcode.IdentityRefused, "profile.status")
}

// at returns the value at path, "" if there is none. Each object on the way is read as
// strictly as the whole.
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

// subject returns a user's id as text, "" if raw is none: a text as it is, a whole number with
// all its digits. Zero is what a program sends that has no id, and a space at the end of a key is what
// many a database ignores.
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

// flag reads what a provider says of an address; known is false if it says nothing.
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

// pictureURL reads a URL, or builds one; without one of its parts there is none.
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
