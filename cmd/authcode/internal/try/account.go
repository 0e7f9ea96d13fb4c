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
	identity *identity // nil if the provider does not say who the person is
	messages authMessages

	// token is secret. It is atomic, because a refresh may outlive the request
	// that began it.
	token  atomic.Pointer[oauth2.Token]
	stepUp []authcode.AuthOption // of the login that the API demands; nil if it does not
}

// identity is [authcode.Identity] with the names that it has in JSON.
type identity struct {
	Issuer        string         `json:"issuer"`
	Subject       string         `json:"subject"`
	Email         string         `json:"email,omitempty"`
	EmailVerified bool           `json:"email_verified"`
	Name          string         `json:"name,omitempty"`
	Picture       string         `json:"picture,omitempty"`
	Claims        map[string]any `json:"claims"`
}

// startSession signs the person in. The session gets a new id, because somebody
// else may know the old one (session fixation). It keeps nothing of the person
// who was signed in before.
func (a *app) startSession(w http.ResponseWriter, r *http.Request, s *signIn, login *authcode.Login,
	messages authMessages) {
	who := &account{signIn: s, scopes: login.Scopes, messages: messages}
	who.token.Store(login.Token)
	if login.Identity != nil {
		id := identity(*login.Identity)
		who.identity = &id
	}
	// The old session must not stay usable beside the new one.
	v := visitOf(r.Context())
	a.sessions.remove(v.session)
	v.session = a.sessions.start(w, who, "")
}

// account returns the person who is signed in, or nil.
func (a *app) account(w http.ResponseWriter, r *http.Request) *account {
	v := visitOf(r.Context())
	if v.session == nil || v.session.who == nil {
		return nil
	}
	if a.sessions.hasEnded(v.session) {
		a.endSession(w, r, "You are signed out: your provider has ended the session.")
		return nil
	}
	return v.session.who
}

// endSession forgets who was signed in. A new session holds the notice, which
// the next page shows.
func (a *app) endSession(w http.ResponseWriter, r *http.Request, notice string) {
	v := visitOf(r.Context())
	a.sessions.remove(v.session)
	v.session = a.sessions.start(w, nil, notice)
}

// signedInAs returns the event for a sign-in.
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

// matchesLogout reports whether a logout token is about this account. The
// provider calls directly, without the person's cookies. So it names the person
// (sub), or the session by an id of its own (sid).
func (who *account) matchesLogout(t oidc.LogoutToken) bool {
	if who == nil || who.identity == nil || t.Subject == "" && t.SessionID == "" {
		return false
	}
	// Front-Channel Logout section 3. A person of another issuer may have the
	// same subject.
	sid, _ := who.identity.Claims["sid"].(string)
	return who.identity.Issuer == t.Issuer && (t.Subject == "" || who.identity.Subject == t.Subject) &&
		(t.SessionID == "" || sid == t.SessionID)
}

// source returns a token source that renews the account's token when it has
// expired, and stores it. It is for one request.
func (who *account) source() *authcode.TokenSource {
	return who.signIn.client.TokenSource(who.token.Load(),
		func(_ context.Context, renewed *oauth2.Token) error {
			who.token.Store(renewed)
			return nil
		})
}
