package logincost_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"example.com/authcode"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
	goidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/gorilla/securecookie"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	httphelper "github.com/zitadel/oidc/v3/pkg/http"
	zitadel "github.com/zitadel/oidc/v3/pkg/oidc"
	"golang.org/x/oauth2"
)

// subject is one way to write a login. Both functions write their answer.
type subject struct {
	start func(http.ResponseWriter, *http.Request)

	// finish returns who signed in.
	finish func(http.ResponseWriter, *http.Request) (string, error)
}

func key() []byte {
	b := make([]byte, 32)
	rand.Read(b)
	return b
}

// module is the login of this module.
func module(at site) subject {
	config := authcode.Config{
		Provider: oidc.Provider(at.issuer), ClientID: clientID,
		ClientAuth: authcode.Secret(secret), RedirectURL: at.redirectURL,
		Scopes: scopes, CookieKeys: [][]byte{key()},
	}
	if at.through != nil {
		config.Wrap = world.Through(at.through)
	}
	client, err := authcode.New(config)
	check(err)
	return subject{
		start: client.LoginHandler(authcode.ReturnTo(returnTo)).ServeHTTP,
		finish: func(w http.ResponseWriter, r *http.Request) (string, error) {
			login, err := client.Exchange(w, r)
			if err != nil {
				return "", err
			}
			login.Redirect(w, r)
			return login.Identity.Subject, nil
		},
	}
}

// handwritten is what people write with x/oauth2, go-oidc and securecookie, as
// it comes, for a map of state, nonce, verifier and return path.
type handwritten struct {
	config   oauth2.Config
	verifier *goidc.IDTokenVerifier
	cookies  *securecookie.SecureCookie
	client   *http.Client
}

const cookieName = "oauth"

func newHandwritten(at site) subject {
	h := &handwritten{
		cookies: securecookie.New(key(), key()), client: &http.Client{Transport: at.through},
	}
	provider, err := goidc.NewProvider(goidc.ClientContext(context.Background(), h.client), at.issuer)
	check(err)
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // or it would be probed
	h.verifier = provider.Verifier(&goidc.Config{ClientID: clientID})
	h.config = oauth2.Config{
		ClientID: clientID, ClientSecret: secret, RedirectURL: at.redirectURL, Scopes: scopes,
		Endpoint: endpoint,
	}
	return subject{h.start, h.finish}
}

func (h *handwritten) start(w http.ResponseWriter, r *http.Request) {
	p := map[string]string{
		"state": oauth2.GenerateVerifier(), "nonce": oauth2.GenerateVerifier(),
		"verifier": oauth2.GenerateVerifier(), "return_to": returnTo,
	}
	value, err := h.cookies.Encode(cookieName, p)
	if err != nil {
		http.Error(w, "cookie", http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: value, Path: "/", MaxAge: 600, Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	})
	http.Redirect(w, r, h.config.AuthCodeURL(p["state"], goidc.Nonce(p["nonce"]),
		oauth2.S256ChallengeOption(p["verifier"])), http.StatusFound)
}

func (h *handwritten) finish(w http.ResponseWriter, r *http.Request) (string, error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return "", err
	}
	var p map[string]string
	if err := h.cookies.Decode(cookieName, cookie.Value, &p); err != nil {
		return "", err
	}
	if !hmac.Equal([]byte(p["state"]), []byte(r.FormValue("state"))) {
		return "", errors.New("wrong state")
	}
	ctx := context.WithValue(r.Context(), oauth2.HTTPClient, h.client)
	token, err := h.config.Exchange(ctx, r.FormValue("code"), oauth2.VerifierOption(p["verifier"]))
	if err != nil {
		return "", err
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := h.verifier.Verify(ctx, raw)
	if err != nil {
		return "", err
	}
	var claims struct{ Name, Email, Picture string }
	if err := id.Claims(&claims); err != nil || id.Nonce != p["nonce"] {
		return "", errors.New("wrong claims")
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Path: "/", MaxAge: -1, Secure: true, HttpOnly: true,
	})
	http.Redirect(w, r, p["return_to"], http.StatusSeeOther)
	return id.Subject, nil
}

// newZitadel is zitadel's relying party, as in its example, with PKCE. It sends
// no nonce and keeps no return path.
func newZitadel(at site) subject {
	cookies := httphelper.NewCookieHandler(key(), key())
	party, err := rp.NewRelyingPartyOIDC(context.Background(), at.issuer, clientID, secret,
		at.redirectURL, scopes, rp.WithCookieHandler(cookies), rp.WithPKCE(cookies),
		rp.WithHTTPClient(&http.Client{Transport: at.through}),
		rp.WithAuthStyle(oauth2.AuthStyleInHeader))
	check(err)
	return subject{
		start: rp.AuthURLHandler(oauth2.GenerateVerifier, party),
		finish: func(w http.ResponseWriter, r *http.Request) (who string, err error) {
			err = errors.New("refused")
			rp.CodeExchangeHandler(func(w http.ResponseWriter, r *http.Request,
				tokens *zitadel.Tokens[*zitadel.IDTokenClaims], _ string, _ rp.RelyingParty) {
				who, err = tokens.IDTokenClaims.Subject, nil
				http.Redirect(w, r, returnTo, http.StatusSeeOther)
			}, party)(w, r)
			return who, err
		},
	}
}

// newBare is no login: it serves the same requests and sends the same one, with
// constant values of the usual sizes and without a check. What it costs is the
// share of net/http and of the system.
func newBare(at site) subject {
	client := &http.Client{Transport: at.through}
	target := at.issuer + "/authorize?state=" + strings.Repeat("s", 43) + "&nonce=" +
		strings.Repeat("n", 43) + "&redirect_uri=" + url.QueryEscape(at.redirectURL) +
		"&code_challenge=" + strings.Repeat("c", 43)
	return subject{
		start: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", cookieName+"="+strings.Repeat("v", 300)+"; Path=/")
			w.Header().Set("Location", target)
			w.WriteHeader(http.StatusSeeOther)
		},
		finish: func(w http.ResponseWriter, _ *http.Request) (string, error) {
			resp, err := client.Post(at.issuer+"/token", "application/x-www-form-urlencoded",
				strings.NewReader("grant_type=authorization_code&code=c0de&code_verifier="+
					strings.Repeat("v", 43)))
			if err != nil {
				return "", err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			w.Header().Set("Location", returnTo)
			w.WriteHeader(http.StatusSeeOther)
			return person, err
		},
	}
}
