package tenants_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// usedIDs is UsedStates that keeps the ids.
type usedIDs []string

func (u *usedIDs) Use(_ context.Context, id string, _ time.Time) (bool, error) {
	*u = append(*u, id)
	return true, nil
}

func signedResponses(cfg *authcode.Config) { cfg.MessageSigning.SignedResponses = true }

// endings are the ways by which a tenant's login ends, and what a reload of its
// last request is told. The state of a signed response is inside a JWT, which
// nobody can verify before the tenant is known.
var endings = map[string]struct {
	posts, signed bool
	reason        authcode.Reason
	reload        string
}{
	"by GET":           {false, false, authcode.AlreadyUsed, "state.used"},
	"by POST":          {true, false, authcode.AlreadyUsed, "state.used"},
	"by a signed GET":  {false, true, authcode.NoLogin, "cookie.missing"},
	"by a signed POST": {true, true, authcode.AlreadyUsed, "state.used"},
}

// tenantAt is a tenant whose logins end in one of these ways.
func (a *app) tenantAt(key, ending string) *authserver.Server {
	srv, e := a.provider(), endings[ending]
	changes := []func(*authcode.Config){a.ownPath}
	if e.posts {
		changes = append(changes, formPost)
	}
	if e.signed {
		changes = append(changes, signedResponses)
	}
	a.tenant(key, srv, changes...)
	return srv
}

// idAt is the id of the login whose answer r brings.
func (b *browser) idAt(r *http.Request) string {
	name := b.Jar.Cookies(r.URL)[0].Name
	return name[len(name)-26:]
}

// TestIDsOfTenants: a tenant's login has one id, that of its cookie's name,
// whichever key an instance has first. By it a reload is told what became of it.
func TestIDsOfTenants(t *testing.T) {
	for ending, want := range endings {
		t.Run(ending, func(t *testing.T) {
			used, keys := new(usedIDs), [][]byte{world.Key('t'), world.Key('n')}
			a := newApp(t, 2, func(cfg *tenants.Config) {
				cfg.UsedStates, cfg.CookieKeys = used, slices.Clone(keys)
				slices.Reverse(keys) // for the next instance
			})
			srv, b := a.tenantAt("one", ending), a.browser()
			r := b.callback("one", srv)
			id := b.idAt(r)
			a.at.Store(1)
			if status, text := b.deliver(srv, r); status != http.StatusOK {
				t.Fatal(status, text, a.lastError())
			}
			if !slices.Equal(*used, usedIDs{id}) {
				t.Errorf("the used states have %q, want %s", *used, id)
			}
			again := r.URL.String()
			if want.posts {
				again = a.URL + r.URL.Path + "?login=" + id
			}
			for i := range a.instances {
				a.at.Store(int32(i))
				status, _ := b.get(again)
				a.wantRefusal(status, want.reason, want.reload)
			}
		})
	}
}

// TestLoginsOfALongerName: a registry finishes no login of another one whose name
// begins with its own, although they have keys and tenants in common.
func TestLoginsOfALongerName(t *testing.T) {
	for ending, e := range endings {
		t.Run(ending, func(t *testing.T) {
			a := newApp(t, 1, func(cfg *tenants.Config) { cfg.Name = "tenants-2" })
			srv := a.tenantAt("one", ending)
			other := newApp(t, 1, func(cfg *tenants.Config) {
				cfg.Load, cfg.Transport = a.load, a.transport
				cfg.RedirectURL, cfg.OwnRedirectURL = a.URL+"/callback", a.URL+"/callback/{tenant}"
			})
			b := a.browser()
			r := b.callback("one", srv)
			if e.posts {
				resp, err := srv.Visit(b.Client, r)
				if err != nil {
					t.Fatal(err)
				}
				resp.Body.Close()
				r = httptest.NewRequest(http.MethodGet, r.URL.String()+"?login="+b.idAt(r), nil)
			}
			for _, c := range b.Jar.Cookies(r.URL) {
				r.AddCookie(c)
			}
			_, err := other.instances[0].Exchange(httptest.NewRecorder(), r)
			world.WantError(t, err, authcode.NoLogin, "cookie.missing")
			wantNothingSent(t, srv)
		})
	}
}

// TestLoginOfAClient: a Client may have the name and the key of a registry. Its
// login is not one of a tenant.
func TestLoginOfAClient(t *testing.T) {
	for ending, e := range endings {
		t.Run(ending, func(t *testing.T) {
			a := newApp(t, 1)
			p := world.Answering(200, world.TokenJSON)
			c := world.Client(t, p, func(cfg *authcode.Config) {
				cfg.Provider.Name, cfg.CookieKeys = "tenants", [][]byte{world.Key('t')}
				cfg.Provider.FormPost, cfg.RedirectURL = e.posts, a.URL+"/callback"
			})
			l := world.Begin(t, c, nil)
			r := l.Callback()
			if e.signed {
				r = l.Callback("response", world.JWT("{}", "{}"))
			}
			_, err := a.instances[0].Exchange(httptest.NewRecorder(), r)
			world.WantError(t, err, authcode.NotFound, "tenants.unknown")
			p.WantRequests(t, 0)
		})
	}
}
