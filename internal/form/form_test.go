package form_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/form"
)

const kind = "application/x-www-form-urlencoded"

func TestRead(t *testing.T) {
	long := url.Values{"a": {strings.Repeat("x", 99)}}
	for _, c := range []struct {
		claim, kind, body string
		parsed            url.Values // by a middleware
		want              string
		err               error
	}{
		{"a form is read", kind, "a=1&b=%C3%A9", nil, "a=1&b=%C3%A9", nil},
		{"parameters of the type are fine", kind + "; charset=utf-8", "a=1", nil, "a=1", nil},
		{"an empty form is one", kind, "", nil, "", nil},
		{"100 bytes are read", kind, "a=" + strings.Repeat("x", 98), nil, "a=" + strings.Repeat("x", 98), nil},
		{"101 bytes are refused", kind, "a=" + strings.Repeat("x", 99), nil, "", form.ErrSize},
		{"another type is refused", "text/plain", "a=1", nil, "", form.ErrType},
		{"no type is refused", "", "a=1", nil, "", form.ErrType},
		{"a broken type is refused", kind + "; x", "a=1", nil, "", form.ErrType},
		{"broken escapes are refused", kind, "a=%zz", nil, "", form.ErrSyntax},
		{"a semicolon is refused", kind, "a=1;b=2", nil, "", form.ErrSyntax},
		{"what a middleware read counts", kind, "", url.Values{"a": {"1"}}, "a=1", nil},
		{"what a middleware read is bounded too", kind, "", long, "", form.ErrSize},
		{"a middleware changes nothing about the type", "text/plain", "", url.Values{}, "", form.ErrType},
	} {
		t.Run(c.claim, func(t *testing.T) {
			r := httptest.NewRequest("POST", "/?q=1", strings.NewReader(c.body))
			r.Header.Set("Content-Type", c.kind)
			r.PostForm = c.parsed
			got, err := form.Read(httptest.NewRecorder(), r, 100, time.Minute)
			if !errors.Is(err, c.err) || got.Encode() != c.want {
				t.Errorf("got %q, %v", got.Encode(), err)
			}
		})
	}
}

// endings is a ResponseWriter that knows read deadlines.
type endings struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (e *endings) SetReadDeadline(at time.Time) error {
	e.set = append(e.set, at)
	return nil
}

// broken is a body that fails.
type broken struct{ io.Reader }

func (broken) Read([]byte) (int, error) { return 0, errors.New("canary") }

// TestDeadlines: a deadline is only ever set in the past, and only if the body was not read to its
// end.
func TestDeadlines(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		claim string
		kind  string
		body  io.Reader
		ctx   context.Context
		err   error
		ended bool
	}{
		{"a whole body", kind, strings.NewReader("a=1"), t.Context(), nil, false},
		{"a whole body that is malformed", kind, strings.NewReader("a=%zz"), t.Context(), form.ErrSyntax, false},
		{"a long one", kind, strings.NewReader(strings.Repeat("x", 101)), t.Context(), form.ErrSize, true},
		{"another type", "text/plain", strings.NewReader("a=1"), t.Context(), form.ErrType, true},
		{"an error", kind, broken{}, t.Context(), form.ErrBody, true},
		{"a context that has ended", kind, strings.NewReader("a=1"), over, form.ErrBody, true},
	} {
		t.Run(c.claim, func(t *testing.T) {
			w := &endings{ResponseRecorder: httptest.NewRecorder()}
			r := httptest.NewRequestWithContext(c.ctx, "POST", "/", c.body)
			r.Header.Set("Content-Type", c.kind)
			if _, err := form.Read(w, r, 100, time.Minute); !errors.Is(err, c.err) {
				t.Errorf("got %v", err)
			}
			if len(w.set) > 0 != c.ended {
				t.Errorf("the deadlines were %v", w.set)
			}
			for _, at := range w.set {
				if at.IsZero() || time.Until(at) > 0 {
					t.Errorf("a deadline was lengthened: %v", at)
				}
			}
		})
	}
}

// TestOverHTTP2: a stream whose body stops ends alone, and the connection goes on.
func TestOverHTTP2(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := form.Read(w, r, 100, 100*time.Millisecond); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	defer srv.Close()
	reader, writer := io.Pipe()
	defer writer.Close()
	go writer.Write([]byte("a="))
	resp, err := srv.Client().Post(srv.URL, kind, reader)
	if err != nil || resp.ProtoMajor != 2 || resp.StatusCode != http.StatusBadRequest {
		t.Fatalf("got %v, %v", resp, err)
	}
	resp.Body.Close()
	resp, err = srv.Client().Post(srv.URL, kind, strings.NewReader("a=1"))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v", resp, err)
	}
	resp.Body.Close()
}

// TestAfterAWholeBody: what a handler does later has its own time, and so has the next request on the
// connection.
func TestAfterAWholeBody(t *testing.T) {
	const budget = 50 * time.Millisecond
	addresses := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		addresses[r.RemoteAddr] = true
		_, err := form.Read(w, r, 100, budget)
		select {
		case <-r.Context().Done():
			t.Error("the request ended with its body's deadline")
		case <-time.After(3 * budget):
		}
		if err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	for _, body := range []string{"a=1", "", "a=1"} {
		resp, err := srv.Client().Post(srv.URL, kind, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	if len(addresses) != 1 {
		t.Errorf("the requests used %d connections", len(addresses))
	}
}
