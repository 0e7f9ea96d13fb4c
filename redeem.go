package authcode

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"net"
	"net/url"
	"time"

	"example.com/authcode/internal/once"
	"golang.org/x/oauth2"
)

// UsedStates remembers redeemed logins for all instances of an app. It is a
// second lock beside the provider's one-time code.
type UsedStates interface {
	// Use marks id as used until then, and reports whether it was unused, both
	// in one step for all instances. An id has 26 URL-safe characters and is
	// not secret. An error refuses the login with [Overloaded].
	Use(ctx context.Context, id string, until time.Time) (fresh bool, err error)
}

// outcome is what came of redeeming a code.
type outcome struct {
	login *Login
	err   error
}

// redeemed knows the logins that this process has redeemed, and hands each
// outcome to one request. All Clients share it: two Clients of one Config must
// not redeem a login twice. Each entry is bound to the cookie key that made the
// state, so Clients with different keys never share one.
//
// A browser may give a request up and send it again, and then it shows the
// answer to the second. So an outcome that nobody has taken is kept for a while.
var redeemed = once.Handover[outcome]{
	// An entry is small, and an attacker needs a login of this app for each. If
	// there are more, PKCE and the provider's one-time code remain.
	Used:     &once.Set{Max: 1 << 18},
	KeepFor:  30 * time.Second,
	MaxKept:  1 << 10,
	MaxBytes: maxKeptBytes,
	Size:     outcome.size,
}

const maxKeptBytes = 16 << 20

// size estimates how many bytes o holds while it is kept.
func (o outcome) size() int {
	if o.login == nil {
		return 4 << 10 // an Error, with a server's words
	}
	return o.login.size()
}

// redeemOnce redeems the code of a login, once, and returns the outcome if this
// request is the one that gets it. ctx ends with the request.
func (c *Client) redeemOnce(
	ctx context.Context, ep *resolvedEndpoints, a *attempt, params url.Values,
) (*Login, error) {
	now := time.Now()
	got, before := redeemed.Get(ctx, once.Try[outcome]{
		ID: a.id,
		// RFC 6749 section 4.1.2: a server that sees a code twice should revoke
		// the tokens it issued for it. So a code is sent once.
		Key:   sha256.Sum256([]byte(params.Get("code"))),
		Now:   now,
		Until: now.Add(loginLifetime + clockSkew), Deadline: a.deadline,
		Do: func(again bool) once.Result[outcome] {
			return c.redeemForBrowser(ctx, ep, a, params, again)
		},
	})
	switch {
	case before == once.Unused:
		return got.login, got.err
	case ctx.Err() != nil || !time.Now().Before(a.deadline):
		return nil, transportError(ctx, context.DeadlineExceeded)
	}
	return nil, c.usedError(before)
}

// redeemForBrowser redeems the code on behalf of the browser, and not of one of
// its connections: it goes on when the browser gives the request up, within the
// request's deadline. (net/http lets a handler finish after its client has gone.)
func (c *Client) redeemForBrowser(
	ctx context.Context, ep *resolvedEndpoints, a *attempt, params url.Values, again bool,
) once.Result[outcome] {
	ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), a.deadline)
	defer cancel()
	if !again {
		if err := c.useState(ctx, a); err != nil {
			return once.Result[outcome]{Value: outcome{err: err}}
		}
	}
	login, err := c.redeem(ctx, ep, a, params)
	if err != nil {
		return once.Result[outcome]{Value: outcome{err: err}, Again: mayTryAnotherCode(err)}
	}
	return once.Result[outcome]{Value: outcome{login: login}, Done: true}
}

// mayTryAnotherCode reports whether the code that failed was refused, or was not
// sent. Then another code of the same browser may follow.
func mayTryAnotherCode(err error) bool {
	connection, failed := errors.AsType[*net.OpError](err)
	_, isUnknown := errors.AsType[*net.DNSError](err)
	return errors.Is(err, GrantRejected) || errors.Is(err, Configuration) ||
		isUnknown || failed && connection.Op == "dial"
}

// usedError explains what became of a login that is used a second time.
func (c *Client) usedError(before once.Outcome) error {
	switch before {
	case once.Done:
		// The person has probably reloaded the page and is signed in.
		e := errorf(AlreadyUsed, "state.used",
			"the login was finished before, and its page was reloaded or opened again: nothing to do")
		e.ContinueURL = c.cfg.HomeURL
		return e
	case once.Running:
		return errorf(AlreadyUsed, "state.running",
			"another request is finishing the login: wait for it")
	}
	return errorf(AlreadyUsed, "state.failed", "the login was tried before and failed: start again")
}

// useState marks the login as used in all instances.
func (c *Client) useState(ctx context.Context, a *attempt) error {
	if c.cfg.UsedStates == nil {
		return nil
	}
	// After this time every instance refuses the state as too old, so the store
	// may forget it.
	until := a.started.Add(loginLifetime + clockSkew)
	if c.cfg.Provider.FormPost {
		until = until.Add(answerLifetime + clockSkew) // see openAnswer
	}
	fresh, err := c.cfg.UsedStates.Use(ctx, idText(a.id), until)
	// An app that sets UsedStates relies on it. If it cannot answer, nobody
	// signs in.
	if err != nil {
		return seamError(ctx, err, Overloaded, "used_states",
			"Config.UsedStates failed: check whether its store is up and has its table")
	}
	if !fresh {
		return errorf(AlreadyUsed, "used_states.used",
			"another instance has redeemed this login: start again if you are not signed in")
	}
	return nil
}

