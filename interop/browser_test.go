package interop

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// scenarios are what people do. Each runs in a fresh jar against every world.
var scenarios = []struct {
	name string
	run  func(*testing.T, *world)
}{
	{"approve", approves},
	{"deny and start again", denies},
	{"two tabs, first one first", func(t *testing.T, w *world) { twoTabs(t, w, false) }},
	{"two tabs, last one first", func(t *testing.T, w *world) { twoTabs(t, w, true) }},
	{"back and reload after success", goesBack},
	{"refresh and sign out", refreshesAndLeaves},
	{"opened under another name of the host", opensElsewhere},
}

func TestChromium(t *testing.T) {
	for _, c := range []struct {
		name  string
		world func(*testing.T) *world
	}{
		{"demo", func(t *testing.T) *world {
			w := demoWorld(t)
			w.shot = "demo"
			return w
		}},
		{"authserver", func(t *testing.T) *world { return authserverWorld(t) }},
		{"oidc-provider, basic", func(t *testing.T) *world { return oidcWorld(t, plainProvider(t), peers[0]) }},
		{"oidc-provider, https", func(t *testing.T) *world {
			w := oidcWorld(t, secureProvider(t), peers[0], withCertificate(t)...)
			w.shot = "oidc-https"
			return w
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			haveChromium(t)
			w := c.world(t)
			for _, s := range scenarios {
				t.Run(s.name, func(t *testing.T) { s.run(t, w) })
			}
		})
	}
	for _, p := range peers[1:] {
		t.Run("oidc-provider, "+p.name, func(t *testing.T) {
			haveChromium(t)
			approves(t, oidcWorld(t, plainProvider(t), p))
		})
	}
}

// begin goes from the home page of authcode try to the provider's consent page.
func (b *tab) begin(w *world) {
	b.t.Helper()
	b.open(w.app)
	b.shows("login-" + w.name)
	b.take(w, "1-home")
	b.run(chromedp.Click(chromedp.ID("login-" + w.name)))
	b.consent(w)
}

// consent goes on from the provider's first page to its consent page.
func (b *tab) consent(w *world) {
	b.t.Helper()
	if w.signIn != "" {
		b.shows(w.signIn)
		b.take(w, "2-sign-in")
		b.run(chromedp.Click(chromedp.ID(w.signIn)))
	}
	b.shows("approve")
	b.take(w, "3-consent")
}

func (b *tab) take(w *world, name string) {
	if w.shot != "" {
		b.shoot(w.shot + "-" + name)
	}
}

// leads expects the tab to be signed in, at this path of authcode try.
func (b *tab) leads(w *world, path string) {
	b.t.Helper()
	if at := b.address(); at != w.app+path {
		b.t.Fatalf("the tab is at %s, want %s", at, w.app+path)
	}
	if path == "/" && b.text("#who") == "" {
		b.t.Fatal("the page does not say who is signed in")
	}
}

// asked expects the provider to have seen this many token requests since before.
func asked(t *testing.T, w *world, before, want int) {
	t.Helper()
	if w.tokenRequests == nil {
		return
	}
	if got := w.tokens() - before; got != want {
		t.Errorf("%d token requests, want %d", got, want)
	}
}

func approves(t *testing.T, w *world) {
	b, before := openTab(t), w.tokens()
	b.begin(w)
	b.pending(w, 1)
	b.click("approve", "who")
	b.leads(w, "/")
	b.take(w, "4-signed-in")
	if api := b.text("#api"); !strings.Contains(api, "200 OK") {
		t.Errorf("the API call with the token shows %q", api)
	}
	b.pending(w, 0)
	b.session(w)
	b.sentOnce(w, http.MethodGet)
	asked(t, w, before, 1)
}

func denies(t *testing.T, w *world) {
	b, before := openTab(t), w.tokens()
	b.begin(w)
	b.click("deny", "login")
	b.take(w, "5-denied")
	if m := b.last(t, w.callback()); m.status != http.StatusForbidden {
		t.Errorf("the callback answered %d, want 403", m.status)
	}
	if w.signIn != "" { // oidc-provider says why, and the page shows it as the provider's own words
		if said := b.text("#said-description"); said != "the person said no" {
			t.Errorf("the page quotes the provider with %q", said)
		}
	}
	b.pending(w, 0)
	asked(t, w, before, 0)

	// "Start again" on the failure page; oidc-provider knows who this is by now.
	b.click("login", "approve")
	b.click("approve", "who")
	b.leads(w, "/")
	asked(t, w, before, 1)
}

// twoTabs starts a login in each of two tabs. Both finish, each on its own page.
func twoTabs(t *testing.T, w *world, lastFirst bool) {
	one, before := openTab(t), w.tokens()
	two := one.another()
	one.open(w.app + "/private?tab=1")
	if w.signIn != "" {
		one.shows(w.signIn)
	}
	two.open(w.app + "/private?tab=2")
	one.consent(w)
	two.consent(w)
	one.pending(w, 2)
	order := []*tab{one, two}
	paths := []string{"/private?tab=1", "/private?tab=2"}
	for i := range order {
		if lastFirst {
			i = 1 - i
		}
		order[i].click("approve", "private")
		order[i].leads(w, paths[i])
	}
	one.pending(w, 0)
	asked(t, w, before, 2)
}

// goesBack does after a login what people do: back, forward, reload, and the callback
// once more. Nothing of it asks for a token, and the person stays signed in.
func goesBack(t *testing.T, w *world) {
	b, before := openTab(t), w.tokens()
	b.begin(w)
	b.click("approve", "who")
	b.run(chromedp.Reload())
	b.leads(w, "/")
	b.run(chromedp.NavigateBack())
	if at := b.address(); strings.HasPrefix(at, w.app+"/auth/") {
		t.Errorf("back leads to %s: the callback stayed in the history", at)
	}
	if w.signIn == "" {
		b.click("approve", "continue") // the server asks again and answers the same login again
	} else {
		b.run(chromedp.NavigateForward())
		b.leads(w, "/")
	}

	b.open(b.last(t, w.callback()).url)
	b.shows("continue")
	b.take(w, "6-already-used")
	if m := b.last(t, w.callback()); m.status != http.StatusConflict {
		t.Errorf("the callback answered %d the second time, want 409", m.status)
	}
	b.run(chromedp.Reload())
	b.click("continue", "who")
	b.leads(w, "/")
	asked(t, w, before, 1)
}

func refreshesAndLeaves(t *testing.T, w *world) {
	b, before := openTab(t), w.tokens()
	b.begin(w)
	b.click("approve", "who")
	b.click("refresh", "notice")
	b.take(w, "8-refreshed")
	if api := b.text("#api"); !strings.Contains(api, "200 OK") {
		t.Errorf("the API call with the refreshed token shows %q", api)
	}
	asked(t, w, before, 2)
	b.click("signout", "login-"+w.name)
	b.take(w, "9-signed-out")
	b.run(chromedp.Reload())
	b.shows("login-" + w.name)
}

// opensElsewhere begins on 127.0.0.1 although the app lives on localhost, where its cookie does
// not go. authcode try sends the person over before the login begins.
func opensElsewhere(t *testing.T, w *world) {
	b, before := openTab(t), w.tokens()
	b.open(strings.Replace(w.start(), "localhost", "127.0.0.1", 1))
	b.consent(w)
	b.take(w, "10-another-host")
	b.click("approve", "who")
	b.leads(w, "/")
	b.pending(w, 0)
	asked(t, w, before, 1)
}
