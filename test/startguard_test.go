package test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// askedFor are requests for a URL of AuthCodeURL, as the app's own script gets
// one.
var askedFor = []struct {
	claim, method string
	header        []string
	status        int
}{
	{"a form of another site gets none", "POST", []string{"Sec-Fetch-Site", "cross-site",
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403},
	{"a script of another site gets none", "POST", []string{"Sec-Fetch-Site", "cross-site",
		"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "empty"}, 403},
	{"a form of a sister site gets none", "POST", []string{"Sec-Fetch-Site", "same-site",
		"Sec-Fetch-Mode", "navigate"}, 403},
	{"a form in an older browser gets none", "POST",
		[]string{"Origin", "https://evil.example"}, 403},
	{"an image on another site gets none", "GET", []string{"Sec-Fetch-Site", "cross-site",
		"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
	{"an image on a sister site gets none", "GET", []string{"Sec-Fetch-Site", "same-site",
		"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
	{"a frame of another site gets none", "GET", []string{"Sec-Fetch-Site", "cross-site",
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
	{"an object of another site gets none", "GET", []string{"Sec-Fetch-Site", "cross-site",
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "object"}, 403},
	{"a fetch by another site gets none", "GET", []string{"Sec-Fetch-Site", "cross-site",
		"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 403},
	{"a fetch by another site in an older browser gets none", "GET",
		[]string{"Origin", "https://evil.example"}, 403},
	{"a fetch by a sandboxed frame in an older browser gets none", "GET",
		[]string{"Origin", "null"}, 403},
	{"HEAD by another site gets none", "HEAD", []string{"Sec-Fetch-Site", "cross-site",
		"Sec-Fetch-Mode", "no-cors"}, 403},
	{"a preflight of another site gets none", "OPTIONS", []string{"Sec-Fetch-Site",
		"cross-site", "Sec-Fetch-Mode", "cors", "Origin", "https://evil.example"}, 403},
	{"DELETE by another site gets none", "DELETE", []string{"Sec-Fetch-Site", "cross-site",
		"Sec-Fetch-Mode", "cors"}, 403},
	{"a prefetch gets none", "GET", []string{"Sec-Purpose", "prefetch",
		"Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Site", "cross-site"}, 204},

	{"the app's own script gets one", "POST", []string{"Sec-Fetch-Site", "same-origin",
		"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 200},
	{"the app's own script gets one by GET", "GET", []string{"Sec-Fetch-Site", "same-origin",
		"Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty"}, 200},
	{"jQuery gets one", "GET", []string{"X-Requested-With", "XMLHttpRequest"}, 200},
	{"a script in an older browser gets one", "POST", []string{"Origin", "SELF"}, 200},
	{"a link of another site gets one", "GET", []string{"Sec-Fetch-Site", "cross-site",
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
	{"a frame of a sister site gets one", "GET", []string{"Sec-Fetch-Site", "same-site",
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 200},
	{"a link that a proxy cut the mode from gets one", "GET",
		[]string{"Sec-Fetch-Site", "cross-site"}, 200},
	{"an address that was typed gets one", "GET", []string{"Sec-Fetch-Site", "none",
		"Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
	{"a program gets one", "POST", nil, 200},
}

// serveURL is the README's recipe for a single-page app.
func serveURL(w *world.World) {
	w.Before(func(rw http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != "/api/login" {
			next.ServeHTTP(rw, r)
			return
		}
		target, err := w.Client.AuthCodeURL(rw, r, authcode.ReturnTo("/app"))
		if err != nil {
			authcode.ErrorPage(rw, r, err)
			return
		}
		json.NewEncoder(rw).Encode(map[string]string{"url": target})
	})
}

// TestWhatSetsTheCookieIsGuarded is D24: another site asks 40 times, and no
// cookie is set. The guard is in the method, so that every handler has it.
func TestWhatSetsTheCookieIsGuarded(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	w.Quiet() // the body has the state, as the script needs it
	serveURL(w)
	for _, row := range askedFor {
		t.Run(row.claim, func(t *testing.T) {
			w.In(t)
			b, times := w.Browser(), 1
			if row.status != http.StatusOK {
				times = 40
			}
			for range times {
				r := b.Request(row.method, w.App.URL+"/api/login", "", row.header...)
				if r.Header.Get("Origin") == "SELF" {
					r.Header.Set("Origin", w.App.URL)
				}
				resp := b.Do(r)
				w.WantStatus(resp, row.status)
				world.WantHeaders(t, resp.Header, "no-referrer")
				if row.status == 403 && row.method != "HEAD" &&
					!strings.Contains(resp.Text, "login.cross_origin") {
					t.Errorf("the page does not name the check: %s", resp.Text)
				}
			}
			if n, want := len(b.LoginCookies()), map[int]int{200: 1}[row.status]; n != want {
				t.Errorf("%d login cookies, want %d", n, want)
			}
		})
	}
}
