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
	"testing"

	"example.com/authcode"
	"example.com/authcode/tenants"
)

// TestErrorsOfLoadKeepSecrets: what Load and the other functions say, or panic
// with, reaches no page, no log line and no text of an error.
func TestErrorsOfLoadKeepSecrets(t *testing.T) {
	const canary = "canary-7f3a"
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	for claim, change := range map[string]change{
		"an error": func(*tenants.Config) {},
		"a panic":  func(cfg *tenants.Config) { cfg.Load = loadPanics(canary) },
	} {
		a := newApp(t, 1, func(cfg *tenants.Config) {
			cfg.OnError = nil
			change(cfg)
		})
		a.set("one", row{err: fmt.Errorf("dsn %s: %w", canary, errors.New(canary))})
		status, text := a.browser().get(a.loginURL("one"))
		if status < http.StatusBadRequest || strings.Contains(text, canary) {
			t.Errorf("%s: %d %s", claim, status, text)
		}
		_, err := a.instances[0].Client(httptest.NewRequest(http.MethodGet, "/", nil), "one")
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if got := fmt.Sprintf(verb, err); strings.Contains(got, canary) {
				t.Errorf("%s: %s prints %s", claim, verb, got)
			}
		}
	}
	if strings.Contains(log.String(), canary) || log.Len() == 0 {
		t.Errorf("the log has %s", log.String())
	}
}

func loadPanics(text string) func(context.Context, string) (authcode.Config, string, error) {
	return func(context.Context, string) (authcode.Config, string, error) { panic(text) }
}
