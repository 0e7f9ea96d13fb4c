package authcode_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
	"golang.org/x/oauth2"
)

// TestAttacks has the cases that every build must pass, by number.
func TestAttacks(t *testing.T) {
	for _, c := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"D01 credentials arrive exactly, by Basic, body and as a public client", attackD01},
		{"D02 states and verifiers never repeat", attackD02},
		{"D03 a callback in a browser without a login is refused", attackD03},
		{"D04 a wrong state is refused and harms nothing", attackD04},
		{"D05 an injected code fails by the victim's verifier", attackD05},
		{"D06 cookies have their attributes", attackD06},
		{"D07 a repeated parameter is refused", attackD07},
		{"D08 a denial is typed, and shown only with a valid state", attackD08},
		{"D09 tabs finish in any order, the newest five of eight", attackD09},
		{"D10 reload, back and double click redeem once", attackD10},
		{"D11 a changed cookie is refused", attackD11},
		{"D12 a login survives the rotation of its key, not its removal", attackD12},
		{"D13 a return path never leaves the origin", attackD13},
		{"D14 a redirecting token endpoint is not followed", attackD14},
		{"D15 what an error answer says is neither shown nor logged", attackD15},
		{"D16 a silent token endpoint ends with the deadline", attackD16},
		{"D17 oversized answers are refused in little memory", attackD17},
		{"D18 GitHub's answers are understood", attackD18},
		{"D20 any instance with the keys finishes a login", attackD20},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t)
		})
	}
}

func attackD01(t *testing.T) {
	// The server form-decodes Basic credentials as RFC 6749 section 2.3.1 says, or takes them raw.
	const id, password = `id:+ %41%zz ü€`, canarySecret + `:+ %2B%zz ö€"&=`
	for _, c := range []struct {
		name  string
		reg   authserver.ClientRegistration
		style oauth2.AuthStyle
	}{
		{"Basic", authserver.ClientRegistration{ID: id, Secret: password, AuthMethod: authserver.Basic}, oauth2.AuthStyleInHeader},
		{"zero is Basic", authserver.ClientRegistration{ID: id, Secret: password, AuthMethod: authserver.Basic}, 0},
		{"raw Basic", authserver.ClientRegistration{
			ID: strings.ReplaceAll(id, ":", ""), Secret: password, AuthMethod: authserver.Basic, RawBasic: true}, oauth2.AuthStyleInHeader},
		{"body", authserver.ClientRegistration{ID: id, Secret: password, AuthMethod: authserver.Post}, oauth2.AuthStyleInParams},
		{"public", authserver.ClientRegistration{ID: id, AuthMethod: authserver.None}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.secrets = append(w.secrets, password)
			c.reg.RedirectURIs = []string{w.app.URL + "/callback"}
			w.cfg = w.srv.Register(c.reg)
			w.configure(func(cfg *authcode.Config) { cfg.Provider.AuthStyle = c.style })
			w.wantStatus(w.browser().signIn(""), http.StatusSeeOther)
			w.wantTokenRequests(1)
			r := w.srv.TokenRequests()[0]
			if r.ClientAuth != c.reg.AuthMethod || r.ClientID != c.reg.ID || r.ClientSecret != c.reg.Secret {
				t.Errorf("the server understood %s %q %q, want %s %q %q",
					r.ClientAuth, r.ClientID, r.ClientSecret, c.reg.AuthMethod, c.reg.ID, c.reg.Secret)
			}
			if w.lastLogin().Token.AccessToken == "" || w.lastLogin().Values["cart"] != "42" {
				t.Error("the token or the app's value did not reach the app")
			}
		})
	}
}

// verifierKeeper is a token endpoint that keeps the verifiers. 10,000 logins over sockets would test
// the sockets.
type verifierKeeper struct{ verifier string }

func (k *verifierKeeper) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	k.verifier = r.PostForm.Get("code_verifier")
	rec := httptest.NewRecorder()
	rec.WriteString(`{"access_token":"a","token_type":"Bearer"}`)
	return rec.Result(), nil
}

