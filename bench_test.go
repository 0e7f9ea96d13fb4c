package authcode_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"example.com/authcode"
	"github.com/gorilla/securecookie"
	"golang.org/x/oauth2"
)

// The benchmarks compare starting and finishing a login with two references of the same run:
// the floor, the unavoidable work with the standard library and not one check, and the tutorial,
// what apps write by hand today. The ratios are the result; nanoseconds depend on the machine.

const (
	benchAuthURL  = "https://provider.example/authorize"
	benchTokenURL = "https://provider.example/token"
	benchRedirect = "https://app.example/auth/bench/callback"
	benchSecret   = "a client secret of thirty-two ..."
	benchReturn   = "/orders/2026?page=2#open"
)

// benchAnswer is a token answer of 1.2 kB, the size of one with an ID token.
var benchAnswer = []byte(`{"access_token":"` + strings.Repeat("a", 180) + `","token_type":"Bearer",` +
	`"expires_in":3600,"refresh_token":"` + strings.Repeat("r", 120) + `","scope":"openid profile email",` +
	`"id_token":"` + strings.Repeat("i", 740) + `","session_state":"` + strings.Repeat("s", 30) + `"}`)

// stubProvider answers the token request without a network.
type stubProvider struct{}

func (stubProvider) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	r.Body.Close()
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(benchAnswer)),
		ContentLength: int64(len(benchAnswer)), Request: r,
	}, nil
}

// subject is one way to write a login: start sets cookies and returns the provider's URL, finish
// redeems the callback's code and returns the access token and where to go on.
type subject struct {
	start  func(w http.ResponseWriter, r *http.Request) string
	finish func(w http.ResponseWriter, r *http.Request) (token, returnTo string, err error)
}

func benchAuthcode(tb testing.TB) subject { return benchAuthcodeWith(tb, stubProvider{}) }

func benchAuthcodeWith(tb testing.TB, provider http.RoundTripper) subject {
	client, err := authcode.New(authcode.Config{
		Provider: authcode.Provider{
			Name: "bench", Issuer: "https://provider.example",
			Endpoints: authcode.Endpoints{AuthURL: benchAuthURL, TokenURL: benchTokenURL, RequireIss: true},
		},
		ClientID: "client", ClientAuth: authcode.Secret(benchSecret), RedirectURL: benchRedirect,
		Scopes: []string{"profile", "email"}, CookieKeys: [][]byte{benchKey(32)},
		Wrap: through(provider),
	})
	if err != nil {
		tb.Fatal(err)
	}
	returnTo := authcode.ReturnTo(benchReturn)
	return subject{
		start: func(w http.ResponseWriter, r *http.Request) string {
			target, err := client.AuthCodeURL(w, r, returnTo)
			if err != nil {
				tb.Fatal(err)
			}
			return target
		},
		finish: func(w http.ResponseWriter, r *http.Request) (string, string, error) {
			login, err := client.Exchange(w, r)
			if err != nil {
				return "", "", err
			}
			return login.Token.AccessToken, login.ReturnTo, nil
		},
	}
}

func benchKey(n int) []byte {
	key := make([]byte, n)
	rand.Read(key)
	return key
}

