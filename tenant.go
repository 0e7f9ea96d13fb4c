package authcode

import (
	"context"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode/internal/form"
	"example.com/authcode/internal/headers"
	"example.com/authcode/internal/realm"
)

// The Clients of a registry (package tenants) have their cookie keys in common,
// and their login cookies bear the registry's name. So the cookie of a callback
// can be opened before it is known whose login it is. It says which tenant's
// Client has to finish the login, and that Client then makes all of its checks.

// makeSealers makes the sealers of the keys, or takes those of the Realm: they
// are most of what a Client weighs.
func (c *Client) makeSealers(keys [][]byte) {
	in := c.cfg.Realm
	if in != nil && in.Sealers != nil {
		c.sealers = in.Sealers.([]*sealer) // put there below
		return
	}
	for _, key := range keys {
		c.sealers = append(c.sealers, newSealer(key))
	}
	if in != nil {
		in.Sealers, in.Find = c.sealers, c.findTenants
	}
}

// tenant returns what the login cookies of c say.
func (c *Client) tenant() realm.Login {
	if c.cfg.Realm == nil {
		return realm.Login{}
	}
	return c.cfg.Realm.Login
}

// opensAll reports whether c is the first Client of a Realm, which nobody signs
// in with. It opens the cookies of all tenants.
func (c *Client) opensAll() bool { return c.cfg.Realm != nil && c.cfg.Realm.Tenant == "" }

// checkTenant refuses a login that began with another tenant. The digest alone
// would let a login end with a tenant that has the same provider and client ID.
func (c *Client) checkTenant(a *attempt) error {
	own, began := c.tenant().Tenant, a.tenant.Tenant
	if c.opensAll() || subtle.ConstantTimeCompare([]byte(own), []byte(began)) == 1 {
		return nil
	}
	return errorf(Forged, "cookie.tenant", "the login began with another tenant: start again")
}

// foundLogin is what findTenants has made of a request. To do it again would be a
// large part of what a callback costs.
type foundLogin struct {
	realm    *realm.Realm // that opened it
	login    *attempt     // nil if it was found without its state
	query    url.Values   // of a GET
	rawQuery string       // which query was parsed from
	deadline time.Time    // of the callback, counted from its arrival
}

// openedKey is the context key of an *foundLogin.
type openedKey struct{}

// openedFor returns what findTenants has made of r, or nothing.
func (c *Client) openedFor(r *http.Request) foundLogin {
	found, ok := r.Context().Value(openedKey{}).(*foundLogin)
	// The app may pass r on to another registry, which has other keys.
	if !ok || c.cfg.Realm == nil || c.cfg.Realm.Realm != found.realm {
		return foundLogin{}
	}
	return *found
}

// callbackQuery parses the query of r.
func (c *Client) callbackQuery(r *http.Request) (url.Values, error) {
	// The app may use the context of r for another request.
	if found := c.openedFor(r); found.query != nil && found.rawQuery == r.URL.RawQuery {
		return found.query, nil
	}
	return form.Parse(r.URL.RawQuery, maxCallback)
}

// alreadyOpened returns the login with this state if findTenants has opened it.
func (c *Client) alreadyOpened(r *http.Request, s *state) *attempt {
	found := c.openedFor(r).login
	if found == nil || subtle.ConstantTimeCompare(found.state[:], s[:]) != 1 {
		return nil
	}
	own := *found
	if !own.scoped {
		own.scopes = c.scopes
	}
	return &own
}

// findTenants is [realm.Realm.Find].
func (c *Client) findTenants(
	w http.ResponseWriter, r *http.Request,
) (*http.Request, []realm.Login, error) {
	setHeaders(w)
	deadline := time.Now().Add(c.cfg.Clock.Budget(requestTimeout))
	params, err := findParams(w, r)
	if err != nil {
		return r, nil, c.loginError(err, "")
	}
	login, list, err := c.loginsOf(w, r, params)
	if err != nil {
		return r, nil, c.loginError(err, "")
	}
	o := &foundLogin{realm: c.cfg.Realm.Realm, login: login, deadline: deadline}
	if r.Method == http.MethodGet {
		o.query, o.rawQuery = params, r.URL.RawQuery
	}
	return r.WithContext(context.WithValue(r.Context(), openedKey{}, o)), list, nil
}