func attackD02(t *testing.T) {
	keeper := new(verifierKeeper)
	client, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{Name: "p", Endpoints: authcode.Endpoints{AuthURL: "https://p.example/a", TokenURL: "https://p.example/t"}},
		ClientID: "c", ClientAuth: authcode.Public(), RedirectURL: "https://app.example/callback",
		CookieKeys: [][]byte{benchKey(32)}, Wrap: through(keeper),
	})
	if err != nil {
		t.Fatal(err)
	}
	const n = 10_000
	states, verifiers, names := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	for range n {
		rec := httptest.NewRecorder()
		target, err := client.AuthCodeURL(rec, httptest.NewRequest("GET", "https://app.example/login", nil))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Exchange(httptest.NewRecorder(), callbackFor(target, rec)); err != nil {
			t.Fatal(err)
		}
		if param(target, "code_challenge_method") != "S256" ||
			param(target, "code_challenge") != oauth2.S256ChallengeFromVerifier(keeper.verifier) {
			t.Fatal("the challenge is not S256 of the verifier")
		}
		states[param(target, "state")] = true
		verifiers[keeper.verifier] = true
		names[rec.Result().Cookies()[0].Name] = true
	}
	if len(states) != n || len(verifiers) != n || len(names) != n {
		t.Errorf("%d logins had %d states, %d verifiers, %d cookie names", n, len(states), len(verifiers), len(names))
	}
}

func attackD03(t *testing.T) {
	w := newWorld(t)
	attacker, victim := w.browser(), w.browser()
	callback := attacker.approve(attacker.start(""))
	w.wantFailure(victim.get(callback), authcode.NoLogin, "cookie.missing")
	w.wantTokenRequests(0)
	victim.start("") // a login of the victim's own does not help the attacker
	w.wantFailure(victim.get(callback), authcode.NoLogin, "cookie.missing")
	w.wantTokenRequests(0)
	w.wantStatus(attacker.get(callback), http.StatusSeeOther) // and was not burnt for its owner
}

func attackD04(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	callback := b.approve(b.start(""))
	state := param(callback, "state")
	other := map[byte]string{'A': "B"}[state[0]]
	if other == "" {
		other = "A"
	}
	for name, c := range map[string]struct {
		target, check string
		reason        authcode.Reason
	}{
		"wrong":                         {with(callback, "state", strings.Repeat("A", 43)), "state.tag", authcode.Forged},
		"one bit off":                   {with(callback, "state", other+state[1:]), "state.tag", authcode.Forged},
		"cut":                           {with(callback, "state", state[:42]), "state.form", authcode.Forged},
		"longer":                        {with(callback, "state", state+"A"), "state.form", authcode.Forged},
		"padded":                        {with(callback, "state", state+"="), "state.form", authcode.Forged},
		"another spelling of the bytes": {with(callback, "state", state[:42]+nextLetter(state[42])), "state.form", authcode.Forged},
		"with a newline inside":         {with(callback, "state", state[:20]+"\n"+state[20:]), "state.form", authcode.Forged},
		"of other letter case":          {with(callback, "state", strings.ToUpper(state[:42])+state[42:]), "state.tag", authcode.Forged},
		"missing":                       {with(callback, "state", ""), "callback.state", authcode.Malformed},
		"empty":                         {with(callback, "state", "") + "&state=", "callback.state", authcode.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.wantFailure(b.get(c.target), c.reason, c.check)
			w.wantTokenRequests(0)
		})
	}
	w.t = t
	w.wantStatus(b.get(callback), http.StatusSeeOther)
	w.wantTokenRequests(1)
}

// nextLetter differs from c in bits that 32 bytes of base64url leave unused.
func nextLetter(c byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)+1:][:1]
}

func attackD05(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	target := b.start("")
	w.srv.SetFaults(authserver.Authorization, authserver.OtherUsersCode())
	w.wantFailure(b.get(b.approve(target)), authcode.GrantRejected, "answer.error")
	w.wantTokenRequests(1)
	sent := w.srv.TokenRequests()[0].Form.Get("code_verifier")
	if oauth2.S256ChallengeFromVerifier(sent) != param(target, "code_challenge") {
		t.Error("the verifier sent is not the victim's")
	}
	if w.loginCount() != 0 {
		t.Error("somebody was signed in")
	}
}

