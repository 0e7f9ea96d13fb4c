// Package realm lets package tenants make many Clients that belong together:
// they share cookie keys and what was loaded, and each login knows its tenant.
//
// An app cannot make one. authcode.Config embeds a [Carrier] under an
// unexported name, and only this module can import this package.
package realm

import (
	"context"
	"net/http"

	"example.com/authcode/internal/lru"
)

// Realm is what the Clients of one registry share.
type Realm struct {
	Name string // begins the names of login cookies, in place of Provider.Name

	// Documents is what package oidc has loaded, by all that decides what is
	// loaded.
	Documents *lru.Map[any, any]

	// Sealers and Find are filled in by authcode.New for the first Client of the
	// Realm, whose Tenant is empty. Sealers are made of the cookie keys. Find
	// says which tenants the callback r may belong to. It reads that from sealed
	// login cookies alone, and answers r if the error has one of the reasons
	// Prefetch and Continued. The request that it returns replaces r.
	Sealers any
	Find    func(w http.ResponseWriter, r *http.Request) (*http.Request, []Login, error)

	places places
}

// Login says where a login began.
type Login struct{ Tenant, Version string }

// Member is one Client of a Realm. Its Login goes into each login cookie, and is
// compared when the cookie is opened.
type Member struct {
	*Realm
	Login
}

// Carrier takes a Member along in a struct that embeds it.
type Carrier struct{ Realm *Member }

type tenantKey struct{}

// WithTenant returns a context in which [TenantOf] finds tenant. Package oidc
// puts the tenant of a logout token there, so that an app which passes the
// context on ends the right sessions.
func WithTenant(ctx context.Context, tenant string) context.Context {
	if tenant == "" {
		return ctx
	}
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// TenantOf returns the tenant of WithTenant.
func TenantOf(ctx context.Context) (tenant string, ok bool) {
	tenant, ok = ctx.Value(tenantKey{}).(string)
	return tenant, ok
}

type requestKey struct{}

// WithRequest returns a context in which [RequestOf] finds r.
func WithRequest(r *http.Request) context.Context {
	return context.WithValue(r.Context(), requestKey{}, r)
}

type atHandKey struct{}

// AtHand returns a context of r in which ClientFor of a registry says only whether
// the tenant is still there. It asks no provider, and the app's table only where
// it has to.
func AtHand(r *http.Request) context.Context {
	return context.WithValue(WithRequest(r), atHandKey{}, true)
}

// IsAtHand reports whether ctx is from [AtHand].
func IsAtHand(ctx context.Context) bool { return ctx.Value(atHandKey{}) != nil }

// RequestOf returns the request that ctx belongs to, or nil.
func RequestOf(ctx context.Context) *http.Request {
	r, _ := ctx.Value(requestKey{}).(*http.Request)
	return r
}
