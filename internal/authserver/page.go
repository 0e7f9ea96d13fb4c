package authserver

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"unicode/utf8"
)

var (
	//go:embed page.html
	pageSource string

	//go:embed page.css
	pageStyle string

	pages = template.Must(template.New("page").Parse(pageSource))
)

// submitScript submits the form of the form_post page. Without scripts, a
// person presses its button.
const submitScript = "document.forms[0].submit()"

// scopeWords explains the scopes that the server knows.
var scopeWords = map[string]string{
	"openid":  "Know that you are you",
	"profile": "Your name and picture",
	"email":   "Your e-mail address",
}

type scopeView struct{ Name, Words string }

type userView struct {
	User
	Initial string
	Chosen  bool
}

type consentView struct {
	ID     string
	Client string
	Host   string
	Scopes []scopeView
	Users  []userView
}

// consentPage shows the sign-in and consent page.
func (s *Server) consentPage(w http.ResponseWriter, id string, req authRequest, chosen User) {
	view := consentView{ID: id, Client: req.client.Name, Host: host(req.redirectURI)}
	for _, scope := range req.scopes {
		view.Scopes = append(view.Scopes, scopeView{scope, scopeWords[scope]})
	}
	for _, u := range s.users {
		label := u.Name
		if label == "" {
			label = u.Subject
		}
		first, _ := utf8.DecodeRuneInString(label)
		u.Name = label
		view.Users = append(view.Users, userView{
			User: u, Initial: strings.ToUpper(string(first)), Chosen: u.Subject == chosen.Subject,
		})
	}
	render(w, http.StatusOK, "consent", view)
}

// errorPage tells the person what is wrong. It is for requests for which no
// client may be told.
func (s *Server) errorPage(w http.ResponseWriter, status int, reason string) {
	render(w, status, "error", reason)
}

type formPostView struct {
	Action string
	Host   string
	Fields []formField
	Script template.JS
}

type formField struct{ Name, Value string }

// formPostPage sends the authorization response through a form that submits
// itself (OAuth 2.0 Form Post Response Mode).
func (s *Server) formPostPage(w http.ResponseWriter, uri string, fields []field) {
	view := formPostView{Action: uri, Host: host(uri), Script: submitScript}
	for _, f := range fields {
		view.Fields = append(view.Fields, formField{f.name, f.value})
	}
	render(w, http.StatusOK, "form_post", view)
}

// host returns the host of a redirect URI, to show people where their login
// leads. A name of the client's own choosing proves nothing.
func host(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		return rest
	}
	return rest[:end]
}

// render writes a page that loads nothing, runs no script but submitScript and
// cannot be framed. A page in a frame could be used for clickjacking (RFC 9700
// section 4.16). There is no form-action, because Chromium also applies it to
// the redirect that answers the form, and that redirect leads to the app.
func render(w http.ResponseWriter, status int, name string, view any) {
	policy := "default-src 'none'; img-src data:; style-src '" + hash(pageStyle) +
		"'; base-uri 'none'; frame-ancestors 'none'"
	if name == "form_post" {
		policy += "; script-src '" + hash(submitScript) + "'"
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("X-Frame-Options", "DENY")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")
	// Only the origin: the form of form_post keeps its Origin header, and
	// neither a path nor a state leaks (RFC 9700 section 4.2).
	header.Set("Referrer-Policy", "strict-origin")
	w.WriteHeader(status)
	pages.ExecuteTemplate(w, name, struct {
		Style template.CSS
		View  any
	}{template.CSS(pageStyle), view})
}

// hash allows one inline style or script in a Content-Security-Policy.
func hash(source string) string {
	sum := sha256.Sum256([]byte(source))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
