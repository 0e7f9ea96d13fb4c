package test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/test/world"
)

const (
	hostCookie  = "__Host-login-authtest-"
	plainCookie = "login-authtest-"
	secureLax   = "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax"
	secureNone  = "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=None"
	plainLax    = "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"
)

// loginCookies are the names and attributes of the login cookie, by redirect
// URL.
var loginCookies = []struct {
	name, redirect, prefix, attributes string
	formPost                           bool
}{
	{"https", "https://app.example/cb", hostCookie, secureLax, false},
	{"https on loopback", "https://127.0.0.1:1/cb", hostCookie, secureLax, false},
	{"form_post", "https://app.example/cb", hostCookie, secureNone, true},
	{"http on localhost", "http://localhost:1/cb", plainCookie, plainLax, false},
	{"http on a name below localhost", "http://app.localhost/cb", plainCookie, plainLax, false},
	{"http on 127.0.0.0/8", "http://127.9.9.9/cb", plainCookie, plainLax, false},
	{"http on ::1", "http://[::1]:1/cb", plainCookie, plainLax, false},
}

func attackD06(t *testing.T) {
	srv := authserver.NewTLSServer()
	defer srv.Close()
	for _, c := range loginCookies {
		t.Run(c.name, func(t *testing.T) {
			cfg := srv.Config(c.redirect)
			cfg.Provider.FormPost = c.formPost
			client, err := authcode.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			rec := httptest.NewRecorder()
			if _, err := client.AuthCodeURL(rec, world.Get(c.redirect),
				authcode.ReturnTo("/"+strings.Repeat("p", 39))); err != nil {
				t.Fatal(err)
			}
			header := rec.Header()["Set-Cookie"]
			if len(header) != 1 || !strings.HasPrefix(header[0], c.prefix) {
				t.Fatalf("Set-Cookie: %q, want %s…%s", header, c.prefix, c.attributes)
			}
			if _, attributes, _ := strings.Cut(header[0], ";"); ";"+attributes != c.attributes {
				t.Errorf("attributes %q, want %q", attributes, c.attributes)
			}
			if len(header[0]) > 420 {
				t.Errorf("Set-Cookie has %d bytes, want 420 or fewer", len(header[0]))
			}
		})
	}
}

func attackD09(t *testing.T) {
	w := world.New(t)
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		b := w.Browser()
		tabs := []string{b.Callback("?next=/a"), b.Callback("?next=/b")}
		for _, i := range order {
			resp := b.Get(tabs[i])
			w.WantStatus(resp, http.StatusSeeOther)
			if got, want := resp.Header.Get("Location"), []string{"/a", "/b"}[i]; got != want {
				t.Errorf("tab %d went to %q, want %q", i, got, want)
			}
		}
	}
	b := w.Browser()
	for i := range 8 {
		b.Start(fmt.Sprintf("?next=/%d%s", i, strings.Repeat("x", i*60)))
		size := 0
		for _, c := range b.LoginCookies() {
			size += len(c.Name) + len(c.Value) + len("=; ")
		}
		if n := len(b.LoginCookies()); n > 5 || size > 2500 {
			t.Errorf("%d logins pending in %d bytes, want at most 5 in 2500", n, size)
		}
	}
	b = w.Browser()
	var tabs []string
	for range 8 {
		tabs = append(tabs, b.Callback(""))
	}
	for i, tab := range tabs {
		if i < 3 {
			w.WantFailure(b.Get(tab), authcode.NoLogin, "cookie.missing")
		} else {
			w.WantStatus(b.Get(tab), http.StatusSeeOther)
		}
	}
}

// strangers are Clients that the login of another one is of no use to.
var strangers = map[string]struct {
	change func(*config)
	reason authcode.Reason
	check  string
}{
	"another provider's name": {func(c *config) { c.Provider.Name = "other" },
		authcode.NoLogin, "cookie.missing"},
	"another issuer": {func(c *config) { c.Provider.Issuer = "https://other.example" },
		authcode.Forged, "cookie.client"},
	"another client": {func(c *config) { c.ClientID = "other" },
		authcode.Forged, "cookie.client"},
	"another redirect URI": {func(c *config) { c.RedirectURL += "2" },
		authcode.Forged, "cookie.client"},
	"another token endpoint": {func(c *config) { c.Provider.TokenURL += "2" },
		authcode.Forged, "cookie.client"},
	"another key": {func(c *config) { c.CookieKeys = [][]byte{world.Key('z')} },
		authcode.Forged, "state.tag"},
}

func attackD11(t *testing.T) {
	w := world.New(t)
	first := w.Browser()
	callback := first.Callback("")
	own := first.LoginCookies()[0]
	for _, value := range changedValues(w, own.Value) {
		b := w.Browser()
		b.SetCookie(own.Name, value)
		w.WantFailure(b.Get(callback), authcode.Forged, "cookie.seal")
		w.WantTokenRequests(0)
	}
	t.Run("two cookies of the name", func(t *testing.T) {
		w.In(t)
		twice := own.Name + "=" + own.Value + "; " + own.Name + "=" + own.Value
		w.WantFailure(w.Browser().Get(callback, "Cookie", twice),
			authcode.Malformed, "cookie.repeated")
	})
	for name, c := range strangers {
		t.Run("the login of "+name+" is refused", func(t *testing.T) {
			w.In(t)
			cfg := w.Config
			c.change(&cfg)
			client, err := authcode.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			w.Serve(w.Handler(client))
			w.WantFailure(first.Get(callback), c.reason, c.check)
			w.WantTokenRequests(0)
		})
	}
	w.Serve(w.Handler(w.Client))
	w.WantStatus(first.Get(callback), http.StatusSeeOther)
}

// changedValues are cookie values with a letter changed, cut, of another login,
// and without end.
func changedValues(w *world.World, own string) (values []string) {
	for i := 0; i < len(own)-2; i += 7 {
		changed := []byte(own)
		changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
		values = append(values, string(changed))
	}
	for _, cut := range []int{0, 1, 20, len(own) / 2, len(own) - 4} {
		values = append(values, own[:cut])
	}
	second := w.Browser()
	second.Start("")
	foreign := second.LoginCookies()[0] // sealed, but under another name
	return append(values, foreign.Value, strings.Repeat("A", 6000))
}

func attackD12(t *testing.T) {
	w := world.New(t)
	old, fresh := w.Config.CookieKeys[0], world.Key('f')
	kept, dropped := w.Browser(), w.Browser()
	keptURL, droppedURL := kept.Callback(""), dropped.Callback("")
	w.Configure(func(c *config) { c.CookieKeys = [][]byte{fresh, old} })
	w.WantStatus(kept.Get(keptURL), http.StatusSeeOther)
	after := w.Browser()
	afterURL := after.Callback("")
	w.Configure(func(c *config) { c.CookieKeys = [][]byte{fresh} })
	w.WantFailure(dropped.Get(droppedURL), authcode.Forged, "state.tag")
	w.WantStatus(after.Get(afterURL), http.StatusSeeOther) // the first key sealed it
	w.WantTokenRequests(2)
}

func attackD20(t *testing.T) {
	w := world.New(t)
	b := w.Browser()
	callback := b.Callback("?next=/kept")
	w.Configure() // another instance, or the same after a restart
	resp := b.Get(callback)
	w.WantStatus(resp, http.StatusSeeOther)
	if got := resp.Header.Get("Location"); got != "/kept" {
		t.Errorf("went to %q, want /kept", got)
	}
}
