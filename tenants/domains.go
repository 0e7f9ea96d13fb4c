package tenants

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/headers"
)

// VerifiedDomains returns p with an Identity whose EmailVerified is false for an
// address outside domains, whatever the provider says. The claim email_verified
// in its Claims becomes false, too. Other addresses keep what the provider says
// of them. Without domains, no address is verified.
//
// A customer's provider may claim any address. Without this list, it could sign
// in as a person of another customer in an app that finds accounts by verified
// address. So list only domains that the customer has shown to own, for example
// by a DNS record. No domain may be on the lists of two customers.
//
// A domain covers no subdomain, and case is ignored. An international domain is
// written in ASCII, as "xn--bcher-kva.example". An address that is not plain
// ASCII, has a dot at its end or a quoted local part is outside of all domains.
// [authcode.New] reports a domain that is malformed.
func VerifiedDomains(p authcode.Provider, domains ...string) authcode.Provider {
	listed := make([]string, 0, len(domains))
	for i, d := range domains {
		if !isDomain(d) {
			p.Err = errors.Join(p.Err, domainFault(i))
		}
		listed = append(listed, strings.ToLower(d))
	}
	identity := p.Identity
	if identity == nil {
		return p
	}
	p.Identity = func(
		ctx context.Context, resp *authcode.TokenResponse,
	) (*authcode.Identity, error) {
		id, err := identity(ctx, resp)
		if id == nil || err != nil {
			return id, err
		}
		if _, domain, ok := splitAddress(id.Email); ok && slices.Contains(listed, domain) {
			return id, nil
		}
		// A copy: the provider's function may keep its own.
		out := *id
		out.EmailVerified = false
		if _, says := id.Claims["email_verified"]; says {
			out.Claims = maps.Clone(id.Claims)
			out.Claims["email_verified"] = false
		}
		return &out, nil
	}
	return p
}

func domainFault(i int) error {
	return &authcode.Error{
		Reason: authcode.Configuration, Check: "config",
		Faults: []string{fmt.Sprintf("VerifiedDomains: domain %d is not a domain name in ASCII "+
			"with two or more labels: write it like example.com or xn--bcher-kva.example, "+
			"without @, * or a dot at the end", i)},
	}
}

// splitAddress splits an e-mail address. The domain is in lower case. ok is
// false if the address is not a plain one: two programs could then disagree
// about its domain.
func splitAddress(address string) (local, domain string, ok bool) {
	local, domain, _ = strings.Cut(address, "@")
	// RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3 limit both.
	if len(address) > 254 || len(local) > 64 || !isDotAtom(local) || !isDomain(domain) {
		return "", "", false
	}
	return local, strings.ToLower(domain), true
}

// isDotAtom reports whether local is a dot-atom (RFC 5322 section 3.2.3): no
// quotes, comments, spaces or commas, which some programs read as an end of the
// address.
func isDotAtom(local string) bool {
	isAtext := func(r rune) bool {
		return headers.IsAlphanumeric(r) || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r)
	}
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !isAtext(r) }) {
			return false
		}
	}
	return true
}

// isDomain reports whether s is a host name (RFC 1123 section 2.1) with two or
// more labels and no address. It is asked before lower case is made: the Kelvin
// sign would turn into a "k".
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, isNotHostChar) {
			return false
		}
	}
	// RFC 1123 section 2.1: the last label of a name is not numeric. 127.0.0.1,
	// 127.1 and 0x7f.1 are addresses to some resolvers.
	last := labels[len(labels)-1]
	return len(labels) > 1 && len(s) <= 253 && !(last[0] >= '0' && last[0] <= '9')
}

func isNotHostChar(r rune) bool { return !headers.IsAlphanumeric(r) && r != '-' }
