package authcode

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/authcode/internal/form"
	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/urls"
)

// checkLoginNavigation refuses to start a login unless a person may have
// navigated to it. It leaves a prefetch to checkStart, which answers it.
func checkLoginNavigation(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		// RFC 9110 section 15.5.6: a 405 must name the allowed methods.
		w.Header().Set("Allow", "GET, POST")
		return errorf(WrongMethod, "login.method",
			"a login must start with GET or POST: make it a link or a form")
	}
	// A script cannot show the page that the redirect leads to, so the person
	// would see nothing happen. Tell the developer instead.
	if headers.IsScript(r) && !headers.IsPrefetch(r) {
		return errorf(NotNavigation, "login.navigation", "a script asked for the login: make it a "+
			"plain link, or hand the URL from AuthCodeURL to the script")
	}
	return nil
}

// checkStart refuses to set a login cookie for another site, or for a prefetch,
// which it answers.
func checkStart(w http.ResponseWriter, r *http.Request) error {
	// A prefetched login would expire the oldest pending one, although nobody
	// wants to sign in.
	if headers.IsPrefetch(r) {
		w.WriteHeader(http.StatusNoContent)
		return errorf(Prefetch, "login.prefetch", "the browser prefetched a login: nothing to do")
	}
	// What another site's page asks for comes without the Lax cookies of
	// pending logins, so they could not be counted. Another site could fill the
	// browser with cookies, until servers refuse its requests because their
	// headers are too long.
	if isOfAnotherSite(r) {
		return errorf(NotNavigation, "login.cross_origin",
			"a page of another site asked for the login: link to it instead")
	}
	return nil
}

// checkMounting refuses to start a login in place of finishing one. A provider
// that knows the person answers at once, so the browser would go in circles.
func (c *Client) checkMounting(w http.ResponseWriter, r *http.Request, returnTo string) error {
	if c.isPendingAnswer(w, r, r.URL.RawQuery) {
		return errorf(Configuration, "login.at_callback", "the provider's answer arrived where "+
			"logins start: mount CallbackHandler at the path of RedirectURL (see Client.Mount)")
	}
	// A guard has sent the callback here, with its URL as the path to return
	// to.
	_, query, _ := strings.Cut(returnTo, "?")
	query, _, _ = strings.Cut(query, "#")
	if c.isPendingAnswer(w, r, query) || c.isCircle(r) {
		return errorf(Configuration, "login.guarded", "a guard redirected the provider's answer to "+
			"LoginURL: take CallbackHandler out of the guard that demands a signed-in person")
	}
	return nil
}

// isCircle reports whether other sites have sent this browser here four times
// within twenty seconds. A guard that keeps nothing of the callback's URL leaves
// no other trace.
func (c *Client) isCircle(r *http.Request) bool {
	// The provider's redirect is one of another site, through the guard's, too.
	if site := first(r.Header["Sec-Fetch-Site"]); site != "cross-site" && site != "same-site" {
		return false
	}
	// A person may open several links of a mail at once. Only a guard that keeps
	// no path, or the callback's without its query, may have caught a callback.
	redirect, _ := url.Parse(c.cfg.RedirectURL) // New has checked it
	path, _, _ := strings.Cut(c.requestedPath(r), "?")
	if path != "/" && !strings.HasSuffix(redirect.EscapedPath(), path) {
		return false
	}
	now, recent := c.cfg.Clock.Now(), 0
	for _, p := range c.pendingCookies(r, now) {
		if now.Sub(p.start) < 20*time.Second {
			recent++
		}
	}
	return recent >= maxPending-1
}

// isPendingAnswer reports whether query is the answer to a login that this
// browser has pending.
func (c *Client) isPendingAnswer(w http.ResponseWriter, r *http.Request, query string) bool {
	// Most logins need not pay for the rest: a query that has a state is longer.
	if len(query) < len("state=")+len(encoded{}) {
		return false
	}
	params, _ := url.ParseQuery(query) // what it could parse
	s, _ := parseState(params.Get("state"))
	// An app may answer a login that has expired with a new one.
	k, id := c.sealerFor(&s)
	if k == nil || !c.isFresh(&s) {
		return false
	}
	name := c.cookieName(s.started(), id)
	if _, count := headers.Cookie(r, name); count == 0 {
		return false
	}
	// If Exchange has cleared the cookie in this very answer, the app starts
	// anew on purpose, for example after prompt=none.
	return !slices.ContainsFunc(w.Header()["Set-Cookie"], func(set string) bool {
		return strings.HasPrefix(set, name+"=;")
	})
}

