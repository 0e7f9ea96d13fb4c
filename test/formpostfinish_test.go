package test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"example.com/authcode/test/world"
)

// crossPost is the provider's page that posts its answer: a request of another
// site, with SameSite=None cookies alone. What it sets, the browser keeps.
func crossPost(w *world.World, b *world.Browser, target, body string, cookies ...*http.Cookie,
) *world.Response {
	t := w.TB()
	t.Helper()
	other := w.Browser()
	r := other.Request("POST", target, body, "Content-Type", formType,
		"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate",
		"Origin", "https://provider.example")
	for _, c := range cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	resp := other.Do(r)
	b.HTTP.Jar.SetCookies(r.URL, resp.Cookies())
	return resp
}

// finishing is the request that a POST was answered with.
func finishing(w *world.World, resp *world.Response) string {
	w.TB().Helper()
	to := resp.Header.Get("Location")
	if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "?login=") {
		w.TB().Fatalf("the POST answered %d to %q: %s", resp.StatusCode, to, resp.Text)
	}
	return w.App.URL + "/callback" + to
}

// TestFormPostKeepsTheAppsSession is D23: the app's handler sees its Lax session
// cookie, which the provider's POST does not bring.
func TestFormPostKeepsTheAppsSession(t *testing.T) {
	w, b, values := formWorld(t)
	session := ""
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if c, err := r.Cookie("session"); err == nil && r.Method == http.MethodGet {
			session = c.Value
		}
		next.ServeHTTP(rw, r)
	})
	b.SetCookie("session", "of-the-account")
	pending := b.LoginCookies()[0]
	resp := crossPost(w, b, w.App.URL+"/callback", values.Encode(), pending)
	target := finishing(w, resp)
	w.WantTokenRequests(0)
	if len(w.Logins())+len(w.Errors()) > 0 || resp.Text != "" {
		t.Error("the POST reached the app")
	}
	world.WantHeaders(t, resp.Header, "no-referrer")
	wantKept(t, pending, resp.Cookies())
	for _, secret := range []string{values.Get("code"), values.Get("state")} {
		if strings.Contains(target+resp.Cookies()[0].Raw, secret) {
			t.Error("a code or state is in the open")
		}
	}
	if !strings.HasSuffix(pending.Name, "-"+world.Param(target, "login")) {
		t.Errorf("the hash of %s is not that of the cookie %s", target, pending.Name)
	}
	w.WantStatus(b.Get(target), http.StatusSeeOther)
	w.WantTokenRequests(1)
	if session != "of-the-account" || len(b.LoginCookies()) > 0 {
		t.Errorf("session %q, %d login cookies", session, len(b.LoginCookies()))
	}
	again := b.Get(target)
	w.WantFailure(again, authcode.AlreadyUsed, "state.used")
	if !strings.Contains(again.Text, `href="/home"`) {
		t.Error("a reload offers no way on")
	}
	w.WantTokenRequests(1)
}

// wantKept checks that the POST replaced the cookie of the pending login.
func wantKept(t *testing.T, pending *http.Cookie, set []*http.Cookie) {
	t.Helper()
	if len(set) != 1 || set[0].Name != pending.Name || set[0].MaxAge != 60 ||
		set[0].SameSite != http.SameSiteLaxMode || !set[0].Secure || !set[0].HttpOnly ||
		set[0].Path != "/" || len(set[0].Name)+len(set[0].Value) > 4000 {
		t.Fatalf("the POST set %v", set)
	}
}

// TestFormPostTwoTabs: each tab finishes its own login, in either order.
func TestFormPostTwoTabs(t *testing.T) {
	w := world.New(t, formPost)
	b := w.Browser()
	var targets []string
	for _, path := range []string{"/one", "/two"} {
		before := b.LoginCookies()
		start := b.Start("?next=" + path)
		mine := b.LoginCookies()
		u, _ := url.Parse(b.Approve(world.With(start, "response_mode", "query")))
		for _, c := range mine {
			if len(before) == 0 || c.Name != before[0].Name {
				targets = append(targets,
					finishing(w, crossPost(w, b, w.App.URL+"/callback", u.RawQuery, c)))
			}
		}
	}
	for i, path := range []string{"/two", "/one"} {
		if got := b.Get(targets[1-i]).Header.Get("Location"); got != path {
			t.Errorf("went to %q, want %q", got, path)
		}
	}
	w.WantTokenRequests(2)
}