// benchFloor does what no login can do without, with the standard library only: random bytes, one
// AES-GCM seal and open, the URL, one request, one encoding/json decode, the headers.
func benchFloor(tb testing.TB) subject {
	block, err := aes.NewCipher(benchKey(32))
	if err != nil {
		tb.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		tb.Fatal(err)
	}
	const name = "__Host-login"
	start := func(w http.ResponseWriter, r *http.Request) string {
		secrets := make([]byte, 64, 64+len(benchReturn)) // state and verifier
		rand.Read(secrets)
		state := base64.RawURLEncoding.EncodeToString(secrets[:32])
		verifier := base64.RawURLEncoding.EncodeToString(secrets[32:64])
		sum := sha256.Sum256([]byte(verifier))
		sealed := aead.Seal(nil, nil, append(secrets, benchReturn...), []byte(name))
		http.SetCookie(w, &http.Cookie{
			Name: name, Value: base64.RawURLEncoding.EncodeToString(sealed),
			Path: "/", MaxAge: 600, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		benchHeaders(w)
		query := url.Values{
			"response_type": {"code"}, "client_id": {"client"}, "redirect_uri": {benchRedirect},
			"scope": {"profile email"}, "state": {state}, "code_challenge_method": {"S256"},
			"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])},
		}
		return benchAuthURL + "?" + query.Encode()
	}
	client := &http.Client{Transport: stubProvider{}}
	finish := func(w http.ResponseWriter, r *http.Request) (string, string, error) {
		query := r.URL.Query()
		cookie, err := r.Cookie(name)
		if err != nil {
			return "", "", err
		}
		sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		if err != nil {
			return "", "", err
		}
		plain, err := aead.Open(nil, nil, sealed, []byte(name))
		if err != nil {
			return "", "", err
		}
		if base64.RawURLEncoding.EncodeToString(plain[:32]) != query.Get("state") {
			return "", "", fmt.Errorf("wrong state")
		}
		form := url.Values{
			"grant_type": {"authorization_code"}, "code": {query.Get("code")}, "redirect_uri": {benchRedirect},
			"code_verifier": {base64.RawURLEncoding.EncodeToString(plain[32:64])},
		}
		req, err := http.NewRequestWithContext(r.Context(), "POST", benchTokenURL, strings.NewReader(form.Encode()))
		if err != nil {
			return "", "", err
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth("client", benchSecret)
		resp, err := client.Do(req)
		if err != nil {
			return "", "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return "", "", err
		}
		var members map[string]any // an app that keeps the ID token needs the members
		if err := json.Unmarshal(body, &members); err != nil {
			return "", "", err
		}
		token, _ := members["access_token"].(string)
		http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true})
		benchHeaders(w)
		return token, string(plain[64:]), nil
	}
	return subject{start, finish}
}

func benchHeaders(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-Frame-Options", "DENY")
}

// benchTutorial is what people write: x/oauth2 for the URL and the exchange, securecookie as it
// comes, with the gob serializer, for a map of state, verifier and return path, as in its README.
func benchTutorial(tb testing.TB) subject {
	conf := oauth2.Config{
		ClientID: "client", ClientSecret: benchSecret, RedirectURL: benchRedirect, Scopes: []string{"profile", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: benchAuthURL, TokenURL: benchTokenURL, AuthStyle: oauth2.AuthStyleInHeader},
	}
	sc := securecookie.New(benchKey(32), benchKey(32))
	const name = "oauth"
	start := func(w http.ResponseWriter, r *http.Request) string {
		p := map[string]string{
			"state": oauth2.GenerateVerifier(), "verifier": oauth2.GenerateVerifier(), "return_to": benchReturn,
		}
		value, err := sc.Encode(name, p)
		if err != nil {
			tb.Fatal(err)
		}
		http.SetCookie(w, &http.Cookie{
			Name: name, Value: value, Path: "/", MaxAge: 600, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
		return conf.AuthCodeURL(p["state"], oauth2.S256ChallengeOption(p["verifier"]))
	}
	client := &http.Client{Transport: stubProvider{}}
	finish := func(w http.ResponseWriter, r *http.Request) (string, string, error) {
		cookie, err := r.Cookie(name)
		if err != nil {
			return "", "", err
		}
		var p map[string]string
		if err := sc.Decode(name, cookie.Value, &p); err != nil {
			return "", "", err
		}
		if !hmac.Equal([]byte(p["state"]), []byte(r.FormValue("state"))) {
			return "", "", fmt.Errorf("wrong state")
		}
		ctx := context.WithValue(r.Context(), oauth2.HTTPClient, client)
		token, err := conf.Exchange(ctx, r.FormValue("code"), oauth2.VerifierOption(p["verifier"]))
		if err != nil {
			return "", "", err
		}
		http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true})
		return token.AccessToken, p["return_to"], nil
	}
	return subject{start, finish}
}

// callbackFor is the callback request that ends the login which start began on rec.
func callbackFor(target string, rec *httptest.ResponseRecorder) *http.Request {
	u, _ := url.Parse(target)
	query := url.Values{"code": {"c0de"}, "state": {u.Query().Get("state")}, "iss": {"https://provider.example"}}
	r := httptest.NewRequest("GET", benchRedirect+"?"+query.Encode(), nil)
	for _, c := range rec.Result().Cookies() {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	return r
}

func recorderAndRequest() (*httptest.ResponseRecorder, *http.Request) {
	return httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/auth/bench", nil)
}

func (s subject) runStart(b *testing.B) {
	_, r := recorderAndRequest()
	b.ReportAllocs()
	for b.Loop() {
		s.start(&discard{header: make(http.Header, 8)}, r)
	}
	rec := httptest.NewRecorder()
	s.start(rec, r)
	b.ReportMetric(float64(len(rec.Header().Get("Set-Cookie"))), "cookie-B")
}

// runFinish prepares its callbacks in batches, outside the clock: each state is redeemed once.
func (s subject) runFinish(b *testing.B) {
	b.ReportAllocs()
	var batch []*http.Request
	for i := range b.N {
		if len(batch) == 0 {
			b.StopTimer()
			for range min(1000, b.N-i) {
				rec, r := recorderAndRequest()
				batch = append(batch, callbackFor(s.start(rec, r), rec))
			}
			runtime.GC() // the preparation's garbage is not the login's
			b.StartTimer()
		}
		token, returnTo, err := s.finish(&discard{header: make(http.Header, 8)}, batch[len(batch)-1])
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

func BenchmarkStart(b *testing.B)  { compare(b, subject.runStart) }
func BenchmarkFinish(b *testing.B) { compare(b, subject.runFinish) }

func compare(b *testing.B, run func(subject, *testing.B)) {
	b.Run("floor", func(b *testing.B) { run(benchFloor(b), b) })
	b.Run("authcode", func(b *testing.B) { run(benchAuthcode(b), b) })
	b.Run("tutorial", func(b *testing.B) { run(benchTutorial(b), b) })
}
