package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/test/world"
	"golang.org/x/oauth2"
)

// The canaries have characters that encoders change, and no two share a part.
const (
	canarySecret = "canary/secret+ä ö&0123456789"
	canaryKey    = "CANARY-KEY-%41%42-wx<yz>-ABCDEFGHIJKLMN"
	canaryAccess = "canary.access~token-77777"
	canaryRenew  = "canary.refresh/token+88888=="
	canaryValue  = "canary=value;99999"
	canaryWords  = "canary\r\nwords of the server"
)

// wantNoCanary searches text for the canaries.
func wantNoCanary(t *testing.T, how, text string) {
	t.Helper()
	world.WantNoSecret(t, how, text, canarySecret, canaryKey, canaryAccess, canaryRenew,
		canaryValue, canaryWords)
}

// secret are the values that an app holds, full of canaries.
type secret struct {
	cfg     authcode.Config
	client  *authcode.Client
	login   *authcode.Login
	failure *authcode.Error
	source  *authcode.TokenSource
	answer  authcode.TokenResponse
	request authcode.TokenRequest
}

func newSecret(t *testing.T) *secret {
	t.Helper()
	s := &secret{cfg: world.Config(&world.Provider{}, func(c *config) {
		c.ClientAuth = authcode.Secret(canarySecret)
		c.CookieKeys = [][]byte{[]byte(canaryKey)}
	})}
	var err error
	if s.client, err = authcode.New(s.cfg); err != nil {
		t.Fatal(err)
	}
	token := &oauth2.Token{AccessToken: canaryAccess, RefreshToken: canaryRenew, Expiry: time.Now()}
	s.login = &authcode.Login{
		Provider: "x", Scopes: []string{"a"}, Values: map[string]string{"k": canaryValue},
		Token: token.WithExtra(map[string]any{"id_token": canaryAccess}),
	}
	s.failure = &authcode.Error{
		Reason: authcode.Denied, Check: "authorization.error", Provider: "x",
		ServerError: canaryWords, ServerDescription: canaryWords,
	}
	s.source = s.client.TokenSource(s.login.Token, nil)
	s.answer = authcode.TokenResponse{
		Token: s.login.Token, Nonce: canaryValue, Callback: url.Values{"code": {canaryAccess}},
	}
	s.request = authcode.TokenRequest{
		Form:   url.Values{"client_secret": {canarySecret}},
		Header: http.Header{"Authorization": {"Bearer " + canaryAccess}},
	}
	return s
}

// held is a value by itself or inside another.
type held struct {
	claim string
	value any
}

// of is a value of one type in all the ways that apps hold it.
func of[T any](name string, v T) []held {
	p := &v
	return []held{
		{name, v}, {"*" + name, p}, {"[]" + name, []T{v}}, {"[]*" + name, []*T{p}},
		{"map of " + name, map[string]T{"k": v}}, {"map of *" + name, map[string]*T{"k": p}},
		{"exported " + name, struct{ V T }{v}}, {"exported *" + name, struct{ V *T }{p}},
		{"pointer to exported *" + name, &struct{ V *T }{p}},
		{"[]any of " + name, []any{v}},
	}
}

func (s *secret) held() []held {
	var values struct {
		Config *config
		Client *authcode.Client
		Login  *authcode.Login
		Error  *authcode.Error
		Secret authcode.ClientAuth
	}
	values.Config, values.Client, values.Login = &s.cfg, s.client, s.login
	values.Error, values.Secret = s.failure, s.cfg.ClientAuth
	handlers := []http.Handler{
		s.client.LoginHandler(), s.client.CallbackHandler(http.NotFoundHandler()),
	}
	return slices.Concat(
		of("Config", s.cfg), of("Client", *s.client), of("Login", *s.login),
		of("Error", *s.failure), of("TokenSource", s.source), of("TokenResponse", s.answer),
		of("TokenRequest", s.request), of("Secret", s.cfg.ClientAuth), of("many", values),
		[]held{
			{"error", error(s.failure)}, {"[]error", []error{s.failure}},
			// fmt calls no methods of unexported fields.
			{"unexported Secret", struct{ s authcode.ClientAuth }{s.cfg.ClientAuth}},
			{"unexported *Client", struct{ c *authcode.Client }{s.client}},
			{"unexported Client", struct{ c authcode.Client }{*s.client}},
			{"unexported slice of Client",
				struct{ c []authcode.Client }{[]authcode.Client{*s.client}}},
			{"unexported *TokenSource", struct{ s *authcode.TokenSource }{s.source}},
			{"pointer to a struct with a Client inside",
				[]*struct{ C authcode.Client }{{*s.client}}},
			{"an app's handlers", struct{ h []http.Handler }{handlers}},
		})
}

