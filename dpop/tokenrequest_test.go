package dpop_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/dpop"
	"golang.org/x/oauth2"
)

// tokenServer answers token requests from memory: the first names the nonce n1, the second is refused as the
// test says, all others succeed.
type tokenServer struct {
	t       *testing.T
	proofs  []*proof
	refusal *http.Response
}

func (s *tokenServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.proofs = append(s.proofs, proofOf(s.t, r))
	if len(s.proofs) == 2 {
		return s.refusal, nil
	}
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(
		`{"access_token":"at","refresh_token":"rt","token_type":"DPoP","expires_in":3600}`))}
	if len(s.proofs) == 1 {
		resp.Header.Set("DPoP-Nonce", "n1")
	}
	return resp, nil
}

// refresh sends a token request.
func refresh(t *testing.T, c *authcode.Client) error {
	_, err := c.Refresh(t.Context(), &oauth2.Token{RefreshToken: "rt"})
	return err
}

// refusedTokenRequests are answers of the token endpoint, with what follows.
var refusedTokenRequests = []struct {
	claim  string
	status int
	nonces []string
	body   string
	check  string // "": it was sent again, with success
	reason authcode.Reason
	next   string // the nonce of the next proof
}{
	{"400 that demands a nonce", 400, []string{"n2"}, nonceRefusal, "", "", "n2"},
	{"401 that does", 401, []string{"n2"}, nonceRefusal, "", "", "n2"},
	{"the nonce that was used", 400, []string{"n1"}, nonceRefusal, nonceCheck, authcode.BadAnswer,
		"n1"},
	{"none", 400, nil, nonceRefusal, nonceCheck, authcode.BadAnswer, "n1"},
	{"two", 400, []string{"n2", "n3"}, nonceRefusal, nonceCheck, authcode.BadAnswer, "n1"},
	{"one that cannot be", 400, []string{"n 2"}, nonceRefusal, nonceCheck, authcode.BadAnswer,
		"n1"},
	{"another error", 400, []string{"n2"}, `{"error":"invalid_grant"}`, errorCheck,
		authcode.GrantRejected, "n2"},
	{"the word elsewhere", 400, []string{"n2"}, `{"error_description":"use_dpop_nonce"}`,
		errorCheck, authcode.GrantRejected, "n2"},
	{"the error twice", 400, []string{"n2"}, `{"error":"use_dpop_nonce","error":"invalid_grant"}`,
		errorCheck, authcode.GrantRejected, "n2"},
	{"neither JSON nor a form", 400, []string{"n2"}, `use_dpop_nonce`, errorCheck,
		authcode.GrantRejected, "n2"},
	{"a form, which package authcode reads too", 400, []string{"n2"}, `error=use_dpop_nonce`, "", "", "n2"},
	{"no body", 400, []string{"n2"}, ``, errorCheck, authcode.GrantRejected, "n2"},
	{"64 KiB", 400, []string{"n2"}, padded(64 << 10), "", "", "n2"},
	{"256 KiB", 400, []string{"n2"}, padded(answerLimit), "", "", "n2"},
	{"a byte more", 400, []string{"n2"}, padded(answerLimit + 1), sizeCheck, authcode.BadAnswer,
		"n2"},
	{"a megabyte", 400, []string{"n2"}, padded(1 << 20), sizeCheck, authcode.BadAnswer, "n2"},
	{"200", 200, []string{"n2"}, nonceRefusal, nonceCheck, authcode.BadAnswer, "n2"},
	{"403", 403, []string{"n2"}, nonceRefusal, nonceCheck, authcode.BadAnswer, "n2"},
	{"500", 500, []string{"n2"}, nonceRefusal, nonceCheck, authcode.BadAnswer, "n2"},
}

const (
	nonceRefusal = `{"error":"use_dpop_nonce","error_description":"x"}`
	answerLimit  = 256 << 10 // of package authcode's

	nonceCheck, errorCheck, sizeCheck = "answer.dpop_nonce", "answer.error", "answer.size"
)

func padded(n int) string {
	return nonceRefusal + strings.Repeat(" ", n-len(nonceRefusal))
}

// TestRefusedTokenRequest: which answers of an authorization server make the Client send the request again, which
// nonces are learnt, and that the answer is read whole, within its limit, and closed.
func TestRefusedTokenRequest(t *testing.T) {
	for _, row := range refusedTokenRequests {
		t.Run(row.claim, func(t *testing.T) {
			body := &watched{Reader: strings.NewReader(row.body)}
			s := &tokenServer{t: t, refusal: &http.Response{StatusCode: row.status, Header: http.Header{"Dpop-Nonce": row.nonces}, Body: body}}
			c := newClient(t, dpop.New(newKey(t)), s)
			if err := refresh(t, c); err != nil {
				t.Fatal(err)
			}
			want, err := 3, refresh(t, c)
			if row.check == "" && err != nil {
				t.Error(err)
			} else if row.check != "" {
				want = 2
				wantError(t, err, row.reason, row.check)
			}
			if len(s.proofs) != want {
				t.Errorf("%d requests, want %d", len(s.proofs), want)
			}
			least := min(len(row.body), answerLimit+1)
			if body.read > answerLimit+1 || body.read < least || body.closed != 1 {
				t.Errorf("%d bytes of %d were read, closed %d times", body.read, len(row.body), body.closed)
			}
			if err := refresh(t, c); err != nil {
				t.Fatal(err)
			}
			if got := s.proofs[len(s.proofs)-1].Nonce; got != row.next {
				t.Errorf("the next proof has the nonce %q, want %q", got, row.next)
			}
		})
	}
}

