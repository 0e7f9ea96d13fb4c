package provider_test

import (
	"cmp"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

const (
	clientID     = "client+1"
	clientSecret = "s3cr+t/%:ü"
	accessToken  = "access-1"
	refreshToken = "refresh-1"
)

// reply is what an endpoint of a provider answers. Status zero is 200.
type reply struct {
	status int
	header [2]string
	body   string
}

func (r reply) send(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if r.header[0] != "" {
		w.Header().Set(r.header[0], r.header[1])
	}
	w.WriteHeader(cmp.Or(r.status, http.StatusOK))
	io.WriteString(w, r.body)
}

// page is a request that a provider's API must see, and its answer.
type page struct {
	url    string
	method string    // if empty, GET
	header [2]string // must be there
	form   string    // must be its body, without a token in the header
	json   string    // must be its body, with a token in the header
	body   string
}

// sim plays one provider: it refuses and reports whatever that provider's documents do not ask for.
// Every request reaches it under the provider's real URL.
type sim struct {
	row    *row
	server *httptest.Server

	mu       sync.Mutex
	t        *testing.T
	started  url.Values // the last authorization request
	requests []string   // endpoints seen since reset

	// What goes wrong, by test.
	denied, refused                            bool
	profile, whoami, emails, userInfo, revoked *reply
	claims, idToken                            string
	grant                                      string // the token answer
	form                                       string // further fields of a form_post
}

func newSim(t *testing.T, r *row) *sim {
	s := &sim{row: r}
	s.server = newTLSServer(t, s)
	return s
}

// reset makes the provider well again, and reports to t from now on.
func (s *sim) reset(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.t, s.started, s.requests = t, nil, nil
	s.denied, s.refused = false, false
	s.profile, s.emails, s.userInfo, s.whoami, s.revoked = nil, nil, nil, nil, nil
	s.claims, s.idToken, s.form, s.grant = "", "", "", ""
	if s.row.openID != nil {
		s.claims = s.row.openID.claims
	}
}

// RoundTrip carries a request for a provider's real host to the simulator.
func (s *sim) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, fmt.Errorf("%s is not https", r.URL)
	}
	out := r.Clone(r.Context())
	out.Host, out.URL.Host = r.URL.Host, s.server.Listener.Addr().String()
	return s.server.Client().Transport.RoundTrip(out)
}

func (s *sim) seen(endpoint string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r == endpoint {
			n++
		}
	}
	return n
}

func (s *sim) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.requests)
}

func (s *sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	here := "https://" + r.Host + r.URL.EscapedPath()
	s.requests = append(s.requests, here)
	if r.URL.RawQuery != "" && here != s.row.auth {
		here += "?" + r.URL.RawQuery
	}
	switch o := s.row.openID; {
	case here == s.row.auth:
		s.authorize(w, r)
	case here == s.row.token:
		s.exchange(w, r)
	case here == s.row.revoke && s.row.ownRevoke != nil:
		s.row.ownRevoke.answer(s, w, r)
	case here == s.row.revoke:
		s.revocation(w, r)
	case o == nil && here == s.row.whoami.url:
		s.api(w, r, s.row.whoami, s.whoami)
	case o == nil && here == s.row.profile.url:
		s.api(w, r, s.row.profile, s.profile)
	case o == nil && here == s.row.emails.url:
		s.api(w, r, s.row.emails, s.emails)
	case o != nil && here == o.metadataURL() && r.Header.Get("Authorization") == "":
		s.metadata(w)
	case o != nil && here == o.issuer+"/keys" && r.Header.Get("Authorization") == "" && o.alg != jose.HS256:
		alg, key := o.signingKey()
		json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: key.(crypto.Signer).Public(), KeyID: "k1", Algorithm: string(alg), Use: "sig"}}})
	case o != nil && here == o.issuer+"/userinfo" && o.userInfo != "":
		s.api(w, r, page{body: o.userInfo}, s.userInfo)
	default:
		s.t.Errorf("%s %s: this provider has no such endpoint", r.Method, here)
		http.NotFound(w, r)
	}
}

// authorize checks the authorization request and sends the browser back.
func (s *sim) authorize(w http.ResponseWriter, r *http.Request) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || r.Method != http.MethodGet {
		s.t.Errorf("authorization request %s %s: %v", r.Method, r.URL, err)
	}
	want := url.Values{"response_type": {"code"}, "code_challenge_method": {"S256"},
		s.row.clientIDParam(): {clientID}, "redirect_uri": {q.Get("redirect_uri")}, "state": {q.Get("state")},
		"code_challenge": {q.Get("code_challenge")}}
	for name, value := range s.row.params {
		want.Set(name, value)
	}
	if s.row.scope != "" {
		want.Set("scope", s.row.scope)
	}
	if s.row.formPost {
		want.Set("response_mode", "form_post")
	}
	if strings.Contains(s.row.scope, "openid") {
		want.Set("nonce", q.Get("nonce"))
	}
	if got := q.Encode(); got != want.Encode() || len(q.Get("code_challenge")) != 43 || q.Get("state") == "" {
		s.t.Errorf("authorization request has\n%s, want\n%s", got, want.Encode())
	}
	s.started = q
	s.sendBack(w, r)
}

