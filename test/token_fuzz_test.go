package test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"golang.org/x/oauth2"
)

const fuzzRefresh = "r3fresh-c4n4ry"

// tokenAnswers are seeds: CODE, VERIFIER, SECRET, BASIC and REFRESH are what
// the provider was sent.
var tokenAnswers = []struct {
	status            uint16
	contentType, body string
}{
	{200, "application/json",
		`{"access_token":"a","token_type":"Bearer","expires_in":3600,` +
			`"refresh_token":"r","scope":"a b"}`},
	{200, "text/html",
		` {"access_token":"\u0061","token_type":"BEARER","expires_in":"3600.5",` +
			`"scope":["a","b"],"x":{"y":[9007199254740993,"<"]}}`},
	{200, "application/x-www-form-urlencoded",
		"access_token=a&scope=a%2Cb&token_type=bearer&expires_in=60"},
	{201, "", "access_token=a%20b"},
	{200, "", `{"access_token":"a","expires_in":1e18}`},
	{200, "", `{"access_token":"a","expires_in":-1}`},
	{200, "", `{"access_token":"a","expires_in":1e-10}`},
	{200, "", `{"access_token":"a","expires_in":"inf"}`},
	{200, "", `{"access_token":"a","expires_in":1e400}`},
	{200, "", `{"access_token":"a","access_token":"b"}`},
	{200, "", `{"ACCESS_TOKEN":"a"}`},
	{200, "", `{"access_token":"a","token_type":"mac"}`},
	{200, "", `{"access_token":"a\nb"}`},
	{200, "", `{"access_token":"a","refresh_token":"r\u0000"}`},
	{200, "", `{"access_token":"a","error":"access_denied"}`},
	{200, "", `{"access_token":"a","error":null}`},
	{200, "", `{"access_token":null,"refresh_token":5}`},
	{200, "application/json",
		`{"error":"bad_verification_code","error_description":"CODE VERIFIER",` +
			`"error_uri":"https://x/?SECRET"}`},
	{200, "", `{"error":{"message":"CODE"},"access_token":"a"}`},
	{400, "application/json", `{"error":"invalid_grant","error_description":"code CODE"}`},
	{400, "application/json",
		`{"error":"CODE","error_description":"REFRESH","error_uri":"VERIFIER"}`},
	{401, "application/json",
		`{"error":"invalid_client","error_description":"Basic BASIC of SECRET"}`},
	{400, "", `{"error":"invalid_request","error_description":"got BASIC"}`},
	{400, "application/x-www-form-urlencoded",
		"error=invalid_request&error_description=SECRET+VERIFIER"},
	{500, "text/html", "<h1>CODE VERIFIER SECRET BASIC</h1>"},
	{200, "text/html", "<h1>CODE VERIFIER SECRET BASIC REFRESH</h1>"},
	{200, "", `{"access_token":"a","CODE VERIFIER":1} SECRET BASIC REFRESH`},
	{503, "", `{"error":"temporarily_unavailable"}`},
	{307, "", `{"access_token":"a"}`},
	{200, "", ""},
	{200, "", "[]"},
	{0, "", "{}"},
}

// plainAnswer is a token answer that nobody can object to.
var plainAnswer = regexp.MustCompile(`^\{"access_token":"[A-Za-z0-9]+"` +
	`(,"token_type":"Bearer")?(,"expires_in":[1-9][0-9]{0,9})?\}$`)

// sentSecrets are what the app has sent to the token endpoint, in the order of
// the places in tokenAnswers.
type sentSecrets [5]string

// basicAuth is what the app sends by HTTP Basic.
var basicAuth = base64.StdEncoding.EncodeToString([]byte("client:" + url.QueryEscape(fuzzSecret)))

// in fills the places of an answer.
func (s *sentSecrets) in(answer string) string {
	return strings.NewReplacer("CODE", s[0], "VERIFIER", s[1], "SECRET", s[2], "BASIC", s[3],
		"REFRESH", s[4]).Replace(answer)
}

// FuzzTokenAnswer: whatever the token endpoint answers, a token is what
// encoding/json reads, and an error repeats nothing of what the app had sent.
// Exchange and Refresh accept the same.
func FuzzTokenAnswer(f *testing.F) {
	apps := map[bool]*fuzzApp{
		false: newFuzzApp(f, nil),
		true:  newFuzzApp(f, func(cfg *config) { cfg.Provider.AuthStyle = inBody }),
	}
	for _, seed := range tokenAnswers {
		f.Add(true, seed.status, seed.contentType, seed.body)
		f.Add(false, seed.status, seed.contentType, seed.body)
	}
	f.Fuzz(func(t *testing.T, body bool, status uint16, contentType, answer string) {
		app, sent := apps[body], sentSecrets{"c0de-c4n4ry", "", fuzzSecret, basicAuth, fuzzRefresh}
		login := app.begin(t)
		app.answer = func(form url.Values) *http.Response {
			if sent[1] == "" {
				sent[1] = form.Get("code_verifier")
				answer = sent.in(answer)
			}
			return fuzzAnswer(int(status), contentType, answer)
		}
		got := app.query(login, "code="+sent[0]+"&state="+login.state)
		old := &oauth2.Token{RefreshToken: fuzzRefresh}
		fresh, err := app.client.Refresh(context.Background(), old)
		if len(app.posts) != 2 || (got.err == nil) != (err == nil) {
			t.Fatalf("%d requests; Exchange: %v; Refresh: %v", len(app.posts), got.err, err)
		}
		if err != nil {
			checkRefused(t, got.err, err, sent, body)
			if status/100 == 2 && plainAnswer.MatchString(answer) {
				t.Errorf("a good answer was refused: %v", err)
			}
			return
		}
		if status/100 != 2 {
			t.Errorf("status %d was accepted", status)
		}
		checkAccepted(t, got.login.Token, fresh, answer)
	})
}

