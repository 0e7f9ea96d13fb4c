package interop

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/clientauth"
	"example.com/authcode/oidc"
)

// signed is what a client registers that signs its requests and wants signed responses (FAPI 2.0
// Message Signing section 5).
func signed(alg string) map[string]any {
	return map[string]any{
		"require_signed_request_object":     true,
		"request_object_signing_alg":        alg,
		"authorization_signed_response_alg": alg,
	}
}

// signs has the app sign its requests.
func signs(c *fapiClient, cfg *authcode.Config) {
	cfg.MessageSigning = clientauth.SignRequests(clientauth.Key{Signer: c.key, ID: "signs"})
}

// signsAndVerifies has the app sign its requests and demand signed responses.
func signsAndVerifies(c *fapiClient, cfg *authcode.Config) {
	signs(c, cfg)
	cfg.MessageSigning.SignedResponses = true
}

// Requests and responses are signed, in each combination, and in both ways for a response to come.
func TestFAPIMessages(t *testing.T) {
	for _, formPost := range []bool{false, true} {
		t.Run(fmt.Sprintf("form_post %t", formPost), func(t *testing.T) {
			everyFAPIKind(t, func(t *testing.T, o *fapiProvider, kind fapiKind) {
				change := func(c *fapiClient, cfg *authcode.Config) {
					cfg.Provider.FormPost = formPost
					signsAndVerifies(c, cfg)
				}
				a := newFAPIApp(t, o, kind, fapiSetup{metadata: signed(kind.alg), change: change})
				token := a.signIn(t).Token
				if status, body := a.userinfo(t, token); status != http.StatusOK {
					t.Errorf("the API answers %d: %s", status, body)
				}
				me := newPerson(t)
				end := me.press(me.press(a.begin(t, me), "sign-in"), "deny")
				if formPost {
					me.press(end, "")
				}
				if got := a.outcome(); got.login != nil || !errors.Is(got.err, authcode.Denied) {
					t.Errorf("%v, want denied", got.err)
				}
			})
		})
	}
}

// Either of the two may be signed alone.
func TestFAPIMessagesHalf(t *testing.T) {
	t.Run("requests", func(t *testing.T) {
		setup := fapiSetup{metadata: signed("ES256"), change: signs}
		newFAPIApp(t, theFAPIProvider(t, false), jwtDPoP, setup).signIn(t)
	})
	t.Run("responses", func(t *testing.T) {
		setup := fapiSetup{change: func(_ *fapiClient, cfg *authcode.Config) {
			cfg.MessageSigning = authcode.MessageSigning{SignedResponses: true}
		}}
		newFAPIApp(t, theFAPIProvider(t, false), jwtDPoP, setup).signIn(t)
	})
}

// A request that has to be signed and is not goes nowhere.
func TestFAPIUnsignedRequest(t *testing.T) {
	a := newFAPIApp(t, theFAPIProvider(t, false), jwtDPoP, fapiSetup{metadata: signed("ES256")})
	if to := newPerson(t).redirect(a.url + a.start); to != nil {
		t.Errorf("the browser is sent to %s", to)
	}
	if got := a.outcome(); !errors.Is(got.err, authcode.Configuration) || got.err.Check != "par.configuration" {
		t.Errorf("%v, want configuration by par.configuration", got.err)
	}
}

// responseRows are what may become of a signed response on its way. other is one for another app.
var responseRows = []struct {
	name  string
	alter func(t *testing.T, response url.Values, other string)

	reason authcode.Reason // why the login is refused; empty: it is not
	check  string
}{
	{"plain parameters beside it", func(_ *testing.T, r url.Values, _ string) {
		r.Set("error", "access_denied")
		r.Set("state", "x")
	}, "", ""},
	{"plain parameters instead of it", func(t *testing.T, r url.Values, _ string) {
		claims := partOf(t, r.Get("response"), 1)
		r.Del("response")
		for _, name := range []string{"code", "state", "iss"} {
			r.Set(name, claims[name].(string))
		}
	}, authcode.Malformed, "response"},
	{"a response for another app", func(_ *testing.T, r url.Values, other string) {
		r.Set("response", other)
	}, authcode.Forged, "response.aud"},
	{"another signature", func(_ *testing.T, r url.Values, other string) {
		text := r.Get("response")
		r.Set("response", text[:strings.LastIndex(text, ".")]+other[strings.LastIndex(other, "."):])
	}, authcode.Forged, "response.signature"},
}

func TestFAPISignedResponse(t *testing.T) {
	o := theFAPIProvider(t, false)
	for _, row := range responseRows {
		t.Run(row.name, func(t *testing.T) {
			setup := fapiSetup{metadata: signed("ES256"), change: signsAndVerifies}
			a := newFAPIApp(t, o, jwtDPoP, setup)
			setup.metadata["client_id"] = t.Name() + " other"
			b := newFAPIApp(t, o, jwtDPoP, setup)
			me := newPerson(t)
			response, other := a.response(t, me), b.response(t, newPerson(t))
			query := response.Query()
			row.alter(t, query, other.Query().Get("response"))
			response.RawQuery = query.Encode()
			me.visit(response.String())
			got := a.outcome()
			if row.reason == "" {
				if got.login == nil {
					t.Error(got.err)
				}
				return
			}
			if got.login != nil || !errors.Is(got.err, row.reason) || got.err.Check != row.check {
				t.Errorf("%v, want %s by %s", got.err, row.reason, row.check)
			}
		})
	}
}

// response signs alice in up to where the provider sends her back, and returns that.
func (a *fapiApp) response(t testing.TB, me *person) *url.URL {
	t.Helper()
	me.client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), a.url) {
			return http.ErrUseLastResponse
		}
		return nil
	}
	defer func() { me.client.CheckRedirect = nil }()
	end := me.press(me.press(a.begin(t, me), "sign-in"), "approve")
	to, err := url.Parse(end.header.Get("Location"))
	if err != nil || to.Query().Get("response") == "" {
		t.Fatalf("%s leads to %s: %v", end.url, to, err)
	}
	return to
}

// Introspection answers are signed where they have to be.
func TestFAPISignedIntrospection(t *testing.T) {
	for _, kind := range []fapiKind{jwtDPoP, tlsBound} {
		t.Run(kind.String(), func(t *testing.T) {
			a := newFAPIApp(t, theFAPIProvider(t, false), kind, fapiSetup{})
			info, err := oidc.IntrospectSigned(t.Context(), a.client, a.signIn(t).Token.AccessToken, "access_token")
			if err != nil {
				t.Fatal(err)
			}
			if !info.Active || info.Subject != "alice" || info.ClientID != a.id || info.Claims["cnf"] == nil {
				t.Errorf("the provider says %+v", info)
			}
		})
	}
}
