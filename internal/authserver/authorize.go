package authserver

import (
	"net/http"
	"net/url"
	"strings"
)

// Consent says how the server decides about logins.
type Consent int

// The ways to decide.
const (
	Approve Consent = iota // approve at once, without a page
	Deny                   // refuse at once with access_denied
	Ask                    // show a page where a person chooses a user and approves or denies
)

// SetConsent changes how the server decides from now on. A new server has [Approve].
func (s *Server) SetConsent(c Consent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consent = c
}

// authorize is the authorization endpoint. OpenID Connect Core section 3.1.2.1 wants both
// GET and POST.
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
	req, refusal, fault := s.requested(form)
	switch {
	case fault != "":
		s.errorPage(w, http.StatusBadRequest, fault)
	case refusal != nil:
		s.respond(w, r, req, User{}, refusal)
	default:
		s.consider(w, r, req)
	}
}

// requested finds out what is asked for: in a pushed request, a request object or the parameters
// themselves. A fault is for the person, a refusal for the client.
func (s *Server) requested(form url.Values) (req authRequest, refusal *failure, fault string) {
	if strings.HasPrefix(form.Get("request_uri"), pushedPrefix) {
		req, fault = s.pull(form)
		return req, nil, fault
	}
	form, object, fault := s.unseal(form, false)
	if fault != "" {
		return req, nil, fault
	}
	if req, fault = s.identify(form); fault != "" {
		return req, nil, fault
	}
	req.object = object
	refusal = req.parse(form)
	if refusal == nil && (s.pushed.required || req.client.RequirePAR) {
		refusal = refuse("invalid_request", "the request has to be pushed") // RFC 9126 section 5
	}
	if refusal == nil {
		refusal = s.checkSealed(req)
	}
	return req, refusal, ""
}

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

// consider answers a good request as the server's Consent says.
func (s *Server) consider(w http.ResponseWriter, r *http.Request, req authRequest) {
	s.mu.Lock()
	consent, user := s.consent, s.userFor(req.loginHint)
	s.mu.Unlock()
	switch {
	case consent == Approve:
		s.respond(w, r, req, user, nil)
	case consent == Deny:
		s.respond(w, r, req, user, refuse("access_denied", "the server is set to deny"))
	case req.noPrompt:
		// OpenID Connect Core section 3.1.2.6. Nobody is ever signed in here beforehand.
		s.respond(w, r, req, user, refuse("login_required", "a person has to sign in"))
	default:
		s.ask(w, req, user)
	}
}

// ask shows the sign-in and consent page. Only its unguessable id leads back to the request, so
// no other site can approve in a person's name.
func (s *Server) ask(w http.ResponseWriter, req authRequest, user User) {
	id := randomText()
	s.mu.Lock()
	s.state.pending[id] = pending{request: req, expires: s.now().Add(requestLifetime)}
	s.mu.Unlock()
	s.consentPage(w, id, req, user)
}

// decide takes the consent page's form.
func (s *Server) decide(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", "POST")
		s.errorPage(w, http.StatusMethodNotAllowed, "This address takes the sign-in form only.")
		return
	}
	form, _, _ := readForm(r)
	s.mu.Lock()
	p, ok := s.state.pending[form.Get("request")]
	delete(s.state.pending, form.Get("request"))
	ok = ok && s.now().Before(p.expires)
	user, known := s.userNamed(form.Get("user"))
	s.mu.Unlock()
	switch decision := form.Get("decision"); {
	case !ok:
		s.errorPage(w, http.StatusBadRequest, "This sign-in is already decided, or too old.")
	case decision == "deny":
		s.respond(w, r, p.request, user, refuse("access_denied", "the person said no"))
	case decision == "approve" && known:
		s.respond(w, r, p.request, user, nil)
	default:
		s.errorPage(w, http.StatusBadRequest, "The form is incomplete.")
	}
}
