package tenants_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/tenants"
)

// claiming is a provider whose people have this address, and which calls it verified.
func claiming(email string, claims map[string]any) authcode.Provider {
	return authcode.Provider{Identity: func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) {
		return &authcode.Identity{Issuer: "i", Subject: "s", Email: email, EmailVerified: true, Claims: claims}, nil
	}}
}

var domainRows = []struct {
	claim, email string
	want         bool
}{
	{"a listed domain is verified", "joe@customer.example", true},
	{"whatever its case", "Joe@Customer.EXAMPLE", true},
	{"the second one of the list too", "joe@xn--bcher-kva.example", true},
	{"a listed one that is written in capitals too", "joe@capitals.example", true},
	{"another domain is not", "joe@other.example", false},
	{"a subdomain is not", "joe@mail.customer.example", false},
	{"a listed subdomain is", "joe@sub.listed.example", true},
	{"its parent is not", "joe@listed.example", false},
	{"a domain that ends in the listed one is not", "joe@notcustomer.example", false},
	{"a domain that begins with it is not", "joe@customer.example.evil.example", false},
	{"a dot at the end is not", "joe@customer.example.", false},
	{"Unicode in place of xn-- is not", "joe@bücher.example", false},
	{"a letter that lower case turns into ASCII is not", "joe@\u212aelvin.example", false},
	{"a full-width letter is not", "joe@ｃustomer.example", false},
	{"a Cyrillic letter is not", "joe@сustomer.example", false},
	{"a dot of another script is not", "joe@customer。example", false},
	{"two @ are not", "joe@evil.example@customer.example", false},
	{"a quoted local part is not", `"joe@evil.example"@customer.example`, false},
	{"a list of addresses is not", "joe@evil.example,ann@customer.example", false},
	{"a list whose first is a name is not", "joe,ann@customer.example", false},
	{"a display name is not", "Joe <joe@customer.example>", false},
	{"a comment is not", "joe(x)@customer.example", false},
	{"a space is not", "joe @customer.example", false},
	{"a newline is not", "joe\n@customer.example", false},
	{"a newline at the end is not", "joe@customer.example\n", false},
	{"a local part beyond ASCII is not", "jöe@customer.example", false},
	{"an empty local part is not", "@customer.example", false},
	{"a dot at its start is not", ".joe@customer.example", false},
	{"a local part of 64 bytes is", strings.Repeat("j", 64) + "@customer.example", true},
	{"one of 65 bytes is not", strings.Repeat("j", 65) + "@customer.example", false},
	{"no address is not", "", false},
	{"a domain alone is not", "customer.example", false},
	{"the usual signs are", "joe.o'neil+tag@customer.example", true},
}

// TestVerifiedDomains: only an address of a listed domain stays verified.
func TestVerifiedDomains(t *testing.T) {
	for _, row := range domainRows {
		t.Run(row.claim, func(t *testing.T) {
			said := map[string]any{"email_verified": true, "hd": "x"}
			before := maps.Clone(said)
			p := tenants.VerifiedDomains(claiming(row.email, said), "customer.example",
				"xn--bcher-kva.example", "kelvin.example", "sub.listed.example", "CAPITALS.example")
			id, err := p.Identity(t.Context(), nil)
			if err != nil || p.Err != nil || id.EmailVerified != row.want || id.Claims["email_verified"] != row.want ||
				id.Email != row.email || id.Claims["hd"] != "x" {
				t.Errorf("got %+v, %v, %v", id, err, p.Err)
			}
			if !maps.Equal(said, before) {
				t.Error("the provider's own map was changed")
			}
		})
	}
}

// TestVerifiedDomainsNeverVerifies: it only takes away.
func TestVerifiedDomainsNeverVerifies(t *testing.T) {
	p := claiming("joe@customer.example", nil)
	identity := p.Identity
	p.Identity = func(ctx context.Context, r *authcode.TokenResponse) (*authcode.Identity, error) {
		id, err := identity(ctx, r)
		id.EmailVerified = false
		return id, err
	}
	id, err := tenants.VerifiedDomains(p, "customer.example").Identity(t.Context(), nil)
	if err != nil || id.EmailVerified || id.Claims != nil {
		t.Errorf("got %+v, %v", id, err)
	}
	// A provider's function may return what it keeps.
	kept := &authcode.Identity{Issuer: "i", Subject: "s", Email: "joe@other.example", EmailVerified: true}
	p.Identity = func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) { return kept, nil }
	id, err = tenants.VerifiedDomains(p, "customer.example").Identity(t.Context(), nil)
	if err != nil || id.EmailVerified || !kept.EmailVerified {
		t.Errorf("got %+v, %v, and the provider keeps %+v", id, err, kept)
	}
	id, err = tenants.VerifiedDomains(claiming("joe@customer.example", nil)).Identity(t.Context(), nil)
	if err != nil || id.EmailVerified || id.Claims != nil {
		t.Errorf("without domains: %+v, %v", id, err)
	}
}

// TestVerifiedDomainsPassesOn: errors, nobody (after a refresh), and no function at all.
func TestVerifiedDomainsPassesOn(t *testing.T) {
	if p := tenants.VerifiedDomains(authcode.Provider{}, "customer.example"); p.Identity != nil {
		t.Error("there is an Identity function now")
	}
	refused := authcode.NewError(authcode.IdentityRefused, "own.check", "no", nil)
	for _, want := range []error{refused, nil} {
		p := tenants.VerifiedDomains(authcode.Provider{
			Identity: func(context.Context, *authcode.TokenResponse) (*authcode.Identity, error) { return nil, want },
		}, "customer.example")
		if id, err := p.Identity(t.Context(), nil); id != nil || err != want {
			t.Errorf("got %v, %v", id, err)
		}
	}
	// A function that names somebody and refuses them all the same.
	p := claiming("joe@customer.example", nil)
	identity := p.Identity
	p.Identity = func(ctx context.Context, r *authcode.TokenResponse) (*authcode.Identity, error) {
		id, _ := identity(ctx, r)
		return id, refused
	}
	if _, err := tenants.VerifiedDomains(p, "customer.example").Identity(t.Context(), nil); err != refused {
		t.Errorf("got %v, want the function's own error", err)
	}
}

// TestMalformedDomains: New lists each one, beside what the provider's constructor found.
func TestMalformedDomains(t *testing.T) {
	for _, domain := range []string{
		"", "@customer.example", "*.customer.example", "customer.example.", ".customer.example", "example",
		"customer example", "bücher.example", "customer.example/", "https://customer.example", "a..example",
		"-a.example", "a-.example", "127.0.0.1", "127.1", "0x7f.1", strings.Repeat("a", 64) + ".example",
		strings.Repeat("a.", 126) + "ex", "\u212aelvin.example",
	} {
		p := tenants.VerifiedDomains(claiming("joe@customer.example", nil), "customer.example", domain)
		_, err := authcode.New(authcode.Config{Provider: p})
		if err == nil || !strings.Contains(err.Error(), "VerifiedDomains: domain 1 ") {
			t.Errorf("%q: %v", domain, err)
		}
	}
}
