package check

import (
	_ "embed"
	"errors"
	"fmt"
	"go/format"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"example.com/authcode/internal/jws"
)

//go:embed program.go.tmpl
var programText string

var programTemplate = template.Must(template.New("program").
	Funcs(template.FuncMap{"quote": strconv.QuoteToASCII}).Parse(programText))

// program is the input of the template, which writes a main package that signs
// people in at one server. Everything that the server chose becomes a quoted
// string: a server must not be able to put code into the program.
type program struct {
	Server    string // quoted, for a comment
	Variables []variable

	Standard, Modules []string // imports

	Provider, ClientAuth, Binding, New string // Go expressions
	Scopes                             []string
	Algorithms                         []string // of ID tokens, if RS256 is not among them

	Key, Certificate, CA   bool // what the program loads
	KeyAlgorithm           string
	Signs, SignedResponses bool
	DisablePAR             bool
	Identity               bool // the server says who signs in
}

// variable is an environment variable that the program reads.
type variable struct{ Name, Meaning string }

// program writes the program. Its error says why no program can be written.
func (c *checker) program() (string, error) {
	if err := c.cannotSignIn(); err != nil {
		return "", err
	}
	p := &program{Server: quote(c.issuer()), CA: c.options.caFile != "",
		Identity: c.identifies(), New: "authcode.New(config)"}
	if err := c.chooseAuth(p); err != nil {
		return "", err
	}
	c.chooseProvider(p)
	c.chooseProtection(p)
	p.DisablePAR = c.lacksPAR()
	p.addImports()
	var text strings.Builder
	if err := programTemplate.Execute(&text, p); err != nil {
		return "", err
	}
	// The template does not care about indentation, and gofmt also finds a
	// program that is not valid Go.
	source, err := format.Source([]byte(text.String()))
	if err != nil {
		return "", err
	}
	return string(source), nil
}

// cannotSignIn says why no program could sign in at this server.
func (c *checker) cannotSignIn() error {
	m := c.meta
	// A missing list is not a refusal: apps try.
	types, methods := m.lists["response_types_supported"], m.lists["code_challenge_methods_supported"]
	switch {
	case c.issuer() == "":
		return errors.New("the document does not name its issuer")
	case c.issuer() == "https://appleid.apple.com":
		return errors.New("this provider has special rules: use provider.Apple with " +
			"provider.AppleSecret")
	case c.describesAnotherServer():
		return errors.New("the document is about another server")
	case isPlain(c.issuer()) && !isLoopback(c.issuer()):
		return errors.New("the issuer is http")
	case !c.isUsable(m.texts["authorization_endpoint"]) || !c.isUsable(m.texts["token_endpoint"]):
		return errors.New("the document has no usable authorization or token endpoint")
	case len(types) > 0 && !slices.Contains(types, "code"):
		return errors.New("the server has no authorization code grant")
	case len(methods) > 0 && !slices.Contains(methods, "S256"):
		return errors.New("the server does not take PKCE by S256")
	case c.lacksPAR() && (c.options.fapi != "" || m.flags["require_pushed_authorization_requests"]):
		return errors.New("requests must be pushed, but nothing answers at the endpoint for that")
	case c.options.fapi != "" && len(c.lacks(securityRules)) > 0,
		c.options.fapi == fapiSigning && slices.ContainsFunc(c.lacks(signingRules),
			func(f finding) bool { return f.ID != "introspection" }):
		return errors.New("the server lacks something that the profile of -fapi needs: see above")
	}
	return nil
}

// identifies reports whether the server issues ID tokens that an app can
// verify. Otherwise an app gets tokens, as at a server of OAuth alone.
func (c *checker) identifies() bool {
	return c.meta.isOpenID() && c.isUsable(c.meta.texts["jwks_uri"])
}

// isUsable reports whether package oidc would use the address. It refuses http,
// except on loopback for an issuer that is http itself.
func (c *checker) isUsable(address string) bool {
	return address != "" && (!isPlain(address) || isLoopback(address) && isPlain(c.issuer()))
}

// lacksPAR reports whether nothing answers at the endpoint for pushed requests.
func (c *checker) lacksPAR() bool {
	return slices.ContainsFunc(c.answers, func(a answer) bool {
		return a.silent && a.Endpoint == "pushed_authorization_request_endpoint"
	})
}

