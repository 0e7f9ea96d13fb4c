package interop

import (
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// realServer is an OpenID provider that others wrote, and a person who has an account there.
type realServer struct {
	name string
	alg  string            // of its ID tokens; if empty, RS256
	who  authcode.Identity // Issuer and Claims aside

	// run returns the issuer of a server and what registers this test's client there, before the
	// first request. The client is of kind peers[0] and its id is clientID.
	run func(t *testing.T) (issuer string, register func(redirectURL string))

	// signIn goes from the provider's first page to the end of the login, deny to its refusal.
	signIn, deny func(me *person, first *page) *page

	// steps are those of signIn in a browser.
	steps []step

	sendsIss     bool // its authorization responses have iss (RFC 9207)
	emailInToken bool // its ID tokens have the e-mail address, not only its userinfo

	ignoresPrompt bool // it asks the person although prompt is none
}

// step is one thing that a person does on a page: types text, or, without text, clicks.
type step struct{ selector, text string }

var realServers = []realServer{
	{
		name: "oidc-provider", alg: "ES256",
		who: authcode.Identity{
			Subject: "alice", Name: "Name of alice", Email: "alice@example.test", EmailVerified: true,
		},
		run: func(t *testing.T) (string, func(string)) {
			o := plainProvider(t)
			return o.issuer, func(redirectURL string) {
				// An algorithm whose signatures never repeat: two ID tokens of one second differ.
				o.register(t, peers[0], redirectURL, func(r *registration) {
					r.IDTokenAlg = "ES256"
					r.LogoutURIs = []string{strings.TrimSuffix(redirectURL, "/callback") + "/signed-out"}
				})
			}
		},
		signIn:   func(me *person, first *page) *page { return me.press(me.press(first, "sign-in"), "approve") },
		deny:     func(me *person, first *page) *page { return me.press(me.press(first, "sign-in"), "deny") },
		steps:    []step{{"#sign-in", ""}, {"#approve", ""}},
		sendsIss: true,
	},
	{
		name: "dex",
		who: authcode.Identity{
			// The protocol buffer of the account's id and the connector's, in base64.
			Subject: "Cg0wLTM4NS0yODA4OS0wEgRtb2Nr", Name: "Kilgore Trout",
			Email: "kilgore@kilgore.trout", EmailVerified: true,
		},
		run: runDex, signIn: signInAtDex,
		steps: []step{
			{"#login", dexAccount}, {"#password", dexPassword}, {"#submit-login", ""},
			{"form:has([value=approve]) button", ""},
		},
		emailInToken: true, ignoresPrompt: true,
	},
	{
		name: "zitadel",
		who: authcode.Identity{
			Subject: "id2", Name: "Test User2", Email: "test-user2@zitadel.ch", EmailVerified: true,
		},
		run: runZitadel, signIn: signInAtZitadel,
		steps: []step{
			{"#username", zitadelAccount}, {"#password", zitadelPassword}, {"button[type=submit]", ""},
		},
	},
}

// everywhere runs a test against each of the real servers.
func everywhere(t *testing.T, test func(*testing.T, realServer)) {
	for _, s := range realServers {
		t.Run(s.name, func(t *testing.T) { test(t, s) })
	}
}

// app serves an app that signs in at s. provider describes s from its issuer; nil is what an app
// writes that wants all there is to know.
func (s realServer) app(
	t *testing.T, provider func(issuer string) authcode.Provider, change func(*authcode.Config),
) *app {
	t.Helper()
	if provider == nil {
		provider = func(issuer string) authcode.Provider { return oidc.Provider(issuer, oidc.UserInfo()) }
	}
	return serveApp(t, false, func(redirectURL string) authcode.Config {
		issuer, register := s.run(t)
		register(redirectURL)
		p := provider(issuer)
		if s.alg != "" {
			p.Algorithms = []string{s.alg}
		}
		cfg := authcode.Config{
			// Pushed requests would hide what these tests look at and alter on its way.
			DisablePAR: true,
			Provider:   p,
			ClientID:   clientID(t, peers[0]),
			ClientAuth: peers[0].auth(), CookieKeys: [][]byte{newKey()}, RedirectURL: redirectURL,
		}
		change(&cfg)
		return cfg
	})
}
