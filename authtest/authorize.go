package authtest

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
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

// authRequest is a checked authorization request (RFC 6749 section 4.1.1).
type authRequest struct {
	client      ClientRegistration
	redirectURI string
	state       []string // empty: none was sent
	formPost    bool
	scopes      []string
	nonce       string
	challenge   string
	maxAge      bool // max_age was sent
	noPrompt    bool // prompt=none
	loginHint   string
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
		ClientID: form.Get("client_id"),
	})
	if fault != "" {
		s.errorPage(w, http.StatusBadRequest, "The request is malformed: "+fault+".")
		return
	}
	req, fault := s.identify(form)
	if fault != "" {
		s.errorPage(w, http.StatusBadRequest, fault)
		return
	}
	if refusal := req.parse(form); refusal != nil {
		s.respond(w, r, req, User{}, refusal)
		return
	}
	s.consider(w, r, req)
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

// identify finds the client and checks the redirect URI. Until both are known to be good, nothing
// may be sent to the redirect URI (RFC 6749 section 4.1.2.1): that would be an open redirector.
func (s *Server) identify(form url.Values) (req authRequest, fault string) {
	if len(form["client_id"]) != 1 {
		return req, "The request does not name one client (client_id)."
	}
	s.mu.Lock()
	client, ok := s.state.clients[form.Get("client_id")]
	s.mu.Unlock()
	if !ok {
		return req, "The client (client_id) is not registered here."
	}
	if len(form["redirect_uri"]) != 1 {
		return req, "The request does not name one redirect URI (redirect_uri)."
	}
	// RFC 9700 section 2.1: exact string matching.
	if !slices.Contains(client.RedirectURIs, form.Get("redirect_uri")) {
		return req, "The redirect URI (redirect_uri) is not registered for this client."
	}
	req.client, req.redirectURI = client, form.Get("redirect_uri")
	return req, ""
}

// parse checks all else; what it refuses is told to the client.
func (req *authRequest) parse(form url.Values) *failure {
	if len(form["state"]) == 1 {
		req.state = form["state"]
	}
	if len(form["response_mode"]) <= 1 {
		req.formPost = form.Get("response_mode") == "form_post"
	}
	if repeated(form) != "" {
		return refuse("invalid_request", "a parameter is repeated") // RFC 6749 section 3.1
	}
	switch form.Get("response_mode") {
	case "", "query", "form_post":
	default:
		return refuse("invalid_request", "response_mode is neither query nor form_post")
	}
	switch {
	case form.Get("response_type") == "":
		return refuse("invalid_request", "response_type is missing")
	case form.Get("response_type") != "code":
		return refuse("unsupported_response_type", "response_type is not code")
	case form.Has("request"):
		return refuse("request_not_supported", "")
	case form.Has("request_uri"):
		return refuse("request_uri_not_supported", "")
	}
	if refusal := req.parseChallenge(form); refusal != nil {
		return refusal
	}
	return req.parseOpenID(form)
}

// parseChallenge requires PKCE with S256 (RFC 9700 section 2.1.1). A missing method would
// mean plain (RFC 7636 section 4.3).
func (req *authRequest) parseChallenge(form url.Values) *failure {
	switch {
	case form.Get("code_challenge_method") != "S256":
		return refuse("invalid_request", "code_challenge_method is not S256")
	case len(form.Get("code_challenge")) != 43 || !onlyURLSafe(form.Get("code_challenge"), "-_"):
		return refuse("invalid_request", "code_challenge is not the base64url of a SHA-256 hash")
	}
	req.challenge = form.Get("code_challenge")
	return nil
}

// onlyURLSafe reports whether s has only letters, digits and the given marks.
func onlyURLSafe(s, marks string) bool {
	return strings.IndexFunc(s, func(c rune) bool {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		return !letter && !strings.ContainsRune(marks, c)
	}) < 0
}

// parseOpenID reads scope and the parameters of OpenID Connect Core section 3.1.2.1.
func (req *authRequest) parseOpenID(form url.Values) *failure {
	var ok bool
	if req.scopes, ok = parseScope(form.Get("scope")); !ok {
		return refuse("invalid_scope", "scope is malformed")
	}
	req.nonce = form.Get("nonce")
	req.loginHint = form.Get("login_hint")
	if form.Has("max_age") {
		if n, err := strconv.Atoi(form.Get("max_age")); err != nil || n < 0 {
			return refuse("invalid_request", "max_age is not a number of seconds")
		}
		req.maxAge = true
	}
	prompts := strings.Fields(form.Get("prompt"))
	req.noPrompt = slices.Contains(prompts, "none")
	if req.noPrompt && len(prompts) > 1 {
		return refuse("invalid_request", "prompt has none and another value")
	}
	return nil
}

// parseScope splits a scope into its tokens, without repetitions (RFC 6749 section 3.3).
func parseScope(scope string) (tokens []string, ok bool) {
	tokens = []string{}
	if scope == "" {
		return tokens, true
	}
	for token := range strings.SplitSeq(scope, " ") {
		bad := func(c rune) bool { return c < '!' || c > '~' || c == '"' || c == '\\' }
		if token == "" || strings.ContainsFunc(token, bad) {
			return nil, false
		}
		if !slices.Contains(tokens, token) {
			tokens = append(tokens, token)
		}
	}
	return tokens, true
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
