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

// enter waits until the tenant of c may send one more request. Unless it returns
// an error, the caller calls leave, once, at the end of the request.
func (c *Client) enter(ctx context.Context) error {
	if c.cfg.Realm == nil {
		return nil
	}
	switch err := c.cfg.Realm.Enter(ctx); {
	case errors.Is(err, realm.ErrBusy):
		busy := errorf(Overloaded, "tenants.busy", "the tenant has sixteen requests to its provider "+
			"under way, so this one was not sent: look at how fast that provider answers")
		busy.RetryAfter = busyTime
		return busy
	case err != nil:
		return transportError(ctx, err)
	}
	return nil
}

func (c *Client) leave() {
	if c.cfg.Realm != nil {
		c.cfg.Realm.Leave()
	}
}

// send is sendNow, and waits before if the tenant has many requests under way.
func (c *Client) send(
	ctx context.Context, via http.RoundTripper, kind requestKind, req *TokenRequest, accept string,
) (*http.Response, *TokenRequest, error) {
	if c.cfg.Realm == nil {
		return c.sendNow(ctx, via, kind, req, accept)
	}
	if err := c.enter(ctx); err != nil {
		return nil, nil, err
	}
	isOver := true
	defer func() {
		if isOver { // also if a function of the app has panicked
			c.leave()
		}
	}()
	resp, sent, err := c.sendNow(ctx, via, kind, req, accept)
	if err == nil {
		resp.Body, isOver = &placedBody{ReadCloser: resp.Body, client: c}, false
	}
	return resp, sent, err
}

// identityOf calls Provider.Identity, which may ask the provider.
func (c *Client) identityOf(ctx context.Context, resp *TokenResponse) (*Identity, error) {
	if err := c.enter(ctx); err != nil {
		return nil, err
	}
	defer c.leave()
	return c.cfg.Provider.Identity(ctx, resp)
}

// placedBody is the body of an answer. Its request is under way until it is
// closed.
type placedBody struct {
	io.ReadCloser
	client *Client
	closed sync.Once
}

// Close implements [io.Closer].
func (b *placedBody) Close() error {
	defer b.closed.Do(b.client.leave)
	return b.ReadCloser.Close()
}
