package grant

import (
	"context"
	"slices"
	"strings"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// Option says which access token a caller wants; see [Resource] and [Scopes].
type Option func(*asked)

// asked is what a caller's options say.
type asked struct {
	want
	fault string
}

// Resource asks for a token for this API (RFC 8707), an absolute URI. The
// provider must have allowed it at the login.
func Resource(uri string) Option {
	return func(a *asked) {
		a.Resource = uri
		if uri == "" {
			a.fault = "grant.Resource has no URI: name the API that the token is for"
		}
	}
}

// Scopes asks for a token with these scopes alone, of those that were granted
// (RFC 6749 section 6). No scopes are refused with Configuration.
func Scopes(scopes ...string) Option {
	scopes = slices.Clone(scopes)
	slices.Sort(scopes)
	return func(a *asked) {
		a.Scope = strings.Join(slices.Compact(scopes), " ")
		// The caller would get a token with all scopes.
		if strings.TrimSpace(a.Scope) == "" {
			a.fault = "grant.Scopes has no scopes: name those that the token needs"
		}
	}
}

// wanted applies opts.
func wanted(opts []Option) (want, error) {
	var a asked
	for _, o := range opts {
		if o != nil {
			o(&a)
		}
	}
	if a.fault != "" {
		return want{}, authcode.NewError(authcode.Configuration, checkRequest, a.fault, nil)
	}
	return a.want, nil
}

// Token returns a valid access token, after a renewal if necessary. Without opts
// it is the token of the login. The token has no refresh token: the grant keeps
// it. A token that expires soon is returned and renewed in the background.
//
// A renewal continues after ctx has ended. Its error is an [*authcode.Error]:
// GrantRejected with Final set says that the grant has ended,
// InteractionRequired that the access token has expired and there is no refresh
// token, and Configuration that the provider issued no access token. The last
// two do not end the grant. Others may pass; see RetryAfter.
func (g *Grant) Token(ctx context.Context, opts ...Option) (*oauth2.Token, error) {
	w, err := wanted(opts)
	if err != nil {
		return nil, err
	}
	return g.token(ctx, w, "")
}

// Renew returns a token that is newer than refused, which an API has refused
// before its time. If refused is nil, it renews in any case. Callers with the
// same refused token cause one renewal. Its errors are those of Token.
func (g *Grant) Renew(
	ctx context.Context, refused *oauth2.Token, opts ...Option,
) (*oauth2.Token, error) {
	w, err := wanted(opts)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return g.token(ctx, w, refused.AccessToken)
	}
	o, err := g.read(ctx)
	if err != nil {
		return nil, err
	}
	return g.resolve(ctx, o, w, o.accessToken(w))
}

// token returns a token for w other than refused.
func (g *Grant) token(ctx context.Context, w want, refused string) (*oauth2.Token, error) {
	o, err := g.read(ctx)
	if err != nil {
		return nil, err
	}
	return g.resolve(ctx, o, w, refused)
}

// resolve returns a token for w other than refused: the one in o, or what a
// renewal brings.
func (g *Grant) resolve(
	ctx context.Context, o *opened, w want, refused string,
) (*oauth2.Token, error) {
	t, state := o.usable(w, refused)
	if state == good || state == ageing && o.Refresh == "" {
		return t, nil
	}
	if err := o.cannotRenew(w); err != nil {
		return nil, err
	}
	if state == ageing {
		// Nobody waits for a renewal ahead of time, and no one needs one that
		// failed lately.
		if o.wait() == 0 && !o.isHeld() {
			g.grants.start(ctx, g.key, o, w, refused)
		}
		return t, nil
	}
	for {
		f, err := g.grants.start(ctx, g.key, o, w, refused)
		if err != nil {
			return nil, err
		}
		// A renewal that began for another reason may bring the refused token.
		// One that began for this reason has asked the provider: some return the
		// same access token as long as it is valid.
		if t, err := f.wait(ctx); err != nil || t.AccessToken != refused || f.refused == refused {
			return t, err
		}
	}
}
