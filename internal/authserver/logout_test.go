package authserver_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.com/authcode/internal/authserver"
)

const goodbye = "https://app.example/goodbye?x=1"

// newLogout adds a client with a registered address after logout; it returns an ID token.
func newLogout(t *testing.T) (x *tester, idToken string) {
	x = newTester(t)
	x.srv.Register(authserver.ClientRegistration{
		ID: "basic", Secret: "s3cret", RedirectURIs: []string{redirectURI},
		PostLogoutRedirectURIs: []string{goodbye},
	})
	return x, x.redeem().text("id_token")
}

func (t *tester) logout(method string, form url.Values) (*http.Response, string) {
	t.Helper()
	if method == http.MethodPost {
		return t.read(t.http.PostForm(t.srv.URL+"/logout", form))
	}
	return t.read(t.http.Get(t.srv.URL + "/logout?" + form.Encode()))
}

type logout struct {
	form     url.Values
	location string
	page     string // if the location is empty
}

// logouts are the requests of TestEndSession; full makes a good one.
func logouts(hint string, full func(edits ...string) url.Values) map[string]logout {
	return map[string]logout{
		"all":                       {full(), goodbye + "&state=s%26%3D1", ""},
		"and the client":            {full("client_id=basic"), goodbye + "&state=s%26%3D1", ""},
		"no state":                  {full("-state"), goodbye, ""},
		"no address":                {full("-post_logout_redirect_uri"), "", "You are signed out"},
		"nothing":                   {url.Values{}, "", "You are signed out"},
		"another address":           {full("post_logout_redirect_uri=" + goodbye + "2"), "", "not registered"},
		"no hint":                   {full("-id_token_hint", "client_id=basic"), "", "without id_token_hint"},
		"a wrong hint":              {full("id_token_hint=" + hint + "x"), "", "not an ID token of this server"},
		"another client":            {full("client_id=post"), "", "belongs to another client"},
		"an unknown client":         {url.Values{"client_id": {"x"}}, "", "not registered here"},
		"a repetition":              {full("state+=2"), "", "repeated"},
		"a repetition, no redirect": {url.Values{"client_id": {"basic", "basic"}}, "", "repeated"},
	}
}

func TestEndSession(t *testing.T) {
	x, hint := newLogout(t)
	x.srv.Advance(48 * time.Hour)
	x.srv.RotateKeys(false)
	full := func(edits ...string) url.Values {
		return change(url.Values{
			"id_token_hint": {hint}, "post_logout_redirect_uri": {goodbye}, "state": {"s&=1"},
		}, edits...)
	}
	for name, row := range logouts(hint, full) {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(method+" "+name, func(t *testing.T) {
				x := &tester{t, x.srv, x.http, x.base}
				resp, body := x.logout(method, row.form)
				if resp.Header.Get("Location") != row.location || !strings.Contains(body, row.page) {
					t.Errorf("answered %s to %q: %s", resp.Status, resp.Header.Get("Location"), body)
				}
			})
		}
	}
	if resp, _ := x.read(x.http.Head(x.srv.URL + "/logout")); resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("HEAD was answered %s", resp.Status)
	}
	if got := x.srv.Requests(authserver.EndSession); len(got) != 24 || got[0].Form == nil {
		t.Errorf("%d logouts recorded, want 24", len(got))
	}
	if got := x.get("/.well-known/openid-configuration").text("end_session_endpoint"); got != x.srv.URL+"/logout" {
		t.Errorf("end_session_endpoint is %q", got)
	}
	x.srv.SetFaults(authserver.EndSession, authserver.Set("state", "another"))
	if resp, _ := x.logout(http.MethodGet, full()); resp.Header.Get("Location") != goodbye+"&state=another" {
		t.Errorf("under a fault, sent to %q", resp.Header.Get("Location"))
	}
}

func TestLogoutToken(t *testing.T) {
	x := newTester(t)
	token := x.srv.LogoutToken("basic", "alice")
	payload, ok := x.verify(token)
	header, claims, _ := x.parts(token)
	if !ok || header["typ"] != "logout+jwt" {
		t.Errorf("header %v, verifies: %v", header, ok)
	}
	now := float64(time.Now().Unix())
	iat, _ := claims["iat"].(float64)
	exp, _ := claims["exp"].(float64)
	if iat > now || iat < now-60 || exp-iat != 120 {
		t.Errorf("iat %v, exp %v, now %v", iat, exp, now)
	}
	events, _ := json.Marshal(claims["events"])
	if string(events) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` ||
		claims["iss"] != x.srv.URL || claims["aud"] != "basic" || claims["sub"] != "alice" || len(claims) != 7 {
		t.Errorf("payload %s", payload)
	}
	if _, again, _ := x.parts(x.srv.LogoutToken("basic", "alice")); again["jti"] == claims["jti"] {
		t.Error("two tokens have one jti")
	}
	token = x.srv.LogoutToken("basic", "alice", authserver.Drop("sub"), authserver.Set("sid", `"s1"`),
		authserver.Header(authserver.Drop("typ")), authserver.OtherKey())
	header, claims, _ = x.parts(token)
	if _, ok := x.verify(token); ok || claims["sub"] != nil || claims["sid"] != "s1" || header["typ"] != nil {
		t.Errorf("header %v, claims %v, verifies: %v", header, claims, ok)
	}
	if issued := x.srv.Issued(); issued[len(issued)-1] != token {
		t.Error("Issued misses a logout token")
	}
}

func TestFrontChannelLogout(t *testing.T) {
	x := newTester(t)
	iss := "iss=" + url.QueryEscape(x.srv.URL)
	for want, got := range map[string]string{
		"https://app.example/out?" + iss + "&sid=s%261": x.srv.FrontChannelLogout("https://app.example/out", "s&1"),
		"https://app.example/out?a=b&" + iss + "&sid=1": x.srv.FrontChannelLogout("https://app.example/out?a=b", "1"),
		"https://app.example/out?" + iss:                x.srv.FrontChannelLogout("https://app.example/out", "1", authserver.Drop("sid")),
		"https://app.example/out":                       x.srv.FrontChannelLogout("https://app.example/out", "1", authserver.Drop("sid"), authserver.Drop("iss")),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
