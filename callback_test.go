package authcode_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
)

// TestPrefetchedCallback: it is answered with 204 and touches nothing; the login still finishes.
func TestPrefetchedCallback(t *testing.T) {
	p := &hProvider{}
	c := hNew(t, p)
	l := hStart(t, c, nil)
	r := l.callback()
	r.Header.Set("Sec-Purpose", "prefetch")
	rec := httptest.NewRecorder()
	login, err := c.Exchange(rec, r)
	hWantError(t, err, authcode.Prefetch, "callback.prefetch")
	if login != nil || rec.Code != 204 || len(rec.Result().Cookies()) > 0 {
		t.Errorf("got %v, status %d, cookies %v", login, rec.Code, rec.Result().Cookies())
	}
	hWantHeaders(t, rec.Header(), "no-referrer")
	p.wantRequests(t, 0)
	l.finish(t, c)
}

// TestCallbackHandler: the app's handler has the login and the headers, and answers itself.
func TestCallbackHandler(t *testing.T) {
	type key struct{}
	c := hNew(t, &hProvider{})
	handler := c.CallbackHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		login, ok := authcode.FromContext(r.Context())
		if !ok || login.Token.AccessToken != "at-1" || login.Provider != "x" || login.ReturnTo != "/cart" {
			t.Errorf("got %v, %v", login, ok)
		}
		if r.Context().Value(key{}) != "v" || r.URL.Query().Get("code") != "c0de" {
			t.Error("the request is another one")
		}
		hWantHeaders(t, w.Header(), "same-origin")
		w.WriteHeader(http.StatusTeapot)
	}))
	r := hStart(t, c, nil, authcode.ReturnTo("/cart")).callback()
	rec := httptest.NewRecorder()
	handler.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), key{}, "v")))
	if rec.Code != http.StatusTeapot {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
}

func hPost(kind, body string) *http.Request {
	r := httptest.NewRequest("POST", hRedirect, strings.NewReader(body))
	r.Header.Set("Content-Type", kind)
	return r
}

// TestCallbackFormType: a body is read only as the form that it says it is.
func TestCallbackFormType(t *testing.T) {
	c := hNew(t, &hProvider{}, func(c *authcode.Config) { c.Provider.FormPost = true })
	for kind, check := range map[string]string{
		"": "callback.content_type", "text/plain": "callback.content_type", "application/json": "callback.content_type",
		"multipart/form-data; boundary=x":   "callback.content_type",
		"application/x-www-form-urlencoded": "state.form", "Application/X-WWW-Form-URLencoded; charset=utf-8": "state.form",
	} {
		t.Run(kind, func(t *testing.T) {
			_, err := c.Exchange(httptest.NewRecorder(), hPost(kind, "error=access_denied&state=x"))
			var e *authcode.Error
			if !errors.As(err, &e) || e.Check != check {
				t.Errorf("got %v, want %s", err, check)
			}
		})
	}
}

// TestExchangeFailureHeaders: without OnError a failed callback has the page and its headers.
func TestExchangeFailureHeaders(t *testing.T) {
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a failed login reached the app") })
	rows := []struct {
		claim    string
		formPost bool
		request  *http.Request
		status   int
		allow    string
	}{
		{"HEAD is refused", false, httptest.NewRequest("HEAD", "/", nil), 405, "GET"},
		{"POST is refused", false, httptest.NewRequest("POST", "/", nil), 405, "GET"},
		{"GET is refused with form_post", true, hGet("/?state=a&code=b"), 405, "POST"},
		{"a body without a type is refused", true, hPost("", "error=access_denied&state=x"), 400, ""},
		{"a body of another type is refused", true, hPost("text/plain", "error=access_denied&state=x"), 400, ""},
		{"an empty callback is refused", false, hGet("/"), 400, ""},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			c := hNew(t, &hProvider{}, func(c *authcode.Config) { c.Provider.FormPost = row.formPost })
			rec := httptest.NewRecorder()
			c.CallbackHandler(next).ServeHTTP(rec, row.request)
			if rec.Code != row.status || rec.Header().Get("Allow") != row.allow {
				t.Errorf("status %d, Allow %q", rec.Code, rec.Header().Get("Allow"))
			}
			hWantHeaders(t, rec.Header(), "no-referrer")
		})
	}
}

func TestCallbackHandlerPanicsWithoutAHandler(t *testing.T) {
	defer func() {
		if v := recover(); v == nil {
			t.Error("no panic")
		}
	}()
	hNew(t, &hProvider{}).CallbackHandler(nil)
}

func TestFromContextWithoutALogin(t *testing.T) {
	if login, ok := authcode.FromContext(context.Background()); ok || login != nil {
		t.Errorf("got %v, %v", login, ok)
	}
}
