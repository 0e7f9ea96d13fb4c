package authcode

import (
	"context"

	"golang.org/x/oauth2"
)

// Renew is [Client.Refresh] for a store that several instances share; package
// grant keeps tokens with it. It sends one POST, which ends with ctx and has no
// deadline of its own: who sends a refresh token that may work only once should
// wait for the answer.
//
// If [Provider.Identity] has to check the person, save first gets the new token
// in a form without access token, like the function of [Client.TokenSource]: if
// the app ends before the check, or the check fails for the moment, the grant is
// not lost. Renew of a token in this form sends nothing. It only checks.
//
// It returns the token, which save has not seen, and the Identity if the answer
// says who the person is. An error of save is returned as it is. Other errors
// are those of Refresh.
func (c *Client) Renew(
	ctx context.Context, t *oauth2.Token,
	save func(ctx context.Context, unchecked *oauth2.Token) error, opts ...RefreshOption,
) (fresh *oauth2.Token, id *Identity, err error) {
	err = c.observed(ctx, KindRenewal, func(ctx context.Context) (err error) {
		fresh, id, err = c.renew(ctx, t, save, opts)
		return err
	})
	return fresh, id, err
}

func (c *Client) renew(
	ctx context.Context, t *oauth2.Token,
	save func(context.Context, *oauth2.Token) error, opts []RefreshOption,
) (*oauth2.Token, *Identity, error) {
	previous, fresh := t, uncheckedIn(t)
	if fresh == nil {
		var err error
		if fresh, err = c.redeemRefresh(ctx, t, opts...); err != nil {
			return nil, nil, c.completeError(err)
		}
		// Without Identity the check is quick, so only a token that fails it is
		// worth an operation of the store.
		if c.cfg.Provider.Identity != nil {
			if err := save(ctx, unchecked(t, fresh)); err != nil {
				return nil, nil, err
			}
		}
	}
	id, err := c.checkRefresh(ctx, previous, fresh)
	if err == nil {
		return fresh, id, nil
	}
	if c.cfg.Provider.Identity == nil && uncheckedIn(t) == nil {
		if err := save(ctx, unchecked(t, fresh)); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, c.completeError(err)
}