// finishes are finishing requests that are refused. TARGET is the good one.
var finishes = []struct {
	claim, method, target string
	header                []string
	reason                authcode.Reason
	check                 string
}{
	{"a code beside it", "GET", "TARGET&code=x", nil, authcode.Malformed, "callback.login"},
	{"a state beside it", "GET", "TARGET&state=x", nil, authcode.Malformed, "callback.login"},
	{"an error beside it", "GET", "TARGET&error=x", nil, authcode.Malformed, "callback.login"},
	{"an iss beside it", "GET", "TARGET&iss=x", nil, authcode.Malformed, "callback.login"},
	{"a signed response beside it", "GET", "TARGET&response=x", nil, authcode.Malformed,
		"callback.login"},
	{"two hashes", "GET", "TARGET&login=x", nil, authcode.Malformed, "callback.repeated"},
	{"a malformed query", "GET", "TARGET&a=%zz", nil, authcode.Malformed, "callback.encoding"},
	{"another hash", "GET", "BARE?login=0123456789abcdef", nil, authcode.NoLogin, "cookie.missing"},
	{"a part of the hash", "GET", "CUT", nil, authcode.NoLogin, "cookie.missing"},
	{"an empty hash", "GET", "BARE?login=", nil, authcode.NoLogin, "cookie.missing"},
	{"no parameters at all", "GET", "BARE", nil, authcode.Malformed, "callback.empty"},
	{"HEAD", "HEAD", "TARGET", nil, authcode.WrongMethod, "callback.method"},
	{"a script", "GET", "TARGET", []string{"Sec-Fetch-Mode", "cors"}, authcode.NotNavigation,
		"callback.navigation"},
}

func TestFinishingRequestIsChecked(t *testing.T) {
	w, b, values := formWorld(t)
	target := finishing(w, crossPost(w, b, w.App.URL+"/callback", values.Encode(),
		b.LoginCookies()[0]))
	fill := strings.NewReplacer("TARGET", target, "BARE", w.App.URL+"/callback",
		"CUT", target[:len(target)-1])
	for _, row := range finishes {
		t.Run(row.claim, func(t *testing.T) {
			w.In(t)
			resp := b.Do(b.Request(row.method, fill.Replace(row.target), "", row.header...))
			w.WantRefusal(resp, row.reason, row.check)
			w.WantTokenRequests(0)
		})
	}
	w.WantStatus(b.Get(target, "Sec-Purpose", "prefetch"), http.StatusNoContent)
	w.WantFailure(w.Browser().Get(target), authcode.NoLogin, "cookie.missing")
	w.WantStatus(b.Get(target), http.StatusSeeOther)
	w.WantTokenRequests(1)
}

// TestAnswerCookieIsSealed: what a browser cannot have been given opens nothing.
func TestAnswerCookieIsSealed(t *testing.T) {
	w, b, values := formWorld(t)
	pending := b.LoginCookies()[0]
	target := finishing(w, crossPost(w, b, w.App.URL+"/callback", values.Encode(), pending))
	kept := b.LoginCookies()[0]
	flip := []byte(kept.Value)
	flip[len(flip)/2] ^= 1
	for claim, row := range map[string]struct{ cookie, check string }{
		"a changed one":                   {kept.Name + "=" + string(flip), "cookie.seal"},
		"a cut one":                       {kept.Name + "=" + kept.Value[:40], "cookie.seal"},
		"one of a login without answer":   {kept.Name + "=" + pending.Value, "callback.login"},
		"that with the mark of an answer": {kept.Name + "=." + pending.Value, "cookie.seal"},
		"an answer without its mark":      {kept.Name + "=" + kept.Value[1:], "callback.login"},
		"two of the name": {kept.Name + "=" + kept.Value + "; " + kept.Name + "=" +
			kept.Value, "cookie.repeated"},
		"another start of the same hash": {strings.Replace(kept.Name, "-m", "-l", 1) + "=" +
			kept.Value, "cookie.seal"},
		"another provider's of the same hash": {strings.Replace(kept.Name, "login-", "login-x-",
			1) + "=" + kept.Value, "cookie.missing"},
	} {
		t.Run(claim, func(t *testing.T) {
			w.In(t)
			resp := w.Browser().Get(target, "Cookie", row.cookie)
			if w.WantStatus(resp, 400); w.LastError().Check != row.check {
				t.Errorf("got %v, want %s", w.LastError(), row.check)
			}
			w.WantTokenRequests(0)
		})
	}
	// An answer's cookie is no pending login's.
	forged := w.Browser().Request("POST", w.App.URL+"/callback", values.Encode(),
		"Content-Type", formType, "Cookie", kept.Name+"="+kept.Value[1:])
	w.WantRefusal(w.Browser().Do(forged), authcode.Forged, "cookie.seal")
	w.WantStatus(b.Get(target), http.StatusSeeOther)
}

