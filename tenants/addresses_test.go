package tenants

import (
	"net/netip"
	"strings"
	"testing"
)

// publicAddresses and otherAddresses are the last and the first address beside each special range,
// and those at the ends of it.
const publicAddresses = `1.0.0.0 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255
	128.0.0.0 168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0
	191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0
	198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0 223.255.255.255
	2000:: 2001:200:: 2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9:: 2001:ffff:ffff::1 2003::
	2606:4700:4700::1111 3ffe:: 3fff:1000:: 3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff
	64:ff9b::8.8.8.8 64:ff9b::9.255.255.255 64:ff9b::11.0.0.0 64:ff9b::192.88.98.255
	2600::1:5efe:a00:1 2600::5eff:a00:1 2600::100:5efe:a00:1 2600::5efe:0:0:1`

const otherAddresses = `0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255
	100.100.100.200 127.0.0.0 127.0.0.1 127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254
	169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.9 192.0.0.192 192.0.0.255 192.0.2.0
	192.0.2.255 192.88.99.0 192.88.99.255 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255
	198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.0
	255.255.255.255 :: ::1 ::2 ::8.8.8.8 ::127.0.0.1 ::ffff:8.8.8.8 ::ffff:127.0.0.1 ::ffff:0:8.8.8.8
	64:ff9b::10.0.0.0 64:ff9b::10.255.255.255 64:ff9b::127.0.0.1 64:ff9b::169.254.169.254
	64:ff9b::168.63.129.16 64:ff9b::1:808:808 64:ff9b:1:: 64:ff9b:1::8.8.8.8 100:: 100::1 100:0:0:1::1
	1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1
	2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::
	2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:: 2002:7f00:1:: 2002:808:808::
	2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:: 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff 4000:: 5f00::1
	fc00:: fd00:ec2::254 fd20:ce::254 fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe80:: fe80::1 febf:ffff::1
	2600::5efe:10.0.0.1 2600::200:5efe:8.8.8.8 2600:1::5efe:127.0.0.1 2600::5efe:169.254.169.254
	fec0:: fec0::1 feff:ffff::1 ff00:: ff02::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff`

// TestPublicAddresses: the zero Guard permits what is globally reachable, and nothing else.
func TestPublicAddresses(t *testing.T) {
	for addresses, want := range map[string]bool{publicAddresses: true, otherAddresses: false} {
		for _, text := range strings.Fields(addresses) {
			if got := new(Guard).permits(netip.MustParseAddr(text)); got != want {
				t.Errorf("%s: permitted %t", text, got)
			}
		}
	}
	if new(Guard).permits(netip.Addr{}) {
		t.Error("no address at all is permitted")
	}
}

var guardRows = []struct {
	claim       string
	allow, deny string
	addr        string
	want        bool
}{
	{"a listed network is permitted", "10.1.0.0/16", "", "10.1.2.3", true},
	{"another private one is not", "10.1.0.0/16", "", "10.2.2.3", false},
	{"a prefix may be written with host bits", "10.1.2.3/16", "", "10.1.9.9", true},
	{"a single address is permitted", "127.0.0.2/32", "", "127.0.0.2", true},
	{"its neighbour is not", "127.0.0.2/32", "", "127.0.0.3", false},
	{"its IPv6 form is not", "127.0.0.2/32", "", "::ffff:127.0.0.2", false},
	{"its NAT64 form is not", "127.0.0.2/32", "", "64:ff9b::127.0.0.2", false},
	{"a listed unique local network is permitted", "fd12::/32", "", "fd12::1", true},
	{"a public address with a zone is not", "", "", "2606:4700::1%lo", false},
	{"a zone is not", "fe80::/10", "", "fe80::1%lo", false},
	{"a wide prefix does not include a cloud's metadata", "169.254.0.0/16", "", "169.254.169.254", false},
	{"nor that of AWS on IPv6", "fd00::/8", "", "fd00:ec2::254", false},
	{"nor that of Google on IPv6", "fd00::/8", "", "fd20:ce::254", false},
	{"nor that of Scaleway on IPv6", "fd00::/8", "", "fd00:42::42", false},
	{"nor that of Alibaba", "100.64.0.0/10", "", "100.100.100.200", false},
	{"nor that of Oracle", "192.0.0.0/24", "", "192.0.0.192", false},
	{"nor Azure's", "168.63.0.0/16", "", "168.63.129.16", false},
	{"nor its NAT64 form", "64:ff9b::/96", "", "64:ff9b::169.254.169.254", false},
	{"nor its form in a local NAT64", "64:ff9b:1::/48", "", "64:ff9b:1::169.254.169.254", false},
	{"other hosts behind that are permitted", "64:ff9b:1::/48", "", "64:ff9b:1::10.0.0.1", true},
	{"but for those that are denied", "64:ff9b:1::/48", "10.0.0.0/24", "64:ff9b:1::10.0.0.1", false},
	{"an entry of its own includes it", "168.63.129.16/32", "", "168.63.129.16", true},
	{"other hosts of the wide prefix are permitted", "fd00::/8", "", "fd00:ec3::1", true},
	{"a denied public network is refused", "", "8.8.8.0/24", "8.8.8.8", false},
	{"its neighbour is not", "", "8.8.8.0/24", "8.8.9.8", true},
	{"its NAT64 form is refused, too", "", "8.8.8.0/24", "64:ff9b::8.8.8.8", false},
	{"its neighbour's is not", "", "8.8.8.0/24", "64:ff9b::8.8.9.8", true},
	{"NAT64 may be denied as a whole", "", "64:ff9b::/96", "64:ff9b::8.8.8.8", false},
	{"Deny wins over Allow", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", false},
}

// TestAllowAndDeny: the lists of a Guard.
func TestAllowAndDeny(t *testing.T) {
	everything := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	for _, row := range guardRows {
		t.Run(row.claim, func(t *testing.T) {
			var g Guard
			if row.allow != "" {
				g.Allow = prefixes(row.allow)
			}
			if row.deny != "" {
				g.Deny = prefixes(row.deny)
			}
			if got := g.permits(netip.MustParseAddr(row.addr)); got != row.want {
				t.Errorf("permitted %t", got)
			}
		})
	}
	if g := (Guard{Allow: everything}); !g.permits(netip.MustParseAddr("10.0.0.1")) {
		t.Error("everything is allowed, and 10.0.0.1 refused")
	}
}
