package oidc

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// TokenInfo is what the provider says about a token (RFC 7662 section 2.2).
// Unless Active, the other fields are empty.
type TokenInfo struct {
	// Active reports whether the token is valid now.
	Active bool

	// Scopes are those of the token.
	Scopes []string

	// ClientID is the client that the token was issued to. If empty, the
	// provider did not say.
	ClientID string

	// Subject is the person that the token acts for. If empty, the provider did
	// not say.
	Subject string

	// Claims holds all members of the answer, numbers as json.Number.
	Claims map[string]any
}

// Introspect asks client's provider about an access token or refresh token (RFC
// 7662). hint is access_token, refresh_token or empty. A token that is unknown,
// expired or revoked is not Active: the provider does not say which.
//
// Introspect sends one POST, authenticated as client, and takes at most ten
// seconds. Its error is an [*authcode.Error]. The Check of a bad answer begins
// with "introspection"; a request that failed has the same Check as the
// Client's other requests.
func Introspect(
	ctx context.Context, client *authcode.Client, token, hint string,
) (*TokenInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	conn, a, err := requestIntrospection(ctx, client, token, hint, "application/json")
	if err != nil {
		return nil, err
	}
	// ParseObject refuses a repeated member: "active" must not have two values.
	claims, bad := wire.ParseObject(a.body)
	if bad != nil {
		return nil, newError(authcode.BadAnswer, "introspection.form", nil)
	}
	return readTokenInfo(conn, decode(claims))
}

// IntrospectSigned is [Introspect] with a signed answer (RFC 9701). It requests
// one, refuses any other, and verifies it by [authcode.Provider.Verify].
func IntrospectSigned(
	ctx context.Context, client *authcode.Client, token, hint string,
) (*TokenInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	accept := "application/" + introspection.typ
	conn, a, err := requestIntrospection(ctx, client, token, hint, accept)
	if err != nil {
		return nil, err
	}
	// RFC 9701 section 5. If a plain answer were accepted as well, an attacker
	// could strip the signature.
	if a.mediaType != accept {
		return nil, introspection.refuse(".typ")
	}
	claims, err := callVerify(ctx, conn, introspection, string(a.body))
	if err != nil {
		return nil, err
	}
	return readTokenInfo(conn, claims)
}

// requestIntrospection returns the provider's answer about a token.
func requestIntrospection(
	ctx context.Context, client *authcode.Client, token, hint, accept string,
) (*authcode.Connection, answer, error) {
	// A server may answer that an empty token is not active. The app would take
	// its own mistake for an expired login.
	if token == "" {
		return nil, answer{}, configError("introspection.question")
	}
	conn, err := client.Connection(ctx)
	if err != nil {
		return nil, answer{}, err
	}
	endpoint := conn.Endpoints.IntrospectionURL
	if endpoint == "" {
		return nil, answer{}, configError("introspection.endpoint")
	}
	// RFC 7662 section 2.1. The hint only saves the server a search.
	form := url.Values{"token": {token}}
	if hint != "" {
		form.Set("token_type_hint", hint)
	}
	resp, err := client.PostForm(ctx, endpoint, accept, form)
	if err != nil {
		return nil, answer{}, err
	}
	defer resp.Body.Close()
	// RFC 7662 section 2.3: 401 is about this client. The token may be fine.
	if resp.StatusCode == http.StatusUnauthorized {
		return nil, answer{}, configError("introspection.unauthorized")
	}
	a, err := readAnswer(ctx, resp, introspection.name)
	return conn, a, err
}

func readTokenInfo(conn *authcode.Connection, claims map[string]any) (*TokenInfo, error) {
	active, ok := claims["active"].(bool)
	// RFC 7662 section 2.2: active is a boolean, and required. An error page in
	// JSON must not pass for a statement about the token.
	if !ok {
		return nil, newError(authcode.BadAnswer, "introspection.active", nil)
	}
	// A token that is not active may only be called so: an app that reads
	// Subject without Active must find nothing.
	if !active {
		return &TokenInfo{}, nil
	}
	// A server that answers from a cache may call an expired token active.
	now := seconds(conn.Config.Clock.Now())
	exp, expOK := timeOr(claims["exp"], now)
	nbf, nbfOK := timeOr(claims["nbf"], now)
	if !expOK || !nbfOK {
		return nil, newError(authcode.BadAnswer, "introspection.time", nil)
	}
	if exp+leeway <= now || nbf > now+leeway {
		return &TokenInfo{}, nil
	}
	// RFC 7662 section 2.2: all but active are optional. scope is a list that
	// is separated by spaces (RFC 6749 section 3.3).
	info := &TokenInfo{Active: true, Claims: claims}
	scopes, _ := claims["scope"].(string)
	info.Scopes = strings.Fields(scopes)
	info.ClientID, _ = claims["client_id"].(string)
	info.Subject, _ = claims["sub"].(string)
	return info, nil
}

// timeOr returns the number that claim is, or other if there is none. ok is
// false if claim is anything else.
func timeOr(claim any, other float64) (t float64, ok bool) {
	// RFC 7662 section 2.2: exp and nbf are numbers. If one of another type
	// counted as missing, an expired token would be active.
	switch n := claim.(type) {
	case nil:
		return other, true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	// The app's own Verify may decode numbers as encoding/json does.
	case float64:
		return n, !math.IsNaN(n)
	}
	return 0, false
}

// verifyIntrospection verifies a signed answer about a token (RFC 9701 section
// 5) and returns its token_introspection.
func (i *issuer) verifyIntrospection(
	ctx context.Context, conn *authcode.Connection, text string,
) (wire.Object, error) {
	t, err := i.open(ctx, conn, introspection, text)
	if err != nil {
		return nil, err
	}
	// Section 5: this typ is required. Otherwise a JWT of another kind could
	// pass for an answer.
	if t.mediaType() != introspection.typ {
		return nil, t.refuse(".typ")
	}
	// Section 5: iss, aud and iat are required. An answer that was made for
	// another client must not decide what this one accepts.
	if err := t.checkIssuer(); err != nil {
		return nil, err
	}
	if err := t.checkAudience(); err != nil {
		return nil, err
	}
	// An answer needs no exp. Replayed later, it could call a token active that
	// has been revoked since. So it must be about as young as this request.
	iat, _ := numericDate(t.Object["iat"]) // 0 or out of bounds if it is not a date
	if iat > t.now+leeway || iat < t.now-leeway-loadTimeout.Seconds() {
		return nil, t.refuse(".iat")
	}
	claims, bad := wire.ParseObject([]byte(t.Object["token_introspection"]))
	if bad != nil {
		return nil, t.refuse(".claim")
	}
	return claims, nil
}
