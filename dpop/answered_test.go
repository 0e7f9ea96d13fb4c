package dpop_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
)

const tokenURL = "https://as.example/token"

// tokenRequest is a token request that b has proven.
func tokenRequest(t testing.TB, b *dpop.Binding, endpoint string) *authcode.BackChannelRequest {
	t.Helper()
	req := &authcode.BackChannelRequest{Endpoint: endpoint, Form: url.Values{}}
	if err := b.Prove(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	return req
}

// proofOf is the proof in req.
func proofOf(t testing.TB, req *authcode.BackChannelRequest) *proof {
	t.Helper()
	p, err := parseProof(req.Header.Get("DPoP"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestAnswered: which answers of an authorization server ask for the request again, which nonces are learnt, and that
// the body stays whole.
func TestAnswered(t *testing.T) {
	const refusal = `{"error":"use_dpop_nonce","error_description":"x"}`
	padded := func(n int) string { return refusal + strings.Repeat(" ", n-len(refusal)) }
	rows := []struct {
		claim  string
		status int
		nonces []string
		body   string
		again  bool
		next   string // the nonce of the next proof
	}{
		{"400 that demands a nonce", 400, []string{"n2"}, refusal, true, "n2"},
		{"401 that does", 401, []string{"n2"}, refusal, true, "n2"},
		{"the nonce that was used", 400, []string{"n1"}, refusal, false, "n1"},
		{"none", 400, nil, refusal, false, "n1"},
		{"two", 400, []string{"n2", "n3"}, refusal, false, "n1"},
		{"one that cannot be", 400, []string{"n 2"}, refusal, false, "n1"},
		{"another error", 400, []string{"n2"}, `{"error":"invalid_grant"}`, false, "n2"},
		{"the word elsewhere", 400, []string{"n2"}, `{"error_description":"use_dpop_nonce"}`, false, "n2"},
		{"the error twice", 400, []string{"n2"}, `{"error":"use_dpop_nonce","error":"invalid_grant"}`, false, "n2"},
		{"no JSON", 400, []string{"n2"}, `error=use_dpop_nonce`, false, "n2"},
		{"no body", 400, []string{"n2"}, ``, false, "n2"},
		{"64 KiB", 400, []string{"n2"}, padded(64 << 10), true, "n2"},
		{"a byte more", 400, []string{"n2"}, padded(64<<10 + 1), false, "n2"},
		{"a megabyte", 400, []string{"n2"}, padded(1 << 20), false, "n2"},
		{"200", 200, []string{"n2"}, refusal, false, "n2"},
		{"403", 403, []string{"n2"}, refusal, false, "n2"},
		{"500", 500, []string{"n2"}, refusal, false, "n2"},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			b := dpop.New(newKey(t))
			b.Answered(tokenRequest(t, b, tokenURL), answer(200, http.Header{"Dpop-Nonce": {"n1"}}))
			req := tokenRequest(t, b, tokenURL)
			body := &watched{Reader: strings.NewReader(row.body)}
			resp := &http.Response{StatusCode: row.status, Header: http.Header{"Dpop-Nonce": row.nonces}, Body: body}
			if got := b.Answered(req, resp); got != row.again {
				t.Errorf("Answered returns %t", got)
			}
			if body.read > 64<<10+1 {
				t.Errorf("%d bytes were read", body.read)
			}
			if rest, err := io.ReadAll(resp.Body); string(rest) != row.body || err != nil {
				t.Errorf("%d bytes are left of %d, %v", len(rest), len(row.body), err)
			}
			if resp.Body.Close(); body.closed != 1 {
				t.Errorf("closed %d times", body.closed)
			}
			if got := proofOf(t, tokenRequest(t, b, tokenURL)).Nonce; got != row.next {
				t.Errorf("the next proof has the nonce %q, want %q", got, row.next)
			}
		})
	}
}

// TestAnswerThatBreaks: a body that ends with an error still does, though it was read before.
func TestAnswerThatBreaks(t *testing.T) {
	broken := errors.New("broken")
	b := dpop.New(newKey(t))
	body := io.MultiReader(strings.NewReader(`{"error":"use_dpop_nonce"}`), &brokenOnce{broken})
	resp := &http.Response{StatusCode: 400, Header: demand("n"), Body: io.NopCloser(body)}
	if b.Answered(tokenRequest(t, b, tokenURL), resp) {
		t.Error("a broken answer is believed")
	}
	if text, err := io.ReadAll(resp.Body); len(text) == 0 || !errors.Is(err, broken) {
		t.Errorf("got %q, %v", text, err)
	}
}

// brokenOnce reports its error once, and its end from then on.
type brokenOnce struct{ err error }

func (b *brokenOnce) Read([]byte) (int, error) {
	err := b.err
	b.err = io.EOF
	return 0, err
}

// TestNoncesApart: each origin has nonces of its own, and each role at one origin.
func TestNoncesApart(t *testing.T) {
	b := dpop.New(newKey(t))
	learn := func(endpoint, nonce string) {
		b.Answered(tokenRequest(t, b, endpoint), answer(200, http.Header{"Dpop-Nonce": {nonce}}))
	}
	call := func(target, answered string) (used string) {
		base := transport(func(r *http.Request) *http.Response {
			p, err := parseProof(r.Header.Get("DPoP"))
			if err != nil {
				t.Fatal(err)
			}
			used = p.Nonce
			return answer(200, http.Header{"Dpop-Nonce": {answered}})
		})
		r, _ := http.NewRequest("GET", target, nil)
		if _, err := b.RoundTrip(base, r, bearer("at"), ""); err != nil {
			t.Fatal(err)
		}
		return used
	}
	learn("https://one.example/token", "as")
	for _, other := range []string{"https://one.example/", "https://two.example/", "http://one.example/", "https://one.example:8443/"} {
		if got := call(other, "rs of "+other); got != "" {
			t.Errorf("the first request to %s has the nonce %s", other, got)
		}
	}
	call("https://one.example/", "rs")
	for endpoint, want := range map[string]string{
		"https://one.example/token": "as", "https://ONE.example:443/par": "as", "https://one.example:8443/token": "",
		"http://one.example/token": "", "https://two.example/token": "",
	} {
		if got := proofOf(t, tokenRequest(t, b, endpoint)).Nonce; got != want {
			t.Errorf("the proof for %s has the nonce %q, want %q", endpoint, got, want)
		}
	}
	if got := call("https://One.example:443/x", "rs"); got != "rs" {
		t.Errorf("the resource server's nonce is %q", got)
	}
}

// TestOnlyDPoPHeader: another of that name, whoever set it, does not go out too.
func TestOnlyDPoPHeader(t *testing.T) {
	b := dpop.New(newKey(t))
	req := &authcode.BackChannelRequest{Endpoint: tokenURL, Header: http.Header{"DPoP": {"stray"}, "dpop": {"stray"}, "X": {"1"}}}
	if err := b.Prove(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if len(req.Header) != 2 || len(req.Header["Dpop"]) != 1 {
		t.Errorf("got %q", req.Header)
	}
	proofOf(t, req)
}