// TestAnswerCookieEnds: a minute after the POST the answer is refused, with or
// without the browser's help.
func TestAnswerCookieEnds(t *testing.T) {
	for after, check := range map[time.Duration]string{
		59 * time.Second: "", 2*time.Minute + 2*time.Second: "login.age",
	} {
		bubble.Test(t, func(t *testing.T) {
			c := world.Client(t, &world.Provider{}, formPost)
			l := world.Begin(t, c, world.Get(next("/cart")))
			rec := postedAnswer(t, c, l, authcode.Continued, "callback.form_post", l.Cookies[0])
			time.Sleep(after)
			get := world.Get(world.RedirectURL + rec.Header().Get("Location"))
			get.AddCookie(rec.Result().Cookies()[0])
			_, err := c.Exchange(httptest.NewRecorder(), get)
			world.WantOutcome(t, err, authcode.Expired, check)
			if check != "" && world.Param(world.WantError(t, err, authcode.Expired,
				check).LoginURL, "next") != "/cart" {
				t.Error("the return path is lost")
			}
		})
	}
}

// postedAnswer brings the answer to l by POST, with these cookies.
func postedAnswer(t *testing.T, c *authcode.Client, l *world.Pending, reason authcode.Reason,
	check string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	t.Helper()
	rec := httptest.NewRecorder()
	body := url.Values{"code": {"c0de"}, "state": l.Query["state"], "iss": {world.Issuer}}
	r := posted(formType, body.Encode())
	for _, cookie := range cookies {
		r.AddCookie(cookie)
	}
	_, err := c.Exchange(rec, r)
	world.WantError(t, err, reason, check)
	return rec
}

// TestFormPostWithoutItsCookie: what the state alone explains is told at once.
func TestFormPostWithoutItsCookie(t *testing.T) {
	bubble.Test(t, func(t *testing.T) {
		c := world.Client(t, &world.Provider{}, formPost)
		elsewhere := world.Begin(t, c, world.Get("https://www.app.example/auth/x"))
		postedAnswer(t, c, elsewhere, authcode.NoLogin, "cookie.host")
		here := world.Begin(t, c, nil)
		postedAnswer(t, c, here, authcode.Continued, "callback.form_post")
		time.Sleep(10*time.Minute + time.Second)
		postedAnswer(t, c, here, authcode.Expired, "state.age")
	})
}

// TestAnswerKeys: every key opens an answer, the first one seals.
func TestAnswerKeys(t *testing.T) {
	with := func(keys ...[]byte) *authcode.Client {
		return world.Client(t, &world.Provider{}, formPost, func(c *config) { c.CookieKeys = keys })
	}
	before, after := with(world.Key('a')), with(world.Key('b'), world.Key('a'))
	l := world.Begin(t, before, nil)
	for _, row := range []struct {
		post, get *authcode.Client
		check     string
	}{{after, before, "cookie.seal"}, {before, with(world.Key('b')), "cookie.seal"},
		{before, after, ""}} {
		rec := postedAnswer(t, row.post, l, authcode.Continued, "callback.form_post", l.Cookies[0])
		get := world.Get(world.RedirectURL + rec.Header().Get("Location"))
		get.AddCookie(rec.Result().Cookies()[0])
		_, err := row.get.Exchange(httptest.NewRecorder(), get)
		world.WantOutcome(t, err, authcode.Forged, row.check)
	}
}

// TestFormPostDeliveredTwice: after a double click the second POST comes without
// the cookie, which is Lax by then. Both lead to one login.
func TestFormPostDeliveredTwice(t *testing.T) {
	w, b, values := formWorld(t)
	pending, callback := b.LoginCookies()[0], w.App.URL+"/callback"
	first := finishing(w, crossPost(w, b, callback, values.Encode(), pending))
	kept := b.LoginCookies()[0]
	for _, cookies := range [][]*http.Cookie{nil, {kept}} {
		resp := crossPost(w, b, callback, values.Encode(), cookies...)
		if again := finishing(w, resp); again != first || len(resp.Cookies()) > 0 {
			t.Errorf("the second POST led to %q and set %v", again, resp.Cookies())
		}
	}
	w.WantStatus(b.Get(first), http.StatusSeeOther)
	w.WantFailure(crossPost(w, b, callback, values.Encode()), authcode.AlreadyUsed, "state.used")
	w.WantTokenRequests(1)
}