func attackD06(t *testing.T) {
	for _, c := range []struct {
		name, redirect, prefix, attributes string
		formPost                           bool
	}{
		{"https", "https://app.example/cb", "__Host-login-authtest-", "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax", false},
		{"https on loopback", "https://127.0.0.1:1/cb", "__Host-login-authtest-", "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax", false},
		{"form_post", "https://app.example/cb", "__Host-login-authtest-", "; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=None", true},
		{"http on localhost", "http://localhost:1/cb", "login-authtest-", "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax", false},
		{"http on a name below localhost", "http://app.localhost/cb", "login-authtest-", "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax", false},
		{"http on 127.0.0.0/8", "http://127.9.9.9/cb", "login-authtest-", "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax", false},
		{"http on ::1", "http://[::1]:1/cb", "login-authtest-", "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := authserver.NewServer()
			defer srv.Close()
			cfg := srv.Config(c.redirect)
			cfg.Provider.FormPost = c.formPost
			client, err := authcode.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			rec := httptest.NewRecorder()
			if _, err := client.AuthCodeURL(rec, httptest.NewRequest("GET", c.redirect, nil), authcode.ReturnTo("/"+strings.Repeat("p", 39))); err != nil {
				t.Fatal(err)
			}
			header := rec.Header()["Set-Cookie"]
			if len(header) != 1 || !strings.HasPrefix(header[0], c.prefix) || !strings.HasSuffix(header[0], c.attributes) {
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

func attackD07(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	callback := b.approve(b.start(""))
	for _, extra := range []string{
		"code=x", "state=x", "iss=x", "iss=" + url.QueryEscape(param(callback, "iss")), "state=" + param(callback, "state"),
		"code=" + param(callback, "code"), "code=", "error=a&error=b", "unknown=1&unknown=1", "%63ode=x",
	} {
		t.Run(extra, func(t *testing.T) {
			w.t = t
			w.wantFailure(b.get(callback+"&"+extra), authcode.Malformed, "callback.repeated")
			w.wantTokenRequests(0)
		})
	}
	w.t = t
	w.wantStatus(b.get(callback), http.StatusSeeOther)
}

func attackD08(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	const words = "<b>server-words</b>"
	w.srv.SetFaults(authserver.Authorization, authserver.Error(0, "access_denied", words))
	callback := b.approve(b.start(""))

	resp := b.get(with(callback, "state", ""))
	w.wantFailure(resp, authcode.Malformed, "callback.state")
	resp2 := b.get(with(callback, "state", strings.Repeat("A", 43)))
	w.wantFailure(resp2, authcode.Forged, "state.tag")
	if err := w.lastError(); err.ServerDescription != "" || strings.Contains(resp.body+resp2.body, "server-words") {
		t.Error("an unauthenticated error's words got through")
	}
	resp = b.get(callback)
	w.wantFailure(resp, authcode.Denied, "authorization.error")
	if err := w.lastError(); err.ServerError != "access_denied" || err.ServerDescription != words {
		t.Errorf("the error's fields are %q, %q", err.ServerError, err.ServerDescription)
	}
	if strings.Contains(resp.body, "server-words") || len(b.loginCookies()) != 0 {
		t.Error("the server's words are shown, or the login is still pending")
	}
	w.wantTokenRequests(0)
}

func attackD09(t *testing.T) {
	w := newWorld(t)
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		b := w.browser()
		tabs := []string{b.approve(b.start("?next=/a")), b.approve(b.start("?next=/b"))}
		for _, i := range order {
			resp := b.get(tabs[i])
			w.wantStatus(resp, http.StatusSeeOther)
			if got, want := resp.Header.Get("Location"), []string{"/a", "/b"}[i]; got != want {
				t.Errorf("tab %d went to %q, want %q", i, got, want)
			}
		}
	}
	b := w.browser()
	for i := range 8 {
		b.start(fmt.Sprintf("?next=/%d%s", i, strings.Repeat("x", i*60)))
		size := 0
		for _, c := range b.loginCookies() {
			size += len(c.Name) + len(c.Value) + len("=; ")
		}
		if n := len(b.loginCookies()); n > 5 || size > 2500 {
			t.Errorf("%d logins pending in %d bytes, want at most 5 in 2500", n, size)
		}
	}
	b = w.browser()
	var tabs []string
	for range 8 {
		tabs = append(tabs, b.approve(b.start("")))
	}
	for i, tab := range tabs {
		if i < 3 {
			w.wantFailure(b.get(tab), authcode.NoLogin, "cookie.missing")
		} else {
			w.wantStatus(b.get(tab), http.StatusSeeOther)
		}
	}
}

func attackD10(t *testing.T) {
	t.Run("reload and back after success", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		callback := b.approve(b.start(""))
		w.wantStatus(b.get(callback), http.StatusSeeOther)
		for range 3 {
			resp := b.get(callback)
			w.wantFailure(resp, authcode.AlreadyUsed, "state.used")
			if !strings.Contains(resp.body, `href="/home"`) {
				t.Error("no way on after a login that succeeded")
			}
		}
		w.wantTokenRequests(1)
		w.wantStatus(b.get(w.app.URL+"/home"), http.StatusOK)
	})
	t.Run("reload after a failure offers to start again, not to go on", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		callback := b.approve(b.start(""))
		w.srv.SetFaults(authserver.Token, authserver.HTMLError())
		w.wantFailure(b.get(callback), authcode.BadAnswer, "answer.error")
		w.srv.ClearFaults()
		resp := b.get(callback)
		w.wantFailure(resp, authcode.AlreadyUsed, "state.failed")
		if strings.Contains(resp.body, `href="/home"`) {
			t.Error("the page offers to go on without a login")
		}
		w.wantTokenRequests(1)
	})
	t.Run("a double click redeems once", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		callback := b.approve(b.start(""))
		w.srv.SetFaults(authserver.Token, authserver.Delay(150*time.Millisecond))
		// The same cookies with every click, as a browser sends them.
		cookie := b.loginCookies()[0]
		var wg sync.WaitGroup
		count := make(map[int]int)
		var mu sync.Mutex
		for range 16 {
			wg.Go(func() {
				r, _ := http.NewRequest("GET", callback, nil)
				r.AddCookie(cookie)
				resp, err := w.app.Client().Transport.RoundTrip(r)
				if err != nil {
					t.Error(err)
					return
				}
				resp.Body.Close()
				mu.Lock()
				defer mu.Unlock()
				count[resp.StatusCode]++
			})
		}
		wg.Wait()
		if count[http.StatusSeeOther] != 1 || count[http.StatusConflict] != 15 {
			t.Errorf("statuses %v, want one 303 and fifteen 409", count)
		}
		w.wantTokenRequests(1)
	})
}

