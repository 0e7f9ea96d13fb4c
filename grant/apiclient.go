package grant

import (
	"context"
	"errors"
	"net/http"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// OAuth2 returns g as a source of x/oauth2, whose calls of Token use ctx.
func (g *Grant) OAuth2(ctx context.Context, opts ...Option) oauth2.TokenSource {
	return source(func() (*oauth2.Token, error) { return g.Token(ctx, opts...) })
}

type source func() (*oauth2.Token, error)

func (s source) Token() (*oauth2.Token, error) { return s() }

// APIClient returns an HTTP client that adds the grant's token to requests to
// origins, and to no others; see [authcode.Client.APIClient]. If an API refuses
// the token, the client renews it.
func (g *Grant) APIClient(ctx context.Context, origins ...string) (*http.Client, error) {
	o, err := g.read(ctx)
	if err != nil {
		return nil, err
	}
	client, err := g.grants.client(ctx, o.Origin)
	if err != nil {
		return nil, err
	}
	return client.APIClient(func(ctx context.Context, refused *oauth2.Token) (*oauth2.Token, error) {
		if refused == nil {
			return g.Token(ctx)
		}
		t, err := g.Renew(ctx, refused)
		// The API's refusal says more than ours.
		if errors.Is(err, authcode.InteractionRequired) {
			return nil, nil
		}
		return t, err
	}, origins...)
}
