package tenants_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"example.com/authcode"
	"example.com/authcode/tenants"
	"example.com/authcode/test/world"
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

// TestErrorsOfTheApp: what the app's functions return as an authcode.Error is the
// error of the login, and what is not one stays out of it.
func TestErrorsOfTheApp(t *testing.T) {
	own := authcode.NewError(authcode.NotAdmitted, "app.paused", "the customer has not paid", nil)
	for claim, row := range map[string]struct {
		key, load error
		reason    authcode.Reason
		check     string
	}{
		"an error of the key":            {own, nil, authcode.NotAdmitted, "app.paused"},
		"a key of nobody":                {fmt.Errorf("no: %w", tenants.ErrNotFound), nil, authcode.NotFound, "tenants.unknown"},
		"a caller who left":              {context.Canceled, nil, authcode.Canceled, "tenants.key"},
		"another error of the key":       {errors.New("canary"), nil, authcode.Configuration, "tenants.key"},
		"an error of Load":               {nil, own, authcode.NotAdmitted, "app.paused"},
		"a nil *Error of Load":           {nil, (*authcode.Error)(nil), authcode.Overloaded, "tenants.load"},
		"another error of Load":          {nil, errors.New("canary"), authcode.Overloaded, "tenants.load"},
		"an error of Load and of nobody": {nil, tenants.ErrNotFound, authcode.NotFound, "tenants.unknown"},
	} {
		t.Run(claim, func(t *testing.T) {
			var got *authcode.Error
			cfg := good()
			cfg.OnError = func(_ http.ResponseWriter, _ *http.Request, e *authcode.Error) { got = e }
			cfg.Load = func(context.Context, string) (authcode.Config, string, error) {
				return authcode.Config{}, "", row.load
			}
			registry, err := tenants.New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			handler := registry.LoginHandler(func(*http.Request) (string, error) { return "k", row.key })
			rec := httptest.NewRecorder()
			handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://app.example/", nil))
			world.WantError(t, got, row.reason, row.check)
			world.WantHeaders(t, rec.Header(), "no-referrer")
			if strings.Contains(fmt.Sprintf("%+v", got), "canary") {
				t.Errorf("the words of the app are shown: %+v", got)
			}
		})
	}
}

func TestLoginHandlerNeedsAFunction(t *testing.T) {
	defer func() {
		if text, _ := recover().(string); !strings.HasPrefix(text, "tenants: ") {
			t.Errorf("without one it panics with %q", text)
		}
	}()
	new(tenants.Registry).LoginHandler(nil)
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
