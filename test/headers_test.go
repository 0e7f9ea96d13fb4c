package test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// TestHeadersAreApart: the values of the headers share memory, but what the app
// adds to one of them changes no other one. What it has set before stays.
func TestHeadersAreApart(t *testing.T) {
	c := world.Client(t, world.Answering(200, world.TokenJSON))
	begun, after, finished := httptest.NewRecorder(), httptest.NewRecorder(), httptest.NewRecorder()
	after.Header().Set("Set-Cookie", "app=1")
	for _, rec := range []*httptest.ResponseRecorder{begun, after} {
		if _, err := c.AuthCodeURL(rec, world.Get("/login")); err != nil {
			t.Fatal(err)
		}
	}
	if got := after.Header()["Set-Cookie"]; len(got) != 2 || got[0] != "app=1" {
		t.Errorf("the app's cookie is gone: %q", got)
	}
	if _, err := c.Exchange(finished, world.Begin(t, c, nil).Callback()); err != nil {
		t.Fatal(err)
	}
	for _, rec := range []*httptest.ResponseRecorder{begun, after, finished} {
		header := rec.Header()
		for name, values := range header {
			want := header.Clone()
			_ = append(values, "added")
			if !reflect.DeepEqual(header, want) {
				t.Errorf("adding to %s makes %v, want %v", name, header, want)
			}
		}
	}
}

// TestOwnPageHasTheHeaders: an app's own page for a login that does not start has
// them, too.
func TestOwnPageHasTheHeaders(t *testing.T) {
	handler := world.Client(t, &world.Provider{}, func(c *config) {
		c.OnError = func(w http.ResponseWriter, _ *http.Request, _ *authcode.Error) { w.WriteHeader(418) }
	}).LoginHandler()
	script := httptest.NewRequest("GET", world.LoginURL, nil)
	script.Header.Set("Sec-Fetch-Mode", "cors")
	for _, r := range []*http.Request{script, httptest.NewRequest("PUT", world.LoginURL, nil)} {
		rec := httptest.NewRecorder()
		handler.ServeHTTP(rec, r)
		if rec.Code != 418 {
			t.Errorf("status %d", rec.Code)
		}
		world.WantHeaders(t, rec.Result().Header, "no-referrer")
	}
}
