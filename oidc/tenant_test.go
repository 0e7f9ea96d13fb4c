package oidc_test

import (
	"cmp"
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

const (
	msTemplate = "https://op.example/{tenantid}/v2.0"
	msTenant   = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	msOther    = "9188040d-6c67-4c5b-b112-36a304b66dad"
)

// newMemMicrosoft is a provider for many tenants, whose document names none.
func newMemMicrosoft() *memOP {
	p := newMemOP("RS256")
	p.metadata["issuer"] = msTemplate
	return p
}

func msIssuer(opts ...oidc.Option) authcode.Provider {
	return oidc.Provider(msTemplate, append(opts, oidc.MetadataURL("https://op.example"+memMetadata))...)
}

// msIss is the issuer of one tenant.
func msIss(tenant string) string { return "https://op.example/" + tenant + "/v2.0" }

// tenantTokens are tokens of tenants, and keys that name issuers.
var tenantTokens = []struct {
	claim  string
	iss    any
	tid    any
	opts   []oidc.Option
	signer any // issuer member of the key
	check  string
	reason authcode.Reason
}{
	{claim: "any tenant is admitted where none is named", iss: msIss(msOther), tid: msOther},
	{claim: "a tenant of the list is admitted", iss: msIss(msTenant), tid: msTenant, opts: []oidc.Option{oidc.Tenants(msTenant)}},
	{claim: "a tenant off the list is refused", iss: msIss(msOther), tid: msOther, opts: []oidc.Option{oidc.Tenants(msTenant)}, check: "id_token.tid", reason: authcode.NotAdmitted},
	{claim: "a tid of the list with another issuer is refused", iss: msIss(msOther), tid: msTenant, opts: []oidc.Option{oidc.Tenants(msTenant)}, check: "id_token.iss"},
	{claim: "no tid is refused", iss: msIss(msTenant), check: "id_token.tid"},
	{claim: "a tid in a list is refused", iss: msIss(msTenant), tid: []string{msTenant}, check: "id_token.tid"},
	{claim: "an empty tid is refused", iss: msIss(""), tid: "", check: "id_token.tid"},
	{claim: "a tid that is a path is refused", iss: msIss("a/../b"), tid: "a/../b", check: "id_token.tid"},
	{claim: "the template itself is refused", iss: msTemplate, tid: "{tenantid}", check: "id_token.tid"},
	{claim: "another host is refused", iss: "https://evil.example/" + msTenant + "/v2.0", tid: msTenant, check: "id_token.iss"},
	{claim: "another version is refused", iss: "https://op.example/" + msTenant + "/v1.0", tid: msTenant, check: "id_token.iss"},
	{claim: "no issuer is refused", tid: msTenant, check: "id_token.iss"},
	{claim: "a key for all tenants signs for one", iss: msIss(msTenant), tid: msTenant, signer: msTemplate},
	{claim: "a key of this tenant signs for it", iss: msIss(msTenant), tid: msTenant, signer: msIss(msTenant)},
	{claim: "a key of another tenant does not", iss: msIss(msTenant), tid: msTenant, signer: msIss(msOther), check: "id_token.iss"},
}

func TestTenants(t *testing.T) {
	for _, row := range tenantTokens {
		t.Run(row.claim, func(t *testing.T) {
			p := newMemMicrosoft()
			p.keys = []members{p.key.jwk(members{"issuer": row.signer})}
			a := p.login(p.token(members{"iss": row.iss, "tid": row.tid}))
			id, err := identify(t.Context(), msIssuer(row.opts...), a)
			if row.check != "" {
				wantError(t, err, cmp.Or(row.reason, authcode.IdentityRefused), row.check)
			} else if err != nil || id.Issuer != row.iss {
				t.Errorf("got %+v, %v", id, err)
			}
		})
	}
}

// TestTenantOfOneIssuer: with a plain issuer, Tenants checks tid too.
func TestTenantOfOneIssuer(t *testing.T) {
	p := newMemOP("RS256")
	i := oidc.Provider(memIssuer, oidc.Tenants(msTenant))
	wantIdentity(t, i, p.login(p.token(members{"tid": msTenant})))
	_, err := identify(t.Context(), i, p.login(p.token(members{"tid": msOther})))
	wantError(t, err, authcode.NotAdmitted, "id_token.tid")
}

// TestTemplateDocument: the document must name the template, not one tenant. The root package is given a
// function to compare iss with; Identity compares it with the ID token.
func TestTemplateDocument(t *testing.T) {
	p := newMemMicrosoft()
	i := msIssuer()
	if i.Issuer != "" || i.IsIssuer == nil {
		t.Errorf("Provider.Issuer is %q, IsIssuer is set: %t", i.Issuer, i.IsIssuer != nil)
	}
	if !load(t, i, p).RequireIss {
		t.Error("iss is promised, and not required")
	}
	a := p.login(p.token(members{"iss": "https://op.example/" + msTenant + "/v2.0", "tid": msTenant}))
	a.Callback = url.Values{"iss": {"https://op.example/" + msTenant + "/v2.0"}}
	wantIdentity(t, i, a)
	a.Callback = url.Values{"iss": {"https://op.example/" + msOther + "/v2.0"}}
	_, err := identify(t.Context(), i, a)
	wantError(t, err, authcode.Forged, "callback.iss")
	p.metadata["issuer"] = "https://op.example/" + msTenant + "/v2.0"
	_, err = endpoints(t.Context(), msIssuer(), p)
	wantError(t, err, authcode.BadAnswer, "discovery.issuer")
}

// TestTenantsOutsideOfTokens: where only an issuer comes, it must be one of the template and the list.
func TestTenantsOutsideOfTokens(t *testing.T) {
	rows := []struct {
		claim, iss string
		ok         bool
	}{
		{"a tenant of the list is accepted", msIss(msTenant), true},
		{"a tenant off the list is refused", msIss(msOther), false},
		{"the template is refused", msTemplate, false},
		{"another host is refused", "https://evil.example/" + msTenant + "/v2.0", false},
		{"another path is refused", msIss(msTenant) + "/x", false},
	}
	for _, row := range rows {
		t.Run(row.claim, func(t *testing.T) {
			got := false
			i := msIssuer(oidc.Tenants(msTenant))
			if i.IsIssuer(row.iss) != row.ok {
				t.Error("IsIssuer says otherwise")
			}
			h := oidc.FrontChannelLogoutHandler(newMemLogin(t, newMemMicrosoft(), i), func(context.Context, oidc.LogoutToken) error {
				got = true
				return nil
			})
			query := url.Values{"iss": {row.iss}, "sid": {"s1"}}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, httptest.NewRequest("GET", "https://app.example/logout?"+query.Encode(), nil))
			if got != row.ok {
				t.Errorf("accepted %v, status %d", got, rec.Code)
			}
		})
	}
	h := oidc.FrontChannelLogoutHandler(newMemLogin(t, newMemMicrosoft(), msIssuer()), func(_ context.Context, l oidc.LogoutToken) error {
		t.Errorf("accepted %+v", l)
		return nil
	})
	for _, tenant := range []string{"", "a/b", "a?b", strings.Repeat("x", 65)} {
		query := url.Values{"iss": {msIss(tenant)}, "sid": {"s1"}}
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "https://app.example/logout?"+query.Encode(), nil))
	}
}
