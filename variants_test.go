package authcode_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// The sharper variants of the attacks, a table per rule.

func TestIssIsChecked(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  []authserver.Fault
		change func(*authcode.Config)
		check  string // empty: the login succeeds
	}{
		{name: "the right issuer passes"},
		{"another issuer is refused", []authserver.Fault{authserver.Set("iss", "https://evil.example")}, nil, "iss"},
		{"an issuer with a slash more is refused", nil, func(c *authcode.Config) { c.Provider.Issuer += "/" }, "iss"},
		{"an empty iss is refused", []authserver.Fault{authserver.Set("iss", "")}, nil, "iss"},
		{"a missing iss is refused where it was promised", []authserver.Fault{authserver.Drop("iss")}, nil, "iss.missing"},
		{"a missing iss passes where nothing was promised", []authserver.Fault{authserver.Drop("iss")},
			func(c *authcode.Config) { c.Provider.RequireIss = false }, ""},
		{"another issuer is refused also where nothing was promised", []authserver.Fault{authserver.Set("iss", "https://evil.example")},
			func(c *authcode.Config) { c.Provider.RequireIss = false }, "iss"},
		{"without an Issuer iss is ignored", []authserver.Fault{authserver.Set("iss", "https://evil.example")},
			func(c *authcode.Config) { c.Provider.RequireIss, c.Provider.Issuer = false, "" }, ""},
		{"another issuer's error is not looked at",
			[]authserver.Fault{authserver.Error(0, "access_denied", ""), authserver.Set("iss", "https://evil.example")}, nil, "iss"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			if c.change != nil {
				w.configure(c.change)
			}
			b := w.browser()
			target := b.start("")
			w.srv.SetFaults(authserver.Authorization, c.fault...)
			resp := b.get(b.approve(target))
			if c.check == "" {
				w.wantStatus(resp, http.StatusSeeOther)
				return
			}
			w.wantFailure(resp, authcode.Forged, c.check)
			w.wantTokenRequests(0)
			if len(b.loginCookies()) != 1 {
				t.Error("another server's answer ended the login")
			}
		})
	}
}

