package provider_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/bubble"
	"golang.org/x/oauth2"
)

// ownRevocation is a request for revocation as a provider documents it, if that is not RFC 7009.
type ownRevocation struct {
	method, body string
	bearer       bool // if false, HTTP Basic
	reply        reply
}

// byDelete is GitHub's.
var byDelete = &ownRevocation{method: "DELETE", body: `{"access_token":"access-1"}`, reply: reply{status: 204}}

func (o *ownRevocation) answer(s *sim, w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	id, secret, basic := r.BasicAuth()
	isBearer := r.Header.Get("Authorization") == "Bearer "+accessToken
	isJSON := r.Header.Get("Content-Type") == "application/json"
	if err != nil || r.Method != o.method || string(body) != o.body || isJSON != (o.body != "") ||
		isBearer != o.bearer || basic == o.bearer || r.Header.Get("Accept") != "application/json" {
		s.t.Errorf("%s %s with %v and %q: %v", r.Method, r.URL, r.Header, body, err)
	}
	// As if form-encoded: an id and a secret of GitHub have no character that it would change.
	if basic && (id != "client%2B1" || secret != "s3cr%2Bt%2F%25%3A%C3%BC") {
		s.t.Errorf("authenticated as %q with %q", id, secret)
	}
	if s.revoked != nil {
		s.revoked.send(w)
		return
	}
	o.reply.send(w)
}

const (
	slackNo = `{"ok":false,"error":"%s"}`
	github  = "GitHub"
)

// ownAnswers are what a provider may answer to its own request for revocation.
var ownAnswers = []struct {
	claim, fn string
	reply     reply
	reason    authcode.Reason // "": the token is revoked
	check     string
}{
	{"204 is done", github, reply{status: 204}, "", ""},
	{"a token that GitHub does not know", github, reply{status: 404, body: `{"message":"Not Found"}`}, "", ""},
	{"200 is not GitHub's answer", github, reply{status: 200}, authcode.BadAnswer, "answer.error"},
	{"too many requests, or not valid", github, reply{status: 422}, authcode.BadAnswer, "answer.error"},
	{"a wrong secret", github, reply{status: 401, body: `{"message":"Bad credentials"}`},
		authcode.Configuration, "answer.configuration"},
	{"an echo of what was sent", github, reply{status: 400,
		body: `{"error":"bad","error_description":"no access-1"}`}, authcode.BadAnswer, "answer.error"},
	{"500", github, reply{status: 500}, authcode.BadAnswer, "answer.error"},
	{"503", github, reply{status: 503}, authcode.Overloaded, "answer.error"},
	{"a redirect that keeps the method", github,
		reply{status: 307, header: [2]string{"Location", "https://api.github.com/user"}},
		authcode.BadAnswer, "answer.redirect"},
	{"an answer that is not final", github, reply{status: 101}, authcode.BadAnswer, "answer.status"},
	{"a huge answer", github, reply{status: 404, body: strings.Repeat("x", 1<<20)}, authcode.BadAnswer, "answer.size"},
	{"Dropbox's null", "Dropbox", reply{body: `null`}, "", ""},
	{"a token that Dropbox does not know", "Dropbox", reply{status: 401,
		body: `{"error":{".tag":"invalid_access_token"}}`}, "", ""},
	{"Dropbox's 400", "Dropbox", reply{status: 400}, authcode.BadAnswer, "answer.error"},
	{"Slack says that nothing was revoked", "Slack", reply{body: `{"ok":true,"revoked":false}`},
		authcode.BadAnswer, "answer.error"},
	{"Slack's token is gone", "Slack", reply{body: fmt.Sprintf(slackNo, "token_revoked")}, "", ""},
	{"Slack does not like the address", "Slack", reply{body: fmt.Sprintf(slackNo, "invalid_auth")},
		authcode.BadAnswer, "answer.error"},
	{"Slack's words with another status", "Slack", reply{status: 500, body: fmt.Sprintf(slackNo, "token_revoked")},
		authcode.BadAnswer, "answer.error"},
	{"Slack's words with a redirect", "Slack", reply{status: 302, body: fmt.Sprintf(slackNo, "token_revoked")},
		authcode.BadAnswer, "answer.redirect"},
	{"Slack's success with status 400", "Slack", reply{status: 400, body: `{"ok":true,"revoked":true}`},
		authcode.BadAnswer, "answer.error"},
	{"Slack answers twice", "Slack", reply{body: `{"ok":false,"ok":true,"revoked":true}`},
		authcode.BadAnswer, "answer.error"},
	{"Slack answers a page", "Slack", reply{body: `<html>`}, authcode.BadAnswer, "answer.error"},
}

// TestOwnRevocation: an answer counts as its provider documents it, and any other is a refusal that shows no secret.
func TestOwnRevocation(t *testing.T) {
	t.Parallel()
	for _, c := range ownAnswers {
		t.Run(c.claim, func(t *testing.T) {
			r, s, a := play(t, c.fn)
			a.signIn(t)
			s.revoked = &c.reply
			before := s.count()
			err := a.client.Revoke(t.Context(), &oauth2.Token{AccessToken: accessToken})
			wantRevocation(t, err, c.reason, c.check)
			if s.seen(r.revoke) != 1 || s.count() != before+1 {
				t.Errorf("sent %d requests", s.count()-before)
			}
		})
	}
}

