package test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/authcode"
	"example.com/authcode/internal/clock"
	"example.com/authcode/test/world"
)

func demandsPAR(c *config) { c.Provider.RequirePAR = true }

// capturedLog is what slog's default logger writes until the test ends.
func capturedLog(t *testing.T) *bytes.Buffer {
	log, former := new(bytes.Buffer), slog.Default()
	t.Cleanup(func() { slog.SetDefault(former) })
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	return log
}

// pushAnswers are answers of a PAR endpoint.
var pushAnswers = []struct {
	claim    string
	status   int
	body     string
	unusable bool
}{
	{"404", 404, ``, true},
	{"404 of a framework", 404, `{"status":404,"error":"Not Found","path":"/par"}`, true},
	{"403 for a plan without PAR", 403, `{"error":"access_denied"}`, true},
	{"403 in words", 403, `canary`, true},
	{"403 with an error object", 403, `{"error":{"code":403}}`, true},
	{"405", 405, ``, true},
	{"500 in HTML", 500, `<html><body>error</body></html>`, true},
	{"500 server_error", 500, `{"error":"server_error"}`, true},
	{"501", 501, ``, true},
	{"success without expires_in", 201, `{"request_uri":"urn:x:1"}`, true},
	{"success without request_uri", 201, `{"expires_in":60}`, true},
	{"success with a page", 200, `<html>`, true},
	{"success without a body", 200, ``, true},

	{"400 without a code", 400, ``, false},
	{"400 invalid_request", 400, `{"error":"invalid_request"}`, false},
	{"400 with an unknown code", 400, `{"error":"canary"}`, false},
	{"401 without a body", 401, ``, false},
	{"401 invalid_client", 401, `{"error":"invalid_client"}`, false},
	{"403 invalid_client", 403, `{"error":"invalid_client"}`, false},
	{"403 unauthorized_client", 403, `{"error":"unauthorized_client"}`, false},
	{"403 invalid_canary", 403, `{"error":"invalid_canary"}`, false},
	{"404 invalid_redirect_uri", 404, `{"error":"invalid_redirect_uri"}`, false},
	{"500 invalid_request_object", 500, `{"error":"invalid_request_object"}`, false},
	{"500 temporarily_unavailable", 500, `{"error":"temporarily_unavailable"}`, false},
	{"success with invalid_scope", 200, `{"error":"invalid_scope"}`, false},
	{"success with server_error", 200, `{"error":"server_error"}`, false},
	{"413", 413, ``, false},
	{"429", 429, ``, false},
	{"502", 502, ``, false},
	{"503", 503, ``, false},
	{"504", 504, ``, false},
	{"a redirect", 307, ``, false},
	{"a huge page", 200, strings.Repeat(" ", 256<<10+1), false},
}

// TestUnusablePAR: an endpoint that does not work is left out with a line in the
// log; an answer about the request, the client or a busy server is an error.
func TestUnusablePAR(t *testing.T) {
	log := capturedLog(t)
	for _, row := range pushAnswers {
		t.Run(row.claim, func(t *testing.T) {
			log.Reset()
			p := world.Answering(row.status, row.body)
			target, _, err := world.Start(world.Client(t, p, world.Pushing))
			p.WantRequests(t, 1)
			if strings.Contains(log.String(), "canary") {
				t.Errorf("the log has the provider's words: %s", log)
			}
			if !row.unusable {
				if err == nil || log.Len() > 0 {
					t.Errorf("got %q, want an error; log %q", target, log)
				}
				return
			}
			if err != nil || world.Param(target, "code_challenge") == "" ||
				world.Param(target, "request_uri") != "" {
				t.Errorf("got %q, %v, want a plain request", target, err)
			}
			if strings.Count(log.String(), "\n") != 1 ||
				!strings.Contains(log.String(), "Config.DisablePAR") ||
				!strings.Contains(log.String(), "error.check=par.") ||
				strings.Contains(row.body, `"error"`) != strings.Contains(log.String(), "provider_said=") {
				t.Errorf("the log is %q, want one line with the field and the keys of a failure", log)
			}
		})
	}
}

// TestUnreachablePAR: a failed connection and a time-out say nothing about PAR.
func TestUnreachablePAR(t *testing.T) {
	_, _, err := world.Start(world.Client(t, &world.Provider{Answer: world.Down}, world.Pushing))
	world.WantError(t, err, authcode.Unreachable, "provider.unreachable")
	late := func(*world.Request) (*http.Response, error) { return nil, context.DeadlineExceeded }
	_, _, err = world.Start(world.Client(t, &world.Provider{Answer: late}, world.Pushing))
	world.WantError(t, err, authcode.Timeout, "provider.timeout")
}

// TestUnusablePARIsRemembered: for ten minutes no login tries again, and nothing
// is logged again. Another URL in the metadata is tried at once.
func TestUnusablePARIsRemembered(t *testing.T) {
	log := capturedLog(t)
	p, now := world.Answering(404, ``), new(clock.Clock)
	found := world.Endpoints()
	found.PARURL = world.PARURL
	lookup := func(context.Context, *authcode.Connection) (endpoints, error) { return found, nil }
	c := world.Client(t, p, world.LookedUp(lookup), func(c *config) { c.Clock = now })
	start := func(pushes int) {
		t.Helper()
		world.Begin(t, c, nil)
		p.WantRequests(t, pushes)
		if lines := strings.Count(log.String(), "\n"); lines != pushes {
			t.Errorf("%d lines in the log, want %d", lines, pushes)
		}
	}
	start(1)
	start(1)
	clock.Advance(now, 10*time.Minute-time.Second)
	start(1)
	clock.Advance(now, time.Second+time.Millisecond)
	start(2)
	found.PARURL += "/v2"
	start(3)
	// A provider that comes to demand PAR gets no plain request.
	found.RequirePAR = true
	_, _, err := world.Start(c)
	world.WantError(t, err, authcode.BadAnswer, "par.error")
	// It works again, so it is used again.
	found.RequirePAR = false
	clock.Advance(now, 10*time.Minute)
	p.Answer = world.Always(201, world.Pushed)
	if l := world.Begin(t, c, nil); l.Query.Get("request_uri") == "" {
		t.Errorf("not pushed: %s", l.URL)
	}
	// Each Client finds out for itself.
	other := world.Client(t, p, world.Pushing)
	if l := world.Begin(t, other, nil); l.Query.Get("request_uri") == "" {
		t.Errorf("another Client does not push: %s", l.URL)
	}
}