func TestCallbackRequestIsChecked(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	callback := b.approve(b.start(""))
	bare, query, _ := strings.Cut(callback, "?")
	for _, c := range []struct {
		name, method, target, body, check string
		reason                            authcode.Reason
	}{
		{"HEAD", "HEAD", callback, "", "callback.method", authcode.WrongMethod},
		{"POST with a query", "POST", callback, "", "callback.method", authcode.WrongMethod},
		{"POST with a form", "POST", bare, query, "callback.method", authcode.WrongMethod},
		{"OPTIONS", "OPTIONS", callback, "", "callback.method", authcode.WrongMethod},
		{"no parameters", "GET", bare, "", "callback.state", authcode.Malformed},
		{"neither code nor error", "GET", with(callback, "code", ""), "", "callback.code", authcode.Malformed},
		{"a semicolon between parameters", "GET", callback + ";a=b", "", "callback.encoding", authcode.Malformed},
		{"a bad percent sign", "GET", callback + "&a=%zz", "", "callback.encoding", authcode.Malformed},
		{"17 KiB of parameters", "GET", callback + "&a=" + strings.Repeat("a", 17<<10), "", "callback.size", authcode.Malformed},
	} {
		t.Run(c.name+" is refused", func(t *testing.T) {
			w.t = t
			r, err := http.NewRequest(c.method, c.target, strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			resp := b.do(r)
			w.wantStatus(resp, c.reason.Status())
			if err := w.lastError(); err.Reason != c.reason || err.Check != c.check {
				t.Errorf("failed with %v, want %s (%s)", err, c.reason, c.check)
			}
			if c.reason == authcode.WrongMethod && resp.Header.Get("Allow") != "GET" {
				t.Errorf("Allow: %q, want GET", resp.Header.Get("Allow"))
			}
			w.wantTokenRequests(0)
		})
	}
	for _, header := range [][2]string{{"Sec-Purpose", "prefetch"}, {"Sec-Purpose", "prefetch;prerender"}, {"Purpose", "prefetch"}} {
		t.Run("a prefetch touches nothing: "+header[0]+" "+header[1], func(t *testing.T) {
			w.t = t
			r, _ := http.NewRequest("GET", callback, nil)
			r.Header.Set(header[0], header[1])
			resp := b.do(r)
			w.wantStatus(resp, http.StatusNoContent)
			if resp.body != "" || len(resp.Cookies()) != 0 {
				t.Errorf("it got cookies %v and the body %q", resp.Cookies(), resp.body)
			}
			w.wantTokenRequests(0)
		})
	}
	w.t = t
	w.wantStatus(b.get(callback), http.StatusSeeOther)
}

// formWorld is a world whose provider answers by form_post, and the values of one answer.
func formWorld(t *testing.T) (*world, *browser, url.Values) {
	w := newWorld(t, func(c *authcode.Config) { c.Provider.FormPost = true })
	b := w.browser()
	target := b.start("")
	if param(target, "response_mode") != "form_post" {
		t.Error("the provider was not asked for form_post")
	}
	// The same answer in the query, for the test to put where it wants.
	u, _ := url.Parse(b.approve(with(target, "response_mode", "query")))
	return w, b, u.Query()
}

func (b *browser) post(target, kind, body string) *answer {
	b.w.t.Helper()
	r, err := http.NewRequest("POST", target, strings.NewReader(body))
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	return b.do(r)
}

func TestFormPostCallback(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	w, b, values := formWorld(t)
	callback := w.app.URL + "/callback"
	for _, c := range []struct {
		name   string
		do     func() *answer
		reason authcode.Reason
		check  string
	}{
		{"GET is refused", func() *answer { return b.get(callback + "?" + values.Encode()) }, authcode.WrongMethod, "callback.method"},
		{"the query does not count", func() *answer { return b.post(callback+"?"+values.Encode(), form, "") }, authcode.Malformed, "callback.state"},
		{"another content type is refused", func() *answer { return b.post(callback, "text/plain", values.Encode()) },
			authcode.Malformed, "callback.content_type"},
		{"a missing content type is refused", func() *answer { return b.post(callback, "", values.Encode()) }, authcode.Malformed, "callback.content_type"},
		{"a repeated parameter is refused", func() *answer { return b.post(callback, form, values.Encode()+"&code=x") },
			authcode.Malformed, "callback.repeated"},
		{"17 KiB are refused", func() *answer { return b.post(callback, form, values.Encode()+"&a="+strings.Repeat("a", 17<<10)) },
			authcode.Malformed, "callback.size"},
		{"a browser without the login is refused", func() *answer { return w.browser().post(callback, form, values.Encode()) },
			authcode.NoLogin, "cookie.missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			w.wantFailure(c.do(), c.reason, c.check)
			w.wantTokenRequests(0)
		})
	}
	w.t = t
	w.wantStatus(b.post(callback+"?code=of-the-query&code=x", form+"; charset=utf-8", values.Encode()), http.StatusSeeOther)
	w.wantTokenRequests(1)
	w.wantFailure(b.post(callback, form, values.Encode()), authcode.AlreadyUsed, "state.used")
}

func TestFormPostCallbackBehindAMiddlewareThatReadTheForm(t *testing.T) {
	w, b, values := formWorld(t)
	next := w.handlerFor(w.client)
	w.use(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		next.ServeHTTP(rw, r)
	}))
	const form = "application/x-www-form-urlencoded"
	w.wantFailure(b.post(w.app.URL+"/callback", form, values.Encode()+"&code=x"), authcode.Malformed, "callback.repeated")
	w.wantStatus(b.post(w.app.URL+"/callback?code=x", form, values.Encode()), http.StatusSeeOther)
}

