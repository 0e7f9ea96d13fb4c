package test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"example.com/authcode/internal/authserver"
	"example.com/authcode/oidc"
	"example.com/authcode/test/world"
)

var edKey = ed25519.NewKeyFromSeed([]byte("canary-seed-of-an-ed25519-key..."))

// signing has an Ed25519 key sign all that an app can sign. found says that
// the app looks up the metadata.
func signing(found bool, change func(*config)) func(*config) {
	return func(c *config) {
		issuer := c.Provider.Issuer
		c.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: edKey})
		c.MessageSigning = clientauth.SignRequests(clientauth.Key{Signer: edKey})
		c.Binding = dpop.New(edKey)
		c.Provider.PARURL, c.Provider.IntrospectionURL = issuer+"/par", issuer+"/introspect"
		if found {
			c.Provider = oidc.Provider(issuer)
			c.Provider.Algorithms = []string{"ES256"}
		}
		change(c)
	}
}

// signer opens a world whose app signs by an Ed25519 key, and whose server
// accepts one name for that, the new one if renamed.
func signer(t *testing.T, renamed bool, change func(*config)) *world.World {
	s := world.Setup{Config: change, Register: func(w *world.World) authserver.ClientRegistration {
		reg := authserver.FAPIClient("app", w.App.URL+"/callback",
			authserver.Key{Public: edKey.Public()})
		reg.RequirePAR, reg.RequireSignedRequest = false, true
		return reg
	}}
	if renamed {
		s.Options = []authserver.Option{authserver.Ed25519Name()}
	}
	return world.Open(t, s)
}

// TestNameOfEd25519: all that the app signs has the name that the provider
// accepts, whether the app looks that up or says so itself.
func TestNameOfEd25519(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"EdDSA", "Ed25519"} {
		for _, found := range []bool{true, false} {
			for _, pins := range [][]string{nil, {"EdDSA", "ES256"}, {"Ed25519", "ES256"}} {
				for _, pushed := range []bool{true, false} {
					t.Run(fmt.Sprint(name, found, pins, pushed), func(t *testing.T) {
						w := signer(t, name == "Ed25519", signing(found, func(c *config) {
							c.Algorithms, c.DisablePAR = pins, !pushed
						}))
						liveSigned(t, w)
						wantName(t, w, name)
					})
				}
			}
		}
	}
}

// liveSigned signs in, and sends all that an app can sign.
func liveSigned(t *testing.T, w *world.World) {
	t.Helper()
	w.WantStatus(w.Browser().SignIn(""), http.StatusSeeOther)
	token, err := w.Client.Refresh(t.Context(), w.LastLogin().Token)
	if err != nil {
		t.Fatal(err)
	}
	w.Configure() // as after a restart: this Client has not looked anything up
	api := apiClient(t, w.Client, token, w.Server.URL)
	resp, err := api.Get(w.Server.URL + "/resource")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("the API answered %s, %s", resp.Status, resp.Header.Get("WWW-Authenticate"))
	}
	if _, err := oidc.Introspect(t.Context(), w.Client, token.AccessToken, ""); err != nil {
		t.Error(err)
	}
	if err := w.Client.Revoke(t.Context(), token); err != nil {
		t.Error(err)
	}
}

// wantName: each kind of message was sent, and names its algorithm so.
func wantName(t *testing.T, w *world.World, name string) {
	t.Helper()
	seen := make(map[string]int)
	for _, r := range w.Server.Requests() {
		for kind, jwt := range map[string]authserver.JWT{
			"assertion": r.Assertion(), "proof": r.Proof(), "object": r.RequestObject(),
		} {
			if alg := jwt.Header["alg"]; jwt.Header != nil && alg != name {
				t.Errorf("%s at %s is signed with %v, want %s", kind, r.Place, alg, name)
			} else if jwt.Header != nil {
				seen[kind+" "+string(r.Place)]++
			}
		}
	}
	for _, want := range []string{
		"assertion token", "assertion refresh", "assertion revocation", "assertion introspection",
		"proof token", "proof refresh", "proof resource",
	} {
		if seen[want] == 0 {
			t.Errorf("no %s among %v", want, seen)
		}
	}
	if seen["object par"]+seen["object authorization"] == 0 || seen["object par"] != seen["proof par"] {
		t.Errorf("no request object, or no proof beside it: %v", seen)
	}
}

