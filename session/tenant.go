package session

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"example.com/authcode"
	"example.com/authcode/grant"
	"example.com/authcode/internal/realm"
	"example.com/authcode/internal/urls"
)

// Tenant is the key of the tenant whose provider signed the person in. It is
// empty unless that was by package tenants.
func (s *Session) Tenant() string { return s.opened().Origin.Tenant }

// Option says which sessions a call is about.
type Option struct{ tenant string }

// OfTenant makes a call be about the sessions of one tenant of package tenants.
// Several tenants may have the same issuer, and name their people alike. If key
// is empty, it is about the sessions of no tenant. Without this option, a call
// with the context of a logout handler of package oidc is about the tenant of its
// client, one with the context of a request about the tenant of that request's
// session, and any other call about the sessions of no tenant.
func OfTenant(key string) Option { return Option{key} }

// tenantFor returns the tenant that a call is about.
func (s *Sessions) tenantFor(ctx context.Context, opts []Option) string {
	if len(opts) > 0 {
		return opts[len(opts)-1].tenant
	}
	if tenant, ok := realm.TenantOf(ctx); ok {
		return tenant
	}
	if in := FromContext(ctx); in != nil && in.sessions == s {
		return in.Tenant()
	}
	return ""
}

// withTenant adds a tenant to the parts of a digest, if there is one.
func withTenant(tenant string, parts ...string) []string {
	if tenant == "" {
		return parts
	}
	return append(slices.Clip(parts), tenant)
}

// ofTenant adds the tenant of c to the parts of a digest.
func (c *content) ofTenant(parts ...string) []string {
	return withTenant(c.Origin.Tenant, parts...)
}

// ofTenant returns o if it belongs to the tenant that r is for, and nil if it
// belongs to another one.
func (s *Sessions) ofTenant(r *http.Request, o *opened) (*opened, error) {
	if s.cfg.Tenant == nil {
		return o, nil
	}
	switch key, err := s.cfg.Tenant(r); {
	case err != nil:
		return nil, tenantError(err)
	// One tenant's administrator decides who that tenant's people are. They are
	// strangers to every other tenant.
	case key != o.Origin.Tenant:
		return nil, nil
	}
	return o, nil
}

// ofKnownTenant returns o, or ends it and returns nil if its tenant was removed.
// Nobody is signed out because the app's table cannot be read.
func (s *Sessions) ofKnownTenant(r *http.Request, o *opened) (*opened, error) {
	if o.Origin.Tenant == "" {
		return o, nil
	}
	if _, err := s.clientOf(realm.AtHand(r), o.Origin); grant.HasEnded(err) {
		return nil, s.end(r.Context(), o, ByTenant)
	}
	return o, nil
}

// isElsewhere reports whether r's browser has a session, which Load did not
// return because it belongs to another tenant.
func (s *Sessions) isElsewhere(r *http.Request) bool {
	if s.cfg.Tenant == nil {
		return false
	}
	o, err := s.find(r, 0)
	return err == nil && o != nil
}

// tenantOf returns the key of the tenant that r is for, or "" if there is none.
func (s *Sessions) tenantOf(r *http.Request) string {
	if s.cfg.Tenant == nil {
		return ""
	}
	key, err := s.cfg.Tenant(r)
	if err != nil {
		return "" // Load has reported it
	}
	return key
}

// loginOf returns LoginURL for a tenant.
func (s *Sessions) loginOf(key string) string {
	return cmp.Or(urls.OfTenant(s.cfg.LoginURL, key), s.cfg.HomeURL)
}

// loginFaults checks LoginURL.
func (cfg *Config) loginFaults() []string {
	if cfg.Tenant == nil && strings.Contains(cfg.LoginURL, urls.TenantPart) {
		return []string{"Config.LoginURL has {tenant}, and Config.Tenant is nil: " +
			"set it to the function that says which tenant a request is for"}
	}
	return urls.CheckTenantLink("Config.LoginURL", cfg.LoginURL)
}

func tenantError(err error) error {
	if _, ok := errors.AsType[*authcode.Error](err); ok {
		return err
	}
	return authcode.NewError(authcode.Configuration, "session.tenant",
		"Config.Tenant failed: check why; to explain it, return an authcode.NewError", err)
}

// EndTenant is [Sessions.EndAll] for the sessions of one tenant, with the issuer
// of its provider. When a tenant is removed, each session ends with its next
// request in any case, and EndTenant ends all at once.
func (s *Sessions) EndTenant(ctx context.Context, issuer, key string) error {
	if issuer == "" || key == "" {
		return authcode.NewError(authcode.Configuration, "session.end",
			"EndTenant needs an issuer and the key of a tenant", nil)
	}
	isMeant := func(c *content) bool { return c.Origin.Tenant == key }
	return s.endMarked(
		ctx, []string{"tenant", key}, grant.ByIssuer, []string{"issuer", issuer}, isMeant)
}
