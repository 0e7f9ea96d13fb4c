package transport

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
)

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
		r, err := NewPost(t.Context(), srv.URL, "code=1")
		if err != nil {
			t.Fatal(err)
		}
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
	r, err := NewPost(t.Context(), "https://provider.example", "code=1")
	if err != nil {
		t.Fatal(err)
	}
	r.Context().Value(postKey{}).(*post).last.Store(true)
	if _, err := r.GetBody(); err != nil {
		t.Errorf("RoundTrip gets no body for its last try: %v", err)
	}
	if _, err := r.GetBody(); err == nil {
		t.Error("a wrapper gets a body after the last try")
	}
}
