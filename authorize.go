package authcode

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"example.com/authcode/internal/form"
)

// AuthCodeURL starts a login (RFC 6749 section 4.1.1). It sets the login cookie
// on w, expires the oldest pending logins beyond five, and returns the URL to
// send the browser to. It writes no body: the app redirects (303) or hands the
// URL to a script. It sets Cache-Control, Referrer-Policy,
// X-Content-Type-Options and X-Frame-Options. Its error is an [*Error].
func (c *Client) AuthCodeURL(
	w http.ResponseWriter, r *http.Request, opts ...AuthOption,
) (string, error) {
	// RFC 9700 section 4.2.4: the referrer policy keeps the app's own URL,
	// which may hold secrets, from the provider.
	a := authRequest{room: setHeaders(w), attempt: attempt{choices: choices{
		returnTo: c.requestedPath(r), maxAge: c.maxAge, scopes: c.scopes,
	}}}
	var target string
	err := c.observed(r.Context(), KindStart, func(ctx context.Context) (err error) {
		if target, err = c.start(ctx, w, r, &a, opts); err != nil {
			return c.loginError(err, a.returnTo)
		}
		return nil
	})
	return target, err
}

func (c *Client) start(
	ctx context.Context, w http.ResponseWriter, r *http.Request, a *authRequest, opts []AuthOption,
) (string, error) {
	if err := c.checkSignsIn(); err != nil {
		return "", err
	}
	// Here and not in LoginHandler: whatever sets the cookie needs this guard.
	if err := checkStart(w, r); err != nil {
		return "", err
	}
	if err := c.applyOptions(r, a, opts); err != nil {
		return "", err
	}
	if err := c.checkMounting(w, r, a.returnTo); err != nil {
		return "", err
	}
	ep, err := c.resolve(ctx)
	if err != nil {
		return "", err
	}
	// Only now are all names known: Metadata may have found an AuthURL with a
	// query of its own. RFC 6749 section 3.1 forbids repeated parameters.
	if key := c.takenParam(ep, a); key != "" {
		return "", errorf(Configuration, "param.reserved", "Param(%q): another option, AuthParams, "+
			"the provider's AuthURL or ClientIDParam has this name already: remove the option", key)
	}
	// Exchange compares the digest, so that this login can end only where it
	// began. The first key seals: during a rotation it is the newest one.
	a.digest, a.tenant = ep.digest, c.tenant()
	a.state, a.verifier, a.id = c.sealers[0].newLogin(c.cfg.Clock.Now(), !c.isOwnHost(r.Host))
	a.started = a.state.started()
	target, err := c.authURL(ctx, ep, a)
	if err != nil {
		return "", err
	}
	// The cookie comes last. A start that fails leaves nothing behind in the
	// browser, and expires no other login.
	if err := c.setLogin(w, r, &a.attempt, a.room); err != nil {
		return "", err
	}
	return target, nil
}

// takenParam returns a parameter of the app that something else sets, too, or
// "" if there is none.
func (c *Client) takenParam(ep *resolvedEndpoints, a *authRequest) string {
	for key := range a.params {
		// Some servers ignore case.
		isSame := func(name string) bool { return strings.EqualFold(name, key) }
		isOther := func(name string) bool { return name != key && isSame(name) }
		p := &c.cfg.Provider
		if isSame(p.ClientIDParam) || hasKey(ep.query, isSame) ||
			hasKey(p.AuthParams, isOther) || hasKey(a.params, isOther) {
			return key
		}
	}
	return ""
}

func hasKey[M ~map[string]V, V any](m M, is func(string) bool) bool {
	for key := range m {
		if is(key) {
			return true
		}
	}
	return false
}

// authRequest is an authorization request that is being made.
type authRequest struct {
	attempt
	params url.Values
	room   []string // for the header with the cookie
}

// applyOptions applies the options to the Client's defaults.
func (c *Client) applyOptions(r *http.Request, a *authRequest, opts []AuthOption) error {
	if len(opts) > 0 {
		o := options{choices: a.choices}
		for _, opt := range opts {
			// A nil option is one that an app did not need this time.
			if opt == nil {
				continue
			}
			var err error
			if o, err = opt.apply(r, o); err != nil {
				return err
			}
			a.choices, a.params = o.choices, o.params
		}
	}
	// New has checked the Client's own scopes. These come with a request.
	if a.scoped {
		if f := scopeFaults("Scopes", a.scopes, c.cfg.Provider.ScopeSep); len(f) > 0 {
			return errorf(Configuration, "scopes", "%s", f[0])
		}
	}
	switch several := a.params["resource"]; len(several) {
	case 0:
		a.resource = c.cfg.Provider.AuthParams["resource"]
	case 1:
		// RFC 8707 section 2.2: the token request repeats a single resource. To
		// repeat several would ask for one token, which each of the resources
		// could use at the others (section 3).
		a.resource = several[0]
	}
	return nil
}

// authURL returns the URL to send the browser to. The request in it is plain,
// signed, or a reference to a pushed one.
func (c *Client) authURL(
	ctx context.Context, ep *resolvedEndpoints, a *authRequest,
) (string, error) {
	if err := c.checkOffer(ep); err != nil {
		return "", err
	}
	sign := c.cfg.MessageSigning.SignRequest != nil
	// Most logins need neither a key nor a request to the provider.
	if c.cfg.Binding.Begin == nil && !sign && !ep.push {
		return c.authQuery(ep.base, ep, a, nil), nil
	}
	// One deadline for key, signature and push: a person is waiting.
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	var bound url.Values
	var err error
	// RFC 9449 section 10: the request may name the key, and then only this key
	// can redeem the code. So the login cookie keeps the name of the key.
	if a.key, bound, err = c.beginBinding(ctx); err != nil {
		return "", err
	}
	if err := c.checkBound(ep, a, bound); err != nil {
		return "", err
	}
	query := c.authQuery("", ep, a, bound)
	// RFC 9126 section 3: a request object can be pushed, too. So sign first,
	// then push.
	if sign {
		if query, err = c.signRequest(ctx, ep, query); err != nil {
			return "", err
		}
	}
	if ep.push {
		if query, err = c.pushOrNot(ctx, ep, query, a.key); err != nil {
			return "", withScopes(err, a.scopes)
		}
	}
	return ep.base + query, nil
}