func attackD11(t *testing.T) {
	w := newWorld(t)
	first, second := w.browser(), w.browser()
	callback := first.approve(first.start(""))
	own := first.loginCookies()[0]
	second.start("")
	foreign := second.loginCookies()[0]
	others := w.cfg
	others.CookieKeys = [][]byte{benchKey(32)}
	refuse := func(t *testing.T, value, check string) {
		t.Helper()
		w.t = t
		b := w.browser()
		b.setCookie(own.Name, value)
		w.wantFailure(b.get(callback), authcode.Forged, check)
		w.wantTokenRequests(0)
	}
	for i := 0; i < len(own.Value)-2; i += 7 {
		changed := []byte(own.Value)
		changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
		refuse(t, string(changed), "cookie.seal")
	}
	for _, cut := range []int{0, 1, 20, len(own.Value) / 2, len(own.Value) - 4} {
		refuse(t, own.Value[:cut], "cookie.seal")
	}
	refuse(t, foreign.Value, "cookie.seal") // sealed, but under another name
	refuse(t, strings.Repeat("A", 6000), "cookie.seal")

	t.Run("two cookies of the name", func(t *testing.T) {
		w.t = t
		r, _ := http.NewRequest("GET", callback, nil)
		r.Header.Set("Cookie", own.Name+"="+own.Value+"; "+own.Name+"="+own.Value)
		w.wantFailure(w.browser().do(r), authcode.Malformed, "cookie.repeated")
	})
	for name, c := range map[string]struct {
		change func(*authcode.Config)
		reason authcode.Reason
		check  string
	}{
		"another provider's name": {func(c *authcode.Config) { c.Provider.Name = "other" }, authcode.NoLogin, "cookie.missing"},
		"another issuer":          {func(c *authcode.Config) { c.Provider.Issuer = "https://other.example" }, authcode.Forged, "cookie.client"},
		"another client":          {func(c *authcode.Config) { c.ClientID = "other" }, authcode.Forged, "cookie.client"},
		"another redirect URI":    {func(c *authcode.Config) { c.RedirectURL += "2" }, authcode.Forged, "cookie.client"},
		"another token endpoint":  {func(c *authcode.Config) { c.Provider.TokenURL += "2" }, authcode.Forged, "cookie.client"},
		"another key":             {func(c *authcode.Config) { c.CookieKeys = others.CookieKeys }, authcode.Forged, "state.tag"},
	} {
		t.Run("the login of "+name+" is refused", func(t *testing.T) {
			w.t = t
			cfg := w.cfg
			c.change(&cfg)
			client, err := authcode.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			w.use(w.handlerFor(client))
			w.wantFailure(first.get(callback), c.reason, c.check)
			w.wantTokenRequests(0)
		})
	}
	w.t = t
	w.use(w.handlerFor(w.client))
	w.wantStatus(first.get(callback), http.StatusSeeOther)
}

