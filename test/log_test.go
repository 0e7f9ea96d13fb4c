package test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.com/authcode"
	"example.com/authcode/test/world"
)

// TestFailedLoginIsLogged: without OnError a failed login is one line in the log,
// whatever a stranger has put into the callback. With it, the app decides.
func TestFailedLoginIsLogged(t *testing.T) {
	var log bytes.Buffer
	former := slog.Default()
	t.Cleanup(func() { slog.SetDefault(former) })
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	for name, onError := range map[string]func(http.ResponseWriter, *http.Request, *authcode.Error){
		"logged": nil, "not logged": func(w http.ResponseWriter, r *http.Request, e *authcode.Error) {
			authcode.ErrorPage(w, r, e)
		},
	} {
		log.Reset()
		w := world.New(t, func(c *config) { c.OnError = onError })
		resp := w.Browser().Get(w.App.URL + "/callback?code=c-canary&state=x%0Acanary&error=%0Acanary")
		w.WantStatus(resp, http.StatusBadRequest)
		lines, want := strings.Count(log.String(), "\n"), 0
		if onError == nil {
			want = 1
		}
		if lines != want || strings.Contains(log.String(), "canary") ||
			want == 1 && !strings.Contains(log.String(), "error.reason=") {
			t.Errorf("%s: the log is %q", name, &log)
		}
	}
}

// TestProvidersWordsAreLogged: they name the cause, in quotes and under a key of
// their own, and cannot make a line of the log.
func TestProvidersWordsAreLogged(t *testing.T) {
	var log bytes.Buffer
	former := slog.Default()
	t.Cleanup(func() { slog.SetDefault(former) })
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	w := world.New(t, func(c *config) { c.OnError = nil })
	b := w.Browser()
	target := b.Start("")
	w.WantStatus(b.Get(w.App.URL+"/callback?"+url.Values{
		"state": {world.Param(target, "state")}, "iss": {w.Server.URL}, "error": {"access_denied"},
		"error_description": {"no\nlevel=ERROR msg=faked"},
	}.Encode()), http.StatusForbidden)
	if text := log.String(); strings.Count(text, "\n") != 1 ||
		!strings.Contains(text, `provider_said="\"access_denied no\\nlevel=ERROR msg=faked\""`) {
		t.Errorf("the log is %s", text)
	}
}
