package oidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/wire"
	"golang.org/x/oauth2"
)

// Introspection is a question about a token (RFC 7662 section 2.1). It prints and marshals without its secrets,
// but for one in an unexported field of a struct of the app's, where package fmt asks no method.
type Introspection struct {
	Token      string              // an access token or a refresh token
	Hint       string              // token_type_hint: access_token or refresh_token; may be empty
	ClientID   string              // who asks: often a resource server with an id of its own
	ClientAuth authcode.ClientAuth // and how it proves that, as in authcode.Config
	Signed     bool                // ask for a signed answer (RFC 9701) and accept no other
}

// Format prints q without its secrets, whatever the verb.
func (q Introspection) Format(f fmt.State, _ rune) { io.WriteString(f, "oidc.Introspection{REDACTED}") }

// MarshalText returns what Format prints, so that encoders print nothing else.
func (q Introspection) MarshalText() ([]byte, error) {
	return []byte("oidc.Introspection{REDACTED}"), nil
}

// TokenInfo is what the provider says of a token (RFC 7662 section 2.2).
type TokenInfo struct {
	Active   bool
	Scopes   []string
	ClientID string
	Subject  string
	Claims   map[string]any // all members, numbers as json.Number; nil unless Active
}

// Introspect asks the provider about a token, with one POST to introspection_endpoint, through the client of
// [HTTPClient] or ClientAuth's own transport. A token that is unknown, over or revoked is not Active, and
// nothing else is said of it. A signed answer is checked for signature, typ, iss, aud (q.ClientID) and
// iat. It takes ten seconds at most. Its error is an [*authcode.Error], whose Check begins with "introspection".
func (i *Issuer) Introspect(ctx context.Context, q Introspection) (*TokenInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	info, err := i.introspect(ctx, &q)
	if err != nil {
		return nil, err
	}
	return info, nil
}

func (i *Issuer) introspect(ctx context.Context, q *Introspection) (*TokenInfo, *authcode.Error) {
	if q.Token == "" || q.ClientID == "" || q.ClientAuth == nil {
		return nil, misused("introspection.question")
	}
	if own, ok := q.ClientAuth.(interface{ Validate() error }); ok && own.Validate() != nil {
		return nil, misused("introspection.client_auth")
	}
	m, err := i.metadata(ctx, i.client, &i.handlers)
	if err != nil {
		return nil, err
	}
	req, do, err := i.question(ctx, m, q)
	if err != nil {
		return nil, err
	}
	doc, err := load(ctx, do, req, "introspection", maxDocument)
	if err != nil {
		return nil, err
	}
	claims, bad := wire.ParseObject(doc.body)
	if q.Signed {
		if claims, err = i.readSignedAnswer(ctx, m, q, doc); err != nil {
			return nil, err
		}
	} else if bad != nil {
		return nil, failed(authcode.BadAnswer, "introspection.form", nil)
	}
	return readTokenInfo(claims)
}

// question makes the request, and says how to send it.
func (i *Issuer) question(ctx context.Context, m *metadata, q *Introspection) (*http.Request, sender, *authcode.Error) {
	endpoint, do := m.introspectURL, by(i.client)
	if own, ok := q.ClientAuth.(interface{ Transport() http.RoundTripper }); ok {
		endpoint, do = cmp.Or(m.introspectAlias, endpoint), own.Transport().RoundTrip
	}
	if endpoint == "" {
		return nil, nil, misused("introspection.endpoint")
	}
	sent := &authcode.BackChannelRequest{
		Endpoint: endpoint, TokenURL: m.endpoints.TokenURL, Issuer: i.issuer, ClientID: q.ClientID, ClientIDParam: "client_id",
		AuthStyle: cmp.Or(m.endpoints.AuthStyle, oauth2.AuthStyleInHeader),
		Form:      url.Values{"token": {q.Token}}, Header: http.Header{},
	}
	if q.Hint != "" {
		sent.Form.Set("token_type_hint", q.Hint)
	}
	if err := q.ClientAuth.Authenticate(ctx, sent); err != nil {
		if own := (*authcode.Error)(nil); errors.As(err, &own) && own != nil {
			return nil, nil, own
		}
		return nil, nil, failed(authcode.Configuration, "introspection.client_auth", err)
	}
	// NopCloser, as in the root package: net/http cannot repeat the request by itself.
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, io.NopCloser(strings.NewReader(sent.Form.Encode())))
	if err != nil {
		return nil, nil, misused("introspection.endpoint")
	}
	req.Header = sent.Header
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if q.Signed {
		req.Header.Set("Accept", "application/token-introspection+jwt")
	}
	return req, do, nil
}

// readSignedAnswer verifies an answer as RFC 9701 section 5 has it, and returns its token_introspection.
func (i *Issuer) readSignedAnswer(ctx context.Context, m *metadata, q *Introspection, doc *document) (wire.Object, *authcode.Error) {
	if doc.kind != "application/token-introspection+jwt" {
		return nil, refused("introspection.typ")
	}
	v := &verifier{"introspection", m.introspectAlgs, m, i.client, &i.logins}
	t, err := v.verify(ctx, string(doc.body))
	if err != nil {
		return nil, err
	}
	if typ := strings.ToLower(t.typ); strings.TrimPrefix(typ, "application/") != "token-introspection+jwt" {
		return nil, refused("introspection.typ")
	}
	if err := i.checkIssuer(t, "introspection"); err != nil {
		return nil, err
	}
	if err := i.checkAudience(t, "introspection", q.ClientID); err != nil {
		return nil, err
	}
	now := seconds(time.Now())
	if iat, ok := date(t.Object["iat"]); !ok || iat > now+leeway || iat < now-leeway-budget.Seconds() {
		return nil, refused("introspection.iat") // an old answer may call a token active that is not
	}
	claims, bad := wire.ParseObject([]byte(t.Object["token_introspection"]))
	if bad != nil {
		return nil, refused("introspection.claim")
	}
	return claims, nil
}

func readTokenInfo(claims wire.Object) (*TokenInfo, *authcode.Error) {
	switch claims["active"] {
	case "false":
		return &TokenInfo{}, nil
	case "true":
	default: // section 2.2: a boolean, and required
		return nil, failed(authcode.BadAnswer, "introspection.active", nil)
	}
	now := seconds(time.Now())
	if exp, ok := date(claims["exp"]); ok && exp+leeway <= now {
		return &TokenInfo{}, nil
	}
	if nbf, ok := date(claims["nbf"]); ok && nbf > now+leeway {
		return &TokenInfo{}, nil
	}
	info := &TokenInfo{
		Active: true, Scopes: strings.Fields(text(claims, "scope")), ClientID: text(claims, "client_id"),
		Subject: text(claims, "sub"), Claims: make(map[string]any, len(claims)),
	}
	for name, raw := range claims {
		if v, ok := wire.Any(raw); ok {
			info.Claims[name] = v
		}
	}
	return info, nil
}