// checkBound refuses what a Binding may not add to the request: dpop_jkt is the
// only parameter of the protocol that it may.
func (c *Client) checkBound(ep *resolvedEndpoints, a *authRequest, bound url.Values) error {
	for key, values := range bound {
		isSame := func(name string) bool { return strings.EqualFold(name, key) }
		if len(values) > 1 || key != "dpop_jkt" && !isFreeParam(key) || hasKey(a.params, isSame) ||
			hasKey(c.cfg.Provider.AuthParams, isSame) || hasKey(ep.query, isSame) {
			return errorf(Configuration, "binding.params", "Config.Binding.Begin returned a "+
				"parameter that is set already or that the login sets: make it return others")
		}
	}
	return nil
}

// authURLPrefix returns the part of the authorization URL that all logins
// share: base is AuthURL and a separator, prefix the constant parameters.
func (c *Client) authURLPrefix(authURL string) (base, prefix string) {
	// RFC 6749 section 3.1: a query of the endpoint must be kept.
	base = authURL + "?"
	if strings.Contains(authURL, "?") {
		base = authURL + "&"
	}
	p := &c.cfg.Provider
	// RFC 6749 section 4.1.3: the token request repeats redirect_uri only if it
	// is here. So send it always, even if just one is registered.
	//
	// RFC 9700 section 2.1.2: only "code". Other response types put tokens into
	// the URL, where the browser's history and scripts can find them.
	//
	// RFC 7636 section 4.3: without code_challenge_method a server would assume
	// "plain", which does not stop an attacker who reads the request.
	prefix = "response_type=code&code_challenge_method=S256" +
		"&" + url.QueryEscape(p.ClientIDParam) + "=" + url.QueryEscape(c.cfg.ClientID) +
		"&redirect_uri=" + url.QueryEscape(c.cfg.RedirectURL)
	mode := ""
	if p.FormPost {
		mode = "form_post"
	}
	// JARM section 2.3: response modes that end in ".jwt" ask for a signed
	// response.
	if c.cfg.MessageSigning.SignedResponses {
		mode = cmp.Or(mode, "query") + ".jwt"
	}
	if mode != "" {
		prefix += "&response_mode=" + mode
	}
	return base, prefix
}

// authQuery returns the whole plain request, with base in front of it.
func (c *Client) authQuery(
	base string, ep *resolvedEndpoints, a *authRequest, bound url.Values,
) string {
	// Every login runs this. One Builder makes one allocation, where url.Values
	// would sort and escape the constant parameters again.
	var b strings.Builder
	b.Grow(len(base) + len(ep.prefix) + len(ep.scope) + len("&nonce=&code_challenge=&state=") +
		3*len(encoded{}) + 32*(len(c.cfg.Provider.AuthParams)+len(a.params)+len(bound)))
	b.WriteString(base)
	b.WriteString(ep.prefix)
	for key, value := range c.cfg.Provider.AuthParams {
		// An option replaces a parameter of the preset: servers refuse repeats.
		if _, replaced := a.params[key]; !replaced {
			b.WriteString("&" + url.QueryEscape(key) + "=" + url.QueryEscape(value))
		}
	}
	if len(a.params) > 0 {
		b.WriteString("&" + form.Encode(a.params))
	}
	if len(bound) > 0 {
		b.WriteString("&" + form.Encode(bound))
	}
	if a.scoped {
		b.WriteString(c.scopeParam(a.scopes))
	} else {
		b.WriteString(ep.scope)
	}
	// OpenID Connect Core section 15.5.2: the nonce ties the ID token to this
	// login, so that nobody can replay a stolen one.
	if hasOpenIDScope(a.scopes) {
		b.WriteString("&nonce=")
		nonce := a.verifier.nonce()
		b.Write(nonce[:])
	}
	b.WriteString("&code_challenge=")
	challenge, state := a.verifier.challenge(), a.state.encode()
	b.Write(challenge[:])
	b.WriteString("&state=")
	b.Write(state[:])
	return b.String()
}

// scopeParam returns "&scope=" and the scopes, or nothing if there are none.
func (c *Client) scopeParam(scopes []string) string {
	// RFC 6749 section 3.3: without the parameter the server uses its default.
	// An empty one would be invalid.
	if len(scopes) == 0 {
		return ""
	}
	return "&scope=" + url.QueryEscape(strings.Join(scopes, c.cfg.Provider.ScopeSep))
}

// hasOpenIDScope reports whether a login is an OpenID Connect one (OpenID
// Connect Core section 3.1.2.1), and so has a nonce.
func hasOpenIDScope(scopes []string) bool { return slices.Contains(scopes, "openid") }

// isOwnHost reports whether host is the host of RedirectURL.
func (c *Client) isOwnHost(host string) bool {
	// Ignore the ports: cookies do (RFC 6265 section 8.5), so a login that
	// begins on another port can still finish.
	here := url.URL{Host: host}
	return strings.EqualFold(here.Hostname(), c.host)
}
