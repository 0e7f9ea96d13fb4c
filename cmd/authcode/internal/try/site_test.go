package try

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"example.com/authcode/internal/authserver"
)

// logBuffer is a log that handlers write while a test reads.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// site is the app with its embedded provider, and a browser in front of it.
type site struct {
	*testing.T
	base    string
	app     *app
	demo    *authserver.Server
	log     *logBuffer
	browser *http.Client
}

// newSite starts the app over http, or over https where secure is set. Each of more may add
// a provider before the app is served.
func newSite(t *testing.T, secure bool, more ...func(*site)) *site {
	t.Helper()
	return newSiteWith(t, secure, nil, more...)
}

// newSiteWith is newSite with flags, which are about the embedded provider.
func newSiteWith(t *testing.T, secure bool, args []string, more ...func(*site)) *site {
	t.Helper()
	o, err := parseOptions(args, environment(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	s := &site{T: t, base: scheme + server.Listener.Addr().String(), log: new(logBuffer)}
	s.app = newApp(s.base, slog.New(slog.NewTextHandler(s.log, nil)))
	demo, err := o.addDemo(s.app, [][]byte{keyBytes})
	if err != nil {
		t.Fatal(err)
	}
	s.demo = demo
	for _, add := range more {
		add(s)
	}
	server.Config.Handler = s.app.handler()
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(demo.Close)
	t.Cleanup(server.Close)
	s.browser = newBrowser(t, server.Client())
	return s
}

// newBrowser returns a client with a jar of its own that shows redirects.
func newBrowser(t *testing.T, base *http.Client) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := *base
	browser.Jar = jar
	browser.CheckRedirect = func(*http.Request,
		[]*http.Request) error {
		return http.ErrUseLastResponse
	}
	return &browser
}

// answer is a response with its body read.
type answer struct {
	*http.Response
	body string
}

func read(t *testing.T, res *http.Response, err error) answer {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res, string(body)}
}

// ask sends a request with pairs of header names and values.
func (s *site) ask(method, path string, header ...string) answer {
	s.Helper()
	req, err := http.NewRequest(method, s.base+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.browser.Do(req)
	return read(s.T, res, err)
}

func (s *site) get(path string) answer { s.Helper(); return s.ask("GET", path, "Accept", "text/html") }

// post submits one of the app's own forms.
func (s *site) post(path string) answer {
	s.Helper()
	return s.ask("POST", path, "Origin", s.base, "Sec-Fetch-Site", "same-origin")
}

// state reads the JSON of the start page.
func (s *site) state() state {
	s.Helper()
	got := s.ask("GET", "/", "Accept", "application/json")
	var st state
	if err := json.Unmarshal([]byte(got.body), &st); err != nil || got.StatusCode != http.StatusOK {
		s.Fatalf("GET / as JSON: %s, %v: %s", got.Status, err, got.body)
	}
	return st
}

// signIn goes through a login and returns the answer to the callback.
func (s *site) signIn(path string) answer {
	s.Helper()
	res, err := s.demo.SignIn(s.browser, s.base+path)
	return read(s.T, res, err)
}

// mustSignIn is signIn for tests that begin after it.
func (s *site) mustSignIn() {
	s.Helper()
	if got := s.signIn("/auth/demo"); got.StatusCode != http.StatusSeeOther {
		s.Fatalf("sign-in: %s: %s", got.Status, got.body)
	}
}

func (s *site) session() string {
	u, _ := url.Parse(s.base)
	for _, c := range s.browser.Jar.Cookies(u) {
		if strings.HasSuffix(c.Name, "session") {
			return c.Value
		}
	}
	return ""
}

// element returns the text of the element with an id, without tags.
func element(t *testing.T, page, id string) string {
	t.Helper()
	found := regexp.MustCompile(`(?s)<(\w+)[^>]* id="` + id + `"[^>]*>(.*?)</`).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no element #%s in %s", id, page)
	}
	return strings.TrimSpace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(found[2], ""))
}
