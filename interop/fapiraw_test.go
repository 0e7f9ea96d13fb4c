package interop

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// rawFAPI is a client written by hand from the RFCs. It shows that the server side takes what it
// should and refuses the rest, which is what the logins of authcode rely on, and it plays the thief.
type rawFAPI struct {
	*fapiClient
	t        testing.TB
	o        *fapiProvider
	id       string
	redirect string
	at       string        // origin of its requests
	http     *http.Client  // for them
	audience any           // of its assertions
	proves   crypto.Signer // DPoP; nil: none
	nonce    string
	noPKCE   bool
}

const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636 appendix B
	challenge = foreign
)

// newRawFAPI registers a client with o, and serves the redirect URI that it has.
func newRawFAPI(t testing.TB, o *fapiProvider, c *fapiClient) *rawFAPI {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(app.Close)
	raw := &rawFAPI{
		fapiClient: c, t: t, o: o, redirect: app.URL + "/callback", at: o.issuer,
		http: withCertificates(t, c.certificate), audience: o.issuer,
	}
	raw.id = o.registerFAPI(t, c, raw.redirect, nil)
	if c.certificate.Certificate != nil {
		raw.at = o.aliases
	}
	if c.binding == byDPoP {
		raw.proves = newSigner(t, c.alg)
	}
	return raw
}

// answer is what a server says to a back-channel request.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a answer) text(key string) string {
	value, _ := a.body[key].(string)
	return value
}

// signJWT makes a JWT, with the key itself in the header if embed is set.
func signJWT(t testing.TB, key crypto.Signer, alg, typ string, embed bool, claims map[string]any) string {
	t.Helper()
	options := (&jose.SignerOptions{EmbedJWK: embed}).WithType(jose.ContentType(typ))
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(alg), Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// proof makes a DPoP proof (RFC 9449 section 4.2) for a request, with or without a token.
func (c *rawFAPI) proof(method, address, token string) string {
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": address, "iat": time.Now().Unix()}
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	if c.nonce != "" {
		claims["nonce"] = c.nonce
	}
	return signJWT(c.t, c.proves, c.alg, "dpop+jwt", true, claims)
}

// authenticate adds client authentication to a form.
func (c *rawFAPI) authenticate(form url.Values) {
	form.Set("client_id", c.id)
	if c.method != "private_key_jwt" {
		return
	}
	now := time.Now()
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", signJWT(c.t, c.key, c.alg, "JWT", false, map[string]any{
		"iss": c.id, "sub": c.id, "aud": c.audience, "jti": rand.Text(),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}))
}

// post sends a form, authenticated and with proof, again where the server asks for a nonce.
func (c *rawFAPI) post(path string, form url.Values) answer {
	c.t.Helper()
	for again := false; ; again = true {
		c.authenticate(form)
		req, err := http.NewRequest(http.MethodPost, c.at+path, strings.NewReader(form.Encode()))
		if err != nil {
			c.t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.proves != nil {
			req.Header.Set("DPoP", c.proof(http.MethodPost, c.at+path, ""))
		}
		got := c.send(req)
		if again || got.text("error") != "use_dpop_nonce" {
			return got
		}
	}
}

// get asks for userinfo with a token, again where the server asks for a nonce.
func (c *rawFAPI) get(scheme, token string) answer {
	c.t.Helper()
	for again := false; ; again = true {
		req, err := http.NewRequest(http.MethodGet, c.at+"/me", nil)
		if err != nil {
			c.t.Fatal(err)
		}
		req.Header.Set("Authorization", scheme+" "+token)
		if c.proves != nil {
			req.Header.Set("DPoP", c.proof(http.MethodGet, c.at+"/me", token))
		}
		got := c.send(req)
		if again || !strings.Contains(got.header.Get("WWW-Authenticate"), "use_dpop_nonce") {
			return got
		}
	}
}

func (c *rawFAPI) send(req *http.Request) answer {
	c.t.Helper()
	res, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer res.Body.Close()
	got := answer{status: res.StatusCode, header: res.Header}
	if nonce := res.Header.Get("DPoP-Nonce"); nonce != "" {
		c.nonce = nonce
	}
	data, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	json.Unmarshal(data, &got.body) // some answers have none
	return got
}

// push pushes an authorization request (RFC 9126 section 2).
func (c *rawFAPI) push() answer {
	c.t.Helper()
	form := url.Values{
		"response_type": {"code"}, "redirect_uri": {c.redirect}, "state": {"a state"},
		"scope": {"openid offline_access"}, "prompt": {"consent"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}
	if c.noPKCE {
		form.Del("code_challenge")
		form.Del("code_challenge_method")
	}
	return c.post("/request", form)
}

// approve goes through the provider's pages and returns the query of the redirect URI.
func (c *rawFAPI) approve(query url.Values) url.Values {
	c.t.Helper()
	me := newPerson(c.t)
	return me.press(me.signIn(c.o.issuer+"/auth?"+query.Encode()), "approve").url.Query()
}

// code returns an authorization code.
func (c *rawFAPI) code() string {
	c.t.Helper()
	pushed := c.push()
	if pushed.status != http.StatusCreated {
		c.t.Fatalf("the push answers %d: %v", pushed.status, pushed.body)
	}
	got := c.approve(url.Values{"client_id": {c.id}, "request_uri": {pushed.text("request_uri")}})
	if got.Get("code") == "" || got.Get("iss") != c.o.issuer || got.Get("state") != "a state" {
		c.t.Fatalf("the response is %v", got)
	}
	return got.Get("code")
}

func (c *rawFAPI) redeem(code string) answer {
	c.t.Helper()
	return c.post("/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code},
		"redirect_uri": {c.redirect}, "code_verifier": {verifier},
	})
}

// token signs in and returns the access token.
func (c *rawFAPI) token() string {
	c.t.Helper()
	got := c.redeem(c.code())
	if got.status != http.StatusOK || got.text("token_type") != c.tokenType() {
		c.t.Fatalf("the token request answers %d: %v", got.status, got.body)
	}
	return got.text("access_token")
}