func attackD12(t *testing.T) {
	w := newWorld(t)
	old := w.cfg.CookieKeys[0]
	w.secrets = append(w.secrets, string(old))
	kept, dropped := w.browser(), w.browser()
	keptURL, droppedURL := kept.approve(kept.start("")), dropped.approve(dropped.start(""))
	fresh := benchKey(32)
	w.configure(func(c *authcode.Config) { c.CookieKeys = [][]byte{fresh, old} })
	w.wantStatus(kept.get(keptURL), http.StatusSeeOther)
	after := w.browser()
	afterURL := after.approve(after.start(""))
	w.configure(func(c *authcode.Config) { c.CookieKeys = [][]byte{fresh} })
	w.wantFailure(dropped.get(droppedURL), authcode.Forged, "state.tag")
	w.wantStatus(after.get(afterURL), http.StatusSeeOther) // the first key sealed it
	w.wantTokenRequests(2)
}

func attackD13(t *testing.T) {
	w := newWorld(t)
	for _, bad := range []string{
		"//evil.example", `/\evil.example`, `\\evil.example`, "https://evil.example/", "javascript:alert(1)", "data:text/html,x",
		"/\t/evil.example", "/\n/evil.example", "\t//evil.example", " //evil.example", "///evil.example", "evil.example", "?a", "#a", "",
		"/.//evil.example", "/a/..//evil.example", `/./\evil.example`, "/%2e%2E//evil.example", "/a\r\nSet-Cookie: x=y", "/a\x00b",
		"/" + strings.Repeat("a", 512), "http:/evil.example", "/ ",
	} {
		resp := w.browser().signIn("?next=" + url.QueryEscape(bad))
		w.wantStatus(resp, http.StatusSeeOther)
		if got := resp.Header["Location"]; len(got) != 1 || got[0] != "/" {
			t.Errorf("return path %q went to %q, want /", bad, got)
		}
	}
	for _, good := range []string{
		"/", "/a", "/a/b/?q=1&r=%20+x#frag", "/a//b", "/a/../b", "/%2F%2Fevil", "/a?next=//evil.example", "/a#//evil.example", "/ü/€?ö",
		"/a b", "/@evil.example", "/:80", `/a\b`, "/a;b=c,d", "/" + strings.Repeat("a", 511), "/?redirect=https://other.example/",
	} {
		resp := w.browser().signIn("?next=" + url.QueryEscape(good))
		if got := resp.Header["Location"]; len(got) != 1 || got[0] != good {
			t.Errorf("return path %q went to %q", good, got)
		}
	}
	resp := w.browser().signIn("?next=/a&next=/b")
	if got := resp.Header.Get("Location"); got != "/" {
		t.Errorf("a repeated return path went to %q, want /", got)
	}
}

func attackD14(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			seen := 0
			evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { seen++ }))
			defer evil.Close()
			w := newWorld(t)
			b := w.browser()
			callback := b.approve(b.start(""))
			w.srv.SetFaults(authserver.Token, authserver.Redirect(status, evil.URL+"/token"))
			w.wantFailure(b.get(callback), authcode.BadAnswer, "answer.redirect")
			w.wantTokenRequests(1)
			if seen != 0 {
				t.Errorf("the other origin saw %d requests", seen)
			}
		})
	}
}

