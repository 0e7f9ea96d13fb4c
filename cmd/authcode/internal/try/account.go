package try

import (
	"context"
	"net/http"
	"sync/atomic"

	"golang.org/x/oauth2"

	"example.com/authcode"
	"example.com/authcode/oidc"
)

// account is a person who is signed in.
type account struct {
	signIn   *signIn
	scopes   []string
	identity *identity // nil: the provider does not say who it is
	seen     seen

	token  atomic.Pointer[oauth2.Token] // secret; a refresh may outlive the request that began it
	stepUp []authcode.AuthOption        // of a login that the API has asked for; nil: it has not
}

// identity is [authcode.Identity] with names for JSON.
type identity struct {
	Issuer        string         `json:"issuer"`
	Subject       string         `json:"subject"`
	Email         string         `json:"email,omitempty"`
	EmailVerified bool           `json:"email_verified"`
	Name          string         `json:"name,omitempty"`
	Picture       string         `json:"picture,omitempty"`
	Claims        map[string]any `json:"claims"`
}

// begin signs the person in. The session gets a new id, because somebody else may know the
// old one (session fixation), and keeps nothing of whoever was signed in before.
func (a *app) begin(w http.ResponseWriter, r *http.Request, s *signIn, login *authcode.Login,
	what seen) {
	who := &account{signIn: s, scopes: login.Scopes, seen: what}
	who.token.Store(login.Token)
	if login.Identity != nil {
		id := identity(*login.Identity)
		who.identity = &id
	}
	v := visitOf(r.Context())
	a.sessions.remove(v.session)
	v.session = a.sessions.start(w, who, "")
}

// account returns who is signed in, nil for nobody.
func (a *app) account(w http.ResponseWriter, r *http.Request) *account {
	v := visitOf(r.Context())
	if v.session == nil || v.session.who == nil {
		return nil
	}
	if a.sessions.hasEnded(v.session) {
		a.end(w, r, "You are signed out: your provider has ended the session.")
		return nil
	}
	return v.session.who
}

// end forgets who was signed in. The notice is the first thing in a new session.
func (a *app) end(w http.ResponseWriter, r *http.Request, notice string) {
	v := visitOf(r.Context())
	a.sessions.remove(v.session)
	v.session = a.sessions.start(w, nil, notice)
}

// signedInAs is the event of a sign-in.
func signedInAs(who *account) event {
	token := who.token.Load()
	e := event{Event: "signed_in", Provider: who.signIn.name, signedIn: &signedIn{
		Scopes: who.scopes, TokenType: token.Type(), Protections: protections(who, token, nil),
	}}
	if who.identity != nil {
		e.Issuer, e.Subject = who.identity.Issuer, who.identity.Subject
	}
	return e
}

// isMeant reports that a logout by the provider is about the account. The provider names
// the person, or its own id of the session: it has no cookie of the person's.
func (who *account) isMeant(t oidc.LogoutToken) bool {
	if who == nil || who.identity == nil || t.Subject == "" && t.SessionID == "" {
		return false
	}
	sid, _ := who.identity.Claims["sid"].(string) // Front-Channel Logout section 3
	return who.identity.Issuer == t.Issuer && (t.Subject == "" || who.identity.Subject == t.Subject) &&
		(t.SessionID == "" || sid == t.SessionID)
}

// source renews the account's token when it has expired. It is made for one request.
func (who *account) source() *authcode.TokenSource {
	return who.signIn.client.TokenSource(who.token.Load(),
		func(_ context.Context, renewed *oauth2.Token) error {
			who.token.Store(renewed)
			return nil
		})
}
