package provider

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"

	"example.com/authcode"
)

// What is wrong with an argument of a preset, in the words of [authcode.New].
// The argument itself is not quoted: somebody may have mixed up two variables,
// and passed a secret.
const (
	wantHost = ": the domain must be a host name such as login.example.com, " +
		"without https:// and path"
	wantBase = ": the base must be a URL such as https://sso.example.com/auth, with its host in " +
		"lower case. It must have no user information, no query and no fragment, and its path no " +
		"dot segments and no double slashes"
	wantNoRealm = ": the base has a realm in it: pass what stands before /realms/, " +
		"and the realm's name as the second argument"
	wantRealm  = ": the realm must be its name: at least one character, and not only dots"
	wantTenant = " must be a tenant's id, a GUID such as 72f988bf-86f1-41af-91ab-2d7cd011db47, " +
		"not a domain; for people of any tenant (\"common\") use MicrosoftAnyTenant"
	wantRegion = ": the region must be its name, such as eu-west-1"
	wantShop   = ": the shop must be a name such as example or example.myshopify.com"
	wantSecret = ": the client secret has fewer than 14 bytes: pass the whole secret"
	wantScope  = ": a scope is missing: name those of the user token, such as channels:read"
	wantPool   = ": the pool must be the id of a user pool in that region, such as eu-west-1_Ab12Cd34"
)

// checked returns p if all faults are empty. Otherwise it returns a provider
// that [authcode.New] refuses, with all the faults, and that has no endpoints.
// An argument often comes from a configuration. Without the check,
// "example.com/evil.example" or "x@evil.example" would send people and tokens
// to a host that it does not seem to name.
func checked(p authcode.Provider, faults ...string) authcode.Provider {
	err := argumentError(faults...)
	if err == nil {
		return p
	}
	return authcode.Provider{Name: p.Name, Title: p.Title, Metadata: nowhere(err), Err: err}
}

// argumentError lists the faults that are not empty. It returns nil if there
// are none.
func argumentError(faults ...string) error {
	var found []string
	for _, fault := range faults {
		if fault != "" {
			found = append(found, "provider."+fault)
		}
	}
	if found == nil {
		return nil
	}
	return &authcode.Error{Reason: authcode.Configuration, Check: "config.preset", Faults: found}
}

// nowhere returns a metadata function that always fails, so that no login
// begins even if an app clears Err.
func nowhere(err error) metadata {
	return func(context.Context, *authcode.Connection) (authcode.Endpoints, error) {
		return authcode.Endpoints{}, err
	}
}

// unless returns fault if ok is false.
func unless(ok bool, fault string) string {
	if ok {
		return ""
	}
	return fault
}

const (
	digits = "0123456789"
	hex    = digits + "abcdef"
	lower  = digits + "abcdefghijklmnopqrstuvwxyz-"
	word   = lower + "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
)

// consists reports whether s has at least one character, and only those of set.
func consists(s, set string) bool { return s != "" && strings.Trim(s, set) == "" }

// isHost reports whether s is a host name of two parts or more, in lower case.
func isHost(s string) bool {
	parts := strings.Split(s, ".")
	for _, part := range parts {
		if !consists(part, lower) {
			return false
		}
	}
	return len(parts) > 1 && len(s) <= 253 // RFC 1035 section 2.3.4
}

// isBase reports whether s is a URL to which a path can be appended, in its
// only accepted spelling. The base becomes part of Identity.Issuer, so with two
// spellings one person would have two accounts. Whether http is allowed is
// decided by the root package or package oidc.
func isBase(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" &&
		u.Scheme+"://"+strings.ToLower(u.Host)+u.Path == s &&
		(u.Path == "" || u.Path != "/" && path.Clean(u.Path) == u.Path)
}

// isGUID reports whether s is the id of a Microsoft tenant, in lower case.
func isGUID(s string) bool {
	shape := strings.Map(func(r rune) rune {
		if strings.ContainsRune(hex, r) {
			return '0'
		}
		return r
	}, s)
	return shape == "00000000-0000-0000-0000-000000000000"
}

// tenantFaults lists what is wrong with the arguments of MicrosoftTenants. An
// empty list is a fault: if a configuration were missing, it must not admit all
// tenants.
func tenantFaults(ids []string) (faults []string) {
	if len(ids) == 0 {
		return []string{"MicrosoftTenants: a tenant is missing: " +
			"name one or more, or use MicrosoftAnyTenant"}
	}
	for i, id := range ids {
		if !isGUID(id) {
			faults = append(faults, fmt.Sprintf("MicrosoftTenants: argument %d", i+1)+wantTenant)
		}
	}
	return faults
}

// lowered returns a copy of ids in lower case.
func lowered(ids []string) (all []string) {
	for _, id := range ids {
		all = append(all, strings.ToLower(id))
	}
	return all
}

// isRegion reports whether s can be the name of an Amazon region.
func isRegion(s string) bool { return consists(s, lower) }

// isPool reports whether pool can be the id of a user pool in region.
func isPool(region, pool string) bool {
	id, ok := strings.CutPrefix(pool, region+"_")
	return ok && consists(id, word)
}

// isRealm reports whether s can be one segment of a path. url.PathEscape does
// not escape dots, so "." and ".." would lead to another realm.
func isRealm(s string) bool { return strings.Trim(s, ".") != "" }
