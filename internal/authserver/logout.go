package authserver

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// endSession is the logout endpoint of OpenID Connect RP-Initiated Logout 1.0.
// This server keeps no sessions, so there is nothing to end. It checks the
// request and sends the browser back.
func (s *Server) endSession(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		s.errorPage(w, http.StatusMethodNotAllowed, "The logout endpoint takes GET and POST.")
		return
	}
	form, fault := authParams(r)
	s.record(Request{
		Place: EndSession, Method: r.Method, Header: r.Header.Clone(), Form: form,
		ClientID: form.Get("client_id"), Certificate: thumbprintOf(r),
	})
	faults := s.visit(EndSession)
	if s.replaced(w, r, faults, nil) {
		return
	}
	if fault == "" && repeated(form) != "" {
		fault = "a parameter is repeated"
	}
	if fault == "" {
		fault = s.checkLogout(form)
	}
	switch uri := form.Get("post_logout_redirect_uri"); {
	case fault != "":
		s.errorPage(w, http.StatusBadRequest, "The logout is refused: "+fault+".")
	case uri == "":
		render(w, http.StatusOK, "signed_out", nil)
	default:
		// RP-Initiated Logout section 2: state goes back as it came.
		var fields []field
		for _, state := range form["state"] {
			fields = append(fields, field{"state", state})
		}
		redirect(w, uri, applyEdits(fields, faults))
	}
}

// checkLogout finds the client by id_token_hint or client_id. It refuses a
// redirect to an address that is not registered for that client (RP-Initiated
// Logout section 3): the endpoint would be an open redirector.
func (s *Server) checkLogout(form url.Values) (fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := form.Get("client_id")
	if hint := form.Get("id_token_hint"); hint != "" {
		// Section 2: an ID token that has expired is accepted as well. People
		// sign out hours after they have signed in.
		g, ok := s.state.idTokens[hint]
		switch {
		case !ok:
			return "id_token_hint is not an ID token of this server"
		case id != "" && id != g.client:
			return "id_token_hint belongs to another client, not to client_id"
		}
		id = g.client
	}
	uri := form.Get("post_logout_redirect_uri")
	client, known := s.state.clients[id]
	switch {
	case id != "" && !known:
		return "the client is not registered here"
	case uri != "" && form.Get("id_token_hint") == "":
		// Section 2: without a hint the server would have to ask the person
		// first, since any site can send a browser here.
		return "post_logout_redirect_uri without id_token_hint"
	case uri != "" && !slices.Contains(client.PostLogoutRedirectURIs, uri):
		return "post_logout_redirect_uri is not registered for this client"
	}
	return ""
}

// logoutEvent is the member of events that makes a token a logout token
// (Back-Channel Logout section 2.4).
const logoutEvent = `{"http://schemas.openid.net/event/backchannel-logout":{}}`

// LogoutToken returns a logout token (OpenID Connect Back-Channel Logout 1.0
// section 2.4) which says that subject has signed out. A test posts it to the
// app's back-channel logout address as logout_token. The faults are those of
// [IDToken]: Set("sid", `"s1"`) adds a session, Drop("sub") leaves out the
// person, Set("nonce", `"x"`) makes the token invalid, and so on.
func (s *Server) LogoutToken(clientID, subject string, faults ...Fault) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	return s.signed(clientID, "logout+jwt", applyEdits([]field{
		member("iss", s.URL),
		member("aud", clientID),
		member("iat", now.Unix()),
		member("exp", now.Add(2*time.Minute).Unix()), // section 2.4: preferably no later
		member("jti", randomText()),
		{"events", logoutEvent},
		member("sub", subject),
	}, faults), faults)
}

// FrontChannelLogout returns the address that the provider's page would load in
// a frame to tell the app, at logoutURI, that session sid has ended (OpenID
// Connect Front-Channel Logout 1.0 section 2). It has iss and sid in the query.
// [Set], [Drop], [Repeat] and [Rename] change them. Their values are plain.
func (s *Server) FrontChannelLogout(logoutURI, sid string, faults ...Fault) string {
	return withQuery(logoutURI, applyEdits([]field{{"iss", s.URL}, {"sid", sid}}, faults))
}

// withQuery adds fields to the query of uri and keeps what is there.
func withQuery(uri string, fields []field) string {
	if len(fields) == 0 {
		return uri
	}
	var pairs []string
	for _, f := range fields {
		pairs = append(pairs, url.QueryEscape(f.name)+"="+url.QueryEscape(f.value))
	}
	separator := "?"
	if strings.Contains(uri, "?") {
		separator = "&"
	}
	return uri + separator + strings.Join(pairs, "&")
}
