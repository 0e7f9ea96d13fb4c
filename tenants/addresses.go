package tenants

import (
	"net/netip"
	"slices"
)

// special are the IPv4 addresses that are not globally reachable according to
// IANA's IPv4 Special-Purpose Address Registry (RFC 6890), and multicast.
// 192.0.0.0/24 is refused as a whole, although two anycast addresses in it, for
// PCP and TURN, are globally reachable: no provider has them.
var special = prefixes(
	"0.0.0.0/8",       // "this network" (RFC 791 section 3.2)
	"10.0.0.0/8",      // private use (RFC 1918)
	"100.64.0.0/10",   // shared by carriers' NATs (RFC 6598)
	"127.0.0.0/8",     // loopback (RFC 1122 section 3.2.1.3)
	"169.254.0.0/16",  // link local (RFC 3927)
	"172.16.0.0/12",   // private use (RFC 1918)
	"192.0.0.0/24",    // IETF protocol assignments (RFC 6890 section 2.1)
	"192.0.2.0/24",    // documentation (RFC 5737)
	"192.88.99.0/24",  // 6to4 relays, deprecated (RFC 7526), and 6a44 relays (RFC 6751)
	"192.168.0.0/16",  // private use (RFC 1918)
	"198.18.0.0/15",   // benchmarking (RFC 2544)
	"198.51.100.0/24", // documentation (RFC 5737)
	"203.0.113.0/24",  // documentation (RFC 5737)
	"224.0.0.0/4",     // multicast (RFC 5771)
	"240.0.0.0/4",     // reserved (RFC 1112 section 4), and broadcast (RFC 919 section 7)
)

// globalUnicast has all IPv6 addresses that are assigned to hosts on the
// internet (RFC 4291 section 2.4 and IANA's registry of global unicast
// assignments). What is outside is refused, known or not: among others
//
//	::/128, ::1/128      unspecified and loopback (RFC 4291 sections 2.5.2 and 2.5.3)
//	::/96, ::ffff:0:0/96 IPv4-compatible and IPv4-mapped (RFC 4291 section 2.5.5)
//	64:ff9b:1::/48       NAT64 for local use (RFC 8215)
//	100::/64             discard only (RFC 6666)
//	100:0:0:1::/64       dummy prefix (RFC 9780)
//	5f00::/16            segment routing (RFC 9602)
//	fc00::/7             unique local (RFC 4193)
//	fe80::/10            link local (RFC 4291 section 2.5.6)
//	fec0::/10            site local, deprecated (RFC 3879)
//	ff00::/8             multicast (RFC 4291 section 2.7)
var globalUnicast = netip.MustParsePrefix("2000::/3")

// specialInGlobal are the prefixes within globalUnicast that IANA's IPv6
// Special-Purpose Address Registry takes out.
var specialInGlobal = prefixes(
	// IETF protocol assignments (RFC 2928): Teredo (RFC 4380), which has IPv4
	// addresses in it, benchmarking (RFC 5180), ORCHID (RFC 4843, RFC 7343) and
	// anycast addresses of protocols that no provider speaks.
	"2001::/23",
	"2001:db8::/32", // documentation (RFC 3849)
	"2002::/16",     // 6to4 (RFC 3056), which has IPv4 addresses in it
	"3fff::/20",     // documentation (RFC 9637)
)

// nat64 and localNAT64 are what networks without IPv4 translate to IPv4 (RFC 6052
// section 2.1, RFC 8215). In both, the IPv4 address is at the end.
var (
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
)

// cloudServices are where cloud platforms give credentials and secrets to every
// process that asks. A wide prefix in Guard.Allow does not include them: a
// company that allows fd00::/8 or 100.64.0.0/10 means its own hosts.
var cloudServices = prefixes(
	"169.254.0.0/16",     // AWS, Azure, Google and others: 169.254.169.254, 169.254.170.2
	"fd00:ec2::/32",      // AWS: fd00:ec2::254, fd00:ec2::23
	"fd20:ce::254/128",   // Google
	"fd00:42::42/128",    // Scaleway
	"100.100.100.200/32", // Alibaba
	"192.0.0.192/32",     // Oracle
	"168.63.129.16/32",   // Azure; globally reachable by its number
)

func prefixes(texts ...string) (list []netip.Prefix) {
	for _, text := range texts {
		list = append(list, netip.MustParsePrefix(text))
	}
	return list
}

// permits reports whether the app may connect to addr.
func (g *Guard) permits(addr netip.Addr) bool {
	translated := untranslated(addr)
	switch {
	// Where there is NAT64, each IPv4 address has a second form.
	case contains(g.Deny, addr), contains(g.Deny, translated):
		return false
	case contains(cloudServices, translated):
		return slices.ContainsFunc(g.Allow, func(p netip.Prefix) bool {
			return p.IsSingleIP() && p.Addr() == addr
		})
	}
	return isPublic(addr) || contains(g.Allow, addr)
}

// isPublic reports whether addr is globally reachable.
func isPublic(addr netip.Addr) bool {
	// RFC 6052 section 3.1: the well-known prefix must not stand for addresses
	// that are not global. A translator that does not keep to it would lead into
	// its own network.
	if !localNAT64.Contains(addr) {
		addr = untranslated(addr)
	}
	if addr.Is4() {
		return !contains(special, addr)
	}
	return globalUnicast.Contains(addr) && !contains(specialInGlobal, addr) && !isISATAP(addr)
}

// isISATAP reports whether the last 64 bits of addr are those of ISATAP (RFC 5214
// section 6.1). A tunnel leads to the IPv4 address in them, which may be private.
func isISATAP(addr netip.Addr) bool {
	bytes := addr.As16()
	// The first two may say that the IPv4 address is unique in the world.
	return bytes[8]&^2 == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe
}

// untranslated returns the IPv4 address that addr stands for, or else addr.
func untranslated(addr netip.Addr) netip.Addr {
	if !nat64.Contains(addr) && !localNAT64.Contains(addr) {
		return addr
	}
	bytes := addr.As16()
	return netip.AddrFrom4([4]byte(bytes[12:]))
}

// contains reports whether one of list has addr. No prefix has an address with
// a zone, which names an interface of this machine, or an IPv4 address in its
// IPv6 form.
func contains(list []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(addr) })
}
