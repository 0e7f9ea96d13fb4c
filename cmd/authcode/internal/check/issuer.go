package check

import (
	"net/url"
	"strings"
)

// microsoftTemplate stands in the issuer of Microsoft's document for all tenants.
const microsoftTemplate = "{tenantid}"

// issuer is what the app has to name: the document's own text. OpenID Connect Discovery
// section 4.3 and RFC 8414 section 3.3 compare it byte for byte.
func (c *checker) issuer() string { return c.meta.texts["issuer"] }

// checkIssuer compares the document's issuer with the one that was asked for.
func (c *checker) checkIssuer() {
	given, named := c.target.issuer, c.issuer()
	switch {
	case named == "":
		c.wrong("issuer.missing", "the document does not say whose it is: issuer is missing "+
			"(%s). Package oidc refuses such a document.", rfc8414)
		return
	case strings.Contains(named, microsoftTemplate):
		c.note("issuer.template", "the document is for all tenants of Microsoft Entra ID. Use "+
			"provider.Microsoft, provider.MicrosoftTenants or provider.MicrosoftAnyTenant, which "+
			"know its rules.")
		return
	}
	c.compareIssuer(given, named)
	if u, err := url.Parse(named); err != nil || u.Scheme != "https" && u.Scheme != "http" ||
		u.Host == "" {
		c.wrong("issuer.form", "the issuer %s is not an absolute URL (%s).", show(named), rfc8414)
	} else if u.RawQuery != "" || strings.Contains(named, "#") {
		c.wrong("issuer.form", "the issuer %s has a query or a fragment, which no issuer has (%s).",
			show(named), rfc8414)
	}
	c.checkPlainIssuer(named)
}

// compareIssuer says how the document's issuer differs from the given one.
func (c *checker) compareIssuer(given, named string) {
	switch {
	case given == "" || given == named:
	case strings.TrimSuffix(given, "/") == strings.TrimSuffix(named, "/"):
		c.wrong("issuer.slash", "the document says that its issuer is %s, which differs from %s "+
			"by the slash at the end. Issuers are compared byte for byte: write it as the "+
			"document does.", show(named), show(given))
	case strings.EqualFold(strings.TrimSuffix(given, "/"), strings.TrimSuffix(named, "/")):
		c.wrong("issuer.case", "the document says that its issuer is %s, which differs from %s "+
			"by upper and lower case. Issuers are compared byte for byte: write it as the "+
			"document does.", show(named), show(given))
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

func (c *checker) checkPlainIssuer(issuer string) {
	switch {
	case isPlain(issuer) && isLocal(issuer):
		c.note("issuer.plain", "the issuer is http on this machine, which is fine while you develop.")
	case isPlain(issuer):
		c.wrong("issuer.http", "the issuer %s is http: anybody on the way can put other "+
			"endpoints and keys into its document. Package oidc refuses it: the provider has to "+
			"serve https.", show(issuer))
	}
}

// isAnother reports that the document is about another server than the one that was asked
// for. Differences in case and in a slash are spelling.
func (c *checker) isAnother() bool {
	given := strings.TrimSuffix(c.target.issuer, "/")
	return given != "" && !strings.EqualFold(given, strings.TrimSuffix(c.issuer(), "/")) &&
		!strings.Contains(c.issuer(), microsoftTemplate)
}
