package test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

var (
	twoAlgorithms = []string{"PS256", "ES256"}
	onlyES256     = []string{"ES256"}
	onlyPS256     = []string{"PS256"}
)

// idTokens are ID tokens under the rules of Config.Algorithms and the pins of
// Provider.Algorithms.
var idTokens = []struct {
	claim            string
	algorithms, pins []string
	token            string
	check            string // empty: accepted
}{
	{"no rule", nil, nil, world.JWT(`{"alg":"RS256"}`, `{}`), ""},
	{"admitted", twoAlgorithms, nil, world.JWT(`{"alg":"ES256"}`, `{}`), ""},
	{"not admitted", twoAlgorithms, nil, world.JWT(`{"alg":"RS256"}`, `{}`), "id_token.alg"},
	{"admitted, not pinned", twoAlgorithms, onlyPS256, world.JWT(`{"alg":"ES256"}`, `{}`),
		"id_token.alg"},
	{"pinned", nil, onlyES256, world.JWT(`{"alg":"ES256"}`, `{}`), ""},
	{"the other name of Ed25519", nil, []string{"EdDSA"}, world.JWT(`{"alg":"Ed25519"}`, `{}`), ""},
	{"its first name", []string{"Ed25519"}, nil, world.JWT(`{"alg":"EdDSA"}`, `{}`), ""},
	{"another than is pinned", nil, onlyES256, world.JWT(`{"alg":"RS256"}`, `{}`),
		"id_token.alg"},
	{"none", nil, onlyES256, world.JWT(`{"alg":"none"}`, `{}`), "id_token.alg"},
	{"no algorithm", nil, onlyES256, world.JWT(`{}`, `{}`), "id_token.alg"},
	{"an encrypted token", nil, onlyES256, "e30.e30.e30.e30.e30", "id_token.form"},
	{"a header of 7 KiB", nil, onlyES256,
		world.JWT(`{"alg":"ES256","x":"`+strings.Repeat("x", 7<<10)+`"}`, `{}`), ""},
	{"a header of 9 KiB", nil, onlyES256,
		world.JWT(`{"alg":"ES256","x":"`+strings.Repeat("x", 9<<10)+`"}`, `{}`), "id_token.form"},
	{"128 KiB of claims", nil, onlyES256,
		world.JWT(`{"alg":"ES256"}`, `{"x":"`+strings.Repeat("x", 128<<10)+`"}`), "id_token.form"},
	{"no ID token", nil, onlyES256, "", ""},
}

// TestIDTokenAlgorithm: an ID token of an algorithm that is not admitted is
// refused at login and refresh, whatever Provider.Identity looks at, and also
// if there is none.
func TestIDTokenAlgorithm(t *testing.T) {
	for _, row := range idTokens {
		for _, withIdentity := range []bool{true, false} {
			t.Run(fmt.Sprint(row.claim, withIdentity), func(t *testing.T) {
				asked := 0
				p := world.Answering(200, fmt.Sprintf(
					`{"access_token":"at-1","refresh_token":"r","id_token":%q}`, row.token))
				c := world.Client(t, p, func(c *config) {
					c.Algorithms, c.Provider.Algorithms = row.algorithms, row.pins
					if withIdentity {
						c.Provider.Identity = countingIdentity(&asked)
					}
				})
				_, err := world.Begin(t, c, nil).Exchange(c)
				world.WantOutcome(t, err, authcode.IdentityRefused, row.check)
				_, err = c.Refresh(t.Context(),
					&oauth2.Token{AccessToken: "a", RefreshToken: "rt"})
				world.WantOutcome(t, err, authcode.IdentityRefused, row.check)
				if row.check != "" && asked > 0 {
					t.Error("Provider.Identity was asked about a token that is refused")
				}
			})
		}
	}
}

// countingIdentity counts how often it is asked.
func countingIdentity(asked *int) func(context.Context, *authcode.TokenResponse) (
	*authcode.Identity, error) {
	return func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
		*asked++
		return &authcode.Identity{Issuer: world.Issuer, Subject: "1"}, nil
	}
}

