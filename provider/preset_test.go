package provider_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"example.com/authcode"
)

// TestPresets signs in with every preset, at a simulator that refuses whatever the provider's documents
// do not ask for, and then once for each way in which the login can fail.
func TestPresets(t *testing.T) {
	for _, r := range rows() {
		t.Run(r.fn, func(t *testing.T) {
			t.Parallel()
			s := newSim(t, r)
			a := newApp(t, s)
			for _, c := range cases {
				if c.applies == nil || c.applies(r) {
					t.Run(c.name, func(t *testing.T) {
						s.reset(t)
						c.run(t, r, s, a)
					})
				}
			}
		})
	}
}

var cases = []struct {
	name    string
	applies func(*row) bool
	run     func(*testing.T, *row, *sim, *app)
}{
	{"the person signs in", nil, testSuccess},
	{"the person says no", nil, func(t *testing.T, r *row, s *sim, a *app) {
		s.denied = true
		a.signIn(t)
		a.wantFailure(t, authcode.Denied, "authorization.error")
		if n := s.seen(r.token); n != 0 {
			t.Errorf("%d token requests", n)
		}
	}},
	{"the code is wrong", nil, func(t *testing.T, r *row, s *sim, a *app) {
		s.refused = true
		a.signIn(t)
		if r.misread {
			a.wantFailure(t, authcode.Configuration, "answer.configuration")
			return
		}
		a.wantFailure(t, authcode.GrantRejected, "answer.error")
	}},
	{"iss is left out", func(r *row) bool { return r.iss != "" }, func(t *testing.T, r *row, s *sim, a *app) {
		without := *r
		without.iss = ""
		s.row = &without
		defer func() { s.row = r }()
		a.signIn(t)
		a.wantFailure(t, authcode.Forged, "iss.missing")
	}},
	{"the address is not verified", func(r *row) bool { return r.flag != "" }, testUnverified},
	{"nothing is said of the address", isREST, testNoWord},
	{"the word on the address is no boolean", isStrict, testLooseWord},
	{"the token is refreshed", refreshes, testRefresh},
	{"an app wraps the functions", nil, testWrapped},
	{"the id is missing", nil, func(t *testing.T, r *row, s *sim, a *app) { testNoID(t, r, s, a) }},
	{"the id is zero, empty, null or no id", isREST, testBadID},
	{"the profile cannot be had", hasProfile, testProfileFails},
	{"userinfo cannot be had", asksUserInfo, func(t *testing.T, _ *row, s *sim, a *app) {
		s.userInfo = &reply{status: 401, body: `{"error":"invalid_token"}`}
		a.signIn(t)
		if a.login != nil || a.err == nil || !strings.HasPrefix(a.err.Check, "userinfo.") {
			t.Errorf("got %v", a.err)
		}
	}},
	{"the ID token is no token", isOpenID, func(t *testing.T, _ *row, s *sim, a *app) {
		s.idToken = "not.a.token"
		a.signIn(t)
		if a.login != nil || a.err == nil || a.err.Reason != authcode.IdentityRefused {
			t.Errorf("got %v", a.err)
		}
	}},
	{"the addresses cannot be had", func(r *row) bool { return r.emails.url != "" }, testEmailsFail},
}

func isREST(r *row) bool       { return r.openID == nil }
func hasProfile(r *row) bool   { return r.profile.url != "" } // if not, the token answer says who it is
func isOpenID(r *row) bool     { return r.openID != nil }
func asksUserInfo(r *row) bool { return r.openID != nil && r.openID.userInfo != "" }

// isStrict: Apple's words are texts, and Microsoft's belong to another claim.
func isStrict(r *row) bool {
	return isOpenID(r) && strings.Contains(r.flag, `"email_verified":true`)
}

func refreshes(r *row) bool { return strings.Contains(r.grant, `"refresh_token":"`) }

