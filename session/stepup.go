package session

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"example.com/authcode"
	"example.com/authcode/internal/page"
	"example.com/authcode/internal/realm"
)

// StepUp answers a request of a signed-in person who has to sign in again, as
// [Sessions.RequireFresh] does. Call it with what [Challenge] says, when an API
// asks for more. If nobody is signed in, it answers as Require. If the login had
// no Identity, it answers with [authcode.Configuration]. If the person has
// just signed in as f says, a page says so: an API that is never content would
// otherwise send the person to the provider again and again.
func (s *Sessions) StepUp(w http.ResponseWriter, r *http.Request, f Freshness) {
	session, err := s.Load(r)
	switch {
	case err != nil:
		s.refuse(w, r, err)
		return
	case session == nil:
		s.demand(w, r)
		return
	// Without a subject, nothing tells whether the same person signs in again, nor
	// when. Every sign-in would be refused at its end.
	case session.opened().Subject == "":
		s.refuse(w, r, authcode.NewError(authcode.Configuration, "session.nobody",
			"RequireFresh and StepUp need to know who signs in: set Provider.Identity, or request the "+
				"scope openid", nil))
		return
	case isScript(r):
		writeChallenge(w, f)
		return
	}
	s.askAgain(w, r, session, f)
}

// askAgain sends a person to the provider, or shows a page that leads there.
func (s *Sessions) askAgain(w http.ResponseWriter, r *http.Request, session *Session, f Freshness) {
	isForm := r.Method != http.MethodGet && r.Method != http.MethodHead
	returnTo := pathOf(r)
	if isForm {
		returnTo = pageOf(r)
	}
	o := session.opened()
	client, err := s.clientOf(realm.WithRequest(r), o.Origin)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	target, err := s.freshURL(w, r, client, session, f, returnTo)
	switch {
	case err != nil:
		client.Refuse(w, r, err)
	case isForm:
		showStepUp(w, target, "Please confirm that it is you", "What you sent was not saved. To keep "+
			"what you wrote, go back and copy it. Then sign in again and send it once more.")
	case s.hasMarker(r) && session.IsFresh(f):
		showStepUp(w, target, "This sign-in is not enough", "You signed in a moment ago, and this "+
			"page still asks for a new sign-in. Please try again, or ask for help.")
	default:
		redirect(w, target)
	}
}

// showStepUp answers with a page that leads to the sign-in.
func showStepUp(w http.ResponseWriter, target, title, text string) {
	show(w, http.StatusUnauthorized, &page.Page{
		Title: title, Text: text, Help: "session.fresh",
		Links: []page.Link{{ID: "login", URL: target, Text: "Sign in again"}},
	})
}

// freshURL begins the login.
func (s *Sessions) freshURL(
	w http.ResponseWriter, r *http.Request, client *authcode.Client, session *Session, f Freshness,
	returnTo string,
) (string, error) {
	o := session.opened()
	want := freshLogin{Person: s.persons(o.content)[0], ACR: f.ACR, Scopes: f.Scopes}
	want.MaxAge = seconds(f.MaxAge)
	value, _ := json.Marshal(want) // texts and a number: it never fails
	opts := []authcode.AuthOption{
		authcode.ReturnTo(returnTo), authcode.Value(freshValue, string(value)),
	}
	if f.MaxAge > 0 {
		opts = append(opts, authcode.Param("max_age", strconv.FormatInt(want.MaxAge, 10)))
	}
	if len(f.ACR) > 0 {
		opts = append(opts, authcode.Param("acr_values", strings.Join(f.ACR, " ")))
	}
	if id := session.Identity(); id != nil && id.Email != "" {
		opts = append(opts, authcode.Param("login_hint", id.Email))
	}
	scopes, err := s.scopesFor(r.Context(), client, o.content, f)
	if err != nil {
		return "", err
	}
	return client.AuthCodeURL(w, r, append(opts, authcode.Scopes(scopes...))...)
}

// scopesFor are those of the Client, of the session and of f: a login that asks
// for fewer than before would lose the others.
func (s *Sessions) scopesFor(
	ctx context.Context, client *authcode.Client, c *content, f Freshness,
) ([]string, error) {
	conn, err := client.Connection(ctx)
	if err != nil {
		return nil, err
	}
	var all []string
	has := make(map[string]bool) // a provider may have sent many thousands
	for _, scope := range slices.Concat(conn.Config.Scopes, strings.Fields(c.Scopes), f.Scopes) {
		if !has[scope] {
			has[scope], all = true, append(all, scope)
		}
	}
	return all, nil
}

// writeChallenge answers a script (RFC 9470 section 3).
func writeChallenge(w http.ResponseWriter, f Freshness) {
	answer := map[string]any{"error": stepUpCode}
	challenge := `Bearer error="` + stepUpCode + `"`
	if f.MaxAge > 0 {
		challenge += `, max_age="` + strconv.FormatInt(seconds(f.MaxAge), 10) + `"`
		answer["max_age"] = seconds(f.MaxAge)
	}
	if len(f.ACR) > 0 {
		challenge += `, acr_values=` + quoted(strings.Join(f.ACR, " "))
		answer["acr_values"] = f.ACR
	}
	if len(f.Scopes) > 0 {
		challenge += `, scope=` + quoted(strings.Join(f.Scopes, " "))
		answer["scope"] = strings.Join(f.Scopes, " ")
	}
	setHeaders(w)
	w.Header().Set("WWW-Authenticate", challenge)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusUnauthorized)
	json.NewEncoder(w).Encode(answer)
}

// quoted returns a quoted string (RFC 9110 section 5.6.4). The text has visible
// characters only: see RequireFresh and asked.
func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// encodeID returns text for random bytes or a digest.
func encodeID(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
