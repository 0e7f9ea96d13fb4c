package oidc

import (
	"cmp"
	"net/http"
	"strings"

	"example.com/authcode"
)

// newError makes an error with the text of its Check. cause may be nil.
func newError(reason authcode.Reason, check string, cause error) *authcode.Error {
	return authcode.NewError(reason, check, describe(check), cause)
}

// configError makes the error for a mistake in the app's code or configuration.
func configError(check string) *authcode.Error {
	return newError(authcode.Configuration, check, nil)
}

// identityError makes the error for a broken rule about who somebody is.
func identityError(check string) *authcode.Error {
	return newError(authcode.IdentityRefused, check, nil)
}

// notAdmitted makes the error for a person whom the app's options keep out.
func notAdmitted(check string) *authcode.Error { return newError(authcode.NotAdmitted, check, nil) }

// describe returns the text for operators that belongs to a Check. A test keeps
// the texts complete.
func describe(check string) string {
	// The texts are constants. A text that is put together where an error is
	// made could repeat a token, or words that an attacker wants in a log.
	if text, ok := checkTexts[check]; ok {
		return text
	}
	name, rule, _ := strings.Cut(check, ".")
	s := subjects[name]
	words := strings.NewReplacer("*", s.name, "@", cmp.Or(s.setting, "its URL"))
	return words.Replace(checkTexts["*."+rule])
}

// otherIssuer makes the error for metadata of the issuer iss.
func (s *settings) otherIssuer(iss string) error {
	const check = "discovery.issuer"
	text := describe(check)
	// iss itself is the provider's word. But this mistake can be named.
	switch {
	case iss == s.identifier+"/":
		text = "the issuer in the metadata ends with a slash, and that of oidc.Provider does not: " +
			"add the slash"
	case iss+"/" == s.identifier:
		text = "the issuer of oidc.Provider ends with a slash, and that in the metadata does not: " +
			"remove the slash"
	}
	return authcode.NewError(authcode.BadAnswer, check, text, nil)
}

// redirected makes the error for an answer that is a redirect.
func redirected(name string, resp *http.Response) error {
	check := name + ".redirect"
	text := describe(check)
	// The operator needs the URL to set oidc.MetadataURL. The provider has
	// chosen it, so only a plain one is shown: https, or of the same server on
	// loopback, such as an old django-oauth-toolkit that wants a slash more.
	if to, err := resp.Location(); err == nil && name == "discovery" {
		target := to.Scheme + "://" + to.Host + to.EscapedPath()
		from := resp.Request // nil if the app's transport does not set it
		stays := from != nil && from.URL.Scheme == to.Scheme && from.URL.Host == to.Host
		isShown := to.User == nil && (to.Scheme == "https" || stays) && len(target) <= 200
		if isShown && isEndpoint(target) {
			text += ", which may be " + target
		}
	}
	return authcode.NewError(authcode.BadAnswer, check, text, nil)
}

// subjects maps the first part of a Check to the document that it stands for,
// and to the setting that holds the document's URL.
var subjects = map[string]struct{ name, setting string }{
	"discovery": {"the metadata", "oidc.MetadataURL"},
	// Provider's own fields are ignored while Provider.Metadata is set. An app
	// that disagrees with the metadata has to change what Metadata returns.
	"jwks":     {"the JWKS", "JWKSURL in a function around Provider.Metadata"},
	"userinfo": {"the userinfo answer", "UserInfoURL in a function around Provider.Metadata"},
	"introspection": {
		"the introspection answer", "IntrospectionURL in a function around Provider.Metadata",
	},
	// The others come with a request or an answer, and have no URL.
	"id_token":     {name: "the ID token"},
	"logout_token": {name: "the logout token"},
	"response":     {name: "the signed authorization response"},
	"initiate":     {name: "the request to initiate a login"},
	"logout":       {name: "the logout request"},
}
