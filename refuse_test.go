package authcode_test

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
)

// TestRefuse: a handler before the client's own answers as they do, with the client's links.
func TestRefuse(t *testing.T) {
	var seen *authcode.Error
	own := func(c *authcode.Config) {
		c.OnError = func(w http.ResponseWriter, _ *http.Request, e *authcode.Error) { seen = e; w.WriteHeader(418) }
	}
	err := &authcode.Error{Reason: authcode.Forged, Check: "initiate.iss"}
	w := httptest.NewRecorder()
	hNew(t, &hProvider{}, own).Refuse(w, hGet("https://app.example/start"), err)
	if w.Code != 418 || seen.Provider != "x" || seen.LoginURL != "/auth/x" || err.Provider != "" {
		t.Errorf("got %d and %+v; the error itself became %+v", w.Code, *seen, err.Provider)
	}
	w = httptest.NewRecorder()
	hNew(t, &hProvider{}).Refuse(w, hGet("https://app.example/start"), err)
	if w.Code != 400 || !strings.Contains(w.Body.String(), `href="/auth/x"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	hNew(t, &hProvider{}, own).Refuse(w, hGet("https://app.example/start"), &authcode.Error{Reason: authcode.Prefetch})
	if w.Code != 200 || w.Body.Len() > 0 {
		t.Errorf("a prefetch was answered with %d", w.Code)
	}
}

// TestNewError: a seam's words are printed, and of the cause only what is known to be harmless.
func TestNewError(t *testing.T) {
	dns := &net.DNSError{Err: "canary", Name: "canary.internal"}
	err := authcode.NewError(authcode.Unreachable, "jwks.unreachable", "no keys", dns)
	if got := err.Error(); got != "authcode: unreachable (jwks.unreachable): no keys: the host name could not be resolved" {
		t.Errorf("got %q", got)
	}
	if !errors.Is(err, authcode.Unreachable) || !errors.As(err, new(*net.DNSError)) {
		t.Error("reason or cause is lost")
	}
	err = authcode.NewError(authcode.NotAdmitted, "id_token.hd", "another domain", errors.New("canary"))
	if err.Unwrap() != nil || strings.Contains(err.Error(), "canary") || err.Reason.Status() != 403 {
		t.Errorf("got %q, status %d", err, err.Reason.Status())
	}
}
