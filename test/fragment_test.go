package test

import (
	"net/http"
	"net/url"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// fragments are return paths, and the Location that a login with a provider
// like Facebook ends with. A browser adds "#_=_" to one without a fragment.
var fragments = []struct{ claim, path, want string }{
	{"a path gets an empty fragment", "/orders", "/orders#"},
	{"the root gets an empty fragment", "/", "/#"},
	{"a query gets an empty fragment", "/orders?page=2&q=%23", "/orders?page=2&q=%23#"},
	{"a fragment stays as it is", "/orders#open", "/orders#open"},
	{"an empty fragment stays as it is", "/orders#", "/orders#"},
	{"a hash route stays as it is", "/#/orders?a#b", "/#/orders?a#b"},
	{"another origin becomes the root", "https://evil.example/", "/#"},
}

func TestAddedFragmentEnds(t *testing.T) {
	plain := world.New(t)
	adding := world.New(t, func(c *config) { c.Provider.AddsFragment = true })
	for _, row := range fragments {
		t.Run(row.claim, func(t *testing.T) {
			for _, w := range []*world.World{plain, adding} {
				w.In(t)
				resp := w.Browser().SignIn("?next=" + url.QueryEscape(row.path))
				w.WantStatus(resp, http.StatusSeeOther)
				want := row.want
				if w == plain {
					want = w.LastLogin().ReturnTo // byte for byte
				}
				if got := resp.Header["Location"]; len(got) != 1 || got[0] != want {
					t.Errorf("went to %q, want %q", got, want)
				}
			}
			if got := adding.LastLogin().ReturnTo; got+"#" != row.want && got != row.want {
				t.Errorf("ReturnTo became %q", got)
			}
		})
	}
}

// TestAddedFragmentEndsInTheAppsCopy: an app may copy the login and choose
// another path.
func TestAddedFragmentEndsInTheAppsCopy(t *testing.T) {
	w := world.New(t, func(c *config) { c.Provider.AddsFragment = true })
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != "/callback" {
			next.ServeHTTP(rw, r)
			return
		}
		w.Client.CallbackHandler(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			login, _ := authcode.FromContext(r.Context())
			own := *login
			own.ReturnTo = "/welcome"
			own.Redirect(rw, r)
		})).ServeHTTP(rw, r)
	})
	if got := w.Browser().SignIn("").Header.Get("Location"); got != "/welcome#" {
		t.Errorf("went to %q", got)
	}
}
