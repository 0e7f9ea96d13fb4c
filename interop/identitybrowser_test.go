package interop

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// identityWorld is authcode try against s, and the issuer of s.
func identityWorld(t *testing.T, s realServer) (w *world, issuer string) {
	t.Helper()
	issuer, register := s.run(t)
	w = &world{name: s.name, shot: "identity-" + s.name}
	w.app = startTry(t, peers[0].secret, "-algorithms", cmp.Or(s.alg, "RS256"),
		"-name", w.name, "-issuer", issuer, "-client-id", clientID(t, peers[0]))
	register(w.callback())
	return w, issuer
}

// signsIn goes from the home page of authcode try over the pages of s to the page that says who it is.
func (b *tab) signsIn(w *world, s realServer) {
	b.t.Helper()
	b.open(w.app)
	b.shows("login-" + w.name)
	b.run(chromedp.Click(chromedp.ID("login-" + w.name)))
	for _, step := range s.steps {
		on := chromedp.CSS(step.selector)
		b.run(chromedp.WaitVisible(on))
		if step.text == "" {
			b.take(w, "1-provider")
			b.run(chromedp.Click(on))
		} else {
			b.run(chromedp.SendKeys(on, step.text))
		}
	}
	b.shows("who")
	b.leads(w, "/")
}

func TestChromiumIdentity(t *testing.T) {
	everywhere(t, func(t *testing.T, s realServer) {
		haveChromium(t)
		w, issuer := identityWorld(t, s)
		b := openTab(t)
		b.signsIn(w, s)
		b.take(w, "2-identity")
		if got := b.text("#issuer") + " " + b.text("#subject"); got != issuer+" "+s.who.Subject {
			t.Errorf("the page names %q, want %s %s", got, issuer, s.who.Subject)
		}
		if api := b.text("#api"); !strings.Contains(api, "200 OK") || !strings.Contains(api, s.who.Subject) {
			t.Errorf("the API call with the token shows %q", api)
		}
		if got := b.text("#email") + " " + b.text("#verified"); got != s.who.Email+" verified" {
			t.Errorf("the page shows %q, want %s, verified", got, s.who.Email)
		}
		var claims map[string]any
		err := json.Unmarshal([]byte(b.text("#claims")), &claims)
		if err != nil || claims["sub"] != s.who.Subject {
			t.Errorf("the claims are %v (%v)", claims, err)
		}
		b.click("signout", "login-"+w.name)
	})
}

// Signing out at the provider too: its page asks, and the browser comes back signed out of both.
func TestChromiumLeavesTheProvider(t *testing.T) {
	haveChromium(t)
	s := realServers[0]
	w, _ := identityWorld(t, s)
	b := openTab(t)
	b.signsIn(w, s)
	b.click("signout-provider", "leave")
	b.take(w, "3-leave")
	b.click("leave", "login-"+w.name)
	if at := b.address(); at != w.app+"/" {
		t.Errorf("the tab is at %s, want %s/", at, w.app)
	}
	b.take(w, "4-left")
	b.open(w.start())
	b.shows("sign-in") // the provider has forgotten the person
}