// redeem sends the code to the provider and finds out who signed in.
func (c *Client) redeem(
	ctx context.Context, ep *resolvedEndpoints, a *attempt, params url.Values,
) (*Login, error) {
	form := c.codeForm(a, params.Get("code"))
	more, err := c.addTokenParams(ctx, form, params)
	if err != nil {
		return nil, err
	}
	answer, err := c.request(ctx, ep, ep.TokenURL, codeRequest, a.key, form)
	if err != nil {
		return nil, withScopes(err, a.scopes)
	}
	keepTokenParams(answer, more)
	keepServer(answer, ep)
	// OpenID Connect Core section 3.1.3.3 demands an access token, but a login
	// that only wants to know the person needs none. Identity refuses if it
	// needs one after all.
	token, granted, err := c.readToken(answer, a.scopes, c.cfg.Provider.Identity == nil)
	if err != nil {
		return nil, err
	}
	login := &Login{
		Provider: c.cfg.Provider.Name, Token: token, Scopes: granted, Values: a.values,
		ReturnTo: cmp.Or(a.returnTo, "/"), ReturnToDropped: a.returnTo == "",
		Started: a.started, endFragment: c.cfg.Provider.AddsFragment, client: c,
	}
	// If this fails there is no login, although there is a token: an app could
	// take a Login without Identity for the wrong person.
	if login.Identity, err = c.identify(ctx, ep, a, token, params); err != nil {
		return nil, err
	}
	return login, nil
}

// codeForm is the request of RFC 6749 section 4.1.3.
func (c *Client) codeForm(a *attempt, code string) url.Values {
	// One allocation for all values.
	values := []string{"authorization_code", code, c.cfg.RedirectURL, a.verifier.encode().String()}
	form := url.Values{
		"grant_type": values[0:1:1],
		"code":       values[1:2:2],
		// The same as in the authorization request. The server compares them, so
		// that a code which leaked to another URL fails.
		"redirect_uri": values[2:3:3],
		// RFC 7636 section 4.5: only who began the login knows the verifier. A
		// stolen or injected code is useless without it (RFC 9700 section 4.5).
		"code_verifier": values[3:4:4],
	}
	if a.resource != "" {
		form.Set("resource", a.resource) // RFC 8707 section 2.2
	}
	return form
}

// Refresh redeems t's refresh token with one POST (RFC 6749 section 6) and
// returns a new token, which keeps the members of t that the answer lacks. It
// asks for the resource of the login again (RFC 8707 section 2.2), and for what
// the options of earlier refreshes named; opts replace these. It takes ten
// seconds at most. Its error is an [*Error]; see Error.Final. Where refresh
// tokens rotate, two calls with the same t may end the grant, and so may an
// error after the POST. A [TokenSource] prevents both.
func (c *Client) Refresh(
	ctx context.Context, t *oauth2.Token, opts ...RefreshOption,
) (fresh *oauth2.Token, err error) {
	// One deadline for both steps: the caller waits for ten seconds, not
	// twenty.
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err = c.observed(ctx, KindRenewal, func(ctx context.Context) (err error) {
		// If the new ID token names another person, the app must not get it.
		if fresh, err = c.redeemRefresh(ctx, t, opts...); err == nil {
			_, err = c.checkRefresh(ctx, t, fresh)
		}
		return err
	})
	if err != nil {
		return nil, c.completeError(err)
	}
	return fresh, nil
}

// redeemRefresh gets a new token, until ctx ends. The caller has to check whose
// token it is.
func (c *Client) redeemRefresh(
	ctx context.Context, t *oauth2.Token, opts ...RefreshOption,
) (*oauth2.Token, error) {
	if t != nil && isBlank(t.AccessToken) && isBlank(t.RefreshToken) && isIDTokenOnly(membersOf(t)) {
		return nil, noAccessToken()
	}
	// Say so at once. The provider would answer invalid_request, which does not
	// tell the app to sign the person in again.
	if t == nil || isBlank(t.RefreshToken) {
		e := errorf(GrantRejected, "refresh.none", "there is no refresh token: sign in again, or "+
			"request a scope such as offline_access to get one")
		e.Final = true
		return nil, e
	}
	form, err := c.refreshForm(t, opts)
	if err != nil {
		return nil, err
	}
	ep, err := c.resolveFor(ctx, t)
	if err != nil {
		return nil, err
	}
	answer, err := c.request(ctx, ep, ep.TokenURL, refreshRequest, keyOf(t), form)
	if err != nil {
		return nil, refusedOptions(err, opts)
	}
	// RFC 6749 section 5.1: without scope, the answer has what was requested.
	// The scope of an earlier answer may be wider or narrower.
	if _, sent := answer["scope"]; !sent && form.Has("scope") {
		answer["scope"] = jsonString(form.Get("scope"))
	}
	// Before readToken, which would take a missing refresh token for none.
	keepOldMembers(answer, t)
	fresh, _, err := c.readToken(answer, nil, true)
	return fresh, err
}

// refreshForm returns the parameters of a refresh.
func (c *Client) refreshForm(t *oauth2.Token, opts []RefreshOption) (url.Values, error) {
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.RefreshToken}}
	// RFC 8707 section 2.2: without resource, the server chooses the audience,
	// and the new token may not work where the old one did.
	//
	// RFC 6749 section 6: without scope, the new token has the scopes that were
	// granted. Sending those is an error at some servers. So send scope only if
	// the app has asked for fewer.
	for param, member := range map[string]string{"resource": resourceMember, "scope": scopeMember} {
		if value, _ := t.Extra(member).(string); value != "" {
			form.Set(param, value)
		}
	}
	for _, o := range opts {
		// A nil option is one that an app did not need this time.
		if o == nil {
			continue
		}
		if err := o.applyRefresh(c, form); err != nil {
			return nil, err
		}
	}
	return form, c.addKeptParams(form, t)
}
