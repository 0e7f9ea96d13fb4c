package authcode_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

// The canaries have characters that encoders change, and no two share a part.
const (
	hCanarySecret = "canary/secret+ä ö&0123456789"
	hCanaryKey    = "CANARY-KEY-%41%42-wx<yz>-ABCDEFGHIJKLMN"
	hCanaryAccess = "canary.access~token-77777"
	hCanaryRenew  = "canary.refresh/token+88888=="
	hCanaryValue  = "canary=value;99999"
	hCanaryWords  = "canary\r\nwords of the server"
)

// hForms are the ways in which a secret may show.
func hForms(secret string) []string {
	b := []byte(secret)
	decimals := strings.Trim(fmt.Sprint(b), "[]")
	js, _ := json.Marshal(secret)
	// A secret inside a longer text is encoded by groups of three bytes, so look for the inner
	// groups at every offset.
	forms := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(fmt.Sprintf("%q", secret), `"`), strings.Trim(string(js), `"`),
		fmt.Sprintf("%x", b), fmt.Sprintf("%X", b), fmt.Sprintf("% x", b), decimals, strings.ReplaceAll(decimals, " ", ", "),
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", b), "[]byte{"), "}"),
	}
	for _, text := range []string{secret, url.QueryEscape(secret)} {
		for offset := range 3 {
			inner := []byte(text[offset : offset+(len(text)-offset)/3*3])
			forms = append(forms, base64.StdEncoding.EncodeToString(inner), base64.URLEncoding.EncodeToString(inner))
		}
	}
	return forms
}

// hWantNone searches text for the canaries.
func hWantNone(t *testing.T, how, text string) {
	t.Helper()
	for _, canary := range []string{hCanarySecret, hCanaryKey, hCanaryAccess, hCanaryRenew, hCanaryValue, hCanaryWords} {
		for _, form := range hForms(canary) {
			if strings.Contains(text, form) {
				t.Errorf("%s shows %q in %s", how, form, text)
			}
		}
	}
}

// hOutputs prints v in all the ways that apps print, and by further verbs.
func hOutputs(v any, further ...string) map[string]string {
	out := make(map[string]string)
	for _, verb := range append([]string{"%v", "%+v", "%#v", "%s", "%d", "%q", "%x", "%X", "% x"}, further...) {
		out[verb] = fmt.Sprintf(verb, v)
	}
	js, err := json.Marshal(v)
	out["json.Marshal"] = fmt.Sprint(string(js), err)
	js, err = json.Marshal(map[string]any{"v": []any{v}})
	out["json.Marshal, nested"] = fmt.Sprint(string(js), err)
	var buf bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
		slog.New(h).With("with", v).Info("msg", "v", v, slog.Group("g", "v", v), "list", []any{v})
	}
	out["slog"] = buf.String()
	return out
}

func hSecrets(t *testing.T) (authcode.Config, *authcode.Client, *authcode.Login, *authcode.Error) {
	cfg := hConfig(&hProvider{}, func(c *authcode.Config) {
		c.ClientAuth = authcode.Secret(hCanarySecret)
		c.CookieKeys = [][]byte{[]byte(hCanaryKey)}
	})
	client, err := authcode.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	token := &oauth2.Token{AccessToken: hCanaryAccess, RefreshToken: hCanaryRenew, Expiry: time.Now()}
	login := &authcode.Login{
		Provider: "x", Scopes: []string{"a"}, Values: map[string]string{"k": hCanaryValue},
		Token: token.WithExtra(map[string]any{"id_token": hCanaryAccess}),
	}
	failure := &authcode.Error{
		Reason: authcode.Denied, Check: "authorization.error", Provider: "x",
		ServerError: hCanaryWords, ServerDescription: hCanaryWords,
	}
	return cfg, client, login, failure
}