func TestAnswersOfTheTokenEndpoint(t *testing.T) {
	for _, c := range []struct {
		name   string
		fault  authserver.Fault
		reason authcode.Reason // empty: the login succeeds
		check  string
	}{
		{"401 invalid_client", authserver.Error(401, "invalid_client", ""), authcode.Configuration, "answer.configuration"},
		{"400 invalid_client", authserver.Error(400, "invalid_client", ""), authcode.Configuration, "answer.configuration"},
		{"401 without a code", authserver.Answer(401, "text/plain", "no"), authcode.Configuration, "answer.configuration"},
		{"400 unauthorized_client", authserver.Error(400, "unauthorized_client", ""), authcode.Configuration, "answer.configuration"},
		{"400 invalid_scope", authserver.Error(400, "invalid_scope", ""), authcode.Configuration, "answer.configuration"},
		{"400 unsupported_grant_type", authserver.Error(400, "unsupported_grant_type", ""), authcode.Configuration, "answer.configuration"},
		{"200 incorrect_client_credentials", authserver.Error(200, "incorrect_client_credentials", ""), authcode.Configuration, "answer.configuration"},
		{"400 invalid_grant", authserver.Error(400, "invalid_grant", ""), authcode.GrantRejected, "answer.error"},
		{"400 invalid_request", authserver.Error(400, "invalid_request", ""), authcode.GrantRejected, "answer.error"},
		{"400 without a body", authserver.Answer(400, "", ""), authcode.GrantRejected, "answer.error"},
		{"403", authserver.Error(403, "access_denied", ""), authcode.GrantRejected, "answer.error"},
		{"200 with an error object", authserver.Answer(200, "application/json", `{"error":{"code":1},"access_token":"a"}`), authcode.GrantRejected, "answer.error"},
		{"429", authserver.Busy(429, "17"), authcode.Overloaded, "answer.error"},
		{"503", authserver.Busy(503, "17"), authcode.Overloaded, "answer.error"},
		{"500 with JSON", authserver.Error(500, "server_error", ""), authcode.BadAnswer, "answer.error"},
		{"502", authserver.Answer(502, "text/html", "<h1>Bad Gateway</h1>"), authcode.BadAnswer, "answer.error"},
		{"404", authserver.Answer(404, "text/html", "<h1>Not Found</h1>"), authcode.BadAnswer, "answer.error"},
		{"connection reset", authserver.Reset(), authcode.Unreachable, "provider.unreachable"},
		{"half a body", authserver.Truncated(), authcode.Unreachable, "provider.unreachable"},
		{"200 without a body", authserver.Answer(200, "", ""), authcode.BadAnswer, "answer.empty"},
		{"204", authserver.Answer(204, "", ""), authcode.BadAnswer, "answer.empty"},
		{"200 with HTML", authserver.Answer(200, "text/html", "<html>"), authcode.BadAnswer, "answer.form"},
		{"a JSON array", authserver.Answer(200, "application/json", `["access_token"]`), authcode.BadAnswer, "answer.form"},
		{"two objects", authserver.Answer(200, "application/json", `{"access_token":"a"}{"access_token":"b"}`), authcode.BadAnswer, "answer.form"},
		{"no access_token", authserver.Drop("access_token"), authcode.BadAnswer, "token.access_token"},
		{"an empty access_token", authserver.Set("access_token", `""`), authcode.BadAnswer, "token.access_token"},
		{"a number as access_token", authserver.Set("access_token", "12"), authcode.BadAnswer, "token.access_token"},
		{"a newline in access_token", authserver.Set("access_token", `"a\nb"`), authcode.BadAnswer, "token.access_token"},
		{"a repeated access_token", authserver.Repeat("access_token", ""), authcode.BadAnswer, "answer.form"},
		{"Access_Token beside access_token", authserver.Set("Access_Token", `"x"`), authcode.BadAnswer, "answer.form"},
		{"Access_Token alone", authserver.Rename("access_token", "Access_Token"), authcode.BadAnswer, "token.access_token"},
		{"an unknown token_type", authserver.Set("token_type", `"mac"`), authcode.BadAnswer, "token.token_type"},
		{"a list as token_type", authserver.Set("token_type", `["Bearer"]`), authcode.BadAnswer, "token.token_type"},
		{"a negative expires_in", authserver.Set("expires_in", "-1"), authcode.BadAnswer, "token.expires_in"},
		{"a word as expires_in", authserver.Set("expires_in", `"soon"`), authcode.BadAnswer, "token.expires_in"},
		{"a number as refresh_token", authserver.Set("refresh_token", "12"), authcode.BadAnswer, "token.refresh_token"},
		{"an object as scope", authserver.Set("scope", "{}"), authcode.BadAnswer, "token.scope"},
		{name: "BEARER", fault: authserver.Set("token_type", `"BEARER"`)},
		{name: "no token_type", fault: authserver.Drop("token_type")},
		{name: "a wrong content type", fault: authserver.ContentType("text/html")},
		{name: "an empty error beside a token", fault: authserver.Set("error", `""`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			b := w.browser()
			callback := b.approve(b.start(""))
			w.srv.SetFaults(authserver.Token, c.fault)
			resp := b.get(callback)
			w.wantTokenRequests(1)
			if c.reason == "" {
				w.wantStatus(resp, http.StatusSeeOther)
				return
			}
			w.wantFailure(resp, c.reason, c.check)
			if w.loginCount() != 0 || len(b.loginCookies()) != 0 {
				t.Error("somebody was signed in, or the login is still pending")
			}
			if got, want := resp.Header.Get("Retry-After"), map[bool]string{true: "17"}[c.reason == authcode.Overloaded]; got != want {
				t.Errorf("Retry-After: %q, want %q", got, want)
			}
		})
	}
}

