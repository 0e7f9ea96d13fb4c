package authcode

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode/internal/once"
	"example.com/authcode/internal/urls"
	"golang.org/x/oauth2"
)

// Login is a finished login. It prints and marshals as REDACTED.
type Login struct {
	redacted
	Provider string // Provider.Name

	// Token is never nil, and Token.Extra has every member of the provider's
	// answer. Its AccessToken is empty if the answer had only an ID token and
	// Provider.Identity has accepted it. Such a Token cannot be stored, and
	// [TokenSource] and APIClient refuse it with [Configuration].
	Token *oauth2.Token

	Scopes          []string          // what was granted, which may be less than was requested
	Identity        *Identity         // who signed in; nil if Provider.Identity is nil
	ReturnTo        string            // a local path, "/" if none was given
	ReturnToDropped bool              // the given path leaves this origin, came twice or is too long
	Values          map[string]string // what [Value] kept
	Started         time.Time         // when the login began, by the clock of the instance that saw it
	endFragment     bool              // Provider.AddsFragment
	client          *Client
}

// Client returns the Client that finished the login. With package tenants, it is
// the tenant's. It is nil if the app has made l itself.
func (l *Login) Client() *Client { return l.client }

// Redirect sends the browser to l.ReturnTo with status 303, or to "/" if it
// leaves this origin. It removes the fragment of [Provider.AddsFragment].
func (l *Login) Redirect(w http.ResponseWriter, _ *http.Request) {
	setHeaders(w)
	// The app may have changed ReturnTo, so check it again.
	target := urls.LocalPath(l.ReturnTo)
	// RFC 9110 section 10.2.2: a Location without a fragment inherits the one of
	// the URL before. A router in the app's page would take Facebook's "#_=_"
	// for a path. An empty fragment is one, too.
	if l.endFragment && !strings.Contains(target, "#") {
		target += "#"
	}
	redirect(w, target)
}

// overhead is roughly what each JSON value and the name of each member hold
// beside their text.
const overhead = 64

// size estimates how many bytes l holds while it is kept.
func (l *Login) size() int {
	size := 1<<10 + overhead*len(l.Scopes)
	for name, raw := range membersOf(l.Token) {
		size = addSize(size+2*overhead+len(name)+len(raw), l.Token.Extra(name))
	}
	if l.Identity != nil {
		size = addSize(size, l.Identity.Claims)
	}
	return size
}

// addSize adds to size what a decoded JSON value holds. The text alone says
// little: the provider may send a list of 0, which holds twenty times as much.
func addSize(size int, value any) int {
	// Enough. The Claims of an app's own Identity may even contain themselves, so
	// add something before what is inside.
	if size > maxKeptBytes {
		return size
	}
	size += overhead
	switch v := value.(type) {
	case string:
		size += len(v)
	case json.Number:
		size += len(v)
	case []any:
		for _, element := range v {
			size = addSize(size, element)
		}
	case map[string]any:
		// The least that has a member has room for eight.
		if len(v) > 0 {
			size += 4 * overhead
		}
		for name, member := range v {
			size = addSize(size+overhead+len(name), member)
		}
	}
	return size
}

// Exchange finishes a login: it checks the callback r and redeems its code with
// one POST (RFC 6749 section 4.1.3). It checks navigation, method, form,
// repeated parameters, state, cookie, age and iss before it changes anything,
// so a forged callback cannot harm a pending login. Then it clears the cookie
// on w, reads the provider's error, and marks the state as used. It ends after
// ten seconds or with r.Context(), and sets the headers of
// [Client.AuthCodeURL]. It writes no body, but answers a prefetch with 204 and
// returns [Prefetch]. Its error is an [*Error].
//
// With [Provider.FormPost] the POST has none of the app's Lax cookies. Exchange
// checks it, keeps the answer in the login's cookie, sends the browser to the
// same path by GET and returns [Continued]. The GET finishes the login. A very
// long answer comes back by POST from a page that Exchange writes.
func (c *Client) Exchange(w http.ResponseWriter, r *http.Request) (*Login, error) {
	// RFC 9700 section 4.2.4: the URL has the code and the state. An error page
	// must not give them to another site as a referrer.
	room := setHeaders(w)
	var login *Login
	err := c.observed(r.Context(), KindCallback, func(ctx context.Context) error {
		done, a, err := c.exchange(ctx, w, r)
		login = done
		return c.callbackError(err, a)
	})
	if err != nil {
		return nil, err
	}
	// With no-referrer, forms on the app's page would send "Origin: null",
	// which protections against cross-site requests refuse. same-origin still
	// hides the code from other sites.
	w.Header()["Referrer-Policy"] = append(room, "same-origin")
	return login, nil
}

// callbackError is loginError with the return path of a, which may be nil.
func (c *Client) callbackError(err error, a *attempt) error {
	switch {
	case err == nil:
		return nil
	case a == nil:
		return c.loginError(err, "")
	}
	return c.loginError(err, a.returnTo)
}

