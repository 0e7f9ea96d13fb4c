package try

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"example.com/authcode/oidc"
)

//go:embed web
var web embed.FS

// templates are parsed when the program starts, so that a broken one fails at
// once.
var templates = parseTemplates("home.html", "account.html", "private.html", "message.html",
	"failed.html")

// parseTemplates makes a template for each page, with the layout around it.
func parseTemplates(names ...string) map[string]*template.Template {
	parsed := map[string]*template.Template{}
	layout := template.Must(template.New("layout.html").
		Funcs(template.FuncMap{"pretty": pretty, "until": until}).
		ParseFS(web, "web/layout.html"))
	for _, name := range names {
		parsed[name] = template.Must(template.Must(layout.Clone()).ParseFS(web, "web/"+name))
	}
	return parsed
}

// state is what the app knows about the person, for the page and as JSON. It
// holds no token.
type state struct {
	SignedIn    bool           `json:"signed_in"`
	Provider    string         `json:"provider,omitempty"`
	Scopes      []string       `json:"scopes,omitzero"`
	Expiry      time.Time      `json:"expiry,omitzero"`
	TokenType   string         `json:"token_type,omitempty"`
	Refreshable bool           `json:"refreshable"`
	Identity    *identity      `json:"identity,omitempty"`
	User        map[string]any `json:"user,omitempty"`
	API         string         `json:"api,omitempty"`
	Logins      []loginLink    `json:"logins"`

	Protections []protection `json:"protections,omitempty"`
	// Details is what the provider has granted (RFC 9396 section 7).
	Details       any            `json:"authorization_details,omitempty"`
	Introspection *introspection `json:"introspection,omitempty"`
	StepUp        string         `json:"step_up,omitempty"` // where to sign in as the API demands

	UserinfoURL string `json:"-"`
	Place       string `json:"-"` // the provider, in a sentence
}

// loginLink is one way to sign in.
type loginLink struct {
	Name  string `json:"name"`
	URL   string `json:"url"`
	Title string `json:"-"`
	Hint  string `json:"-"`
}

// state collects what the page shows. For a person who is signed in it calls
// the API, which may renew the token.
func (a *app) state(r *http.Request, who *account) state {
	s := state{Logins: a.logins(r.URL.Query().Get("next"))}
	if who == nil {
		return s
	}
	// The API call may renew the token, so the token is read afterwards.
	ctx, cancel := tokenContext(r)
	defer cancel()
	source := who.source()
	s.UserinfoURL = who.signIn.userinfo(ctx)
	answer := a.callAPI(ctx, who, source, s.UserinfoURL)
	token := who.token.Load()
	if renewed, err := source.Token(ctx); err == nil {
		token = renewed
	}
	s.SignedIn = true
	s.Provider, s.Place = who.signIn.name, who.signIn.place
	s.Identity = who.identity
	s.Scopes = who.scopes
	s.Expiry = token.Expiry.UTC().Truncate(time.Second)
	s.TokenType = token.Type()
	s.Refreshable = token.RefreshToken != ""
	s.User, s.API = answer.Claims, answer.Status
	if answer.StepUp {
		s.StepUp = "/step-up"
	}
	s.Details = token.Extra("authorization_details")
	var info *oidc.TokenInfo
	s.Introspection, info = a.introspect(ctx, who, token)
	s.Protections = protections(who, token, info)
	return s
}

// logins returns the links that start a login and come back to next. Package
// authcode makes sure that next stays on this site.
func (a *app) logins(next string) []loginLink {
	links := make([]loginLink, 0, len(a.signIns))
	for _, s := range a.signIns {
		link := loginLink{s.name, loginPath(s.name), s.title, s.hint}
		if next != "" {
			link.URL += "?next=" + url.QueryEscape(next)
		}
		links = append(links, link)
	}
	return links
}

// Who returns a name for display: the best one that the provider gave. It must
// not be used as the key of a user, which is the issuer and the subject.
func (s state) Who() string {
	sources := []map[string]any{s.User}
	if s.Identity != nil {
		if s.Identity.Name != "" {
			return s.Identity.Name
		}
		sources = []map[string]any{s.Identity.Claims, s.User, {"sub": s.Identity.Subject}}
	}
	for _, claims := range sources {
		for _, claim := range []string{"name", "preferred_username", "login", "nickname"} {
			if name, ok := claims[claim].(string); ok && name != "" {
				return name
			}
		}
	}
	for _, claims := range sources {
		if name, ok := claims["sub"].(string); ok && name != "" {
			return name
		}
	}
	return "somebody at " + s.Provider
}

