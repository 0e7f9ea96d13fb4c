package session_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/session"
)

// wrapped is the client's way to the provider, which a test changes.
type wrapped struct {
	http.RoundTripper
	mode atomic.Value // "", "no id token", "empty id token", "down"
}

func (w *wrapped) RoundTrip(r *http.Request) (*http.Response, error) {
	mode, _ := w.mode.Load().(string)
	if mode == "down" && r.URL.Path == "/token" {
		return nil, errors.New("connection refused")
	}
	resp, err := w.RoundTripper.RoundTrip(r)
	if err != nil || !strings.HasSuffix(mode, "id token") || r.URL.Path != "/token" {
		return resp, err
	}
	defer resp.Body.Close()
	var members map[string]json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&members); err != nil {
		return nil, err
	}
	if delete(members, "id_token"); mode == "empty id token" {
		members["id_token"] = json.RawMessage(`""`)
	}
	body, _ := json.Marshal(members)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// TestRevalidate: the next request needs a new ID token from a renewal.
func TestRevalidate(t *testing.T) {
	for _, row := range []struct {
		name, mode string
		status     int
		after      string // who is signed in when the provider works again
	}{
		{"a new ID token", "", 200, "alice"},
		{"a renewal without one", "no id token", 401, ""}, // it has just signed in, see Require
		{"a renewal with an empty one", "empty id token", 401, ""},
		{"a provider that is down", "down", 502, "alice"},
		{"a provider that refuses", "refuse", 401, ""},
	} {
		t.Run(row.name, func(t *testing.T) { revalidate(t, row.mode, row.status, row.after) })
	}
}

func revalidate(t *testing.T, mode string, status int, after string) {
	way := &wrapped{}
	a := newApp(t, setup{instances: 2, client: func(c *authcode.Config) {
		c.Wrap = func(rt http.RoundTripper) http.RoundTripper { way.RoundTripper = rt; return way }
	}})
	b, other := a.browser(t), a.browser(t)
	b.signIn("alice", "/account")
	other.signIn("bob", "/account")
	if err := a.instances[1].Revalidate(t.Context(), a.provider.URL, "alice"); err != nil {
		t.Fatal(err)
	}
	way.mode.Store(mode)
	if mode == "refuse" {
		a.provider.SetFaults(authtest.RefreshRefused())
		t.Cleanup(func() { a.provider.SetFaults() })
	}
	b.get("/account").wantStatus(t, status)
	way.mode.Store("")
	a.provider.SetFaults()
	// After a failure, the next renewal may begin a second later.
	for begun := time.Now(); b.get("/account").StatusCode == 503 && time.Since(begun) < 5*time.Second; {
		time.Sleep(50 * time.Millisecond)
	}
	b.wantSeen(after)
	if after != "" {
		a.store.took()
		b.wantSeen(after)
		if calls := a.store.took(); len(calls) != 1 {
			t.Errorf("the session is not done with it: %q", calls)
		}
	}
	other.wantSeen("bob")
}

// TestGrantEnds: a session whose grant has ended ends with the next call of
// Token.
func TestGrantEnds(t *testing.T) {
	a := newApp(t, setup{})
	b := a.browser(t)
	b.signIn("alice", "/account")
	a.provider.SetFaults(authtest.RefreshRefused())
	t.Cleanup(func() { a.provider.SetFaults() })
	a.advance(2 * 3600e9)
	b.wantSeen("alice")
	b.get("/token").wantStatus(t, 502)
	b.wantSeen("")
	a.wantEvents(t, "signed_in", "ended grant")
}

// TestKeep: a grant that is kept outlives its session, however that ends.
func TestKeep(t *testing.T) {
	for _, how := range []string{"sign out", "End", "sign in again"} {
		a := newApp(t, setup{session: func(_ int, c *session.Config) { c.RevokeAtSignOut = true }})
		in := a.instances[0]
		in.mux.Handle("/keep", in.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id, err := session.FromContext(r.Context()).Keep(r.Context())
			fmt.Fprint(w, id, err)
		})))
		b := a.browser(t)
		b.signIn("alice", "/account")
		id, _ := strings.CutSuffix(b.get("/keep").text, "<nil>")
		switch how {
		case "sign out":
			b.do("POST", "/logout")
		case "End":
			in.End(t.Context(), a.provider.URL, "alice", "")
		default:
			b.signIn("bob", "/account")
		}
		if _, err := in.Grants().Handle(id).Token(t.Context()); err != nil {
			t.Errorf("%s: %v", how, err)
		}
	}
}

