package authcode

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"example.com/authcode/internal/urls"
	"golang.org/x/oauth2"
)

// TokenSource keeps one person's token alive. It is safe for concurrent use; make one per stored
// token, not one per request, or rotated refresh tokens end the grant.
type TokenSource struct {
	redacted
	client  *Client
	changed func(context.Context, *oauth2.Token) error

	mu      sync.Mutex
	token   *oauth2.Token
	old     *oauth2.Token // what token is a refresh of, until it is known to be the same person's
	unsaved bool          // changed has not accepted token yet
	dead    error         // no refresh can succeed any more
	call    *renewal      // the one in flight
}

// TokenSource returns a source of valid tokens that begins with t. When a token is about to
// expire it is refreshed once for all callers. Then changed is called with the new token, to store
// it, before anybody gets it; its context outlives the caller's and ends after ten seconds. If changed fails, its
// error is returned as it is, the token is kept, and the next call of Token tries changed again,
// never the refresh. It must not call Token of the same source, which waits for it. A panic in
// changed reaches the callers that wait. If changed is nil, tokens are kept in memory only.
func (c *Client) TokenSource(t *oauth2.Token, changed func(context.Context, *oauth2.Token) error) *TokenSource {
	if changed == nil {
		changed = func(context.Context, *oauth2.Token) error { return nil }
	}
	return &TokenSource{client: c, token: copyToken(t), changed: changed}
}

func copyToken(t *oauth2.Token) *oauth2.Token {
	if t == nil {
		return new(oauth2.Token)
	}
	own := *t
	return &own
}

// renewal is one refresh in flight, for as many callers as wait.
type renewal struct {
	done     chan struct{}
	token    *oauth2.Token
	err      error
	panicked any
}

// Token returns a token that is valid for ten more seconds or of unknown expiry, refreshing it
// if need be. A refresh goes on when ctx ends: the caller leaves, the token is not lost. After
// an [Error.Final] error the provider is not asked again.
func (s *TokenSource) Token(ctx context.Context) (*oauth2.Token, error) {
	s.mu.Lock()
	if s.client.isValid(s.token) && !s.unsaved {
		defer s.mu.Unlock()
		return copyToken(s.token), nil
	}
	if s.dead != nil {
		defer s.mu.Unlock()
		return nil, s.dead
	}
	if s.call == nil {
		s.call = &renewal{done: make(chan struct{}), err: fail(Canceled, "token.renewal", "the refresh was ended")}
		go s.renew(context.WithoutCancel(ctx), s.call)
	}
	call := s.call
	s.mu.Unlock()
	select {
	case <-call.done:
	case <-ctx.Done():
		return nil, s.client.failed(transportFailure(ctx, ctx.Err()))
	}
	if call.panicked != nil {
		panic(call.panicked) // changed's own, where a server's recover can see it
	}
	if call.err != nil {
		return nil, call.err
	}
	return copyToken(call.token), nil
}

func (s *TokenSource) renew(ctx context.Context, call *renewal) {
	defer func() {
		call.panicked = recover()
		s.mu.Lock()
		s.call = nil
		s.mu.Unlock()
		close(call.done)
	}()
	call.token, call.err = s.advance(ctx)
}

// advance refreshes what has expired, checks and stores it. What fails for the moment is tried again by the
// next call, from there. Only one runs at a time.
func (s *TokenSource) advance(ctx context.Context) (*oauth2.Token, error) {
	s.mu.Lock()
	token, old, unsaved := s.token, s.old, s.unsaved
	s.mu.Unlock()
	if !unsaved {
		fresh, err := s.client.redeemRefresh(ctx, token)
		if err != nil {
			return nil, s.fail(err)
		}
		token, old = fresh, token
		s.set(token, old, true)
	}
	if old != nil {
		if err := s.client.checkRefresh(ctx, old, token); err != nil {
			return nil, s.fail(err)
		}
		s.set(token, nil, true)
	}
	if err := s.save(ctx, token); err != nil {
		return nil, err
	}
	s.set(token, nil, false)
	if unsaved && !s.client.isValid(token) {
		return s.advance(ctx)
	}
	return token, nil
}

// isValid says of t what t.Valid says, by the Client's clock: it is valid for ten more seconds.
func (c *Client) isValid(t *oauth2.Token) bool {
	early := c.cfg.Clock.Now().Add(10 * time.Second)
	return t.AccessToken != "" && (t.Expiry.IsZero() || !t.Expiry.Before(early))
}

func (s *TokenSource) set(token, old *oauth2.Token, unsaved bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.old, s.unsaved = token, old, unsaved
}

// fail remembers what no later try can change: a grant that is gone, or that belongs to somebody else. A key
// or a clock that does not fit yet may fit later.
func (s *TokenSource) fail(err error) error {
	err = s.client.failed(err)
	if own := (*Error)(nil); errors.As(err, &own) && own.Final {
		s.mu.Lock()
		s.dead = err
		s.mu.Unlock()
	}
	return err
}

func (s *TokenSource) save(ctx context.Context, token *oauth2.Token) error {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	return s.changed(ctx, copyToken(token))
}

// OAuth2 adapts s to golang.org/x/oauth2, for libraries that take one of its sources. Every Token
// call uses ctx.
func (s *TokenSource) OAuth2(ctx context.Context) oauth2.TokenSource { return adapted{ctx, s} }

type adapted struct {
	ctx    context.Context
	source *TokenSource
}

func (a adapted) Token() (*oauth2.Token, error) { return a.source.Token(a.ctx) }

// APIClient returns an HTTP client that adds the token, as bearer (RFC 6750 section 2.1) or
// according to [Config.Binding], to requests to the given origins, such as "https://api.github.com", and to no other: a request or
// a redirect to anywhere else goes without. Origins must be https; http is for loopback.
func (s *TokenSource) APIClient(origins ...string) (*http.Client, error) {
	allowed := make(map[string]bool, len(origins))
	for _, o := range origins {
		u, err := url.Parse(o)
		if len(urls.Check("", o)) > 0 || err != nil || urls.Origin(u) == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
			return nil, fail(Configuration, "api.origin", "an origin is not scheme and host, such as https://api.example; http is for loopback")
		}
		allowed[urls.Origin(u)] = true
	}
	if len(allowed) == 0 {
		return nil, fail(Configuration, "api.origin", "APIClient needs the origins that may see the token")
	}
	return &http.Client{Transport: &apiTransport{s, s.client.plain, allowed}}, nil
}

type apiTransport struct {
	source  *TokenSource
	base    http.RoundTripper
	allowed map[string]bool
}

// RoundTrip implements [http.RoundTripper]. It sees each redirect by itself.
func (t *apiTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.allowed[urls.Origin(r.URL)] {
		return t.base.RoundTrip(r)
	}
	token, err := t.source.Token(r.Context())
	if err != nil {
		closeBody(r.Body)
		return nil, err
	}
	return t.source.client.withToken(r, token)
}