// TestAnswerThatBreaks: a refusal whose body ends with an error is not believed, though all of it has come.
func TestAnswerThatBreaks(t *testing.T) {
	body := io.MultiReader(strings.NewReader(`{"error":"use_dpop_nonce"}`), &brokenOnce{errors.New("broken")})
	s := &tokenServer{t: t, refusal: &http.Response{StatusCode: 400, Header: demand("n"), Body: io.NopCloser(body)}}
	c := newClient(t, dpop.New(newKey(t)), s)
	if err := refresh(t, c); err != nil {
		t.Fatal(err)
	}
	wantError(t, refresh(t, c), authcode.Unreachable, "provider.unreachable")
	if len(s.proofs) != 2 {
		t.Errorf("%d requests: a broken answer is believed", len(s.proofs))
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
	learn := func(endpoint, nonce string) { proofFor(t, b, endpoint, http.Header{"Dpop-Nonce": {nonce}}) }
	call := func(target, answered string) (used string) {
		base := transport(func(r *http.Request) *http.Response {
			used = proofOf(t, r).Nonce
			return answer(200, http.Header{"Dpop-Nonce": {answered}})
		})
		r, _ := http.NewRequest("GET", target, nil)
		if _, err := send(b, base, "", withToken(r, "at")); err != nil {
			t.Fatal(err)
		}
		return used
	}
	learn("https://one.example/token", "as")
	for _, other := range []string{"https://one.example/", "https://two.example/", "http://one.example/", "https://one.example:8443/"} {
		if got := call(other, "rs-of-"+url.PathEscape(other)); got != "" {
			t.Errorf("the first request to %s has the nonce %s", other, got)
		}
	}
	call("https://one.example/", "rs")
	for endpoint, want := range map[string]string{
		"https://one.example/token": "as", "https://ONE.example:443/par": "as", "https://one.example:8443/token": "",
		"http://one.example/token": "", "https://two.example/token": "",
	} {
		if got := proofFor(t, b, endpoint, nil).Nonce; got != want {
			t.Errorf("the proof for %s has the nonce %q, want %q", endpoint, got, want)
		}
	}
	if got := call("https://One.example:443/x", "rs"); got != "rs" {
		t.Errorf("the resource server's nonce is %q", got)
	}
}

// TestRoles: the scheme of the Authorization header alone tells an API from the token endpoint.
func TestRoles(t *testing.T) {
	for authorization, want := range map[string]string{
		"": "", "Basic eDp5": "", "Bearer at": "", "DPoPx at": "", "DPo at": "", "DPoP at": hash("at"), "dpop at": hash("at"), "DPoP a b": hash("a b"),
	} {
		r, _ := http.NewRequest("POST", tokenURL, nil)
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		var got *proof
		base := transport(func(r *http.Request) *http.Response {
			got = proofOf(t, r)
			if r.Header.Get("Authorization") != authorization {
				t.Errorf("Authorization %q was sent as %q", authorization, r.Header.Get("Authorization"))
			}
			return answer(200, nil)
		})
		if _, err := send(dpop.New(newKey(t)), base, "", r); err != nil || got.TokenHash != want {
			t.Errorf("Authorization %q: ath %q, want %q, %v", authorization, got.TokenHash, want, err)
		}
	}
}

// TestOnlyDPoPHeader: another of that name, whoever set it, does not go out too.
func TestOnlyDPoPHeader(t *testing.T) {
	r, _ := http.NewRequest("POST", tokenURL, nil)
	r.Header = http.Header{"DPoP": {"stray"}, "dpop": {"stray"}, "X": {"1"}}
	before := r.Header.Clone()
	base := transport(func(out *http.Request) *http.Response {
		if len(out.Header) != 2 || len(out.Header["Dpop"]) != 1 {
			t.Errorf("got %q", out.Header)
		}
		proofOf(t, out)
		return answer(200, nil)
	})
	if _, err := send(dpop.New(newKey(t)), base, "", r); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(r.Header, before) {
		t.Errorf("the caller's header was changed: %q", r.Header)
	}
}

// TestNonceHeader: package authcode sends a refused request again if the answer names a nonce. The header is left in
// an answer only if the next proof will have a nonce that the last one had not.
func TestNonceHeader(t *testing.T) {
	b := dpop.New(newKey(t))
	proofFor(t, b, tokenURL, http.Header{"Dpop-Nonce": {"n1"}})
	for _, row := range []struct {
		nonces []string
		stays  bool
	}{
		{nil, false}, {[]string{"n1"}, false}, {[]string{"n 1"}, false}, {[]string{""}, false}, {[]string{"n2", "n2"}, false}, {[]string{"n2"}, true},
	} {
		h := http.Header{"Dpop-Nonce": row.nonces, "X": {"1"}}
		r, _ := http.NewRequest("POST", tokenURL, nil)
		resp, err := send(b, transport(func(*http.Request) *http.Response { return answer(400, h) }), "", r)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(resp.Header.Values("DPoP-Nonce")) > 0; got != row.stays || resp.Header.Get("X") != "1" {
			t.Errorf("of %q %q is left", h, resp.Header)
		}
		if len(h["Dpop-Nonce"]) != len(row.nonces) {
			t.Errorf("the header that the transport may share was changed: %q", h)
		}
	}
}
