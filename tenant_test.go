package authcode

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"testing"
	"time"

	"example.com/authcode/internal/realm"
)

// tenantCookie is the cookie of a login that began some seconds ago, with or
// without an answer.
func tenantCookie(t *testing.T, c *Client, tenant string, age int, isAnswer bool) *http.Cookie {
	t.Helper()
	a := stateAttempt(c, time.Now().Add(-time.Duration(age)*time.Second))
	a.tenant = realm.Login{Tenant: tenant}
	name, mark, plain := c.cookieName(a.started, a.id), "", a.marshal(nil)
	if isAnswer {
		mark, plain = answerMark, c.marshalAnswer(a, url.Values{"code": {"x"}})
	}
	value, err := c.sealers[0].seal(name+mark, plain)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Cookie{Name: name, Value: mark + value}
}

// TestPendingLogins: a signed response may belong to any login of this registry,
// also to one with an answer, and not to one of another registry with its keys.
func TestPendingLogins(t *testing.T) {
	c := stateClient(t, nil)
	other := stateClient(t, func(cfg *Config) { cfg.Provider.Name = "other" })
	r := httptest.NewRequest("POST", "/callback", nil)
	r.AddCookie(tenantCookie(t, c, "older", 2, false))
	r.AddCookie(tenantCookie(t, c, "answered", 1, true))
	r.AddCookie(tenantCookie(t, other, "other", 0, false))
	planted := tenantCookie(t, c, "planted", 0, false)
	r.AddCookie(planted)
	r.AddCookie(planted)
	list, err := c.pendingLogins(r)
	want := []realm.Login{{Tenant: "answered"}, {Tenant: "older"}}
	if err != nil || !slices.Equal(list, want) {
		t.Errorf("got %v, %v", list, err)
	}
}

// TestManyPendingLogins: of many cookies that open, only the newest are looked
// at. Each is looked for in all of them.
func TestManyPendingLogins(t *testing.T) {
	c := stateClient(t, nil)
	r := httptest.NewRequest("POST", "/callback", nil)
	for n := range maxClears + 9 {
		r.AddCookie(tenantCookie(t, c, fmt.Sprint(n), n, false))
	}
	list, err := c.pendingLogins(r)
	if err != nil || len(list) != maxClears || list[0].Tenant != "0" {
		t.Errorf("got %v, %v", list, err)
	}
}

// TestAlreadyOpened: a login that was found for a tenant keeps its own scopes, or
// gets the tenant's. Another state or registry does not get it.
func TestAlreadyOpened(t *testing.T) {
	in := new(realm.Realm)
	c := stateClient(t, func(cfg *Config) { cfg.Scopes = []string{"tenant"} })
	c.cfg.Realm = &realm.Member{Realm: in}
	_, s := statedAttempt(c, time.Now())
	for claim, row := range map[string]struct {
		realm  *realm.Realm
		state  state
		scoped bool
		want   []string // nil: there is none
	}{
		"its own scopes":   {in, s, true, []string{"own"}},
		"the tenant's":     {in, s, false, []string{"tenant"}},
		"another state":    {in, state{1}, true, nil},
		"another registry": {new(realm.Realm), s, true, nil},
	} {
		found := &foundLogin{realm: row.realm, login: &attempt{state: row.state,
			choices: choices{scoped: row.scoped, scopes: []string{"own"}}}}
		r := httptest.NewRequest("GET", "/callback", nil)
		r = r.WithContext(context.WithValue(t.Context(), openedKey{}, found))
		got := c.alreadyOpened(r, &s)
		if (got == nil) != (row.want == nil) || got != nil && !slices.Equal(got.scopes, row.want) {
			t.Errorf("%s: got %+v", claim, got)
		}
	}
}

// TestFindTenantsRefuses: an app that answers by itself gets the headers, too.
func TestFindTenantsRefuses(t *testing.T) {
	w := httptest.NewRecorder()
	_, _, err := stateClient(t, nil).findTenants(w, httptest.NewRequest("PUT", "/callback", nil))
	h := w.Header()
	if asError(err).Check != "callback.method" || h.Get("Allow") != "GET, POST" ||
		h.Get("Referrer-Policy") != "no-referrer" || h.Get("Cache-Control") == "" {
		t.Errorf("got %v with %v", err, h)
	}
}