// chooseProvider writes the expression for the provider: a preset, or
// oidc.Provider, or the endpoints one by one.
func (c *checker) chooseProvider(p *program) {
	switch preset := presetFor(c.issuer()); {
	case preset != "":
		p.Provider = preset
		return
	case !c.identifies():
		p.Provider = c.endpointLiteral()
		return
	}
	args := []string{strconv.QuoteToASCII(c.issuer())}
	if c.isUsable(c.meta.texts["userinfo_endpoint"]) {
		args = append(args, "oidc.UserInfo()")
	}
	if c.options.metadataURL != "" {
		args = append(args, "oidc.MetadataURL("+strconv.QuoteToASCII(c.options.metadataURL)+")")
	}
	p.Provider = "oidc.Provider(" + strings.Join(args, ", ") + ")"
	// Package fapi has algorithms of its own.
	if c.options.fapi == "" {
		p.Algorithms = c.pinned()
	}
	// Package oidc asks for these three by itself. Some servers refuse a scope
	// that they do not know, so name only those that the server lists.
	usual := []string{"openid", "profile", "email"}
	if scopes := c.meta.lists["scopes_supported"]; len(scopes) > 0 {
		p.Scopes = slices.DeleteFunc(slices.Clone(usual),
			func(s string) bool { return s != "openid" && !slices.Contains(scopes, s) })
	}
	if len(p.Scopes) == len(usual) {
		p.Scopes = nil
	}
}

// endpointLiteral writes a Provider with fixed endpoints, for a server without
// ID tokens, or without keys to verify them: nothing says who signs in.
func (c *checker) endpointLiteral() string {
	var b strings.Builder
	fmt.Fprintf(&b, "authcode.Provider{\nName: \"provider\",\nIssuer: %s,\nEndpoints: "+
		"authcode.Endpoints{\n", strconv.QuoteToASCII(c.issuer()))
	c.writeEndpoints(&b, c.meta)
	if c.meta.aliases != nil {
		b.WriteString("MTLS: &authcode.Endpoints{\n")
		c.writeEndpoints(&b, c.meta.aliases)
		b.WriteString("},\n")
	}
	style := "oauth2.AuthStyleInHeader"
	if methods := c.meta.authMethods(); !slices.Contains(methods, "client_secret_basic") &&
		slices.Contains(methods, "client_secret_post") {
		style = "oauth2.AuthStyleInParams"
	}
	fmt.Fprintf(&b, "AuthStyle: %s,\n", style)
	for _, flag := range [][2]string{
		{"RequireIss", "authorization_response_iss_parameter_supported"},
		{"RequirePAR", "require_pushed_authorization_requests"},
	} {
		if c.meta.flags[flag[1]] {
			fmt.Fprintf(&b, "%s: true,\n", flag[0])
		}
	}
	if jws.PrefersEd25519(c.meta.lists["token_endpoint_auth_signing_alg_values_supported"],
		c.meta.lists["request_object_signing_alg_values_supported"],
		c.meta.lists["dpop_signing_alg_values_supported"]) {
		b.WriteString("Ed25519: true,\n")
	}
	return b.String() + "},\n}"
}

// writeEndpoints writes the fields of an authcode.Endpoints. It leaves out what
// package authcode would refuse.
func (c *checker) writeEndpoints(b *strings.Builder, m *metadata) {
	for _, field := range [][2]string{
		{"AuthURL", "authorization_endpoint"}, {"TokenURL", "token_endpoint"},
		{"PARURL", "pushed_authorization_request_endpoint"},
		{"RevocationURL", "revocation_endpoint"}, {"IntrospectionURL", "introspection_endpoint"},
		{"UserInfoURL", "userinfo_endpoint"},
	} {
		if address := m.texts[field[1]]; c.isUsable(address) {
			fmt.Fprintf(b, "%s: %s,\n", field[0], strconv.QuoteToASCII(address))
		}
	}
}

// presets are the issuers for which package provider knows more than the
// metadata says.
var presets = map[string]string{
	"https://accounts.google.com":  "provider.Google()",
	"https://gitlab.com":           "provider.GitLab(\"https://gitlab.com\")",
	"https://slack.com":            "provider.Slack()",
	"https://login.salesforce.com": "provider.Salesforce()",
	"https://id.twitch.tv/oauth2":  "provider.Twitch()",
	"https://api.login.yahoo.com":  "provider.Yahoo()",
}

const microsoftIssuer = "https://login.microsoftonline.com/"

// presetFor returns the call of package provider for an issuer, or "" if there
// is no preset.
func presetFor(issuer string) string {
	tenant, isMicrosoft := strings.CutPrefix(issuer, microsoftIssuer)
	tenant, isV2 := strings.CutSuffix(tenant, "/v2.0")
	switch {
	case isMicrosoft && isV2 && tenant == microsoftTemplate:
		return "provider.MicrosoftAnyTenant()"
	case isMicrosoft && isV2:
		return "provider.Microsoft(" + strconv.QuoteToASCII(tenant) + ")"
	}
	return presets[issuer]
}
