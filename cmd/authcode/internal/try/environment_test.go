package try

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

const oneTenant = "9188040d-6c67-4c5b-b112-36a304b66dad"

// complete returns good values for all that the presets need.
func complete(t *testing.T) map[string]string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]string{
		"APPLE_TEAM_ID": "TEAM123456", "APPLE_KEY_ID": "KEY1234567",
		"APPLE_KEY_FILE": writePEM(t, "key.p8", "PRIVATE KEY", der),
		"AUTH0_DOMAIN":   "example.eu.auth0.com", "OKTA_DOMAIN": "dev-1234.okta.com",
		"COGNITO_REGION": "eu-west-1", "COGNITO_POOL": "eu-west-1_Ab12Cd34",
		"BITBUCKETDATACENTER_URL": "https://example.com/bitbucket",
		"GITEA_URL":               "https://git.example/gitea",
		"GITHUBENTERPRISE_URL":    "https://ghe.example",
		"MATTERMOST_URL":          "https://chat.example", "NEXTCLOUD_URL": "https://cloud.example",
		"KEYCLOAK_URL": "https://sso.example", "KEYCLOAK_REALM": "a realm",
		"MICROSOFT_TENANT": oneTenant, "SLACKUSER_SCOPES": "channels:read",
	}
	for _, p := range presets {
		for _, name := range p.variables() {
			if strings.HasSuffix(name, "_CLIENT_ID") || strings.HasSuffix(name, "_CLIENT_SECRET") {
				good[name] = "of-" + strings.ToLower(name)
			}
		}
	}
	return good
}

