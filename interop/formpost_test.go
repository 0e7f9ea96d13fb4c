package interop

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
)

// The app is https://localhost and the provider is on 127.0.0.1: another site, with oidc-provider
// by its host alone, so that Chromium treats the POST with the answer as it does in the wild.
func TestFormPostInChromium(t *testing.T) {
	for _, c := range []struct {
		name  string
		world func(t *testing.T, flags ...string) *world
	}{
		{"authserver", authserverWorld},
		{"oidc-provider", func(t *testing.T, flags ...string) *world {
			return oidcWorld(t, secureProvider(t), peers[0], flags...)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			haveChromium(t)
			w := c.world(t, append(withCertificate(t), "-form-post")...)
			w.formPost = true
			t.Run("approve", func(t *testing.T) { postsAnswer(t, w) })
			t.Run("deny", func(t *testing.T) { postsDenial(t, w) })
		})
	}
}

func postsAnswer(t *testing.T, w *world) {
	b, before := openTab(t), w.tokens()
	b.begin(w)
	b.pending(w, 1)
	b.click("approve", "who")
	b.leads(w, "/")
	b.pending(w, 0)
	b.session(w)
	b.sentOnce(w, http.MethodPost)

	// Signed in already, the person signs in once more. Chromium must keep the session cookie,
	// which is Lax, from the POST: else the sites are not different and this test shows nothing.
	// (It calls the reason Schemeful even where both are https.)
	b.open(w.start())
	b.shows("approve")
	b.click("approve", "who")
	callback := b.last(t, w.callback())
	if !slices.ContainsFunc(callback.withheld, func(c *network.AssociatedCookie) bool {
		return c.Cookie.Name == "__Host-session" &&
			(slices.Contains(c.BlockedReasons, network.CookieBlockedReasonSameSiteLax) ||
				slices.Contains(c.BlockedReasons, network.CookieBlockedReasonSchemefulSameSiteLax))
	}) {
		t.Errorf("the session cookie was not withheld from the POST: sent %q", names(callback.sent))
	}
	b.sentOnce(w, http.MethodPost)
	asked(t, w, before, 2)
	for _, m := range b.all(w.callback()) {
		if strings.ContainsAny(m.url, "?") {
			t.Errorf("the answer came in the query: %s", m.url)
		}
	}
}

func postsDenial(t *testing.T, w *world) {
	b, before := openTab(t), w.tokens()
	b.begin(w)
	b.click("deny", "login")
	if m := b.last(t, w.callback()); m.method != http.MethodPost || m.status != http.StatusForbidden {
		t.Errorf("the callback was %s and answered %d, want POST and 403", m.method, m.status)
	}
	b.pending(w, 0)
	asked(t, w, before, 0)
}
