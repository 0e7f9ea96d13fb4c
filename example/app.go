package main

import (
	"cmp"
	"crypto/rand"
	"embed"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"example.com/authcode"
)

//go:embed page.html style.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// app is a web app with one login for each provider, and sessions in memory.
type app struct {
	base     string // external URL
	key      []byte
	logins   []*login
	sessions sync.Map // of *session, by the random value of the session cookie
}

type login struct {
	Name, URL string
	client    *authcode.Client
	formPost  bool // the provider answers with a form
}

// session is a person who is signed in.
type session struct {
	Login  *login
	Who    *authcode.Identity // nil: this provider does not say who signed in
	tokens *authcode.TokenSource
}

func (a *app) handler() http.Handler {
	mux := http.NewServeMux()
	guard := http.NewCrossOriginProtection() // refuses forms of other sites
	for _, l := range a.logins {
		l.client.Mount(mux, a.signIn(l))
		if l.formPost { // from the provider's site; the state protects it
			guard.AddInsecureBypassPattern("POST " + l.URL + "/callback")
		}
	}
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /api", a.callAPI)
	mux.HandleFunc("POST /signout", a.signOut)
	mux.Handle("GET /style.css", http.FileServerFS(files))
	return guard.Handler(mux)
}

// signIn starts a new session after a login that has passed every check.
func (a *app) signIn(l *login) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		done, _ := authcode.FromContext(r.Context())
		id := rand.Text()
		a.sessions.Store(id, &session{l, done.Identity, l.client.TokenSource(done.Token, nil)})
		a.setCookie(w, r, id, 0)
		done.Redirect(w, r)
	})
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	a.setCookie(w, r, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// setCookie sets the session cookie and ends the session that the browser had before.
func (a *app) setCookie(w http.ResponseWriter, r *http.Request, id string, maxAge int) {
	if c, err := r.Cookie("session"); err == nil {
		a.sessions.Delete(c.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: "session", Value: id, Path: "/", MaxAge: maxAge, HttpOnly: true,
		Secure: strings.HasPrefix(a.base, "https:"), SameSite: http.SameSiteLaxMode})
}

// session returns the browser's session, or nil if nobody is signed in there.
func (a *app) session(r *http.Request) *session {
	c, err := r.Cookie("session")
	if err != nil {
		return nil
	}
	if s, ok := a.sessions.Load(c.Value); ok {
		return s.(*session)
	}
	return nil
}

func (a *app) home(w http.ResponseWriter, r *http.Request) { a.show(w, a.session(r), "") }

// callAPI calls the provider's own API about the person, with the access token.
func (a *app) callAPI(w http.ResponseWriter, r *http.Request) {
	s := a.session(r)
	if s == nil { // sign in, and come back here
		http.Redirect(w, r, a.logins[0].URL+"?next=/api", http.StatusSeeOther)
		return
	}
	answer, err := s.userinfo(r)
	if err != nil {
		slog.Warn("API call failed", "error", err)
	}
	a.show(w, s, cmp.Or(answer, "The call failed. The log says why."))
}

func (s *session) userinfo(r *http.Request) (answer string, err error) {
	conn, err := s.Login.client.Connection(r.Context())
	if err != nil {
		return "", err
	}
	target, err := url.Parse(conn.Endpoints.UserInfoURL)
	if err != nil || target.Host == "" {
		return "This provider has no such API.", err
	}
	api, err := s.tokens.APIClient(target.Scheme + "://" + target.Host) // the token goes there and nowhere else
	if err != nil {
		return "", err
	}
	resp, err := api.Get(target.String())
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return "GET " + target.String() + "\n" + resp.Status + "\n\n" + string(body), err
}

// loginFailed writes a line for the operator, with the provider's own words (which anybody may have written), and a page.
func loginFailed(w http.ResponseWriter, r *http.Request, err *authcode.Error) {
	slog.Warn("login failed", "error", err, "provider_said", strings.TrimSpace(err.ServerError+" "+err.ServerDescription))
	authcode.ErrorPage(w, r, err)
}

func (a *app) show(w http.ResponseWriter, s *session, answer string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'")
	page.Execute(w, map[string]any{"Logins": a.logins, "Session": s, "Answer": answer})
}
