package urls

import (
	"net/url"
	"strings"
)

// TenantPart stands for the key of a tenant in a URL.
const TenantPart = "{tenant}"

// OfTenant returns link with the key in the place of {tenant}, as one segment of
// its path. It returns "" if link needs a key and this one cannot be a segment:
// browsers and servers clean paths.
func OfTenant(link, key string) string {
	if !strings.Contains(link, TenantPart) {
		return link
	}
	if key == "" || key == "." || key == ".." {
		return ""
	}
	return strings.ReplaceAll(link, TenantPart, url.PathEscape(key))
}

// CheckTenantLink is [CheckLink] for a link that may have {tenant}.
func CheckTenantLink(field, link string) []string {
	// A key must not choose the host.
	if strings.Contains(link, TenantPart) && !strings.HasPrefix(link, "/") {
		return []string{field + " has {tenant}, so it must be a local path, such as /t/{tenant}/login"}
	}
	return CheckLink(field, strings.ReplaceAll(link, TenantPart, "tenant"))
}
