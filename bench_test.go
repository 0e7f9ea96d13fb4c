package authcode_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/measure"
	"example.com/authcode/test/world"
)

// The benchmarks compare starting and finishing a login with two references of
// the same run: the floor, the unavoidable work with the standard library and
// not one check, and the tutorial, what apps write by hand today. The ratios
// are the result; nanoseconds depend on the machine.

const (
	benchAuthURL  = "https://provider.example/authorize"
	benchTokenURL = "https://provider.example/token"
	benchPARURL   = "https://provider.example/par"
	benchRedirect = "https://app.example/auth/bench/callback"
	benchSecret   = "a client secret of thirty-two ..."
	benchReturn   = "/orders/2026?page=2#open"
)

// benchAnswer is a token answer of 1.2 kB, the size of one with an ID token.
var benchAnswer = []byte(`{"access_token":"` + strings.Repeat("a", 180) +
	`","token_type":"Bearer","expires_in":3600,"refresh_token":"` + strings.Repeat("r", 120) +
	`","scope":"openid profile email","id_token":"` + strings.Repeat("i", 740) +
	`","session_state":"` + strings.Repeat("s", 30) + `"}`)

// benchPushed answers a pushed request.
var benchPushed = []byte(`{"request_uri":` +
	`"urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c","expires_in":60}`)

// stub answers every request of the app's without a network.
type stub struct {
	status int
	body   []byte
}

func (s stub) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	r.Body.Close()
	return &http.Response{
		StatusCode: s.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(s.body)),
		ContentLength: int64(len(s.body)), Request: r,
	}, nil
}

var (
	stubToken = stub{http.StatusOK, benchAnswer}
	stubPush  = stub{http.StatusCreated, benchPushed}
)

// subject is one way to write a login.
type subject interface {
	// start sets cookies and returns the provider's URL.
	start(w http.ResponseWriter, r *http.Request) string

	// finish redeems the callback's code. It returns the access token and where
	// to go on.
	finish(w http.ResponseWriter, r *http.Request) (token, returnTo string, err error)
}

// module is the login of this module.
type module struct {
	tb       testing.TB
	client   *authcode.Client
	returnTo authcode.AuthOption
}

func benchClient(tb testing.TB, provider http.RoundTripper, parURL string) *authcode.Client {
	client, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{
			Name: "bench", Issuer: "https://provider.example",
			Endpoints: authcode.Endpoints{
				AuthURL: benchAuthURL, TokenURL: benchTokenURL, PARURL: parURL, RequireIss: true,
			},
		},
		ClientID: "client", ClientAuth: authcode.Secret(benchSecret), RedirectURL: benchRedirect,
		Scopes: []string{"profile", "email"}, CookieKeys: [][]byte{benchKey(32)},
		Wrap: world.Through(provider),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

func newModule(tb testing.TB) subject {
	return module{tb, benchClient(tb, stubToken, ""), authcode.ReturnTo(benchReturn)}
}

func (m module) start(w http.ResponseWriter, r *http.Request) string {
	target, err := m.client.AuthCodeURL(w, r, m.returnTo)
	if err != nil {
		m.tb.Fatal(err)
	}
	return target
}

func (m module) finish(w http.ResponseWriter, r *http.Request) (string, string, error) {
	login, err := m.client.Exchange(w, r)
	if err != nil {
		return "", "", err
	}
	return login.Token.AccessToken, login.ReturnTo, nil
}

func benchKey(n int) []byte {
	key := make([]byte, n)
	rand.Read(key)
	return key
}

// callbackFor is the callback request that ends the login which start began on
// rec.
func callbackFor(target string, rec *httptest.ResponseRecorder) *http.Request {
	query := url.Values{
		"code": {"c0de"}, "state": {world.Param(target, "state")},
		"iss": {"https://provider.example"},
	}
	r := httptest.NewRequest("GET", benchRedirect+"?"+query.Encode(), nil)
	for _, c := range rec.Result().Cookies() {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

func startRequest() *http.Request {
	return httptest.NewRequest("GET", "https://app.example/auth/bench", nil)
}

func runStart(s subject, b *testing.B) {
	r := startRequest()
	b.ReportAllocs()
	for b.Loop() {
		s.start(&discard{header: make(http.Header, 8)}, r)
	}
	rec := httptest.NewRecorder()
	s.start(rec, r)
	b.ReportMetric(float64(len(rec.Header().Get("Set-Cookie"))), "cookie-B")
}

// runFinish prepares its callbacks in batches, outside the clock: each state is
// redeemed once.
func runFinish(s subject, b *testing.B) {
	b.ReportAllocs()
	var batch []*http.Request
	for i := range b.N {
		if len(batch) == 0 {
			b.StopTimer()
			for range min(1000, b.N-i) {
				rec := httptest.NewRecorder()
				batch = append(batch, callbackFor(s.start(rec, startRequest()), rec))
			}
			runtime.GC() // the preparation's garbage is not the login's
			b.StartTimer()
		}
		w := &discard{header: make(http.Header, 8)}
		token, returnTo, err := s.finish(w, batch[len(batch)-1])
		batch = batch[:len(batch)-1]
		if err != nil || len(token) != 180 || returnTo != benchReturn {
			b.Fatal(err, token, returnTo)
		}
	}
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func BenchmarkStart(b *testing.B)  { compare(b, runStart) }
func BenchmarkFinish(b *testing.B) { compare(b, runFinish) }

func compare(b *testing.B, run func(subject, *testing.B)) {
	b.Run("floor", func(b *testing.B) { run(newFloor(b), b) })
	b.Run("authcode", func(b *testing.B) { run(newModule(b), b) })
	b.Run("tutorial", func(b *testing.B) { run(newTutorial(b), b) })
}

// BenchmarkPushRatio compares a login that pushes its request with one that does
// not and a bare POST of the same parameters by net/http, with the answer read
// by encoding/json.
func BenchmarkPushRatio(b *testing.B) {
	start := func(c *authcode.Client) string {
		target, err := c.AuthCodeURL(httptest.NewRecorder(), startRequest())
		if err != nil {
			b.Fatal(err)
		}
		return target
	}
	pushing, plain := benchClient(b, stubPush, benchPARURL), benchClient(b, stubPush, "")
	cost := func(login func()) func() time.Duration {
		return func() time.Duration {
			return measure.CPU(func() {
				for range roundLogins {
					login()
				}
			})
		}
	}
	got := measure.Medians(b.N, cost(func() {
		if !strings.Contains(start(pushing), "request_uri=") {
			b.Fatal("nothing was pushed")
		}
	}), cost(func() {
		_, query, _ := strings.Cut(start(plain), "?")
		form, err := url.ParseQuery(query)
		if err != nil {
			b.Fatal(err)
		}
		barePush(b, form)
	}))
	b.ReportMetric(got[0]/got[1], "pushed/apart")
	b.ReportMetric(0, "ns/op") // with the preparation, so it says nothing
}

func barePush(b *testing.B, form url.Values) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, benchPARURL,
		strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("client", url.QueryEscape(benchSecret))
	resp, err := stubPush.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	var answer struct {
		URI string `json:"request_uri"`
	}
	if err != nil || json.Unmarshal(body, &answer) != nil || answer.URI == "" {
		b.Fatal("no request_uri")
	}
}