func attackD15(t *testing.T) {
	for name, c := range map[string]struct {
		fault  authserver.Fault
		reason authcode.Reason
	}{
		"500 with HTML":            {authserver.HTMLError(), authcode.BadAnswer},
		"400 that echoes, as JSON": {authserver.EchoJSON(), authcode.GrantRejected},
		"400 that echoes, as text": {authserver.EchoText(), authcode.GrantRejected},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := w.browser()
			callback := b.approve(b.start(""))
			w.srv.SetFaults(authserver.Token, c.fault)
			resp := b.get(callback)
			w.wantFailure(resp, c.reason, "answer.error")
			err := w.lastError()
			w.mu.Lock() // the fields are for programs; even they hold nothing that we sent
			fmt.Fprintln(&w.transcript, err.ServerError, err.ServerDescription)
			w.mu.Unlock()
		})
	}
}

func attackD16(t *testing.T) {
	for name, fault := range map[string]authserver.Fault{"silent": authserver.Silent(), "a byte a second": authserver.Slow()} {
		t.Run(name+", the caller's deadline", func(t *testing.T) {
			w := newWorld(t)
			b := w.browser()
			callback := b.approve(b.start(""))
			w.srv.SetFaults(authserver.Token, fault)
			next := w.handlerFor(w.client)
			w.use(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				ctx, cancel := context.WithTimeout(r.Context(), 200*time.Millisecond)
				defer cancel()
				next.ServeHTTP(rw, r.WithContext(ctx))
			}))
			began := time.Now()
			w.wantFailure(b.get(callback), authcode.Timeout, "provider.timeout")
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("it took %v", took)
			}
			w.wantTokenRequests(1)
		})
	}
	t.Run("silent, ten seconds of our own", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		callback := b.approve(b.start(""))
		w.srv.SetFaults(authserver.Token, authserver.Silent())
		began := time.Now()
		w.wantFailure(b.get(callback), authcode.Timeout, "provider.timeout")
		if took := time.Since(began); took < 9*time.Second || took > 12*time.Second {
			t.Errorf("it took %v, want ten seconds", took)
		}
	})
}

func attackD17(t *testing.T) {
	for name, fault := range map[string]authserver.Fault{
		"10 MB": authserver.Big(), "endless": authserver.Endless(), "gzip bomb": authserver.GzipBomb(),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			b := w.browser()
			callback := b.approve(b.start(""))
			w.srv.SetFaults(authserver.Token, fault)
			w.wantFailure(b.get(callback), authcode.BadAnswer, "answer.size")
			w.wantTokenRequests(1)
		})
	}
	t.Run("1 MiB of headers", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		callback := b.approve(b.start(""))
		w.srv.SetFaults(authserver.Token, authserver.HugeHeaders())
		w.wantFailure(b.get(callback), authcode.Unreachable, "provider.unreachable")
	})
}

func attackD18(t *testing.T) {
	t.Run("200 with an error", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		callback := b.approve(b.start(""))
		w.srv.SetFaults(authserver.Token, authserver.Error(200, "bad_verification_code", "The code passed is incorrect or expired."))
		w.wantFailure(b.get(callback), authcode.GrantRejected, "answer.error")
	})
	t.Run("a form-encoded token without expires_in", func(t *testing.T) {
		w := newWorld(t)
		b := w.browser()
		callback := b.approve(b.start(""))
		w.srv.SetFaults(authserver.Token, authserver.FormEncoded(), authserver.Drop("expires_in"))
		w.wantStatus(b.get(callback), http.StatusSeeOther)
		if token := w.lastLogin().Token; token.AccessToken == "" || !token.Expiry.IsZero() || !token.Valid() {
			t.Error("want a valid token of unknown expiry")
		}
	})
}

func attackD20(t *testing.T) {
	w := newWorld(t)
	b := w.browser()
	callback := b.approve(b.start("?next=/kept"))
	w.configure() // another instance, or the same after a restart
	resp := b.get(callback)
	w.wantStatus(resp, http.StatusSeeOther)
	if got := resp.Header.Get("Location"); got != "/kept" {
		t.Errorf("went to %q, want /kept", got)
	}
}
