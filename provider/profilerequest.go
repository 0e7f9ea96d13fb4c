package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/wire"
)

const maxProfile = 256 << 10 // bytes of one answer, after decompression

// fetch returns the members of the person's profile.
func (p profile) fetch(ctx context.Context, resp *authcode.TokenResponse) (wire.Object, error) {
	if p.answer != nil {
		return p.answered(resp)
	}
	if p.whoami != "" {
		return p.named(ctx, resp)
	}
	return p.object(ctx, resp, resp.Endpoints.UserInfoURL)
}

// answered returns the members of the token answer that say who signed in. The
// tokens beside them are no claims.
func (p profile) answered(resp *authcode.TokenResponse) (wire.Object, error) {
	obj := make(wire.Object, len(p.answer))
	for _, name := range p.answer {
		raw, err := json.Marshal(resp.Token.Extra(name))
		if err != nil {
			return nil, refuse(authcode.IdentityRefused, "profile.form")
		}
		obj[name] = wire.Raw(raw)
	}
	return obj, nil
}

// named returns the profile of the person whose name is at whoami, a path
// relative to UserInfoURL. The profile is one segment below UserInfoURL.
func (p profile) named(ctx context.Context, resp *authcode.TokenResponse) (wire.Object, error) {
	base := resp.Endpoints.UserInfoURL
	// What is not a URL becomes "", which send refuses.
	target, _ := url.JoinPath(base, p.whoami)
	text, err := p.load(ctx, resp, target)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSpace(string(text))
	// Dots alone would lead to another path, and no name to the list of all
	// people.
	if !wire.IsSubject(name) || strings.Trim(name, ".") == "" {
		return nil, refuse(authcode.IdentityRefused, "profile.id")
	}
	obj, err := p.object(ctx, resp, strings.TrimSuffix(base, "/")+"/"+url.PathEscape(name))
	if err != nil {
		return nil, err
	}
	// The path has the name in another spelling, which may be another person's.
	// So compare the names.
	if found, _ := wire.Text(obj["name"]); found != name {
		return nil, refuse(authcode.IdentityRefused, "profile.id")
	}
	return obj, nil
}

// object loads one JSON object.
func (p profile) object(
	ctx context.Context, resp *authcode.TokenResponse, target string,
) (wire.Object, error) {
	body, err := p.load(ctx, resp, target)
	if err != nil {
		return nil, err
	}
	obj, err := wire.ParseObject(body)
	if err != nil {
		return nil, refuse(authcode.IdentityRefused, "profile.form")
	}
	return obj, nil
}

// load sends the access token to target and reads the answer.
func (p profile) load(
	ctx context.Context, resp *authcode.TokenResponse, target string,
) ([]byte, error) {
	answer, err := p.send(ctx, resp, p.method, target)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return readBody(ctx, answer)
}

// send sends the access token to target. It follows no redirect: the token is
// for this origin only. The caller closes the answer's body.
func (p profile) send(
	ctx context.Context, resp *authcode.TokenResponse, method, target string,
) (*http.Response, error) {
	var body io.Reader
	do, kind := resp.Do, ""
	if p.json != "" {
		body, kind = strings.NewReader(p.json), "application/json"
	}
	if p.inBody { // RFC 6750 section 2.2; a second token in the header is forbidden
		body, kind = strings.NewReader(url.Values{
			"client_id": {resp.Config.ClientID}, "access_token": {resp.Token.AccessToken},
		}.Encode()), "application/x-www-form-urlencoded"
		do = resp.Transport.RoundTrip
	}
	req, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil || req.URL.Host == "" {
		return nil, refuse(authcode.Configuration, "profile.url")
	}
	for name, value := range p.header {
		req.Header.Set(name, value)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "authcode") // GitHub and Reddit refuse requests without one
	answer, err := do(req)
	if err != nil {
		return nil, broken(ctx, err)
	}
	return answer, nil
}

