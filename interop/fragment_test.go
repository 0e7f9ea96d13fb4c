package interop

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"example.com/authcode"
	"example.com/authcode/internal/authserver"
)

// addingFragment is the authorization endpoint of a provider that adds "#_=_".
func addingFragment(t *testing.T, target *url.URL) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ask := *r.URL
		ask.Scheme, ask.Host = target.Scheme, target.Host
		answer, err := http.DefaultTransport.RoundTrip(&http.Request{
			Method: "GET", URL: &ask, Header: http.Header{},
		})
		if err != nil {
			t.Error(err)
			return
		}
		answer.Body.Close()
		http.Redirect(w, r, answer.Header.Get("Location")+"#_=_", http.StatusFound)
	}
}

// A provider such as Facebook ends the callback's URL with a fragment. Chromium hands it on to a
// Location without one, and a router in the app's page would read it.
func TestAddedFragmentInChromium(t *testing.T) {
	srv := authserver.NewServer()
	t.Cleanup(srv.Close)
	target, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(addingFragment(t, target))
	t.Cleanup(front.Close)
	for _, c := range []struct {
		name string
		adds bool
		path string
		want string
	}{
		{"without the field the fragment arrives", false, "/orders", "/orders#_=_"},
		{"with it none arrives", true, "/orders", "/orders#"},
		{"the return path keeps its own", true, "/orders#/open", "/orders#/open"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := openTab(t)
			a := serveApp(t, false, func(redirectURL string) authcode.Config {
				cfg := srv.Config(redirectURL)
				auth, err := url.Parse(cfg.Provider.AuthURL)
				if err != nil {
					t.Fatal(err)
				}
				cfg.Provider.AuthURL = front.URL + auth.RequestURI()
				cfg.Provider.AddsFragment = c.adds
				return cfg
			})
			b.open(a.url + "/login?" + url.Values{"next": {c.path}}.Encode())
			if at := b.address(); at != a.url+c.want {
				t.Errorf("arrived at %s, want %s", at, c.want)
			}
		})
	}
}