// checkRefused fails if the errors of Exchange and Refresh show what was sent.
func checkRefused(t *testing.T, exchange, refresh error, sent sentSecrets, body bool) {
	t.Helper()
	checkError(t, exchange, sent[:]...)
	checkError(t, refresh, sent[:]...)
	if body { // then the header's credentials were not sent
		sent[3] = fuzzSecret
	}
	checkWords(t, exchange, authcode.GrantRejected, sent[:4])
	checkWords(t, refresh, authcode.GrantRejected, sent[2:])
}

// checkAccepted fails unless the tokens of Exchange and Refresh are what the
// answer says.
func checkAccepted(t *testing.T, exchanged, fresh *oauth2.Token, answer string) {
	t.Helper()
	members := membersOf(t, answer)
	checkToken(t, exchanged, members, "")
	checkToken(t, fresh, members, fuzzRefresh)
	checkStored(t, exchanged, members)
}

// checkWords fails if the server's own words bring back what the request
// carried.
func checkWords(t *testing.T, err error, rejected authcode.Reason, sent []string) {
	t.Helper()
	e := new(authcode.Error)
	errors.As(err, &e)
	switch e.Reason {
	case rejected, authcode.Configuration, authcode.BadAnswer, authcode.Overloaded:
	default:
		t.Errorf("reason %s", e.Reason)
	}
	for _, s := range sent {
		if words := e.ServerError + "\n" + e.ServerDescription; strings.Contains(words, s) {
			t.Errorf("the server's words bring back %q: %q", s, words)
		}
	}
}

// membersOf reads an accepted answer with encoding/json, or net/url if it is a
// form.
func membersOf(t *testing.T, answer string) map[string]any {
	t.Helper()
	members := make(map[string]any)
	dec := json.NewDecoder(strings.NewReader(answer))
	dec.UseNumber()
	if dec.Decode(&members) == nil {
		return members
	}
	form, err := url.ParseQuery(strings.TrimSpace(answer))
	if err != nil {
		t.Fatalf("accepted, but neither JSON nor a form: %v", err)
	}
	for name, values := range form {
		members[name] = strings.Join(values, " ")
	}
	return members
}

func checkToken(t *testing.T, token *oauth2.Token, members map[string]any, kept string) {
	t.Helper()
	refresh, _ := members["refresh_token"].(string)
	if refresh == "" {
		refresh = kept
	}
	if token.AccessToken == "" || token.AccessToken != members["access_token"] ||
		token.RefreshToken != refresh {
		t.Errorf("got access token %q, refresh token %q of %v", token.AccessToken,
			token.RefreshToken, members)
	}
	for _, c := range token.AccessToken + token.RefreshToken {
		if c < ' ' || c > '~' {
			t.Errorf("a token has the character %q", c)
		}
	}
	if token.TokenType != "" && !strings.EqualFold(token.TokenType, "bearer") {
		t.Errorf("token type %q", token.TokenType)
	}
	if refused := members["error"]; refused != nil && refused != "" && refused != false {
		t.Errorf("a token beside the error %v", refused)
	}
	now := time.Now()
	if !token.Expiry.IsZero() &&
		(token.Expiry.Before(now.Add(-time.Second)) || token.Expiry.After(now.AddDate(100, 0, 0))) {
		t.Errorf("the token expires at %v", token.Expiry)
	}
}

// checkStored fails unless token comes back from MarshalToken with every
// member.
func checkStored(t *testing.T, token *oauth2.Token, members map[string]any) {
	t.Helper()
	back := stored(t, token)
	if back.AccessToken != token.AccessToken || back.TokenType != token.TokenType ||
		back.RefreshToken != token.RefreshToken || !back.Expiry.Equal(token.Expiry) {
		t.Errorf("%+v came back as %+v", token, back)
	}
	for name := range members {
		if got, want := back.Extra(name), token.Extra(name); !reflect.DeepEqual(got, want) {
			t.Errorf("member %q: %#v came back as %#v", name, want, got)
		}
	}
}
