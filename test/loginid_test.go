package test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// finishAt is the request that finishes a form_post login at the URL target,
// with what a POST has set.
func finishAt(target string, rec *httptest.ResponseRecorder) *http.Request {
	r := world.Get(target)
	for _, cookie := range rec.Result().Cookies() {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	return r
}

// keptAnswer posts the answer to l. It returns the request that finishes l.
func keptAnswer(t *testing.T, c *authcode.Client, l *world.Pending) *http.Request {
	t.Helper()
	rec := postedAnswer(t, c, l, authcode.Continued, "callback.form_post", l.Cookies[0])
	return finishAt(world.RedirectURL+rec.Header().Get("Location"), rec)
}

// idOf is the id in the name of the cookie of l.
func idOf(l *world.Pending) string {
	name := l.Cookies[0].Name
	return name[len(name)-26:]
}

// TestAnswerOfALongerName: the provider's name of one Client may begin with that
// of another. Neither finishes the login of the other one.
func TestAnswerOfALongerName(t *testing.T) {
	p := world.Answering(200, world.TokenJSON)
	named := func(name string) *authcode.Client {
		return world.Client(t, p, formPost, func(c *config) { c.Provider.Name = name })
	}
	for _, row := range [][2]string{{"x", "x-y"}, {"x-y", "x"}, {"x", "x-x"}, {"x", "x-0"}} {
		began, other := named(row[1]), named(row[0])
		r := keptAnswer(t, began, world.Begin(t, began, nil))
		_, err := other.Exchange(httptest.NewRecorder(), r)
		world.WantError(t, err, authcode.NoLogin, "cookie.missing")
		if _, err := began.Exchange(httptest.NewRecorder(), r); err != nil {
			t.Errorf("%s: %v", row[1], err)
		}
	}
}

// knownIDs is what somebody who knows the id of a login may ask for. ID is the
// id of the login, and USED that of another one, which has ended.
var knownIDs = []struct {
	claim, query string
	reason       authcode.Reason
	check        string
}{
	{"the id alone", "login=ID", authcode.NoLogin, "cookie.missing"},
	{"with a code", "login=ID&code=c", authcode.Malformed, "callback.login"},
	{"the id twice", "login=ID&login=ID", authcode.Malformed, "callback.repeated"},
	{"the id of a login that has ended", "login=USED", authcode.AlreadyUsed, "state.used"},
	{"that with a line break", "login=USED%0A", authcode.NoLogin, "cookie.missing"},
	{"that with a line break in front", "login=%0D%0AUSED", authcode.NoLogin, "cookie.missing"},
	{"that with padding", "login=USED%3D%3D", authcode.NoLogin, "cookie.missing"},
	{"that with a space", "login=USED+", authcode.NoLogin, "cookie.missing"},
	{"that with a NUL", "login=USED%00", authcode.NoLogin, "cookie.missing"},
	{"an id of zeros", "login=" + strings.Repeat("0", 26), authcode.NoLogin, "cookie.missing"},
	{"line breaks alone", "login=" + strings.Repeat("%0A", 26), authcode.NoLogin, "cookie.missing"},
	{"a long id", "login=" + strings.Repeat("A", 8<<10), authcode.NoLogin, "cookie.missing"},
	{"a name in percent-escapes", "%6cogin=USED", authcode.AlreadyUsed, "state.used"},
	{"another parameter of the name", "login=ID&%6Cogin=USED", authcode.Malformed,
		"callback.repeated"},
}

// TestIDIsNoCredential: who knows the id of a login, which stands in a URL, can
// neither finish it nor use it up.
func TestIDIsNoCredential(t *testing.T) {
	store := &usedStates{seen: make(map[string]time.Time)}
	p := world.Answering(200, world.TokenJSON)
	c := world.Client(t, p, formPost, func(c *config) { c.UsedStates = store })
	ended, pending := world.Begin(t, c, nil), world.Begin(t, c, nil)
	if _, err := c.Exchange(httptest.NewRecorder(), keptAnswer(t, c, ended)); err != nil {
		t.Fatal(err)
	}
	own := keptAnswer(t, c, pending)
	fill := strings.NewReplacer("ID", idOf(pending), "USED", idOf(ended))
	for _, row := range knownIDs {
		t.Run(row.claim, func(t *testing.T) {
			r := world.Get(world.RedirectURL + "?" + fill.Replace(row.query))
			_, err := c.Exchange(httptest.NewRecorder(), r)
			world.WantError(t, err, row.reason, row.check)
			if len(store.seen) != 1 {
				t.Errorf("%d logins are used, want 1", len(store.seen))
			}
		})
	}
	// A cookie of the attacker's own under the victim's name.
	planted := world.Get(own.URL.String())
	planted.AddCookie(&http.Cookie{Name: pending.Cookies[0].Name,
		Value: keptAnswer(t, c, world.Begin(t, c, nil)).Cookies()[0].Value})
	_, err := c.Exchange(httptest.NewRecorder(), planted)
	world.WantError(t, err, authcode.Forged, "cookie.seal")
	if _, err := c.Exchange(httptest.NewRecorder(), own); err != nil {
		t.Error(err)
	}
	p.WantRequests(t, 2, "/token")
}

// rotations are the keys of the instances that begin, answer and finish one
// login. Only one with form_post needs the second.
var rotations = map[string][3]string{
	"the same keys":                      {"a", "a", "a"},
	"a new key after the start":          {"a", "ba", "ba"},
	"a new key after the answer":         {"a", "a", "ba"},
	"a new key behind the old one":       {"a", "ab", "ba"},
	"keys in another order":              {"ab", "ba", "ab"},
	"keys in another order at the end":   {"ba", "ba", "ab"},
	"keys in another order in between":   {"ba", "ab", "ba"},
	"keys in another order from then on": {"ab", "ba", "ba"},
}

// TestOneIDOnAllInstances: a login has the id of its cookie's name in the used
// states, whichever key an instance has first.
func TestOneIDOnAllInstances(t *testing.T) {
	for claim, letters := range rotations {
		for _, posts := range []bool{false, true} {
			store := &usedStates{seen: make(map[string]time.Time)}
			p := world.Answering(200, world.TokenJSON)
			var at [3]*authcode.Client
			for i := range at {
				at[i] = world.Client(t, p, func(c *config) {
					c.CookieKeys = nil
					for _, letter := range []byte(letters[i]) {
						c.CookieKeys = append(c.CookieKeys, world.Key(letter))
					}
					c.UsedStates, c.Provider.FormPost = store, posts
				})
			}
			l := world.Begin(t, at[0], nil)
			r := l.Callback()
			if posts {
				r = keptAnswer(t, at[1], l)
			}
			if _, err := at[2].Exchange(httptest.NewRecorder(), r); err != nil {
				t.Errorf("%s: %v", claim, err)
			}
			if _, ok := store.seen[idOf(l)]; !ok || len(store.seen) != 1 {
				t.Errorf("%s: used are %v, want %s", claim, store.seen, idOf(l))
			}
		}
	}
}

// reloads are the requests that finish a login, sent again without its cookie.
var reloads = map[string]func(t *testing.T, c *authcode.Client, l *world.Pending) *http.Request{
	"a GET": func(_ *testing.T, _ *authcode.Client, l *world.Pending) *http.Request {
		return l.Callback()
	},
	"the GET after a POST": keptAnswer,
	"the POST of a page": func(_ *testing.T, _ *authcode.Client, l *world.Pending) *http.Request {
		body := url.Values{"code": {"c0de"}, "state": l.Query["state"], "iss": {world.Issuer}}
		r := httptest.NewRequest("POST", world.RedirectURL+"?login="+idOf(l),
			strings.NewReader(body.Encode()))
		r.Header.Set("Content-Type", formType)
		r.AddCookie(&http.Cookie{Name: l.Cookies[0].Name, Value: l.Cookies[0].Value})
		return r
	},
}

// TestReloadOfAFinishedLogin: a reload is told what became of the login, by each
// way to finish one.
func TestReloadOfAFinishedLogin(t *testing.T) {
	for claim, finish := range reloads {
		for status, check := range map[int]string{200: "state.used", 500: "state.failed"} {
			t.Run(claim+" is told "+check, func(t *testing.T) {
				c := world.Client(t, world.Answering(status, world.TokenJSON), func(c *config) {
					c.Provider.FormPost = claim != "a GET"
				})
				l := world.Begin(t, c, nil)
				_, err := c.Exchange(httptest.NewRecorder(), finish(t, c, l))
				if (err == nil) != (status == 200) {
					t.Fatal(err)
				}
				again := finish(t, c, l)
				again.Header.Del("Cookie")
				_, err = c.Exchange(httptest.NewRecorder(), again)
				e := world.WantError(t, err, authcode.AlreadyUsed, check)
				if (e.ContinueURL == "/home") != (status == 200) {
					t.Errorf("it leads on to %q", e.ContinueURL)
				}
			})
		}
	}
}
