package interop

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/authcode/internal/authserver"
	"github.com/chromedp/cdproto/network"
)

// The app is https://localhost and the provider is on 127.0.0.1: another site, with oidc-provider
// by its host alone, so that Chromium treats the POST with the answer as it does in the wild.
func TestFormPostInChromium(t *testing.T) {
	for _, c := range []struct {
		name  string
		world func(t *testing.T, flags ...string) *world
	}{
		{"authserver", func(t *testing.T, flags ...string) *world {
			srv := authserver.NewTLSServer(
				authserver.Certificate(theCertificate(t).pair), authserver.Algorithm("RS256"))
			return authserverWorldOf(t, srv, flags...)
		}},
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
	b.sentOnce(w, http.MethodGet)

	// Signed in already, the person signs in once more. Chromium must keep the session cookie,
	// which is Lax, from the POST: else the sites are not different and this test shows nothing.
	// (It calls the reason Schemeful even where both are https.) The GET brings it to the app.
	b.open(w.start())
	b.shows("approve")
	b.click("approve", "who")
	b.sentOnce(w, http.MethodGet)
	asked(t, w, before, 2)
	post, get := b.lastBy(w, http.MethodPost), b.lastBy(w, http.MethodGet)
	if !slices.ContainsFunc(post.withheld, func(c *network.AssociatedCookie) bool {
		return c.Cookie.Name == "__Host-session" &&
			(slices.Contains(c.BlockedReasons, network.CookieBlockedReasonSameSiteLax) ||
				slices.Contains(c.BlockedReasons, network.CookieBlockedReasonSchemefulSameSiteLax))
	}) {
		t.Errorf("the session cookie was not withheld from the POST: sent %q", names(post.sent))
	}
	if !slices.Contains(names(get.sent), "__Host-session") {
		t.Errorf("the GET came without the session cookie: sent %q", names(get.sent))
	}
	kept := linesWith(post, "Max-Age=60;")
	if post.status != http.StatusSeeOther || len(kept) != 1 || !strings.Contains(kept[0], "SameSite=Lax") {
		t.Errorf("the POST answered %d and set %q", post.status, kept)
	}
	for _, m := range b.all(w.callback()) {
		if strings.Contains(m.url, "code=") || strings.Contains(m.url, "state=") {
			t.Errorf("the answer came in the query: %s", m.url)
		}
	}
}

// lastBy is the last request for the callback with this method.
func (b *tab) lastBy(w *world, method string) (found message) {
	b.t.Helper()
	for _, m := range b.all(w.callback()) {
		if m.method == method {
			found = m
		}
	}
	if found.method == "" {
		b.t.Fatalf("no %s of the callback", method)
	}
	return found
}

func postsDenial(t *testing.T, w *world) {
	b, before := openTab(t), w.tokens()
	b.begin(w)
	b.click("deny", "login")
	if m := b.last(t, w.callback()); m.method != http.MethodGet || m.status != http.StatusForbidden {
		t.Errorf("the callback was %s and answered %d, want GET and 403", m.method, m.status)
	}
	b.pending(w, 0)
	asked(t, w, before, 0)
}
