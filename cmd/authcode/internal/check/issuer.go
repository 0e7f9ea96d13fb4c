package check

import (
	"net/url"
	"strings"
)

// microsoftTemplate is a part of the issuer in Microsoft's document for all
// tenants.
const microsoftTemplate = "{tenantid}"

// issuer returns the issuer in the document. The app has to name exactly this
// text: OpenID Connect Discovery section 4.3 and RFC 8414 section 3.3 compare
// it byte for byte.
func (c *checker) issuer() string { return c.meta.texts["issuer"] }

// checkIssuer compares the document's issuer with the one that was asked for.
func (c *checker) checkIssuer() {
	given, named := c.target.issuer, c.issuer()
	switch {
	case named == "":
		c.wrong("issuer.missing", "the document does not name its issuer (%s). Package oidc "+
			"refuses it: ask the provider to add the member issuer.", rfc8414)
		return
	// The document for all tenants has a template in place of an issuer, so the
	// comparison below would refuse it.
	case strings.Contains(named, microsoftTemplate):
		c.note("issuer.template", "the document is for all tenants of Microsoft Entra ID. Use "+
			"provider.Microsoft, provider.MicrosoftTenants or provider.MicrosoftAnyTenant, which "+
			"know its rules.")
		return
	}
	c.compareIssuer(given, named)
	if u, err := url.Parse(named); err != nil || u.Scheme != "https" && u.Scheme != "http" ||
		u.Host == "" {
		c.wrong("issuer.form", "the issuer %s is not an absolute URL (%s). The provider has to "+
			"correct it.", show(named), rfc8414)
	} else if u.RawQuery != "" || strings.Contains(named, "#") {
		c.wrong("issuer.form", "the issuer %s has a query or a fragment, which an issuer must "+
			"not have (%s). The provider has to correct it.", show(named), rfc8414)
	}
	c.checkPlainIssuer(named)
}

// compareIssuer says how the issuer in the document differs from the given one.
// Without this comparison, one server could describe another one, and lead
// people and codes to endpoints of its own (RFC 8414 section 6.2).
func (c *checker) compareIssuer(given, named string) {
	switch {
	case given == "" || given == named:
	case strings.TrimSuffix(given, "/") == strings.TrimSuffix(named, "/"):
		c.wrong("issuer.slash", "the document says that its issuer is %s, which differs from %s "+
			"only by the slash at the end. Issuers are compared byte for byte: write it as in the "+
			"document.", show(named), show(given))
	case strings.EqualFold(strings.TrimSuffix(given, "/"), strings.TrimSuffix(named, "/")):
		c.wrong("issuer.case", "the document says that its issuer is %s, which differs from %s "+
			"only by upper and lower case. Issuers are compared byte for byte: write it as in the "+
			"document.", show(named), show(given))
	case c.options.metadataURL != "":
		c.wrong("issuer.differs", "the document at %s says that its issuer is %s, not %s. If that "+
			"is the server you mean, run: authcode check %s -metadata-url %s",
			show(c.options.metadataURL), show(named), show(given), argument(named),
			argument(c.options.metadataURL))
	default:
		c.wrong("issuer.differs", "the document says that its issuer is %s, not %s. Package oidc "+
			"refuses it, because it describes another server. If that is the server you mean, "+
			"run: authcode check %s", show(named), show(given), argument(named))
	}
}

// checkPlainIssuer looks at an issuer that is http.
func (c *checker) checkPlainIssuer(issuer string) {
	switch {
	case isPlain(issuer) && isLoopback(issuer):
		c.note("issuer.plain", "the issuer is http on this machine. That is fine for development.")
	case isPlain(issuer):
		c.wrong("issuer.http", "the issuer %s is http, so anybody on the network path can put "+
			"other endpoints and keys into its document. Package oidc refuses it: the provider "+
			"has to serve https.", show(issuer))
	}
}

// describesAnotherServer reports whether the document is about another server
// than the one that was asked for. A difference only in case or in the slash at
// the end is a matter of spelling.
func (c *checker) describesAnotherServer() bool {
	given := strings.TrimSuffix(c.target.issuer, "/")
	return given != "" && !strings.EqualFold(given, strings.TrimSuffix(c.issuer(), "/")) &&
		!strings.Contains(c.issuer(), microsoftTemplate)
}
