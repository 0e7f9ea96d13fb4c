package check

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
)

// checkMembers says which members are malformed or missing.
func (c *checker) checkMembers() {
	for _, name := range c.meta.malformed {
		c.reportMalformed(name, name)
	}
	if c.meta.aliases != nil {
		for _, name := range c.meta.aliases.malformed {
			c.reportMalformed(aliasPrefix+name, name)
		}
	}
	for _, name := range c.meta.empty {
		c.wrong("member.empty", "%s is an empty list. The provider has to leave it out, or to "+
			"name something (RFC 8414 section 3.2).", name)
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint"} {
		if c.meta.texts[name] == "" && !slices.Contains(c.meta.malformed, name) {
			c.wrong("member.missing", "%s is missing. Nobody can sign in until the provider adds "+
				"it (%s).", name, members[name].source)
		}
	}
	if len(c.meta.lists["response_types_supported"]) == 0 {
		c.note("member.response_types", "response_types_supported is missing, which %s requires. "+
			"Package authcode asks for code anyway.", rfc8414)
	}
	if c.meta.flags["require_pushed_authorization_requests"] &&
		c.meta.texts["pushed_authorization_request_endpoint"] == "" {
		c.wrong("par.missing", "the server only accepts pushed authorization requests, but has no "+
			"usable pushed_authorization_request_endpoint (RFC 9126 section 5). Nobody can sign "+
			"in until the provider names one.")
	}
}

// reportMalformed reports that a member has the wrong type. path also names the
// member that contains it.
func (c *checker) reportMalformed(path, name string) {
	c.wrong("member.malformed", "%s is malformed: it must be %s (%s).", path, members[name].kind,
		members[name].source)
}

// checkEndpoints looks at the addresses of the endpoints.
func (c *checker) checkEndpoints() {
	for _, name := range endpoints {
		c.checkEndpoint(name, c.meta.texts[name])
		if c.meta.aliases != nil {
			c.checkEndpoint(aliasPrefix+name, c.meta.aliases.texts[name])
		}
	}
}

// checkEndpoint looks at the scheme and the host of one endpoint. An attacker
// who can change the metadata would change these.
func (c *checker) checkEndpoint(name, address string) {
	base := cmp.Or(c.issuer(), c.target.given)
	switch {
	case address == "":
	// A test server on this machine may use http throughout.
	case isPlain(address) && !(isLoopback(address) && isPlain(base)):
		c.wrong("endpoint.http", "%s is http (%s): anybody on the network path can read and "+
			"change what is sent there. The provider has to serve https.", name, show(address))
	case isLocal(address) && !isLocal(base):
		c.wrong("endpoint.local", "%s is %s, which is on this machine, but the issuer is "+
			"elsewhere. It was not called, because a program on this machine may trust every "+
			"caller. Ask the provider for the public address.", name, show(address))
	case !sameOwner(hostOf(base), hostOf(address)):
		c.wrong("endpoint.host", "%s is at the host %s, but the issuer is at %s. Ask the "+
			"provider whether that host is its own. If it is not, somebody else gets codes and "+
			"tokens, or chooses keys.", name, show(hostOf(address)), show(hostOf(base)))
	}
}

// mayCall reports whether a request to address can do no harm. A server
// elsewhere must not be able to make this program call something on this
// machine (server-side request forgery).
func (c *checker) mayCall(address string) bool {
	base := cmp.Or(c.issuer(), c.target.given)
	if isPlain(address) {
		return isLoopback(address) && isLocal(base) && isLocal(c.target.given)
	}
	return !isLocal(address) || isLocal(base) && isLocal(c.target.given)
}

// secondDomains are further domains of well-known providers, besides the domain
// of their issuer.
var secondDomains = map[string][]string{
	"accounts.google.com":       {"googleapis.com"},
	"login.microsoftonline.com": {"microsoft.com"},
	"amazonaws.com":             {"amazoncognito.com"},
	"www.facebook.com":          {"facebook.com"},
}

// sameOwner guesses whether two hosts belong to one provider. They do if they
// are equal, or if they share the part of their name that somebody can
// register.
func sameOwner(issuer, host string) bool {
	// Addresses have no labels that somebody could have registered.
	if issuer == host || isAddress(issuer) || isAddress(host) {
		return issuer == host
	}
	if registered(issuer) == registered(host) {
		return true
	}
	return slices.Contains(secondDomains[issuer], registered(host)) ||
		slices.Contains(secondDomains[registered(issuer)], registered(host))
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// registered guesses which part of a host name somebody has registered: the
// last two labels, or three in countries with short second-level domains such
// as co.uk. The Public Suffix List would be exact, and a dependency.
func registered(host string) string {
	labels := strings.Split(host, ".")
	n := 2
	if last := len(labels) - 1; last >= 2 && len(labels[last]) == 2 && len(labels[last-1]) <= 3 {
		n = 3
	}
	return strings.Join(labels[max(len(labels)-n, 0):], ".")
}
