package authserver

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// authRequest is a checked authorization request (RFC 6749 section 4.1.1).
type authRequest struct {
	client      ClientRegistration
	redirectURI string
	state       []string // empty: none was sent
	formPost    bool
	signed      bool // response_mode asks for a signed response
	object      bool // the parameters came in a request object
	scopes      []string
	nonce       string
	challenge   string
	maxAge      bool // max_age was sent
	noPrompt    bool // prompt=none
	loginHint   string
	acr         string   // the first of acr_values
	details     string   // authorization_details: JSON; empty: none
	resources   []string // resource (RFC 8707)
	jkt         string   // the thumbprint of the key that the code will be bound to
}

// identifyClient finds the client and checks the redirect URI. Until both are
// known to be good, nothing may be sent to the redirect URI (RFC 6749 section
// 4.1.2.1). A server that redirects earlier is an open redirector.
func (s *Server) identifyClient(form url.Values) (req authRequest, fault string) {
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
	// RFC 9700 section 2.1: exact string matching. Patterns and prefixes have
	// let attackers have codes sent to themselves.
	if !slices.Contains(client.RedirectURIs, form.Get("redirect_uri")) {
		return req, "The redirect URI (redirect_uri) is not registered for this client."
	}
	req.client, req.redirectURI = client, form.Get("redirect_uri")
	return req, ""
}

// parse checks everything else. What it refuses is told to the client.
func (req *authRequest) parse(form url.Values) *failure {
	// state and response_mode come first: they say how to send a refusal.
	if len(form["state"]) == 1 {
		req.state = form["state"]
	}
	known := true
	if len(form["response_mode"]) <= 1 {
		known = req.parseMode(form.Get("response_mode"))
	}
	if repeated(form) != "" {
		return refuse("invalid_request", "a parameter is repeated") // RFC 6749 section 3.1
	}
	switch {
	case !known:
		return refuse("invalid_request", "response_mode is not supported")
	case form.Get("response_type") == "":
		return refuse("invalid_request", "response_type is missing")
	case form.Get("response_type") != "code":
		return refuse("unsupported_response_type", "response_type is not code")
	// OpenID Connect Core section 6: a server that cannot read a request object
	// must refuse it, since its claims take precedence over the parameters.
	case form.Has("request"):
		return refuse("request_not_supported", "")
	case form.Has("request_uri"):
		return refuse("request_uri_not_supported", "")
	}
	if refusal := req.parseChallenge(form); refusal != nil {
		return refusal
	}
	if refusal := req.parseOpenID(form); refusal != nil {
		return refusal
	}
	return req.parseRights(form)
}

// parseMode reads response_mode. The mode jwt is the signed form of the default
// mode, which is query for a code (JARM section 2.3).
func (req *authRequest) parseMode(mode string) (known bool) {
	switch mode {
	case "form_post", "form_post.jwt":
		req.formPost = true
	case "", "query", "jwt", "query.jwt":
	default:
		return false
	}
	req.signed = mode == "jwt" || strings.HasSuffix(mode, ".jwt")
	return true
}

// parseChallenge requires PKCE with S256 (RFC 9700 section 2.1.1). A missing
// method would mean plain (RFC 7636 section 4.3), and then anybody who reads
// the request could redeem the code.
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

// parseOpenID reads scope and the parameters of OpenID Connect Core section
// 3.1.2.1.
func (req *authRequest) parseOpenID(form url.Values) *failure {
	var ok bool
	if req.scopes, ok = parseScope(form.Get("scope")); !ok {
		return refuse("invalid_scope", "scope is malformed")
	}
	req.nonce = form.Get("nonce")
	req.loginHint = form.Get("login_hint")
	// A server that ignored a malformed max_age would accept any old session.
	if form.Has("max_age") {
		if n, err := strconv.Atoi(form.Get("max_age")); err != nil || n < 0 {
			return refuse("invalid_request", "max_age is not a number of seconds")
		}
		req.maxAge = true
	}
	if values := strings.Fields(form.Get("acr_values")); len(values) > 0 {
		req.acr = values[0]
	}
	// OpenID Connect Core section 3.1.2.1: none contradicts every other value.
	prompts := strings.Fields(form.Get("prompt"))
	req.noPrompt = slices.Contains(prompts, "none")
	if req.noPrompt && len(prompts) > 1 {
		return refuse("invalid_request", "prompt has none and another value")
	}
	return nil
}

// parseScope splits a scope into its tokens, without repetitions (RFC 6749
// section 3.3).
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
