package main

import (
	"cmp"
	"embed"
	"html/template"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"example.com/authcode"
	"example.com/authcode/session"
)

//go:embed page.html style.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// app is a web app with one login for each provider, and sessions in memory.
type app struct {
	base      string // external URL
	key       []byte
	logins    []*login
	signedOut string // where the provider sends people after a sign-out, as registered there
}

type login struct {
	Name, Title, URL string
	client           *authcode.Client
}

func (a *app) handler(getenv func(string) string) (http.Handler, error) {
	if err := a.addProviders(getenv); err != nil {
		return nil, err
	}
	sessions, err := session.New(session.Config{
		Keys: [][]byte{a.key}, LoginURL: a.logins[0].URL, LogoutReturnURL: a.signedOut,
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	for _, l := range a.logins {
		l.client.Mount(mux, sessions.SignIn(l.client))
	}
	home := func(w http.ResponseWriter, r *http.Request) { a.show(w, r, "") }
	mux.Handle("GET /{$}", sessions.Optional(http.HandlerFunc(home)))
	mux.Handle("GET /api", sessions.Require(http.HandlerFunc(a.callAPI))) // signs in on the way
	mux.Handle("POST /signout", sessions.SignOut())
	mux.Handle("GET /style.css", http.FileServerFS(files))
	return http.NewCrossOriginProtection().Handler(mux), nil // refuses forms of other sites
}

// callAPI calls the provider's own API about the person, with a live access token.
func (a *app) callAPI(w http.ResponseWriter, r *http.Request) {
	answer, err := a.userinfo(r)
	if err != nil {
		slog.Warn("API call failed", "error", err)
	}
	a.show(w, r, cmp.Or(answer, "The call failed. The log says why."))
}

func (a *app) userinfo(r *http.Request) (answer string, err error) {
	s := session.FromContext(r.Context())
	i := slices.IndexFunc(a.logins, func(l *login) bool { return l.Name == s.Provider() })
	conn, err := a.logins[i].client.Connection(r.Context())
	if err != nil {
		return "", err
	}
	target, err := url.Parse(conn.Endpoints.UserInfoURL)
	if err != nil || target.Host == "" {
		return "This provider has no such API.", err
	}
	// The token goes to this origin and nowhere else.
	api, err := s.APIClient(r.Context(), target.Scheme+"://"+target.Host)
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

func (a *app) show(w http.ResponseWriter, r *http.Request, answer string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy",
		"default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'")
	page.Execute(w, map[string]any{
		"Logins": a.logins, "Session": session.FromContext(r.Context()), "Answer": answer,
	})
}
