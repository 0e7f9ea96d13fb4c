package interop

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// foreign has the form of a nonce and of an S256 challenge: that of RFC 7636 appendix B.
const foreign = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"

// identityRows are logins that every real server is asked for.
var identityRows = []struct {
	name     string
	provider func(issuer string) authcode.Provider
	change   func(*authcode.Config)
	altered  url.Values // parameters of the authorization request that change on the way

	reason authcode.Reason // why the login is refused; empty: it is not
	check  string
}{
	{name: "identity with userinfo"},
	{
		name:     "identity of the ID token alone",
		provider: func(issuer string) authcode.Provider { return oidc.Provider(issuer) },
	},
	{
		name: "client secret in the body",
		change: func(cfg *authcode.Config) {
			cfg.Provider.AuthStyle = peers[1].style
		},
	},
	{
		name: "wrong client secret",
		change: func(cfg *authcode.Config) {
			cfg.ClientAuth = authcode.Secret("not it")
		},
		reason: authcode.Configuration, check: "answer.configuration",
	},
	{
		name:    "PKCE challenge of somebody else",
		altered: url.Values{"code_challenge": {foreign}},
		reason:  authcode.GrantRejected, check: "answer.error",
	},
	{
		name:    "nonce of another login",
		altered: url.Values{"nonce": {foreign}},
		reason:  authcode.IdentityRefused, check: "id_token.nonce",
	},
	{
		name:     "issuer with a slash too many",
		provider: func(issuer string) authcode.Provider { return oidc.Provider(issuer + "/") },
		reason:   authcode.BadAnswer, check: "discovery.issuer",
	},
	{
		name:     "metadata of another issuer",
		provider: oidcElsewhere,
		change: func(cfg *authcode.Config) {
			cfg.Wrap = func(base http.RoundTripper) http.RoundTripper { return otherIssuer{base} }
		},
		reason: authcode.IdentityRefused, check: "id_token.iss",
	},
	{
		name:     "userinfo of somebody else",
		provider: func(issuer string) authcode.Provider { return oidc.Provider(issuer, oidc.UserInfo()) },
		change: func(cfg *authcode.Config) {
			cfg.Wrap = func(base http.RoundTripper) http.RoundTripper { return otherSubject{base} }
		},
		reason: authcode.IdentityRefused, check: "userinfo.sub",
	},
}

func TestIdentity(t *testing.T) {
	everywhere(t, func(t *testing.T, s realServer) {
		for _, row := range identityRows {
			t.Run(row.name, func(t *testing.T) {
				change := row.change
				if change == nil {
					change = unchanged
				}
				a := s.app(t, row.provider, change)
				nonce := loginAltered(t, s, a, row.altered)
				got := a.outcome()
				if row.reason != "" {
					reason, check := row.reason, row.check
					if row.check == "id_token.iss" && s.sendsIss {
						reason, check = authcode.Forged, "iss" // before any token is asked for
					}
					if got.login != nil || !errors.Is(got.err, reason) || got.err.Check != check {
						t.Fatalf("%v, want %s by %s", got.err, reason, check)
					}
					return
				}
				if got.login == nil {
					t.Fatal(got.err)
				}
				expect(t, s, a, got.login, row.provider == nil, nonce)
			})
		}
	})
}

// loginAltered signs in with these parameters of the authorization request replaced and returns
// the nonce that was sent.
func loginAltered(t *testing.T, s realServer, a *app, altered url.Values) string {
	t.Helper()
	me := newPerson(t)
	to := me.redirect(a.url + "/login")
	if to == nil {
		return "" // the login was refused before it began: the app knows why
	}
	query := to.Query()
	if query.Get("code_challenge_method") != "S256" || len(query.Get("code_challenge")) != 43 ||
		query.Get("response_type") != "code" || len(query.Get("nonce")) != 43 {
		t.Fatalf("not a request for a code with S256 and nonce: %s", to)
	}
	nonce := query.Get("nonce")
	for key, values := range altered {
		query[key] = values
	}
	to.RawQuery = query.Encode()
	s.signIn(me, me.visit(to.String()))
	return nonce
}

// expect compares who signed in with who has the account at s.
func expect(t *testing.T, s realServer, a *app, login *authcode.Login, userinfo bool, nonce string) {
	t.Helper()
	who := login.Identity
	if who == nil {
		t.Fatal("a login without an identity")
	}
	if !strings.HasPrefix(who.Issuer, "http://127.0.0.1:") || who.Subject != s.who.Subject {
		t.Errorf("signed in as %q of %q, want %q", who.Subject, who.Issuer, s.who.Subject)
	}
	if who.Claims["nonce"] != nonce || nonce == "" {
		t.Errorf("the ID token has the nonce %v, want %s", who.Claims["nonce"], nonce)
	}
	if !userinfo && !s.emailInToken {
		if who.Email != "" {
			t.Errorf("an e-mail address %q although the ID token has none", who.Email)
		}
		return
	}
	if who.Email != s.who.Email || who.EmailVerified != s.who.EmailVerified || who.Name != s.who.Name {
		t.Errorf("signed in: %q, %q, verified %t, want %q, %q, %t",
			who.Name, who.Email, who.EmailVerified, s.who.Name, s.who.Email, s.who.EmailVerified)
	}
}