// TestEveryPresetHasAButton: with all credentials at once there is a login for each provider.
func TestEveryPresetHasAButton(t *testing.T) {
	o, err := parseOptions(nil, environment(complete(t)), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if o.demo || len(o.presets) != len(presets) {
		t.Fatalf("demo %v, %d presets of %d", o.demo, len(o.presets), len(presets))
	}
	app := newApp("https://app.example", slog.New(slog.DiscardHandler))
	if err := o.addProviders(app, [][]byte{keyBytes}); err != nil {
		t.Fatal(err)
	}
	app.handler() // no two paths are the same
	for i, s := range app.signIns {
		if want := strings.ToLower(presets[i].prefix); s.name != want || s.title == "" ||
			s.hint == "" && s.name != "microsoft" {
			t.Errorf("preset %s is called %q, %q, %q", presets[i].prefix, s.name, s.title, s.hint)
		}
	}
}

// TestAllThatIsMissing: one start says what is wrong with every preset.
func TestAllThatIsMissing(t *testing.T) {
	env := map[string]string{"GITHUB_CLIENT_ID": "a", "GOOGLE_CLIENT_SECRET": "s",
		"OKTA_CLIENT_ID": "a"}
	_, err := parseOptions(nil, environment(env), io.Discard)
	for _, want := range []string{"GITHUB_CLIENT_SECRET", "GOOGLE_CLIENT_ID", "OKTA_CLIENT_SECRET"} {
		if err == nil || !strings.Contains(err.Error(), want+" is missing") {
			t.Errorf("%s is not in %v", want, err)
		}
	}
}

func TestPresetsAreExplained(t *testing.T) {
	for _, test := range []struct {
		name, unset string
		set         map[string]string
		want        string
	}{
		{"no secret", "GITHUB_CLIENT_SECRET", nil, "GITHUB_CLIENT_SECRET is missing: GitHub " +
			"needs GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET"},
		{"no id", "GITHUB_CLIENT_ID", nil, "GITHUB_CLIENT_ID is missing"},
		{"no domain", "OKTA_DOMAIN", nil, "OKTA_DOMAIN is missing: Okta needs OKTA_CLIENT_ID, " +
			"OKTA_CLIENT_SECRET, OKTA_DOMAIN"},
		{"a URL as domain", "", map[string]string{"AUTH0_DOMAIN": "https://canary.auth0.com"},
			"AUTH0_DOMAIN is not a host name"},
		{"a base without scheme", "", map[string]string{"KEYCLOAK_URL": "canary.example"},
			"KEYCLOAK_URL is not an https URL"},
		{"a base over http", "", map[string]string{"GITEA_URL": "http://canary.example"},
			"GITEA_URL is not an https URL"},
		{"no realm", "KEYCLOAK_REALM", nil, "KEYCLOAK_REALM is missing"},
		{"a tenant's domain", "", map[string]string{"MICROSOFT_TENANT": "canary.onmicrosoft.com"},
			"MICROSOFT_TENANT is not tenant ids"},
		{"a pool with a slash", "", map[string]string{"COGNITO_POOL": "canary/x"},
			"COGNITO_POOL is not a user pool"},
		{"no team", "APPLE_TEAM_ID", nil, "APPLE_TEAM_ID is missing: Apple needs " +
			"APPLE_CLIENT_ID, APPLE_TEAM_ID"},
		{"the key in place of its file", "",
			map[string]string{"APPLE_KEY_FILE": "-----BEGIN\ncanary\n"},
			"APPLE_KEY_FILE is not the name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			env := complete(t)
			maps.Copy(env, test.set)
			delete(env, test.unset)
			_, err := parseOptions(nil, environment(env), io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) ||
				strings.Contains(err.Error(), "canary") {
				t.Errorf("error is %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestPresetsThatCannotStart(t *testing.T) {
	notAKey := filepath.Join(t.TempDir(), "canary.p8")
	if err := os.WriteFile(notAKey, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	apple := map[string]string{"APPLE_CLIENT_ID": "a", "APPLE_TEAM_ID": "T", "APPLE_KEY_ID": "K"}
	for _, test := range []struct {
		name string
		env  map[string]string
		args []string
		want string
	}{
		{"a key that is not there", map[string]string{"APPLE_KEY_FILE": "canary"}, nil,
			"Apple: APPLE_KEY_FILE cannot be read (" + syscall.ENOENT.Error()},
		{"a file that is no key", map[string]string{"APPLE_KEY_FILE": notAKey}, nil,
			"provider.AppleSecret: keyPEM is not PEM"},
		{"form_post over http", map[string]string{"APPLE_KEY_FILE": complete(t)["APPLE_KEY_FILE"]},
			nil, "Apple posts its answer, which needs https"},
		{"a name twice", map[string]string{"GITHUB_CLIENT_ID": "a", "GITHUB_CLIENT_SECRET": "s",
			"APPLE_CLIENT_ID": ""},
			with("-name", "github"), `two providers are called "github"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			env := maps.Clone(apple)
			maps.Copy(env, test.env)
			var stderr strings.Builder
			status := Run(context.Background(), append(test.args, "-addr", "127.0.0.1:0"),
				environment(env), io.Discard, &stderr)
			if status != 1 || !strings.Contains(stderr.String(), test.want) ||
				strings.Contains(stderr.String(), "canary") {
				t.Errorf("status %d: %s", status, &stderr)
			}
		})
	}
}

// TestTheEnvironmentOfOthers: variables that other programs use as well do not switch a
// preset on.
func TestTheEnvironmentOfOthers(t *testing.T) {
	env := map[string]string{"GITEA_URL": "https://git.example", "KEYCLOAK_URL": "x",
		"APPLE_CLIENT_SECRET": "unused"}
	if o, err := parseOptions(nil, environment(env), io.Discard); err != nil || !o.demo ||
		len(o.presets) > 0 {
		t.Errorf("error %v, options %+v", err, o)
	}
}

func TestMicrosoftTenants(t *testing.T) {
	const base = "https://login.microsoftonline.com/"
	for value, issuer := range map[string]string{oneTenant: base + oneTenant + "/v2.0",
		oneTenant + "," + oneTenant: "", "any": ""} {
		if got := microsoft([]string{value}); got.Issuer != issuer || got.Name != "microsoft" {
			t.Errorf("%s: issuer %q, want %q", value, got.Issuer, issuer)
		}
	}
}

// TestPresetsInTheProgram: buttons beside the demo, and the login goes to the provider.
func TestPresetsInTheProgram(t *testing.T) {
	s := program(t, map[string]string{"GITHUB_CLIENT_ID": "my-app", "GITHUB_CLIENT_SECRET": "s",
		"X_CLIENT_ID": "x-app", "X_CLIENT_SECRET": "s"}, "-demo")
	home := s.get("/").body
	for _, button := range []string{`id="login-github" href="/auth/github">Sign in with GitHub`,
		`id="login-x"`, `id="login-demo"`} {
		if !strings.Contains(home, button) {
			t.Errorf("no %s on %s", button, home)
		}
	}
	if at := s.get("/auth/github").Header.Get("Location"); !strings.HasPrefix(at,
		"https://github.com/login/oauth/authorize?") ||
		!strings.Contains(at, "client_id=my-app") {
		t.Errorf("the login goes to %s", at)
	}
}

// TestOnlyAccessTokensAreRevoked where the provider takes no others.
func TestOnlyAccessTokensAreRevoked(t *testing.T) {
	var only []string
	for _, p := range presets {
		if p.accessOnly {
			only = append(only, p.title)
		}
	}
	if !slices.Equal(only, []string{"TikTok", "Twitch", "Zoom"}) {
		t.Errorf("they are %v", only)
	}
	s := newSite(t, false)
	s.app.signIns[0].accessOnly = true
	s.mustSignIn()
	s.post("/signout")
	if got := s.demo.Requests("revocation"); len(got) != 1 ||
		got[0].Form.Get("token_type_hint") != "access_token" {
		t.Errorf("revocations: %v", got)
	}
}
