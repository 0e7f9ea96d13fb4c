package test

import (
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

func formPost(c *config) { c.Provider.FormPost = true }

// formWorld is a world whose provider answers by form_post, and the values of
// one answer.
func formWorld(t *testing.T) (*world.World, *world.Browser, url.Values) {
	w := world.New(t, formPost)
	b := w.Browser()
	target := b.Start("")
	if world.Param(target, "response_mode") != "form_post" {
		t.Error("the provider was not asked for form_post")
	}
	// The same answer in the query, for the test to put where it wants.
	u, _ := url.Parse(b.Approve(world.With(target, "response_mode", "query")))
	return w, b, u.Query()
}

// formPosts are answers by form_post that are refused. VALUES are the good
// parameters.
var formPosts = []struct {
	name, method, query, kind, body string
	reason                          authcode.Reason
	check                           string
}{
	{"GET is refused", "GET", "VALUES", "", "", authcode.WrongMethod, "callback.method"},
	{"the query does not count", "POST", "VALUES", formType, "",
		authcode.Malformed, "callback.empty"},
	{"another content type is refused", "POST", "", "text/plain", "VALUES",
		authcode.Malformed, "callback.content_type"},
	{"a missing content type is refused", "POST", "", "", "VALUES",
		authcode.Malformed, "callback.content_type"},
	{"a repeated parameter is refused", "POST", "", formType, "VALUES&code=x",
		authcode.Malformed, "callback.repeated"},
	{"17 KiB are refused", "POST", "", formType, "VALUES&a=" + strings.Repeat("a", 17<<10),
		authcode.Malformed, "callback.size"},
}

func TestFormPostCallback(t *testing.T) {
	w, b, values := formWorld(t)
	callback := w.App.URL + "/callback"
	fill := strings.NewReplacer("VALUES", values.Encode())
	for _, c := range formPosts {
		t.Run(c.name, func(t *testing.T) {
			w.In(t)
			resp := b.Do(b.Request(c.method, callback+"?"+fill.Replace(c.query),
				fill.Replace(c.body), "Content-Type", c.kind))
			w.WantFailure(resp, c.reason, c.check)
			w.WantTokenRequests(0)
		})
	}
	t.Run("a browser without the login is refused", func(t *testing.T) {
		w.In(t)
		w.WantFailure(w.Browser().PostAnswer(callback, values.Encode()),
			authcode.NoLogin, "cookie.missing")
		w.WantTokenRequests(0)
	})
	w.WantStatus(b.PostAnswer(callback+"?code=of-the-query&code=x", values.Encode()),
		http.StatusSeeOther)
	w.WantTokenRequests(1)
	w.WantFailure(b.Post(callback, formType, values.Encode()), authcode.AlreadyUsed, "state.used")
}

// TestFormPostWithoutACookie: an answer without cookie leads to the finishing
// request only if it may be the second one to a state of this app.
func TestFormPostWithoutACookie(t *testing.T) {
	w, _, values := formWorld(t)
	callback := w.App.URL + "/callback"
	// The page with the answer posts it from the app's own origin.
	w.WantFailure(w.Browser().Post(callback+"?login=x", formType, values.Encode()),
		authcode.NoLogin, "cookie.missing")
	state, err := base64.RawURLEncoding.DecodeString(values.Get("state"))
	if err != nil {
		t.Fatal(err)
	}
	state[len(state)-1] ^= 1
	values.Set("state", base64.RawURLEncoding.EncodeToString(state))
	w.WantFailure(crossPost(w, w.Browser(), callback, values.Encode()),
		authcode.Forged, "state.tag")
}

func TestFormPostCallbackBehindAMiddlewareThatReadTheForm(t *testing.T) {
	w, b, values := formWorld(t)
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		next.ServeHTTP(rw, r)
	})
	w.WantFailure(b.Post(w.App.URL+"/callback", formType, values.Encode()+"&code=x"),
		authcode.Malformed, "callback.repeated")
	w.WantFailure(b.Post(w.App.URL+"/callback", formType,
		values.Encode()+"&a="+strings.Repeat("a", 17<<10)), authcode.Malformed, "callback.size")
	w.WantStatus(b.PostAnswer(w.App.URL+"/callback?code=x", values.Encode()), http.StatusSeeOther)
	w.WantTokenRequests(1)
}

func TestAFormPostBodyThatBreaksOffIsRefused(t *testing.T) {
	w, b, values := formWorld(t)
	r := b.Request("POST", w.App.URL+"/callback", "", "Content-Type", formType)
	body := io.MultiReader(strings.NewReader(values.Encode()), iotest.ErrReader(io.ErrUnexpectedEOF))
	r.Body = io.NopCloser(body)
	_, err := w.Client.Exchange(httptest.NewRecorder(), r)
	world.WantError(t, err, authcode.Malformed, "callback.body")
	w.WantTokenRequests(0)
	w.WantStatus(b.PostAnswer(w.App.URL+"/callback", values.Encode()), http.StatusSeeOther)
}

// TestAFinishingRequestInAFrame: a provider's page in a frame leads to a GET
// that looks like one of another site. It is not a second answer.
func TestAFinishingRequestInAFrame(t *testing.T) {
	w, b, values := formWorld(t)
	target := finishing(w, crossPost(w, b, w.App.URL+"/callback", values.Encode(),
		b.LoginCookies()[0]))
	w.WantStatus(b.Get(target, "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate",
		"Sec-Fetch-Dest", "iframe"), http.StatusSeeOther)
	w.WantTokenRequests(1)
}

// TestFormPostAgainDuringTheTokenRequest: the second POST drops the request that
// redeems the code. It brings no cookie by then, and leads to the same login.
func TestFormPostAgainDuringTheTokenRequest(t *testing.T) {
	w, b, values := formWorld(t)
	callback := w.App.URL + "/callback"
	target := finishing(w, crossPost(w, b, callback, values.Encode(), b.LoginCookies()[0]))
	g := newGate(t, w)
	first := send(w, b, target)
	g.holding()
	resp := crossPost(w, b, callback, values.Encode())
	w.WantFailure(w.Browser().Get(target), authcode.AlreadyUsed, "state.running")
	second := send(w, b, target)
	g.waiting(1)
	first.drop()
	g.open()
	if again := finishing(w, resp); again != target {
		t.Errorf("the second POST led to %s, want %s", again, target)
	}
	if got := second.status(); got != http.StatusSeeOther {
		t.Errorf("the second request was answered with %d, want 303", got)
	}
	w.WantTokenRequests(1)
}