// page is what the templates see.
type page struct {
	Title, Text, Path, Notice string
	State                     state
	LogoutOrigin              string // where else a form may lead; empty: nowhere
	Failure                   *failure
}

// render writes a page. It takes the session's notice, so it must run inside
// withSession.
func (a *app) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	p.Notice = visitOf(r.Context()).takeNotice()
	a.write(w, status, name, p)
}

// write renders a page into memory first: if a template fails, no half of a
// page has been sent.
func (a *app) write(w http.ResponseWriter, status int, name string, p page) {
	var body bytes.Buffer
	if err := templates[name].ExecuteTemplate(&body, "layout.html", p); err != nil {
		a.log.Error("page failed", "page", name, "error", err)
		http.Error(w, "This page cannot be shown. The log says why.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "+
		"form-action "+strings.TrimSpace("'self' "+p.LogoutOrigin)+"; base-uri 'none'; "+
		"frame-ancestors 'none'")
	protect(h)
	if p.Failure != nil {
		// The address of a callback has a code in it.
		h.Set("Referrer-Policy", "no-referrer")
	}
	w.WriteHeader(status)
	w.Write(body.Bytes())
}

// writeJSON answers a program.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "This page does not work.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	protect(w.Header())
	w.WriteHeader(status)
	w.Write(append(body, '\n'))
}

// protect sets the headers of every answer about a person: it must not be
// stored, guessed at or framed. The referrer policy is not no-referrer, because
// browsers would then send "Origin: null" with the app's own forms.
func protect(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
}

// message answers with a page of one paragraph. It needs no session.
func (a *app) message(w http.ResponseWriter, r *http.Request, status int, title, text string) {
	if wantsJSON(r) {
		writeJSON(w, status, map[string]string{"error": text})
		return
	}
	a.write(w, status, "message.html", page{Title: title, Text: text})
}

func (a *app) notFound(w http.ResponseWriter, r *http.Request) {
	a.message(w, r, http.StatusNotFound, "Nothing here", "This page does not exist.")
}

// crossOrigin answers a request that another site has sent (cross-site request
// forgery).
func (a *app) crossOrigin(w http.ResponseWriter, r *http.Request) {
	a.message(w, r, http.StatusForbidden, "Not from here",
		"Another site sent this request. Nothing was changed.")
}

// needsLogin answers a person who is not signed in any more.
func (a *app) needsLogin(w http.ResponseWriter, r *http.Request) {
	a.message(w, r, http.StatusUnauthorized, "Not signed in",
		"Your session has ended. Sign in and try again.")
}

// broken answers if something in this app has failed. The text of err goes only
// into the log.
func (a *app) broken(w http.ResponseWriter, r *http.Request, err error) {
	a.log.Error("request failed", "path", r.URL.Path, "error", err)
	a.message(w, r, http.StatusInternalServerError, "That did not work",
		"Something in this app has failed. Please try again later.")
}

// wantsJSON reports whether a program, not a browser, sent the request.
// Browsers always accept text/html.
func wantsJSON(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "application/json") && !strings.Contains(accept, "text/html")
}

// asset serves an embedded file.
func asset(name, contentType string) http.Handler {
	body, err := web.ReadFile(name)
	if err != nil {
		panic(err) // the name is wrong, which the compiler cannot see
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "max-age=300")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Write(body)
	})
}

// pretty writes v as indented JSON, for a page.
func pretty(v any) (string, error) {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // html/template escapes
	encoder.SetIndent("", "  ")
	err := encoder.Encode(v)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// until says how far away a time is, in the unit that a person would use.
func until(t time.Time) string {
	left := time.Until(t)
	switch {
	case left <= 0:
		return "expired"
	case left < 2*time.Minute:
		return fmt.Sprintf("in %.0f seconds", left.Seconds())
	case left < 2*time.Hour:
		return fmt.Sprintf("in %.0f minutes", left.Minutes())
	case left < 48*time.Hour:
		return fmt.Sprintf("in %.0f hours", left.Hours())
	}
	return fmt.Sprintf("in %.0f days", left.Hours()/24)
}
