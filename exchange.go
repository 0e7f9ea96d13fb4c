package authcode

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"time"

	"example.com/authcode/internal/once"
	"example.com/authcode/internal/urls"
	"golang.org/x/oauth2"
)

// Login is a finished login. It prints and marshals as REDACTED.
type Login struct {
	redacted
	Provider string            // Provider.Name
	Token    *oauth2.Token     // every member of the provider's answer is in Token.Extra
	Scopes   []string          // what was granted, which may be less than what was requested
	Identity *Identity         // who signed in; nil if Provider.Identity is
	ReturnTo string            // a local path, "/" if none was given: see [Login.Redirect]
	Values   map[string]string // what [Value] kept
}

// Redirect sends the browser to l.ReturnTo, byte for byte, with status 303. A ReturnTo that
// is no path on this origin becomes "/". (http.Redirect would clean the path, after it was checked.)
func (l *Login) Redirect(w http.ResponseWriter, _ *http.Request) {
	setHeaders(w, "no-referrer")
	redirect(w, urls.LocalPath(l.ReturnTo))
}

// maxUsed bounds the redeemed logins that a process remembers; an abandoned one costs nothing. When it is
// full, PKCE and the provider's one-time code are the second lock.
const maxUsed = 1 << 18

// UsedStates remembers which logins have been redeemed, for apps that run as several
// instances: a second lock beside the provider's one-time code and the memory of each process.
type UsedStates interface {
	// Use marks id as used until the given time and reports whether it was unused
	// before. It must be atomic over all instances. An id is a hash of 43
	// URL-safe characters and tells nothing. An error refuses the login with [Overloaded].
	Use(ctx context.Context, id string, until time.Time) (fresh bool, err error)
}

// Exchange finishes a login: it checks the callback request r and redeems its code with one POST
// (RFC 6749 section 4.1.3). The checks come in this order: navigation, method, form, repeated
// parameters, state, login cookie, age, iss. Until they have all passed nothing is touched, so a forged
// callback cannot harm a pending login. Then the login's cookie is cleared on w, the provider's
// error is looked at, and the state is marked as used, for good, before the code is sent.
//
// It takes ten seconds at most, and ends with r.Context(). It sets Cache-Control, Referrer-Policy,
// X-Content-Type-Options and X-Frame-Options on w and writes no body; a prefetch alone is answered,
// with 204, and reported as [Prefetch]. Its error is an [*Error].
func (c *Client) Exchange(w http.ResponseWriter, r *http.Request) (*Login, error) {
	setHeaders(w, "no-referrer")
	login, err := c.exchange(w, r)
	if err != nil {
		return nil, c.failed(err)
	}
	// no-referrer would make the forms of the app's own page send "Origin: null".
	w.Header().Set("Referrer-Policy", "same-origin")
	return login, nil
}

func (c *Client) exchange(w http.ResponseWriter, r *http.Request) (*Login, error) {
	if err := checkReturn(w, r); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), budget)
	defer cancel()
	params, err := c.callbackParams(ctx, w, r)
	if err != nil {
		return nil, err
	}
	a, err := c.pendingLogin(r, params.Get("state"))
	if err != nil {
		return nil, err
	}
	ends, err := c.resolve(ctx)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(a.client[:], ends.digest[:]) != 1 {
		return nil, fail(Forged, "cookie.client", "the login began with another provider, client id, redirect URL or endpoint: "+
			"did the configuration or the provider's metadata change?")
	}
	if err := c.checkIss(params, ends.RequireIss); err != nil {
		return nil, err
	}
	c.clearLogin(w, &a.state)
	if err := authorizationError(params); err != nil {
		return nil, err
	}
	return c.redeemOnce(ctx, ends, a, params)
}

