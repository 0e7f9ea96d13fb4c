package tenants

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/form"
	"example.com/authcode/internal/headers"
	"example.com/authcode/oidc"
)

// LoginHandler starts a login with the tenant that key returns, as
// [authcode.Client.LoginHandler] does with opts. The key often comes from the
// path, the host or a form: people may choose their tenant. An error of key that
// is [ErrNotFound] or an [*authcode.Error] explains itself, any other becomes
// Configuration. It panics if key is nil.
func (g *Registry) LoginHandler(
	key func(*http.Request) (string, error), opts ...authcode.AuthOption,
) http.Handler {
	if key == nil {
		panic("tenants: LoginHandler needs a function that returns the key of a tenant")
	}
	opts = slices.Clone(opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, err := key(r)
		if err != nil {
			g.Refuse(w, r, keyError(r, err))
			return
		}
		client, err := g.Client(r, name)
		if err != nil {
			g.Refuse(w, r, err)
			return
		}
		client.LoginHandler(opts...).ServeHTTP(w, r)
	})
}

// CallbackHandler finishes the logins of all tenants, at RedirectURL and at each
// path of OwnRedirectURL. It does what [authcode.Client.CallbackHandler] of the
// tenant does; [authcode.Login.Client] says which one it was. It needs GET, and
// POST if a tenant has Provider.FormPost. It panics if next is nil.
func (g *Registry) CallbackHandler(next http.Handler) http.Handler {
	g.front.CallbackHandler(next) // panics now, and not at the first login
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		client, r, err := g.finisher(w, r)
		if err != nil {
			g.Refuse(w, r, err)
			return
		}
		client.CallbackHandler(next).ServeHTTP(w, r)
	})
}

// Exchange is [authcode.Client.Exchange] for all tenants, for frameworks with
// other handlers.
func (g *Registry) Exchange(w http.ResponseWriter, r *http.Request) (*authcode.Login, error) {
	client, r, err := g.finisher(w, r)
	if err != nil {
		return nil, err
	}
	return client.Exchange(w, r)
}

// finisher returns the Client of the tenant that the callback r belongs to. It
// may replace r.
func (g *Registry) finisher(
	w http.ResponseWriter, r *http.Request,
) (*authcode.Client, *http.Request, error) {
	deadline := time.Now().Add(loadTime) // of all steps here
	// Anybody can write anything into a callback. Only the sealed cookie says
	// where this browser has begun a login.
	r, logins, err := g.realm.Find(w, r)
	if err != nil {
		return nil, r, err
	}
	for _, login := range logins {
		s, err := g.slotFor(r, login.Tenant)
		if err != nil {
			return nil, r, err
		}
		t, err := g.begun(r.Context(), deadline, s, login.Version)
		switch {
		case err != nil && len(logins) > 1:
			continue // the answer may be another tenant's
		case err != nil:
			return nil, r, err
		case len(logins) == 1 && t.tail == "",
			t.tail != "" && strings.HasSuffix(r.URL.EscapedPath(), t.tail):
			return t.client, r, nil
		}
	}
	// RFC 9700 section 4.4.2: a login ends where it was told to end, or another
	// provider has answered.
	err = authcode.NewError(authcode.Forged, "tenants.path",
		"the answer arrived at another redirect URL than that of the tenant with which the login "+
			"began, so another provider has answered: start again", nil)
	if len(logins) == 1 {
		err = errorOf(logins[0].Tenant, err)
	}
	return nil, r, err
}

// InitiateLoginHandler is the initiate_login_uri of all tenants: see
// [oidc.InitiateLoginHandler]. The request's iss says which one, by
// Config.ByIssuer. If that returns several keys or none, the request is refused.
func (g *Registry) InitiateLoginHandler(opts ...authcode.AuthOption) http.Handler {
	opts = slices.Clone(opts)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			toGet(g, w, r)
			return
		}
		client, err := g.initiated(r)
		if err != nil {
			g.Refuse(w, r, err)
			return
		}
		oidc.InitiateLoginHandler(client, opts...).ServeHTTP(w, r)
	})
}

// maxInitiation bounds the form of a portal, in bytes.
const maxInitiation = 8 << 10

// toGet answers the form of a portal with a redirect to the same address.
// Another site's POST brings none of the cookies that the login needs.
func toGet(g *Registry, w http.ResponseWriter, r *http.Request) {
	params, err := form.Read(w, r, maxInitiation, loadTime)
	if err != nil {
		g.Refuse(w, r, authcode.NewError(authcode.Malformed, "tenants.initiate",
			"the portal's form cannot be read: report it to the portal", nil))
		return
	}
	kept := url.Values{}
	for _, name := range []string{"iss", "login_hint", "target_link_uri"} {
		if values := params[name]; len(values) > 0 {
			kept[name] = values
		}
	}
	headers.SetRedirect(w.Header())
	// A relative URL: a proxy may have changed host and path.
	w.Header().Set("Location", "?"+kept.Encode())
	w.WriteHeader(http.StatusSeeOther)
}

// initiated returns the Client of the tenant with the issuer that r names.
func (g *Registry) initiated(r *http.Request) (*authcode.Client, error) {
	issuers := r.URL.Query()["iss"]
	if len(issuers) != 1 || issuers[0] == "" || g.cfg.ByIssuer == nil {
		return nil, authcode.NewError(authcode.Malformed, "tenants.initiate",
			"the request names no issuer, or Config.ByIssuer is nil: report it to the portal", nil)
	}
	keys, err := g.cfg.ByIssuer(r.Context(), issuers[0])
	switch {
	case err != nil:
		return nil, asError(err, "tenants.by_issuer", "Config.ByIssuer failed: check why")
	// To guess would send people of one tenant to sign in at another.
	case len(keys) != 1:
		return nil, authcode.NewError(authcode.NotAdmitted, "tenants.ambiguous", "no tenant has the "+
			"issuer of the request, or several have: give each tenant an address of its own", nil)
	}
	return g.Client(r, keys[0])
}

func keyError(r *http.Request, err error) error {
	if errors.Is(err, ErrNotFound) {
		return loadError(r.Context(), err)
	}
	return asError(err, "tenants.key", "the function of LoginHandler failed: check why")
}

// asError returns an error of the app's function as one of this module.
func asError(err error, check, detail string) error {
	if own := (*authcode.Error)(nil); errors.As(err, &own) && own != nil {
		return own
	}
	if errors.Is(err, context.Canceled) {
		return authcode.NewError(authcode.Canceled, check, detail, err)
	}
	return authcode.NewError(authcode.Configuration, check,
		detail+"; to explain it, return an authcode.NewError", err)
}
