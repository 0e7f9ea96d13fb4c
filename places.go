package authcode

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"example.com/authcode/internal/realm"
)

// busyTime is when to try again after a tenant had too many requests under way.
const busyTime = 5 * time.Second

// enter waits until the tenant of c may send one more request, and returns what
// to call at its end: nil if c belongs to no tenant.
func (c *Client) enter(ctx context.Context) (leave func(), err error) {
	if c.cfg.Realm == nil {
		return nil, nil
	}
	leave, err = c.cfg.Realm.Enter(ctx)
	switch {
	case errors.Is(err, realm.ErrBusy):
		busy := errorf(Overloaded, "tenants.busy", "the tenant has sixteen requests to its provider "+
			"under way, so this one was not sent: look at how fast that provider answers")
		busy.RetryAfter = busyTime
		return nil, busy
	case err != nil:
		return nil, transportError(ctx, err)
	}
	return leave, nil
}

// send is sendNow, and waits before if the tenant has many requests under way.
func (c *Client) send(
	ctx context.Context, via http.RoundTripper, kind requestKind, req *TokenRequest, accept string,
) (*http.Response, *TokenRequest, error) {
	leave, err := c.enter(ctx)
	if leave == nil {
		if err == nil {
			return c.sendNow(ctx, via, kind, req, accept)
		}
		return nil, nil, err
	}
	leave = sync.OnceFunc(leave)
	isOver := true
	defer func() {
		if isOver { // also if a function of the app has panicked
			leave()
		}
	}()
	resp, sent, err := c.sendNow(ctx, via, kind, req, accept)
	if err == nil {
		resp.Body, isOver = &placedBody{resp.Body, leave}, false
	}
	return resp, sent, err
}

// identityOf calls Provider.Identity, which may ask the provider.
func (c *Client) identityOf(ctx context.Context, resp *TokenResponse) (*Identity, error) {
	leave, err := c.enter(ctx)
	if err != nil {
		return nil, err
	}
	if leave != nil {
		defer leave()
	}
	return c.cfg.Provider.Identity(ctx, resp)
}

// placedBody is the body of an answer. Its request is under way until it is
// closed.
type placedBody struct {
	io.ReadCloser
	leave func()
}

// Close implements [io.Closer].
func (b *placedBody) Close() error {
	defer b.leave()
	return b.ReadCloser.Close()
}