func testSuccess(t *testing.T, r *row, _ *sim, a *app) {
	a.signIn(t)
	a.wantLogin(t, r.want)
	if name, _, _ := strings.Cut(r.fn, "Tenant"); a.login.Provider != strings.ToLower(strings.TrimSuffix(name, "Any")) {
		t.Errorf("provider %q", a.login.Provider) // names stand in cookies and errors
	}
	if title := r.provider().Title; title == "" || strings.TrimSpace(title) != title {
		t.Errorf("title %q", title)
	}
	if !slices.Equal(a.login.Scopes, r.granted) {
		t.Errorf("scopes %q, want %q", a.login.Scopes, r.granted)
	}
	if got := a.login.Token; got.AccessToken != accessToken ||
		got.RefreshToken != "" && got.RefreshToken != refreshToken ||
		strings.Contains(r.grant, `"expires_in"`) == got.Expiry.IsZero() ||
		refreshes(r) == (got.RefreshToken == "") {
		t.Errorf("token expires %v, refreshes %t", got.Expiry, got.RefreshToken != "")
	}
	rec := httptest.NewRecorder()
	a.login.Redirect(rec, httptest.NewRequest("GET", "/", nil))
	if got := rec.Header().Get("Location"); strings.HasSuffix(got, "#") != (r.fragment != "") {
		t.Errorf("the login ends at %q; the provider's fragment is %q", got, r.fragment)
	}
	for name, claim := range a.login.Identity.Claims {
		if text, _ := claim.(string); text == accessToken || text == refreshToken {
			t.Errorf("claim %s is a token", name)
		}
	}
	a.revoke(t)
}

// rewrite changes what the provider says of the person, once, wherever it says it.
func (s *sim) rewrite(t *testing.T, old, text string) {
	t.Helper()
	r := s.row
	switch {
	case r.openID != nil && strings.Contains(r.openID.claims, old):
		s.claims = strings.Replace(r.openID.claims, old, text, 1)
	case r.openID != nil && strings.Contains(r.openID.userInfo, old):
		s.userInfo = &reply{body: strings.Replace(r.openID.userInfo, old, text, 1)}
	case strings.Contains(r.profile.body, old):
		s.profile = &reply{body: strings.Replace(r.profile.body, old, text, 1)}
	case strings.Contains(r.emails.body, old):
		s.emails = &reply{body: strings.Replace(r.emails.body, old, text, 1)}
	case isREST(r) && !hasProfile(r) && strings.Contains(r.grant, old):
		s.grant = strings.Replace(r.grant, old, text, 1)
	default:
		t.Fatalf("the provider never says %s", old)
	}
}

// testUnverified: the address comes with the provider's word, whatever it is.
func testUnverified(t *testing.T, r *row, s *sim, a *app) {
	at := strings.LastIndex(r.flag, "true")
	s.rewrite(t, r.flag, r.flag[:at]+"false"+r.flag[at+len("true"):])
	a.signIn(t)
	want := r.want
	want.EmailVerified = false
	a.wantLogin(t, want)
}

// testNoWord: without that word there is no address, though the answer has one.
func testNoWord(t *testing.T, r *row, s *sim, a *app) {
	if r.flag != "" {
		for _, word := range []string{`"true"`, "1", "null", `"yes"`} {
			s.reset(t)
			at := strings.LastIndex(r.flag, "true")
			s.rewrite(t, r.flag, r.flag[:at]+word+r.flag[at+len("true"):])
			a.signIn(t)
			want := r.want
			want.Email, want.EmailVerified = "", false
			a.wantLogin(t, want)
		}
		return
	}
	if r.want.Email != "" {
		t.Error("an address without the provider's word on it")
	}
}

// testLooseWord: an address whose word is not JSON's true is not verified.
func testLooseWord(t *testing.T, r *row, s *sim, a *app) {
	for _, word := range []string{`"true"`, "1", "null", `"yes"`, "[true]", `{"true":true}`} {
		s.reset(t)
		s.rewrite(t, r.flag, `"email_verified":`+word)
		a.signIn(t)
		want := r.want
		want.EmailVerified = false
		a.wantLogin(t, want)
	}
	s.reset(t)
	s.rewrite(t, r.flag, `"Email_Verified":true`)
	a.signIn(t)
	want := r.want
	want.EmailVerified = false
	a.wantLogin(t, want)
}

