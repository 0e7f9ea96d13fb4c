package tenants_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
)

// refusals are callbacks that a registry refuses before it knows a tenant.
var refusals = map[string]struct {
	change func(*http.Request)
	reason authcode.Reason
	check  string
}{
	"a prefetch": {
		func(r *http.Request) { r.Header.Set("Sec-Purpose", "prefetch") },
		authcode.Prefetch, "callback.prefetch",
	},
	"an empty one": {
		func(r *http.Request) { r.URL.RawQuery = "" }, authcode.Malformed, "callback.empty",
	},
	"one without a state": {
		func(r *http.Request) { r.URL.RawQuery = "code=c" }, authcode.Malformed, "callback.state",
	},
	"one with a parameter that is not encoded": {
		func(r *http.Request) { r.URL.RawQuery += "&a=%zz" }, authcode.Malformed, "callback.encoding",
	},
	"a HEAD": {
		func(r *http.Request) { r.Method = http.MethodHead }, authcode.WrongMethod, "callback.method",
	},
}

// TestRefusedBeforeLoad: what is no callback of a login makes nobody load a tenant.
func TestRefusedBeforeLoad(t *testing.T) {
	for claim, test := range refusals {
		t.Run(claim, func(t *testing.T) {
			a := newApp(t, 1)
			srv := a.provider()
			a.tenant("one", srv)
			b := a.browser()
			r := b.callback("one", srv)
			for _, c := range b.Jar.Cookies(r.URL) {
				r.AddCookie(c)
			}
			a.forget("one")
			before := a.loaded("one")
			test.change(r)
			_, err := a.instances[0].Exchange(httptest.NewRecorder(), r)
			world.WantError(t, err, test.reason, test.check)
			if n := a.loaded("one") - before; n != 0 {
				t.Errorf("it loaded the tenant %d times", n)
			}
			wantNothingSent(t, srv)
		})
	}
}

// TestAnswerByGET: a provider that was told to post its answer has not sent a
// GET.
func TestAnswerByGET(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	a.tenant("posts", srv, formPost)
	b := a.browser()
	r := b.posted("posts", srv)
	status, _ := b.get(a.URL + "/callback?" + r.PostForm.Encode())
	a.wantRefusal(status, authcode.WrongMethod, "callback.method")
	cookieless := a.browser()
	status, _ = cookieless.get(a.URL + "/callback?" + r.PostForm.Encode())
	a.wantRefusal(status, authcode.NoLogin, "cookie.missing")
	wantNothingSent(t, srv)
}

// TestHostInAnotherSpelling: the redirect URL has the host as the app wrote it,
// whatever the browser made of it.
func TestHostInAnotherSpelling(t *testing.T) {
	a, _ := newShops(t, func(cfg *tenants.Config) { cfg.Hosts = []string{"shop.example"} })
	for _, host := range []string{"shop.example", "SHOP.example", "\u017fhop.example"} {
		r := httptest.NewRequest(http.MethodGet, "https://shop.example/login", strings.NewReader(""))
		r.Host = host
		client, err := a.instances[0].Client(r, "k")
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		if got := client.RedirectURL(); got != "https://shop.example/callback" {
			t.Errorf("%s: %s", host, got)
		}
	}
}

// TestTheAddressOfNoTenant: a person who comes there reads what to do, and no key
// is repeated, at a login and at the answer for a tenant that was removed meanwhile.
func TestTheAddressOfNoTenant(t *testing.T) {
	a := newApp(t, 1, func(cfg *tenants.Config) { cfg.OnError, cfg.HomeURL = nil, "/home" })
	srv := a.provider()
	a.tenant("gone", srv)
	b := a.browser()
	answer := b.callback("gone", srv)
	a.remove("gone")
	ended, page := b.deliver(srv, answer)
	typed, mistyped := b.get(a.loginURL("acme-corp"))
	if ended != http.StatusNotFound || typed != http.StatusNotFound || page != mistyped {
		t.Errorf("got %d %s\nand %d %s", ended, page, typed, mistyped)
	}
	for text, want := range map[string]bool{
		"There is no sign-in at this address": true, "ask the person who gave you": true, `href="/home"`: true,
		"acme-corp": false, "Start again": false,
	} {
		if strings.Contains(mistyped, text) != want {
			t.Errorf("%q in the page: %t, want %t\n%s", text, !want, want, mistyped)
		}
	}
	wantNothingSent(t, srv)
}