// TestOtherNameIsRefused: the server accepts one name only, so the test above
// tests something.
func TestOtherNameIsRefused(t *testing.T) {
	for _, renamed := range []bool{true, false} {
		w := signer(t, renamed, signing(false, func(c *config) { c.Provider.Ed25519 = !renamed }))
		w.WantStatus(w.Browser().Get(w.App.URL+"/login"), http.StatusInternalServerError)
		if !slices.ContainsFunc(w.Server.Requests(), func(r authserver.Request) bool {
			return r.Place == authserver.PAR
		}) {
			t.Error("nothing was sent")
		}
	}
}

// TestNameOfTheApp: a name that the app gives its key is used at any provider.
func TestNameOfTheApp(t *testing.T) {
	for name, renamed := range map[string]bool{"EdDSA": true, "Ed25519": false} {
		p := &world.Provider{}
		key := clientauth.Key{Signer: edKey, Algorithm: name}
		c := world.Client(t, p, world.Pushing, func(c *config) {
			c.Provider.Issuer, c.Provider.Ed25519 = "https://provider.example", renamed
			c.ClientAuth, c.MessageSigning = clientauth.PrivateKeyJWT(key), clientauth.SignRequests(key)
		})
		if _, _, err := world.Start(c); err == nil {
			t.Error("the provider has no answer for a push")
		}
		sent := authserver.Request{Form: p.Requests()[0].Form}
		for _, jwt := range []authserver.JWT{sent.Assertion(), sent.RequestObject()} {
			if jwt.Header["alg"] != name {
				t.Errorf("signed with %v, want %s", jwt.Header["alg"], name)
			}
		}
	}
}

// TestAPIWithoutMetadata: a request to an API does not fail because a provider
// is down. A key with one name does not even ask.
func TestAPIWithoutMetadata(t *testing.T) {
	for _, row := range []struct {
		algorithms []string
		asks       int
	}{{nil, 1}, {[]string{"EdDSA"}, 1}, {[]string{"Ed25519"}, 1}, {[]string{"ES256", "PS256"}, 0}} {
		asked, p := 0, &world.Provider{}
		c := world.Client(t, p, world.LookedUp(
			func(context.Context, *authcode.Connection) (endpoints, error) {
				asked++
				return endpoints{}, errors.New("down")
			}), func(c *config) {
			c.Binding = authcode.Binding{
				TokenType: "DPoP", Algorithms: row.algorithms, Transport: adding(proofs[0].header),
			}
		})
		if err := requestsOfBound["API"](t, c); err != nil || asked != row.asks {
			t.Errorf("%v: %v, asked %d times, want %d", row.algorithms, err, asked, row.asks)
		}
	}
}

// TestEd25519IsKept: what the metadata finds, or the app demands, reaches each
// function, and a change of it too.
func TestEd25519IsKept(t *testing.T) {
	var found endpoints
	c := world.Client(t, &world.Provider{}, world.LookedUp(
		func(context.Context, *authcode.Connection) (endpoints, error) { return found, nil }))
	byHand := world.Client(t, &world.Provider{}, world.LookedUp(world.Finds(world.Endpoints())),
		func(c *config) { c.Provider.Ed25519 = true })
	for _, client := range []*authcode.Client{c, c, byHand} {
		for _, renamed := range []bool{true, false} {
			found = world.Endpoints()
			found.Ed25519, found.MTLS = renamed, &endpoints{TokenURL: "https://mtls.example/t"}
			conn, err := client.Connection(t.Context())
			if err != nil || conn.Endpoints.Ed25519 != (renamed || client == byHand) {
				t.Errorf("found %t: %v", renamed, err)
			}
		}
	}
}