// readBody reads the whole body of a successful answer, up to maxProfile. It
// refuses any other status.
func readBody(ctx context.Context, answer *http.Response) ([]byte, error) {
	if err := statusError(answer); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	_, err := body.ReadFrom(io.LimitReader(answer.Body, maxProfile+1))
	// net/http can report a body as complete that was cut off by the deadline.
	// The context knows better.
	if err != nil || ctx.Err() != nil {
		return nil, broken(ctx, err)
	}
	if body.Len() > maxProfile {
		return nil, refuse(authcode.BadAnswer, "profile.size")
	}
	return body.Bytes(), nil
}

// broken explains a request that got no complete answer. It does not repeat the
// text of err, which may contain what a server or a custom transport put there.
// An error of the root package or of a Binding passes through.
func broken(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if own, ok := errors.AsType[*authcode.Error](err); ok && own != nil {
		return own
	}
	return authcode.NewError(authcode.Unreachable, "profile.unreachable",
		explained["profile.unreachable"], err)
}

// isForbidden reports whether the provider says that the access token does not
// cover what was asked for. GitHub answers 404 in place of 403, so as not to
// reveal what exists.
func isForbidden(answer *http.Response) bool {
	return answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusNotFound
}

// statusError returns nil for 200. Otherwise the Reason tells a caller what to
// do: wait, report to the provider, or correct the scopes.
func statusError(answer *http.Response) error {
	switch status := answer.StatusCode; {
	case status == http.StatusOK:
		return nil
	case status >= 300 && status < 400:
		return refuse(authcode.BadAnswer, "profile.redirect")
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable:
		e := refuse(authcode.Overloaded, "profile.overloaded")
		e.RetryAfter = headers.RetryAfter(answer.Header.Get("Retry-After"))
		return e
	case status >= 500:
		return refuse(authcode.BadAnswer, "profile.status")
	case isForbidden(answer):
		return refuse(authcode.IdentityRefused, "profile.permission")
	}
	return refuse(authcode.IdentityRefused, "profile.status")
}

// refuse makes the error of a check.
func refuse(reason authcode.Reason, check string) *authcode.Error {
	return authcode.NewError(reason, check, explained[check], nil)
}

// explained tells an operator, by Check, what is wrong and what to do.
var explained = map[string]string{
	"callback.device_id": "the callback has no device_id, which VK ID's token endpoint demands: " +
		"sign in again, and report it to the provider if it happens again",
	"callback.hmac": "the callback is not signed with the client secret: give provider.Shopify " +
		"the secret of the app's registration; if it has, somebody may have forged the callback",
	"client_auth.apple": "the client secret could not be signed with the key: " +
		"pass AppleSecret the .p8 file from Apple",
	"id_token.nonce": "the ID token belongs to another login, so it may be stolen: " +
		"let the person sign in again",
	"id_token.team": "the ID token does not say which team the user's id belongs to: report it " +
		"to the provider and to this project",
	"profile.emails": "the list of e-mail addresses is malformed: it differs from what the " +
		"provider documents, so report it to the provider and to this project",
	"profile.form": "the profile is malformed: it differs from what the provider documents, " +
		"so report it to the provider and to this project",
	"profile.id": "the profile has no usable user id: it differs from what the provider " +
		"documents, so report it to the provider and to this project",
	"profile.overloaded": "the provider is busy and asks the app to wait: try again later",
	"profile.permission": "the provider refuses to show the profile: request the preset's " +
		"scopes, and check that the app's registration at the provider grants them",
	"profile.redirect": "the provider answered the request for the profile with a redirect, " +
		"which is never followed: set Provider.UserInfoURL to the final address",
	"profile.size": "the profile is larger than 256 KiB: check Provider.UserInfoURL",
	"profile.status": "the provider answered the request for the profile with an unexpected " +
		"status: try again, and check Provider.UserInfoURL if it happens again",
	"profile.unreachable": "the profile could not be loaded",
	"profile.url": "Provider.UserInfoURL is not a URL: set it, since the preset's Identity asks " +
		"there for the profile",
}