// oidcElsewhere is the server with this issuer under the name that otherIssuer gives it.
func oidcElsewhere(issuer string) authcode.Provider {
	return oidc.Provider(issuer+"/other", oidc.MetadataURL(issuer+"/.well-known/openid-configuration"))
}

// otherIssuer carries requests, and answers the metadata document with another issuer in it: the
// mix-up that only iss in the answers gives away.
type otherIssuer struct{ base http.RoundTripper }

func (o otherIssuer) RoundTrip(r *http.Request) (*http.Response, error) {
	return rewrite(o.base, r, strings.HasSuffix(r.URL.Path, "/openid-configuration"), func(doc map[string]any) {
		doc["issuer"] = doc["issuer"].(string) + "/other"
	})
}

// otherSubject carries requests, and answers userinfo that is about somebody else.
type otherSubject struct{ base http.RoundTripper }

func (o otherSubject) RoundTrip(r *http.Request) (*http.Response, error) {
	bearer := strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ")
	return rewrite(o.base, r, bearer, func(info map[string]any) { info["sub"] = "mallory" })
}

// rewrite sends r by base and edits the answer's JSON object if the request is one to alter.
func rewrite(
	base http.RoundTripper, r *http.Request, alter bool, edit func(map[string]any),
) (*http.Response, error) {
	res, err := base.RoundTrip(r)
	if err != nil || !alter {
		return res, err
	}
	defer res.Body.Close()
	var doc map[string]any
	if err := json.NewDecoder(res.Body).Decode(&doc); err != nil {
		return nil, err
	}
	edit(doc)
	body, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	res.Body, res.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
	res.Header.Del("Content-Length")
	return res, nil
}

// A person who says no is told so in the app, where the server has a way to tell it; dex keeps
// the person on a page of its own.
func TestDeniedEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, s realServer) {
		if s.deny == nil {
			return // no answer of this server says no
		}
		a, me := s.app(t, nil, unchanged), newPerson(t)
		s.deny(me, me.visit(a.url+"/login"))
		if got := a.outcome(); got.login != nil || !errors.Is(got.err, authcode.Denied) {
			t.Errorf("%v, want denied", got.err)
		}
	})
}

// Nobody is signed in at the server and it may not ask (OpenID Connect Core section 3.1.2.6).
func TestPromptNone(t *testing.T) {
	everywhere(t, func(t *testing.T, s realServer) {
		if s.ignoresPrompt {
			return // this server asks although prompt is none
		}
		a := s.app(t, nil, func(cfg *authcode.Config) {
			cfg.Provider.AuthParams = map[string]string{"prompt": "none"}
		})
		newPerson(t).visit(a.url + "/login")
		got := a.outcome()
		if !errors.Is(got.err, authcode.InteractionRequired) || got.err.ServerError != "login_required" {
			t.Errorf("%v, want interaction required by login_required", got.err)
		}
	})
}

// A refresh brings a new ID token about the same person, which the next refresh is compared with.
func TestRefreshBringsNewIDToken(t *testing.T) {
	everywhere(t, func(t *testing.T, s realServer) {
		a := s.app(t, nil, func(cfg *authcode.Config) {
			cfg.Scopes = []string{"openid", "profile", "email", "offline_access"}
			cfg.Provider.AuthParams = map[string]string{"prompt": "consent"}
		})
		me := newPerson(t)
		s.signIn(me, me.visit(a.url+"/login"))
		got := a.outcome()
		if got.login == nil {
			t.Fatal(got.err)
		}
		token := got.login.Token
		for round := range 2 {
			next, err := a.client.Refresh(t.Context(), token)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			before, after := claims(t, token), claims(t, next)
			if before["iss"] != after["iss"] || before["sub"] != after["sub"] ||
				after["sub"] != s.who.Subject {
				t.Errorf("round %d: the ID token is about %v of %v, was about %v of %v",
					round, after["sub"], after["iss"], before["sub"], before["iss"])
			}
			if next.Extra("id_token") == token.Extra("id_token") || next.AccessToken == token.AccessToken {
				t.Errorf("round %d: the tokens are the old ones", round)
			}
			token = next
		}
	})
}