// testRefresh: the app proves who it is as in the login, and sends nothing of the login.
func testRefresh(t *testing.T, r *row, s *sim, a *app) {
	a.signIn(t)
	a.wantLogin(t, r.want)
	fresh, err := a.client.Refresh(t.Context(), a.login.Token)
	if err != nil || fresh.AccessToken != "access-2" || s.seen(r.token) != 2 {
		t.Errorf("refreshed to %v: %v", fresh != nil, err)
	}
	if endpoint, _, _ := strings.Cut(r.profile.url, "?"); hasProfile(r) && s.seen(endpoint) != 1 {
		t.Errorf("the profile was asked for %d times, want once, by the login", s.seen(endpoint))
	}
}

func testNoID(t *testing.T, r *row, s *sim, a *app, change ...func(*authcode.Config)) {
	s.reset(t)
	s.rewrite(t, r.id, `"gone":0`)
	a.signIn(t, change...)
	check := "profile.id"
	if r.openID != nil {
		check = "id_token.sub"
	}
	a.wantFailure(t, authcode.IdentityRefused, check)
}

func testBadID(t *testing.T, r *row, s *sim, a *app) {
	name, _, _ := strings.Cut(r.id, ":")
	for _, id := range []string{`0`, `"0"`, `""`, `null`, `true`, `1.5`, `1.0`, `1e3`, `-1`, `-0`, `{}`, `{"id":1}`, `["1"]`,
		`"a\u0000b"`, `" "`, `"1 "`, `"\u00a01"`, `"é"`, `"ａ"`, `"\u007f"`, `"\ud800"`, `"` + strings.Repeat("x", 256) + `"`, strings.Repeat("1", 256)} {
		s.reset(t)
		s.rewrite(t, r.id, name+":"+id)
		a.signIn(t)
		a.wantFailure(t, authcode.IdentityRefused, "profile.id")
	}
}

// broken are the ways in which an API's answer can be none.
func broken(body, check string) []struct {
	reply
	reason authcode.Reason
	check  string
} {
	return []struct {
		reply
		reason authcode.Reason
		check  string
	}{
		{reply{status: 401, body: `{"message":"` + accessToken + `"}`}, authcode.IdentityRefused, "profile.status"},
		{reply{status: 302, header: [2]string{"Location", "https://evil.example/"}}, authcode.BadAnswer, "profile.redirect"},
		{reply{status: 429}, authcode.Overloaded, "profile.overloaded"},
		{reply{status: 503}, authcode.Overloaded, "profile.overloaded"},
		{reply{status: 500}, authcode.BadAnswer, "profile.status"},
		{reply{body: `<html>`}, authcode.IdentityRefused, check},
		{reply{body: ``}, authcode.IdentityRefused, check},
		{reply{body: body + "}"}, authcode.IdentityRefused, check},
		{reply{body: body + strings.Repeat(" ", 256<<10)}, authcode.BadAnswer, "profile.size"},
	}
}

func testProfileFails(t *testing.T, r *row, s *sim, a *app) {
	all := broken(r.profile.body, "profile.form")
	all = append(all, all[5])
	// Which of two members counts is what readers disagree about.
	all[len(all)-1].reply = reply{body: `{"twice":1,"Twice":2,` + r.profile.body[1:]}
	for _, c := range all {
		s.reset(t)
		s.profile = &c.reply
		a.signIn(t)
		a.wantFailure(t, c.reason, c.check)
	}
	for _, status := range []int{403, 404} {
		s.reset(t)
		s.profile = &reply{status: status}
		a.signIn(t)
		a.wantFailure(t, authcode.IdentityRefused, "profile.permission")
	}
}

func testEmailsFail(t *testing.T, r *row, s *sim, a *app) {
	for _, c := range broken(r.emails.body, "profile.emails") {
		s.reset(t)
		s.emails = &c.reply
		a.signIn(t)
		a.wantFailure(t, c.reason, c.check)
	}
	want := r.want
	want.Email, want.EmailVerified = "", false
	none := []reply{{status: 403}, {status: 404}, // the app did not ask for the scope
		{body: strings.ReplaceAll(r.emails.body, `primary":true`, `primary":false`)}}
	for _, answer := range none {
		s.reset(t)
		s.emails = &answer
		a.signIn(t)
		a.wantLogin(t, want)
	}
}
