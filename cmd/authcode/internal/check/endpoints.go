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
		c.malformed(name, name)
	}
	if c.meta.aliases != nil {
		for _, name := range c.meta.aliases.malformed {
			c.malformed(aliasPrefix+name, name)
		}
	}
	for _, name := range c.meta.empty {
		c.wrong("member.empty", "%s is an empty list. It has to be left out, or to name "+
			"something (RFC 8414 section 3.2).", name)
	}
	for _, name := range []string{"authorization_endpoint", "token_endpoint"} {
		if c.meta.texts[name] == "" && !slices.Contains(c.meta.malformed, name) {
			c.wrong("member.missing", "%s is missing, and nobody can sign in without it (%s).",
				name, members[name].source)
		}
	}
	if len(c.meta.lists["response_types_supported"]) == 0 {
		c.note("member.response_types", "response_types_supported is missing, which %s requires. "+
			"Apps ask for code all the same.", rfc8414)
	}
	if c.meta.flags["require_pushed_authorization_requests"] &&
		c.meta.texts["pushed_authorization_request_endpoint"] == "" {
		c.wrong("par.missing", "the server takes pushed authorization requests only, and has no "+
			"usable pushed_authorization_request_endpoint (RFC 9126 section 5).")
	}
}

func (c *checker) malformed(path, name string) {
	c.wrong("member.malformed", "%s is malformed: it must be %s (%s).", path, members[name].kind,
		members[name].source)
}

// checkEndpoints looks at where the endpoints are.
func (c *checker) checkEndpoints() {
	for _, name := range endpoints {
		c.checkEndpoint(name, c.meta.texts[name])
		if c.meta.aliases != nil {
			c.checkEndpoint(aliasPrefix+name, c.meta.aliases.texts[name])
		}
	}
}

func (c *checker) checkEndpoint(name, address string) {
	base := cmp.Or(c.issuer(), c.target.given)
	switch {
	case address == "":
	case isPlain(address) && !(isLocal(address) && isPlain(base)):
		c.wrong("endpoint.http", "%s is http (%s): anybody on the way can read and change what "+
			"is sent there. The provider has to serve https.", name, show(address))
	case isLocal(address) && !isLocal(base):
		c.wrong("endpoint.local", "%s is %s, on the machine of whoever calls it, and the issuer "+
			"is elsewhere. It was not called: what listens there may trust every caller.", name,
			show(address))
	case !sameOwner(hostOf(base), hostOf(address)):
		c.wrong("endpoint.host", "%s is at the host %s, and the issuer is at %s. Ask the "+
			"provider whether that host is its own: codes, tokens or keys go to it or come from "+
			"it.", name, show(hostOf(address)), show(hostOf(base)))
	}
}

// mayCall reports that a request to address can do no harm: a server elsewhere must not
// make this program call something on this machine.
func (c *checker) mayCall(address string) bool {
	base := cmp.Or(c.issuer(), c.target.given)
	if isPlain(address) {
		return isLocal(address) && isLocal(base) && isLocal(c.target.given)
	}
	return !isLocal(address) || isLocal(base) && isLocal(c.target.given)
}

// secondDomains are where well-known providers have endpoints besides the domain of their
// issuer.
var secondDomains = map[string][]string{
	"accounts.google.com":       {"googleapis.com"},
	"login.microsoftonline.com": {"microsoft.com"},
	"amazonaws.com":             {"amazoncognito.com"},
	"www.facebook.com":          {"facebook.com"},
}

// sameOwner guesses whether two hosts are one provider's: they are equal, or share the
// part of their name that somebody can register.
func sameOwner(issuer, host string) bool {
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

// registered guesses which part of a host name somebody registered: the last two labels,
// or three where the country has short second-level domains such as co.uk.
func registered(host string) string {
	labels := strings.Split(host, ".")
	n := 2
	if last := len(labels) - 1; last >= 2 && len(labels[last]) == 2 && len(labels[last-1]) <= 3 {
		n = 3
	}
	return strings.Join(labels[max(len(labels)-n, 0):], ".")
}
