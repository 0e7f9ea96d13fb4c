package interop

import (
	"crypto/x509"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/dpop"
	"golang.org/x/oauth2"
)

// counts are how often the provider was asked for what, and what it was shown; see run.mjs.
func (o *fapiProvider) counts(t testing.TB) (counts map[string]int) {
	t.Helper()
	o.getJSON(t, "/counts", &counts)
	return counts
}

// since returns what has been counted since before, of the requests that the app makes with client
// authentication, and of certificates that were shown at the issuer.
func (o *fapiProvider) since(t testing.TB, before map[string]int) map[string]int {
	t.Helper()
	now := o.counts(t)
	for key, n := range before {
		now[key] -= n
	}
	maps.DeleteFunc(now, func(key string, n int) bool {
		return n == 0 || !strings.HasPrefix(key, "POST ") && !strings.HasPrefix(key, "certificate /")
	})
	return now
}

// A login, its API calls, a refresh and a revocation, in each combination.
func TestFAPI(t *testing.T) {
	everyFAPIKind(t, func(t *testing.T, o *fapiProvider, kind fapiKind) {
		a := newFAPIApp(t, o, kind, fapiSetup{})
		before := o.counts(t)
		first := a.signIn(t).Token
		// With nonces, the first of all requests is made again, and its nonce serves the next.
		want := map[string]int{kind.path("/request"): 1, kind.path("/token"): 1}
		if o.nonces {
			want[kind.path("/request")]++
		}
		if got := o.since(t, before); !maps.Equal(got, want) {
			t.Errorf("requests of the login: %v, want %v", got, want)
		}
		a.usable(t, first)

		second, err := a.client.Refresh(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		if second.AccessToken == first.AccessToken || second.TokenType != kind.tokenType() {
			t.Errorf("the refresh brings a token of type %s", second.TokenType)
		}
		a.usable(t, second)
		thumbprint := a.bound(t, second)
		if thumbprint != a.bound(t, first) {
			t.Error("the refreshed token is bound to something else")
		}
		if kind.binding == byCertificate && thumbprint != clientauth.Thumbprint(a.certificate) {
			t.Errorf("the token is bound to %s, which is not the app's certificate", thumbprint)
		}
		a.revokes(t, second)
	})
}

// revokes revokes a token and expects that nothing of it is left.
func (a *fapiApp) revokes(t testing.TB, token *oauth2.Token) {
	t.Helper()
	before := a.o.counts(t)
	if err := a.client.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{a.path("/token/revocation"): 1}
	if got := a.o.since(t, before); !maps.Equal(got, want) {
		t.Errorf("requests of the revocation: %v, want %v", got, want)
	}
	if status, body := a.userinfo(t, token); status != http.StatusUnauthorized {
		t.Errorf("the API answers %d to a revoked token: %s", status, body)
	}
	if info := a.introspect(t, token.AccessToken); info.Active || info.Claims != nil {
		t.Errorf("introspection of a revoked token says %v", info.Claims)
	}
	if _, err := a.client.Refresh(t.Context(), token); !isGone(err) {
		t.Errorf("refresh after revocation gives %v, want grant rejected, for good", err)
	}
}

// A person who says no is told so: the refusal is checked like any answer.
func TestFAPIDenied(t *testing.T) {
	a := newFAPIApp(t, theFAPIProvider(t, false), jwtDPoP, fapiSetup{})
	me := newPerson(t)
	me.press(me.press(a.begin(t, me), "sign-in"), "deny")
	if got := a.outcome(); got.login != nil || !errors.Is(got.err, authcode.Denied) {
		t.Errorf("%v, want denied", got.err)
	}
}

// fapiFaults are apps that are not what they are registered as.
var fapiFaults = []struct {
	name   string
	kind   fapiKind
	change func(*testing.T, *fapiClient, *authcode.Config)
	reason authcode.Reason
	check  string // of par.*: before the browser is sent anywhere
}{
	{"key of another app", jwtDPoP, func(t *testing.T, _ *fapiClient, cfg *authcode.Config) {
		cfg.ClientAuth = clientauth.PrivateKeyJWT(clientauth.Key{Signer: newSigner(t, "ES256")})
	}, authcode.Configuration, "par.configuration"},
	{"token endpoint as audience", jwtDPoP, func(_ *testing.T, c *fapiClient, cfg *authcode.Config) {
		key := clientauth.Key{Signer: c.key}
		cfg.ClientAuth = clientauth.PrivateKeyJWT(key, clientauth.TokenURLAudience())
	}, authcode.Configuration, "par.configuration"},
	{"certificate of another app", tlsBound, func(t *testing.T, _ *fapiClient, cfg *authcode.Config) {
		of := template("another app", x509.ExtKeyUsageClientAuth)
		cfg.Certificate = clientauth.Certificate(issued(t, of))
	}, authcode.Configuration, "par.configuration"},
	{"certificate by nobody", tlsBound, func(t *testing.T, _ *fapiClient, cfg *authcode.Config) {
		of := template(tlsBound.String(), x509.ExtKeyUsageClientAuth)
		cfg.Certificate = clientauth.Certificate(selfSigned(t, of))
	}, authcode.Configuration, "par.configuration"},
	{"no authentication", jwtDPoP, func(_ *testing.T, _ *fapiClient, cfg *authcode.Config) {
		cfg.ClientAuth = authcode.Public()
	}, authcode.Configuration, "par.configuration"},
	{"no proof", jwtDPoP, func(_ *testing.T, _ *fapiClient, cfg *authcode.Config) {
		cfg.Binding = authcode.Binding{}
	}, authcode.GrantRejected, "answer.error"},
	{"no certificate", jwtBound, func(_ *testing.T, _ *fapiClient, cfg *authcode.Config) {
		cfg.Binding, cfg.Certificate = authcode.Binding{}, nil
	}, authcode.GrantRejected, "answer.error"},
	{"certificate where a proof is due", jwtDPoP, func(t *testing.T, _ *fapiClient, cfg *authcode.Config) {
		cfg.Certificate = clientauth.Certificate(selfSigned(t, template("x", x509.ExtKeyUsageClientAuth)))
		cfg.Binding = clientauth.CertificateBound()
	}, authcode.GrantRejected, "answer.error"},
	{"proof where a certificate is due", jwtBound, func(t *testing.T, _ *fapiClient, cfg *authcode.Config) {
		cfg.Binding, cfg.Certificate = dpop.New(newSigner(t, "ES256")), nil
	}, authcode.GrantRejected, "answer.error"},
}

func TestFAPIFaults(t *testing.T) {
	for _, row := range fapiFaults {
		t.Run(row.name, func(t *testing.T) {
			a := newFAPIApp(t, theFAPIProvider(t, false), row.kind, fapiSetup{loose: true,
				change: func(c *fapiClient, cfg *authcode.Config) { row.change(t, c, cfg) }})
			me := newPerson(t)
			if to := me.redirect(a.url + "/login"); to != nil {
				if strings.HasPrefix(row.check, "par.") {
					t.Errorf("the browser is sent to %s", to)
				}
				me.press(me.press(me.visit(to.String()), "sign-in"), "approve")
			}
			got := a.outcome()
			if got.login != nil || !errors.Is(got.err, row.reason) || got.err.Check != row.check {
				t.Errorf("%v, want %s by %s", got.err, row.reason, row.check)
			}
		})
	}
}