// pendingLogin finds the login that belongs to the state parameter, or says why there is none.
func (c *Client) pendingLogin(r *http.Request, param string) (*attempt, error) {
	s, ok := parseState(param)
	if !ok {
		return nil, fail(Forged, "state.form", "the state was not made by this app")
	}
	k := c.sealerOf(&s)
	if k == nil {
		return nil, fail(Forged, "state.tag", "the state was not made by this app with a key in use: "+
			"did CookieKeys change, or do instances have different ones?")
	}
	a, err := c.openLogin(r, &s, k)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, c.missingLogin(&s)
	}
	if !c.isFresh(&s) {
		return nil, fail(Expired, "login.age", notFresh)
	}
	return a, nil
}

const notFresh = "the login took more than ten minutes, or the clocks of two instances differ by more than one"

func (c *Client) isFresh(s *state) bool {
	age := c.cfg.Clock.Now().Sub(s.started())
	return age <= loginLifetime && age >= -clockSkew
}

// missingLogin explains a state of ours without a cookie. Whoever holds the link could have sent
// it, so all it does is choose the words.
func (c *Client) missingLogin(s *state) error {
	if before := c.used.Outcome(s.id()); before != once.Unused {
		return c.usedBefore(before)
	}
	if !c.isFresh(s) {
		return fail(Expired, "state.age", notFresh)
	}
	if s.elsewhere() {
		return fail(NoLogin, "cookie.host",
			"the login began on another host than RedirectURL's, where its cookie does not go")
	}
	return fail(NoLogin, "cookie.missing",
		"this browser has no such login: it has ended, cookies are blocked, or the link came from another browser")
}

func (c *Client) usedBefore(before once.Outcome) error {
	switch before {
	case once.Done:
		e := fail(AlreadyUsed, "state.used", "the login was finished before")
		e.ContinueURL = c.cfg.HomeURL
		return e
	case once.Running:
		return fail(AlreadyUsed, "state.running", "the login is being finished by another request")
	}
	return fail(AlreadyUsed, "state.failed", "the login was tried before and failed")
}

// redeemOnce makes sure that a state is redeemed once, and remembers how it ended.
func (c *Client) redeemOnce(ctx context.Context, ends *resolved, a *attempt, params url.Values) (*Login, error) {
	id := a.state.id()
	if before := c.used.Begin(id, time.Now(), time.Now().Add(loginLifetime+clockSkew)); before != once.Unused {
		return nil, c.usedBefore(before)
	}
	end := once.Failed
	defer func() { c.used.End(id, end) }() // also when a seam panics
	if c.cfg.UsedStates != nil {
		until := a.state.started().Add(loginLifetime + clockSkew)
		fresh, err := c.cfg.UsedStates.Use(ctx, text64(id), until)
		if err != nil { // not knowing is no permission
			return nil, asFailure(ctx, err, Overloaded, "used_states", "Config.UsedStates failed")
		}
		if !fresh {
			return nil, fail(AlreadyUsed, "used_states.used", "another instance has redeemed this login")
		}
	}
	login, err := c.redeem(ctx, ends, a, params)
	if err == nil {
		end = once.Done
	}
	return login, err
}

func (c *Client) redeem(ctx context.Context, ends *resolved, a *attempt, params url.Values) (*Login, error) {
	form := url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {params.Get("code")},
		"redirect_uri":  {c.cfg.RedirectURL},
		"code_verifier": {a.verifier.encode()},
	}
	if a.resource != "" {
		form.Set("resource", a.resource)
	}
	answer, err := c.request(ctx, ends, ends.TokenURL, codeGrant, a.key, form)
	if err != nil {
		return nil, err
	}
	token, granted, err := c.readToken(answer, a.scopes)
	if err != nil {
		return nil, err
	}
	login := &Login{
		Provider: c.cfg.Provider.Name,
		Token:    token,
		Scopes:   granted,
		ReturnTo: a.returnTo,
		Values:   a.values,
	}
	login.Identity, err = c.identify(ctx, ends, a, token, params)
	if err != nil {
		return nil, err
	}
	return login, nil
}