// TestUnusablePARIsDemanded: nothing is left out that the app, the metadata or a
// signed request relies on, and the error names the field that helps.
func TestUnusablePARIsDemanded(t *testing.T) {
	log := capturedLog(t)
	found := world.Endpoints()
	found.PARURL, found.RequirePAR = world.PARURL, true
	for claim, row := range map[string]struct {
		change func(*config)
		says   string
	}{
		"the app demands it":      {demandsPAR, "RequirePAR"},
		"the metadata demands it": {world.LookedUp(world.Finds(found)), "RequirePAR"},
		"the request is signed":   {(&messages{sign: true}).signing, "Config.DisablePAR"},
	} {
		for _, answer := range pushAnswers {
			if !answer.unusable {
				continue
			}
			t.Run(claim+", "+answer.claim, func(t *testing.T) {
				p := world.Answering(answer.status, answer.body)
				c := world.Client(t, p, world.Pushing, row.change)
				for range 2 {
					target, _, err := world.Start(c)
					if err == nil || !strings.Contains(err.Error(), row.says) {
						t.Errorf("got %q, %v, want an error with %s", target, err, row.says)
					}
				}
				p.WantRequests(t, 2)
			})
		}
	}
	if log.Len() > 0 {
		t.Errorf("the log is %q", log)
	}
}

// TestUnusablePARAtOnce: of many logins at the same time, one writes the line.
func TestUnusablePARAtOnce(t *testing.T) {
	log := capturedLog(t)
	var wg, all sync.WaitGroup
	all.Add(8)
	p := &world.Provider{Answer: func(*world.Request) (*http.Response, error) {
		all.Done()
		all.Wait() // until each login has pushed
		return world.Reply(404, ``), nil
	}}
	c := world.Client(t, p, world.Pushing)
	for range 8 {
		wg.Go(func() { world.Begin(t, c, nil) })
	}
	wg.Wait()
	if lines := strings.Count(log.String(), "\n"); lines != 1 {
		t.Errorf("%d lines in the log, want 1", lines)
	}
}

// TestPushRefusalNamesTheField: an operator learns which field to look at.
func TestPushRefusalNamesTheField(t *testing.T) {
	for body, says := range map[string][]string{
		`{"error":"invalid_request"}`: {"Config.RedirectURL", "Config.MessageSigning",
			"Config.DisablePAR"},
		`{"error":"invalid_request_object"}`: {"Config.MessageSigning", "Config.DisablePAR"},
		`{"error":"request_not_supported"}`:  {"Config.MessageSigning", "Config.DisablePAR"},
		`{"error":"invalid_redirect_uri"}`:   {"Config.RedirectURL"},
		`{"error":"invalid_client"}`:         {"ClientID", "secret", "Provider.AuthStyle"},
	} {
		for _, demanded := range []bool{false, true} {
			p := world.Answering(400, body)
			_, _, err := world.Start(world.Client(t, p, world.Pushing, func(c *config) {
				c.Provider.RequirePAR = demanded
			}))
			e := world.WantError(t, err, authcode.Configuration, "par.configuration")
			for _, field := range says {
				// What the app or the provider demands cannot be turned off.
				if field == "Config.DisablePAR" && demanded {
					field = "RequirePAR"
				}
				if !strings.Contains(e.Error(), field) {
					t.Errorf("%s: the error says %q, want %s in it", body, e, field)
				}
			}
		}
	}
}

// TestTokenRefusalIsNotAboutPAR: the same answers of the token endpoint say
// nothing about PAR.
func TestTokenRefusalIsNotAboutPAR(t *testing.T) {
	for _, row := range pushAnswers {
		err := world.Refresh(t, world.Answering(row.status, row.body))
		if err == nil || strings.Contains(err.Error(), "PAR") {
			t.Errorf("%s: got %v", row.claim, err)
		}
	}
}

// TestOneLoginDoesNotTurnPAROff: a firewall of the provider refuses what a
// stranger has put into one login. The logins of others are pushed as before.
func TestOneLoginDoesNotTurnPAROff(t *testing.T) {
	log := capturedLog(t)
	p := &world.Provider{Answer: func(r *world.Request) (*http.Response, error) {
		if r.Form.Has("login_hint") {
			return world.Reply(403, `<html>canary`), nil
		}
		return world.Reply(201, world.Pushed), nil
	}}
	c := world.Client(t, p, world.Pushing)
	for n := range 3 {
		if l := world.Begin(t, c, nil); l.Query.Get("request_uri") == "" {
			t.Errorf("after %d odd logins, a login is not pushed: %s", n, l.URL)
		}
		hint := authcode.Param("login_hint", "<script>")
		if l := world.Begin(t, c, nil, hint); l.Query.Get("code_challenge") == "" {
			t.Errorf("the odd login is %s", l.URL)
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 3 ||
		strings.Contains(log.String(), "canary") {
		t.Errorf("the log is %q, want three lines without the provider's words", log)
	}
}