// TestNothingSecretPrints dumps each value that an app holds, by itself and
// nested.
func TestNothingSecretPrints(t *testing.T) {
	s := newSecret(t)
	for _, row := range s.held() {
		t.Run(row.claim, func(t *testing.T) {
			for how, text := range world.Outputs(row.value, "%t", "%c", "%f", "%!") {
				wantNoCanary(t, how, text)
				if text == "" {
					t.Errorf("%s prints nothing", how)
				}
			}
		})
	}
	t.Run("wrapped *Error", func(t *testing.T) {
		for how, text := range world.Outputs(fmt.Errorf("app: %w", s.failure)) {
			wantNoCanary(t, how, text)
		}
	})
}

// TestZeroValuesPrint: printing a value that holds nothing does not panic.
func TestZeroValuesPrint(t *testing.T) {
	for _, row := range slices.Concat(
		of("Config", authcode.Config{}), of("Login", authcode.Login{}),
		of("Error", authcode.Error{}), of("TokenSource", new(authcode.TokenSource)),
		of("TokenResponse", authcode.TokenResponse{}), of("TokenRequest", authcode.TokenRequest{}),
	) {
		for how, text := range world.Outputs(row.value, "%t") {
			if strings.Contains(text, "PANIC") {
				t.Errorf("%s with %s panics: %s", row.claim, how, text)
			}
		}
	}
}

// TestPrintedForms: what holds secrets prints as REDACTED, with every verb and
// encoder.
func TestPrintedForms(t *testing.T) {
	s := newSecret(t)
	for _, row := range []held{
		{"Config", s.cfg}, {"Client", s.client}, {"Login", s.login}, {"TokenSource", s.source},
		{"Secret", s.cfg.ClientAuth}, {"Public", authcode.Public()},
		{"Binding", authcode.Binding{}}, {"MessageSigning", authcode.MessageSigning{}},
	} {
		t.Run(row.claim, func(t *testing.T) { wantPrinted(t, row.value, "REDACTED") })
	}
	t.Run("Error", func(t *testing.T) {
		wantPrinted(t, s.failure, "authcode: x: denied (authorization.error)")
	})
	if got := fmt.Sprintf("%#v", s.cfg); got != "REDACTED" {
		t.Errorf("%%#v of a Config is %s", got)
	}
	for claim, v := range map[string]any{
		"*Config": (*config)(nil), "*Client": (*authcode.Client)(nil),
		"*Login": (*authcode.Login)(nil), "*Error": (*authcode.Error)(nil),
	} {
		if got := fmt.Sprint(v); got != "<nil>" {
			t.Errorf("a nil %s prints %s", claim, got)
		}
	}
}

func wantPrinted(t *testing.T, v any, want string) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%s"} {
		if got := fmt.Sprintf(verb, v); got != want {
			t.Errorf("%s prints %s, want %s", verb, got, want)
		}
	}
	js, err := json.Marshal(v)
	var text string
	if err != nil || json.Unmarshal(js, &text) != nil || text != want {
		t.Errorf("JSON is %s, %v", js, err)
	}
}

// TestErrorLogsItsParts: slog shows what an operator counts, of the pointer and
// of the value.
func TestErrorLogsItsParts(t *testing.T) {
	failure := &authcode.Error{Reason: authcode.Forged, Check: "state.tag", Provider: "x"}
	for _, logged := range []any{failure, *failure} {
		var buf bytes.Buffer
		slog.New(slog.NewJSONHandler(&buf, nil)).Info("login failed", "error", logged)
		var line struct {
			Error map[string]any `json:"error"`
		}
		if err := json.Unmarshal(buf.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"reason": "forged", "check": "state.tag", "provider": "x",
			"text": "authcode: x: forged (state.tag)",
		}
		if !maps.Equal(line.Error, want) {
			t.Errorf("%T is logged as %v, want %v", logged, line.Error, want)
		}
	}
}