// sendBack redirects the browser to the app, or posts a form.
func (s *sim) sendBack(w http.ResponseWriter, r *http.Request) {
	q := s.started
	// Strava and Google say the scope here, Google and Microsoft more that is nobody's business.
	answer := url.Values{"state": {q.Get("state")}, "code": {"c0de"}, "scope": {"read"}, "authuser": {"0"},
		"prompt": {"consent"}, "session_state": {"5e55"}}
	if s.denied {
		answer = url.Values{"state": {q.Get("state")}, "error": {s.row.denial()}, "error_code": {"200"},
			"error_description": {"Permissions error"}, "error_reason": {"user_denied"}} // all of Facebook's
	}
	for name, value := range s.row.callback {
		answer.Set(name, value)
	}
	if s.row.iss != "" {
		answer.Set("iss", s.row.iss)
	}
	if s.row.formPost { // a page would post this form by script
		if s.form != "" {
			answer.Set("user", s.form)
		}
		io.WriteString(w, answer.Encode())
		return
	}
	if s.row.sign != nil {
		s.row.sign(answer)
	}
	callback := q.Get("redirect_uri") + "?" + answer.Encode()
	if s.row.fragment != "" {
		callback += "#" + s.row.fragment
	}
	http.Redirect(w, r, callback, http.StatusFound)
}

// exchange checks the token request and answers as this provider does.
func (s *sim) exchange(w http.ResponseWriter, r *http.Request) {
	form := s.backChannel(r)
	for name, want := range s.row.tokenParams {
		if got := form.Get(name); got != strings.Replace(want, "STATE", s.started.Get("state"), 1) {
			s.t.Errorf("%s has %s %q, want %q", form.Get("grant_type"), name, got, want)
		}
	}
	if form.Get("grant_type") == "refresh_token" {
		if form.Get("refresh_token") != refreshToken || form.Has("code_verifier") || form.Has("code") {
			s.t.Errorf("refresh request has %v", form)
		}
		reply{body: or(s.row.renewal, `{"access_token":"access-2","token_type":"bearer","expires_in":60}`)}.send(w)
		return
	}
	verifier := form.Get("code_verifier")
	sum := sha256.Sum256([]byte(verifier))
	switch {
	case s.row.noVerifier && verifier != "":
		reply{status: 401, body: `{"error":"invalid_client","error_description":"Client authentication failed"}`}.send(w)
		return
	case s.row.noVerifier:
	case base64.RawURLEncoding.EncodeToString(sum[:]) != s.started.Get("code_challenge"):
		s.t.Errorf("code_verifier %q does not belong to the challenge", verifier)
	}
	if form.Get("grant_type") != "authorization_code" || form.Get("redirect_uri") != s.started.Get("redirect_uri") ||
		form.Get("code") != "c0de" {
		s.t.Errorf("token request has %v", form)
	}
	if s.refused {
		s.row.refusal.send(w)
		return
	}
	reply{body: strings.Replace(or(s.grant, s.row.grant), "ID_TOKEN", s.token(), 1)}.send(w)
}

func (s *sim) revocation(w http.ResponseWriter, r *http.Request) {
	form := s.backChannel(r)
	if form.Get("token") != accessToken || form.Get("token_type_hint") != "access_token" {
		s.t.Errorf("revocation request has %v", form)
	}
	w.WriteHeader(http.StatusOK)
}

// backChannel checks a POST and its client authentication, of which there must be exactly one.
func (s *sim) backChannel(r *http.Request) url.Values {
	body, err := io.ReadAll(r.Body)
	form, bad := url.ParseQuery(string(body))
	if r.Method != http.MethodPost || err != nil || bad != nil ||
		r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" ||
		r.Header.Get("Accept") != "application/json" {
		s.t.Errorf("%s %s with %v: %v %v", r.Method, r.URL, r.Header, err, bad)
	}
	if kind, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); kind != "" && kind != "Basic" {
		s.t.Errorf("%s %s with a token", r.Method, r.URL)
	}
	id, secret, basic := r.BasicAuth()
	id, _ = url.QueryUnescape(id)
	secret, _ = url.QueryUnescape(secret)
	if !basic {
		id, secret = form.Get(s.row.clientIDParam()), form.Get("client_secret")
	} else if form.Has("client_secret") || form.Has(s.row.clientIDParam()) {
		s.t.Errorf("credentials in the header and the body")
	}
	if s.row.checkSecret != nil {
		s.row.checkSecret(s.t, secret)
		secret = clientSecret
	}
	if basic != s.row.basic || id != clientID || secret != clientSecret {
		s.t.Errorf("authenticated as %q with %q, Basic %v; want Basic %v", id, secret, basic, s.row.basic)
	}
	return form
}