func TestInvalidClientNamesTheStyleAndTheField(t *testing.T) {
	for want, reg := range map[string]authserver.ClientRegistration{
		"HTTP Basic, form-encoded; check ClientID and the secret first, then Provider.AuthStyle": {AuthMethod: authserver.Basic, Secret: "right-secret"},
		"in the body; check ClientID and the secret first, then Provider.AuthStyle":              {AuthMethod: authserver.Post, Secret: "right-secret"},
		"no client secret was sent; check ClientID first, then Config.ClientAuth":                {AuthMethod: authserver.None},
	} {
		w := newWorld(t)
		reg.ID, reg.RedirectURIs = "client", []string{w.app.URL + "/callback"}
		w.cfg = w.srv.Register(reg)
		w.configure()
		w.srv.SetFaults(authserver.Token, authserver.Error(401, "invalid_client", ""))
		w.wantFailure(w.browser().signIn(""), authcode.Configuration, "answer.configuration")
		if text := w.lastError().Error(); !strings.Contains(text, want) {
			t.Errorf("the error says %q, want %q in it", text, want)
		}
	}
}

func TestExpiryAndScopes(t *testing.T) {
	hour := time.Hour
	for _, c := range []struct {
		name   string
		fault  authserver.Fault
		expiry time.Duration // 0: unknown
		scopes string
	}{
		{"expires_in as a string", authserver.Set("expires_in", `"3600"`), hour, "openid profile email"},
		{"expires_in as a float", authserver.Set("expires_in", "3600.0"), hour, "openid profile email"},
		{"expires_in with an exponent", authserver.Set("expires_in", "3.6e3"), hour, "openid profile email"},
		{"expires_in null is unknown", authserver.Set("expires_in", "null"), 0, "openid profile email"},
		{"expires_in 0 is unknown", authserver.Set("expires_in", "0"), 0, "openid profile email"},
		{"expires_in beyond a lifetime is capped", authserver.Set("expires_in", "1e300"), 100 * 365 * 24 * hour, "openid profile email"},
		{"fewer scopes", authserver.Set("scope", `"openid"`), hour, "openid"},
		{"an empty scope is none", authserver.Set("scope", `""`), hour, ""},
		{"a missing scope is as requested", authserver.Drop("scope"), hour, "openid profile email"},
		{"a null scope is as requested", authserver.Set("scope", "null"), hour, "openid profile email"},
		{"scopes in a list", authserver.Set("scope", `["a","b"]`), hour, "a b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(cfg *authcode.Config) { cfg.Scopes = []string{"openid", "profile", "email"} })
			w.srv.SetFaults(authserver.Token, c.fault)
			w.wantStatus(w.browser().signIn(""), http.StatusSeeOther)
			login := w.lastLogin()
			if got := strings.Join(login.Scopes, " "); got != c.scopes {
				t.Errorf("scopes %q, want %q", got, c.scopes)
			}
			if c.expiry == 0 && !login.Token.Expiry.IsZero() {
				t.Errorf("expiry %v, want unknown", login.Token.Expiry)
			}
			if off := time.Until(login.Token.Expiry) - c.expiry; c.expiry != 0 && (off > time.Second || off < -time.Minute) {
				t.Errorf("expiry is off by %v", off)
			}
		})
	}
}

