package authserver

import (
	"net/http"
	"net/url"
	"strings"
)

// Consent says how the server decides about a login.
type Consent int

// The ways to decide.
const (
	Approve Consent = iota // approve at once, without a page
	Deny                   // refuse at once with access_denied
	Ask                    // show a page where a person chooses a user and approves or denies
)

// SetConsent changes how the server decides from now on. A new server has
// [Approve].
func (s *Server) SetConsent(c Consent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consent = c
}

// authorize is the authorization endpoint. OpenID Connect Core section 3.1.2.1
// demands both GET and POST.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		s.errorPage(w, http.StatusMethodNotAllowed, "The authorization endpoint takes GET and POST.")
		return
	}
	form, fault := authParams(r)
	s.record(Request{
		Place: Authorization, Method: r.Method, Header: r.Header.Clone(), Form: form,
		ClientID: form.Get("client_id"), Certificate: thumbprintOf(r),
	})
	if fault != "" {
		s.errorPage(w, http.StatusBadRequest, "The request is malformed: "+fault+".")
		return
	}
	// RFC 6749 section 4.1.2.1: until the client and its redirect URI are known
	// to be good, the person is told on a page. After that, the client is told.
	req, refusal, fault := s.readRequest(form)
	switch {
	case fault != "":
		s.errorPage(w, http.StatusBadRequest, fault)
	case refusal != nil:
		s.respond(w, r, req, User{}, refusal)
	default:
		s.respondByConsent(w, r, req)
	}
}

// readRequest reads an authorization request. The parameters may be in a pushed
// request, in a request object, or in form itself. A fault is told to the
// person, a refusal to the client.
func (s *Server) readRequest(form url.Values) (req authRequest, refusal *failure, fault string) {
	if strings.HasPrefix(form.Get("request_uri"), pushedPrefix) {
		req, fault = s.takePushed(form)
		return req, nil, fault
	}
	form, object, fault := s.readRequestObject(form, false)
	if fault != "" {
		return req, nil, fault
	}
	if req, fault = s.identifyClient(form); fault != "" {
		return req, nil, fault
	}
	req.object = object
	refusal = req.parse(form)
	// A request that was pushed has returned above.
	if refusal == nil && (s.pushed.required || req.client.RequirePAR) {
		refusal = refuse("invalid_request", "the request has to be pushed") // RFC 9126 section 5
	}
	if refusal == nil {
		refusal = s.requireRequestObject(req)
	}
	return req, refusal, ""
}

// authParams returns the parameters of the query and, for POST, of the body.
// They are put together, so that a parameter in both places is a repeated one.
func authParams(r *http.Request) (form url.Values, fault string) {
	form, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return form, "its query is not a form"
	}
	if r.Method == http.MethodPost {
		body, _, fault := readForm(r)
		for name, values := range body {
			form[name] = append(form[name], values...)
		}
		return form, fault
	}
	return form, ""
}

// respondByConsent answers a good request according to the server's [Consent].
func (s *Server) respondByConsent(w http.ResponseWriter, r *http.Request, req authRequest) {
	s.mu.Lock()
	consent, user := s.consent, s.userFor(req.loginHint)
	s.mu.Unlock()
	switch {
	case consent == Approve:
		s.respond(w, r, req, user, nil)
	case consent == Deny:
		s.respond(w, r, req, user, refuse("access_denied", "the server is set to deny"))
	case req.noPrompt:
		// OpenID Connect Core section 3.1.2.6: with prompt=none no page may be
		// shown. This server has no sessions, so somebody would have to sign
		// in.
		s.respond(w, r, req, user, refuse("login_required", "a person has to sign in"))
	default:
		s.askPerson(w, req, user)
	}
}

// askPerson shows the sign-in and consent page. Only the unguessable id on the
// page leads back to the request. So no other site can approve a login in a
// person's name (cross-site request forgery).
func (s *Server) askPerson(w http.ResponseWriter, req authRequest, user User) {
	id := randomText()
	s.mu.Lock()
	s.state.pending[id] = pending{request: req, expires: s.now().Add(requestLifetime)}
	s.mu.Unlock()
	s.consentPage(w, id, req, user)
}

// decide handles the form of the consent page.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		s.errorPage(w, http.StatusMethodNotAllowed, "This address only takes the sign-in form.")
		return
	}
	form, _, _ := readForm(r)
	s.mu.Lock()
	// A decision is accepted once: the form cannot be sent again.
	p, ok := s.state.pending[form.Get("request")]
	delete(s.state.pending, form.Get("request"))
	ok = ok && s.now().Before(p.expires)
	user, known := s.userNamed(form.Get("user"))
	s.mu.Unlock()
	switch decision := form.Get("decision"); {
	case !ok:
		s.errorPage(w, http.StatusBadRequest,
			"This sign-in has been decided already, or has expired.")
	case decision == "deny":
		s.respond(w, r, p.request, user, refuse("access_denied", "the person denied the request"))
	case decision == "approve" && known:
		s.respond(w, r, p.request, user, nil)
	default:
		s.errorPage(w, http.StatusBadRequest, "The form is incomplete.")
	}
}
