package try

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/authcode"
)

// authMessages says what travelled through the browser in the authorization
// request and the authorization response of a login. It holds the names of the
// parameters, and only those values that say how a message is protected. The
// zero value stands for a login that began before this program did.
type authMessages struct {
	Carried      []string `json:"carried"`       // parameters of the authorization request
	RequestAlg   string   `json:"request_alg"`   // of a signed request among them
	PKCE         string   `json:"pkce"`          // code_challenge_method, where the address shows it
	Answered     []string `json:"answered"`      // parameters that came back
	ResponseAlg  string   `json:"response_alg"`  // of a signed response
	ResponseFrom string   `json:"response_from"` // the iss of the response
}

// readRequest reads the address that a login sends the browser to.
func (s *authMessages) readRequest(query url.Values) {
	s.Carried = slices.Sorted(maps.Keys(query))
	s.PKCE = query.Get("code_challenge_method")
	if object := query.Get("request"); object != "" {
		s.RequestAlg = jwtText(object, 0, "alg")
		s.PKCE = jwtText(object, 1, "code_challenge_method")
	}
}

// readResponse reads a callback that has passed every check.
func (s *authMessages) readResponse(params url.Values) {
	s.Answered = slices.Sorted(maps.Keys(params))
	s.ResponseFrom = params.Get("iss")
	if response := params.Get("response"); response != "" {
		s.ResponseAlg = jwtText(response, 0, "alg")
		s.ResponseFrom = jwtText(response, 1, "iss")
	}
}

// jwtText returns a member of the header (part 0) or of the claims (part 1) of
// a JWT. It returns "" if there is no such member. It verifies nothing: the app
// has made these JWTs, or package oidc has verified them.
func jwtText(jwt string, part int, member string) string {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return ""
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[part])
	var members map[string]any
	if err != nil || json.Unmarshal(text, &members) != nil {
		return ""
	}
	value, _ := members[member].(string)
	return value
}

const (
	valueStart    = "start"          // authcode.Value: the id of the login in pendingLogins
	startLifetime = 10 * time.Minute // as long as package authcode keeps a login
	maxStarts     = 1 << 14          // of more logins, only the messages are not kept
)

// pendingLogins keeps the requests of logins that are under way. It is bounded,
// because anybody can start a login. The zero value is empty.
type pendingLogins struct {
	mu    sync.Mutex
	byID  map[string]pendingLogin
	sweep time.Time // when to look for expired ones
}

type pendingLogin struct {
	authMessages
	expires time.Time
}

// put keeps the request of a login. It removes expired ones once a minute.
func (s *pendingLogins) put(id string, messages authMessages) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]pendingLogin{}
	}
	if now.After(s.sweep) {
		s.sweep = now.Add(time.Minute)
		maps.DeleteFunc(s.byID, func(_ string, b pendingLogin) bool { return now.After(b.expires) })
	}
	// Beyond the bound, the login still works. Only the table lacks a row.
	if len(s.byID) < maxStarts {
		s.byID[id] = pendingLogin{messages, now.Add(startLifetime)}
	}
}

// take returns the request of a login and forgets it.
func (s *pendingLogins) take(id string) authMessages {
	s.mu.Lock()
	defer s.mu.Unlock()
	messages := s.byID[id].authMessages
	delete(s.byID, id)
	return messages
}

// starting wraps a handler that starts a login with s. It reads the
// authorization request from the redirect in the handler's answer.
func (a *app) starting(s *signIn, handler func(...authcode.AuthOption) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := rand.Text()
		opts := append(slices.Clone(s.options), authcode.Value(valueStart, id))
		handler(opts...).ServeHTTP(w, r)
		if to, err := url.Parse(w.Header().Get("Location")); err == nil && to.IsAbs() {
			var messages authMessages
			messages.readRequest(to.Query())
			a.pending.put(id, messages)
		}
	})
}

// callback finishes logins with s. If a login passes every check, it keeps the
// names of the parameters that came back.
func (a *app) callback(s *signIn) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form := new(bytes.Buffer)
		// The body can be read only once, so copy it while package authcode
		// reads it. That package limits it to 16 KiB.
		if s.formPost {
			r.Body = struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r.Body, form), r.Body}
		}
		s.client.CallbackHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			params := r.URL.Query()
			var answer authMessages
			if s.formPost && r.Method == http.MethodPost {
				params, _ = url.ParseQuery(form.String()) // authcode has parsed it before
			}
			answer.readResponse(params)
			if s.formPost && r.Method == http.MethodGet {
				answer = a.pending.take(params.Get("login"))
			}
			a.welcome(w, r, s, answer)
		})).ServeHTTP(w, r)
		// The POST has passed every check. A GET finishes the login.
		if id, ok := strings.CutPrefix(w.Header().Get("Location"), "?login="); ok && s.formPost {
			params, _ := url.ParseQuery(form.String())
			var answer authMessages
			answer.readResponse(params)
			a.pending.put(id, answer)
		}
	})
}