func wantRevocation(t *testing.T, err error, reason authcode.Reason, check string) {
	t.Helper()
	var e *authcode.Error
	if reason == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if !errors.As(err, &e) || e.Reason != reason || e.Check != check {
		t.Errorf("got %v, want %s (%s)", err, reason, check)
		return
	}
	text := fmt.Sprintf("%v %+v %#v %s", e, e, *e, e.ServerDescription)
	for _, secret := range []string{accessToken, clientSecret, "s3cr%2Bt"} {
		if strings.Contains(text, secret) {
			t.Errorf("the error shows a secret: %s", text)
		}
	}
}

// TestOwnRevocationAndRefresh: where the provider does not know the access token, the refresh token still works.
func TestOwnRevocationAndRefresh(t *testing.T) {
	_, s, a := play(t, github)
	a.signIn(t)
	both := &oauth2.Token{AccessToken: accessToken, RefreshToken: refreshToken}
	if err := a.client.Revoke(t.Context(), both); err != nil {
		t.Error(err)
	}
	s.revoked = &reply{status: 404}
	wantRevocation(t, a.client.Revoke(t.Context(), both), authcode.GrantRejected, "revoke.unknown")
	wantRevocation(t, a.client.Revoke(t.Context(), &oauth2.Token{RefreshToken: refreshToken}),
		authcode.Malformed, "token.none")
}

// TestOwnRevocationWithoutSecret: GitHub answers a request without credentials with 404, as if the token were
// unknown. So none is sent.
func TestOwnRevocationWithoutSecret(t *testing.T) {
	_, s, a := play(t, github)
	a.signIn(t)
	for claim, row := range map[string]struct {
		auth  authcode.ClientAuth
		check string
	}{
		"a public app":               {authcode.Public(), "revoke.client_auth"},
		"a secret in the body":       {inBody(nil), "revoke.client_auth"},
		"a secret that is not there": {inBody(errors.New("the vault is away")), "client_auth"},
	} {
		client, err := newClient(s.row.provider(), func(cfg *authcode.Config) {
			cfg.ClientAuth, cfg.Wrap = row.auth, through(s)
		})
		if err != nil {
			t.Fatal(err)
		}
		before := s.count()
		wantRevocation(t, client.Revoke(t.Context(), &oauth2.Token{AccessToken: accessToken}),
			authcode.Configuration, row.check)
		if s.count() != before {
			t.Errorf("%s: sent %d requests", claim, s.count()-before)
		}
	}
}

// inBody sends the secret in the body, or fails with err.
func inBody(err error) authcode.ClientAuth {
	auth := authcode.Secret(clientSecret)
	auth.Authenticate = func(_ context.Context, req *authcode.TokenRequest) error {
		req.Form.Set("client_secret", clientSecret)
		return err
	}
	return auth
}

// hanging never answers.
type hanging struct{}

func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// endless answers with a body that never ends.
type endless struct{}

func (endless) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 404, Body: io.NopCloser(ticks{r.Context()}), Header: http.Header{}}, nil
}

type ticks struct{ ctx context.Context }

func (t ticks) Read(p []byte) (int, error) {
	select {
	case <-t.ctx.Done():
		return 0, t.ctx.Err()
	case <-time.After(time.Second):
		return copy(p, bytes.Repeat([]byte("x"), 8)), nil
	}
}

// TestOwnRevocationHangs: a provider that hangs holds nobody up for more than ten seconds.
func TestOwnRevocationHangs(t *testing.T) {
	for claim, via := range map[string]http.RoundTripper{"no answer": hanging{}, "no end of the body": endless{}} {
		_, s, _ := play(t, github)
		bubble.Test(t, func(t *testing.T) {
			client, err := newClient(s.row.provider(), func(cfg *authcode.Config) { cfg.Wrap = through(via) })
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			wantRevocation(t, client.Revoke(t.Context(), &oauth2.Token{AccessToken: accessToken}),
				authcode.Timeout, "provider.timeout")
			if took := time.Since(began); took != 10*time.Second {
				t.Errorf("%s: took %v", claim, took)
			}
		})
	}
}

// TestOwnRevocationTakesNoForm: PostForm would send a form to GitHub's API.
func TestOwnRevocationTakesNoForm(t *testing.T) {
	_, s, _ := play(t, github)
	client, err := newClient(s.row.provider(), func(cfg *authcode.Config) { cfg.Wrap = through(s) })
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.PostForm(t.Context(), conn.Endpoints.RevocationURL, "application/json", nil)
	wantRevocation(t, err, authcode.Configuration, "endpoint")
}

// TestRevocationFaults: New names what is wrong with a Revocation.
func TestRevocationFaults(t *testing.T) {
	const noRead = "Provider.Revocation.Read is nil"
	read := func(int, []byte) (bool, bool) { return true, false }
	for _, row := range []struct {
		fault      string
		revocation authcode.Revocation
	}{
		{noRead, authcode.Revocation{Method: "DELETE", Bearer: true, Member: "token"}},
		{noRead, authcode.Revocation{Method: "DELETE"}},
		{noRead, authcode.Revocation{Bearer: true}},
		{noRead, authcode.Revocation{Member: "token"}},
		{"Provider.Revocation.Method is not", authcode.Revocation{Method: "DELETE /", Read: read}},
	} {
		p := authcode.Provider{Name: "own", Revocation: row.revocation, Endpoints: authcode.Endpoints{
			AuthURL: "https://own.example/a", TokenURL: "https://own.example/t"}}
		if _, err := newClient(p); err == nil || !strings.Contains(err.Error(), row.fault) {
			t.Errorf("%+v: got %v, want %q", row.revocation, err, row.fault)
		}
	}
}
