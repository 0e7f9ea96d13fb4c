package authcode_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
)

// stubPAR answers pushes without a network.
type stubPAR struct{}

var benchPushed = []byte(`{"request_uri":"urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c","expires_in":60}`)

func (stubPAR) RoundTrip(r *http.Request) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusCreated, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(bytes.NewReader(benchPushed)), ContentLength: int64(len(benchPushed)), Request: r,
	}, nil
}

// BenchmarkPush compares a login that pushes its request with one that does not and a bare POST of the same
// parameters by net/http, with the answer read by encoding/json: PAR adds a request, and nothing else.
func BenchmarkPush(b *testing.B) {
	client := func(parURL string) *authcode.Client {
		c, err := authcode.New(authcode.Config{
			Provider: authcode.Provider{Name: "bench", Endpoints: authcode.Endpoints{AuthURL: benchAuthURL, TokenURL: benchTokenURL, PARURL: parURL}},
			ClientID: "client", ClientAuth: authcode.Secret(benchSecret), RedirectURL: benchRedirect,
			Scopes: []string{"profile", "email"}, CookieKeys: [][]byte{benchKey(32)}, Wrap: through(stubPAR{}),
		})
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	start := func(c *authcode.Client) string {
		target, err := c.AuthCodeURL(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/login", nil))
		if err != nil {
			b.Fatal(err)
		}
		return target
	}
	b.Run("apart", func(b *testing.B) {
		c := client("")
		b.ReportAllocs()
		for b.Loop() {
			_, query, _ := strings.Cut(start(c), "?")
			form, err := url.ParseQuery(query)
			if err != nil {
				b.Fatal(err)
			}
			barePush(b, form)
		}
	})
	b.Run("pushed", func(b *testing.B) {
		c := client("https://provider.example/par")
		b.ReportAllocs()
		for b.Loop() {
			if !strings.Contains(start(c), "request_uri=") {
				b.Fatal("nothing was pushed")
			}
		}
	})
}

func barePush(b *testing.B, form url.Values) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, "https://provider.example/par", strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("client", url.QueryEscape(benchSecret))
	resp, err := stubPAR{}.RoundTrip(req)
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