// TestResponseAlgorithm: so is a signed authorization response (JARM), before
// Provider.Verify sees it.
func TestResponseAlgorithm(t *testing.T) {
	verified := 0
	c := world.Client(t, &world.Provider{}, func(c *config) {
		c.Algorithms, c.MessageSigning.SignedResponses = onlyES256, true
		c.Provider.Verify = func(context.Context, *authcode.Connection, string, string) (
			map[string]any, error) {
			verified++
			return map[string]any{}, nil
		}
	})
	l := world.Begin(t, c, nil)
	for response, check := range map[string]string{
		world.JWT(`{"alg":"RS256"}`, `{}`): "response.alg",
		world.JWT(`{"alg":"none"}`, `{}`):  "response.alg",
		"x":                                "response.form",
	} {
		_, err := l.Exchange(c, "response", response)
		world.WantError(t, err, authcode.Forged, check)
	}
	if verified != 0 {
		t.Errorf("Provider.Verify saw %d responses that are refused", verified)
	}
	_, err := l.Exchange(c, "response", world.JWT(`{"alg":"ES256"}`, `{}`))
	world.WantError(t, err, authcode.Malformed, "callback.state")
	if verified != 1 {
		t.Errorf("Provider.Verify saw %d responses, want the admitted one", verified)
	}
}

// TestAlgorithmNames: an error names the algorithm of a header only if it is a
// registered one. Any other name is the sender's own words.
func TestAlgorithmNames(t *testing.T) {
	for alg, says := range map[string]string{
		`{"alg":"RS256"}`:         "signed with RS256,",
		`{"alg":"none"}`:          "signed with none,",
		`{"alg":"canary"}`:        "signed with an unregistered algorithm,",
		`{"alg":"RS256\ncanary"}`: "signed with an unregistered algorithm,",
		`{"alg":["canary"]}`:      "signed with an unregistered algorithm,",
		`{"alg":"","x":"canary"}`: "signed with an unregistered algorithm,",
	} {
		token := world.JWT(alg, `{}`)
		p := world.Answering(200, fmt.Sprintf(`{"access_token":"at-1","id_token":%q}`, token))
		c := world.Client(t, p, func(c *config) { c.Algorithms = onlyES256 })
		_, err := world.Begin(t, c, nil).Exchange(c)
		wantAlgorithmName(t, err, authcode.IdentityRefused, "id_token.alg", says)
		c = world.Client(t, p, func(c *config) {
			c.Algorithms, c.MessageSigning.SignedResponses = onlyES256, true
			c.Provider.Verify = func(context.Context, *authcode.Connection, string, string) (
				map[string]any, error) {
				return nil, nil
			}
		})
		_, err = world.Begin(t, c, nil).Exchange(c, "response", token)
		wantAlgorithmName(t, err, authcode.Forged, "response.alg", says)
	}
}

func wantAlgorithmName(t *testing.T, err error, reason authcode.Reason, check, says string) {
	t.Helper()
	world.WantError(t, err, reason, check)
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	if !strings.Contains(err.Error(), says) || strings.Contains(text, "canary") {
		t.Errorf("%v does not say %q, or repeats what the sender wrote", err, says)
	}
}