// TestNothingSecretPrints dumps each value that an app holds, by itself and nested.
func TestNothingSecretPrints(t *testing.T) {
	cfg, client, login, failure := hSecrets(t)
	secret := cfg.ClientAuth
	source := client.TokenSource(login.Token, nil)
	answer := authcode.TokenResponse{Token: login.Token, Nonce: hCanaryValue, Callback: url.Values{"code": {hCanaryAccess}}}
	sent := authcode.TokenRequest{
		Form: url.Values{"client_secret": {hCanarySecret}}, Header: http.Header{"Authorization": {"Bearer " + hCanaryAccess}},
	}
	type exported struct {
		Config *authcode.Config
		Client *authcode.Client
		Login  *authcode.Login
		Error  *authcode.Error
		Secret authcode.ClientAuth
	}
	type values struct {
		Config authcode.Config
		Client authcode.Client
		Login  authcode.Login
		Secret authcode.ClientAuth
	}
	rows := []struct {
		claim string
		value any
	}{
		{"Config", cfg}, {"*Config", &cfg}, {"[]Config", []authcode.Config{cfg}}, {"[]*Config", []*authcode.Config{&cfg}},
		{"map of Config", map[string]authcode.Config{"k": cfg}}, {"map of *Config", map[string]*authcode.Config{"k": &cfg}},
		{"Client", *client}, {"*Client", client}, {"[]Client", []authcode.Client{*client}}, {"[]*Client", []*authcode.Client{client}},
		{"map of *Client", map[string]*authcode.Client{"k": client}},
		{"Login", *login}, {"*Login", login}, {"[]Login", []authcode.Login{*login}}, {"[]*Login", []*authcode.Login{login}},
		{"map of Login", map[string]authcode.Login{"k": *login}}, {"map of *Login", map[string]*authcode.Login{"k": login}},
		{"Error", *failure}, {"[]Error", []authcode.Error{*failure}}, {"*Error", failure}, {"[]*Error", []*authcode.Error{failure}}, {"map of *Error", map[string]*authcode.Error{"k": failure}},
		{"error", error(failure)}, {"[]error", []error{failure}},
		{"*TokenSource", source}, {"[]*TokenSource", []*authcode.TokenSource{source}},
		{"unexported *TokenSource", struct{ s *authcode.TokenSource }{source}},
		{"TokenResponse", answer}, {"*TokenResponse", &answer}, {"[]*TokenResponse", []*authcode.TokenResponse{&answer}},
		{"TokenRequest", sent}, {"*TokenRequest", &sent}, {"[]*TokenRequest", []*authcode.TokenRequest{&sent}},
		{"Secret", secret}, {"[]Secret", []authcode.ClientAuth{secret}}, {"map of Secret", map[string]authcode.ClientAuth{"k": secret}},
		{"pointer to Secret", &secret}, {"[]pointer to Secret", []*authcode.ClientAuth{&secret}},
		{"exported pointers", exported{&cfg, client, login, failure, secret}},
		{"pointer to exported pointers", &exported{&cfg, client, login, failure, secret}},
		{"exported values", values{cfg, *client, *login, secret}},
		{"unexported Secret", struct{ s authcode.ClientAuth }{secret}},
		{"unexported *Client", struct{ c *authcode.Client }{client}},
		{"unexported Client", struct{ c authcode.Client }{*client}},
		{"unexported slice of Client", struct{ c []authcode.Client }{[]authcode.Client{*client}}},
		{"pointer to a struct with a Client inside", []*struct{ C authcode.Client }{{*client}}},
		{"an app's handlers", struct{ h []http.Handler }{[]http.Handler{client.LoginHandler(), client.CallbackHandler(http.NotFoundHandler())}}},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			for how, text := range hOutputs(row.value, "%t", "%c", "%f", "%!") {
				hWantNone(t, how, text)
				if text == "" {
					t.Errorf("%s prints nothing", how)
				}
			}
		})
	}
	t.Run("wrapped *Error", func(t *testing.T) {
		for how, text := range hOutputs(fmt.Errorf("app: %w", failure)) {
			hWantNone(t, how, text)
		}
	})
}

// TestPrintedForms: what holds secrets prints as REDACTED, with every verb and encoder.
func TestPrintedForms(t *testing.T) {
	cfg, client, login, failure := hSecrets(t)
	rows := []struct {
		claim string
		value any
		want  string
	}{
		{"Config", cfg, `REDACTED`},
		{"Client", client, `REDACTED`},
		{"Login", login, `REDACTED`},
		{"Error", failure, `authcode: x: denied (authorization.error)`},
		{"TokenSource", client.TokenSource(login.Token, nil), `REDACTED`},
		{"Secret", cfg.ClientAuth, `REDACTED`},
		{"Public", authcode.Public(), `REDACTED`},
		{"Binding", authcode.Binding{}, `REDACTED`},
		{"MessageSigning", authcode.MessageSigning{}, `REDACTED`},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			for _, verb := range []string{"%v", "%+v", "%s"} {
				if got := fmt.Sprintf(verb, row.value); got != row.want {
					t.Errorf("%s prints %s, want %s", verb, got, row.want)
				}
			}
			js, err := json.Marshal(row.value)
			var text string
			if err != nil || json.Unmarshal(js, &text) != nil || text != row.want {
				t.Errorf("JSON is %s, %v", js, err)
			}
		})
	}
	if got := fmt.Sprintf("%#v", cfg); got != "REDACTED" {
		t.Errorf("%%#v of a Config is %s", got)
	}
	for claim, v := range map[string]any{
		"*Config": (*authcode.Config)(nil), "*Client": (*authcode.Client)(nil), "*Login": (*authcode.Login)(nil), "*Error": (*authcode.Error)(nil),
	} {
		if got := fmt.Sprint(v); got != "<nil>" {
			t.Errorf("a nil %s prints %s", claim, got)
		}
	}
}

// TestErrorLogsItsParts: slog shows what an operator counts, of the pointer and of the value.
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
			"reason": "forged", "check": "state.tag", "provider": "x", "text": "authcode: x: forged (state.tag)",
		}
		if !maps.Equal(line.Error, want) {
			t.Errorf("%T is logged as %v, want %v", logged, line.Error, want)
		}
	}
}