func TestTheBrowserGoingAwayCancelsTheTokenRequest(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	callback := b.approve(b.start(""))
	w.srv.SetFaults(authserver.Token, authserver.Silent())
	ended := make(chan struct{})
	next := w.handlerFor(w.client)
	w.use(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(rw, r)
		close(ended)
	}))
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "GET", callback, nil)
	go func() {
		for len(w.srv.TokenRequests()) == 0 {
			time.Sleep(time.Millisecond) // the server tells nobody that a request has arrived
		}
		cancel()
	}()
	if _, err := b.http.Do(r); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the callback went on without its browser")
	}
	if err := w.lastError(); !errors.Is(err, authcode.Canceled) || !errors.Is(err, context.Canceled) {
		t.Errorf("failed with %v, want canceled", err)
	}
}

// usedStates is a store that instances share.
type usedStates struct {
	mu   sync.Mutex
	seen map[string]time.Time
	err  error
}

func (u *usedStates) Use(_ context.Context, id string, until time.Time) (bool, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.err != nil {
		return false, u.err
	}
	_, used := u.seen[id]
	u.seen[id] = until
	return !used, nil
}

func TestUsedStates(t *testing.T) {
	store := &usedStates{seen: make(map[string]time.Time)}
	w := newWorld(t, func(c *authcode.Config) { c.UsedStates = store })
	b := w.browser()
	callback := b.approve(b.start(""))
	cookie := b.loginCookies()[0]
	w.wantStatus(b.get(callback), http.StatusSeeOther)
	if len(store.seen) != 1 {
		t.Fatalf("the store holds %d ids, want 1", len(store.seen))
	}
	for id, until := range store.seen {
		if left := time.Until(until); len(id) != 43 || left < 9*time.Minute || left > 12*time.Minute {
			t.Errorf("id %q until %v", id, until)
		}
		if id == param(callback, "state") {
			t.Error("the store was told the state itself")
		}
	}
	w.configure() // another instance: its own memory knows nothing
	b.setCookie(cookie.Name, cookie.Value)
	w.wantFailure(b.get(callback), authcode.AlreadyUsed, "used_states.used")
	w.wantTokenRequests(1)

	t.Run("a store that fails refuses", func(t *testing.T) {
		w.t = t
		store.err = errors.New("store: password " + canarySecret)
		resp := w.browser().signIn("")
		w.wantFailure(resp, authcode.Overloaded, "used_states")
		if resp.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		w.wantTokenRequests(1)
	})
	w.t = t
}

// inMemory is a token endpoint for tests with a fake clock, where sockets hang.
type inMemory func(*http.Request) (*http.Response, error)

func (f inMemory) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestAge(t *testing.T) {
	for _, c := range []struct {
		name string
		age  time.Duration
		ok   bool
	}{
		{"599 seconds pass", 599 * time.Second, true},
		{"601 seconds are too long", 601 * time.Second, false},
		{"a day is too long", 24 * time.Hour, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := benchAuthcode(t)
				rec, r := recorderAndRequest()
				callback := callbackFor(s.start(rec, r), rec)
				time.Sleep(c.age)
				_, _, err := s.finish(&discard{header: make(http.Header)}, callback)
				if c.ok != (err == nil) || !c.ok && !errors.Is(err, authcode.Expired) {
					t.Errorf("got %v", err)
				}
				callback.Header.Del("Cookie") // the browser has dropped it by then
				_, _, err = s.finish(&discard{header: make(http.Header)}, callback)
				want := authcode.Expired
				if c.ok {
					want = authcode.AlreadyUsed
				}
				if !errors.Is(err, want) {
					t.Errorf("without the cookie: got %v, want %s", err, want)
				}
			})
		})
	}
}

func TestTenSecondsForAllOfExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := benchAuthcodeWith(t, inMemory(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		rec, r := recorderAndRequest()
		callback := callbackFor(s.start(rec, r), rec)
		began := time.Now()
		_, _, err := s.finish(&discard{header: make(http.Header)}, callback)
		var e *authcode.Error
		if !errors.As(err, &e) || e.Reason != authcode.Timeout || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want a timeout", err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v, want 10 s", took)
		}
	})
}