// algorithmFaults are configurations, and what New says of them.
var algorithmFaults = map[string]struct {
	change func(*config)
	says   string // empty: New accepts it
}{
	"all that there are": {func(c *config) {
		c.Algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
			"ES384", "ES512", "EdDSA", "Ed25519"}
	}, ""},
	"an Ed25519 key under its other name": {func(c *config) {
		c.Algorithms, c.Provider.Algorithms = []string{"Ed25519"}, []string{"EdDSA"}
		c.ClientAuth.Algorithms = []string{"EdDSA"}
	}, ""},
	"HMAC": {func(c *config) { c.Algorithms = []string{"HS256"} },
		`Config.Algorithms has "HS256"`},
	"none": {func(c *config) { c.Provider.Algorithms = []string{"none"} },
		`Provider.Algorithms has "none"`},
	"an empty list": {func(c *config) {
		c.Algorithms, c.ClientAuth.Algorithms = []string{}, []string{"ES256"}
	}, "authcode: Config.Algorithms is empty: leave it nil, or list algorithms such as ES256"},
	"an empty list of pins": {func(c *config) { c.Provider.Algorithms = []string{} },
		"Provider.Algorithms is empty"},
	"pins within the rule": {func(c *config) {
		c.Algorithms, c.Provider.Algorithms = []string{"ES256", "PS256"}, []string{"PS256"}
	}, ""},
	"pins beyond the rule": {func(c *config) {
		c.Algorithms, c.Provider.Algorithms = []string{"ES256"}, []string{"RS256"}
	}, "Provider.Algorithms uses the algorithm RS256"},
	"an assertion beyond it": {func(c *config) {
		c.Algorithms, c.ClientAuth.Algorithms = []string{"ES256"}, []string{"RS256"}
	}, "Config.ClientAuth uses the algorithm RS256"},
	"a proof beyond it": {func(c *config) {
		c.Algorithms, c.Binding.Algorithms = []string{"ES256"}, []string{"ES256", "PS256"}
	}, "Config.Binding uses the algorithm PS256"},
	"a request beyond it": {func(c *config) {
		c.Algorithms, c.MessageSigning.Algorithms = []string{"ES256"}, []string{"EdDSA"}
	}, "Config.MessageSigning uses the algorithm EdDSA"},
	"HMAC without a rule": {func(c *config) { c.ClientAuth.Algorithms = []string{"HS256"} },
		""},
	"an odd token type": {func(c *config) { c.Binding.TokenType = "Bearer x" },
		"Config.Binding.TokenType"},
	"responses nobody can open": {func(c *config) { c.MessageSigning.SignedResponses = true },
		"needs Provider.Verify"},
	"a wrapper that gives nothing": {func(c *config) {
		c.Wrap = func(http.RoundTripper) http.RoundTripper { return nil }
	}, "Config.Wrap returned nil"},
}

// TestAlgorithmFaults: New refuses lists that cannot be right, and parts whose
// facts the Config does not admit.
func TestAlgorithmFaults(t *testing.T) {
	for claim, row := range algorithmFaults {
		t.Run(claim, func(t *testing.T) {
			_, err := authcode.New(world.Config(&world.Provider{}, row.change))
			if row.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			e := world.WantError(t, err, authcode.Configuration, "config")
			if !strings.Contains(e.Error(), row.says) || len(e.Faults) > 1 {
				t.Errorf("%q does not say %q alone", e, row.says)
			}
		})
	}
}

// partFaults are what the constructor of a part keeps in its Err.
var partFaults = map[string]struct {
	err  error
	want []string
}{
	"a list":          {severalFaults, severalFaults.Faults},
	"a list, wrapped": {fmt.Errorf("x: %w", severalFaults), severalFaults.Faults},
	"an *Error": {authcode.NewError(authcode.Configuration, "config.key",
		"part: the key has 12 bits", nil), []string{"part: the key has 12 bits"}},
	"an error of words": {errors.New("part: the key has 12 bits"),
		[]string{"part: the key has 12 bits"}},
}

var severalFaults = &authcode.Error{
	Reason: authcode.Configuration, Check: "config", Faults: []string{"part: one", "part: two"},
}

// parts give the same fault to one part of a Config, or to all.
var parts = map[string]func(*config, error){
	"ClientAuth":     func(c *config, err error) { c.ClientAuth.Err = err },
	"Binding":        func(c *config, err error) { c.Binding.Err = err },
	"MessageSigning": func(c *config, err error) { c.MessageSigning.Err = err },
	"Provider":       func(c *config, err error) { c.Provider.Err = err },
	"all of them": func(c *config, err error) {
		c.Provider.Err, c.ClientAuth.Err = err, err
		c.Binding.Err, c.MessageSigning.Err = err, err
	},
}

// TestFaultsOfParts: New lists what the constructors of a Config's parts found
// wrong with their arguments, once each, beside its own findings.
func TestFaultsOfParts(t *testing.T) {
	for claim, row := range partFaults {
		for field, set := range parts {
			t.Run(claim+" in "+field, func(t *testing.T) {
				_, err := authcode.New(world.Config(&world.Provider{}, func(c *config) {
					set(c, row.err)
					c.HomeURL = "javascript:"
				}))
				e := world.WantError(t, err, authcode.Configuration, "config")
				for _, want := range row.want {
					if !slices.Contains(e.Faults, want) || strings.Count(e.Error(), want) != 1 {
						t.Errorf("got %q, want %q once", e, want)
					}
				}
				if strings.Contains(e.Error(), "config.key") ||
					!strings.Contains(e.Error(), "Config.HomeURL") {
					t.Errorf("got %q", e)
				}
			})
		}
	}
}
