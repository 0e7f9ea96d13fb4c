package transport

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

func newPost(t *testing.T, target string) *http.Request {
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	return NewPost(t.Context(), u, http.Header{}, "code=1")
}

// TestProcessedRequestIsNotRepeated: a server reads the request and closes the
// connection without an answer. It may have processed the request, so nothing is sent
// again, also if a wrapper of the app has asked for the body before.
func TestProcessedRequestIsNotRepeated(t *testing.T) {
	for _, calls := range []int{0, 1, 3, 10} {
		var requests atomic.Int32
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			requests.Add(1)
			r.ParseForm()
			panic(http.ErrAbortHandler)
		}))
		r := newPost(t, srv.URL)
		for range calls {
			r.GetBody()
		}
		if _, err := RoundTrip(New(), r); err == nil {
			t.Error("there is an answer")
		}
		if n := requests.Load(); n != 1 {
			t.Errorf("after %d calls of GetBody the server got %d requests, want 1", calls, n)
		}
		srv.Close()
	}
}

// TestWrapperThatRepeats: a wrapper of the app that repeats a request which was
// refused three times gets no further body, so nothing is sent for ever.
func TestWrapperThatRepeats(t *testing.T) {
	r := newPost(t, "https://provider.example")
	r.Context().Value(postKey{}).(*post).last.Store(true)
	if _, err := r.GetBody(); err != nil {
		t.Errorf("RoundTrip gets no body for its last try: %v", err)
	}
	if _, err := r.GetBody(); err == nil {
		t.Error("a wrapper gets a body after the last try")
	}
}

// TestNotSentAgain: what else has to hold before RoundTrip sends a request that
// net/http no longer repeats. A wrapper of the app asks for the body while the
// request is under way.
func TestNotSentAgain(t *testing.T) {
	for claim, row := range map[string]struct {
		change  func(*http.Request, *post) // before the request
		during  func(*post)
		answers bool
	}{
		"a request that was answered":           {answers: true},
		"one without GetBody":                   {change: func(r *http.Request, _ *post) { r.GetBody = nil }},
		"one that RoundTrip is sending already": {during: func(p *post) { p.last.Store(true) }},
		"one whose last body was taken":         {change: func(_ *http.Request, p *post) { p.ended.Store(true) }},
	} {
		t.Run(claim, func(t *testing.T) {
			r := newPost(t, "http://provider.example")
			p := r.Context().Value(postKey{}).(*post)
			getBody := r.GetBody
			if row.change != nil {
				row.change(r, p)
			}
			var requests atomic.Int32
			srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
				for requests.Add(1); !p.refused.Load(); {
					getBody()
				}
				if row.during != nil {
					row.during(p)
				}
				if !row.answers {
					panic(http.ErrAbortHandler)
				}
			}))
			defer srv.Close()
			r.URL.Host = srv.Listener.Addr().String()
			_, err := RoundTrip(New(), r)
			if (err == nil) != row.answers || requests.Load() != 1 {
				t.Errorf("got %v after %d requests", err, requests.Load())
			}
			if err != nil && strings.Contains(err.Error(), "nil Body") {
				t.Errorf("net/http had to refuse it: %v", err)
			}
		})
	}
}

// TestPostIsLikeNetHTTPs: a request has what http.NewRequest gives it, and its
// context the values of the caller's.
func TestPostIsLikeNetHTTPs(t *testing.T) {
	for _, target := range []string{
		"https://provider.example/token?a=b", "https://provider.example:/token", "http://[::1]:8080/",
	} {
		want, err := http.NewRequest("POST", target, strings.NewReader("code=1"))
		if err != nil {
			t.Fatal(err)
		}
		type key struct{}
		u, _ := url.Parse(target)
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		got := NewPost(ctx, u, http.Header{}, "code=1")
		if got.URL.String() != want.URL.String() || got.Host != want.Host ||
			got.ContentLength != want.ContentLength || got.Method != want.Method ||
			got.Proto != want.Proto || !got.ProtoAtLeast(1, 1) ||
			reflect.TypeOf(got.Body) != reflect.TypeOf(want.Body) {
			t.Errorf("%s: got %+v, want %+v", target, got, want)
		}
		if got.Context().Value(key{}) != "value" {
			t.Errorf("%s: the context's values are lost", target)
		}
		cancel()
		if <-got.Context().Done(); got.Context().Err() != context.Canceled || u.Host != want.URL.Host &&
			u.Host != want.URL.Host+":" {
			t.Errorf("%s: %v, %s", target, got.Context().Err(), u)
		}
	}
}