// TestSharedGrant: a grant that two sessions have ends with the last one.
func TestSharedGrant(t *testing.T) {
	a := newApp(t, setup{client: func(c *authcode.Config) { c.Provider.OneGrant = true }})
	one, two := a.browser(t), a.browser(t)
	one.signIn("alice", "/account")
	two.signIn("alice", "/account")
	if n := a.store.count("grant"); n != 1 {
		t.Fatalf("there are %d grants, want 1", n)
	}
	// The same browser again: its former session has the grant of the new one.
	one.signIn("alice", "/account")
	one.do("POST", "/logout").wantStatus(t, 303)
	two.get("/token").wantStatus(t, 200)
	two.do("POST", "/logout").wantStatus(t, 303)
	a.wantNothing(t)
}

// TestRevokeAtSignOut: the provider is told if the app wants it, and the person
// is signed out whether it answers or not.
func TestRevokeAtSignOut(t *testing.T) {
	for _, revoke := range []bool{false, true} {
		a := newApp(t, setup{session: func(_ int, c *session.Config) {
			c.RevokeAtSignOut, c.LogoutReturnURL = revoke, "https://app.example/bye"
		}})
		b := a.browser(t)
		b.signIn("alice", "/account")
		before := len(a.provider.Requests())
		to, err := b.do("POST", "/logout").Location()
		if err != nil || to.Query().Get("post_logout_redirect_uri") != "https://app.example/bye" {
			t.Errorf("the person is sent to %v, %v", to, err)
		}
		told := slices.ContainsFunc(a.provider.Requests()[before:], func(r authtest.Request) bool {
			return r.Path == "/revoke"
		})
		if told != revoke {
			t.Errorf("RevokeAtSignOut %v: the provider was told: %v", revoke, told)
		}
		a.wantNothing(t)
	}
}

// TestValues: small values of a session, at every instance.
func TestValues(t *testing.T) {
	a := newApp(t, setup{instances: 2})
	b := a.browser(t)
	b.signIn("alice", "/account")
	b.get("/set?v=cart-7").wantStatus(t, 200, "cart-7<nil>")
	a.at.Store(1)
	in := a.instances[1]
	in.mux.Handle("/value", in.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "value %q", session.FromContext(r.Context()).Value("v"))
	})))
	b.get("/value").wantStatus(t, 200, `value "cart-7"`)
	b.get("/set?v="+strings.Repeat("x", 5000)).wantStatus(t, 200, "session.values")
	b.get("/value").wantStatus(t, 200, `value "cart-7"`)
	b.get("/set?v=").wantStatus(t, 200, "<nil>")
	b.get("/value").wantStatus(t, 200, `value ""`)
}

// TestSignedInHook: the app's function gives the account, or refuses.
func TestSignedInHook(t *testing.T) {
	hook := func(_ *http.Request, l *authcode.Login) (string, error) {
		switch l.Identity.Subject {
		case "alice":
			return "account-1", nil
		case "bob":
			return "", authcode.NewError(authcode.NotAdmitted, "app.banned", "this person may not sign in", nil)
		}
		return "", errors.New("secret of the database")
	}
	a := newApp(t, setup{session: func(_ int, c *session.Config) { c.SignedIn = hook }})
	in := a.instances[0]
	in.mux.Handle("/who", in.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, session.FromContext(r.Context()).Account())
	})))
	b, other := a.browser(t), a.browser(t)
	b.signIn("alice", "/who")
	b.get("/who").wantStatus(t, 200, "account-1")
	for user, status := range map[string]int{"bob": 403, "carol": 500} {
		resp := other.loginAt("/login", user, nil)
		resp.wantStatus(t, status)
		if strings.Contains(resp.text, "secret") || other.cookie(cookieName) != "" {
			t.Errorf("%s: %s", user, resp.text)
		}
	}
	a.wantEvents(t, "signed_in", "refused", "refused")
	// A person who is refused in a browser with a session does not end that.
	b.loginAt("/login", "bob", nil).wantStatus(t, 403)
	b.get("/who").wantStatus(t, 200, "account-1")
	if n := a.store.count("grant"); n != 1 {
		t.Errorf("there are %d grants, want 1", n)
	}
}