// findParams reads the parameters of the callback r.
func findParams(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if err := checkCallbackNavigation(w, r); err != nil {
		return nil, err
	}
	params, err := readAnyCallback(w, r)
	if err != nil {
		return nil, err
	}
	// Before any of them decides anything, as in callbackParams.
	return params, checkRepeats(params)
}

// loginsOf returns the logins that the callback r may belong to. There are several
// only for a signed response. If the state of params has found one, it is byState.
func (c *Client) loginsOf(
	w http.ResponseWriter, r *http.Request, params url.Values,
) (byState *attempt, list []realm.Login, err error) {
	var a *attempt
	switch {
	// The state is inside the JWT, which only the tenant's keys can verify. What
	// stands beside it, nobody has signed.
	case params.Has("response"):
		list, err = c.pendingLogins(r)
		return nil, list, err
	case params.Has("state"):
		if r.Method == http.MethodPost {
			if name, ok := c.isAnswered(r, params.Get("state")); ok {
				return nil, nil, c.toAnswer(w, name)
			}
		}
		a, err = c.pendingLogin(r, params.Get("state"))
		byState = a
	case r.Method == http.MethodGet && params.Has(answerParam):
		a, _, err = c.openAnswer(r, params)
	case c.isEmptyCallback(params):
		return nil, nil, emptyCallbackError()
	default:
		return nil, nil, errorf(Malformed, "callback.state",
			"the callback has no state, so it is forged or incomplete: ignore it, unless every login fails")
	}
	if a == nil {
		return nil, nil, err
	}
	// A login that has expired is the tenant's to refuse, which knows where to
	// start again.
	return byState, []realm.Login{a.tenant}, nil
}

// readAnyCallback reads the parameters of a callback whose method nobody knows
// yet.
func readAnyCallback(w http.ResponseWriter, r *http.Request) (params url.Values, err error) {
	switch r.Method {
	case http.MethodGet:
		params, err = form.Parse(r.URL.RawQuery, maxCallback)
	case http.MethodPost:
		params, err = form.Read(w, r, maxCallback, requestTimeout)
		r.PostForm = params // the body can be read only once
	default:
		w.Header().Set("Allow", "GET, POST")
		return nil, errorf(WrongMethod, "callback.method", "the callback must be a GET or a POST request")
	}
	if err != nil {
		return nil, formError(err)
	}
	return params, nil
}

// pendingLogins returns where the pending logins of r began, the newest first.
func (c *Client) pendingLogins(r *http.Request) (list []realm.Login, err error) {
	pending := c.pendingCookies(r, c.cfg.Clock.Now())
	// Somebody may have planted many, and each is looked for in all of them.
	for _, p := range pending[:min(len(pending), maxClears)] {
		value, count := headers.Cookie(r, p.name)
		if count != 1 || !c.isOwn(p.name) {
			continue
		}
		if a := c.openAny(p.name, value); a != nil {
			list = append(list, a.tenant)
		}
	}
	if len(list) == 0 {
		return nil, errorf(NoLogin, "cookie.missing", "this browser has no such login, as it has ended, "+
			"cookies are blocked or the link came from another browser: start again, with cookies")
	}
	return list, nil
}

// openAny opens a login cookie, with or without an answer. It returns nil if no
// key opens it.
func (c *Client) openAny(name, value string) (a *attempt) {
	value, isAnswer := strings.CutPrefix(value, answerMark)
	for _, k := range c.sealers {
		if isAnswer {
			if plain, err := k.open(name+answerMark, value); err == nil {
				a, _, _, _ = c.unmarshalAnswer(plain)
			}
		} else if plain, err := k.open(name, value); err == nil {
			a, _ = unmarshalAttempt(plain, nil)
		}
		if a != nil {
			return a
		}
	}
	return nil
}
