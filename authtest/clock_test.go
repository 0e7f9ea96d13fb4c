package authtest_test

import (
	"net/http"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/authtest"
	"example.com/authcode/oidc"
)

// TestLoginExpires: a person who is late has to start again, and can.
func TestLoginExpires(t *testing.T) {
	for _, row := range []struct {
		scheme string
		late   time.Duration
		want   authcode.Reason
	}{
		{"http", 30 * time.Second, ""},
		{"https", 30 * time.Second, ""},
		{"http", 9 * time.Minute, authcode.GrantRejected}, // a code is good for a minute
		{"http", 11 * time.Minute, authcode.Expired},
		{"https", 11 * time.Minute, authcode.Expired},
	} {
		a := newApp(t, row.scheme, nil)
		browser := a.browser()
		callback := a.callback(browser)
		a.srv.Advance(row.late)
		if status := a.send(browser, callback); (status == 200) != (row.want == "") {
			t.Errorf("%s, %v late: got %d", row.scheme, row.late, status)
		}
		if row.want != "" {
			a.wantReason(row.want)
		}
		if a.signIn() == nil {
			t.Errorf("%s, %v late: a new login fails", row.scheme, row.late)
		}
	}
}

func TestTokenExpires(t *testing.T) {
	a := newApp(t, "https", nil)
	login := a.signIn()
	source := a.client.TokenSource(login.Token, nil)
	for _, row := range []struct {
		later     time.Duration
		refreshes int // so far
	}{{0, 0}, {59 * time.Minute, 0}, {2 * time.Minute, 1}, {time.Minute, 1}, {time.Hour, 2}} {
		a.srv.Advance(row.later)
		token, err := source.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := len(a.srv.Requests("/token")) - 1; got != row.refreshes {
			t.Errorf("%v later: %d refreshes, want %d", row.later, got, row.refreshes)
		}
		if got := a.resource(token.AccessToken); got != 200 {
			t.Errorf("%v later: the API answers %d", row.later, got)
		}
	}
	if got := a.resource(login.Token.AccessToken); got != 401 {
		t.Errorf("the API answers %d to a token that has expired", got)
	}
}

// resource calls the server's API and returns the status.
func (a *app) resource(access string) int {
	a.t.Helper()
	req := request(a.t, a.srv.URL+"/resource")
	req.Header.Set("Authorization", "Bearer "+access)
	resp, err := (&http.Client{Transport: a.srv.Transport()}).Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestAdvanceAndBack(t *testing.T) {
	a := newApp(t, "https", nil)
	browser := a.browser()
	callback := a.callback(browser)
	a.srv.Advance(time.Hour)
	a.srv.Advance(-time.Hour)
	if status := a.send(browser, callback); status != 200 {
		t.Errorf("got %d", status)
	}
}

// TestAdvanceElsewhere: the time of another server's Clients stays as it is.
func TestAdvanceElsewhere(t *testing.T) {
	a := newApp(t, "https", nil)
	other := authtest.NewServer(a.URL + "/callback")
	defer other.Close()
	browser := a.browser()
	callback := a.callback(browser)
	other.Advance(time.Hour)
	if status := a.send(browser, callback); status != 200 {
		t.Errorf("got %d", status)
	}
}

// TestAdvanceReachesEverything: whatever the server signs, the app judges by the
// time that the test has moved, forward and back.
func TestAdvanceReachesEverything(t *testing.T) {
	for _, moved := range []time.Duration{3 * time.Hour, -3 * time.Hour} {
		a := newApp(t, "https", func(a *app) {
			a.cfg.Provider = oidc.Provider(a.srv.URL, oidc.UserInfo())
			a.cfg.MessageSigning.SignedResponses = true
		})
		a.srv.Advance(moved)
		login := a.signIn()
		if login == nil {
			t.Fatalf("moved by %v, a login fails: %v", moved, a.errs)
		}
		info, err := oidc.IntrospectSigned(t.Context(), a.client, login.Token.AccessToken, "")
		if err != nil || !info.Active {
			t.Errorf("moved by %v, introspection says %v, %v", moved, info, err)
		}
	}
}
