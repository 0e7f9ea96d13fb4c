package interop

import (
	"net/http"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// noCookies is a profile whose owner has blocked cookies for the app's host.
const noCookies = `{"profile":{"content_settings":{"exceptions":{"cookies":{"localhost,*":{"setting":2}}}}}}`

// With cookies blocked a login cannot work. The person is told so, nothing is redeemed, and
// no page sends the browser round in circles.
func TestBlockedCookies(t *testing.T) {
	haveChromium(t)
	browser, err := startChromium(noCookies)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		world func(*testing.T) *world
	}{
		{"authserver", func(t *testing.T) *world { return authserverWorld(t) }},
		{"oidc-provider", func(t *testing.T) *world { return oidcWorld(t, plainProvider(t), peers[0]) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.world(t)
			w.shot = "blocked-" + c.name
			b, before := browser.openTab(t), w.tokens()
			b.begin(w)
			b.pending(w, 0)
			b.click("approve", "login")
			b.take(w, "7-no-login")
			if m := b.last(t, w.callback()); m.status != http.StatusBadRequest || len(m.sent) > 0 {
				t.Errorf("the callback answered %d and got the cookies %q, want 400 and none", m.status, names(m.sent))
			}
			start := b.last(t, w.start())
			if !slices.ContainsFunc(start.refused, func(r *network.BlockedSetCookieWithReason) bool {
				return slices.Contains(r.BlockedReasons, network.SetCookieBlockedReasonUserPreferences)
			}) {
				t.Error("Chromium stored the login cookie")
			}
			b.click("login", "approve")
			if n := len(b.all(w.callback())); n != 1 {
				t.Errorf("the callback was called %d times, want once", n)
			}
			asked(t, w, before, 0)
		})
	}
}
