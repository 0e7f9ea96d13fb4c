package dpop_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
)

func demand(nonce string) http.Header {
	return http.Header{"Www-Authenticate": {`DPoP error="use_dpop_nonce"`}, "Dpop-Nonce": {nonce}}
}

// refusedAPIRequests are answers of an API, with the number of requests after
// the first one.
var refusedAPIRequests = []struct {
	claim   string
	status  int
	header  http.Header
	request func() *http.Request
	want    int
}{
	{"401 that demands a nonce", 401, demand("n2"), post, 2},
	{"also for an empty body", 401, demand("n2"),
		changedPost(func(r *http.Request) { r.Body, r.GetBody = http.NoBody, nil }), 2},
	{"also for no body", 401, demand("n2"),
		changedPost(func(r *http.Request) { r.Body, r.GetBody = nil, nil }), 2},
	{"not for a body that cannot be had again", 401, demand("n2"),
		changedPost(func(r *http.Request) { r.GetBody = nil }), 1},
	{"nor for one that fails", 401, demand("n2"), changedPost(func(r *http.Request) {
		r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
	}), 1},
	{"not 400", 400, demand("n2"), post, 1},
	{"not 403", 403, demand("n2"), post, 1},
	{"not 200", 200, demand("n2"), post, 1},
	{"not without a challenge", 401, demandWith("Www-Authenticate"), post, 1},
	{"not for another scheme", 401, demandWith("Www-Authenticate", `Bearer error="use_dpop_nonce"`),
		post, 1},
	{"not for another error", 401, demandWith("Www-Authenticate", `DPoP error="invalid_token"`),
		post, 1},
	{"in whatever field the challenge is", 401, demandWith("Www-Authenticate", "Bearer", `Basic realm="x", dPOp ERROR=use_dpop_nonce`), post, 2},
	{"not for the nonce that was used", 401, demand("n1"), post, 1},
	{"not without a nonce", 401, demandWith("Dpop-Nonce"), post, 1},
	{"not with two", 401, demandWith("Dpop-Nonce", "a", "b"), post, 1},
	{"not with an empty one", 401, demandWith("Dpop-Nonce", ""), post, 1},
	{"not with a space", 401, demandWith("Dpop-Nonce", "a b"), post, 1},
	{"not with a line break", 401, demandWith("Dpop-Nonce", "a\r\nb"), post, 1},
	{"not with a quote", 401, demandWith("Dpop-Nonce", `a"b`), post, 1},
	{"not with a backslash", 401, demandWith("Dpop-Nonce", `a\b`), post, 1},
	{"not with a control character", 401, demandWith("Dpop-Nonce", "a\x7f"), post, 1},
	{"not beyond ASCII", 401, demandWith("Dpop-Nonce", "ä"), post, 1},
	{"not with 1025 bytes", 401, demand(strings.Repeat("n", 1025)), post, 1},
	{"not with 10 KiB", 401, demand(strings.Repeat("n", 10<<10)), post, 1},
	{"with 1024 bytes", 401, demand(strings.Repeat("n", 1024)), post, 2},
	{"with all that may be", 401, demand("!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~"), post, 2},
}

func post() *http.Request {
	r, _ := http.NewRequest("POST", "https://api.example/", strings.NewReader("x"))
	return r
}

func changedPost(change func(*http.Request)) func() *http.Request {
	return func() *http.Request { r := post(); change(r); return r }
}

func demandWith(name string, values ...string) http.Header {
	h := demand("n2")
	h[name] = values
	return h
}

