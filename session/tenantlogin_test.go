package session_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/session"
	"example.com/authcode/test/world"
)

// TestLoginURLOfATenant: {tenant} in LoginURL is the tenant of the request, as
// one segment of the path.
func TestLoginURLOfATenant(t *testing.T) {
	sessions, err := session.New(session.Config{
		Keys: [][]byte{world.Key('s')}, LoginURL: "/t/{tenant}/login?x=1", HomeURL: "/home",
		Tenant: func(r *http.Request) (string, error) {
			if key := r.URL.Query().Get("t"); key != "fails" {
				return key, nil
			}
			return "", errors.New("the table is away")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	guarded := sessions.Require(http.NotFoundHandler())
	for target, want := range map[string]string{
		"/?t=acme":            "/t/acme/login?next=%2F%3Ft%3Dacme&x=1",
		"/?t=a%2F..%2Fb%3Fc":  "/t/a%2F..%2Fb%3Fc/login?next=%2F%3Ft%3Da%252F..%252Fb%253Fc&x=1",
		"/?t=%5Cevil.example": "/t/%5Cevil.example/login?next=%2F%3Ft%3D%255Cevil.example&x=1",
		"/":                   "/home",
		"/?t=..":              "/home?next=%2F%3Ft%3D..",
		"/?t=fails":           "/home?next=%2F%3Ft%3Dfails",
	} {
		w := httptest.NewRecorder()
		guarded.ServeHTTP(w, httptest.NewRequest(http.MethodGet, target, nil))
		if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != want {
			t.Errorf("%s: %d %s, want %s", target, w.Code, got, want)
		}
	}
	w := httptest.NewRecorder()
	guarded.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/t/acme/login?t=acme", nil))
	if !strings.Contains(w.Body.String(), "session.guarded") {
		t.Errorf("a guard in front of the login: %d %s", w.Code, w.Body)
	}
}

// TestLoginURLThatIsNotParsed: browsers open it all the same, so people are sent
// there as it is.
func TestLoginURLThatIsNotParsed(t *testing.T) {
	sessions, err := session.New(session.Config{Keys: [][]byte{world.Key('s')}, LoginURL: "/100%"})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	sessions.Require(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/account", nil))
	if got := w.Header().Get("Location"); w.Code != http.StatusSeeOther || got != "/100%" {
		t.Errorf("got %d %s", w.Code, got)
	}
}

func TestLoginURLOfATenantFaults(t *testing.T) {
	tenant := func(*http.Request) (string, error) { return "k", nil }
	for _, row := range []struct {
		url    string
		tenant func(*http.Request) (string, error)
		want   string
	}{
		{"/t/{tenant}/login", nil, "Config.Tenant is nil"},
		{"https://{tenant}.example/login", tenant, "it must be a local path"},
		{"//{tenant}/login", tenant, "neither a local path"},
	} {
		_, err := session.New(session.Config{
			Keys: [][]byte{world.Key('s')}, LoginURL: row.url, Tenant: row.tenant,
		})
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.url, err, row.want)
		}
	}
}

// TestTenantFails: the error of Config.Tenant lets nobody in. The words of one
// that is not an authcode.Error are not shown.
func TestTenantFails(t *testing.T) {
	for status, fails := range map[int]error{
		500: errors.New("canary"),
		503: authcode.NewError(authcode.Overloaded, "app.tenant", "the table is away", nil),
	} {
		a := newApp(t, setup{session: func(_ int, c *session.Config) {
			c.Tenant = func(r *http.Request) (string, error) {
				if r.URL.Path == "/account" {
					return "", fails
				}
				return "", nil
			}
		}})
		b := a.browser(t)
		b.signIn("alice", "/maybe")
		resp := b.get("/account")
		if resp.StatusCode != status || strings.Contains(resp.text, "alice") ||
			strings.Contains(resp.text, "canary") {
			t.Errorf("%v: %d %s", fails, resp.StatusCode, resp.text)
		}
	}
}