// isOfAnotherSite reports whether a request proves that another site's page
// made it, other than by a link or a redirect of the whole window.
func isOfAnotherSite(r *http.Request) bool {
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		mode := first(r.Header["Sec-Fetch-Mode"])
		switch dest := first(r.Header["Sec-Fetch-Dest"]); {
		// A link may lead here from anywhere. A frame is a page of the other
		// site, and the browser hides the Lax cookies from it.
		case mode == "navigate":
			return first(r.Header["Sec-Fetch-Site"]) == "cross-site" && dest != "document" && dest != ""
		// An old browser. Without Origin this may be a link.
		case mode == "" && first(r.Header["Origin"]) == "":
			return false
		}
	}
	// CrossOriginProtection lets the methods above pass, because they should
	// change nothing. A login sets a cookie. Most requests need no copy.
	posted := *r
	posted.Method = http.MethodPost
	return new(http.CrossOriginProtection).Check(&posted) != nil
}

// first returns the first value of a header, as Header.Get does, for a name in
// canonical form.
func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// checkCallbackNavigation refuses a callback that a script or a prefetch made.
// It answers a prefetch.
func checkCallbackNavigation(w http.ResponseWriter, r *http.Request) error {
	// The code works once. A prefetch must not use it up before the person's
	// own request arrives.
	if headers.IsPrefetch(r) {
		w.WriteHeader(http.StatusNoContent)
		return errorf(Prefetch, "callback.prefetch",
			"the browser prefetched the callback: nothing to do")
	}
	// A provider redirects the whole page here. Only an attack or a mistake
	// makes a script fetch this URL.
	if headers.IsScript(r) {
		return errorf(NotNavigation, "callback.navigation",
			"a script fetched the callback: start the login with a link that opens the whole page")
	}
	return nil
}

// setHeaders sets the headers that every answer of a login has. It returns room
// for the value of one more.
func setHeaders(w http.ResponseWriter) (room []string) {
	// no-store: a cache must not keep the state, or show one person's answer to
	// another. DENY: no other site may show these pages in a frame and trick a
	// person into clicking on them.
	h := w.Header()
	// One allocation for all of them.
	values := [...]string{"no-store", "nosniff", "DENY", "no-referrer", ""}
	h["Cache-Control"] = values[0:1:1]
	h["X-Content-Type-Options"] = values[1:2:2]
	h["X-Frame-Options"] = values[2:3:3]
	h["Referrer-Policy"] = values[3:4:4]
	return values[4:4]
}

// redirect sends the browser to target.
func redirect(w http.ResponseWriter, target string) {
	// RFC 9700 section 4.12: with 303 the browser follows with GET. With 307 it
	// would repeat a POST, and hand its form to the provider.
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusSeeOther)
}

// keptPath returns path if it is local, "/" if it is empty, and "" if it must be
// dropped.
func keptPath(path string) string {
	// RFC 9700 section 4.11: an app that redirects to any URL is an open
	// redirector. A phishing link could begin with the app's own address.
	if path = cmp.Or(path, "/"); urls.LocalPath(path) != path {
		return ""
	}
	return path
}

// requestedPath returns what keptPath makes of the path in r's query.
func (c *Client) requestedPath(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return "/"
	}
	values := r.URL.Query()[c.cfg.ReturnToParam]
	switch len(values) {
	case 0:
		return "/"
	case 1:
		return keptPath(values[0])
	}
	// Of two values, a filter before this app may have checked the other one.
	return ""
}

// loginLink returns LoginURL with the path that a new login should return to.
func (c *Client) loginLink(returnTo string) string {
	// A LoginURL on another host has other paths. loginPattern is empty then.
	if returnTo == "" || returnTo == "/" || c.loginPattern == "" {
		return c.cfg.LoginURL
	}
	link, _ := url.Parse(c.cfg.LoginURL) // New has checked it
	path, err := url.Parse(returnTo)
	if err != nil {
		return c.cfg.LoginURL
	}
	// The path may be a callback's, if that is behind a guard. Its code and its
	// state must not get into a page.
	if _, ok := parseState(path.Query().Get("state")); ok {
		return c.cfg.LoginURL
	}
	query := link.Query()
	query.Set(c.cfg.ReturnToParam, returnTo)
	link.RawQuery = form.Encode(query)
	if text := link.String(); len(text) <= urls.MaxPath {
		return text
	}
	return c.cfg.LoginURL
}

// loopFaults finds a LoginURL that leads to the callback.
func (cfg *Config) loopFaults() []string {
	redirect, err := url.Parse(cfg.RedirectURL)
	if err != nil || cfg.LoginURL == "" {
		return nil
	}
	// As a browser resolves them, which removes dot segments.
	login, err := redirect.Parse(cfg.LoginURL)
	redirect = redirect.ResolveReference(redirect)
	if err != nil || urls.Origin(login) != urls.Origin(redirect) ||
		cmp.Or(login.Path, "/") != cmp.Or(redirect.Path, "/") ||
		// Some sites have one path for everything, and tell pages apart by the
		// query.
		redirect.RawQuery != "" && login.RawQuery != redirect.RawQuery {
		return nil
	}
	return []string{"Config.LoginURL has the path of Config.RedirectURL, so a login would start " +
		"again instead of ending: give them two paths, such as /login and /callback"}
}
