package check

import (
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/provider"
)

func methods(names ...string) func(*site) {
	return with("token_endpoint_auth_methods_supported", names)
}

var choices = []struct {
	name   string
	change func(*site)
	args   []string
	want   string // in the program
	not    string // not in it
}{
	{"a secret first", nothing, nil, `authcode.Secret(os.Getenv("CLIENT_SECRET"))`, "clientauth"},
	{"Basic where nothing is listed", without("token_endpoint_auth_methods_supported"), nil,
		"authcode.Secret(", "clientauth"},
	{"a key where there is no secret", methods("private_key_jwt"), nil,
		"clientauth.PrivateKeyJWT(clientKey)", "authcode.Secret"},
	{"a key as asked for", nothing, []string{"-client-auth", "private_key_jwt"},
		"dpop.PerSession(key)", "authcode.Secret"},
	{"RS256 alone", both(methods("private_key_jwt"),
		with("token_endpoint_auth_signing_alg_values_supported", []string{"RS256"})), nil,
		`Algorithm: "RS256"`, "PS256"},
	{"a certificate", both(certified, methods("self_signed_tls_client_auth")), nil,
		"clientauth.CertificateBound()", "dpop"},
	{"a key and a bound certificate", both(certified, methods("private_key_jwt"),
		without("dpop_signing_alg_values_supported")), nil,
		"clientauth.CertificateBound()", "MutualTLS"},
	{"a public app", methods("none"), nil, "authcode.Public()", "CLIENT_SECRET"},
	{"an HMAC", methods("client_secret_jwt"), nil, "clientauth.SecretJWT(", "authcode.Secret("},
	{"all usual scopes", nothing, nil, "oidc.Provider(", "Scopes:"},
	{"fewer scopes", with("scopes_supported", []string{"openid", "email"}), nil,
		`[]string{"openid", "email"}`, "profile"},
	{"no userinfo", without("userinfo_endpoint"), nil, "oidc.Provider(", "UserInfo"},
	{"no OpenID", without("id_token_signing_alg_values_supported", "subject_types_supported"), nil,
		"AuthStyle:        oauth2.AuthStyleInParams", "oidc."},
	{"pushing that is not there", answering("/par", 404), nil, "DisablePAR:", "RequirePAR"},
}

// TestChoices: what the program is for follows from what the server takes, and from the flags.
func TestChoices(t *testing.T) {
	for _, test := range choices {
		got := newSite(t, test.change).check(t, append([]string{"SITE"}, test.args...)...).report
		if !strings.Contains(got.Program, test.want) || strings.Contains(got.Program, test.not) {
			t.Errorf("%s: want %q and not %q in %s%s", test.name, test.want, test.not,
				got.NoProgram, got.Program)
		}
	}
}

// TestNoProgram: no app could sign in, and the report says why.
func TestNoProgram(t *testing.T) {
	for _, test := range []struct {
		change func(*site)
		args   []string
		want   string
	}{
		{answering(openIDPlace, 404), nil, "there is no metadata"},
		{with("issuer", "https://127.0.0.1/other"), nil, "about another server"},
		{without("issuer"), nil, "does not name its issuer"},
		{with("issuer", "http://op.example"),
			[]string{"http://op.example", "-metadata-url", "SITE" + openIDPlace},
			"the issuer is http"},
		{without("token_endpoint"), nil, "no usable authorization or token endpoint"},
		{with("token_endpoint", "http://op.example/token"), nil,
			"no usable authorization or token endpoint"},
		{with("response_types_supported", []string{"token"}), nil, "no authorization code grant"},
		{with("code_challenge_methods_supported", []string{"plain"}), nil, "PKCE by S256"},
		{without("jwks_uri"), []string{"-fapi", "security"}, "needs: see above"},
		{with("token_endpoint_auth_methods_supported", []string{"smoke"}), nil,
			"the server lists only smoke"},
		{nothing, []string{"-client-auth", "tls"}, "does not list a method for -client-auth tls"},
		{without("dpop_signing_alg_values_supported"), []string{"-fapi", "security"},
			"needs: see above"},
		{answering("/par", 404), []string{"-fapi", "security"}, "requests must be pushed"},
		{with("issuer", "https://appleid.apple.com"),
			[]string{"https://appleid.apple.com", "-metadata-url", "SITE" + openIDPlace},
			"provider.AppleSecret"},
	} {
		args := test.args
		if len(args) == 0 || args[0][0] == '-' {
			args = append([]string{"SITE"}, args...)
		}
		got := newSite(t, test.change).check(t, args...)
		if got.report.Program != "" || !strings.Contains(got.report.NoProgram, test.want) {
			t.Errorf("there is no program because %q, want %q", got.report.NoProgram, test.want)
		}
	}
}

// TestPresets: an issuer that package provider knows gets its preset.
func TestPresets(t *testing.T) {
	known := map[string]authcode.Provider{
		"provider.Google()":                     provider.Google(),
		`provider.GitLab("https://gitlab.com")`: provider.GitLab("https://gitlab.com"),
		"provider.Slack()":                      provider.Slack(),
		"provider.Salesforce()":                 provider.Salesforce(), "provider.Twitch()": provider.Twitch(),
		"provider.Yahoo()": provider.Yahoo(),
	}
	for issuer, call := range presets {
		if known[call].Issuer != issuer {
			t.Errorf("%s is %q, want %q", call, known[call].Issuer, issuer)
		}
	}
	const tenant = "9188040d-6c67-4c5b-b112-36a304b66dad"
	if got := presetFor(microsoftIssuer + tenant +
		"/v2.0"); got != `provider.Microsoft("`+tenant+`")` ||
		provider.Microsoft(tenant).Issuer != microsoftIssuer+tenant+"/v2.0" {
		t.Errorf("a tenant of Microsoft: %s", got)
	}
	const template = microsoftIssuer + microsoftTemplate + "/v2.0"
	s := newSite(t, with("issuer", template))
	got := s.check(t, "https://login.microsoftonline.com/common/v2.0", "-metadata-url",
		"SITE"+openIDPlace)
	if !slices.Contains(ids(got.report.Notes), "issuer.template") ||
		!strings.Contains(got.text, "provider.Microsoft") {
		t.Errorf("Microsoft's template: %s", got.text)
	}
}
