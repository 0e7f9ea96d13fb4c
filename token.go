package authcode

import (
	"context"
	"net/url"

	"golang.org/x/oauth2"
)

// Refresh redeems t's refresh token with one POST (RFC 6749 section 6) and returns the new
// token; t stays as it is. Without a new refresh token in the answer the old one is kept, and so
// are members of the old answer that the new one lacks. It takes ten seconds at most. Its error is an
// [*Error]; if that is [Error.Final], the person has to sign in again.
//
// Where refresh tokens rotate, two calls with the same t may end the grant, and so may a new token that cannot
// be checked at the moment and is not returned: a [TokenSource] takes care of both.
func (c *Client) Refresh(ctx context.Context, t *oauth2.Token) (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	fresh, err := c.redeemRefresh(ctx, t)
	if err == nil {
		err = c.checkRefresh(ctx, t, fresh)
	}
	if err != nil {
		return nil, c.failed(err)
	}
	return fresh, nil
}

// redeemRefresh gets a new token, of which nobody has checked yet whose it is.
func (c *Client) redeemRefresh(ctx context.Context, t *oauth2.Token) (*oauth2.Token, error) {
	if t == nil || t.RefreshToken == "" {
		e := fail(GrantRejected, "refresh.none", "there is no refresh token: sign in again")
		e.Final = true
		return nil, e
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	ends, err := c.resolve(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := c.request(ctx, ends, ends.TokenURL, refreshGrant, keyOf(t), url.Values{
		"grant_type":    {"refresh_token"},
		"refresh_token": {t.RefreshToken},
	})
	if err != nil {
		return nil, err
	}
	keepMembers(answer, t)
	fresh, _, err := c.readToken(answer, nil)
	return fresh, err
}

// Revoke tells the provider that t is no longer wanted (RFC 7009): the refresh token if there is
// one, else the access token. Any status of success is one, whatever the answer says. It takes ten
// seconds at most. Its error is an [*Error], with [Configuration] if there is no RevocationURL.
func (c *Client) Revoke(ctx context.Context, t *oauth2.Token) error {
	if err := c.revoke(ctx, t); err != nil {
		return c.failed(err)
	}
	return nil
}

func (c *Client) revoke(ctx context.Context, t *oauth2.Token) error {
	if t == nil || t.RefreshToken == "" && t.AccessToken == "" {
		return fail(Malformed, "token.none", "there is no token to revoke")
	}
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	ends, err := c.resolve(ctx)
	if err != nil {
		return err
	}
	if ends.RevocationURL == "" {
		return fail(Configuration, "revoke.endpoint", "Provider.RevocationURL is empty")
	}
	form := url.Values{"token": {t.AccessToken}, "token_type_hint": {"access_token"}}
	if t.RefreshToken != "" {
		form = url.Values{"token": {t.RefreshToken}, "token_type_hint": {"refresh_token"}}
	}
	req := c.newTokenRequest(ends, ends.RevocationURL, form)
	resp, sent, err := c.send(ctx, c.authenticating(), revocation, req, "application/json")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 {
		return nil
	}
	rep, err := readReply(ctx, revocation, resp, sent)
	if err != nil {
		return err
	}
	obj, _ := rep.parse()
	return rep.refusal(obj)
}
