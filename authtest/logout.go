package authtest

import (
	"encoding/json"

	"example.com/authcode/internal/authserver"
)

// LogoutToken returns a logout token (OpenID Connect Back-Channel Logout 1.0
// section 2.4) for the client with this id. It says that the person with this
// subject, or the session with this sid, has ended at the server; one of the
// two may be empty. A test posts it to the app's back-channel logout address as
// the form value logout_token. Each token is good once, for two minutes.
//
// A user whose Claims have a sid gives logins a session id for the app to
// remember.
func (s *Server) LogoutToken(clientID, subject, sid string) string {
	if subject == "" && sid == "" {
		panic("authtest: LogoutToken needs a subject or a sid")
	}
	var changes []authserver.Fault
	if subject == "" {
		changes = append(changes, authserver.Drop("sub"))
	}
	if sid != "" {
		text, _ := json.Marshal(sid) // a string always marshals
		changes = append(changes, authserver.Set("sid", string(text)))
	}
	return s.server.LogoutToken(clientID, subject, changes...)
}

// FrontChannelLogoutURL returns the address that the server's page would load
// in a frame to tell the app, at logoutURL, that the session sid has ended
// (OpenID Connect Front-Channel Logout 1.0 section 2). A test opens it with the
// person's browser.
func (s *Server) FrontChannelLogoutURL(logoutURL, sid string) string {
	return s.server.FrontChannelLogout(logoutURL, sid)
}