// exchange also returns the attempt, if its cookie could be opened.
func (c *Client) exchange(
	ctx context.Context, w http.ResponseWriter, r *http.Request,
) (*Login, *attempt, error) {
	if err := c.checkSignsIn(); err != nil {
		return nil, nil, err
	}
	if err := checkCallbackNavigation(w, r); err != nil {
		return nil, nil, err
	}
	// One deadline for all steps: the person waits no longer than this.
	deadline := time.Now().Add(c.cfg.Clock.Budget(requestTimeout))
	if own, ok := ctx.Deadline(); ok && own.Before(deadline) {
		deadline = own
	}
	// Package tenants has used some of it to find this Client.
	if begun := c.openedFor(r).deadline; !begun.IsZero() && begun.Before(deadline) {
		deadline = begun
	}
	// Only these ask the provider before the code is redeemed. Most logins can
	// do without a timer for that.
	if c.cfg.Provider.Metadata != nil || c.cfg.MessageSigning.SignedResponses {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	a, params, err := c.answeredLogin(ctx, w, r)
	if err != nil {
		return nil, a, err
	}
	a.deadline = deadline
	login, err := c.finish(ctx, w, r, a, params)
	return login, a, err
}

// finish checks what the provider's answer is about, and redeems its code.
func (c *Client) finish(
	ctx context.Context, w http.ResponseWriter, r *http.Request, a *attempt, params url.Values,
) (*Login, error) {
	// This may ask the provider, so it comes after the checks that need only
	// the request.
	ep, err := c.resolve(ctx)
	if err != nil {
		return nil, err
	}
	if err := checkDigest(a, ep); err != nil {
		return nil, err
	}
	if err := c.checkIss(params, ep); err != nil {
		return nil, err
	}
	if ep, err = c.answeringServer(params, ep); err != nil {
		return nil, err
	}
	if c.isFirstPost(r) {
		return nil, c.keepAnswer(w, r, a, params)
	}
	// From here on the callback belongs to this login. Clear the cookie also if
	// the rest fails: a code is good for one try.
	c.expireLogin(w, a.name)
	if err := authorizationError(params); err != nil {
		return nil, withScopes(err, a.scopes)
	}
	return c.redeemOnce(ctx, ep, a, params)
}

// checkDigest refuses a login that began with other endpoints or another
// Client.
func checkDigest(a *attempt, ep *resolvedEndpoints) error {
	// RFC 9700 section 4.4.2: a client stores in the browser's login which
	// server it began with, so that no server gets the code of another one.
	if subtle.ConstantTimeCompare(a.digest[:], ep.digest[:]) != 1 {
		return errorf(Forged, "cookie.client", "the login began with another provider, client ID, "+
			"redirect URL or endpoint: check whether the configuration or the metadata changed")
	}
	return nil
}

// pendingLogin finds the login that the state parameter belongs to, or says why
// there is none. It returns one that has expired, with the error.
func (c *Client) pendingLogin(r *http.Request, param string) (*attempt, error) {
	s, ok := parseState(param)
	if !ok {
		return nil, errorf(Forged, "state.form", "this app did not make the state: "+
			"the callback is forged, or another app uses the same redirect URL")
	}
	a, err := c.openState(r, &s)
	if a == nil {
		return nil, err
	}
	if err := c.checkTenant(a); err != nil {
		return nil, err
	}
	// Max-Age does not suffice: a browser may restore an old session with its
	// cookies, and a thief ignores Max-Age.
	if !c.isFresh(&s) {
		return a, errorf(Expired, "login.age", notFresh)
	}
	return a, nil
}

// openState finds the login that s belongs to. If it returns nil, the error says
// why there is none.
func (c *Client) openState(r *http.Request, s *state) (*attempt, error) {
	if a := c.alreadyOpened(r, s); a != nil {
		return a, nil
	}
	k, id := c.sealerFor(s)
	if k == nil {
		return nil, errorf(Forged, "state.tag", "no key in CookieKeys made the state: "+
			"the callback is forged, the keys changed, or instances have different keys")
	}
	// RFC 6749 section 10.12: the state must be bound to the browser. Without
	// the cookie, an attacker could sign a victim in to the attacker's account.
	a, err := c.openLogin(r, k, s.started(), id)
	switch {
	case a != nil:
		a.state = *s
	case err == nil:
		err = c.missingLoginError(s, id)
	}
	return a, err
}

const notFresh = "the login took more than ten minutes: start again. " +
	"If this happens often, compare the clocks of all instances"

// isFresh reports whether s is not too old. It allows a start in the future:
// the instance that started the login may have a clock that is ahead.
func (c *Client) isFresh(s *state) bool {
	age := c.cfg.Clock.Now().Sub(s.started())
	return age <= loginLifetime && age >= -clockSkew
}

// missingLoginError explains why there is no cookie for a state of this app.
func (c *Client) missingLoginError(s *state, id once.ID) error {
	// Anybody who has the link could have sent it. So the state only chooses
	// the words of the error, and nothing else.
	if before := redeemed.Used.Outcome(id); before != once.Unused {
		return c.usedError(before)
	}
	if !c.isFresh(s) {
		return errorf(Expired, "state.age", notFresh)
	}
	if s.onOtherHost() {
		return errorf(NoLogin, "cookie.host", "the login began on a host that is not RedirectURL's, "+
			"and only that host gets its cookie: use one host")
	}
	return errorf(NoLogin, "cookie.missing", "this browser has no such login, as it has ended, "+
		"cookies are blocked or the link came from another browser: start again, with cookies")
}
