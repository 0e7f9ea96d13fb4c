package authcode_test

import (
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
	"net/url"
	"strings"
	"testing"

	"github.com/gorilla/securecookie"
	"golang.org/x/oauth2"
)

// floor does what no login can do without, with the standard library only:
// random bytes, one AES-GCM seal and open, the URL, one request, one
// encoding/json decode, the headers.
type floor struct {
	aead   cipher.AEAD
	client *http.Client
}

const floorCookie = "__Host-login"

func newFloor(tb testing.TB) subject {
	block, err := aes.NewCipher(benchKey(32))
	if err != nil {
		tb.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		tb.Fatal(err)
	}
	return floor{aead, &http.Client{Transport: stubToken}}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func (f floor) start(w http.ResponseWriter, _ *http.Request) string {
	secrets := make([]byte, 64, 64+len(benchReturn)) // state and verifier
	rand.Read(secrets)
	state, verifier := encode(secrets[:32]), encode(secrets[32:64])
	sum := sha256.Sum256([]byte(verifier))
	sealed := f.aead.Seal(nil, nil, append(secrets, benchReturn...), []byte(floorCookie))
	http.SetCookie(w, &http.Cookie{
		Name: floorCookie, Value: encode(sealed),
		Path: "/", MaxAge: 600, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	setHeaders(w)
	query := url.Values{
		"response_type": {"code"}, "client_id": {"client"}, "redirect_uri": {benchRedirect},
		"scope": {"profile email"}, "state": {state}, "code_challenge_method": {"S256"},
		"code_challenge": {encode(sum[:])},
	}
	return benchAuthURL + "?" + query.Encode()
}

func (f floor) finish(w http.ResponseWriter, r *http.Request) (string, string, error) {
	query := r.URL.Query()
	plain, err := f.open(r)
	if err != nil {
		return "", "", err
	}
	if encode(plain[:32]) != query.Get("state") {
		return "", "", fmt.Errorf("wrong state")
	}
	token, err := f.redeem(r.Context(), query.Get("code"), encode(plain[32:64]))
	if err != nil {
		return "", "", err
	}
	http.SetCookie(w, &http.Cookie{
		Name: floorCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true,
	})
	setHeaders(w)
	return token, string(plain[64:]), nil
}

func (f floor) open(r *http.Request) ([]byte, error) {
	cookie, err := r.Cookie(floorCookie)
	if err != nil {
		return nil, err
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return nil, err
	}
	return f.aead.Open(nil, nil, sealed, []byte(floorCookie))
}

func (f floor) redeem(ctx context.Context, code, verifier string) (string, error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {benchRedirect},
		"code_verifier": {verifier},
	}
	req, err := http.NewRequestWithContext(ctx, "POST", benchTokenURL,
		strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("client", benchSecret)
	resp, err := f.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	var members map[string]any // an app that keeps the ID token needs the members
	if err := json.Unmarshal(body, &members); err != nil {
		return "", err
	}
	token, _ := members["access_token"].(string)
	return token, nil
}

func setHeaders(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("X-Frame-Options", "DENY")
}

// tutorial is what people write: x/oauth2 for the URL and the exchange,
// securecookie as it comes, with the gob serializer, for a map of state,
// verifier and return path, as in its README.
type tutorial struct {
	tb      testing.TB
	config  oauth2.Config
	cookies *securecookie.SecureCookie
	client  *http.Client
}

const tutorialCookie = "oauth"

func newTutorial(tb testing.TB) subject {
	return tutorial{tb: tb, config: oauth2.Config{
		ClientID: "client", ClientSecret: benchSecret, RedirectURL: benchRedirect,
		Scopes: []string{"profile", "email"},
		Endpoint: oauth2.Endpoint{
			AuthURL: benchAuthURL, TokenURL: benchTokenURL, AuthStyle: oauth2.AuthStyleInHeader,
		},
	}, cookies: securecookie.New(benchKey(32), benchKey(32)),
		client: &http.Client{Transport: stubToken}}
}

func (u tutorial) start(w http.ResponseWriter, _ *http.Request) string {
	p := map[string]string{
		"state": oauth2.GenerateVerifier(), "verifier": oauth2.GenerateVerifier(),
		"return_to": benchReturn,
	}
	value, err := u.cookies.Encode(tutorialCookie, p)
	if err != nil {
		u.tb.Fatal(err)
	}
	http.SetCookie(w, &http.Cookie{
		Name: tutorialCookie, Value: value, Path: "/", MaxAge: 600, Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	return u.config.AuthCodeURL(p["state"], oauth2.S256ChallengeOption(p["verifier"]))
}

func (u tutorial) finish(w http.ResponseWriter, r *http.Request) (string, string, error) {
	cookie, err := r.Cookie(tutorialCookie)
	if err != nil {
		return "", "", err
	}
	var p map[string]string
	if err := u.cookies.Decode(tutorialCookie, cookie.Value, &p); err != nil {
		return "", "", err
	}
	if !hmac.Equal([]byte(p["state"]), []byte(r.FormValue("state"))) {
		return "", "", fmt.Errorf("wrong state")
	}
	ctx := context.WithValue(r.Context(), oauth2.HTTPClient, u.client)
	token, err := u.config.Exchange(ctx, r.FormValue("code"), oauth2.VerifierOption(p["verifier"]))
	if err != nil {
		return "", "", err
	}
	http.SetCookie(w, &http.Cookie{
		Name: tutorialCookie, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true,
	})
	return token.AccessToken, p["return_to"], nil
}
