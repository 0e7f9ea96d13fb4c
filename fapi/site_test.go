package fapi_test

import (
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"

	"example.com/authcode"
)

// apps is where all apps are, over TLS: each has a path of its own.
type apps struct {
	*httptest.Server
	mu     sync.Mutex
	last   int
	worlds map[string]*world // by the first part of the path
}

var site = sync.OnceValue(func() *apps {
	a := &apps{worlds: make(map[string]*world)}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.ErrorLog = log.New(io.Discard, "", 0) // a client that does not trust it is what a test wants
	a.StartTLS()
	return a
})

// add returns the URL of a new app.
func (a *apps) add(x *world) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.last++
	id := strconv.Itoa(a.last)
	a.worlds[id] = x
	return a.URL + "/" + id
}

func (a *apps) remove(x *world) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.worlds, path.Base(x.app))
}

// ServeHTTP implements [http.Handler].
func (a *apps) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	a.mu.Lock()
	x := a.worlds[id]
	a.mu.Unlock()
	if x == nil {
		trapped.Add(1)
		return
	}
	x.serve(w, r)
}

// answer is one of the app's to the browser.
type answer struct {
	at     string // login or callback
	query  url.Values
	status int
	header http.Header
}

// serve is the app. It keeps its answers.
func (x *world) serve(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	client := x.client
	x.mu.Unlock()
	page := httptest.NewRecorder()
	switch "/" + path.Base(r.URL.Path) {
	case "/login":
		client.LoginHandler(x.in.login...).ServeHTTP(page, r)
	case "/callback":
		client.CallbackHandler(http.HandlerFunc(x.welcome)).ServeHTTP(page, r)
	}
	x.mu.Lock()
	x.answers = append(x.answers, answer{path.Base(r.URL.Path), r.URL.Query(), page.Code, page.Header()})
	if page.Code >= 400 {
		x.shown += page.Body.String() + headerText(page.Header())
	}
	x.mu.Unlock()
	for name, values := range page.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(page.Code)
	w.Write(page.Body.Bytes())
}

func (x *world) welcome(_ http.ResponseWriter, r *http.Request) {
	login, _ := authcode.FromContext(r.Context())
	x.mu.Lock()
	defer x.mu.Unlock()
	x.logins = append(x.logins, login)
}

func (x *world) refuse(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
	x.mu.Lock()
	x.errors = append(x.errors, err)
	x.mu.Unlock()
	authcode.ErrorPage(w, r, err)
}

func (x *world) newBrowser() *http.Client {
	browser := *site().Client()
	browser.Jar, _ = cookiejar.New(nil)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser
}

// signIn takes the browser through a whole login. It returns what reached the app: a login or an error.
func (x *world) signIn() outcome {
	x.t.Helper()
	x.mu.Lock()
	logins, failures := len(x.logins), len(x.errors)
	x.mu.Unlock()
	resp, err := x.srv.SignIn(x.browser, x.app+"/login")
	if err == nil {
		resp.Body.Close()
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case len(x.logins) == logins+1 && len(x.errors) == failures:
		return outcome{login: x.logins[logins]}
	case len(x.logins) == logins && len(x.errors) == failures+1:
		return outcome{err: x.errors[failures]}
	}
	x.t.Fatalf("%d logins and %d errors reached the app: %v", len(x.logins)-logins, len(x.errors)-failures, err)
	return outcome{}
}
