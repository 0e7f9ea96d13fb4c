package test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
)

// refused is an app as people write them, with its last failure.
type refused struct {
	t       *testing.T
	srv     *authtest.Server
	app     *httptest.Server
	cfg     authcode.Config
	browser *http.Client
	handler http.Handler    // in front of the app; nil for none
	err     *authcode.Error // the last failure
}

// newRefused starts an app at a provider, over plain http.
func newRefused(t *testing.T) *refused {
	a := &refused{t: t, browser: &http.Client{}}
	a.app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(a.app.Close)
	a.srv = authtest.NewServer(a.app.URL + "/callback")
	t.Cleanup(a.srv.Close)
	a.browser.Jar, _ = cookiejar.New(nil)
	a.cfg = a.srv.Config()
	a.deploy()
	return a
}

// deploy makes the app anew, after a change of its Config.
func (a *refused) deploy() {
	a.cfg.LoginURL = "/login"
	a.cfg.OnError = func(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
		a.err = err
		authcode.ErrorPage(w, r, err)
	}
	client, err := authcode.New(a.cfg)
	if err != nil {
		a.t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/login", client.LoginHandler())
	mux.Handle("/callback", client.CallbackHandler(http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {})))
	a.handler = mux
}

// signIn tries a whole login at this host.
func (a *refused) signIn(base string) {
	if resp, err := a.srv.SignIn(a.browser, base+"/login"); err == nil {
		resp.Body.Close()
	}
}

// callback is a login that has come as far as the app's callback.
func (a *refused) callback() *http.Request {
	r, err := a.srv.Callback(a.browser, a.app.URL+"/login")
	if err != nil {
		a.t.Fatal(err)
	}
	return r
}

// do sends a request with the browser's cookies, which are there for longer than
// a login is valid.
func (a *refused) do(r *http.Request) {
	resp, err := a.browser.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	resp.Body.Close()
}

// ask sends a request to the app.
func (a *refused) ask(method, path string, header ...string) {
	r, err := http.NewRequest(method, a.app.URL+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	a.do(r)
}

// faulty is a login at a provider that has a fault when the person comes back.
func faulty(fault authtest.Fault) func(*refused) {
	return func(a *refused) {
		r := a.callback()
		a.srv.SetFaults(fault)
		a.do(r)
	}
}

// refusals has what each row of the page is about, by its Check.
var refusals = map[string]func(*refused){
	"cookie.host": func(a *refused) {
		a.signIn(strings.Replace(a.app.URL, "127.0.0.1", "localhost", 1))
	},
	"cookie.missing": func(a *refused) {
		r := a.callback()
		a.browser.Jar, _ = cookiejar.New(nil)
		a.do(r)
	},
	"login.age": func(a *refused) {
		r := a.callback()
		a.srv.Advance(11 * time.Minute)
		a.do(r)
	},
	"state.age": func(a *refused) {
		r := a.callback()
		a.srv.Advance(11 * time.Minute)
		a.browser.Jar, _ = cookiejar.New(nil)
		a.do(r)
	},
	"state.used": func(a *refused) {
		r := a.callback()
		a.do(r)
		a.do(r.Clone(a.t.Context()))
	},
	"state.tag": func(a *refused) {
		r := a.callback()
		a.cfg.CookieKeys = [][]byte{[]byte(strings.Repeat("another key ", 3))}
		a.deploy()
		a.do(r)
	},
	"cookie.client": func(a *refused) {
		r := a.callback()
		a.cfg.ClientID = "another"
		a.deploy()
		a.do(r)
	},
	"callback.empty":       func(a *refused) { a.ask("GET", "/callback") },
	"callback.method":      func(a *refused) { a.ask("POST", "/callback") },
	"login.navigation":     func(a *refused) { a.ask("GET", "/login", "Sec-Fetch-Mode", "cors") },
	"login.guarded":        func(a *refused) { behindGuard(a) },
	"provider.timeout":     func(a *refused) { impatient(a) },
	"id_token.nonce":       faulty(authtest.WrongNonce()),
	"id_token.exp":         faulty(authtest.ExpiredIDToken()),
	"answer.error":         faulty(authtest.ErrorPage()),
	"answer.configuration": faulty(authtest.ClientRefused()),
	"login.cross_origin": func(a *refused) {
		a.ask("POST", "/login", "Sec-Fetch-Site", "cross-site")
	},
	"authorization.error": func(a *refused) {
		a.srv.SetConsent(authtest.Deny)
		a.signIn(a.app.URL)
	},
	"provider.unreachable": func(a *refused) {
		r := a.callback()
		a.srv.Close()
		a.do(r)
	},
	"id_token.alg": func(a *refused) {
		a.cfg.Algorithms = []string{"ES256"}
		a.deploy()
		a.signIn(a.app.URL)
	},
	"id_token.hd": func(a *refused) {
		a.cfg.Provider = oidc.Provider(a.srv.URL, oidc.HostedDomain("example.com"))
		a.deploy()
		a.signIn(a.app.URL)
	},
}

// behindGuard puts a guard in front of the callback, as apps do by mistake.
func behindGuard(a *refused) {
	inner := a.handler
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.String()), http.StatusSeeOther)
			return
		}
		inner.ServeHTTP(w, r)
	})
	a.do(a.callback())
}

// impatient gives the provider no time.
func impatient(a *refused) {
	r, inner := a.callback(), a.handler
	a.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Nanosecond)
		defer cancel()
		inner.ServeHTTP(w, r.WithContext(ctx))
	})
	a.do(r)
}

// refusedRows returns the rows of docs/refused.md, by Check. One without a Check
// is named by what people see.
func refusedRows(t *testing.T) map[string]string {
	seen := make(map[string]string)
	for _, cells := range tables(t, "docs/refused.md")[2:] {
		checks := code(cells[1])
		if len(checks) == 0 {
			checks = []string{strings.TrimSpace(cells[0])}
		}
		for _, check := range checks {
			seen[check] = cells[0]
		}
	}
	return seen
}

// TestRefusedPage: docs/refused.md says why logins are refused. Each Check that
// it names is what the app gets when that has happened, and each Reason what the
// page of the failure shows.
func TestRefusedPage(t *testing.T) {
	rows := refusedRows(t)
	for name := range rows {
		if refusals[name] == nil && otherRows[name] == nil {
			t.Errorf("docs/refused.md has the row %s, and no test causes it", name)
		}
	}
	for check, cause := range refusals {
		t.Run(check, func(t *testing.T) {
			a := newRefused(t)
			cause(a)
			if rows[check] == "" || a.err == nil || a.err.Check != check {
				t.Fatalf("the row is %q, the error %v", rows[check], a.err)
			}
			if said := code(rows[check]); len(said) > 0 && !slices.Contains(said, string(a.err.Reason)) {
				t.Errorf("the page says %q, the Reason is %s", said, a.err.Reason)
			}
		})
	}
	for name, cause := range otherRows {
		t.Run(name, func(t *testing.T) {
			if rows[name] == "" {
				t.Error("docs/refused.md has no such row")
			}
			if cause(newRefused(t)); t.Failed() {
				t.Log(rows[name])
			}
		})
	}
}
