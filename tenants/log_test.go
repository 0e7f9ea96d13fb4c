package tenants_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/tenants"
)

// TestTheTenantInTheLog: the line of a failed login says whose it was if Load knows
// the key, on one line, and the page never does.
func TestTheTenantInTheLog(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	a := newApp(t, 1, func(cfg *tenants.Config) { cfg.OnError = nil })
	srv := silent(a.provider()) // it promises no iss
	for _, row := range []struct{ key, want string }{
		{"acme", "error.tenant=acme"},
		{"a\nlevel=ERROR", `error.tenant="\"a\\nlevel=ERROR\""`},
		{"made-up", ""},
	} {
		if row.want != "" {
			a.tenant(row.key, srv)
		}
		log.Reset()
		status, page := a.browser().get(a.loginURL(row.key))
		line := log.String()
		if status < 400 || strings.Contains(page, row.key) {
			t.Errorf("%q: the page has status %d: %s", row.key, status, page)
		}
		if !strings.Contains(line, row.want) || strings.Count(line, "\n") != 1 ||
			row.want == "" && (strings.Contains(line, row.key) || strings.Contains(line, "tenant=")) {
			t.Errorf("%q: the log has %s", row.key, line)
		}
	}
}

// TestTheTenantOfAnEndedGrant: a worker's log line says whose grant it was.
func TestTheTenantOfAnEndedGrant(t *testing.T) {
	a := newApp(t, 1)
	a.tenant("acme", a.provider())
	for key, check := range map[string]string{"acme": "tenants.changed", "gone": "tenants.removed"} {
		_, err := a.instances[0].ClientFor(t.Context(), authcode.Origin{Tenant: key, Issuer: "https://former.example"})
		var e *authcode.Error
		if !errors.As(err, &e) || e.Check != check || e.Tenant != key {
			t.Errorf("%s: got %v of %q, want %s", key, err, e.Tenant, check)
		}
	}
}

// TestTheTenantOfErrors: an error at each stage of a login has the key, and so has
// what Observe is told, except about documents.
func TestTheTenantOfErrors(t *testing.T) {
	a := newApp(t, 1)
	srv := a.provider()
	var mu sync.Mutex
	told := make(map[authcode.Kind]string)
	r := a.tenant("acme", srv, a.ownPath, func(cfg *authcode.Config) {
		cfg.Observe = func(_ context.Context, op authcode.Operation) (context.Context, func(*authcode.Error)) {
			mu.Lock()
			defer mu.Unlock()
			told[op.Kind] = op.Tenant
			return nil, nil
		}
	})
	b := a.browser()
	answer := b.callback("acme", srv)
	elsewhere := answer.Clone(t.Context())
	elsewhere.URL.Path = "/callback"
	for range 3 { // a forged one, the login, and the login again
		b.deliver(srv, elsewhere)
		if e := a.lastError(); e == nil || e.Tenant != "acme" {
			t.Errorf("the error %v has another tenant", e)
		}
		elsewhere = answer
	}
	r.cfg.RedirectURL, r.version = a.URL+"/other", "2"
	a.set("acme", r)
	if status, _ := b.get(a.loginURL("acme")); status != http.StatusInternalServerError || a.lastError().Tenant != "acme" {
		t.Errorf("got %v of %q", a.lastError(), a.lastError().Tenant)
	}
	for kind, want := range map[authcode.Kind]string{
		authcode.KindStart: "acme", authcode.KindCallback: "acme", authcode.KindTokenRequest: "acme",
		authcode.KindDiscovery: "", authcode.KindJWKS: "",
	} {
		if got, ok := told[kind]; !ok || got != want {
			t.Errorf("Observe was told of %s of %q (%t), want %q", kind, got, ok, want)
		}
	}
}
