package oidc

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
)

// TokenInfo is what the provider says of a token (RFC 7662 section 2.2). Unless Active, all else is empty.
type TokenInfo struct {
	// Active reports whether the token is valid now.
	Active bool

	// Scopes are those of the token.
	Scopes []string

	// ClientID is the client that the token was issued to, "" if the provider does not say.
	ClientID string

	// Subject is the person that the token acts for, "" if the provider does not say.
	Subject string

	// Claims holds all members of the answer, numbers as json.Number.
	Claims map[string]any
}

// Introspect asks client's provider about an access token or a refresh token (RFC 7662), with one POST
// that is authenticated as client. hint is access_token, refresh_token or empty. A token that is
// unknown, expired or revoked is not Active, and nothing else is said of it. Introspect takes ten
// seconds at most. Its error is an [*authcode.Error]. The Check of a bad answer begins with
// "introspection"; that of a request that failed is the same as for the Client's other requests.
func Introspect(ctx context.Context, client *authcode.Client, token, hint string) (*TokenInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	conn, doc, err := ask(ctx, client, token, hint, "application/json")
	if err != nil {
		return nil, err
	}
	claims, bad := wire.ParseObject(doc.body)
	if bad != nil {
		return nil, failed(authcode.BadAnswer, "introspection.form", nil)
	}
	return readTokenInfo(conn, decode(claims))
}

// IntrospectSigned is [Introspect] with a signed answer (RFC 9701): it asks for one, accepts no other, and
// has [authcode.Provider.Verify] open it.
func IntrospectSigned(ctx context.Context, client *authcode.Client, token, hint string) (*TokenInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	accept := "application/" + introspection.typ
	conn, doc, err := ask(ctx, client, token, hint, accept)
	if err != nil {
		return nil, err
	}
	if doc.kind != accept {
		return nil, introspection.refuse(".typ")
	}
	claims, err := verified(ctx, conn, introspection, string(doc.body))
	if err != nil {
		return nil, err
	}
	return readTokenInfo(conn, claims)
}

// ask returns the provider's answer about a token.
func ask(ctx context.Context, client *authcode.Client, token, hint, accept string) (*authcode.Connection, document, error) {
	if token == "" {
		return nil, document{}, misused("introspection.question")
	}
	conn, err := client.Connection(ctx)
	if err != nil {
		return nil, document{}, err
	}
	endpoint := conn.Endpoints.IntrospectionURL
	if endpoint == "" {
		return nil, document{}, misused("introspection.endpoint")
	}
	form := url.Values{"token": {token}}
	if hint != "" {
		form.Set("token_type_hint", hint)
	}
	resp, err := client.PostForm(ctx, endpoint, accept, form)
	if err != nil {
		return nil, document{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusUnauthorized { // RFC 7662 section 2.3
		return nil, document{}, misused("introspection.unauthorized")
	}
	doc, err := read(ctx, resp, introspection.name, maxDocument)
	return conn, doc, err
}

func readTokenInfo(conn *authcode.Connection, claims map[string]any) (*TokenInfo, error) {
	active, ok := claims["active"].(bool)
	if !ok { // section 2.2: a boolean, and required
		return nil, failed(authcode.BadAnswer, "introspection.active", nil)
	}
	now := seconds(conn.Config.Clock.Now())
	if !active || number(claims["exp"], now)+leeway <= now || number(claims["nbf"], now) > now+leeway {
		return &TokenInfo{}, nil
	}
	info := &TokenInfo{Active: true, Claims: claims}
	scopes, _ := claims["scope"].(string)
	info.Scopes = strings.Fields(scopes)
	info.ClientID, _ = claims["client_id"].(string)
	info.Subject, _ = claims["sub"].(string)
	return info, nil
}
