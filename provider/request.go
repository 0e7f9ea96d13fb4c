package provider

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"example.com/authcode"
	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/wire"
)

const maxProfile = 256 << 10 // bytes of one answer, after decompression

// fetch returns the members of the person's profile.
func (p profile) fetch(ctx context.Context, resp *authcode.TokenResponse) (wire.Object, error) {
	answer, err := p.send(ctx, resp, p.method, resp.Endpoints.UserInfoURL)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := readBody(ctx, answer)
	if err != nil {
		return nil, err
	}
	obj, err := wire.ParseObject(body)
	if err != nil { // not kept: this package's errors say no more than the Check
		return nil, refuse(authcode.IdentityRefused, "profile.form")
	}
	return obj, nil
}

// send sends the access token to target. Redirects are not followed: the token is for this origin
// only. The caller closes the answer's body.
func (p profile) send(ctx context.Context, resp *authcode.TokenResponse, method, target string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil || target == "" {
		return nil, refuse(authcode.Configuration, "profile.url")
	}
	for name, value := range p.header {
		req.Header.Set(name, value)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "authcode") // GitHub and Reddit refuse requests without one
	answer, err := resp.Do(req)
	if err != nil {
		return nil, broken(ctx, err)
	}
	return answer, nil
}

// readBody reads the whole body of an answer that has what was asked for.
func readBody(ctx context.Context, answer *http.Response) ([]byte, error) {
	if err := statusError(answer); err != nil {
		return nil, err
	}
	var body bytes.Buffer
	_, err := body.ReadFrom(io.LimitReader(answer.Body, maxProfile+1))
	// net/http reports a body that ends as the deadline fires as whole: the context knows better.
	if err != nil || ctx.Err() != nil {
		return nil, broken(ctx, err)
	}
	if body.Len() > maxProfile {
		return nil, refuse(authcode.BadAnswer, "profile.size")
	}
	return body.Bytes(), nil
}

// broken explains a request that got no complete answer. It keeps nothing of err that may repeat
// what a server or a custom transport put there. An error of the root package or of a Binding
// passes through.
func broken(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if own := (*authcode.Error)(nil); errors.As(err, &own) && own != nil {
		return own
	}
	return authcode.NewError(authcode.Unreachable, "profile.unreachable", explained["profile.unreachable"], err)
}

// isForbidden holds for an answer that says that the access token does not cover what was asked
// for. GitHub hides what it forbids behind 404.
func isForbidden(answer *http.Response) bool {
	return answer.StatusCode == http.StatusForbidden || answer.StatusCode == http.StatusNotFound
}

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

// explained says to an operator what is wrong, and what to do.
var explained = map[string]string{
	"client_auth.apple":  "the client secret could not be signed with the key",
	"id_token.nonce":     "the ID token belongs to another login",
	"profile.emails":     "the list of e-mail addresses does not have the form that the provider documents",
	"profile.form":       "the profile does not have the form that the provider documents",
	"profile.id":         "the profile has no usable id",
	"profile.overloaded": "the provider asks to wait",
	"profile.permission": "the provider refuses the profile: does the app request the preset's scopes, " +
		"and is it allowed to have them?",
	"profile.redirect":    "the provider answered the request for the profile with a redirect, which is never followed",
	"profile.size":        "the profile is too large",
	"profile.status":      "the provider answered the request for the profile with a status other than 200",
	"profile.unreachable": "the profile could not be loaded",
	"profile.url":         "Provider.UserInfoURL is not a URL: the preset's Identity needs it to ask for the profile",
}