// TestRefusedAPIRequest: which answers of an API make the Client send the request again.
func TestRefusedAPIRequest(t *testing.T) {
	for _, row := range refusedAPIRequests {
		t.Run(row.claim, func(t *testing.T) {
			var proofs []*proof
			var bodies []*watched
			base := transport(func(r *http.Request) *http.Response {
				proofs = append(proofs, proofOf(t, r))
				resp := answer(row.status, row.header)
				if len(proofs) == 1 {
					resp = answer(200, http.Header{"Dpop-Nonce": {"n1"}})
				}
				bodies = append(bodies, &watched{Reader: resp.Body})
				resp.Body = bodies[len(bodies)-1]
				return resp
			})
			api := newAPI(t, dpop.New(newKey(t)), base, "")
			if _, err := api.RoundTrip(post()); err != nil { // so that a nonce is known
				t.Fatal(err)
			}
			resp, err := api.RoundTrip(row.request())
			if err != nil || resp.StatusCode != row.status {
				t.Fatal(resp, err)
			}
			if got := len(proofs) - 1; got != row.want {
				t.Fatalf("%d requests, want %d", got, row.want)
			}
			if proofs[1].Nonce != "n1" || row.want == 2 && (proofs[2].Nonce != row.header.Get("DPoP-Nonce") || proofs[2].ID == proofs[1].ID) {
				t.Errorf("proofs %+v", proofs[1:])
			}
			last := len(bodies) - 1
			if bodies[last].read > 0 || bodies[last].closed > 0 || resp.Body != bodies[last] {
				t.Error("the answer was touched")
			}
			if row.want == 2 && (bodies[1].read != len("body") || bodies[1].closed != 1) {
				t.Errorf("of the first answer %d bytes were read, and it was closed %d times", bodies[1].read, bodies[1].closed)
			}
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestFirstAnswerBounded: the answer that is thrown away costs little.
func TestFirstAnswerBounded(t *testing.T) {
	body := &watched{Reader: endless{}}
	n := 0
	base := transport(func(*http.Request) *http.Response {
		if n++; n == 2 {
			return answer(200, nil)
		}
		return &http.Response{StatusCode: 401, Header: demand("n"), Body: body}
	})
	r, _ := http.NewRequest("GET", "https://api.example/", nil)
	resp, err := newAPI(t, dpop.New(newKey(t)), base, "").RoundTrip(r)
	wantAnswer(t, resp, err, 200, "body")
	if body.read > 100<<10 || body.closed != 1 {
		t.Errorf("%d bytes read, closed %d times", body.read, body.closed)
	}
}

// TestRequestStaysAsItIs: the caller's request is not changed, its own headers of these names do not go out, and all
// else does.
func TestRequestStaysAsItIs(t *testing.T) {
	type contextKey struct{}
	ctx := context.WithValue(t.Context(), contextKey{}, "v")
	header := http.Header{
		"Authorization": {"Basic eA=="}, "authorization": {"Bearer stray"}, "DPoP": {"stray"}, "Dpop": {"a", "b"},
		"X-Other": {"1", "2"},
	}
	r, _ := http.NewRequestWithContext(ctx, "PUT", "https://u:p@api.example/a?b", strings.NewReader("text"))
	r.Header = maps.Clone(header)
	before := *r
	n := 0
	base := transport(func(out *http.Request) *http.Response {
		if out == r || reflect.ValueOf(out.Header).Pointer() == reflect.ValueOf(r.Header).Pointer() {
			t.Error("the caller's own request went out")
		}
		if out.Context().Value(contextKey{}) != "v" || out.Method != "PUT" || out.ContentLength != 4 || out.URL.RawQuery != "b" {
			t.Errorf("got %+v", out)
		}
		if len(out.Header) != 3 || len(out.Header["X-Other"]) != 2 || len(out.Header["Dpop"]) != 1 ||
			len(out.Header["Authorization"]) != 1 || out.Header.Get("Authorization") != "DPoP at" {
			t.Errorf("header %q", out.Header)
		}
		if n++; n == 1 {
			return answer(401, demand("n"))
		}
		return answer(200, nil)
	})
	resp, err := newAPI(t, dpop.New(newKey(t)), base, "").RoundTrip(r)
	wantAnswer(t, resp, err, 200, "body")
	if n != 2 || !reflect.DeepEqual(r.Header, header) || r.URL.String() != "https://u:p@api.example/a?b" ||
		r.Body != before.Body || r.Context() != ctx {
		t.Errorf("after %d requests the caller's is %+v", n, r)
	}
}

// watchedPost is a request whose body says what happened to it.
func watchedPost(t *testing.T, url, host string) (*http.Request, *watched) {
	body := &watched{Reader: bytes.NewReader([]byte("x"))}
	r, err := http.NewRequest("POST", url, body)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	return r, body
}

// TestBodyClosed: a RoundTripper closes the body, also if nothing is sent.
func TestBodyClosed(t *testing.T) {
	signer := newKey(t)
	rows := []struct {
		claim string
		b     authcode.Binding
		url   string
		host  string
		key   string
		check string
	}{
		{"no such key", dpop.New(signer), "https://api.example/", "", "unknown", "dpop.key"},
		{"no URL to name", dpop.New(signer), "https://ä.example/", "", "", "dpop.url"},
		{"no Host to name", dpop.New(signer), "https://api.example/", "ä.example", "", "dpop.url"},
		{"no signature", dpop.New(half{signer.Public()}), "https://api.example/", "", "", "dpop.sign"},
		{"no keys", dpop.New(nil), "https://api.example/", "", "", "dpop.config"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			unused := transport(func(*http.Request) *http.Response { t.Error("a request was sent"); return answer(200, nil) })
			r, body := watchedPost(t, row.url, row.host)
			rt, err := row.b.Transport(new(authcode.Connection), unused, row.key)
			if err == nil {
				if _, err = rt.RoundTrip(r); body.closed != 1 {
					t.Errorf("closed %d times", body.closed)
				}
			}
			wantError(t, err, authcode.Configuration, row.check)
			if row.b.Err != nil || !strings.HasPrefix(row.url, "https://api.example") {
				return // there is no Client with it, or no token for there
			}
			r, body = watchedPost(t, row.url, row.host)
			_, err = newAPI(t, row.b, unused, row.key).RoundTrip(r)
			wantError(t, err, authcode.Configuration, row.check)
			if body.closed != 1 {
				t.Errorf("closed %d times by an APIClient", body.closed)
			}
		})
	}
}

// TestNoHeader: a request made by hand may have none.
func TestNoHeader(t *testing.T) {
	base := transport(func(r *http.Request) *http.Response {
		proofOf(t, r)
		return answer(200, nil)
	})
	b := dpop.New(newKey(t))
	direct, err := b.Transport(new(authcode.Connection), base, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range []http.RoundTripper{direct, newAPI(t, b, base, "")} {
		r, _ := http.NewRequest("GET", "https://api.example/", nil)
		r.Header = nil
		resp, err := rt.RoundTrip(r)
		wantAnswer(t, resp, err, 200, "body")
	}
}
