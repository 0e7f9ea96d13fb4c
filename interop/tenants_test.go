package interop

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The customers' providers: three realms of one Keycloak, two oidc-providers, and
// all of them in one registry. There is one redirect URL for all.
func TestTenants(t *testing.T) {
	k := theKeycloak(t)
	realms, nodes := realms(t, k, "north", "south", "east"), nodes(t)
	for name, customers := range map[string][]customer{
		"three realms of Keycloak": realms,
		"two oidc-providers":       nodes,
	} {
		t.Run(name, func(t *testing.T) { keptApart(t, newTenantsApp(t, customers), customers) })
	}
	t.Run("all five", func(t *testing.T) {
		all := append(realms, nodes...)
		a := newTenantsApp(t, all)
		people := keptApart(t, a, all)
		t.Run("a realm is removed", func(t *testing.T) { aRealmIsRemoved(t, k, a, people) })
	})
}

// visitorOf is somebody who signs in with one customer's provider.
type visitorOf struct {
	*person
	customer
	callback *url.URL // of a login that is under way
	account  string   // what the account page says
}

// keptApart begins a login of each customer, tries each one's callback, cookies and
// sessions at each other customer, and then ends the logins. It returns the people
// who have signed in.
func keptApart(t *testing.T, a *tenantsApp, customers []customer) (people []*visitorOf) {
	t.Helper()
	for _, c := range customers {
		v := &visitorOf{person: newPerson(t), customer: c}
		v.begin(a)
		people = append(people, v)
	}
	eachPair(people, func(of, at *visitorOf) {
		of.isNoLoginOf(a, at)
		of.isMixedUpWith(a, at)
		of.lendsItsCookieTo(a, at)
	})
	seen := make(map[string]string)
	for _, v := range people {
		v.finish(a)
		if other, ok := seen[v.account]; ok {
			t.Errorf("%s and %s are the same person", other, v.key)
		}
		seen[v.account] = v.key
	}
	eachPair(people, func(of, at *visitorOf) {
		if status, text := a.get(of.person, "/t/"+at.key+"/account"); status < 300 {
			t.Errorf("the session of %s at %s: %d %s", of.key, at.key, status, text)
		}
	})
	// Nobody was signed out by that, and each grant is one of its own.
	for _, v := range people {
		v.wantIn(a)
	}
	return people
}

func eachPair(people []*visitorOf, do func(of, at *visitorOf)) {
	for _, of := range people {
		for _, at := range people {
			if of != at {
				do(of, at)
			}
		}
	}
}

// begin goes up to the callback, which it does not deliver.
func (v *visitorOf) begin(a *tenantsApp) {
	v.t.Helper()
	v.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), a.url+"/callback?") {
			v.callback = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}
	v.authenticate(v.person, v.visit(a.url+"/t/"+v.key+"/login?next=/t/"+v.key+"/account"))
	if v.callback == nil {
		v.t.Fatalf("the provider of %s did not answer", v.key)
	}
	v.client.CheckRedirect = nil
}

// finish delivers the callback.
func (v *visitorOf) finish(a *tenantsApp) {
	v.t.Helper()
	end := v.visit(v.callback.String())
	v.account = end.body
	if !strings.HasPrefix(v.account, v.key+" "+v.config.Provider.Issuer+" ") {
		v.t.Fatalf("the login of %s ends at %s with %d, %s", v.key, end.url, end.status, a.lastCheck())
	}
}

// wantIn checks that a visitor is signed in and has a grant that can be renewed.
func (v *visitorOf) wantIn(a *tenantsApp) {
	v.t.Helper()
	v.wantRenewal(a, "<nil>")
	if status, text := a.get(v.person, "/t/"+v.key+"/account"); text != v.account {
		v.t.Errorf("%s afterwards: %d %s", v.key, status, text)
	}
}

// isNoLoginOf delivers the callback in the browser of another customer's visitor.
func (v *visitorOf) isNoLoginOf(a *tenantsApp, at *visitorOf) {
	v.t.Helper()
	v.wantRefusal(a, at, "the callback", at.visit(v.callback.String()), "cookie.missing")
}

// isMixedUpWith delivers the answer of one customer's provider in a login of
// another's, as if a hostile provider had sent the browser on (RFC 9700 section
// 4.4).
func (v *visitorOf) isMixedUpWith(a *tenantsApp, at *visitorOf) {
	v.t.Helper()
	query := v.callback.Query()
	query.Set("state", at.callback.Query().Get("state"))
	got := at.visit(a.url + "/callback?" + query.Encode())
	v.wantRefusal(a, at, "the answer", got, "iss")
}

// lendsItsCookieTo delivers another customer's callback with this one's login
// cookie.
func (v *visitorOf) lendsItsCookieTo(a *tenantsApp, at *visitorOf) {
	v.t.Helper()
	own, others := v.loginCookie(), at.loginCookie()
	req, err := http.NewRequest(http.MethodGet, at.callback.String(), nil)
	if err != nil {
		v.t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: others.Name, Value: own.Value})
	v.wantRefusal(a, at, "the cookie", newPerson(v.t).do(req), "cookie.seal")
}

// loginCookie is the only cookie that the app has set so far.
func (v *visitorOf) loginCookie() *http.Cookie {
	v.t.Helper()
	for _, c := range v.client.Jar.Cookies(v.callback) {
		if strings.HasPrefix(c.Name, "__Host-login-tenants-") {
			return c
		}
	}
	v.t.Fatalf("%s has no login cookie", v.key)
	return nil
}

func (v *visitorOf) wantRefusal(a *tenantsApp, at *visitorOf, what string, got *page, check string) {
	v.t.Helper()
	if by := a.lastCheck(); got.status < 400 || by != check {
		v.t.Errorf("%s of %s at %s: %d, %q, want %q", what, v.key, at.key, got.status, by, check)
	}
}
