package provider

import (
	"context"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"example.com/authcode"
)

// What is wrong with an argument of a preset, as [authcode.New] says it.
const (
	wantHost = ": the domain must be a host name such as login.example.com, without https:// and path"
	wantBase = ": the base must be a URL such as https://sso.example.com/auth, its host in lower case, " +
		"without user information, query, fragment, dots and doubled slashes in the path"
	wantRealm  = ": the realm must be its name, at least one character and not only dots"
	wantTenant = ": a tenant must be its id, a GUID such as 9188040d-6c67-4c5b-b112-36a304b66dad, not a domain"
	wantPool   = ": want a region such as eu-west-1, and a pool such as eu-west-1_Ab12Cd34 of that region"
)

// checked returns p if fault is empty. If not, it returns a provider with no place to send anybody or
// anything to, which authcode.New refuses with fault in its error: an argument that comes from
// a configuration must not choose another host than the one it names.
func checked(p authcode.Provider, fault string) authcode.Provider {
	if fault == "" {
		return p
	}
	return authcode.Provider{Name: p.Name, Metadata: nowhere(fault)}
}

// unless returns fault if ok is false.
func unless(ok bool, fault string) string {
	if ok {
		return ""
	}
	return fault
}

// nowhere is the Metadata of a provider that cannot be: what is wrong with it.
type nowhere string

// Validate is what authcode.New asks.
func (n nowhere) Validate() error {
	return authcode.NewError(authcode.Configuration, "config.preset", "provider."+string(n), nil)
}

// Load implements [authcode.Metadata].
func (n nowhere) Load(context.Context, *http.Client) (authcode.Endpoints, error) {
	return authcode.Endpoints{}, n.Validate()
}

const (
	digits = "0123456789"
	hex    = digits + "abcdef"
	lower  = digits + "abcdefghijklmnopqrstuvwxyz-"
	word   = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
)

// consists reports that s has characters of set only, and at least one.
func consists(s, set string) bool { return s != "" && strings.Trim(s, set) == "" }

// isHost holds for a name of two parts or more, in lower case.
func isHost(s string) bool {
	parts := strings.Split(s, ".")
	for _, part := range parts {
		if !consists(part, lower) {
			return false
		}
	}
	return len(parts) > 1 && len(s) <= 253
}

// isBase holds for a URL that a path can be appended to, and that names its place in one way only:
// two spellings would make two people of one. Where http is fine is for the packages to say that call it.
func isBase(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" &&
		u.Scheme+"://"+strings.ToLower(u.Host)+u.Path == s &&
		(u.Path == "" || u.Path != "/" && path.Clean(u.Path) == u.Path)
}

// isGUID holds for the id of a Microsoft tenant, in lower case.
func isGUID(s string) bool {
	shape := strings.Map(func(r rune) rune {
		if strings.ContainsRune(hex, r) {
			return '0'
		}
		return r
	}, s)
	return shape == "00000000-0000-0000-0000-000000000000"
}

// areGUIDs holds for a list that is not empty: an empty one from a configuration is no "all".
func areGUIDs(ids []string) bool {
	return len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !isGUID(id) })
}

// lowered returns a copy of ids in lower case.
func lowered(ids []string) (all []string) {
	for _, id := range ids {
		all = append(all, strings.ToLower(id))
	}
	return all
}

// isPool holds for a user pool of region.
func isPool(region, pool string) bool {
	id, ok := strings.CutPrefix(pool, region+"_")
	return ok && consists(region, lower) && consists(id, word)
}

// isRealm holds for what stays one part of a path: url.PathEscape leaves dots alone.
func isRealm(s string) bool { return strings.Trim(s, ".") != "" }
